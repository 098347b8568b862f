/*
 * What the kernel fills in for a program is more than its fields: there is
 * room between them, behind the last, and behind the text in an array of
 * characters. All of that must be zeros, and not what was on a kernel stack or
 * in a page of the kernel before; and behind the last one of a list nothing may
 * be written. So that there is something to find, the kernel's pages and stack
 * are made dirty first.
 */
#include "abi/stat.h"
#include "isolation.h"
#include "user/thread.h"

#define LIST 40
#define UNTOUCHED 0xee
#define DIRTY_PAGES 64
#define DIRTY 0xa5
#define ROUNDS 5

/* Bytes of a structure that are in its fields. */
static uchar in_field[1024];

static void clear_fields(void) { memset(in_field, 0, sizeof(in_field)); }

static void mark(addr offset, addr size) {
  CHECK(offset + size <= sizeof(in_field));
  memset(in_field + offset, 1, (uint)size);
}

#define FIELD(type, name) \
  mark(__builtin_offsetof(type, name), sizeof(((type *)0)->name))

/* Text ends with zeros. */
static void check_text(const char *text, uint size) {
  uint n = 0;

  while (n < size && text[n])
    n++;
  CHECK(n < size);
  for (; n < size; n++)
    CHECK(text[n] == 0);
}

static void check_gaps(const char *name, const void *p, uint size) {
  const uchar *byte = p;

  for (uint i = 0; i < size; i++) {
    trying(name, i);
    if (!in_field[i])
      CHECK(byte[i] == 0);
  }
}

static void check_untouched(const char *name, const void *from,
                            const void *end) {
  for (const uchar *p = from; p < (const uchar *)end; p++) {
    trying(name, (addr)p - (addr)from);
    CHECK(*p == UNTOUCHED);
  }
}

/* Pages of ours become free, and are the next that the kernel gets; and a path
 * and arguments of such bytes go through its stacks and buffers. */
static void make_dirty(void) {
  static char path[1000];
  struct {
    char c[200];
  } on_stack;
  char *p = map(DIRTY_PAGES, ANON);
  int fd[2];

  memset(p, DIRTY, DIRTY_PAGES * PAGE);
  memset(path, DIRTY, sizeof(path) - 1);
  CHECK(pipe(fd) == 0);
  CHECK(write(fd[1], p, PAGE) == PAGE && read(fd[0], p, PAGE) == PAGE);
  close(fd[0]);
  close(fd[1]);
  memset(&on_stack, DIRTY, sizeof(on_stack));
  CHECK(open(path, O_RDONLY) < 0);
  CHECK(rename(path, path) < 0);
  CHECK(sys_clock((uint64 *)(p + 1)) == 0);
  CHECK(munmap(p, DIRTY_PAGES * PAGE) == 0);
}

static void see_stat(void) {
  struct stat st;
  int fd = open("/", O_RDONLY);

  clear_fields();
  FIELD(struct stat, dev);
  FIELD(struct stat, ino);
  FIELD(struct stat, type);
  FIELD(struct stat, nlink);
  FIELD(struct stat, size);
  make_dirty();
  CHECK(fstat(fd, &st) == 0 && close(fd) == 0);
  check_gaps("stat", &st, sizeof(st));
  make_dirty();
  CHECK(fstat(0, &st) == 0);
  check_gaps("stat of a device", &st, sizeof(st));
}

static void see_sysinfo(void) {
  struct sysinfo s;

  clear_fields();
  FIELD(struct sysinfo, uptime_ns);
  FIELD(struct sysinfo, idle_ns);
  FIELD(struct sysinfo, switches);
  FIELD(struct sysinfo, interrupts);
  FIELD(struct sysinfo, syscalls);
  FIELD(struct sysinfo, faults);
  FIELD(struct sysinfo, shootdowns);
  FIELD(struct sysinfo, tlb_flushes);
  FIELD(struct sysinfo, tlb_pages);
  FIELD(struct sysinfo, cpus);
  FIELD(struct sysinfo, processes);
  FIELD(struct sysinfo, processes_max);
  FIELD(struct sysinfo, runnable);
  FIELD(struct sysinfo, version);
  FIELD(struct sysinfo, machine);
  FIELD(struct sysinfo, arch);
  FIELD(struct sysinfo, levels);
  FIELD(struct sysinfo, index_bits);
  FIELD(struct sysinfo, asids);
  FIELD(struct sysinfo, rights);
  FIELD(struct sysinfo, elf_class);
  FIELD(struct sysinfo, elf_machine);
  FIELD(struct sysinfo, pte_flags);
  make_dirty();
  CHECK(sysinfo(&s) == 0);
  check_gaps("sysinfo", &s, sizeof(s));
  trying("text in sysinfo", 0);
  check_text(s.version, sizeof(s.version));
  check_text(s.machine, sizeof(s.machine));
  check_text(s.arch, sizeof(s.arch));
  check_text(s.pte_flags, sizeof(s.pte_flags));
}

static void see_procs(void) {
  static struct procinfo list[LIST];
  int n;

  clear_fields();
  FIELD(struct procinfo, pid);
  FIELD(struct procinfo, ppid);
  FIELD(struct procinfo, pgid);
  FIELD(struct procinfo, state);
  FIELD(struct procinfo, cpu);
  FIELD(struct procinfo, threads);
  FIELD(struct procinfo, cpu_ns);
  FIELD(struct procinfo, size);
  FIELD(struct procinfo, resident);
  FIELD(struct procinfo, tables);
  FIELD(struct procinfo, faults);
  FIELD(struct procinfo, name);
  FIELD(struct procinfo, waiting);
  memset(list, UNTOUCHED, sizeof(list));
  make_dirty();
  n = procs(list, LIST);
  CHECK(n > 0 && n <= LIST);
  for (int i = 0; i < n; i++) {
    check_gaps("procinfo", &list[i], sizeof(list[i]));
    trying("text in procinfo", i);
    check_text(list[i].name, sizeof(list[i].name));
    check_text(list[i].waiting, sizeof(list[i].waiting));
  }
  check_untouched("behind procs()", list + n, list + LIST);
}

/* While the first thread sleeps, this one runs: what is told of the process is
 * of this one then, and nothing of the other's. */
static int see_procs_in_thread(void *unused) {
  (void)unused;
  see_procs();
  return 0;
}

static void see_procs_with_threads(void) {
  struct thread *t = thread_create(see_procs_in_thread, 0);

  CHECK(t != 0 && thread_join(t) == 0);
}

static void see_regions(void) {
  static struct vmregion list[LIST];
  int n;

  clear_fields();
  FIELD(struct vmregion, start);
  FIELD(struct vmregion, end);
  FIELD(struct vmregion, rights);
  FIELD(struct vmregion, shared);
  FIELD(struct vmregion, resident);
  FIELD(struct vmregion, common);
  FIELD(struct vmregion, dirty);
  FIELD(struct vmregion, super);
  FIELD(struct vmregion, name);
  memset(list, UNTOUCHED, sizeof(list));
  make_dirty();
  n = vmregions(getpid(), list, LIST);
  CHECK(n > 0 && n < LIST);
  for (int i = 0; i < n; i++) {
    check_gaps("vmregion", &list[i], sizeof(list[i]));
    trying("text in vmregion", i);
    check_text(list[i].name, sizeof(list[i].name));
  }
  check_untouched("behind vmregions()", list + n, list + LIST);
}

static void see_entries(int pid) {
  static struct ptentry list[LIST];
  int n;

  clear_fields();
  FIELD(struct ptentry, va);
  FIELD(struct ptentry, pa);
  FIELD(struct ptentry, size);
  FIELD(struct ptentry, flags);
  FIELD(struct ptentry, level);
  FIELD(struct ptentry, name);
  memset(list, UNTOUCHED, sizeof(list));
  make_dirty();
  n = ptdump(pid, 0, list, LIST);
  CHECK(n > 0);
  for (int i = 0; i < n; i++) {
    check_gaps("ptentry", &list[i], sizeof(list[i]));
    trying("text in ptentry", i);
    check_text(list[i].name, sizeof(list[i].name));
  }
  check_untouched("behind ptdump()", list + n, list + LIST);
}

static void see_walk(int pid, addr va) {
  struct ptwalk w;

  clear_fields();
  FIELD(struct ptwalk, root);
  FIELD(struct ptwalk, levels);
  FIELD(struct ptwalk, steps);
  FIELD(struct ptwalk, fault);
  FIELD(struct ptwalk, pa);
  FIELD(struct ptwalk, name);
  make_dirty();
  CHECK(ptwalk(pid, va, &w) == 0);
  CHECK(w.steps <= PTWALK_LEVELS);
  for (int i = 0; i < w.steps; i++) { /* those that are not there are zeros */
    FIELD(struct ptwalk, step[i].level);
    FIELD(struct ptwalk, step[i].index);
    FIELD(struct ptwalk, step[i].pte_addr);
    FIELD(struct ptwalk, step[i].pte);
    FIELD(struct ptwalk, step[i].leaf);
  }
  check_gaps("ptwalk", &w, sizeof(w));
  trying("text in ptwalk", va);
  check_text(w.name, sizeof(w.name));
}

static void see_cwd(void) {
  char buf[100];

  memset(buf, UNTOUCHED, sizeof(buf));
  make_dirty();
  CHECK(chdir("/") == 0 && getcwd(buf, sizeof(buf)) >= 0);
  check_untouched("behind getcwd()", buf + 2, buf + sizeof(buf));
}

/* Reading less than asked for leaves the rest of the buffer alone. */
static void see_short_read(void) {
  static char buf[2 * PAGE];
  int fd[2];

  memset(buf, UNTOUCHED, sizeof(buf));
  make_dirty();
  CHECK(pipe(fd) == 0 && write(fd[1], "abc", 3) == 3);
  CHECK(read(fd[0], buf, sizeof(buf)) == 3);
  check_untouched("behind read() of a pipe", buf + 3, buf + sizeof(buf));
  close(fd[0]);
  close(fd[1]);
  fd[0] = open("isolation.s", O_CREATE | O_TRUNC | O_RDWR);
  CHECK(fd[0] >= 0 && write(fd[0], "abc", 3) == 3);
  CHECK(lseek(fd[0], 0, SEEK_SET) == 0);
  CHECK(read(fd[0], buf, sizeof(buf)) == 3);
  check_untouched("behind read() of a file", buf + 3, buf + sizeof(buf));
  close(fd[0]);
  unlink("isolation.s");
}

void structs(void) {
  for (uint i = 0; i < ROUNDS; i++) {
    see_stat();
    see_sysinfo();
    see_procs();
    see_procs_with_threads();
    see_regions();
    see_entries(getpid());
    see_entries(PID_KERNEL);
    see_walk(getpid(), (addr)structs);
    see_walk(getpid(), (addr)sbrk(0) + PAGE);
    see_walk(getpid(), ~(addr)0);
    see_walk(PID_KERNEL, KERNBASE);
    see_cwd();
    see_short_read();
  }
}
