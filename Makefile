# Pagewise: builds the kernel, the user programs and the disk image, and runs
# them in QEMU. `make help` lists what to ask for.
#
#   mk/tools.mk   finds the compiler, says how to install what is missing
#   mk/riscv.mk   what is special to a machine: flags, drivers, QEMU's command
#                 line; and mk/x86.mk
#   mk/user.mk    user programs and the disk image
#   mk/run.mk     QEMU, gdb, tests, tidying
#   mk/debug.mk   the debug kernel: what its compiler is told
#   mk/explore.mk the explorer, which looks into a running machine
#   mk/trust.mk   fuzzing, power cuts, proofs: campaigns longer than tests
#
# Products are in $(BUILD)/$(ARCH)/ or $(BUILD)/$(ARCH)-debug/; kernel/kernel is a
# link to the kernel there.

## ARCH=riscv       machine to build for: riscv or x86
ARCH ?= riscv
## BUILD=dir        where products go (default: build)
BUILD ?= build
## V=1              show the commands
V ?= 0
## LLVM=1           compile with clang and lld
LLVM ?=
## TOOLPREFIX=p-    compile with p-gcc
TOOLPREFIX ?=
## DEBUG=1          a kernel that checks itself: slow (docs/testing.md)
DEBUG ?=
## CFLAGS_EXTRA=..  more compiler flags, for all code of the target
CFLAGS_EXTRA ?=

ifeq ($(wildcard mk/$(ARCH).mk),)
$(error ARCH=$(ARCH): not a machine this system runs on (there are: \
  $(notdir $(wildcard kernel/arch/*))))
endif

Q := $(if $(filter 1,$(V)),,@)
# $(call say,VERB,what): the line that stands for a command.
say = $(if $(filter 1,$(V)),,@printf '  %-6s %s\n' '$(1)' '$(2)')

B := $(BUILD)/$(ARCH)$(if $(filter 1,$(DEBUG)),-debug)
KERNEL := $(B)/kernel.elf

.DEFAULT_GOAL := all
.DELETE_ON_ERROR:
.SUFFIXES:
MAKEFLAGS += --no-builtin-rules

include mk/$(ARCH).mk
include mk/tools.mk
include mk/debug.mk

# $(call stamp,file,text): keep the text in the file and touch the file only
# when the text changes, so that what depends on it is rebuilt then.
stamp = $(if $(TOOLS_WANTED),$(shell mkdir -p $(dir $(1)); \
  printf '%s\n' '$(2)' | cmp -s - $(1) || printf '%s\n' '$(2)' >$(1)))

# --- Kernel -----------------------------------------------------------------

FLOORS := lib sync mm sched dev vm fs proc sys trap
KDIRS := kernel $(FLOORS:%=kernel/%) kernel/arch/$(ARCH) $(DEBUG_KDIRS)
# Drivers of devices that each machine has; $(DRIVERS) are those of this one.
DEV := block chardev irq tty uart virtio virtio_blk
KSRCS := $(sort $(DEV:%=kernel/dev/%.c) $(DRIVERS:%=kernel/dev/%.c) \
  $(wildcard $(patsubst %,%/*.c,$(filter-out kernel/dev,$(KDIRS))) \
    kernel/arch/$(ARCH)/*.S))
KOBJS := $(KSRCS:%=$(B)/%.o)
KLDS := kernel/arch/$(ARCH)/kernel.ld

INCLUDES := -Iinclude -I$(B)/gen
KINCLUDES := -Ikernel -Ikernel/include -Ikernel/arch/$(ARCH) $(INCLUDES)
COMMON := -std=gnu11 -O2 -g -ffreestanding -fno-common -fno-pic \
  -fno-stack-protector -fno-asynchronous-unwind-tables -fno-strict-aliasing \
  -fno-omit-frame-pointer -ffunction-sections -fdata-sections $(CC_NO_IDIOM) $(CC_TARGET)
WARN := -Wall -Wextra $(if $(CI),-Werror)
KCFLAGS := $(COMMON) $(WARN) $(ARCH_KFLAGS) $(DEBUG_KFLAGS) $(CFLAGS_EXTRA)
KASFLAGS := -g -fno-pic $(CC_TARGET) $(ARCH_SFLAGS) $(DEBUG_KFLAGS)

KSTAMP := $(B)/kernel.stamp
$(call stamp,$(KSTAMP),$(CC_VERSION) $(KCFLAGS) $(KASFLAGS) $(ARCH_LDFLAGS) \
  $(SANITIZE) $(UNCHECKED) $(KSRCS))

GENERATED := $(B)/gen/abi/syscall.h $(B)/gen/syscall_table.h

$(B)/gen/abi/syscall.h: include/abi/syscall.tbl tools/gensyscalls
	$(call say,GEN,$@)
	@mkdir -p $(@D)
	$(Q)tools/gensyscalls numbers $< >$@

$(B)/gen/syscall_table.h: include/abi/syscall.tbl tools/gensyscalls
	$(call say,GEN,$@)
	@mkdir -p $(@D)
	$(Q)tools/gensyscalls $(if $(DEBUG_KDIRS),debug-)table $< >$@

$(B)/kernel/%.c.o: kernel/%.c $(KSTAMP) | $(GENERATED)
	$(call say,CC,$<)
	@mkdir -p $(@D)
	$(Q)$(CC) $(KCFLAGS) $(call sanitize,$<) $(KINCLUDES) -MMD -MP -c -o $@ $<

$(B)/kernel/%.S.o: kernel/%.S $(KSTAMP) | $(GENERATED)
	$(call say,AS,$<)
	@mkdir -p $(@D)
	$(Q)$(CC) $(KASFLAGS) $(KINCLUDES) -MMD -MP -c -o $@ $<

# The kernel carries its own symbol table. It is linked once with an empty
# table, then with the table of that link. The table lies behind the text, so
# the functions stay where they were, which the last line checks.
KLINK = $(LD) $(ARCH_LDFLAGS) --fatal-warnings -T $(KLDS) -o

$(B)/ksyms0.c: tools/ksyms
	@mkdir -p $(@D)
	$(Q)tools/ksyms </dev/null >$@

$(B)/kernel0.elf: $(KOBJS) $(B)/ksyms0.o $(KLDS) $(KSTAMP)
	$(call say,LD,$@)
	$(Q)$(KLINK) $@ $(KOBJS) $(B)/ksyms0.o

$(B)/ksyms.c: $(B)/kernel0.elf tools/ksyms
	$(call say,GEN,$@)
	$(Q)$(NM) -n $< | tools/ksyms >$@

$(B)/ksyms0.o $(B)/ksyms.o: %.o: %.c $(KSTAMP)
	$(Q)$(CC) $(KCFLAGS) $(KINCLUDES) -c -o $@ $<

$(KERNEL): $(KOBJS) $(B)/ksyms.o $(KLDS)
	$(call say,LD,$@)
	$(Q)$(KLINK) $@.new $(KOBJS) $(B)/ksyms.o
	$(Q)$(NM) -n $@.new | tools/ksyms | cmp - $(B)/ksyms.c
	$(Q)mv $@.new $@

# What a folder may include. Part of the build, so that it stays true.
$(B)/floors.ok: $(sort $(wildcard $(KDIRS:%=%/*.[chS]) kernel/debug/*.[ch] \
    kernel/include/*.h)) \
    tools/check-floors
	$(call say,CHECK,floors)
	@mkdir -p $(@D)
	$(Q)tools/check-floors $(FLOORS)
	$(Q)touch $@

-include $(KOBJS:.o=.d)

# --- The rest ---------------------------------------------------------------

include mk/user.mk
include mk/run.mk
include mk/trust.mk
include mk/explore.mk

# The link that gdb sessions name. Builds into other folders leave it alone.
ifeq ($(BUILD),build)
LINK := kernel/kernel
ifneq ($(shell readlink $(LINK)),../$(KERNEL))
.PHONY: $(LINK)
endif
endif

kernel/kernel:
	$(Q)ln -sfn ../$(KERNEL) $@

.PHONY: all kernel programs
## all              kernel and disk image (what plain `make` does)
all: kernel $(B)/fs.img $(B)/floors.ok
	@:
## kernel           the kernel only
kernel: $(KERNEL) $(LINK)
	@:
## programs         the user programs only
programs: $(PROGRAM_FILES)
	@:
