/*
 * exec, kernel/proc/exec.c, with good programs, and with thousands of bad ones:
 * headers with wild numbers, files that end early, disks that fail, no memory.
 * Nothing but an error may come of them, and the caller keeps what it had.
 */
/* sources: kernel/proc/exec.c kernel/proc/args.c kernel/vm/usercopy.c kernel/vm/space.c kernel/vm/anon.c kernel/vm/uvm.c kernel/vm/fault.c kernel/vm/object.c kernel/lib/tree.c kernel/mm/slab.c kernel/mm/pagetable.c kernel/mm/kalloc.c kernel/sync/spinlock.c kernel/sync/trace.c tests/host/mm_fakes.c tests/host/vm_fakes.c */
#include "mm_fakes.h"

#include "abi/elf.h"
#include "arch_elf.h"
#include "cpu.h"
#include "fs/inode.h"
#include "proc/proc.h"
#include "trap.h"
#include "vm/fault.h"
#include "vm/usercopy.h"

/* --- the file --- */

#define FILE_MAX 40000
static uchar file[FILE_MAX];
static size_t file_size;
static long reads_until_error; /* negative: no error comes */
static int inode_refs, inode_locked, lock_error, file_type;
static struct inode inode;

struct inode *namei(struct inode *cwd, const char *path, int *err) {
  (void)cwd;
  if (strcmp(path, "/bin/prog") != 0) {
    *err = -ENOENT;
    return NULL;
  }
  inode_refs++;
  return &inode;
}

void iput(struct inode *ip) {
  assert_ptr_equal(ip, &inode);
  assert_int_equal(inode_locked, 0);
  inode_refs--;
}

int ilock(struct inode *ip) {
  (void)ip;
  inode_locked += lock_error == 0;
  return lock_error;
}

void iunlock(struct inode *ip) {
  (void)ip;
  inode_locked--;
}

void stati(struct inode *ip, struct stat *st) {
  (void)ip;
  *st = (struct stat){.type = file_type, .size = file_size};
}

/* As inode.h promises, for any offset and length. */
ssize_t readi(struct inode *ip, struct space *s, vaddr_t dst, uint64 off,
              size_t n) {
  assert_int_equal(inode_locked, 1);
  assert_ptr_equal(ip, &inode);
  assert_null(s);
  if (reads_until_error == 0)
    return -EIO;
  reads_until_error--;
  if (off >= file_size)
    return 0;
  n = MIN(n, file_size - off);
  memcpy((void *)dst, file + off, n);
  return n;
}

/* The file's pages, for mappings. */
static void *mapped[FILE_MAX / PGSIZE + 1];
static int object_refs, denied;

static int hold(struct memobject *o, uint64 index, bool write,
                struct objpage *p) {
  assert_ptr_equal(o, &inode.object);
  assert_false(write);
  assert_int_equal(inode_locked, 0); /* it takes the lock */
  if (reads_until_error == 0)
    return -EIO;
  reads_until_error--;
  if (index * PGSIZE >= file_size)
    return -ENXIO;
  *p = (struct objpage){.page = mapped[index]};
  return 0;
}

static bool peek(struct memobject *o, uint64 index, struct objpage *p) {
  (void)o;
  if (index * PGSIZE >= file_size)
    return false;
  *p = (struct objpage){.page = mapped[index]};
  return true;
}

static bool attached(struct memobject *o, struct objpage *p) {
  (void)o;
  (void)p;
  return true;
}

static void drop(struct memobject *o, struct objpage *p) {
  (void)o;
  (void)p;
}

static void object_get(struct memobject *o) {
  (void)o;
  object_refs++;
}

static void object_put(struct memobject *o) {
  (void)o;
  object_refs--;
}

static const struct memobject_ops ops = {.hold = hold,
                                         .peek = peek,
                                         .attached = attached,
                                         .drop = drop,
                                         .get = object_get,
                                         .put = object_put};

/* The pages show what the file is now. */
static void show_file(void) {
  for (size_t at = 0; at < FILE_MAX; at += PGSIZE) {
    void *page = mapped[at / PGSIZE];

    memset(page, 0, PGSIZE);
    if (at < file_size)
      memcpy(page, file + at, MIN(PGSIZE, file_size - at));
  }
}

int inode_deny_write(struct inode *ip) {
  assert_ptr_equal(ip, &inode);
  denied++;
  return 0;
}

void inode_allow_write(struct inode *ip) {
  assert_ptr_equal(ip, &inode);
  denied--;
}

/* --- the process --- */

static uchar trapframe[PGSIZE] __attribute__((aligned(PGSIZE)));
static struct proc proc;
static struct thread thread;
static struct {
  vaddr_t pc, sp, argv;
  long argc;
} started;

struct thread *mythread(void) {
  return &thread;
}

struct space *proc_set_space(struct proc *p, struct thread *t,
                             struct space *s) {
  struct space *old = p->space;

  assert_ptr_equal(t, &thread);

  p->space = s;
  return old;
}

struct inode *cwd_hold(void) {
  return proc.cwd;
}

static int alone; /* what proc_alone() says: 0 or -EINTR */

int proc_alone(void) { return alone; }

void user_start(struct thread *t, vaddr_t pc, vaddr_t sp, long argc,
                vaddr_t argv) {
  assert_ptr_equal(t, &thread);
  started.pc = pc;
  started.sp = sp;
  started.argc = argc;
  started.argv = argv;
}

char *safestrcpy(char *dst, const char *src, size_t n) {
  strncpy(dst, src, n - 1);
  dst[n - 1] = 0;
  return dst;
}

/* --- a good program --- */

#define TEXT 0x1000UL /* offsets in the file */
#define TEXT_SIZE 5000UL
#define DATA 0x3000UL
#define DATA_SIZE 100UL
#define DATA_MEM 9000UL

static struct elfhdr *const elf = (struct elfhdr *)file;
static struct proghdr *const ph = (struct proghdr *)(file + sizeof(*elf));
#define HEADERS 4
typedef __typeof__(ph->vaddr) word; /* an address of the ELF class */

static void make_file(void) {
  for (size_t i = 0; i < FILE_MAX; i++)
    file[i] = i * 7 + i / 256 + 1;
  memset(file, 0, sizeof(*elf) + HEADERS * sizeof(*ph));
  *elf = (struct elfhdr){.magic = ELF_MAGIC,
                         .elf = {ARCH_ELF_CLASS, ELFDATA2LSB, 1},
                         .type = ET_EXEC,
                         .machine = ARCH_ELF_MACHINE,
                         .entry = 0x10,
                         .phoff = sizeof(*elf),
                         .phentsize = sizeof(*ph),
                         .phnum = HEADERS};
  ph[0] =
      (struct proghdr){.type = 0x70000003, .filesz = 50, .memsz = (word)~0UL};
  ph[1] = (struct proghdr){.type = ELF_PROG_LOAD,
                           .flags = ELF_PROG_FLAG_EXEC | ELF_PROG_FLAG_READ,
                           .off = TEXT,
                           .filesz = TEXT_SIZE,
                           .memsz = TEXT_SIZE};
  ph[2] = (struct proghdr){.type = ELF_PROG_LOAD,
                           .flags = ELF_PROG_FLAG_WRITE,
                           .off = DATA,
                           .vaddr = 0x4000,
                           .filesz = DATA_SIZE,
                           .memsz = DATA_MEM};
  ph[3] = (struct proghdr){.type = ELF_PROG_GNU_STACK, .memsz = 0};
  file_size = DATA + DATA_SIZE;
  file_type = T_FILE;
  reads_until_error = -1;
  lock_error = 0;
}

/* Run it with two arguments. */
static int run(const char *path) {
  struct args args = {0};
  int r;

  assert_int_equal(args_add(&args, "prog"), 0);
  assert_int_equal(args_add(&args, "argument"), 0);
  memset(&started, 0, sizeof(started));
  show_file();
  r = exec(path, &args);
  args_free(&args);
  assert_int_equal(inode_refs, proc.program != NULL);
  assert_int_equal(denied, inode_refs);
  assert_int_equal(inode_locked, 0);
  return r;
}

static uint rights_at(vaddr_t va) {
  struct region *r = space_find_locked(proc.space, va);

  return r ? r->rights : 99;
}

/* What the program finds. */
static void assert_user(vaddr_t va, const uchar *want, size_t n) {
  for (size_t i = 0; i < n; i++) {
    uchar byte;

    assert_int_equal(copyin(proc.space, &byte, va + i, 1), 0);
    assert_int_equal(byte, want ? want[i] : 0);
  }
}

static void check_arguments(void) {
  vaddr_t argv[3];
  char got[32];

  assert_int_equal(started.argc, 2);
  assert_int_equal(started.argv, started.sp);
  assert_int_equal(started.sp % 16, 0);
  assert_int_equal(copyin(proc.space, argv, started.argv, sizeof(argv)), 0);
  assert_true(copyinstr(proc.space, got, argv[0], sizeof(got)) > 0);
  assert_string_equal(got, "prog");
  assert_true(copyinstr(proc.space, got, argv[1], sizeof(got)) > 0);
  assert_string_equal(got, "argument");
  assert_int_equal(argv[2], 0);
}

/* What holds for any program that was accepted. */
static void check_accepted(void) {
  vaddr_t end = 0;
  struct region *r = NULL;

  list_for_each (l, &proc.space->regions) {
    r = list_entry(l, struct region, link);
    assert_true(r->start >= end && r->end > r->start);
    assert_true(!(r->rights & PROT_WRITE) || (r->rights & PROT_READ));
    end = r->end;
  }
  assert_true(r != NULL && end <= SPACE_END);
  assert_string_equal(r->name, "stack");
  assert_int_equal(proc.space->brk, end);
  assert_true(started.sp >= r->start && started.sp < r->end);
  assert_int_equal(rights_at(r->start - 1), 0); /* the guard */
  assert_true(started.pc < SPACE_END);
  assert_int_equal(proc.space->lock.sharers, 0);
  check_arguments();
}

static void a_good_program_is_loaded(void **state) {
  struct space *old;

  (void)state;
  make_file();
  old = space_get(proc.space);
  code_written = 0;
  assert_int_equal(run("/bin/prog"), 2);
  assert_ptr_not_equal(proc.space, old);
  assert_int_equal(old->refs, 1); /* exec gave up its reference */
  space_put(old);
  check_accepted();
  assert_string_equal(proc.name, "prog");
  assert_string_equal(thread.name, "prog");
  assert_int_equal(started.pc, 0x10);
  assert_true(code_written > 0);
  assert_user(0, file + TEXT, TEXT_SIZE);
  /* text is the file's, also behind its end */
  assert_user(TEXT_SIZE, file + TEXT + TEXT_SIZE, 2 * PGSIZE - TEXT_SIZE);
  assert_user(0x4000, file + DATA, DATA_SIZE);
  assert_user(0x4000 + DATA_SIZE, NULL, 3 * PGSIZE - DATA_SIZE);
  assert_int_equal(rights_at(0), PROT_READ | PROT_EXEC);
  assert_int_equal(rights_at(2 * PGSIZE), 99); /* a gap */
  assert_int_equal(rights_at(0x4000), PROT_READ | PROT_WRITE);
  assert_int_equal(rights_at(0x7000), 0);
  assert_int_equal(rights_at(0x8000), PROT_READ | PROT_WRITE);
  assert_int_equal(proc.space->brk, 0x8000 + USERSTACK * PGSIZE);
}

/* --- and bad ones --- */

static struct {
  struct space *space;
  struct census pages;
  char name[PROCNAMESZ];
} before;

static void remember(void) {
  before.space = proc.space;
  before.pages = census_take();
  memcpy(before.name, proc.name, sizeof(before.name));
}

static void check_refused(int r) {
  assert_true(r == -ENOEXEC || r == -ENOMEM || r == -E2BIG || r == -EIO ||
              r == -ENOENT || r == -EACCES || r == -EINTR);
  assert_ptr_equal(proc.space, before.space);
  assert_memory_equal(proc.name, before.name, sizeof(before.name));
  assert_int_equal(started.argc, 0);
  assert_census(before.pages);
}

/* Run whatever the file is now. */
static int try(void) {
  int r;

  remember();
  r = run("/bin/prog");
  if (r >= 0)
    check_accepted();
  else
    check_refused(r);
  return r;
}

#define assert_refused(error)        \
  do {                               \
    assert_int_equal(try(), -error); \
    make_file();                     \
  } while (0)

static void paths_that_lead_nowhere(void **state) {
  (void)state;
  make_file();
  remember();
  check_refused(run("/bin/other"));
  file_type = T_DIR;
  assert_refused(EACCES);
  file_type = T_DEVICE;
  assert_refused(EACCES);
  lock_error = -EIO;
  assert_refused(EIO);
}

/* Another thread ends the process while this one is about to exec. */
static void killed_meanwhile(void **state) {
  (void)state;
  make_file();
  remember();
  alone = -EINTR;
  assert_refused(EINTR);
  alone = 0;
}

static void headers_that_make_no_sense(void **state) {
  uint64 reclaims_before;

  (void)state;
  make_file();
#define BAD(field, value, error)      \
  field = (__typeof__(field))(value); \
  assert_refused(error)
  BAD(elf->magic, 0x464C4580, ENOEXEC);
  BAD(elf->elf[0], ELFCLASS32 + ELFCLASS64 - ARCH_ELF_CLASS, ENOEXEC);
  BAD(elf->elf[1], 2, ENOEXEC);
  BAD(elf->machine, ARCH_ELF_MACHINE + 1, ENOEXEC);
  BAD(elf->phentsize, sizeof(*ph) - 1, ENOEXEC);
  BAD(elf->phnum, 0, ENOEXEC);
  BAD(elf->phnum, 65535, ENOEXEC);
  BAD(elf->phoff, ~0UL, ENOEXEC);
  BAD(elf->phoff, FILE_MAX, ENOEXEC);
  BAD(elf->phoff, -sizeof(*ph), ENOEXEC); /* the second would be at 0 */
  BAD(elf->entry, SPACE_END, ENOEXEC);
  BAD(elf->entry, ~0UL, ENOEXEC);
  BAD(ph[1].filesz, TEXT_SIZE + 1, ENOEXEC); /* more than memsz */
  BAD(ph[1].flags, 0, ENOEXEC);
  BAD(ph[1].off, ~0UL, ENOEXEC);
  BAD(ph[1].off, -TEXT_SIZE, ENOEXEC); /* off + filesz wraps */
  BAD(ph[1].off, FILE_MAX, ENOEXEC);
  BAD(ph[1].vaddr, 8, ENOEXEC);
  BAD(ph[2].vaddr, PGSIZE, ENOEXEC); /* overlaps the text */
  BAD(ph[2].vaddr, 0, ENOEXEC);
  BAD(ph[2].vaddr, SPACE_END, ENOEXEC);
  BAD(ph[2].vaddr, SPACE_END - 2 * PGSIZE, ENOEXEC);
  BAD(ph[2].vaddr, TRAMPOLINE, ENOEXEC);
  BAD(ph[2].vaddr, -PGSIZE, ENOEXEC);
  BAD(ph[2].memsz, ~0UL, ENOEXEC);
  BAD(ph[2].memsz, -0x4000UL, ENOEXEC); /* vaddr + memsz wraps */
  reclaims_before = reclaims;
  BAD(ph[2].memsz, SPACE_END - 0x4000, ENOMEM);
  BAD(ph[2].memsz, 1UL << 30, ENOMEM);
  assert_int_equal(reclaims, reclaims_before); /* no cache was emptied */
  BAD(ph[3].memsz, ~0UL, ENOEXEC);
  BAD(ph[3].memsz, USERSTACK_MAX * PGSIZE + 1UL, ENOEXEC);
  ph[1].memsz = ph[1].filesz = ph[2].memsz = ph[2].filesz = 0;
  assert_refused(ENOEXEC); /* nothing to load */
  /* no room for a guard and a stack above it */
  BAD(ph[2].vaddr, SPACE_END - 3 * PGSIZE, ENOEXEC);
  BAD(ph[2].vaddr, SPACE_END - 4 * PGSIZE, ENOEXEC);
  BAD(ph[2].vaddr, SPACE_END - 4 * PGSIZE, ENOEXEC);
  ph[3].memsz = PGSIZE;
  ph[2].vaddr = SPACE_END - 5 * PGSIZE; /* there is */
  assert_int_equal(try(), 2);
}

static void headers_that_are_odd_but_good(void **state) {
  (void)state;
  make_file();
  ph[3].memsz = 5 * PGSIZE - 100;
  assert_int_equal(try(), 2);
  assert_int_equal(proc.space->brk, 0x8000 + 5 * PGSIZE);
  make_file();
  ph[2].vaddr = 2 * PGSIZE; /* no gap */
  assert_int_equal(try(), 2);
  make_file();
  ph[2].filesz = 0; /* all zeros */
  assert_int_equal(try(), 2);
  assert_user(0x4000, NULL, DATA_MEM);
  make_file();
  ph[1].flags = ELF_PROG_FLAG_EXEC;
  assert_int_equal(try(), 2);
  assert_int_equal(rights_at(0), PROT_EXEC);
  make_file();
  elf->phoff = 0x5000; /* many headers, most of a type that says nothing */
  elf->phnum = 64;
  file_size = elf->phoff + 65 * sizeof(*ph);
  memset(file + elf->phoff, 0, 65 * sizeof(*ph));
  memcpy(file + elf->phoff + 62 * sizeof(*ph), &ph[1], 2 * sizeof(*ph));
  assert_int_equal(try(), 2);
  elf->phnum = 65; /* too many */
  assert_int_equal(try(), -ENOEXEC);
  make_file();
  ph[1].memsz = TEXT_SIZE; /* ends with the file */
  ph[1].off = file_size - TEXT_SIZE;
  assert_int_equal(try(), 2);
  assert_user(0, file + file_size - TEXT_SIZE, TEXT_SIZE);
}

/* A file that ends anywhere before it should. */
static void truncated_files(void **state) {
  size_t whole;

  (void)state;
  make_file();
  whole = file_size;
  for (file_size = 0; file_size < whole;
       file_size += file_size < 300 || whole - file_size < 10 ? 1 : 61)
    assert_int_equal(try(), -ENOEXEC);
  file_size = whole;
  assert_int_equal(try(), 2);
}

static uint64 wild_number(void) {
  static const uint64 interesting[] = {
      0,          1,         PGSIZE,    PGSIZE - 1, SPACE_END, MAXVA,
      TRAMPOLINE, TRAPFRAME, ~0UL,      1UL << 63,  1UL << 31, 1UL << 32,
      DATA,       64,        DATA_SIZE, 5 * PGSIZE, 56,        1UL << 38};
  uint64 n = interesting[random_below(NELEM(interesting))];

  switch (random_below(4)) {
    case 0:
      return n + random_below(5) - 2;
    case 1:
      return n - random_below(4) * PGSIZE;
    case 2:
      return random_below(16) * PGSIZE;
    default:
      return n;
  }
}

/* Change a few bytes or fields of the headers, thousands of times. */
static void wild_headers(void **state) {
  int accepted = 0;

  (void)state;
  for (int i = 0; i < 8000; i++) {
    make_file();
    for (uint64 n = 1 + random_below(3); n > 0; n--) {
      word *fields = (word *)ph;

      if (random_below(3) == 0)
        file[random_below(sizeof(*elf) + HEADERS * sizeof(*ph))] =
            random_below(256);
      else if (random_below(6) == 0)
        (random_below(2) ? &elf->entry : &elf->phoff)[0] = wild_number();
      else
        fields[random_below(HEADERS * sizeof(*ph) / sizeof(word))] =
            wild_number();
    }
    accepted += try() >= 0;
  }
  assert_in_range(accepted, 100, 7900); /* both ways were taken */
}

static void disks_that_fail(void **state) {
  int r = -EIO;

  (void)state;
  for (long n = 0; r < 0; n++) {
    make_file();
    reads_until_error = n;
    r = try();
    assert_true(r == -EIO || n == 7); /* header, 4 headers, 1 + 1 pages */
  }
}

static void memory_runs_out_at_each_page(void **state) {
  struct args args = {0};
  int r = -1;

  (void)state;
  make_file();
  assert_int_equal(args_add(&args, "prog"), 0);
  for (uint64 n = 0; r < 0; n++) {
    assert_true(n < 30);
    started.argc = 0;
    memory_leave(n);
    remember();
    r = exec("/bin/prog", &args);
    if (r < 0) {
      assert_int_equal(r, -ENOMEM);
      check_refused(r);
    }
    memory_return();
  }
  assert_int_equal(r, 1);
  args_free(&args);
}

static void arguments_that_do_not_fit(void **state) {
  struct args args = {0};
  char text[1000] = "";

  (void)state;
  make_file();
  memset(text, 'a', sizeof(text) - 1);
  for (int i = 0; i < 5; i++)
    assert_int_equal(args_add(&args, text), 0);
  started.argc = 0;
  remember();
  check_refused(exec("/bin/prog", &args)); /* more than USERARGS */
  ph[3].memsz = 2 * PGSIZE;
  assert_int_equal(exec("/bin/prog", &args), 5);
  args_free(&args);
}

/* What the segments need together must be there, with what the old program gives
 * back for it. */
static void as_much_as_there_is(void **state) {
  size_t there, half;
  vaddr_t heap;

  (void)state;
  make_file();
  there = pages_owned(PAGE_FREE) + pages_owned(PAGE_CACHE);
  half = there / 2;
  ph[1].flags |= ELF_PROG_FLAG_WRITE;
  ph[1].memsz = half * PGSIZE;
  ph[2].vaddr = ph[1].memsz;
  ph[2].memsz = half * PGSIZE;
  assert_int_equal(try(), -ENOMEM); /* some are always kept */
  ph[2].memsz = (half - 80) * PGSIZE;
  assert_int_equal(try(), 2);
  /* the program has much of the memory */
  assert_int_equal(space_sbrk(proc.space, half * PGSIZE, false, &heap), 0);
  for (size_t i = 0; i < half; i++)
    assert_int_equal(fault_resolve(proc.space, heap + i * PGSIZE, PROT_WRITE),
                     0);
  assert_int_equal(run("/bin/prog"), 2);
  check_accepted();
}

/* The first program has no space to give up. */
static void the_first_program(void **state) {
  (void)state;
  make_file();
  space_put(proc.space);
  proc.space = NULL;
  assert_int_equal(run("/bin/prog"), 2);
  check_accepted();
}

static int start(void **state) {
  (void)state;
  ram_start(400);
  inode.object.ops = &ops;
  initlock(&inode.object.lock, "object");
  list_init(&inode.object.regions);
  list_init(&inode.object.ways);
  for (uint i = 0; i < NELEM(mapped); i++)
    mapped[i] = kalloc_zero(PAGE_CACHE);
  initlock(&proc.lock, "proc");
  thread.proc = &proc;
  thread.arch.trapframe = (struct trapframe *)trapframe;
  proc.space = space_create();
  return 0;
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(a_good_program_is_loaded),
      cmocka_unit_test(paths_that_lead_nowhere),
      cmocka_unit_test(killed_meanwhile),
      cmocka_unit_test(headers_that_make_no_sense),
      cmocka_unit_test(headers_that_are_odd_but_good),
      cmocka_unit_test(truncated_files),
      cmocka_unit_test(wild_headers),
      cmocka_unit_test(disks_that_fail),
      cmocka_unit_test(memory_runs_out_at_each_page),
      cmocka_unit_test(arguments_that_do_not_fit),
      cmocka_unit_test(as_much_as_there_is),
      cmocka_unit_test(the_first_program),
  };

  return cmocka_run_group_tests(tests, start, NULL);
}
