/*
 * memcheck: the self-check of memory (mm/audit.h), from all parts of the kernel
 * that hold pages.
 *
 * A thread that was stopped between two steps (a page allocated, and not yet
 * mapped) makes a difference that is no fault. So when something is wrong all is
 * looked at again a moment later, and again: only what is wrong in the same way
 * every time is reported. A lost page stays lost; a page on its way arrives. A
 * space whose regions were being changed is held still for the next look: its
 * threads might change them without end.
 */
#include "fs/bcache.h"
#include "lib/string.h"
#include "mm/audit.h"
#include "proc/proc.h"
#include "sys/syscall.h"
#include "vm/check.h"
#include "vm/usercopy.h"

#define ATTEMPTS 50
#define BETWEEN_NS 20000000

static const audit_part parts[] = {spaces_audit, bcache_audit, files_audit,
                                   NULL};

static struct sleeplock one_at_a_time = SLEEPLOCK(one_at_a_time, "memcheck");

static bool same(const struct memfault *a, const struct memfault *b) {
  return a->kind == b->kind && a->pa == b->pa && a->va == b->va &&
         a->root == b->root;
}

/* Keep those faults of `kept` that are still there. The number. */
static int still_there(struct memfault *kept, int n, const struct audit *a) {
  int left = 0;

  for (int i = 0; i < n; i++)
    for (int j = 0; j < a->nfaults; j++)
      if (same(&kept[i], &a->faults[j])) {
        kept[left++] = a->faults[j];
        break;
      }
  return left;
}

static void wait_a_moment(void) {
  static struct spinlock lock = SPINLOCK("memcheck");
  static struct waitq nobody = WAITQ(nobody, "memcheck");

  acquire(&lock);
  sleep_until(&nobody, &lock, clock_ns() + BETWEEN_NS);
  release(&lock);
}

/* A space among the faults that was being changed, now shared by us so that it is
 * not; NULL. */
static struct space *hold_busy(const struct memfault *faults, int n) {
  struct space *s = NULL;

  for (int i = 0; i < n && s == NULL; i++)
    if (faults[i].kind == MEM_BUSY)
      s = space_of_table(faults[i].root);
  if (s != NULL)
    acquire_shared(&s->lock);
  return s;
}

static void let_go(struct space *s) {
  if (s == NULL)
    return;
  release_shared(&s->lock);
  space_put(s);
}

/* What is wrong each time goes to faults, a page. The number; *sum is filled
 * in. */
static int check(struct audit *a, struct memfault *faults) {
  int n, attempts = 1;

  audit_run(a, parts);
  n = a->nfaults;
  memcpy(faults, a->faults, n * sizeof(*faults));
  while (n > 0 && attempts++ < ATTEMPTS && !killed()) {
    struct space *held;

    wait_a_moment();
    held = hold_busy(faults, n);
    audit_run(a, parts);
    let_go(held);
    n = still_there(faults, n, a);
  }
  a->sum.attempts = attempts;
  return n;
}

static int copy_result(const struct audit *a, const struct memfault *faults,
                       int n) {
  struct space *s = myproc()->space;
  int shown = MIN(n, argint(2));

  if (copyout(s, argaddr(0), &a->sum, sizeof(a->sum)) < 0 ||
      (shown > 0 &&
       copyout(s, argaddr(1), faults, shown * sizeof(*faults)) < 0))
    return -EFAULT;
  return n;
}

static int check_and_tell(struct memfault *faults) {
  struct audit a;
  int r = audit_init(&a);

  if (r < 0)
    return r;
  r = copy_result(&a, faults, check(&a, faults));
  audit_free(&a);
  return r;
}

long sys_memcheck(void) {
  struct memfault *faults;
  int r = -ENOMEM;

  if (argint(2) < 0)
    return -EINVAL;
  if (!proc_may_inspect(PID_KERNEL))
    return -EPERM;
  acquiresleep(&one_at_a_time);
  faults = kalloc();
  if (faults != NULL) {
    r = check_and_tell(faults);
    kfree(faults);
  }
  releasesleep(&one_at_a_time);
  return r;
}
