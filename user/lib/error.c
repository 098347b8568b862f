/*
 * What programs say when something fails: name, text, reason.
 */
#include "extra.h"
#include "user/user.h"

#define MESSAGE_MAX 256 /* longer ones are cut */

static const char *const reasons[] = {
    [EPERM] = "not permitted",
    [ENOENT] = "no such file or directory",
    [ESRCH] = "no such process",
    [EINTR] = "interrupted",
    [EIO] = "device error",
    [ENXIO] = "no such device",
    [E2BIG] = "argument list too long",
    [ENOEXEC] = "not a valid executable",
    [EBADF] = "bad file descriptor",
    [ECHILD] = "no children",
    [EAGAIN] = "too many processes",
    [ENOMEM] = "out of memory",
    [EACCES] = "permission denied",
    [EFAULT] = "bad address",
    [EBUSY] = "in use",
    [EEXIST] = "already exists",
    [EXDEV] = "link across file systems",
    [ENODEV] = "not supported by the device",
    [ENOTDIR] = "not a directory",
    [EISDIR] = "is a directory",
    [EINVAL] = "bad argument",
    [ENFILE] = "too many open files in the system",
    [EMFILE] = "too many open files",
    [ENOTTY] = "not a terminal",
    [ETXTBSY] = "a program that runs",
    [EFBIG] = "file too large",
    [ENOSPC] = "no space left on the disk",
    [ESPIPE] = "cannot seek",
    [EROFS] = "file system is read-only",
    [EMLINK] = "too many links",
    [EPIPE] = "nobody reads the pipe",
    [ERANGE] = "out of range",
    [ENAMETOOLONG] = "name too long",
    [ENOSYS] = "no such system call",
    [ENOTEMPTY] = "directory not empty",
    [EOVERFLOW] = "too large",
    [ETIMEDOUT] = "timed out",
    [EUCLEAN] = "the file system is damaged",
};

EXTRA const char *strerror(int err) {
  int known = sizeof(reasons) / sizeof(reasons[0]);

  if (err < 0 || err >= known || !reasons[err])
    return "unknown error";
  return reasons[err];
}

/* Put together first, so that it leaves in one write(). */
static void message(const char *fmt, va_list ap, const char *reason) {
  char text[MESSAGE_MAX];

  vsnprintf(text, sizeof(text), fmt, ap);
  if (reason)
    fprintf(2, "%s: %s: %s\n", progname, text, reason);
  else
    fprintf(2, "%s: %s\n", progname, text);
}

EXTRA void warn(const char *fmt, ...) {
  const char *reason = strerror(lasterr());
  va_list ap;

  va_start(ap, fmt);
  message(fmt, ap, reason);
  va_end(ap);
}

EXTRA void fatal(const char *fmt, ...) {
  const char *reason = strerror(lasterr());
  va_list ap;

  va_start(ap, fmt);
  message(fmt, ap, reason);
  va_end(ap);
  exit(EXIT_FAILED);
}

EXTRA void complain(const char *fmt, ...) {
  va_list ap;

  va_start(ap, fmt);
  message(fmt, ap, 0);
  va_end(ap);
}

EXTRA void bad_usage(const char *args) {
  fprintf(2, "usage: %s%s%s\n", progname, *args ? " " : "", args);
  exit(EXIT_USAGE);
}
