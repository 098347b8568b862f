# The x86 machine: 32-bit, QEMU's "pc" and "q35".

TOOLPREFIXES := i686-linux-gnu- i686-elf- i386-elf-
LLVM_TARGET := i686-none-elf
QEMU ?= qemu-system-i386

# What drives the devices that not every machine has: kernel/dev/NAME.c.
DRIVERS := pci virtio_pci vga keyboard rtc_cmos

# The kernel's C code must not touch floating-point registers, which belong to
# user threads; its assembly files may. It does without CMOV, so that it can say
# what a CPU lacks that has none.
ARCH_CODE = -march=i686 -fcf-protection=none
ARCH_KFLAGS = $(ARCH_CODE) -march=i586 -mtune=generic -mgeneral-regs-only
ARCH_SFLAGS = -march=i686
# Nor do user programs without need: a process that never does costs no traps
# for them. This one uses SSE (the x87 has its test in usertests).
ARCH_UFLAGS = $(ARCH_CODE) $(ARCH_STACK)
# Where clang knows no system it aligns the stack to a word only.
ARCH_STACK = $(if $(LLVM),-mstack-alignment=16)
$(B)/user/tests/fptest.c.o: UCFLAGS += -msse2 -mfpmath=sse
# 64-bit division: the programs need it as the kernel does.
ARCH_UOBJS := $(B)/kernel/arch/x86/div64.c.o
# In the debug kernel, what it does not check (mk/debug.mk).
ARCH_UNCHECKED := start.c segments.c div64.c
DEBUG_LLVM_TARGET := i686-linux-gnu
ARCH_LDFLAGS = -m elf_i386 -z max-page-size=4096 -z noexecstack

## MACHINE=q35      x86: QEMU's other PC (default: pc)
MACHINE ?= pc
# Without graphics=on after -nographic the firmware would use the serial line, and
# take what is typed for the system.
QEMU_MACHINE = -machine $(MACHINE),graphics=on -nic none \
  -device isa-debug-exit,iobase=0xf4,iosize=4
QEMU_DISK = -drive file=$(FS),if=none,format=raw,id=x0 \
  -device virtio-blk-pci,disable-legacy=on,drive=x0
# In place of -nographic: a window, the serial line where make was typed.
QEMU_SCREEN = -serial mon:stdio
# GRUB boots it from a CD.
ISO = 1
GDB_ARCH = i386

# For `make prove`: levels of page tables, and cbmc's name for the word size.
PROVE_LEVELS := 2
PROVE_FLAGS := --arch i386

# The Linux that `make bench-linux` compares with. Debian 12 is the last with a
# 32-bit kernel; it does without guards against what an emulated CPU cannot leak.
LINUX_PREFIX := i686-linux-gnu-
LINUX_CC_PACKAGES := gcc-i686-linux-gnu libc6-dev-i386-cross
LINUX_DEBIAN := i386
LINUX_PACKAGE := linux-image-686
LINUX_SUITE := bookworm
LINUX_BUS := virtio virtio_ring virtio_pci_legacy_dev virtio_pci_modern_dev \
  virtio_pci
LINUX_OPTIONS := mitigations=off
