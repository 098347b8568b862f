/*
 * TLB shootdown and address-space identifiers, kernel/mm/tlb.c and
 * kernel/arch/riscv/tables.c, on harts that are threads of this computer, with
 * a TLB that remembers as much as the privileged specification lets it.
 *
 * The harts switch between spaces, several at a time in the same, read memory in
 * user mode and as copyin does, and take pages away from any space, whose
 * frames are then used for another page at once. A hart that meets a frame of
 * another page through its TLB used a translation that it should have forgotten.
 * There are fewer ASIDs than spaces, so these are used again all the time.
 *
 * An interrupt arrives only where a hart looks for it, as between two
 * instructions; what it does in between is one of them.
 */
#define _GNU_SOURCE
#include <pthread.h>
#include <sched.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "types.h"

/* --- the machine: in place of the headers that say what it is --- */

#define RISCV_H
#define PGSIZE 4096
#define PGSHIFT 12
#define PT_LEVELS 3
#define MAXVA (1UL << 38)
#define SATP_ASID_SHIFT 44
#define SATP_ASID_MASK 0xffffUL
#define MAKE_SATP(pagetable) ((uint64)(pagetable) >> PGSHIFT)

static uint64 r_satp(void);
static void w_satp(uint64 satp);
static void sfence_vma(void);
static void sfence_vma_asid(uint64 asid);
static void sfence_vma_page_asid(uint64 va, uint64 asid);
static void fence_i(void);

#define ARCH_CPU_H
static __thread struct cpu *this_hart;
static inline struct cpu *mycpu(void) { return this_hart; }
static inline void intr_on(void) {}
static inline void intr_off(void) {}
static inline bool intr_get(void) { return false; }
static inline void cpu_relax(void) { sched_yield(); }
static inline uint64 cpu_clock(void) { return 0; }
struct thread *mythread(void);

#define ARCH_THREAD_H
struct context {
  int unused;
};
struct arch_thread {
  struct trapframe *trapframe;
  uint64 satp;
};

#include "../../kernel/arch/riscv/arch_space.h"

/* Who is between two steps of the protocol may be slow. */
static uint random_below(uint n);
#define DAWDLE (random_below(4) ? 0 : sched_yield())
#define __atomic_thread_fence(order) (DAWDLE, __atomic_thread_fence(order))
#define arch_space_outdate(as, told) (DAWDLE, arch_space_outdate(as, told))

#include "../../kernel/arch/riscv/tables.c"
#include "../../kernel/mm/tlb.c"
#include "../../kernel/sync/spinlock.c"
#include "../../kernel/sync/trace.c"

#define HARTS 4
#define SPACES 8
#define PAGES 12
#define FRAMES 128
#define ASIDS 4 /* with 0, the kernel's */
#define STEPS 100000

struct cpu cpus[NCPU];
int ncpu = HARTS;
pagetable_t kernel_pagetable;
char trampoline[1], uservec[1], userret[1];

static const char *option; /* asid=... */
const char *cmdline_get(const char *name) {
  assert_string_equal(name, "asid");
  return option;
}
uint64 cmdline_number(const char *name, uint64 otherwise) {
  return cmdline_get(name) ? strtoul(option, NULL, 10) : otherwise;
}

/* Nothing here makes a table. */
int mappages(pagetable_t t, vaddr_t va, size_t n, paddr_t pa, uint perm) {
  (void)t, (void)va, (void)n, (void)pa, (void)perm;
  abort();
}
void unmappages(pagetable_t t, vaddr_t va, size_t n,
                void (*f)(void *, pte_t, int), void *arg) {
  (void)t, (void)va, (void)n, (void)f, (void)arg;
  abort();
}
pte_t *walk(pagetable_t t, vaddr_t va, bool alloc) {
  (void)t, (void)va, (void)alloc;
  abort();
}
void panic(const char *fmt, ...) {
  print_error("panic: %s\n", fmt);
  abort();
}

/* Of each hart, which alone uses it. */
static __thread struct {
  uint64 satp;
  uint frame[ASIDS][PAGES]; /* 0: nothing cached */
  uint64 random;
} hart;

static uint random_below(uint n) {
  hart.random = hart.random * 6364136223846793005 + 1442695040888963407;
  return (hart.random >> 33) % n;
}

static uint64 r_satp(void) { return hart.satp; }
static void w_satp(uint64 satp) {
  hart.satp = satp & ~((SATP_ASID_MASK & ~(ASIDS - 1UL)) << SATP_ASID_SHIFT);
}
static void sfence_vma(void) { memset(hart.frame, 0, sizeof(hart.frame)); }
static void sfence_vma_asid(uint64 asid) {
  memset(hart.frame[asid], 0, sizeof(hart.frame[asid]));
}
static void sfence_vma_page_asid(uint64 va, uint64 asid) {
  if (va / PGSIZE < PAGES)
    hart.frame[asid][va / PGSIZE] = 0;
}

static uint fences[HARTS]; /* fence.i, of each hart */

static void fence_i(void) { fences[this_hart->id]++; }

void ipi_send(struct cpu *c, uint why) {
  __atomic_fetch_or(&c->ipi, why, __ATOMIC_ACQ_REL);
}

/* --- memory --- */

static struct model {
  uint frame[PAGES]; /* [a] its page table; 0: not mapped */
  struct spinlock ptl;
  struct arch_space arch;
} __attribute__((aligned(PGSIZE))) spaces[SPACES];

static uint used_for[FRAMES];   /* [a] what a frame is; 0: free */
static uint running = HARTS;    /* [a] harts that are not through */
static uint stale, reads, hits; /* [a] */

static uint use_of(const struct model *s, uint page) {
  return (s - spaces) * PAGES + page + 1;
}

static void check_frame(uint frame, const struct model *s, uint page) {
  if (__atomic_load_n(&used_for[frame], __ATOMIC_ACQUIRE) != use_of(s, page))
    __atomic_fetch_add(&stale, 1, __ATOMIC_RELAXED);
}

/* What hardware does at an address, and before it on a guess. Returns the
 * frame. */
static uint translate(uint page) {
  const struct model *s =
      (void *)((hart.satp & ((1UL << SATP_ASID_SHIFT) - 1)) << PGSHIFT);
  uint *cached =
      &hart.frame[(hart.satp >> SATP_ASID_SHIFT) & SATP_ASID_MASK][page];

  if (*cached == 0)
    *cached = __atomic_load_n(&s->frame[page], __ATOMIC_RELAXED);
  else
    __atomic_fetch_add(&hits, 1, __ATOMIC_RELAXED);
  return *cached;
}

static void user_mode(struct thread *t, struct model *s) {
  if (t->arch.satp == 0)
    user_satp_prepare(t);
  w_satp(t->arch.satp);
  if (asid_max == 0) /* trampoline.S */
    sfence_vma_asid(0);
  for (int i = 0; i < 8; i++) {
    uint page = random_below(PAGES), frame = translate(page);

    translate(random_below(PAGES));
    if (frame != 0)
      check_frame(frame, s, page);
    __atomic_fetch_add(&reads, 1, __ATOMIC_RELAXED);
    if (random_below(8) == 0)
      sched_yield(); /* another hart is faster */
  }
  w_satp(0);
  if (asid_max == 0)
    sfence_vma_asid(0);
}

static void copy_in(struct model *s) {
  uint page = random_below(PAGES);
  uint frame = __atomic_load_n(&s->frame[page], __ATOMIC_RELAXED);

  if (random_below(4) == 0)
    sched_yield();
  if (frame != 0)
    check_frame(frame, s, page);
}

static void map(struct model *s, uint page) {
  acquire(&s->ptl);
  for (uint f = 1; f < FRAMES && s->frame[page] == 0; f++) {
    uint free = 0;

    if (__atomic_compare_exchange_n(&used_for[f], &free, use_of(s, page), false,
                                    __ATOMIC_ACQ_REL, __ATOMIC_RELAXED))
      __atomic_store_n(&s->frame[page], f, __ATOMIC_RELEASE);
  }
  release(&s->ptl);
}

/* Some pages from `page` on: few, or so many that all is flushed. */
static void unmap(struct model *s, uint page) {
  uint n = 1 + random_below(PAGES - page), frames[PAGES];

  acquire(&s->ptl);
  for (uint i = 0; i < n; i++) {
    frames[i] = s->frame[page + i];
    __atomic_store_n(&s->frame[page + i], 0, __ATOMIC_RELEASE);
  }
  release(&s->ptl);
  tables_flush_user(&s->arch, page * PGSIZE, n * PGSIZE);
  for (uint i = 0; i < n; i++)
    if (frames[i] != 0)
      __atomic_store_n(&used_for[frames[i]], 0, __ATOMIC_RELEASE);
}

/* --- harts --- */

static struct model *switch_space(struct thread *t, struct model *to) {
  tables_switch(t->arch_space, &to->arch);
  t->arch_space = &to->arch;
  t->pagetable = (pagetable_t)to;
  t->arch.satp = 0;
  return to;
}

static void step(struct thread *t, struct model **s) {
  struct model *any = &spaces[random_below(SPACES)];

  switch (random_below(8)) {
    case 0:
      *s = switch_space(t, any);
      break;
    case 1:
      unmap(random_below(2) ? *s : any, random_below(PAGES));
      break;
    case 2:
      copy_in(*s);
      break;
    case 3:
      map(*s, random_below(PAGES));
      break;
    case 4:
      t->arch.satp = 0; /* another thread of the space has its turn */
      break;
    default:
      user_mode(t, *s);
  }
}

static void *run_hart(void *arg) {
  struct thread t = {.pagetable = NULL};
  struct model *s;

  this_hart = arg;
  this_hart->thread = &t;
  hart.random = this_hart->id;
  s = switch_space(&t, &spaces[0]);
  for (int i = 0; i < STEPS; i++) {
    tlb_serve();
    step(&t, &s);
  }
  tables_switch(t.arch_space, NULL);
  __atomic_fetch_sub(&running, 1, __ATOMIC_RELEASE);
  while (__atomic_load_n(&running, __ATOMIC_ACQUIRE) > 0) {
    tlb_serve();
    sched_yield();
  }
  return NULL;
}

static void boot(const char *asid) {
  option = asid;
  memset(spaces, 0, sizeof(spaces));
  memset(used_for, 0, sizeof(used_for));
  memset(cpus, 0, sizeof(cpus));
  asid_max = 0;
  generation = next = 1;
  running = HARTS;
  stale = hits = reads = 0;
  for (int i = 0; i < HARTS; i++)
    cpus[i] = (struct cpu){.id = i, .online = true};
  this_hart = &cpus[0];
  tables_load_kernel(NULL);
  for (int i = 0; i < SPACES; i++)
    initlock(&spaces[i].ptl, "ptl");
}

static void no_hart_uses_an_old_translation(void **state) {
  static const char *const options[] = {NULL, "1", "off"};
  static const uint asids[] = {ASIDS - 1, 1, 0};
  pthread_t threads[HARTS];

  (void)state;
  for (uint i = 0; i < NELEM(options); i++) {
    boot(options[i]);
    assert_int_equal(tables_asids(), asids[i]);
    for (int n = 0; n < HARTS; n++)
      assert_int_equal(pthread_create(&threads[n], NULL, run_hart, &cpus[n]),
                       0);
    for (int n = 0; n < HARTS; n++)
      pthread_join(threads[n], NULL);
    assert_int_equal(stale, 0);
    /* the TLBs did remember, and were asked to forget */
    assert_true(hits > reads / 8);
    assert_true(cpus[0].shootdowns > 100);
    assert_true(asids[i] == 0 || generation > 10);
  }
}

/* --- who is told --- */

static void enter(struct thread *t, int cpu, struct model *s) {
  this_hart = &cpus[cpu];
  this_hart->thread = t;
  switch_space(t, s);
  user_satp_prepare(t);
}

static void leave(struct thread *t, int cpu, struct model *to) {
  this_hart = &cpus[cpu];
  switch_space(t, to);
}

/* Only CPUs that run a thread of the space; not even one that did before. */
static void others_are_left_alone(void **state) {
  struct thread threads[3] = {{.pid = 0}};
  uint64 flushes;

  (void)state;
  boot(NULL);
  enter(&threads[1], 1, &spaces[0]);
  enter(&threads[2], 2, &spaces[0]);
  leave(&threads[1], 1, &spaces[2]);
  leave(&threads[2], 2, &spaces[1]);
  enter(&threads[0], 0, &spaces[0]);
  tables_flush_user(&spaces[0].arch, 0,
                    PGSIZE); /* returns: no one to wait for */
  assert_int_equal(cpus[0].shootdowns, 0);
  assert_int_equal(cpus[0].tlb_pages, 1);
  /* the CPU that is told about everything need not catch up */
  flushes = cpus[0].tlb_flushes;
  user_satp_prepare(&threads[0]);
  assert_int_equal(cpus[0].tlb_flushes, flushes);
  /* one that was not must, once */
  flushes = cpus[2].tlb_flushes;
  enter(&threads[2], 2, &spaces[0]);
  user_satp_prepare(&threads[2]);
  assert_int_equal(cpus[2].tlb_flushes, flushes + 1);
}

/* Each space its own number while there are enough; then all get others. */
static void identifiers_are_used_again(void **state) {
  struct thread t = {.pid = 0};
  uint64 first[ASIDS], word;

  (void)state;
  boot(NULL);
  for (int i = 1; i < ASIDS; i++) {
    enter(&t, 0, &spaces[i]);
    first[i] = ASID(spaces[i].arch.asid);
    assert_int_equal(first[i], i);
  }
  enter(&t, 0, &spaces[1]); /* has one already */
  assert_int_equal(t.arch.satp >> SATP_ASID_SHIFT, first[1]);
  assert_int_equal(generation, 1);
  enter(&t, 0, &spaces[ASIDS]); /* one too many */
  assert_int_equal(generation, 2);
  assert_int_equal(t.arch.satp >> SATP_ASID_SHIFT, 1);
  word = spaces[1].arch.asid;
  enter(&t, 0, &spaces[1]);
  assert_int_not_equal(spaces[1].arch.asid, word);
  assert_int_equal(t.arch.satp >> SATP_ASID_SHIFT, 2);
}

/* Each hart fetches what was written on its next way to user mode, or when it is
 * told about the space; once. */
static void new_instructions_are_seen(void **state) {
  struct thread threads[2] = {{.pid = 0}};
  uint before[2];

  (void)state;
  boot(NULL);
  for (int i = 0; i < 2; i++)
    enter(&threads[i], i, &spaces[0]);
  memcpy(before, fences, sizeof(before));
  instructions_written();
  for (int round = 0; round < 2; round++)
    for (int i = 0; i < 2; i++) {
      this_hart = &cpus[i];
      user_satp_prepare(&threads[i]);
      assert_int_equal(fences[i], before[i] + 1);
    }
  instructions_written();
  tlb_flush_space(&spaces[0].arch, 0, PGSIZE);
  assert_int_equal(fences[1], before[1] + 2);
  assert_int_equal(fences[0], before[0] + 1);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(new_instructions_are_seen),
      cmocka_unit_test(no_hart_uses_an_old_translation),
      cmocka_unit_test(others_are_left_alone),
      cmocka_unit_test(identifiers_are_used_again),
  };

  return cmocka_run_group_tests(tests, NULL, NULL);
}
