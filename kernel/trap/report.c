/*
 * Messages about faults. See report.h.
 */
#include "trap/report.h"

#include "lib/panic.h"
#include "lib/printf.h"
#include "mm/kvm.h"
#include "proc/proc.h"
#include "trap.h"
#include "vm/inspect.h"

/* One message at a time. */
static struct sleeplock report_lock;

/* Why the walk did not end well for this access (PROT_*). */
static const char *fault_reason(const struct ptwalk *w, uint access) {
  if (w->fault == PT_BADADDR)
    return "the address is above what a page table translates";
  if (w->fault == PT_INVALID)
    return "the entry is not valid: nothing is mapped";
  if (w->fault == PT_NOTUSER)
    return "the page is for the kernel only (no u)";
  if (access == PROT_WRITE)
    return "the page may not be written (no w)";
  return access == PROT_EXEC ? "the page may not be executed (no x)"
                             : "the page may not be read (no r)";
}

static void print_flags(pte_t pte) {
  char text[] = PTE_LETTERS;

  for (uint i = 0; text[i]; i++) {
    if (!(pte >> i & 1))
      text[i] = '-';
  }
  printf("%s", text);
}

static void print_walk(const struct ptwalk *w) {
  printf("  walk from root %p:\n", (void *)(paddr_t)w->root);
  for (int i = 0; i < w->steps; i++) {
    pte_t pte = w->step[i].pte;

    printf(sizeof(pte) > 4 ? "    level %d [%3d]  pte %016llx  "
                           : "    level %d [%3d]  pte %08llx  ",
           w->step[i].level, w->step[i].index, (unsigned long long)pte);
    print_flags(pte);
    if (pte & PTE_V)
      printf("  -> %s %p", w->step[i].leaf ? "page" : "table",
             (void *)PTE2PA(pte));
    printf("\n");
  }
}

/* What is known of the address of a fault. It is looked up first, which may
 * sleep, and printed after, in one piece. */
struct address {
  vaddr_t va;
  bool in_region;
  struct region region; /* a copy */
  struct ptwalk walk;
};

static void find_address(struct space *s, struct address *a) {
  struct region *r;

  acquire_shared(&s->lock);
  r = a->va < SPACE_END ? space_find_locked(s, a->va) : NULL;
  a->in_region = r != NULL;
  if (r != NULL)
    a->region = *r;
  space_trace(s, a->va, &a->walk);
  release_shared(&s->lock);
}

/* "region heap 0x..-0x.. rw-", or what else is there. */
static void print_region(const struct address *a) {
  const struct region *r = a->in_region ? &a->region : NULL;
  vaddr_t va = a->va;
  const char *machine_part = va < MAXVA ? tables_describe_user(va) : NULL;

  if (r != NULL)
    printf("  region %s %p-%p %c%c%c\n", r->name, (void *)r->start,
           (void *)r->end, r->rights & PROT_READ ? 'r' : '-',
           r->rights & PROT_WRITE ? 'w' : '-',
           r->rights & PROT_EXEC ? 'x' : '-');
  else if (machine_part != NULL)
    printf("  the %s: mapped for the kernel only\n", machine_part);
  else
    printf("  no region holds that address\n");
}

static void print_address(const struct address *a, uint access) {
  print_region(a);
  print_walk(&a->walk);
  printf("    %s\n", fault_reason(&a->walk, access));
}

void report_user_fault(const char *cause, vaddr_t value, uint access) {
  static struct address address; /* large for a stack; report_lock guards it */
  struct thread *t = mythread();
  struct proc *p = t->proc;

  acquiresleep(&report_lock);
  address.va = value;
  if (access)
    find_address(p->space, &address);
  printf_hold();
  printf(t->tid == p->pid ? "%s (pid %d) killed: %s at pc %p, %s %p\n"
                          : "%s (thread %d) killed: %s at pc %p, %s %p\n",
         p->name, t->tid, cause, (void *)user_pc(&t->arch),
         access ? "address" : "value", (void *)value);
  if (access)
    print_address(&address, access);
  user_print_registers(t);
  printf_release();
  releasesleep(&report_lock);
}

/* For a panic: which thread and process. */
static void report_thread(void) {
  const struct thread *t = mycpu()->thread;

  if (t == NULL)
    return;
  printf("thread %s, kernel stack %p", t->name, (void *)t->kstack);
  if (t->proc != NULL)
    printf(", process %s (pid %d)", t->proc->name, t->proc->pid);
  printf("\n");
}

void report_init(void) {
  initsleeplock(&report_lock, "report");
  panic_ops.describe = report_thread;
}

void report_kernel_walk(vaddr_t va) {
  struct ptwalk w;
  char name[20];

  if (kernel_pagetable == NULL)
    return;
  kvm_describe(va, name, sizeof(name));
  printf("  address %p is %s\n", (void *)va, name[0] ? name : "not mapped");
  pagetable_trace(kernel_pagetable, va, &w);
  print_walk(&w);
}
