/*
 * Walking a chain of stack frames (arch_frame.h).
 *
 * A frame is read only if it lies in memory that certainly is a mapped stack:
 * the boot stacks, or the kernel stack of the thread that runs on this hart.
 * The chain must go up, so that a loop in it ends.
 */
#include "arch_frame.h"

#include "cpu.h"
#include "memlayout.h"
#include "sched/thread.h"
#include "start.h"

extern char stack0[]; /* entry.S: the boot stacks of all harts */
extern char etext[];  /* kernel.ld */

#define BOOT_STACKS (NCPU << BOOT_STACK_SHIFT) /* bytes at stack0 */

static bool inside(vaddr_t fp, vaddr_t low, vaddr_t high) {
  return fp >= low + 16 && fp <= high;
}

static bool frame_readable(vaddr_t fp) {
  const struct thread *t = mycpu()->thread;

  if (fp % 16 != 0)
    return false;
  if (inside(fp, (vaddr_t)stack0, (vaddr_t)stack0 + BOOT_STACKS))
    return true;
  return t && inside(fp, t->kstack, t->kstack + KSTACK_PAGES * PGSIZE);
}

bool frame_caller(vaddr_t *pc, vaddr_t *fp) {
  const vaddr_t *top = (const vaddr_t *)*fp;
  vaddr_t ra, up;

  if (!frame_readable(*fp))
    return false;
  ra = top[-1];
  up = top[-2];
  if (frame_readable(ra)) { /* a leaf: no return address was saved */
    *fp = ra;
    return frame_readable(*fp) && frame_caller(pc, fp);
  }
  if (ra < KERNBASE || ra >= (vaddr_t)etext || up <= *fp)
    return false;
  *pc = ra;
  *fp = up;
  return true;
}
