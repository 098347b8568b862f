/*
 * fuzzelf [-s SEED] [-n FILES] [-m SECONDS] [-p PROCESSES]: run damaged ELF files.
 *
 * Two programs are damaged: a tiny one made here, whose code ends it wherever it
 * is entered, and /true. A few times each, a field of their headers is given a
 * value at some limit, bits are changed, segments are laid over each other, the
 * file is cut short. exec may refuse such a file, and then the caller must be
 * what it was; or run it, and then it may do what it likes: it has no rights.
 * One that does not end by itself is killed. Now and then the undamaged program
 * is run, which must work.
 */
#include "kernel/types.h"

#include "abi/elf.h"
#include "kernel/fcntl.h"
#include "kernel/memlayout.h"
#include "kernel/stat.h"
#include "machine.h"
#include "user/thread.h"
#include "user/user.h"

#define NELEM(array) (uint)(sizeof(array) / sizeof((array)[0]))
#define PROCESSES_MAX 8
#define DIRECTORY "/fuzzelf.d"
#define FILE_MAX (20 * 1024)
#define STATUS_REFUSED 7        /* exec failed, and the caller was intact */
#define STATUS_DAMAGED 8        /* exec failed, and it was not */
#define PATIENCE_NS 30000000ULL /* a program that does not end is killed, */
#define DEAD_NS 60000000000ULL  /* and must obey */
#define GOOD_EVERY 50
#define SAY_EVERY 2000

static uint64 state;
static uint64 seed = 1;
static uint files = 1000, nprocesses = 3;
static uint64 until_ns = ~0ULL; /* no more of them */

/* In memory that all processes share. */
static struct counts { uint made, refused, ended, killed, faulted; } * counts;

/* What to damage, and what came of it. */
struct program {
  char bytes[FILE_MAX];
  uint size;
};
static struct program tiny, real, now;

static const uint code[] = TINY_PROGRAM;

/* xorshift64* (Vigna, 2016). */
static uint below(uint n) {
  state ^= state >> 12;
  state ^= state << 25;
  state ^= state >> 27;
  return (uint)((state * 2685821657736338717ULL) >> 33) % n;
}

static void count(uint *n) { __atomic_fetch_add(n, 1, __ATOMIC_RELAXED); }

/* --- good programs --- */

/* Text, data with zeros behind it, what no system knows, and a stack. */
static void make_tiny(void) {
  static const struct proghdr headers[] = {
      {.type = ELF_PROG_LOAD,
       .flags = ELF_PROG_FLAG_READ | ELF_PROG_FLAG_EXEC,
       .off = PGSIZE,
       .filesz = 2 * PGSIZE,
       .memsz = 2 * PGSIZE,
       .align = PGSIZE},
      {.type = ELF_PROG_LOAD,
       .flags = ELF_PROG_FLAG_READ | ELF_PROG_FLAG_WRITE,
       .off = 3 * PGSIZE,
       .vaddr = 4 * PGSIZE,
       .filesz = 100,
       .memsz = 2 * PGSIZE + 1,
       .align = PGSIZE},
      {.type = 0x70000003, .filesz = 50},
      {.type = ELF_PROG_GNU_STACK, .memsz = 3 * PGSIZE},
  };
  struct elfhdr head = {.magic = ELF_MAGIC,
                        .elf = {ELFCLASS_OWN, ELFDATA2LSB, 1},
                        .type = ET_EXEC,
                        .machine = TINY_MACHINE,
                        .version = 1,
                        .phoff = sizeof(struct elfhdr),
                        .ehsize = sizeof(struct elfhdr),
                        .phentsize = sizeof(struct proghdr),
                        .phnum = NELEM(headers)};

  tiny.size = 3 * PGSIZE + 100;
  for (uint at = 0; at + sizeof(code) <= FILE_MAX; at += sizeof(code))
    memcpy(tiny.bytes + at, code, sizeof(code));
  memcpy(tiny.bytes, &head, sizeof(head));
  memcpy(tiny.bytes + sizeof(head), headers, sizeof(headers));
}

static void read_real(void) {
  int fd = open("/true", O_RDONLY), n = read(fd, real.bytes, FILE_MAX);

  if (n <= 0)
    fatal("/true");
  real.size = n;
  close(fd);
}

/* --- damage --- */

static struct elfhdr *const elf = (struct elfhdr *)now.bytes;

/* The headers of the undamaged file are where damage is done. */
static struct proghdr *header(void) {
  return (struct proghdr *)(now.bytes + sizeof(*elf)) + below(4);
}

static uint64 number(void) {
  static const uint64 limits[] = {0,
                                  1,
                                  2,
                                  PGSIZE,
                                  PGSIZE * 2,
                                  0x10000,
                                  1ULL << 20,
                                  8ULL << 20,
                                  128ULL << 20,
                                  1ULL << 30,
                                  0x7fffffff,
                                  0xffffffff,
                                  1ULL << 32,
                                  1ULL << 38,
                                  1ULL << 63,
                                  ~0ULL >> 1,
                                  ~0ULL,
                                  (unsigned long)MAXVA,
                                  USER_TOP,
                                  (unsigned long)TRAMPOLINE,
                                  (unsigned long)KERNBASE};
  uint64 n = limits[below(NELEM(limits))];

  switch (below(6)) {
    case 0:
      return n + below(5) - 2;
    case 1:
      return n - below(4) * PGSIZE;
    case 2:
      return now.size - below(4);
    case 3:
      return -(uint64)below(3 * PGSIZE);
    case 4:
      return below(16) * PGSIZE;
    default:
      return n;
  }
}

/* A number of 1, 2, 4 or 8 bytes, anywhere in it. */
static void put_number(void *in, uint size) {
  uint64 n = number();
  uint bytes = 1u << below(4);

  memcpy((char *)in + below(size / bytes) * bytes, &n, bytes);
}

static void damage_head(void) {
  switch (below(4)) {
    case 0:
      elf->entry = number();
      break;
    case 1:
      elf->phoff = below(2) ? number() : below(now.size + 64);
      break;
    case 2:
      elf->phnum = below(2) ? below(80) : number();
      break;
    default:
      put_number(elf, sizeof(*elf));
  }
}

static void damage_segment(void) {
  struct proghdr *p = header();

  switch (below(8)) {
    case 0:
      p->off = number();
      break;
    case 1:
      p->vaddr = number();
      break;
    case 2:
      p->filesz = number();
      break;
    case 3:
      p->memsz = number();
      break;
    case 4:
      p->flags = below(16);
      break;
    case 5:
      p->type = below(2) ? ELF_PROG_LOAD : ELF_PROG_GNU_STACK;
      break;
    default:
      put_number(p, sizeof(*p));
  }
}

/* Two segments trade places, or lie over each other. */
static void damage_order(void) {
  struct proghdr *a = header(), *b = header(), t = *a;

  if (below(2)) {
    *a = *b;
    *b = t;
  } else {
    a->vaddr = b->vaddr + (below(5) - 2) * PGSIZE;
  }
}

static void damage_bits(void) {
  uint within = below(3) ? sizeof(*elf) + 4 * sizeof(struct proghdr) : now.size;

  now.bytes[below(within)] ^= 1 << below(8);
}

static void damage_length(void) { now.size = below(now.size + 1); }

static void damage(void) {
  static void (*const ways[])(void) = {
      damage_head,    damage_head, damage_segment, damage_segment,
      damage_segment, damage_bits, damage_order,   damage_length,
  };

  for (uint n = 1 + below(4); n > 0 && now.size > 0; n--)
    ways[below(NELEM(ways))]();
}

/* --- running it --- */

static void nap(void) {
  static uint never;
  uint64 ns = 1000000;

  futex(&never, FUTEX_WAIT, 0, &ns);
}

static void failed(const char *what) {
  int n;
  struct procinfo *p = all_procs(&n);

  printf("fuzzelf: %s\n", what);
  for (int i = 0; i < n; i++)
    printf("  pid %d ppid %d %s threads %d waits for %s: %s\n", p[i].pid,
           p[i].ppid, proc_state(p[i].state), p[i].threads, p[i].waiting,
           p[i].name);
  exit(1);
}

/* Kill the processes of that name; how many there were. */
static int kill_named(const char *name) {
  int n, found = 0;
  struct procinfo *p = all_procs(&n);

  for (int i = 0; i < n; i++)
    if (p[i].state != P_ZOMBIE && strcmp(p[i].name, name) == 0) {
      kill(p[i].pid);
      found++;
    }
  free(p);
  return found;
}

/* Damaged code may call fork(), and its children, too: who kills them must be
 * faster. */
static void kill_children(const char *name) {
  uint64 start = clock();

  while (kill_named(name) > 0)
    if (clock() - start > DEAD_NS)
      failed("processes were killed and do not end");
}

/* What differs from the undamaged one could be anywhere, so all is written. */
static void write_file(const char *name) {
  uint64 start = clock();
  int fd, n;

  while ((fd = open(name, O_CREATE | O_WRONLY | O_TRUNC)) < 0) {
    if (lasterr() != ETXTBSY)
      fatal("%s", name);
    if (clock() - start > DEAD_NS)
      failed("a program has ended, and its file is still in use");
    kill_children(name);
    nap();
  }
  n = write(fd, now.bytes, now.size);
  if (n != (int)now.size)
    fatal("%s: wrote %d of %u", name, n, now.size);
  close(fd);
}

static void try(const char *name) {
  char *argv[] = {"damaged", "one", "two", 0};
  char *brk = sbrk(0), *heap = sbrk(PGSIZE);
  char local[64];

  restrict_rights(0);
  for (int fd = 0; fd < 3; fd++)
    close(fd);
  memset(heap, 1, PGSIZE);
  memset(local, 2, sizeof(local));
  exec(name, argv);
  for (uint i = 0; i < sizeof(local); i++)
    if (local[i] != 2)
      exit(STATUS_DAMAGED);
  for (uint i = 0; i < PGSIZE; i++)
    if (heap[i] != 1)
      exit(STATUS_DAMAGED);
  exit(sbrk(0) == brk + PGSIZE ? STATUS_REFUSED : STATUS_DAMAGED);
}

/* The exit status; *killed: it did not end by itself. */
static int outcome(const char *name, int *killed) {
  uint64 start;
  int status, pid;

  start = clock();
  while ((pid = fork()) < 0) { /* too many processes, of another's children */
    if (clock() - start > DEAD_NS)
      failed("no process can be made");
    nap();
  }
  if (pid == 0)
    try(name);
  start = clock();
  *killed = 0;
  for (uint i = 0; waitpid(pid, &status, WNOHANG) == 0; i++) {
    if (clock() - start > DEAD_NS)
      failed("a process was killed and does not end");
    if (!*killed && clock() - start > PATIENCE_NS) {
      kill(pid);
      kill_children(name);
      *killed = 1;
    }
    if (i < 100)
      yield();
    else
      nap();
  }
  return status;
}

static void note(int status, int killed) {
  if (status == STATUS_DAMAGED)
    failed("exec failed, and the caller is not what it was");
  if (killed)
    count(&counts->killed);
  else if (status == STATUS_KILLED)
    count(&counts->faulted);
  else
    count(status == STATUS_REFUSED ? &counts->refused : &counts->ended);
}

/* They run as they always did. */
static void good_ones(const char *name) {
  int killed;

  now = tiny;
  write_file(name);
  if (outcome(name, &killed) != TINY_STATUS && !killed)
    failed("a good program does not run");
  now = real;
  write_file(name);
  if (outcome(name, &killed) != 0 && !killed)
    failed("/true does not run");
}

static void work(uint who) {
  char name[2] = {(char)('a' + who), 0};
  int status, killed;

  state = (seed + 1) * 0x9e3779b97f4a7c15ULL ^ (uint64)(who + 1) << 20;
  for (uint i = 0; i < files / nprocesses + 1 && clock() < until_ns; i++) {
    if (i % GOOD_EVERY == 0)
      good_ones(name);
    now = below(4) ? tiny : real;
    damage();
    write_file(name);
    status = outcome(name, &killed);
    note(status, killed);
    if (__atomic_add_fetch(&counts->made, 1, __ATOMIC_RELAXED) % SAY_EVERY == 0)
      printf("fuzzelf: %u files\n", counts->made);
  }
  kill_children(name);
  unlink(name);
  exit(0);
}

static void options(int argc, char **argv) {
  long long n;
  int c, bad = 0;

  while ((c = getopt(argc, argv, "s:n:p:m:")) != -1) {
    bad |= c == '?' || parse_number(optarg, &n) < 0 || n < 0;
    if (c == 's')
      seed = n;
    if (c == 'n')
      files = n;
    if (c == 'p')
      nprocesses = n;
    if (c == 'm')
      until_ns = clock() + (uint64)n * 1000000000ULL;
  }
  if (bad || optind != argc || nprocesses - 1u >= PROCESSES_MAX)
    bad_usage("[-s seed] [-n files] [-m seconds] [-p processes]");
}

int main(int argc, char **argv) {
  uint64 start = clock();
  int status, bad = 0;

  options(argc, argv);
  printf("fuzzelf: seed %llu\n", (unsigned long long)seed);
  counts = mmap(0, PGSIZE, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS,
                -1, 0);
  if (counts == MAP_FAILED || mkdir(DIRECTORY) < 0 || chdir(DIRECTORY) < 0)
    fatal(DIRECTORY);
  make_tiny();
  read_real();
  for (uint who = 0; who < nprocesses; who++)
    if (fork() == 0)
      work(who);
  while (wait(&status) >= 0)
    bad |= status != 0;
  chdir("/");
  bad |= unlink(DIRECTORY) < 0;
  printf(
      "fuzzelf: %u files, %llu a second; %u refused, %u ended, %u killed as "
      "they went on, %u died of a fault\n",
      counts->made,
      (unsigned long long)(counts->made * 1000000000ULL /
                           (clock() - start + 1)),
      counts->refused, counts->ended, counts->killed, counts->faulted);
  printf("fuzzelf %s (seed %llu)\n", bad ? "FAILED" : "OK",
         (unsigned long long)seed);
  return bad;
}
