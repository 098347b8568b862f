/*
 * QEMU's RISC-V "virt" machine: what it has, and starting and stopping it.
 *
 * The device tree is read once, on the boot CPU before paging is on; what is
 * needed later is kept in the tables below, and the memory of the tree is then
 * ordinary RAM. Memory size, harts, interrupt numbers and register sizes come
 * from it. The places of the devices are constants that the notes' readers know
 * (memlayout.h); a machine that has them elsewhere is refused with a message.
 */
#include "machine.h"

#include "clint.h"
#include "clock.h"
#include "cpu.h"
#include "dev/tty.h"
#include "dev/uart.h"
#include "dev/virtio.h"
#include "finisher.h"
#include "io.h"
#include "lib/cmdline.h"
#include "lib/fdt.h"
#include "lib/panic.h"
#include "lib/printf.h"
#include "lib/string.h"
#include "paging.h"
#include "plic.h"
#include "pte.h"
#include "start.h"
#include "sync/spinlock.h"
#include "user_return.h"

struct machine machine;

/* Of the command line. */
static const char *const options[] = {
    "asid", /* tables.c: bits of address-space identifiers, or off */
    "satp", /* paging.c: levels of page tables, by the mode's name */
    NULL};

extern char etext[], end[]; /* kernel.ld */
void kernelvec(void);       /* kernelvec.S */

/* Devices that the machine must have. Size and interrupt: [c] from the tree. */
enum { DEV_FINISHER, DEV_RTC, DEV_CLINT, DEV_PLIC, DEV_UART };
static struct device {
  const char *compatible;
  paddr_t address;
  const char *name;
  uint64 size;
  uint irq;
} devices[] = {
    [DEV_FINISHER] = {"sifive,test0", FINISHER, "finisher", 0, 0},
    [DEV_RTC] = {"google,goldfish-rtc", RTC, "RTC", 0, 0},
    [DEV_CLINT] = {"riscv,clint0", CLINT, "CLINT", 0, 0},
    [DEV_PLIC] = {"riscv,plic0", PLIC, "PLIC", 0, 0},
    [DEV_UART] = {"ns16550a", UART0, "UART0", 0, 0},
};

#define UART_HZ 3686400 /* its clock, on this board */

/* The places for virtio devices; slot i is a page at VIRTIO_SLOT(i). */
#define VIRTIO_SLOTS 8
#define VIRTIO_SLOT(i) (VIRTIO0 + PGSIZE * (i))
static uint virtio_irqs[VIRTIO_SLOTS]; /* [c] 0: there is no such slot */

static uint intc_phandles[NCPU]; /* [c] names of the harts' interrupt inputs */

/* The direct map ends here at the latest; the kernel stacks are above, whatever
 * MAXVA is. */
#define RAM_MAX (1L << 37)

/* Ticks of the clock in a second. If fewer are said to be, a time slice would be a
 * few, and with a clock that is truly faster nothing but its interrupts happen. */
#define HZ_LOWEST 100000

#define for_each_node(fdt, node)                             \
  for (int node = fdt_next_node(fdt, -1, NULL); (node) >= 0; \
       node = fdt_next_node(fdt, node, NULL))

static bool device_type_is(const void *fdt, int node, const char *type) {
  const char *s = fdt_string(fdt, node, "device_type");

  return s && strcmp(s, type) == 0;
}

/* Does a word keep what is written to it? Where nothing is, that is an access
 * fault, which goes to where the answer is 0 yet. Interrupts are off, and there is
 * no page table. */
static bool is_ram(paddr_t pa) {
  bool there = false;

  asm volatile(
      "la t0, 1f\n"
      "csrrw t0, stvec, t0\n"
      "ld t1, (%1)\n"
      "not t2, t1\n"
      "sd t2, (%1)\n"
      "ld t3, (%1)\n"
      "sd t1, (%1)\n"
      "xor t2, t2, t3\n"
      "seqz %0, t2\n"
      ".balign 4\n" /* stvec's lowest bits are its mode */
      "1: csrw stvec, t0"
      : "+&r"(there)
      : "r"(pa)
      : "t0", "t1", "t2", "t3", "memory");
  return there;
}

static void find_memory(const void *fdt) {
  uint64 start = 0, size = 0, ignored, rest = 0;

  for_each_node(fdt, node) {
    if (!device_type_is(fdt, node, "memory"))
      continue;
    for (int i = 0; fdt_reg(fdt, node, i, &ignored, &rest) == 0; i++) {
      if (size == 0)
        fdt_reg(fdt, node, i, &start, &size);
      else
        printf("boot: %lu MiB of memory at 0x%lx are not used\n", rest >> 20,
               ignored);
    }
  }
  if (start != KERNBASE)
    refuse("memory begins at 0x%lx, not at 0x%lx", start, KERNBASE);
  if (size > RAM_MAX - KERNBASE) {
    size = RAM_MAX - KERNBASE;
    printf("boot: only the first %lu MiB of memory are used\n", size >> 20);
  }
  machine.ram_start = start;
  machine.ram_end = PGROUNDDOWN(start + size);
  if (machine.ram_end < PGROUNDUP((paddr_t)end) + MiB(1))
    refuse("%lu KiB of memory are too few", size >> 10);
  if (!is_ram(machine.ram_end - sizeof(uint64)))
    refuse("there is no memory at 0x%lx, where the device tree has some",
           machine.ram_end - sizeof(uint64));
}

/* Give a hart its number: 0 for the one that boots, the others as they come.
 * Returns it, or -1 if there are too many. */
static int number_hart(uint hwid) {
  int id = hwid == cpus[0].hwid ? 0 : ncpu;

  if (id == NCPU)
    return -1;
  if (id > 0)
    ncpu++;
  cpus[id].id = id;
  cpus[id].hwid = hwid;
  boot_harts[id] = hwid;
  return id;
}

static bool is_usable_hart(const void *fdt, int node) {
  const char *status = fdt_string(fdt, node, "status");

  return device_type_is(fdt, node, "cpu") &&
         (status == NULL || strcmp(status, "okay") == 0);
}

static void find_harts(const void *fdt) {
  uint hz = fdt_u32(fdt, fdt_path(fdt, "/cpus"), "timebase-frequency", 0);
  int id = -1, unused = 0;
  uint64 hwid, size;

  for_each_node(fdt, node) {
    if (is_usable_hart(fdt, node) && fdt_reg(fdt, node, 0, &hwid, &size) == 0) {
      id = number_hart(hwid);
      unused += id < 0;
    } else if (id >= 0 && fdt_compatible(fdt, node, "riscv,cpu-intc")) {
      intc_phandles[id] = fdt_u32(fdt, node, "phandle", 0);
    }
  }
  if (unused)
    printf("boot: %d harts, of which %d are used\n", ncpu + unused, ncpu);
  if (hz < HZ_LOWEST)
    refuse("timebase-frequency is missing, or too low for a clock");
  clock_init(hz);
}

/* Bytes from a device on that can be its own: up to the next. */
static uint64 room_for(const struct device *d) {
  paddr_t end = VIRTIO0;

  for (size_t i = 0; i < NELEM(devices); i++)
    if (devices[i].address > d->address)
      end = MIN(end, devices[i].address);
  return end - d->address;
}

static void find_device(const void *fdt, struct device *d) {
  uint64 address;

  for_each_node(fdt, node) {
    if (!fdt_compatible(fdt, node, d->compatible))
      continue;
    if (fdt_reg(fdt, node, 0, &address, &d->size) == 0 &&
        address == d->address && d->size > 0 && d->size <= room_for(d)) {
      d->irq = fdt_u32(fdt, node, "interrupts", 0);
      return;
    }
  }
  refuse("there is no %s (%s) at 0x%lx", d->name, d->compatible, d->address);
}

static void find_virtio_slots(const void *fdt) {
  uint64 address, size;

  for_each_node(fdt, node) {
    if (!fdt_compatible(fdt, node, "virtio,mmio") ||
        fdt_reg(fdt, node, 0, &address, &size) < 0)
      continue;
    if (address < VIRTIO0 || address >= VIRTIO_SLOT(VIRTIO_SLOTS) ||
        address % PGSIZE != 0)
      printf("boot: virtio slot at 0x%lx is not used\n", address);
    else
      virtio_irqs[(address - VIRTIO0) / PGSIZE] =
          fdt_u32(fdt, node, "interrupts", 0);
  }
}

/*
 * "interrupts-extended" of CLINT and PLIC lists which interrupt of which hart
 * each of its outputs is, as pairs of phandle and number. Returns the output
 * that is interrupt `number` of a CPU.
 */
static uint find_output(const void *fdt, int dev, int id, uint number) {
  int len = 0;

  for_each_node(fdt, node) {
    if (!fdt_compatible(fdt, node, devices[dev].compatible))
      continue;
    for (int i = 0;; i++) {
      uint phandle = fdt_cell(fdt, node, "interrupts-extended", 2 * i, &len);
      uint irq = fdt_cell(fdt, node, "interrupts-extended", 2 * i + 1, &len);

      if (2 * i + 1 >= len)
        break;
      if (phandle == intc_phandles[id] && irq == number)
        return i;
    }
  }
  refuse("the %s has no interrupt %u for hart %u", devices[dev].name, number,
         cpus[id].hwid);
}

/* Interrupt numbers of a hart (privileged spec 1.12, table 3.6). */
#define HART_MACHINE_SOFTWARE 3
#define HART_SUPERVISOR_EXTERNAL 9

/* Is a hart's register among those that the device has? */
static void check_register(int dev, paddr_t address, int id) {
  const struct device *d = &devices[dev];

  if (address >= d->address + d->size)
    refuse("the %s has no interrupt registers for hart %u", d->name,
           cpus[id].hwid);
}

/* Two harts with one interrupt: the other would never be woken to start. */
static void check_own_interrupt(int id) {
  for (int other = 0; other < id; other++)
    if (mscratch[other].msip == mscratch[id].msip)
      refuse("hart %u gets no software interrupt of its own", cpus[id].hwid);
}

/* CLINT outputs come in pairs: software, timer. After reset mtimecmp may be 0,
 * which keeps an interrupt of machine mode pending for ever: nobody takes it, but
 * QEMU looks at a hart that has one pending after every jump it makes, with a lock
 * that all harts share. */
static void connect_harts(const void *fdt) {
  for (int id = 0; id < ncpu; id++) {
    uint i = find_output(fdt, DEV_CLINT, id, HART_MACHINE_SOFTWARE) / 2;
    uint context = find_output(fdt, DEV_PLIC, id, HART_SUPERVISOR_EXTERNAL);

    check_register(DEV_CLINT, CLINT_MTIMECMP(i), id);
    check_register(DEV_PLIC, plic_claim(context), id);
    mscratch[id].msip = CLINT_MSIP(i);
    check_own_interrupt(id);
    mscratch[id].mtimecmp = CLINT_MTIMECMP(i);
    io_write64(P2IO(CLINT_MTIMECMP(i)), ~0UL); /* never */
    plic_set_context(id, context);
  }
}

void machine_init(void *fdt) {
  const char *model, *bootargs;

  panic_ops.stop_others = ipi_halt_others;
  uart_init(UART_HZ);
  printf_set_console(uart_putc);
  if (fdt_check(fdt) < 0)
    refuse("no device tree at 0x%lx", (paddr_t)fdt);
  bootargs = fdt_string(fdt, fdt_path(fdt, "/chosen"), "bootargs");
  cmdline_init(bootargs ? bootargs : "", options);
  paging_choose();
  model = fdt_string(fdt, fdt_path(fdt, "/"), "model");
  safestrcpy(machine.model, model ? model : "unknown", sizeof(machine.model));
  find_memory(fdt);
  find_harts(fdt);
  for (size_t i = 0; i < NELEM(devices); i++)
    find_device(fdt, &devices[i]);
  find_virtio_slots(fdt);
  connect_harts(fdt);
}

bool machine_mapping(int i, struct kmapping *m) {
  vaddr_t text = (vaddr_t)etext, data = PGROUNDUP((vaddr_t)end);
  const struct kmapping memory[] = {
      {VIRTIO0, 0, VIRTIO_SLOTS * PGSIZE, PTE_R | PTE_W, "VIRTIO0"},
      {KERNBASE, 0, text - KERNBASE, PTE_R | PTE_X, "text"},
      {text, 0, data - text, PTE_R | PTE_W, "data"},
      {data, 0, PHYSTOP - data, PTE_R | PTE_W, "RAM"},
      {TRAMPOLINE, V2P(trampoline), PGSIZE, PTE_R | PTE_X | PTE_G,
       "trampoline"},
  };

  if (i >= (int)(NELEM(devices) + NELEM(memory)))
    return false;
  if (i >= (int)NELEM(devices))
    *m = memory[i - NELEM(devices)];
  else
    *m = (struct kmapping){devices[i].address, 0, PGROUNDUP(devices[i].size),
                           PTE_R | PTE_W, devices[i].name};
  if (m->pa == 0)
    m->pa = m->va; /* all but the trampoline are at their own address */
  return true;
}

/* Far more than an interrupt takes; it should come at once. */
#define SPINS_MAX 10000000

/* This hart waits for an interrupt, which it has not turned on. */
static void expect_interrupt(uint64 pending, const char *name) {
  for (uint i = 0; !(r_sip() & pending); i++)
    if (i == SPINS_MAX)
      refuse("hart %u gets no %s interrupt", mycpu()->hwid, name);
}

/* A tree that is wrong about who gets which would have the harts wait for each
 * other for ever. */
static void check_interrupts(void) {
  static struct spinlock one_at_a_time = SPINLOCK("interrupts");

  acquire(&one_at_a_time);
  ipi_raise(mycpu());
  expect_interrupt(SIE_SSIE, "software");
  clear_sip(SIE_SSIE);
  clock_arm(0); /* long past: the timer need not run for it */
  expect_interrupt(SIE_STIE, "timer");
  release(&one_at_a_time);
}

void machine_init_cpu(void) {
  trap_init_cpu();
  plic_init_cpu();
  check_interrupts();
  clock_arm(~0UL); /* whatever the timer was set to: not yet */
  w_sie(SIE_SSIE | SIE_STIE | SIE_SEIE);
}

void machine_init_devices(void) {
  tty_init();
  uart_start(devices[DEV_UART].irq);
  for (int i = 0; i < VIRTIO_SLOTS; i++)
    if (virtio_irqs[i])
      virtio_mmio_probe(VIRTIO_SLOT(i), virtio_irqs[i]);
}

void machine_start_cpus(void) {
  __atomic_store_n(&boot_go, 1, __ATOMIC_RELEASE);
  for (int id = 1; id < ncpu; id++)
    io_write32(P2IO(mscratch[id].msip), 1);
}

uint8 uart_reg_read(uint reg) { return io_read8(P2IO(UART0 + reg)); }
void uart_reg_write(uint reg, uint8 x) { io_write8(P2IO(UART0 + reg), x); }

static void __attribute__((noreturn)) finish(uint how) {
  io_write32(P2IO(FINISHER), how);
  cpu_halt(); /* there is no finisher, or it takes its time */
}

void machine_poweroff(void) { finish(FINISHER_PASS); }
void machine_restart(void) { finish(FINISHER_RESET); }
void machine_fail(void) { finish(FINISHER_FAIL | FINISHER_STATUS(1)); }
