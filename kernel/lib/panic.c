/*
 * The end of the system. The first CPU that gets here says why; the others are
 * stopped. A failure while that is said (a bad pointer in the message, a broken
 * stack under the backtrace) ends at once, so that it cannot go in circles.
 */
#include "lib/panic.h"

#include "cpu.h"
#include "lib/cmdline.h"
#include "lib/printf.h"
#include "lib/string.h"
#include "lib/symbols.h"
#include "machine.h"

struct panic_ops panic_ops;
bool panicked;

/* [a] the CPU that panics, or NULL */
static struct cpu *culprit;

/* True for the first panic of all; false if this CPU comes again. */
static bool first(void) {
  struct cpu *none = NULL;

  intr_off();
  if (__atomic_compare_exchange_n(&culprit, &none, mycpu(), false,
                                  __ATOMIC_ACQ_REL, __ATOMIC_ACQUIRE))
    return true;
  if (none != mycpu())
    cpu_halt();
  return false;
}

static void __attribute__((noreturn)) leave(void) {
  const char *how = cmdline_get("panic");

  if (how && strcmp(how, "exit") == 0)
    machine_fail();
  cpu_halt();
}

static void __attribute__((noreturn))
report(vaddr_t pc, vaddr_t fp, const char *fmt, va_list ap) {
  if (!first()) {
    printf("panic: again, while that was reported\n");
    leave();
  }
  if (panic_ops.stop_others)
    panic_ops.stop_others();
  panicked = true;
  printf("panic: ");
  vprintf(fmt, ap);
  printf("\ncpu %d\n", mycpu()->id);
  if (panic_ops.describe)
    panic_ops.describe();
  backtrace(pc, fp);
  leave();
}

void panic(const char *fmt, ...) {
  va_list ap;

  va_start(ap, fmt);
  report((vaddr_t)panic, (vaddr_t)__builtin_frame_address(0), fmt, ap);
}

void panic_at(vaddr_t pc, vaddr_t fp, const char *fmt, ...) {
  va_list ap;

  va_start(ap, fmt);
  report(pc, fp, fmt, ap);
}

void refuse(const char *fmt, ...) {
  va_list ap;

  va_start(ap, fmt);
  printf("boot: ");
  vprintf(fmt, ap);
  printf("; this kernel cannot run here\n");
  va_end(ap);
  machine_fail();
}
