/*
 * Walking a chain of stack frames (arch_frame.h).
 *
 * A frame is read only if it lies in memory that certainly is a mapped stack:
 * the boot stacks, or the kernel stack of the thread that runs on this CPU.
 * The chain must go up, so that a loop in it ends.
 */
#include "arch_frame.h"

#include "cpu.h"
#include "memlayout.h"
#include "sched/thread.h"
#include "start.h"

extern char stack0[]; /* entry.S: the boot stacks of all CPUs */
extern char etext[];  /* kernel.ld */

#define BOOT_STACKS (NCPU << BOOT_STACK_SHIFT) /* bytes at stack0 */

/* Two words are read at fp. */
static bool inside(vaddr_t fp, vaddr_t low, vaddr_t high) {
  return fp >= low && fp <= high - 2 * sizeof(vaddr_t);
}

static bool frame_readable(vaddr_t fp) {
  const struct thread *t = mycpu()->thread;

  if (fp % sizeof(vaddr_t) != 0)
    return false;
  if (inside(fp, (vaddr_t)stack0, (vaddr_t)stack0 + BOOT_STACKS))
    return true;
  return t && inside(fp, t->kstack, t->kstack + KSTACK_PAGES * PGSIZE);
}

bool frame_caller(vaddr_t *pc, vaddr_t *fp) {
  const vaddr_t *frame = (const vaddr_t *)*fp;

  if (!frame_readable(*fp))
    return false;
  if (frame[1] < KERNLINK || frame[1] >= (vaddr_t)etext || frame[0] <= *fp)
    return false;
  *pc = frame[1];
  *fp = frame[0];
  return true;
}
