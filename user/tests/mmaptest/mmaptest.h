/*
 * What the files of mmaptest share. A test is a function that returns if all
 * is well; it runs in a process of its own, in a directory of its own.
 */
#ifndef MMAPTEST_H
#define MMAPTEST_H

#include "../port.h"

struct test {
  const char *name;
  void (*run)(void);
};

#define TEST(fn) \
  { #fn, fn }
#define TESTS_END \
  { 0, 0 }

/* Each file ends with its list. */
extern const struct test anon_tests[];
extern const struct test file_tests[];
extern const struct test fork_tests[];
extern const struct test bad_tests[];
extern const struct test large_tests[];

extern const char *self; /* the path of this program */
/* How often to do what is done n times; with mmaptest -s only `few` times. */
int repeats(int n, int few);

/* The condition must hold. */
#define CHECK(cond) ((cond) ? (void)0 : check_failed(__FILE__, __LINE__, #cond))
/* Two integers must be equal. */
#define CHECK_EQ(got, want)                                            \
  check_equal(__FILE__, __LINE__, #got " == " #want, (long long)(got), \
              (long long)(want))
/* The system call must return -1 (or MAP_FAILED) and give this reason. */
#define CHECK_FAILS(call, err) \
  check_fails(__FILE__, __LINE__, #call, (long)(call), err)

void check_failed(const char *file, int line, const char *what)
    __attribute__((noreturn));
void check_equal(const char *file, int line, const char *what, long long got,
                 long long want);
void check_fails(const char *file, int line, const char *what, long result,
                 int err);

/* Run fn(arg) in a child that then exits with status 0; its status, -1 if it
 * was killed. */
int run_child(void (*fn)(void *), void *arg);

/* Would the program be killed by a load, a store, a jump? Tried in a child. */
int load_kills(const void *p);
int store_kills(void *p);
int jump_kills(void *p);
/* Can the kernel read or write it for us? */
int kernel_reads(const void *p);
int kernel_writes(void *p);

#define RW (PROT_READ | PROT_WRITE)
#define PRIVATE_ANON (MAP_PRIVATE | MAP_ANONYMOUS)
#define SHARED_ANON (MAP_SHARED | MAP_ANONYMOUS)

/* mmap() that must work. */
char *map(uint64 bytes, int prot, int flags, int fd, long offset);
char *map_at(void *at, uint64 bytes, int prot, int flags, int fd, long offset);
/* munmap() that must work. */
void unmap(void *p, uint64 bytes);

/* Pages whose every word follows from a tag; tag 0: zeros. */
void fill_page(char *page, unsigned tag);
int page_is(const char *page, unsigned tag);
int is_zero(const char *p, long n);

/* Create a file of so many pages, page i filled with tag + i, and open it with
 * these flags. */
int make_file(const char *path, int pages, unsigned tag, int flags);
int open_file(const char *path, int flags);
/* What read() says of a page of a file. */
int file_page_is(const char *path, int page, unsigned tag);
void remove_file(const char *path);
long size_of(int fd);

#endif
