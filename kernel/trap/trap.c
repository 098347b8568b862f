/*
 * What a trap means. The machine's side is arch/<isa>/trap.c.
 *
 *   system call         -> syscall         -> sys/syscall.c
 *   page fault          -> trap_page_fault -> vm/fault.c, or the end of the
 *                                             program and a message
 *   any other exception -> trap_exception  -> the same end
 *   in the kernel       -> trap_kernel     -> panic
 */
#include "trap.h"

#include "lib/panic.h"
#include "lib/printf.h"
#include "lib/symbols.h"
#include "proc/proc.h"
#include "trap/report.h"
#include "vm/fault.h"

#define STATUS_FAULT (-1) /* exit status of who was killed, as in xv6 */

/* The access in words. */
static const char *access_name(uint access) {
  if (access == PROT_EXEC)
    return "instruction page fault";
  return access == PROT_WRITE ? "store page fault" : "load page fault";
}

/* What went wrong, in words. */
static const char *fault_name(int error, uint access) {
  switch (error) {
    case -ENXIO:
      return "bus error: beyond the end of file";
    case -ENOSPC:
      return "bus error: no space on the disk for the page";
    case -EROFS:
      return "bus error: the file system is read-only";
    case -EFAULT:
      return access_name(access);
    case -ENOMEM:
      return "out of memory";
    default:
      return "bus error: the file cannot be read";
  }
}

/* The program ends for what this thread did. Another thread may have ended the
 * process meanwhile, or it was chosen when memory ran out: then that was said.
 */
static void __attribute__((noreturn))
end_program(const char *cause, vaddr_t value, uint access) {
  trap_leave();
  if (proc_end(myproc(), mythread(), STATUS_FAULT))
    report_user_fault(cause, value, access);
  exit_thread(STATUS_FAULT);
}

void trap_page_fault(vaddr_t va, uint access) {
  int r = fault_resolve(myproc()->space, va, access);

  if (r < 0)
    end_program(fault_name(r, access), va, access);
}

void trap_exception(const char *cause, vaddr_t value) {
  end_program(cause, value, 0);
}

void trap_leave(void) {
  if (killed())
    exit_thread(STATUS_FAULT);
}

void trap_kernel(const char *cause, vaddr_t pc, vaddr_t fp, vaddr_t va) {
  vaddr_t offset;
  const char *name = symbol_find(pc, &offset);

  report_kernel_walk(va);
  panic_at(pc, fp, "kernel trap: %s at pc %p (%s+%p), address %p", cause,
           (void *)pc, name ? name : "?", (void *)offset, (void *)va);
}
