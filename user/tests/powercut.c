/*
 * powercut [-t] SCRIPT ...: what the tests of power cuts and of disk errors have the
 * file system do (tests/powercut/). Each script is done by a process of its own, all
 * at once, in the directory /w, which is made first. A script is lines of text, an
 * operation each, with numbers in decimal:
 *
 *   c PATH               create an empty file
 *   w PATH OFF LEN V     write in one call: bytes made of V and their offset
 *   a PATH LEN V         the same at the end
 *   t PATH SIZE          ftruncate
 *   l FROM TO, r FROM TO link, rename
 *   u PATH               unlink, also of an empty directory
 *   o PATH LEN V         unlink it while it is open, then write to it, close it
 *   d PATH               mkdir
 *   M PATH PAGES         map a file, shared
 *   m PAGE V             fill a page of the mapping with V
 *   y                    msync
 *   s                    sync
 *
 * After s and y it says "@X N": the first N operations of the script whose
 * name ends in X are safe. At an operation that fails the script stops, with
 * "@X error N E". At the end comes "@done".
 *
 * With -t a clock counts in memory that all share: each operation reads it before
 * it begins and when it has ended. At the end a line "@X N BEGIN END" for each
 * says in which order they were, as far as there was one.
 */
#include "user/user.h"

#define PAGE 4096 /* the unit of m and M: the smallest page there is */
#define WORDS 5
#define DATA_MAX 16384
#define SCRIPTS 8
#define OPERATIONS 1000 /* of a script, with -t */

struct times {
  uint clock;
  struct {
    uint begin, end;
  } of[SCRIPTS][OPERATIONS];
};

struct script {
  char name;
  int number;
  int done; /* operations */
  char *text;
  char *map;
  unsigned long mapped; /* bytes */
};

static char data[DATA_MAX];
static struct times *times; /* 0: nobody wants to know */

static int at(const char *number) { return atoi(number); }

/* tests/powercut/workload.py knows the same rule. */
static void fill(long off, int len, int v) {
  for (int i = 0; i < len; i++)
    data[i] = (char)(v * 131 + (int)(off + i) % 251);
}

static int write_file(const char *path, int flags, long off, int len, int v) {
  int fd = open(path, O_WRONLY | flags), r = -1;
  long end;

  if (fd < 0)
    return -1;
  end = lseek(fd, 0, SEEK_END);
  if (!(flags & O_APPEND))
    lseek(fd, off, SEEK_SET);
  fill(flags & O_APPEND ? end : off, len, v);
  if (end >= 0 && write(fd, data, len) == len)
    r = 0;
  close(fd);
  return r;
}

static int do_create(struct script *s, char **w) {
  int fd = open(w[1], O_CREATE | O_WRONLY);

  (void)s;
  return fd < 0 ? -1 : close(fd);
}

static int do_write(struct script *s, char **w) {
  (void)s;
  return write_file(w[1], 0, at(w[2]), at(w[3]), at(w[4]));
}

static int do_append(struct script *s, char **w) {
  (void)s;
  return write_file(w[1], O_APPEND, 0, at(w[2]), at(w[3]));
}

static int do_truncate(struct script *s, char **w) {
  int fd = open(w[1], O_WRONLY), r;

  (void)s;
  if (fd < 0)
    return -1;
  r = ftruncate(fd, at(w[2]));
  close(fd);
  return r;
}

static int do_link(struct script *s, char **w) {
  (void)s;
  return link(w[1], w[2]);
}

static int do_rename(struct script *s, char **w) {
  (void)s;
  return rename(w[1], w[2]);
}

static int do_unlink(struct script *s, char **w) {
  (void)s;
  return unlink(w[1]);
}

static int do_orphan(struct script *s, char **w) {
  int fd = open(w[1], O_WRONLY), len = at(w[2]), r = -1;

  (void)s;
  if (fd < 0)
    return -1;
  fill(0, len, at(w[3]));
  if (unlink(w[1]) == 0 && write(fd, data, len) == len)
    r = 0;
  close(fd);
  return r;
}

static int do_mkdir(struct script *s, char **w) {
  (void)s;
  return mkdir(w[1]);
}

static int do_map(struct script *s, char **w) {
  int fd = open(w[1], O_RDWR);

  if (fd < 0)
    return -1;
  s->mapped = (unsigned long)at(w[2]) * PAGE;
  s->map = mmap(0, s->mapped, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
  close(fd);
  return s->map == MAP_FAILED ? -1 : 0;
}

static int do_store(struct script *s, char **w) {
  memset(s->map + (unsigned long)at(w[1]) * PAGE, at(w[2]), PAGE);
  return 0;
}

static void say_safe(struct script *s) {
  printf("@%c %d\n", s->name, s->done + 1);
}

static int do_msync(struct script *s, char **w) {
  (void)w;
  if (msync(s->map, s->mapped, MS_SYNC) < 0)
    return -1;
  say_safe(s);
  return 0;
}

static int do_sync(struct script *s, char **w) {
  (void)w;
  if (sync() < 0)
    return -1;
  say_safe(s);
  return 0;
}

static const struct {
  char letter;
  int words;
  int (*run)(struct script *s, char **w);
} operations[] = {
    {'c', 2, do_create},   {'w', 5, do_write},  {'a', 4, do_append},
    {'t', 3, do_truncate}, {'l', 3, do_link},   {'r', 3, do_rename},
    {'u', 2, do_unlink},   {'o', 4, do_orphan}, {'d', 2, do_mkdir},
    {'M', 3, do_map},      {'m', 3, do_store},  {'y', 1, do_msync},
    {'s', 1, do_sync},
};

static int perform(struct script *s, char **w, int n) {
  for (uint i = 0; i < sizeof(operations) / sizeof(operations[0]); i++)
    if (operations[i].letter == w[0][0] && operations[i].words == n)
      return operations[i].run(s, w);
  fprintf(2, "powercut: what is %s, with %d words?\n", w[0], n);
  exit(2);
}

/* Cut a line into words; returns where the next one begins. */
static char *split(char *line, char **w, int *n) {
  *n = 0;
  while (*line != '\n' && *line != 0) {
    if (*n < WORDS)
      w[(*n)++] = line;
    while (*line != ' ' && *line != '\n' && *line != 0)
      line++;
    if (*line == ' ')
      *line++ = 0;
  }
  if (*line == '\n')
    *line++ = 0;
  return line;
}

static uint tick(void) {
  return __atomic_add_fetch(&times->clock, 1, __ATOMIC_SEQ_CST);
}

static int timed(struct script *s, char **w, int n) {
  int r;

  if (times == 0 || s->done >= OPERATIONS)
    return perform(s, w, n);
  times->of[s->number][s->done].begin = tick();
  r = perform(s, w, n);
  times->of[s->number][s->done].end = tick();
  return r;
}

static void print_times(char **scripts, int n) {
  for (int i = 0; i < n; i++)
    for (int op = 0; op < OPERATIONS && times->of[i][op].end != 0; op++)
      printf("@%c %d %u %u\n", scripts[i][strlen(scripts[i]) - 1], op + 1,
             times->of[i][op].begin, times->of[i][op].end);
}

static void run(struct script *s) {
  char *next = s->text, *w[WORDS];
  int n;

  while (*next != 0) {
    next = split(next, w, &n);
    if (n == 0)
      continue;
    if (timed(s, w, n) < 0) {
      printf("@%c error %d %d\n", s->name, s->done, lasterr());
      exit(1);
    }
    s->done++;
  }
  exit(0);
}

static void load(struct script *s, const char *path) {
  int fd = open(path, O_RDONLY), got, n = 0;
  struct stat st;

  if (fd < 0 || fstat(fd, &st) < 0 ||
      (s->text = malloc((uint)st.size + 1)) == 0) {
    fprintf(2, "powercut: %s cannot be read\n", path);
    exit(1);
  }
  while ((got = read(fd, s->text + n, (int)st.size - n)) > 0)
    n += got;
  close(fd);
  s->text[n] = 0;
  s->name = path[strlen(path) - 1];
  if (got < 0) {
    printf("@%c error 0 %d\n", s->name, lasterr());
    exit(1);
  }
}

/* Memory that all share, for -t. */
static void start_clock(void) {
  times = mmap(0, sizeof(*times), PROT_READ | PROT_WRITE,
               MAP_SHARED | MAP_ANONYMOUS, -1, 0);
  if (times == MAP_FAILED) {
    fprintf(2, "powercut: no memory for -t\n");
    exit(1);
  }
}

/* Do all scripts, at once. 0, or 1 if one failed. */
static int run_all(char **paths, int n) {
  int status, failed = 0;

  for (int i = 0; i < n; i++) {
    int pid = fork();

    if (pid == 0) {
      struct script s = {.number = i};

      load(&s, paths[i]);
      run(&s);
    }
    failed |= pid < 0;
  }
  while (wait(&status) >= 0)
    failed |= status != 0;
  return failed;
}

int main(int argc, char **argv) {
  int first = argc > 1 && strcmp(argv[1], "-t") == 0 ? 2 : 1, failed;

  if (argc <= first || argc - first > SCRIPTS) {
    fprintf(2, "usage: powercut [-t] SCRIPT ...\n");
    exit(2);
  }
  if (first == 2)
    start_clock();
  mkdir("/w"); /* what needs it says so if that fails */
  failed = run_all(argv + first, argc - first);
  if (times != 0)
    print_times(argv + first, argc - first);
  printf("@done\n");
  exit(failed);
}
