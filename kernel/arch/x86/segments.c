/*
 * Segments of a CPU (SDM vol. 3A, 3.4 and 7.2).
 *
 * Code and data segments are flat: they begin at 0 and hold all 4 GiB, so that
 * an address in a segment is a virtual address. Each CPU has a descriptor
 * table (GDT) of its own, for the sake of the four entries that differ:
 *
 *   %fs -> SEG_CPU -> struct percpu, which begins with a pointer to struct cpu
 *   %gs -> SEG_TLS -> what the running program calls its thread-local storage
 *   tr  -> SEG_TSS -> the task state: esp0, the stack for traps from user mode
 *          SEG_DF  -> the task that a double fault switches to
 *
 * SEG_CPU may be loaded by user mode, too, so that %fs can keep it there and
 * traps need not load it: reading through it then is a page fault like any
 * other access to the kernel's memory. Its selector always stands for this
 * CPU's segment, since a CPU loads it from no other table.
 *
 * There is no table of a program's own (LDT), and that must be said, too: at
 * reset the CPU takes the first 64 KiB for it (9.1.1, table 9-1), which are the
 * running program's to write, gates to level 0 and all.
 *
 * A trap in the kernel uses the stack that it finds. If that one is full, then
 * pushing the trap's frame faults again, and the CPU calls it a double fault.
 * So that one is not served on the stack but by a task (7.3): the CPU saves
 * all registers in the task state, and loads those of the other task, which
 * has a stack of its own.
 */
#include "segments.h"

#include "arch_thread.h"
#include "cpu.h"
#include "lib/panic.h"
#include "memlayout.h"
#include "sched/thread.h"
#include "x86.h"

/* A task state segment (figure 7-2). */
struct tss {
  uint32 link;
  uint32 esp0, ss0; /* on the way from user mode into the kernel */
  uint32 esp1, ss1, esp2, ss2;
  uint32 cr3;
  uint32 eip, eflags;
  uint32 eax, ecx, edx, ebx, esp, ebp, esi, edi;
  uint32 es, cs, ss, ds, fs, gs;
  uint32 ldt;
  uint16 trap;
  uint16 io_map; /* offset of the permitted ports; at the end: none are */
};
_Static_assert(sizeof(struct tss) == 104, "SDM figure 7-2");

#define SYSENTER_WORDS 16 /* for a debug exception and an NMI before esp0 */
#define FAULT_STACK PGSIZE

/* Of one CPU: only it uses its own. */
static struct percpu {
  struct cpu *cpu; /* %fs:0 (arch_cpu.h) */
  uint32 sysenter_stack[SYSENTER_WORDS];
  vaddr_t esp0; /* follows that stack: trapvec.S */
  struct tss tss;
  struct tss fault_task;
  uint64 gdt[NSEGS];
  uint8 fault_stack[FAULT_STACK] __attribute__((aligned(16)));
} percpus[NCPU];

/* Access byte of a descriptor: present, privilege, type (3.4.5.1, table 3-1;
 * 3.5, table 3-2). The bit for "accessed" is set, so that the CPU needs not. */
#define ACCESS(dpl, type) (0x80 | ((dpl) << 5) | (type))
#define TYPE_READ 0x11  /* data, read-only */
#define TYPE_WRITE 0x13 /* data */
#define TYPE_CODE 0x1b  /* code, readable */
#define TYPE_TSS 0x09   /* task state, not busy */

#define FLAGS_FLAT 0xc /* 32 bits, limit in pages */
#define FLAGS_BYTES 0x4

#define LIMIT_FLAT 0xfffff

/* Figure 3-8. */
static uint64 descriptor(vaddr_t base, uint32 limit, uint access, uint flags) {
  uint32 low = (base & 0xffff) << 16 | (limit & 0xffff);
  uint32 high = (base & 0xff000000) | flags << 20 | (limit & 0xf0000) |
                access << 8 | ((base >> 16) & 0xff);

  return (uint64)high << 32 | low;
}

static uint64 flat(uint dpl, uint type) {
  return descriptor(0, LIMIT_FLAT, ACCESS(dpl, type), FLAGS_FLAT);
}

static uint64 object(const void *at, size_t size, uint dpl, uint type) {
  return descriptor((vaddr_t)at, size - 1, ACCESS(dpl, type), FLAGS_BYTES);
}

static void make_gdt(struct percpu *p) {
  p->gdt[SEG_KCODE] = flat(0, TYPE_CODE);
  p->gdt[SEG_KDATA] = flat(0, TYPE_WRITE);
  p->gdt[SEG_UCODE] = flat(3, TYPE_CODE);
  p->gdt[SEG_UDATA] = flat(3, TYPE_WRITE);
  p->gdt[SEG_CPU] = object(&p->cpu, sizeof(p->cpu), 3, TYPE_READ);
  p->gdt[SEG_TSS] = object(&p->tss, sizeof(p->tss), 0, TYPE_TSS);
  p->gdt[SEG_DF] = object(&p->fault_task, sizeof(p->fault_task), 0, TYPE_TSS);
}

static void load_gdt(struct percpu *p) {
  struct {
    uint16 limit;
    uint32 base;
  } __attribute__((packed)) gdtr = {sizeof(p->gdt) - 1, (uint32)p->gdt};

  /* the far return loads cs */
  asm volatile(
      "lgdt %0\n\t"
      "pushl %1\n\t"
      "pushl $1f\n\t"
      "lretl\n"
      "1:\n\t"
      "movl %2, %%ss\n\t"
      "movl %3, %%ds\n\t"
      "movl %3, %%es\n\t"
      "movl %4, %%fs\n\t"
      "movl %5, %%gs\n\t"
      "ltr %w6\n\t"
      "lldt %w5"
      :
      : "m"(gdtr), "i"(KCODE_SEL), "r"(KDATA_SEL), "r"(UDATA_SEL), "r"(CPU_SEL),
        "r"(0), "r"(TSS_SEL)
      : "memory");
}

/* --- double faults --- */

static struct percpu *my_percpu(void) { return &percpus[mycpu() - cpus]; }

/* Would a trap's frame, pushed at esp, reach into the guard page? */
static bool stack_is_full(const struct thread *t, vaddr_t esp) {
  return t != NULL && esp >= t->kstack - PGSIZE &&
         esp < t->kstack + sizeof(struct trapframe);
}

/* Where the fault task begins. The interrupted registers are in the task state
 * of the other. */
static void __attribute__((noreturn)) double_fault(void) {
  const struct tss *tss = &my_percpu()->tss;
  const struct thread *t = mycpu()->thread;

  if (stack_is_full(t, tss->esp))
    panic_at(tss->eip, tss->ebp,
             "kernel stack overflow: thread %s, stack pointer %p is in the "
             "guard page under its stack at %p",
             t->name, (void *)tss->esp, (void *)t->kstack);
  panic_at(tss->eip, tss->ebp, "double fault: pc %p, stack pointer %p",
           (void *)tss->eip, (void *)tss->esp);
}

static void make_tasks(struct percpu *p) {
  p->tss = (struct tss){.ss0 = KDATA_SEL, .io_map = sizeof(struct tss)};
  p->fault_task = (struct tss){.cr3 = r_cr3(),
                               .eip = (uint32)double_fault,
                               .eflags = FL_FIXED,
                               .esp = (uint32)(p->fault_stack + FAULT_STACK),
                               .cs = KCODE_SEL,
                               .ss = KDATA_SEL,
                               .ds = UDATA_SEL,
                               .es = UDATA_SEL,
                               .fs = CPU_SEL,
                               .io_map = sizeof(struct tss)};
}

/* --- what the others ask for --- */

void segments_init(struct cpu *c) {
  struct percpu *p = &percpus[c - cpus];

  p->cpu = c;
  make_tasks(p);
  make_gdt(p);
  load_gdt(p);
}

void segments_set_stack(vaddr_t esp0) {
  struct percpu *p = my_percpu();

  p->esp0 = esp0;
  p->tss.esp0 = esp0;
}

/* Flat but for its base: paging guards what lies there. */
void segments_set_tls(vaddr_t base) {
  my_percpu()->gdt[SEG_TLS] =
      descriptor(base, LIMIT_FLAT, ACCESS(3, TYPE_WRITE), FLAGS_FLAT);
}

void segments_set_fault_space(uint32 cr3) { my_percpu()->fault_task.cr3 = cr3; }

vaddr_t segments_sysenter_stack(void) { return (vaddr_t)&my_percpu()->esp0; }
