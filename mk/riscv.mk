# The RISC-V machine: 64-bit, QEMU's "virt".

TOOLPREFIXES := riscv64-unknown-elf- riscv64-linux-gnu- riscv64-elf-
LLVM_TARGET := riscv64-unknown-elf
QEMU ?= qemu-system-riscv64

# What drives the devices that not every machine has: kernel/dev/NAME.c.
DRIVERS := virtio_mmio rtc_goldfish

# The kernel's C code must not touch floating-point registers, which belong to
# user threads; its assembly files may. Compilers differ in whether they want
# to be told that CSRs and fence.i are used.
ARCH_MARCH = $(if $(call cc-option,-march=rv64imac_zicsr_zifencei -mabi=lp64),\
  rv64imac_zicsr_zifencei,rv64imac)
ARCH_KFLAGS = -march=$(strip $(ARCH_MARCH)) -mabi=lp64 -mcmodel=medany \
  $(ARCH_RELAX)
ARCH_SFLAGS = -march=rv64gc -mabi=lp64 $(ARCH_RELAX)
ARCH_UFLAGS = -march=rv64gc -mabi=lp64d -mcmodel=medany $(ARCH_RELAX)
# lld before version 15 cannot relax.
ARCH_RELAX = $(if $(LLVM),-mno-relax)
# In the debug kernel, what it does not check (mk/debug.mk).
ARCH_UNCHECKED := start.c ipi.c
DEBUG_LLVM_TARGET := riscv64-linux-gnu
ARCH_LDFLAGS = -m elf64lriscv -z max-page-size=4096

QEMU_MACHINE = -machine virt -bios none
QEMU_DISK = -global virtio-mmio.force-legacy=false \
  -drive file=$(FS),if=none,format=raw,id=x0 \
  -device virtio-blk-device,drive=x0,bus=virtio-mmio-bus.0
GDB_ARCH = riscv:rv64

# For `make explore`: page tables that this machine could have as well.
OTHER_LEVELS = satp=$(if $(findstring satp=,$(APPEND)),sv39,sv48)

# For `make prove`: levels of page tables, and cbmc's name for the word size.
PROVE_LEVELS := 3,4
PROVE_FLAGS := --arch riscv64

# The Linux that `make bench-linux` compares with.
LINUX_PREFIX := riscv64-linux-gnu-
LINUX_CC_PACKAGES := gcc-riscv64-linux-gnu libc6-dev-riscv64-cross
LINUX_DEBIAN := riscv64
LINUX_PACKAGE := linux-image-riscv64
LINUX_SUITE := trixie
LINUX_BUS := virtio_mmio
LINUX_QEMU := -bios default
