/*
 * The user library as xv6 programs know it: its system calls and functions,
 * those of older releases (sleep, sbrk with one argument) and of newer ones
 * (pause, sbrklazy). All system calls return -1 for an error.
 *
 * What Pagewise adds is in user/pagewise.h, which this header includes unless
 * XV6_NAMES_ONLY is defined: a program from elsewhere may have functions of
 * its own by those names, and the library's then give way (they are weak).
 */
#ifndef USER_USER_H
#define USER_USER_H

#include "abi/system.h"
#include "abi/types.h"

struct stat;

#define SBRK_ERROR ((char *)-1)

/* System calls 1 to 21 (include/abi/syscall.tbl). */
int fork(void);
int exit(int status) __attribute__((noreturn));
int wait(int *status);
int pipe(int *fds);
int read(int fd, void *buf, int n);
int kill(int pid);
int exec(const char *path, char **argv);
int fstat(int fd, struct stat *st);
int chdir(const char *path);
int dup(int fd);
int getpid(void);
char *sys_sbrk(int n, int how);
int pause(int ticks);
int uptime(void);
int open(const char *path, int flags);
int write(int fd, const void *buf, int n);
int mknod(const char *path, short major, short minor);
int unlink(const char *path);
int link(const char *from, const char *to);
int mkdir(const char *path);
int close(int fd);

/* lib/ulib.c */
int sleep(int ticks);  /* pause() */
char *sbrk(int n);     /* the memory is there at once, or SBRK_ERROR */
char *sbrklazy(int n); /* it comes when touched */
int stat(const char *path, struct stat *st);
char *gets(char *buf, int max); /* a line from fd 0, its newline included */
int atoi(const char *s);        /* decimal digits at the start; else 0 */

/* lib/string.c */
char *strcpy(char *to, const char *from);
int strcmp(const char *a, const char *b);
char *strchr(const char *s, char c);
uint strlen(const char *s);
void *memset(void *to, int c, uint n);
void *memmove(void *to, const void *from, int n);
void *memcpy(void *to, const void *from, uint n);
int memcmp(const void *a, const void *b, uint n);

/*
 * lib/printf.c. Conversions: d i u x with l or ll, l (the same as ld), p (0x and
 * 16 digits, two a byte), c, s, %; flags - and 0, a width (or *), and for s a precision. A call
 * makes one write() unless its text is over a kilobyte.
 */
void printf(const char *fmt, ...) __attribute__((format(__printf__, 1, 2)));
void fprintf(int fd, const char *fmt, ...)
    __attribute__((format(__printf__, 2, 3)));
/* fprintf() with each argument in 64 bits, whatever its type (user/guest.h). */
void printf_wide(int fd, const char *fmt, const long long *args);

/* lib/umalloc.c; aligned to 16 bytes, 0 when memory is out. */
void *malloc(uint n);
void free(void *p);

#ifdef XV6_NAMES_ONLY
#include "user/guest.h"
#else
#include "user/pagewise.h"
#endif

#endif
