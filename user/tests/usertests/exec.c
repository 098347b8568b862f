/*
 * exec: arguments arrive, and an image that is not what it says is refused
 * with the caller as it was before.
 *
 * The bad images are made here: a tiny correct program, built byte by byte,
 * from which each case damages one thing.
 */
#include "abi/elf.h"
#include "usertests.h"

#define IMAGE "image"
#define CODE_AT 0x1000 /* offset in the file of the code page */

static struct image {
  struct elfhdr elf;
  struct proghdr ph[2];
  struct proghdr zeros[3]; /* not counted by elf.phnum */
} head;

/* What a good image needs of it. */
#define HEADERS_SIZE (sizeof(head) - sizeof(head.zeros))
static const uint tiny_program[] = TINY_PROGRAM;

/* A program with one page of text at 0 and one page of data behind it. */
static void good_image(void) {
  memset(&head, 0, sizeof(head));
  head.elf = (struct elfhdr){.magic = ELF_MAGIC,
                             .elf = {ELFCLASS_OWN, ELFDATA2LSB, 1},
                             .type = ET_EXEC,
                             .machine = TINY_MACHINE,
                             .version = 1,
                             .phoff = sizeof(struct elfhdr),
                             .ehsize = sizeof(struct elfhdr),
                             .phentsize = sizeof(struct proghdr),
                             .phnum = 2};
  head.ph[0] =
      (struct proghdr){.type = ELF_PROG_LOAD,
                       .flags = ELF_PROG_FLAG_READ | ELF_PROG_FLAG_EXEC,
                       .off = CODE_AT,
                       .filesz = sizeof(tiny_program),
                       .memsz = sizeof(tiny_program),
                       .align = PGSIZE};
  head.ph[1] =
      (struct proghdr){.type = ELF_PROG_LOAD,
                       .flags = ELF_PROG_FLAG_READ | ELF_PROG_FLAG_WRITE,
                       .off = CODE_AT,
                       .vaddr = PGSIZE,
                       .filesz = 16,
                       .memsz = 2 * PGSIZE,
                       .align = PGSIZE};
}

/* Write the first `size` bytes of the image to the file. */
static void write_image(uint size) {
  int fd = open(IMAGE, O_CREATE | O_TRUNC | O_WRONLY);

  CHECK(fd >= 0);
  memset(scratch, 0, CODE_AT + sizeof(tiny_program));
  memmove(scratch, &head, sizeof(head));
  memmove(scratch + CODE_AT, tiny_program, sizeof(tiny_program));
  CHECK_EQ(write(fd, scratch, size), size);
  close(fd);
}

#define FULL_SIZE (CODE_AT + sizeof(tiny_program))
#define STATUS_REFUSED 7 /* exec failed, and the caller was intact */

/* Try to run the image; if that fails, see whether we are still ourselves. */
static void try_image(void *arg) {
  char *argv[] = {"image", "one", 0};
  char *heap = sbrk(3 * PGSIZE);
  char local[64];
  addr brk = (addr)sbrk(0);

  (void)arg;
  fill(heap, 3 * PGSIZE, 1, 0);
  fill(local, sizeof(local), 2, 0);
  int fd = lowest_fd();
  exec(IMAGE, argv);
  CHECK((addr)sbrk(0) == brk);
  CHECK(filled(heap, 3 * PGSIZE, 1, 0));
  CHECK(filled(local, sizeof(local), 2, 0));
  CHECK_EQ(lowest_fd(), fd);
  exit(STATUS_REFUSED);
}

/* As run_child(try_image), but a program that does not end is killed. */
static int outcome(void) {
  uint64 start = clock();
  int status;
  int pid = spawn(try_image, 0);

  while (waitpid(pid, &status, WNOHANG) == 0) {
    if (clock() - start > 2000000000ULL)
      kill(pid);
    yield();
  }
  return status;
}

/* The undamaged image runs. */
static void tinyprogram(void) {
  good_image();
  write_image(FULL_SIZE);
  CHECK_EQ(outcome(), TINY_STATUS);
  remove(IMAGE);
}

/* A field of the headers and a value that must be refused. */
struct damage {
  const char *what;
  void *field;
  uint size;
  uint64 value;
};
#define DAMAGE(field, value) \
  { #field " = " #value, &head.field, sizeof(head.field), (uint64)(value) }

static const struct damage damages[] = {
    DAMAGE(elf.magic, 0),
    DAMAGE(elf.magic, 0x464C457E),
    DAMAGE(elf.elf[0], ELFCLASS32 + ELFCLASS64 - ELFCLASS_OWN),
    DAMAGE(elf.machine, 62),
    DAMAGE(elf.machine, OTHER_MACHINE),
    DAMAGE(elf.phoff, 0x7fffffffffffffff),
    DAMAGE(elf.phoff, -1),
    DAMAGE(elf.phoff, -(long)sizeof(struct proghdr)),
    DAMAGE(elf.phoff, 0x5000),
    DAMAGE(elf.phentsize, 0),
    DAMAGE(elf.phentsize, 8),
    DAMAGE(elf.phnum, 65535),
    DAMAGE(elf.phnum, 0),
    DAMAGE(ph[0].off, 0x100000),
    DAMAGE(ph[0].off, -16),
    DAMAGE(ph[0].off, 0x7fffffffffffffff),
    DAMAGE(ph[0].vaddr, 1),
    DAMAGE(ph[0].vaddr, 0x801),
    DAMAGE(ph[1].vaddr, 0),
    DAMAGE(ph[1].vaddr, 0x1008),
    DAMAGE(ph[1].vaddr, 0xfffffffffffff000),
    DAMAGE(ph[1].vaddr, 0x8000000000000000),
    DAMAGE(ph[1].vaddr, TRAMPOLINE),
    DAMAGE(ph[1].vaddr, USER_TOP),
    DAMAGE(ph[1].vaddr, USER_TOP - PGSIZE),
    DAMAGE(ph[1].vaddr, MAXVA),
    DAMAGE(ph[1].vaddr, MAXVA - PGSIZE / 2),
    DAMAGE(ph[1].memsz, -1),
    DAMAGE(ph[1].memsz, 0xfffffffffffff000),
    DAMAGE(ph[1].memsz, 0x7fffffffffffffff),
    DAMAGE(ph[1].memsz, MAXVA),
    DAMAGE(ph[1].memsz, USER_TOP),
    DAMAGE(ph[1].memsz, 8), /* less than filesz */
    DAMAGE(ph[1].filesz, -1),
    DAMAGE(ph[1].filesz, 0x100000),
    DAMAGE(ph[0].filesz, 0x7fffffff),
};

static void apply(const struct damage *d) {
  memmove(d->field, &d->value, d->size); /* little-endian */
}

/* Addresses above those of the notes make sense where there are more. */
static int is_sense(const struct damage *d) {
  return d->value >= USER_TOP - PGSIZE && d->value < USER_TOP_NOW - PGSIZE;
}

/* Headers that make no sense. */
static void badheaders(void) {
  for (uint i = 0; i < NELEM(damages); i++) {
    if (is_sense(&damages[i]))
      continue;
    good_image();
    apply(&damages[i]);
    write_image(FULL_SIZE);
    int status = outcome();
    if (status != STATUS_REFUSED)
      printf("  %s: status %d\n", damages[i].what, status);
    CHECK_EQ(status, STATUS_REFUSED);
  }
  remove(IMAGE);
}

/* An absurd stack and an entry that leads nowhere. */
static void badentry(void) {
  static const addr entry[] = {0x1000, 0x3000, USER_TOP / 2, TRAMPOLINE, ~1UL};

  for (uint i = 0; i < NELEM(entry); i++) {
    good_image();
    head.elf.entry = entry[i];
    write_image(FULL_SIZE);
    CHECK_EQ(outcome(), STATUS_REFUSED);
  }
  good_image();
  head.ph[1].type = ELF_PROG_GNU_STACK;
  head.ph[1].memsz = USER_TOP;
  write_image(FULL_SIZE);
  CHECK_EQ(outcome(), STATUS_REFUSED);
  remove(IMAGE);
}

/* The file ends before the headers or the code do. */
static void truncated(void) {
  const uint elf = sizeof(head.elf), one = elf + sizeof(head.ph[0]);
  const uint size[] = {0,       1,       3,   4,       elf - 1,     elf,
                       elf + 1, one - 1, one, CODE_AT, CODE_AT + 15};

  good_image();
  for (uint i = 0; i < NELEM(size); i++) {
    write_image(size[i]);
    CHECK_EQ(outcome(), STATUS_REFUSED);
  }
  remove(IMAGE);
}

/* Random damage to the headers: refused, killed or run, nothing else. */
static void randomheaders(void) {
  uint64 seed = 12345;
  int rounds = quick ? 30 : 200;

  for (int i = 0; i < rounds; i++) {
    good_image();
    for (uint k = random_next(&seed) % 4; k < 4; k++) {
      uint at = random_next(&seed) % HEADERS_SIZE;
      ((uchar *)&head)[at] = (uchar)random_next(&seed);
    }
    write_image(FULL_SIZE);
    int status = outcome();
    CHECK(status == STATUS_REFUSED || status == STATUS_KILLED ||
          status == TINY_STATUS);
  }
  remove(IMAGE);
}

/* An image with n segments more, of zeros, each with so many pages. */
static void write_zeros(uint n, uint64 pages) {
  addr at = 16 * PGSIZE;

  good_image();
  head.elf.phnum += n;
  for (uint i = 0; i < n; i++, at += pages * PGSIZE)
    head.zeros[i] =
        (struct proghdr){.type = ELF_PROG_LOAD,
                         .flags = ELF_PROG_FLAG_READ | ELF_PROG_FLAG_WRITE,
                         .vaddr = at,
                         .memsz = pages * PGSIZE};
  write_image(FULL_SIZE);
}

static void exec_too_large(void *arg) {
  char *argv[] = {"image", 0};

  (void)arg;
  CHECK_FAILS(exec(IMAGE, argv), ENOMEM);
  try_image(0);
}

/* Segments of which each would have room, but not all of them. */
static void largeimage(void) {
  struct meminfo m;

  CHECK_EQ(meminfo(&m), 0);
  write_zeros(NELEM(head.zeros), m.total / 8);
  CHECK_EQ(outcome(), TINY_STATUS);
  write_zeros(NELEM(head.zeros), m.total / 2);
  CHECK_EQ(run_child(exec_too_large, 0), STATUS_REFUSED);
  remove(IMAGE);
}

static void exec_not_there(void *arg) {
  char *argv[] = {"x", 0};

  (void)arg;
  make_file("text", 5000, 1);
  make_dir("dir");
  CHECK_FAILS(exec("nothere", argv), ENOENT);
  CHECK_FAILS(exec("text", argv), ENOEXEC);
  CHECK_EQ(exec("dir", argv), -1);
  CHECK_EQ(exec("/console", argv), -1);
  CHECK_EQ(exec("/", argv), -1);
  CHECK_FAILS(exec("/echo/x", argv), ENOTDIR);
  remove("text");
  remove("dir");
}

/* What is no program cannot be run. */
static void execerrors(void) { CHECK_EQ(run_child(exec_not_there, 0), 0); }

/* Run a program with its output in a file. */
static int run_to_file(char **argv, const char *path) {
  int pid = fork();

  CHECK(pid >= 0);
  if (pid == 0) {
    close(1);
    CHECK_EQ(open(path, O_CREATE | O_TRUNC | O_WRONLY), 1);
    exec(argv[0], argv);
    exit(1);
  }
  return join(pid);
}

static void check_output(const char *path, const char *want) {
  uint n = strlen(want);
  int fd = open(path, O_RDONLY);

  CHECK(fd >= 0);
  CHECK_EQ(read(fd, scratch, SCRATCH_SIZE), n);
  CHECK_EQ(memcmp(scratch, want, n), 0);
  close(fd);
}

/* A program gets its arguments, and its descriptors are the caller's. */
static void exectest(void) {
  char *argv[] = {"/echo", "OK", "", "two words", 0};

  CHECK_EQ(run_to_file(argv, "out"), 0);
  check_output("out", "OK  two words\n");
  remove("out");
}

/* As many arguments as xv6 allows. */
static void manyargs(void) {
  char *argv[32];

  for (uint i = 0; i < NELEM(argv); i++)
    argv[i] = "a";
  argv[0] = "/echo";
  argv[31] = 0;
  CHECK_EQ(run_to_file(argv, "out"), 0);
  CHECK_EQ(size_of("out"), 60);
  remove("out");
}

/* More arguments, and longer ones, than any stack is made for. */
static void bigargtest(void) {
  static char *argv[3000];
  static char word[400];

  memset(word, 'b', sizeof(word) - 1);
  for (uint i = 0; i < NELEM(argv) - 1; i++)
    argv[i] = word;
  CHECK_FAILS(exec("/echo", argv), E2BIG);
  for (uint i = 0; i < NELEM(argv) - 1; i++)
    argv[i] = "";
  CHECK_FAILS(exec("/echo", argv), E2BIG);
  argv[31] = 0;
  for (uint i = 0; i < 31; i++)
    argv[i] = word;
  argv[0] = "/echo";
  int status = run_to_file(argv, "out"); /* 12 KB: may or may not fit */
  CHECK(status == 1 || size_of("out") == 30 * 400);
  remove("out");
}

/* An exec that replaces a big image gives its memory back. */
static void execbig(void) {
  char *argv[] = {"/echo", "small", 0};
  int pid = fork();

  CHECK(pid >= 0);
  if (pid == 0) {
    char *a = sbrk(2 << 20);
    for (int i = 0; i < 2 << 20; i += PGSIZE)
      a[i] = 1;
    exit(run_to_file(argv, "out"));
  }
  CHECK_EQ(join(pid), 0);
  check_output("out", "small\n");
  remove("out");
}

static void exec_again(void *arg) {
  char *argv[] = {"/echo", 0};

  (void)arg;
  close(1);
  open("out", O_CREATE | O_WRONLY);
  exec("/echo", argv);
  exit(1);
}

/* A program can be removed, or replaced, while it runs. */
static void execrunning(void) {
  int pid[3];

  for (int round = 0; round < 5; round++) {
    for (int i = 0; i < 3; i++)
      pid[i] = spawn(exec_again, 0);
    for (int i = 0; i < 3; i++)
      CHECK_EQ(join(pid[i]), 0);
  }
  remove("out");
  good_image();
  write_image(FULL_SIZE);
  int child = spawn(try_image, 0);
  unlink(IMAGE);
  int status = join(child);
  CHECK(status == TINY_STATUS || status == STATUS_REFUSED);
}

const struct test exec_tests[] = {
    TEST(exectest),   TEST(manyargs),    TEST(bigargtest),    TEST(execbig),
    TEST(execerrors), TEST(execrunning), TEST(tinyprogram),   TEST(badheaders),
    TEST(badentry),   TEST(truncated),   TEST(randomheaders), TEST(largeimage),
    TESTS_END};
