/*
 * System calls about processes and time.
 */
#include "abi/sched.h"
#include "abi/system.h"
#include "cpu.h"
#include "dev/rtc.h"
#include "fs/inode.h"
#include "machine.h"
#include "proc/proc.h"
#include "sched/sched.h"
#include "sys/syscall.h"
#include "trap.h"
#include "vm/usercopy.h"

long sys_fork(void) { return fork(); }

long sys_exit(void) { exit(argint(0)); }

long sys_exit_thread(void) { exit_thread(argint(0)); }

long sys_clone(void) {
  return clone(argint(0), argaddr(1), argaddr(2), argaddr(3), argaddr(4));
}

/* The deadline that a pointer to a time from now, or NULL, stands for. */
static int deadline_arg(vaddr_t va, uint64 *deadline) {
  uint64 after;

  *deadline = FUTEX_FOREVER;
  if (va == 0)
    return 0;
  if (copyin(myproc()->space, &after, va, sizeof(after)) < 0)
    return -EFAULT;
  if (__builtin_add_overflow(clock_ns(), after, deadline))
    *deadline = FUTEX_FOREVER;
  return 0;
}

long sys_futex(void) {
  vaddr_t va = argaddr(0);
  uint64 deadline;
  int r;

  switch (argint(1) & ~FUTEX_PRIVATE_FLAG) {
    case FUTEX_WAIT:
      r = deadline_arg(argaddr(3), &deadline);
      return r < 0 ? r : futex_wait(va, argint(2), deadline);
    case FUTEX_WAKE:
      return futex_wake(myproc()->space, va, argint(2));
    default:
      return -ENOSYS;
  }
}

/* Can the program write an int there? The int keeps its value. */
static bool int_writable(struct space *s, vaddr_t va) {
  int value;

  return copyin(s, &value, va, sizeof(value)) == 0 &&
         copyout(s, va, &value, sizeof(value)) == 0;
}

/* Wait and store the status at user address `where`, unless that is 0. A bad
 * address is found before the child is gone. */
static long do_wait(int pid, bool nohang, vaddr_t where) {
  struct space *s = myproc()->space;
  int status, r;

  if (where != 0 && !int_writable(s, where))
    return -EFAULT;
  r = wait(pid, nohang, &status);
  if (r > 0 && where != 0)
    copyout(s, where, &status, sizeof(status));
  return r;
}

long sys_wait(void) { return do_wait(WAIT_ANY, false, argaddr(0)); }

long sys_waitpid(void) {
  if (argint(2) & ~WNOHANG)
    return -EINVAL;
  return do_wait(argint(0), argint(2) & WNOHANG, argaddr(1));
}

long sys_kill(void) { return kill(argint(0)); }

long sys_getpid(void) { return mythread()->pid; }

long sys_gettid(void) { return mythread()->tid; }

long sys_getppid(void) {
  struct proc *parent;
  int pid;

  acquire(&proctree_lock);
  parent = myproc()->parent;
  pid = parent ? parent->pid : 0;
  release(&proctree_lock);
  return pid;
}

long sys_setpgid(void) { return setpgid(argint(0), argint(1)); }

long sys_exec(void) {
  struct args args = {0};
  struct path path;
  long r = path_arg(&path, 0);

  if (r < 0)
    return r;
  r = args_add_user(&args, myproc()->space, argaddr(1));
  if (r == 0)
    r = exec(path.text, &args);
  args_free(&args);
  path_free(&path);
  return r;
}

#define TICK_NS (NSEC_PER_SEC / TICKS_PER_SECOND)

long sys_pause(void) {
  static struct spinlock lock = SPINLOCK("pause");
  static struct waitq waiters = WAITQ(waiters, "time");
  long ticks = argint(0);
  uint64 deadline = clock_ns() + (uint64)(ticks > 0 ? ticks : 0) * TICK_NS;
  int r = 0;

  acquire(&lock);
  while (r == 0 && clock_ns() < deadline)
    r = sleep_until(&waiters, &lock, deadline);
  release(&lock);
  return r;
}

long sys_uptime(void) { return clock_ns() / TICK_NS; }

/* Through memory: a register may have 32 bits, which last four seconds. */
long sys_clock(void) {
  uint64 now = clock_ns();

  return copyout(myproc()->space, argaddr(0), &now, sizeof(now));
}

long sys_time(void) {
  uint64 now = rtc_time();

  return now == 0 ? -ENXIO
                  : copyout(myproc()->space, argaddr(0), &now, sizeof(now));
}

long sys_yield(void) {
  yield();
  return 0;
}

long sys_getcpu(void) {
  int id;

  push_off();
  id = mycpu()->id;
  pop_off();
  return id;
}

long sys_lasterr(void) { return mythread()->lasterr; }

long sys_restrict(void) {
  __atomic_fetch_and(&myproc()->rights, argint(0), __ATOMIC_RELAXED);
  return 0;
}

long sys_reboot(void) {
  int how = argint(0);

  if (!(myproc()->rights & RIGHT_POWER))
    return -EPERM;
  if (how != REBOOT_POWEROFF && how != REBOOT_RESTART)
    return -EINVAL;
  fs_sync();
  if (how == REBOOT_RESTART)
    machine_restart();
  machine_poweroff();
}
