/*
 * Every pointer of every system call (include/abi/syscall.tbl), with addresses
 * that are not the caller's: the kernel's, another process', none at all. The
 * call must fail, with EFAULT where memory is read or written; neither process
 * may find its memory changed.
 *
 * The table below has a row for each parameter that is a pointer. That it has
 * all is checked against the list of prototypes, so that a new call is not
 * forgotten.
 */
#include "abi/sched.h"
#include "isolation.h"
#include "user/thread.h"

#define KERNEL_MAX 300
#define KERNEL_EVERY 4
#define OTHERS_PAGES 4
#define BUFFER 100

static int file_fd, pipe_fd[2];
static char *const no_args[] = {"true", 0};

/* What calls that change mappings, not memory, are given: only the kernel's.
 * Elsewhere they may well succeed. */
enum range { ANYWHERE, KERNELS };

#define CALL(name, expression) \
  static long name(void *bad) { return (long)(expression); }

CALL(wait_status, wait(bad))
CALL(waitpid_status, waitpid(-1, bad, 0))
CALL(pipe_fds, pipe(bad))
CALL(read_buf, read(file_fd, bad, BUFFER))
CALL(write_buf, write(pipe_fd[1], bad, BUFFER))
CALL(exec_path, exec(bad, (char **)no_args))
CALL(exec_argv, exec("/true", bad))
CALL(fstat_st, fstat(file_fd, bad))
CALL(chdir_path, chdir(bad))
CALL(open_path, open(bad, O_RDWR | O_CREATE))
CALL(mknod_path, mknod(bad, 1, 1))
CALL(unlink_path, unlink(bad))
CALL(link_from, link(bad, "x"))
CALL(link_to, link("isolation.f", bad))
CALL(mkdir_path, mkdir(bad))
CALL(rename_from, rename(bad, "x"))
CALL(rename_to, rename("isolation.f", bad))
CALL(getcwd_buf, getcwd(bad, BUFFER))
CALL(clock_ns_at, sys_clock(bad))
CALL(time_seconds, time(bad))
CALL(meminfo_info, meminfo(bad))
CALL(sysinfo_info, sysinfo(bad))
CALL(procs_buf, procs(bad, 4))
CALL(vmregions_buf, vmregions(getpid(), bad, 4))
CALL(ptdump_buf, ptdump(getpid(), 0, bad, 4))
CALL(ptwalk_w, ptwalk(getpid(), 0, bad))
CALL(memcheck_sum, memcheck(bad, 0, 0))
CALL(futex_word, futex(bad, FUTEX_WAIT, 0, 0))
CALL(munmap_at, munmap(bad, PAGE))
CALL(mmap_at, mmap(bad, PAGE, RW, ANON | MAP_FIXED, -1, 0))
CALL(mprotect_at, mprotect(bad, PAGE, RW))
CALL(msync_at, msync(bad, PAGE, MS_SYNC))
CALL(madvise_at, madvise(bad, PAGE, MADV_DONTNEED))

static long futex_ns(void *bad) {
  uint word = 0;

  return futex(&word, FUTEX_WAIT, 0, bad);
}

/* An argument of a program that may be run. */
static long exec_argument(void *bad) {
  char *argv[] = {"true", bad, 0};

  return exec("/true", argv);
}

static long clone_parent_tid(void *bad) {
  static char stack[PAGE] __attribute__((aligned(16)));

  return clone(CLONE_THREAD_FLAGS | CLONE_PARENT_SETTID, stack + sizeof(stack),
               bad, 0, 0);
}

/* Without a function: memcheck() fills in its list only if something is wrong;
 * a thread's stack and tls are what its registers hold at first, which it may
 * set as it likes; child_tid is written to when the thread ends, to nobody's
 * knowledge if that fails. */
static const struct row {
  const char *name; /* of the call */
  int parameter;    /* its number, from 0 on; -1: beyond those */
  long (*call)(void *bad);
  enum range range;
  uint align; /* bits that must be 0, or that is what the call minds */
} rows[] = {
    {"wait", 0, wait_status, ANYWHERE, 0},
    {"pipe", 0, pipe_fds, ANYWHERE, 0},
    {"read", 1, read_buf, ANYWHERE, 0},
    {"exec", 0, exec_path, ANYWHERE, 0},
    {"exec", 1, exec_argv, ANYWHERE, 0},
    {"exec", -1, exec_argument, ANYWHERE, 0},
    {"fstat", 1, fstat_st, ANYWHERE, 0},
    {"chdir", 0, chdir_path, ANYWHERE, 0},
    {"open", 0, open_path, ANYWHERE, 0},
    {"write", 1, write_buf, ANYWHERE, 0},
    {"mknod", 0, mknod_path, ANYWHERE, 0},
    {"unlink", 0, unlink_path, ANYWHERE, 0},
    {"link", 0, link_from, ANYWHERE, 0},
    {"link", 1, link_to, ANYWHERE, 0},
    {"mkdir", 0, mkdir_path, ANYWHERE, 0},
    {"rename", 0, rename_from, ANYWHERE, 0},
    {"rename", 1, rename_to, ANYWHERE, 0},
    {"getcwd", 0, getcwd_buf, ANYWHERE, 0},
    {"waitpid", 1, waitpid_status, ANYWHERE, 0},
    {"clock", 0, clock_ns_at, ANYWHERE, 0},
    {"meminfo", 0, meminfo_info, ANYWHERE, 0},
    {"sysinfo", 0, sysinfo_info, ANYWHERE, 0},
    {"procs", 0, procs_buf, ANYWHERE, 0},
    {"vmregions", 1, vmregions_buf, ANYWHERE, 0},
    {"ptdump", 2, ptdump_buf, ANYWHERE, 0},
    {"ptwalk", 2, ptwalk_w, ANYWHERE, 0},
    {"time", 0, time_seconds, ANYWHERE, 0},
    {"memcheck", 0, memcheck_sum, ANYWHERE, 0},
    {"memcheck", 1, 0, ANYWHERE, 0},
    {"futex", 0, futex_word, ANYWHERE, 3},
    {"futex", 3, futex_ns, ANYWHERE, 0},
    {"munmap", 0, munmap_at, KERNELS, PAGE - 1},
    {"mmap", 0, mmap_at, KERNELS, PAGE - 1},
    {"mprotect", 0, mprotect_at, KERNELS, PAGE - 1},
    {"msync", 0, msync_at, KERNELS, PAGE - 1},
    {"madvise", 0, madvise_at, KERNELS, PAGE - 1},
    {"clone", 1, 0, ANYWHERE, 0},
    {"clone", 2, clone_parent_tid, ANYWHERE, 0},
    {"clone", 3, 0, ANYWHERE, 0},
    {"clone", 4, 0, ANYWHERE, 0},
};

/* --- all pointers are there --- */

static int has_row(const char *name, int parameter) {
  for (uint i = 0; i < NELEM(rows); i++)
    if (strcmp(rows[i].name, name) == 0 && rows[i].parameter == parameter)
      return 1;
  return 0;
}

static void check_prototype(const char *name, const char *parameters) {
  int parameter = 0, pointer = 0;

  for (const char *s = parameters;; s++) {
    if (*s == '*')
      pointer = 1;
    if (*s && *s != ',')
      continue;
    trying(name, parameter);
    if (pointer)
      CHECK(has_row(name, parameter));
    pointer = 0;
    parameter++;
    if (!*s)
      return;
  }
}

/* --- addresses --- */

/* A process with pages where we have none. It says when they are there, and
 * looks at them when told. */
static struct other {
  char *page;
  int pid;
  int ready[2], go[2];
} other;

static int be_other(void *unused) {
  uint *p = map(OTHERS_PAGES, ANON);
  const uint words = OTHERS_PAGES * PAGE / sizeof(*p);
  char c;

  (void)unused;
  for (uint i = 0; i < words; i++)
    p[i] = PATTERN + i;
  close(other.go[1]);
  write(other.ready[1], &p, sizeof(p));
  read(other.go[0], &c, 1);
  for (uint i = 0; i < words; i++)
    CHECK(p[i] == PATTERN + i);
  return 0;
}

static void start_other(void) {
  CHECK(pipe(other.ready) == 0 && pipe(other.go) == 0);
  other.pid = spawn(be_other, 0);
  CHECK(read(other.ready[0], &other.page, sizeof(other.page)) ==
        sizeof(other.page));
  CHECK(rights_at((addr)other.page) < 0); /* it is not ours */
}

static void check_other(void) {
  close(other.go[1]);
  CHECK(join(other.pid) == 0);
}

/* --- all of them --- */

static void try_row(const struct row *r, addr a) {
  trying(r->name, a);
  CHECK(r->call((void *)a) == -1);
  if (r->range == ANYWHERE)
    CHECK(lasterr() == EFAULT);
}

static int exit_at_once(void *unused) {
  (void)unused;
  return 0;
}

static void try_all(addr a, enum range range) {
  int child = spawn(exit_at_once, 0); /* for wait() and waitpid() */

  for (uint i = 0; i < NELEM(rows); i++)
    if (rows[i].call && (range == KERNELS || rows[i].range == ANYWHERE))
      try_row(&rows[i], a & ~(addr)rows[i].align);
  CHECK(join(child) == 0);
}

/* Pages of ours that we may not touch. */
static addr untouchable(void) {
  char *p = map(3, ANON);

  CHECK(mprotect(p, PAGE, PROT_NONE) == 0);
  CHECK(munmap(p + 2 * PAGE, PAGE) == 0);
  return (addr)p;
}

void call_pointers(void) {
  static addr kernels[KERNEL_MAX];
  uint n = kernel_addresses(kernels, KERNEL_MAX, KERNEL_EVERY);
  addr none = untouchable(), users_top;
  struct sysinfo s;

#define PROTOTYPE(number, name, stub, parameters) \
  check_prototype(#name, parameters);
#include "prototypes.h"
#undef PROTOTYPE
  /* The kernel has mappings below, in a table of its own, on machines where
   * it has one: what a program maps there is another thing. */
  CHECK(sysinfo(&s) == 0);
  users_top = (addr)1 << (PAGE_BITS + s.levels * s.index_bits - 1);
  if (users_top == MAXVA)
    users_top = USER_TOP;
  file_fd = open("isolation.f", O_CREATE | O_RDWR | O_TRUNC);
  CHECK(file_fd >= 0 && write(file_fd, "text", 4) == 4);
  CHECK(lseek(file_fd, 0, SEEK_SET) == 0);
  CHECK(pipe(pipe_fd) == 0);
  start_other();
  try_all((addr)other.page, ANYWHERE);
  try_all((addr)other.page + PAGE - 1, ANYWHERE);
  try_all(none, ANYWHERE);
  try_all(none + 2 * PAGE, ANYWHERE);
  for (uint i = 0; i < n; i++)
    if (rights_at(kernels[i]) < 0)
      try_all(kernels[i], kernels[i] >= users_top ? KERNELS : ANYWHERE);
  check_other();
  trying("nothing was written", 0);
  CHECK(lseek(file_fd, 0, SEEK_CUR) == 0);
  close(pipe_fd[1]);
  CHECK(read(pipe_fd[0], &(char){0}, 1) == 0);
  CHECK(unlink("isolation.f") == 0);
}
