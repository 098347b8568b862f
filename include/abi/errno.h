/*
 * Error numbers.
 *
 * Kernel functions return 0 (or a count) on success and one of these, negated,
 * on failure. The values are Linux's (asm-generic/errno-base.h), so that an
 * ABI for Linux programs needs no translation. The native ABI returns -1 for
 * every failure, as xv6 programs expect; lasterr() tells which it was.
 */
#ifndef ABI_ERRNO_H
#define ABI_ERRNO_H

#define EPERM 1         /* not permitted */
#define ENOENT 2        /* no such file or directory */
#define ESRCH 3         /* no such process */
#define EINTR 4         /* interrupted (the caller is being killed) */
#define EIO 5           /* device error */
#define ENXIO 6         /* no such device */
#define E2BIG 7         /* argument list too long */
#define ENOEXEC 8       /* not a valid executable */
#define EBADF 9         /* bad file descriptor */
#define ECHILD 10       /* no children */
#define EAGAIN 11       /* try again: a limit on processes was reached */
#define ENOMEM 12       /* out of memory */
#define EACCES 13       /* permission denied */
#define EFAULT 14       /* bad address */
#define EBUSY 16        /* in use */
#define EEXIST 17       /* already exists */
#define EXDEV 18        /* link across file systems */
#define ENODEV 19       /* device does not support this */
#define ENOTDIR 20      /* not a directory */
#define EISDIR 21       /* is a directory */
#define EINVAL 22       /* bad argument */
#define ENFILE 23       /* too many open files in the system */
#define EMFILE 24       /* too many open files in the process */
#define ENOTTY 25       /* not a terminal */
#define ETXTBSY 26      /* the file is a program that runs */
#define EFBIG 27        /* file too large */
#define ENOSPC 28       /* no space left on the disk */
#define ESPIPE 29       /* cannot seek */
#define EROFS 30        /* file system is read-only */
#define EMLINK 31       /* too many links */
#define EPIPE 32        /* nobody reads this pipe */
#define ERANGE 34       /* result does not fit */
#define ENAMETOOLONG 36 /* path or name too long */
#define ENOSYS 38       /* no such system call */
#define ENOTEMPTY 39    /* directory not empty */
#define ETIMEDOUT 110   /* the time is over */
#define EOVERFLOW 75    /* too large for its type */
#define EUCLEAN 117     /* the file system is damaged */

#endif
