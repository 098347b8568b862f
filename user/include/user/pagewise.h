/*
 * What the user library has beyond xv6's: the system calls from 64 up and
 * helpers for programs. Every definition is weak (user/lib/extra.h).
 */
#ifndef USER_PAGEWISE_H
#define USER_PAGEWISE_H

#include <stdarg.h>

#include "abi/errno.h"
#include "abi/fcntl.h"
#include "abi/inspect.h"
#include "abi/mman.h"
#include "abi/stat.h"
#include "abi/system.h"
#include "abi/tty.h"
#include "abi/types.h"

/* System calls from 64 up (include/abi/syscall.tbl). -1 for an error. */
int lasterr(void); /* why the last failed system call failed: E... */
int dup2(int fd, int newfd);
long lseek(int fd, long off, int whence);
int ftruncate(int fd, long size);
int rename(const char *from, const char *to);
int getcwd(char *buf, int n);
int sync(void);
int waitpid(int pid, int *status, int flags); /* pid -1: any child */
int setpgid(int pid, int pgid);               /* 0: the caller; its pid */
int getppid(void);
int yield(void);
int sys_clock(uint64 *ns); /* clock() */
int getcpu(void);
int time(uint64 *seconds);           /* since 1970-01-01 00:00 UTC */
int ttyctl(int fd, int op, int arg); /* abi/tty.h */
int reboot(int how);
int meminfo(struct meminfo *info);
int sysinfo(struct sysinfo *info);
int procs(struct procinfo *buf, int max); /* how many were filled in */
int vmregions(int pid, struct vmregion *buf, int max);
int ptdump(int pid, unsigned long from, struct ptentry *buf, int max);
int ptwalk(int pid, unsigned long va, struct ptwalk *w);
int memcheck(struct memcheck *sum, struct memfault *buf, int max);
int debug(int what, long arg); /* the debug kernel's: abi/debug.h */
int restrict_rights(int rights) __asm__("restrict");

/* Memory mappings, as in POSIX; abi/mman.h. */
#define MAP_FAILED ((void *)-1)
void *mmap(void *at, unsigned long size, int prot, int flags, int fd, long off);
int munmap(void *at, unsigned long size);
int mprotect(void *at, unsigned long size, int prot);
int msync(void *at, unsigned long size, int flags);
int madvise(void *at, unsigned long size, int advice);

/* lib/clock.c */
uint64 clock(void); /* nanoseconds since boot */

/* lib/string.c */
int strncmp(const char *a, const char *b, uint n);
char *strrchr(const char *s, char c);
char *strdup(const char *s); /* malloc'ed, or 0 */

/* lib/printf.c. They return the length that the whole text has. */
int snprintf(char *buf, int n, const char *fmt, ...)
    __attribute__((format(__printf__, 3, 4)));
int vsnprintf(char *buf, int n, const char *fmt, va_list ap);

/* lib/umalloc.c */
void *calloc(uint n, uint size);
void *realloc(void *p, uint n);

/* lib/error.c: messages on fd 2, headed by the program's name. */
extern const char *progname;
const char *strerror(int err);
/* `cat: foo: no such file or directory`: the text, then lasterr()'s reason. */
void warn(const char *fmt, ...) __attribute__((format(__printf__, 1, 2)));
/* The same, and exit(1). */
void fatal(const char *fmt, ...)
    __attribute__((format(__printf__, 1, 2), noreturn));
/* The text alone. */
void complain(const char *fmt, ...) __attribute__((format(__printf__, 1, 2)));
/* `usage: name args`, and exit(2). */
void bad_usage(const char *args) __attribute__((noreturn));

/* lib/shutdown.c: all there is to a program without arguments that writes what
 * is unwritten to the disk and calls reboot(how). */
void shut_down(int argc, int how) __attribute__((noreturn));

/* Exit statuses of our programs. */
#define EXIT_FAILED 1 /* could not do it; grep, test: the answer is no */
#define EXIT_USAGE 2  /* called with wrong arguments */

/* lib/getopt.c: the next option letter, '?' (after a message), or -1. */
extern char *optarg;
extern int optind;
int getopt(int argc, char *const *argv, const char *letters);
/* A whole number in decimal or 0x... Returns 0, or -1 if s is none. */
int parse_number(const char *s, long long *value);

/* lib/procs.c */
struct procinfo *all_procs(int *count); /* malloc'ed; exits if it cannot */
struct vmregion *all_regions(int pid, int *count); /* so is this */
const char *proc_state(int state);                 /* "run", "sleep", ... */
/* The name of a process, "?" if it is gone, into PROCNAMESZ bytes. */
void proc_name(int pid, char *name);
void print_faults(const struct fault_counts *f); /* in two lines */

/* lib/names.c */
/* Call what() for each name in the current directory but . and .. */
void each_name(void (*what)(const char *name));
/* Remove a file, or a directory with all below it. */
void remove_tree(const char *name);
/* Note the names of the current directory; later, remove_tree() others there. */
void note_names(void);
void remove_new_names(void);

/* lib/io.c */
/* Write all of it. A reader who left ends the program quietly, any other
 * failure with a message; status 1 both. */
void write_all(int fd, const void *buf, int n);
/* malloc() and realloc() that end the program when memory is out. */
void *xmalloc(uint n);
void *xrealloc(void *p, uint n);
/* dir/NAME, where NAME is the last part of path; malloc'ed. */
char *path_in(const char *dir, const char *path);

/* Lines of any length from a descriptor. */
struct linereader {
  int fd;
  char *buf;
  uint size;  /* of buf */
  uint start; /* first byte not returned yet */
  uint end;   /* after the last byte read */
  int eof;
};
void line_open(struct linereader *r, int fd);
/* The next line without its newline, 0-terminated, valid until the next call;
 * its length into *len if len is not 0. 0 at the end of the file. */
char *line_next(struct linereader *r, uint *len);
void line_close(struct linereader *r); /* frees the buffer, not the fd */

/* Open each file from argv[optind] on and call use(fd, name); without any,
 * use(0, 0) for the standard input. 1 if one could not be opened (which is
 * said), else 0. */
int each_input(int argc, char **argv, void (*use)(int fd, const char *name));

#endif
