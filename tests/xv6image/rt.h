/*
 * A runtime of its own for the programs of this folder. It shares nothing with
 * user/: not a header, not a stub, not a linker script. What it knows is what
 * the xv6 book and its users know of a program's surroundings: system calls 1 to
 * 21 by number (calls.h), the layout of struct stat and of directory entries,
 * argc and argv in the registers of a function's arguments, text at address 0.
 */
#ifndef RT_H
#define RT_H

typedef unsigned int uint;
typedef unsigned short ushort;

struct stat {
  int dev;
  uint ino;
  short type;
  short nlink;
  unsigned long long size;
};

struct dirent {
  ushort inum;
  char name[14];
};

/* System calls; see rt.c for the numbers. */
long fork(void);
long exit(int status) __attribute__((noreturn));
long wait(int *status);
long pipe(int *fds);
long read(int fd, void *buf, int n);
long kill(int pid);
long exec(const char *path, char **argv);
long fstat(int fd, struct stat *st);
long chdir(const char *path);
long dup(int fd);
long getpid(void);
long sbrk(long n);
long sleep(int ticks);
long uptime(void);
long open(const char *path, int mode);
long write(int fd, const void *buf, int n);
long mknod(const char *path, int major, int minor);
long unlink(const char *path);
long link(const char *from, const char *to);
long mkdir(const char *path);
long close(int fd);

#define RDONLY 0
#define WRONLY 1
#define RDWR 2
#define CREATE 0x200
#define TRUNC 0x400

int length(const char *s);
int same(const char *a, const char *b);
void put(int fd, const char *s);
void put_number(int fd, long n);

#endif
