/*
 * What was in memory, or on the disk, before: nobody gets to see it. A process
 * fills much memory, of all kinds, with its secret, writes it to files, and is
 * gone, so that most of what is free holds it. Then others look at all they get.
 */
#include "isolation.h"

#define SECRET_WORD (PATTERN | 1)
#define HEAP_PAGES 400
#define LOOK_PAGES 1500
#define SUPER (8u << 20)        /* room for a superpage of any machine */
#define FILE_BYTES (128 * 1024) /* half of what a file may have */
#define STACK_BYTES 2000        /* of a stack, below what is in use */
#define BLOCK 1024
#define WORDS (PAGE / sizeof(uint))
#define FILE_NAME "isolation.r"

static void fill(uint *p, addr bytes) {
  for (addr i = 0; i < bytes / sizeof(*p); i++)
    p[i] = SECRET_WORD;
}

static void check_zero(const char *what, const void *from, addr bytes) {
  const uchar *p = from;

  trying(what, (addr)from);
  for (addr i = 0; i < bytes; i++)
    if (p[i])
      trying(what, i);
  for (addr i = 0; i < bytes; i++)
    CHECK(p[i] == 0);
}

/* --- memory --- */

static int leave_secrets(void *arg) {
  uint pages = (uint)(addr)arg;
  static uint words[WORDS];
  int fd[2];

  fill(map(pages, ANON), (addr)pages * PAGE);
  fill(map(HEAP_PAGES, SHARED), HEAP_PAGES * PAGE);
  fill((uint *)sbrk(HEAP_PAGES * PAGE), HEAP_PAGES * PAGE);
  fill(words, sizeof(words));
  for (uint i = 0; i < 10 && pipe(fd) == 0; i++)
    CHECK(write(fd[1], words, sizeof(words)) > 0);
  return 0;
}

/* What a new program finds: its registers, its stack below what it uses, data that
 * has no content in the file, the heap. */
void look_around(void) {
  static char bss[4 * PAGE];
  char here;
  addr sp = (addr)&here, bottom = 0;
  uint64 fp[FP_BYTES / 8];
  struct vmregion r[16];
  int n = vmregions(getpid(), r, NELEM(r));

  fp_store(fp);
  check_zero("floating-point registers", fp, sizeof(fp));
  check_zero("bss", bss, sizeof(bss));
  for (int i = 0; i < n; i++)
    if (sp >= r[i].start && sp < r[i].end)
      bottom = (addr)r[i].start;
  CHECK(bottom != 0 && sp > bottom + STACK_BYTES);
  sp -= STACK_BYTES; /* below that no function of ours has been */
  check_zero("stack", (void *)bottom, (sp & ~(addr)(PAGE - 1)) - bottom);
  check_zero("heap", sbrk(10 * PAGE), 10 * PAGE);
}

static int run_again(void *unused) {
  char *argv[] = {self, "-look-around", 0};
  uint64 fp[FP_BYTES / 8];

  (void)unused;
  fill((uint *)fp, sizeof(fp));
  fp_load(fp);
  exec(self, argv);
  return 1;
}

static int look_at_memory(void *unused) {
  char *p = map(LOOK_PAGES, ANON);

  (void)unused;
  for (uint i = 0; i < LOOK_PAGES; i += 2)
    p[i * PAGE + 100] = 0; /* pages that are written first, and read first */
  check_zero("mmap", p, LOOK_PAGES * PAGE);
  p[1] = 1;
  check_zero("mmap, later", p + 2, PAGE - 2);
  check_zero("shared memory", map(200, SHARED), 200 * PAGE);
  check_zero("heap", sbrk(300 * PAGE), 300 * PAGE);
  p = sys_sbrk(300 * PAGE, SBRK_LAZY);
  CHECK(p != SBRK_ERROR);
  for (uint i = 0; i < 300; i++)
    p[i * PAGE] = 0;
  check_zero("lazy heap", p, 300 * PAGE);
  p = map(SUPER / PAGE, ANON);
  for (addr at = 0; at < SUPER; at += PAGE)
    p[at] = 0;
  check_zero("superpages", p, SUPER);
  return 0;
}

void remains_memory(void) {
  struct meminfo m;
  uint pages;

  CHECK(meminfo(&m) == 0);
  pages = (uint)(m.free / 2);
  CHECK(join(spawn(leave_secrets, (void *)(addr)pages)) == 0);
  CHECK(join(spawn(look_at_memory, 0)) == 0);
  CHECK(join(spawn(leave_secrets, (void *)(addr)pages)) == 0);
  CHECK(join(spawn(run_again, 0)) == 0);
}

/* --- files --- */

static char buffer[16 * BLOCK];

static int create(const char *name) {
  int fd = open(name, O_CREATE | O_TRUNC | O_RDWR);

  CHECK(fd >= 0);
  return fd;
}

/* A file full of secrets is written to the disk, and removed. */
static void leave_file(void) {
  int fd = create("isolation.old");

  fill((uint *)buffer, sizeof(buffer));
  for (uint at = 0; at < FILE_BYTES; at += sizeof(buffer))
    CHECK(write(fd, buffer, sizeof(buffer)) == sizeof(buffer));
  CHECK(sync() == 0 && close(fd) == 0 && unlink("isolation.old") == 0);
}

static void check_file_zero(const char *what, int fd, long from, long end) {
  for (long at = from; at < end;) {
    int n =
        end - at < (long)sizeof(buffer) ? (int)(end - at) : (int)sizeof(buffer);

    memset(buffer, 1, sizeof(buffer));
    CHECK(lseek(fd, at, SEEK_SET) == at && read(fd, buffer, n) == n);
    check_zero(what, buffer, n);
    at += n;
  }
}

/* Blocks that a file is given, of which only a byte is written. */
static void new_blocks(void) {
  int fd;

  leave_file();
  fd = create(FILE_NAME);
  for (long at = 500; at < FILE_BYTES; at += 3 * BLOCK)
    CHECK(lseek(fd, at, SEEK_SET) == at && write(fd, "", 1) == 1);
  check_file_zero("blocks and holes", fd, 0, FILE_BYTES - 3 * BLOCK);
  CHECK(ftruncate(fd, 2 * FILE_BYTES) == 0);
  check_file_zero("behind the old end", fd, FILE_BYTES, 2 * FILE_BYTES);
  close(fd);
  unlink(FILE_NAME);
}

/* What a file had before it was cut does not come back, by read() nor mmap(). */
static void cut_and_grown(void) {
  int fd = create(FILE_NAME);
  char *p;

  fill((uint *)buffer, sizeof(buffer));
  for (uint i = 0; i < 4; i++)
    CHECK(write(fd, buffer, sizeof(buffer)) == sizeof(buffer));
  CHECK(ftruncate(fd, BLOCK + 100) == 0);
  p = mmap(0, 2 * PAGE, PROT_READ, MAP_SHARED, fd, 0);
  CHECK(p != MAP_FAILED);
  check_zero("mapped, behind the end", p + BLOCK + 100, PAGE - BLOCK - 100);
  CHECK(ftruncate(fd, 4 * sizeof(buffer)) == 0);
  check_zero("mapped, cut and grown", p + BLOCK + 100, 2 * PAGE - BLOCK - 100);
  check_file_zero("cut and grown", fd, BLOCK + 100, 4 * sizeof(buffer));
  CHECK(munmap(p, 2 * PAGE) == 0);
  close(fd);
  unlink(FILE_NAME);
}

/* The end of a block that a small file has for itself. */
static void tail(void) {
  uchar *p;
  int fd;

  leave_file();
  fd = create(FILE_NAME);
  CHECK(write(fd, "ab", 2) == 2 && sync() == 0);
  p = mmap(0, PAGE, PROT_READ, MAP_PRIVATE, fd, 0);
  CHECK(p != MAP_FAILED);
  check_zero("tail of a small file", p + 2, PAGE - 2);
  CHECK(munmap(p, PAGE) == 0);
  close(fd);
  unlink(FILE_NAME);
}

/* A directory's blocks hold names, and zeros behind them. */
static void directory(void) {
  struct dirent entry;
  int fd;

  leave_file();
  CHECK(mkdir("isolation.d") == 0);
  fd = open("isolation.d", O_RDONLY);
  CHECK(fd >= 0);
  while (read(fd, &entry, sizeof(entry)) == sizeof(entry)) {
    uint n = 0;

    trying("directory", entry.inum);
    while (n < sizeof(entry.name) && entry.name[n])
      n++;
    check_zero("behind a name", entry.name + n, sizeof(entry.name) - n);
  }
  close(fd);
  CHECK(unlink("isolation.d") == 0);
}

void remains_files(void) {
  new_blocks();
  cut_and_grown();
  tail();
  directory();
}

/* --- programs --- */

static const volatile uint constant = SECRET_WORD;

/* Text and constants that a program changes in its memory, as far as it may,
 * are the same as before for all others that run it, and in the file. */
static int change_constant(void *unused) {
  uint *p = (uint *)&constant;

  (void)unused;
  if (mprotect((void *)((addr)p & ~(addr)(PAGE - 1)), PAGE, RW) < 0)
    return 0;
  *p = 0;
  CHECK(constant == 0);
  return 0;
}

/* A descriptor that is only for reading gives no right to write, by no way. */
static void check_read_only(void) {
  int fd = open(self, O_RDONLY);
  void *p;

  CHECK(fd >= 0);
  CHECK(write(fd, "x", 1) == -1);
  CHECK(mmap(0, PAGE, RW, MAP_SHARED, fd, 0) == MAP_FAILED);
  p = mmap(0, PAGE, PROT_READ, MAP_SHARED, fd, 0);
  CHECK(p != MAP_FAILED);
  CHECK(mprotect(p, PAGE, RW) == -1);
  CHECK(read(fd, p, 1) == -1 && lasterr() == EFAULT);
  close(fd);
  CHECK(mprotect(p, PAGE, RW) == -1);
}

static uint sum_of_file(void) {
  int fd = open(self, O_RDONLY), n;
  uint sum = 0;

  CHECK(fd >= 0);
  while ((n = read(fd, buffer, sizeof(buffer))) > 0)
    for (int i = 0; i < n; i++)
      sum = sum * 31 + (uchar)buffer[i];
  close(fd);
  return sum;
}

void remains_text(void) {
  uint before = sum_of_file();

  CHECK(join(spawn(change_constant, 0)) == 0);
  CHECK(constant == SECRET_WORD);
  CHECK(sync() == 0 && sum_of_file() == before);
  CHECK(join(spawn(run_again, 0)) == 0);
  check_read_only();
}
