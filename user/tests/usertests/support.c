/*
 * The small operations that tests share; usertests.h says what each does.
 */
#include "usertests.h"

char scratch[SCRATCH_SIZE];

void check_failed(const char *file, int line, const char *what) {
  printf("  %s: %s:%d: not so: %s\n", test_name, file, line, what);
  exit(1);
}

void check_equal(const char *file, int line, const char *what, long long got,
                 long long want) {
  if (got == want)
    return;
  printf("  %s: %s:%d: not so: %s (%lld, expected %lld)\n", test_name, file,
         line, what, got, want);
  exit(1);
}

void check_fails(const char *file, int line, const char *what, long result,
                 int err) {
  int got = lasterr();

  if (result == -1 && got == err)
    return;
  if (result == -1)
    printf("  %s: %s:%d: %s failed with error %d, expected %d\n", test_name,
           file, line, what, got, err);
  else
    printf("  %s: %s:%d: %s returned %ld, expected an error\n", test_name, file,
           line, what, result);
  exit(1);
}

int spawn(void (*fn)(void *), void *arg) {
  int pid = fork();

  CHECK(pid >= 0);
  if (pid == 0) {
    fn(arg);
    exit(0);
  }
  return pid;
}

int join(int pid) {
  int status = 12345;

  CHECK_EQ(waitpid(pid, &status, 0), pid);
  CHECK(status != 12345);
  return status;
}

int run_child(void (*fn)(void *), void *arg) { return join(spawn(fn, arg)); }

void expect_killed(void (*fn)(void *), void *arg) {
  CHECK_EQ(run_child(fn, arg), STATUS_KILLED);
}

void gate_init(struct gate *g) { CHECK_EQ(pipe(g->fd), 0); }

void gate_open(struct gate *g) { CHECK_EQ(write(g->fd[1], "g", 1), 1); }

void gate_pass(struct gate *g) {
  char c;

  CHECK_EQ(read(g->fd[0], &c, 1), 1);
}

void gate_close(struct gate *g) {
  CHECK_EQ(close(g->fd[0]), 0);
  CHECK_EQ(close(g->fd[1]), 0);
}

/* The byte at a position. 251 is prime to the sizes of blocks and pages. */
static uchar pattern(uint seed, uint offset) {
  return (uchar)(offset % 251 + offset / BSIZE + seed * 7);
}

void fill(void *buf, uint n, uint seed, uint offset) {
  uchar *p = buf;

  for (uint i = 0; i < n; i++)
    p[i] = pattern(seed, offset + i);
}

int filled(const void *buf, uint n, uint seed, uint offset) {
  const uchar *p = buf;

  for (uint i = 0; i < n; i++)
    if (p[i] != pattern(seed, offset + i))
      return 0;
  return 1;
}

void make_file(const char *path, uint n, uint seed) {
  int fd = open(path, O_CREATE | O_TRUNC | O_WRONLY);

  CHECK(fd >= 0);
  for (uint at = 0; at < n;) {
    uint part = n - at < SCRATCH_SIZE ? n - at : SCRATCH_SIZE;
    fill(scratch, part, seed, at);
    CHECK_EQ(write(fd, scratch, part), part);
    at += part;
  }
  CHECK_EQ(close(fd), 0);
}

void check_file(const char *path, uint n, uint seed) {
  int fd = open(path, O_RDONLY);
  uint at = 0;
  int got;

  CHECK(fd >= 0);
  while ((got = read(fd, scratch, SCRATCH_SIZE)) > 0) {
    CHECK(filled(scratch, got, seed, at));
    at += got;
  }
  CHECK_EQ(got, 0);
  CHECK_EQ(at, n);
  CHECK_EQ(close(fd), 0);
}

void make_dir(const char *path) { CHECK_EQ(mkdir(path), 0); }

void remove(const char *path) {
  if (unlink(path) == 0)
    return;
  printf("  %s: cannot unlink %s (error %d)\n", test_name, path, lasterr());
  exit(1);
}

int exists(const char *path) {
  struct stat st;

  return stat(path, &st) == 0;
}

static struct stat stat_of(const char *path) {
  struct stat st;

  CHECK_EQ(stat(path, &st), 0);
  return st;
}

uint size_of(const char *path) { return (uint)stat_of(path).size; }

uint inode_of(const char *path) { return stat_of(path).ino; }

int links_of(const char *path) { return stat_of(path).nlink; }

int lowest_fd(void) {
  int fd = open("/", O_RDONLY);

  CHECK(fd >= 0);
  CHECK_EQ(close(fd), 0);
  return fd;
}

void numbered(char *path, const char *prefix, uint n) {
  char digits[12];
  int i = 0;

  strcpy(path, prefix);
  path += strlen(path);
  do {
    digits[i++] = (char)('0' + n % 10);
    n /= 10;
  } while (n > 0);
  while (i > 0)
    *path++ = digits[--i];
  *path = 0;
}

uint64 random_next(uint64 *state) {
  uint64 x = *state;

  x ^= x >> 12;
  x ^= x << 25;
  x ^= x >> 27;
  *state = x;
  return x * 2685821657736338717ULL;
}

struct vmregion region_named(const char *name) {
  static struct vmregion r[32];
  int n = vmregions(getpid(), r, NELEM(r));

  CHECK(n > 0);
  for (int i = 0; i < n && i < (int)NELEM(r); i++)
    if (strcmp(r[i].name, name) == 0)
      return r[i];
  printf("  %s: no region \"%s\"\n", test_name, name);
  exit(1);
}

uint64 available_pages(void) {
  struct meminfo m;

  CHECK_EQ(meminfo(&m), 0);
  return m.free + m.cache;
}

int machine_denies(uint rights) {
  struct sysinfo s;

  CHECK_EQ(sysinfo(&s), 0);
  return (s.rights & rights) == rights;
}
