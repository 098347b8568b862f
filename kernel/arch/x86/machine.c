/*
 * A PC: what it has, and starting its CPUs.
 *
 * The boot loader says how much memory there is, the firmware's ACPI tables
 * what CPUs. All of it is read once, on the boot CPU and the boot directory;
 * what is needed later is kept, and the memory of the tables that lie in RAM is
 * then ordinary. What must be there is at the places that PCs have in common
 * (memlayout.h).
 */
#include "machine.h"

#include "acpi.h"
#include "apic.h"
#include "clock.h"
#include "cpu.h"
#include "dev/keyboard.h"
#include "dev/pci.h"
#include "dev/tty.h"
#include "dev/uart.h"
#include "dev/vga.h"
#include "io.h"
#include "lib/cmdline.h"
#include "lib/panic.h"
#include "lib/printf.h"
#include "lib/string.h"
#include "multiboot.h"
#include "pte.h"
#include "start.h"
#include "user_return.h"

/* Interrupts of the old bus. */
#define KEYBOARD_ISA_IRQ 1
#define UART_ISA_IRQ 4

#define UART_HZ 1843200 /* its clock */

struct machine machine;

/* Of the command line. */
static const char *const no_options[] = {NULL};

extern char etext[], end[]; /* kernel.ld */

/* --- memory --- */

/* A stretch of physical addresses, of which there may be more than 2^32. */
struct range {
  uint64 from, to;
  bool ram;
};

#define MMAP_MAX KiB(16) /* bytes; real ones have some hundreds */

/* The i-th stretch of the memory map; false beyond the last. */
static bool mmap_entry(const struct multiboot_info *info, int i,
                       struct range *r) {
  uint32 at = 0;
  const struct multiboot_mmap *e;

  for (;; i--) {
    e = P2V(info->mmap_address + at);
    if (at + sizeof(*e) > info->mmap_length)
      return false;
    if (e->size < sizeof(*e) - sizeof(e->size) || e->size > info->mmap_length)
      return false;
    at += e->size + sizeof(e->size);
    if (at > info->mmap_length)
      return false;
    if (i == 0)
      break;
  }
  *r = (struct range){e->base, e->base + e->length, e->type == MULTIBOOT_RAM};
  return true;
}

/* The same, for a boot loader that has no map but a size. */
static bool memory_entry(const struct multiboot_info *info, int i,
                         struct range *r) {
  if (info->flags & MULTIBOOT_HAS_MMAP)
    return mmap_entry(info, i, r);
  if (!(info->flags & MULTIBOOT_HAS_MEMORY) || i > 0)
    return false;
  *r = (struct range){EXTMEM, EXTMEM + info->mem_upper * (uint64)KiB(1), true};
  return true;
}

#define for_each_memory(info, r) \
  for (int i_ = 0; memory_entry(info, i_, r); i_++)

/* The end of the RAM that begins at EXTMEM, which the map may give in pieces
 * and in any order. */
static uint64 ram_end(const struct multiboot_info *info) {
  uint64 end = EXTMEM, before;
  struct range r;

  do {
    before = end;
    for_each_memory(info, &r) {
      if (r.ram && r.from <= end && r.to > end)
        end = r.to;
    }
  } while (end != before);
  for_each_memory(info, &r) {
    if (!r.ram && r.to > EXTMEM && r.from < end)
      end = MAX(r.from, EXTMEM);
  }
  return end;
}

static void say_unused(uint64 from, uint64 to) {
  printf("boot: %llu MiB of memory at 0x%llx are not used\n",
         (unsigned long long)(to - from) >> 20, (unsigned long long)from);
}

/* Where there is no memory nothing keeps what is written. */
static bool answers(paddr_t pa) {
  volatile uint32 *p = P2V(pa);
  uint32 old = *p;
  bool kept;

  *p = ~old;
  kept = *p == ~old;
  *p = old;
  return kept;
}

/* A map that promises more than there is: only what answers is used. */
static void probe_memory(void) {
  paddr_t sound = V2P(PGROUNDUP((vaddr_t)end)), pa = sound;

  while (pa < machine.ram_end && answers(pa)) {
    sound = pa;
    pa += MIN(MiB(1), MAX(machine.ram_end - PGSIZE - pa, PGSIZE));
  }
  if (pa >= machine.ram_end)
    return;
  printf("boot: no memory at 0x%lx, though there should be to 0x%lx\n", pa,
         machine.ram_end);
  machine.ram_end = PGROUNDDOWN(sound);
}

static void find_memory(const struct multiboot_info *info) {
  uint64 end_of_ram;
  struct range r;

  if ((info->flags & MULTIBOOT_HAS_MMAP) && info->mmap_length > MMAP_MAX)
    refuse("the memory map has %u bytes", info->mmap_length);
  end_of_ram = ram_end(info);
  if (end_of_ram > PHYSTOP_MAX) {
    say_unused(PHYSTOP_MAX, end_of_ram);
    machine.ram_end = PHYSTOP_MAX;
  } else {
    machine.ram_end = PGROUNDDOWN((paddr_t)end_of_ram);
  }
  for_each_memory(info, &r) {
    if (r.ram && r.from >= end_of_ram && r.to > r.from)
      say_unused(r.from, r.to);
  }
  machine.ram_start = EXTMEM;
  probe_memory();
  if (machine.ram_end < V2P(PGROUNDUP((vaddr_t)end)) + MiB(1))
    refuse("%lu KiB of memory from 0x%lx on are too few",
           (machine.ram_end - EXTMEM) >> 10, EXTMEM);
}

/* --- the rest --- */

static const char *string_at(const struct multiboot_info *info, uint flag,
                             uint32 pa) {
  return info->flags & flag ? P2V(pa) : "";
}

/* Most boot loaders put the name of the kernel's file first; GRUB 2 does not. */
static const char *command_line(const struct multiboot_info *info) {
  const char *s = string_at(info, MULTIBOOT_HAS_CMDLINE, info->cmdline);
  const char *loader = string_at(info, MULTIBOOT_HAS_LOADER, info->loader);

  if (strncmp(loader, "GRUB 2", strlen("GRUB 2")) == 0)
    return s;
  while (*s != 0 && *s != ' ')
    s++;
  return s;
}

static void find_cpus(void) {
  acpi_init(boot_map);
  ncpu = acpi.ncpu;
  for (int i = 0; i < ncpu; i++) {
    cpus[i].id = i;
    cpus[i].hwid = acpi.apic_id[i];
  }
  if (acpi.unused)
    printf("boot: %d CPUs, of which %d are used\n", ncpu + acpi.unused, ncpu);
}

/* Messages go to the serial port and to the screen. */
static void console_putc(int c) {
  uart_putc(c);
  vga_putc(c);
}

/* There is CPUID if this flag can be changed (SDM vol. 1, 3.4.3.3). */
static bool has_cpuid(void) {
  uint32 before = r_eflags(), after;

  w_eflags(before ^ FL_ID);
  after = r_eflags();
  w_eflags(before);
  return (before ^ after) & FL_ID;
}

/* What the kernel and programs rely on, all of it in CPUs since the Pentium III
 * (SDM vol. 2A, CPUID, leaf 1, edx). entry.S needs PSE already: who comes here
 * without is an emulator that does not say what it has. */
static void check_features(void) {
  static const struct {
    uint bit;
    const char *name;
  } needed[] = {{3, "PSE"},     {4, "TSC"},       {5, "MSR"},  {8, "CMPXCHG8B"},
                {9, "APIC"},    {11, "SYSENTER"}, {13, "PGE"}, {15, "CMOV"},
                {24, "FXSAVE"}, {25, "SSE"}};
  uint32 eax = 1, ebx, ecx, edx;

  if (!has_cpuid())
    refuse("the CPU has no CPUID");
  asm volatile("cpuid" : "+a"(eax), "=b"(ebx), "=c"(ecx), "=d"(edx));
  for (size_t i = 0; i < NELEM(needed); i++)
    if (!(edx & (1U << needed[i].bit)))
      refuse("the CPU has no %s", needed[i].name);
}

void machine_init(void *firmware_table) {
  const struct multiboot_info *info = firmware_table;

  panic_ops.stop_others = ipi_halt_others;
  uart_init(UART_HZ);
  vga_init();
  printf_set_console(console_putc);
  printf("\n"); /* the firmware's last line may have no end */
  if (info == NULL)
    refuse("it was not started by a multiboot loader");
  cmdline_init(command_line(info), no_options);
  safestrcpy(machine.model, "PC", sizeof(machine.model));
  check_features();
  find_memory(info);
  find_cpus();
  clock_init();
  pci_find();
}

bool machine_mapping(int i, struct kmapping *m) {
  vaddr_t text = (vaddr_t)etext, data = PGROUNDUP((vaddr_t)end);
  uint memory = PTE_R | PTE_W, device = PTE_R | PTE_W | PTE_PCD | PTE_PWT;
  const struct kmapping mappings[] = {
      {KERNBASE, 0, EXTMEM, memory, "low memory"},
      {KERNLINK, EXTMEM, text - KERNLINK, PTE_R | PTE_X, "text"},
      {text, V2P(text), data - text, memory, "data"},
      {data, V2P(data), PHYSTOP - V2P(data), memory, "RAM"},
      {DEVICES, DEVICES, APICS - DEVICES, device, "PCI"},
      {APICS, APICS, APICS_END - APICS, device, "APICs"},
  };

  if (i >= (int)NELEM(mappings))
    return false;
  *m = mappings[i];
  return true;
}

void machine_init_cpu(void) {
  trap_init_cpu();
  if (mycpu() == &cpus[0])
    ioapic_init();
  lapic_init_cpu();
  clock_arm(~0ULL); /* whatever the timer was set to: not yet */
}

void machine_init_devices(void) {
  tty_init();
  uart_start(isa_irq(UART_ISA_IRQ));
  vga_start();
  keyboard_start(isa_irq(KEYBOARD_ISA_IRQ));
  pci_start();
}

void machine_start_cpus(void) {
  for (int id = 1; id < ncpu; id++)
    if (!start_cpu(&cpus[id])) {
      /* should it come later, what start_cpu() left for it is still its own */
      printf(
          "boot: the CPU with APIC id %u does not start: no more are tried\n",
          cpus[id].hwid);
      break;
    }
}

uint8 uart_reg_read(uint reg) { return io_read8(P2IO(UART0 + reg)); }
void uart_reg_write(uint reg, uint8 x) { io_write8(P2IO(UART0 + reg), x); }
