/*
 * Ending: power-off through ACPI, restart, and QEMU's way to end with a status.
 *
 * Each way may be missing on a machine; then the next is tried.
 */
#include "acpi.h"
#include "cpu.h"
#include "lib/printf.h"
#include "machine.h"
#include "x86.h"

/* PM1 control register (ACPI 6.4, table 4.18). */
#define PM1_SCI_ENABLE 0x0001 /* ACPI mode is on */
#define PM1_SLEEP_SHIFT 10
#define PM1_SLEEP 0x2000

/* Keyboard controller (IBM PC AT Technical Reference): pulse the reset line. */
#define KBD_COMMAND 0x64
#define KBD_FULL 0x02 /* it has not read the last command yet */
#define KBD_RESET 0xfe

/* Writing n here ends QEMU with status 2n + 1 (isa-debug-exit). */
#define QEMU_EXIT 0xf4

#define PATIENCE 100000 /* reads of a port, about a microsecond each */

static void acpi_mode(void) {
  if ((inw(acpi.pm1a) & PM1_SCI_ENABLE) || acpi.smi_command == 0 ||
      acpi.acpi_enable == 0)
    return;
  outb(acpi.smi_command, acpi.acpi_enable);
  for (int i = 0; i < PATIENCE && !(inw(acpi.pm1a) & PM1_SCI_ENABLE); i++)
    ;
}

void machine_poweroff(void) {
  intr_off();
  if (acpi.has_s5 && acpi.pm1a != 0) {
    acpi_mode();
    outw(acpi.pm1a, acpi.sleep_a << PM1_SLEEP_SHIFT | PM1_SLEEP);
    if (acpi.pm1b != 0)
      outw(acpi.pm1b, acpi.sleep_b << PM1_SLEEP_SHIFT | PM1_SLEEP);
  }
  for (int i = 0; i < PATIENCE; i++) /* it may take a moment */
    inb(KBD_COMMAND);
  printf("The machine can be switched off.\n");
  cpu_halt();
}

static void keyboard_reset(void) {
  for (int i = 0; i < PATIENCE && (inb(KBD_COMMAND) & KBD_FULL); i++)
    ;
  outb(KBD_COMMAND, KBD_RESET);
  for (int i = 0; i < PATIENCE; i++)
    inb(KBD_COMMAND);
}

/* An exception without a handler, and none for that: the CPU shuts down and the
 * board resets it (SDM vol. 3A, 6.15, double fault). */
static void triple_fault(void) {
  struct {
    uint16 limit;
    uint32 base;
  } __attribute__((packed)) none = {0, 0};

  asm volatile("lidt %0; int3" : : "m"(none));
}

void machine_restart(void) {
  intr_off();
  if (acpi.reset_port != 0)
    outb(acpi.reset_port, acpi.reset_value);
  keyboard_reset();
  triple_fault();
  cpu_halt();
}

void machine_fail(void) {
  outb(QEMU_EXIT, 0);
  cpu_halt(); /* this is no such QEMU */
}
