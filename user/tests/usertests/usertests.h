/*
 * What the files of usertests share: how a test is declared, how it says that
 * something is wrong, and the small operations that most tests need.
 *
 * A test is a function that returns if all is well. It runs in a process and
 * an empty directory of its own, and must leave the directory empty and have
 * no living children when it returns. CHECK() and its kin print what was
 * expected and end the process with status 1; in a child of the test this works
 * too, because whoever waits for the child checks its status.
 */
#ifndef USERTESTS_H
#define USERTESTS_H

#include "kernel/types.h"

#include "kernel/stat.h"

#include "kernel/fcntl.h"
#include "kernel/fs.h"

#include "abi/errno.h"
#include "abi/inspect.h"
#include "abi/system.h"
#include "abi/tty.h"
#include "user/user.h"

#include "machine.h" /* usertests/<machine>/ */

typedef unsigned long addr; /* an address as a number */

#ifndef STACK_SLOT          /* mk/debug.mk: the debug kernel's are larger */
#define STACK_SLOT 0x4000UL /* three pages of a kernel stack and their guard */
#endif

#define NELEM(a) (sizeof(a) / sizeof((a)[0]))

struct test {
  const char *name;
  void (*run)(void);
  int slow; /* left out by usertests -q */
};

#define TEST(fn) \
  { #fn, fn, 0 }
#define SLOW_TEST(fn) \
  { #fn, fn, 1 }
#define TESTS_END \
  { 0, 0, 0 }

/* Each file ends with its list. */
extern const struct test copy_tests[];
extern const struct test mem_tests[];
extern const struct test file_tests[];
extern const struct test filemap_tests[];
extern const struct test dir_tests[];
extern const struct test race_tests[];
extern const struct test proc_tests[];
extern const struct test exec_tests[];
extern const struct test pipe_tests[];
extern const struct test wild_tests[];
extern const struct test full_tests[];
extern const struct test inspect_tests[];
extern const struct test sparse_tests[];
extern const struct test tables_tests[];
extern const struct test thread_tests[];
extern const struct test tlb_tests[];
extern const struct test machine_tests[];

/* The condition must hold. */
#define CHECK(cond) ((cond) ? (void)0 : check_failed(__FILE__, __LINE__, #cond))
/* Two integers must be equal. */
#define CHECK_EQ(got, want)                                            \
  check_equal(__FILE__, __LINE__, #got " == " #want, (long long)(got), \
              (long long)(want))
/* The system call must return -1 and give this reason. */
#define CHECK_FAILS(call, err) \
  check_fails(__FILE__, __LINE__, #call, (long)(call), err)

void check_failed(const char *file, int line, const char *what)
    __attribute__((noreturn));
void check_equal(const char *file, int line, const char *what, long long got,
                 long long want);
void check_fails(const char *file, int line, const char *what, long result,
                 int err);

extern const char *test_name; /* of the test that runs */
extern int quick;             /* usertests -q: do less of what can be less */
/* How often to do what is done n times; with usertests -s only `few` times. */
int repeats(int n, int few);

/* Run fn(arg) in a child that then exits with status 0; returns its pid. */
int spawn(void (*fn)(void *), void *arg);
/* Wait for this child and return its status. */
int join(int pid);
/* spawn() and join(). */
int run_child(void (*fn)(void *), void *arg);
/* fn(arg) must be ended by the kernel. */
void expect_killed(void (*fn)(void *), void *arg);

/* A pipe on which processes tell each other that they got somewhere. */
struct gate {
  int fd[2];
};
void gate_init(struct gate *g);
void gate_open(struct gate *g); /* let one gate_pass() through */
void gate_pass(struct gate *g);
void gate_close(struct gate *g);

/* Bytes that depend on seed and position, so that misplaced ones are seen. */
void fill(void *buf, uint n, uint seed, uint offset);
int filled(const void *buf, uint n, uint seed, uint offset);

/* A file of n bytes as fill(seed) makes them; is it one? */
void make_file(const char *path, uint n, uint seed);
void check_file(const char *path, uint n, uint seed);
void make_dir(const char *path);
void remove(const char *path); /* file or empty directory; must work */
int exists(const char *path);
uint size_of(const char *path);
uint inode_of(const char *path);
int links_of(const char *path);
/* The lowest free descriptor: a leak shows as a change. */
int lowest_fd(void);

/* path = prefix followed by a number; at most DIRSIZ characters. */
void numbered(char *path, const char *prefix, uint n);

/* Pseudo-random numbers, repeatable (xorshift64*, Vigna 2016). */
uint64 random_next(uint64 *state);

/* The region of this process with that name; ends the test if none. */
struct vmregion region_named(const char *name);
/* Free and reclaimable memory, in pages. */
uint64 available_pages(void);
/* Can a page be mapped without these rights (VM_*)? A machine without an
 * execute bit cannot keep what is mapped from being executed. */
int machine_denies(uint rights);

/* Shared scratch memory; every process has its own copy. */
#define SCRATCH_SIZE 16384
extern char scratch[SCRATCH_SIZE];

#endif
