/*
 * The order in which the system comes up. arch/<isa> enters main() on the first
 * CPU and main_other() on the rest, with paging off.
 */
#include "abi/system.h"
#include "cpu.h"
#include "debug.h"
#include "fs/inode.h"
#include "lib/cmdline.h"
#include "lib/printf.h"
#include "lib/string.h"
#include "machine.h"
#include "main.h"
#include "mm/kalloc.h"
#include "mm/kvm.h"
#include "proc/proc.h"
#include "sched/sched.h"
#include "selftest.h"
#include "trap.h"
#include "trap/report.h"
#include "version.h"

#define MIB_PAGES (MiB(1) / PGSIZE)

/* Who looks at the machine's memory finds out here what it sees, too. */
static const char kernel_name[] = KERNEL_NAME " " KERNEL_VERSION;

static bool ready; /* [a] the other CPUs may come in */

/* The system cannot go on, though the kernel is sound. */
static void __attribute__((noreturn)) give_up(const char *why, int number) {
  const char *how = cmdline_get("panic");

  printf("%s (%d): the system stops\n", why, number);
  if (how != NULL && strcmp(how, "exit") == 0)
    machine_fail();
  machine_poweroff();
}

static void init_ended(int status) {
  give_up(status == STATUS_NO_CONSOLE
              ? "init: /console is not the console, and cannot be made anew"
              : "init ended",
          status);
}

/* Process 1, in the kernel: become /init. */
static void start_init(void *unused) {
  struct args args = {0};
  int r;

  (void)unused;
  selftest();
  machine_init_devices();
  r = fs_mount(0);
  if (r < 0)
    give_up("no root file system", r);
  r = args_add(&args, "init");
  if (r == 0)
    r = exec("/init", &args);
  args_free(&args);
  if (r < 0)
    give_up("/init cannot be run", r);
  user_return();
}

void main(void *firmware_table) {
  machine_init(firmware_table); /* memory, CPUs, console */
  kinit();                      /* physical pages */
  printf("\n%s (%s), %d CPU%s, %lu MiB\n", kernel_name, MACHINE_ARCH, ncpu,
         ncpu == 1 ? "" : "s", (pages_total() + MIB_PAGES / 2) / MIB_PAGES);
  kvminit();          /* the kernel's page table */
  kvminithart();      /* turn on paging */
  report_init();      /* messages about faults */
  proc_init();        /* table of processes */
  sched_init();       /* run queues */
  machine_init_cpu(); /* traps, clock, interrupt controller */
  proc_start_init(start_init, init_ended);
  debug_delay_init();
  kalloc_use_lock(); /* until here nobody else was there */
  __atomic_store_n(&ready, true, __ATOMIC_RELEASE);
  machine_start_cpus();
  sched_start();
}

void main_other(void) {
  while (!__atomic_load_n(&ready, __ATOMIC_ACQUIRE))
    cpu_relax();
  kvminithart();
  machine_init_cpu();
  sched_start();
}
