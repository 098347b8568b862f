/*
 * System calls that look at the system: its memory, its processes, its page
 * tables. Contents of memory are never shown, only how it is arranged; a
 * process that gave up RIGHT_INSPECT sees its own arrangement only.
 */
#include "abi/inspect.h"
#include "arch_elf.h"
#include "cpu.h"
#include "lib/string.h"
#include "machine.h"
#include "mm/kalloc.h"
#include "mm/kvm.h"
#include "proc/proc.h"
#include "sched/sched.h"
#include "sys/syscall.h"
#include "version.h"
#include "vm/fault.h"
#include "vm/inspect.h"
#include "vm/usercopy.h"

long sys_meminfo(void) {
  struct meminfo m = {.page_size = PGSIZE,
                      .total = pages_total(),
                      .free = pages_owned(PAGE_FREE),
                      .image = pages_owned(PAGE_IMAGE),
                      .kernel = pages_owned(PAGE_KERNEL),
                      .slab = pages_owned(PAGE_SLAB),
                      .stacks = pages_owned(PAGE_STACK),
                      .tables = pages_owned(PAGE_TABLE),
                      .user = pages_owned(PAGE_USER),
                      .cache = pages_owned(PAGE_CACHE),
                      .pipes = pages_owned(PAGE_PIPE),
                      .zero = pages_owned(PAGE_ZERO),
                      .reserved = pages_owned(PAGE_RESERVED),
                      .largest = pages_largest()};

  return copyout(myproc()->space, argaddr(0), &m, sizeof(m));
}

/* The rights for which page-table entries have a bit. */
static uint deniable_rights(void) {
  return (PTE_R != 0 ? VM_READ : 0) | (PTE_W != 0 ? VM_WRITE : 0) |
         (PTE_X != 0 ? VM_EXEC : 0);
}

long sys_sysinfo(void) {
  struct fault_counts faults;
  struct sched_stats st;
  struct sysinfo s;

  sched_stats(&st);
  fault_totals(&faults);
  s = (struct sysinfo){.uptime_ns = clock_ns(),
                       .idle_ns = st.idle_ns,
                       .switches = st.switches,
                       .faults = faults,
                       .cpus = ncpu,
                       .processes = proc_count(),
                       .processes_max = proc_max(),
                       .runnable = st.runnable,
                       .levels = PT_LEVELS,
                       .index_bits = PT_INDEX_BITS,
                       .asids = tables_asids(),
                       .rights = deniable_rights(),
                       .elf_class = ARCH_ELF_CLASS,
                       .elf_machine = ARCH_ELF_MACHINE,
                       .pte_flags = PTE_LETTERS};
  for (int i = 0; i < ncpu; i++) {
    s.interrupts += cpus[i].interrupts;
    s.syscalls += cpus[i].syscalls;
    s.shootdowns += cpus[i].shootdowns;
    s.tlb_flushes += cpus[i].tlb_flushes;
    s.tlb_pages += cpus[i].tlb_pages;
  }
  safestrcpy(s.version, KERNEL_VERSION, sizeof(s.version));
  safestrcpy(s.machine, machine.model, sizeof(s.machine));
  safestrcpy(s.arch, MACHINE_ARCH, sizeof(s.arch));
  return copyout(myproc()->space, argaddr(0), &s, sizeof(s));
}

/* Copy out items that fill() produces by the page: fill(arg, buf, n) writes up
 * to n and returns how many; it is called until it writes fewer, or `max` are
 * there. */
struct producer {
  size_t size; /* bytes of an item */
  int (*fill)(struct producer *p, void *buf, int n);
  int pid;
  vaddr_t from;
};

static long produce(struct producer *p, vaddr_t dst, long max) {
  char *page = kalloc();
  int at_once = PGSIZE / p->size, got, n;
  long done = 0;

  if (page == NULL)
    return -ENOMEM;
  do {
    n = MIN(max - done, at_once);
    got = n > 0 ? p->fill(p, page, n) : 0;
    if (got > 0 &&
        copyout(myproc()->space, dst + done * p->size, page, got * p->size) < 0)
      got = -EFAULT;
    if (got < 0) {
      kfree(page);
      return got;
    }
    done += got;
  } while (got == n && n > 0);
  kfree(page);
  return done;
}

static int fill_procs(struct producer *p, void *buf, int n) {
  struct procinfo *info = buf;
  int got = proc_list(p->pid, info, n);

  if (got > 0)
    p->pid = info[got - 1].pid;
  return got;
}

long sys_procs(void) {
  struct producer p = {.size = sizeof(struct procinfo), .fill = fill_procs};

  return argint(1) < 0 ? -EINVAL : produce(&p, argaddr(0), argint(1));
}

/* The space of argument 0, which is a pid, with its lock held; NULL for the
 * kernel's. */
static int open_space(struct space **s) {
  int pid = argint(0);

  *s = NULL;
  if (!proc_may_inspect(pid))
    return -EPERM;
  if (pid == PID_KERNEL)
    return 0;
  *s = proc_space(pid);
  if (*s == NULL)
    return -ESRCH;
  acquire_shared(&(*s)->lock);
  return 0;
}

static void close_space(struct space *s) {
  if (s == NULL)
    return;
  release_shared(&s->lock);
  space_put(s);
}

static int fill_regions(struct producer *p, void *buf, int n) {
  struct vmregion *r = buf;
  struct space *s;
  int got = open_space(&s);

  if (got < 0)
    return got;
  got = s ? inspect_regions(s, p->from, r, n) : 0;
  close_space(s);
  if (got > 0)
    p->from = r[got - 1].end;
  return got;
}

long sys_vmregions(void) {
  struct producer p = {.size = sizeof(struct vmregion), .fill = fill_regions};

  return argint(2) < 0 ? -EINVAL : produce(&p, argaddr(1), argint(2));
}

static int fill_leaves(struct producer *p, void *buf, int n) {
  struct ptentry *e = buf;
  struct space *s;
  int got = open_space(&s);

  if (got < 0)
    return got;
  got = inspect_leaves(s, p->from, e, n);
  close_space(s);
  if (got > 0)
    p->from = e[got - 1].va + e[got - 1].size;
  return got;
}

long sys_ptdump(void) {
  struct producer p = {
      .size = sizeof(struct ptentry), .fill = fill_leaves, .from = argaddr(1)};

  return argint(3) < 0 ? -EINVAL : produce(&p, argaddr(2), argint(3));
}

long sys_ptwalk(void) {
  vaddr_t va = argaddr(1);
  struct space *s;
  struct ptwalk w;
  int r = open_space(&s);

  if (r < 0)
    return r;
  if (s != NULL)
    space_trace(s, va, &w);
  else
    pagetable_trace(kernel_pagetable, va, &w);
  inspect_name(s, va, w.name, sizeof(w.name));
  close_space(s);
  return copyout(myproc()->space, argaddr(2), &w, sizeof(w));
}
