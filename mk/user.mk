# User programs and the disk image.
#
# Each NAME.c of user/bin, user/tests and user/tour is a program; so is a folder NAME
# there, of all its .c files and those in its folder of the machine.
# PROGRAMS=dir adds each .c of a folder of yours that defines main(), compiled
# against the headers that xv6 programs include; a program of yours replaces
# one of ours of that name.

## PROGRAMS=dir     put the programs in this folder on the disk, too
PROGRAMS ?=
## FSSIZE=16M       size of the disk image
FSSIZE ?= 16M

# Programs of ours that may get more arguments than the page that others get.
BIG_STACK := sh usertests grind bench top sort
BIG_STACK_SIZE := 1048576

ULIB := $(B)/user/lib.a
ULDS := user/lib/user.ld
USRCS := $(sort $(wildcard user/lib/*.c user/lib/$(ARCH)/*.[cS]))
UOBJS := $(USRCS:%=$(B)/%.o) $(B)/gen/usys.S.o $(ARCH_UOBJS)
UINCLUDES := -Iuser/include -Iuser/include/$(ARCH) $(INCLUDES)
UCFLAGS := $(COMMON) $(ARCH_UFLAGS) $(CFLAGS_EXTRA)
UASFLAGS := -g -fno-pic $(CC_TARGET) $(ARCH_UFLAGS)
ULINK = $(LD) $(ARCH_LDFLAGS) $(LD_SEGMENTS) -z noexecstack -T $(ULDS)

USTAMP := $(B)/user.stamp
$(call stamp,$(USTAMP),$(CC_VERSION) $(UCFLAGS) $(WARN) $(UASFLAGS) \
  $(ULINK) $(UOBJS))

$(B)/gen/usys.S: include/abi/syscall.tbl tools/gensyscalls \
    user/lib/$(ARCH)/stub.inc
	$(call say,GEN,$@)
	@mkdir -p $(@D)
	$(Q)tools/gensyscalls stubs $< user/lib/$(ARCH)/stub.inc >$@

# Names and parameters of all calls, for the tests that try each.
$(B)/gen/prototypes.h: include/abi/syscall.tbl tools/gensyscalls
	$(call say,GEN,$@)
	@mkdir -p $(@D)
	$(Q)tools/gensyscalls prototypes $< >$@

$(B)/user/tests/fuzz/calls.c.o $(B)/user/tests/isolation/calls.c.o: \
  $(B)/gen/prototypes.h

$(B)/gen/usys.S.o: $(B)/gen/usys.S $(USTAMP) $(B)/gen/abi/syscall.h
	$(Q)$(CC) $(UASFLAGS) $(INCLUDES) -c -o $@ $<

$(B)/user/%.c.o: user/%.c $(USTAMP) | $(GENERATED)
	$(call say,CC,$<)
	@mkdir -p $(@D)
	$(Q)$(CC) $(UCFLAGS) $(WARN) $(UINCLUDES) -MMD -MP -c -o $@ $<

# What the tests know of the machine.
$(B)/user/tests/%.o: UINCLUDES += -Iuser/tests/usertests/$(ARCH) $(DEBUG_TEST_FLAGS)

# And what the tour says of it.
$(B)/user/tour/%.o: UINCLUDES += -Iuser/tour -Iuser/tour/$(ARCH)

$(B)/user/%.S.o: user/%.S $(USTAMP) | $(GENERATED)
	$(call say,AS,$<)
	@mkdir -p $(@D)
	$(Q)$(CC) $(UASFLAGS) $(UINCLUDES) -MMD -MP -c -o $@ $<

$(ULIB): $(UOBJS)
	$(call say,AR,$@)
	$(Q)rm -f $@
	$(Q)$(AR) rc $@ $(UOBJS)

# $(call link-program,OPTIONS,FILES): link $@; and once more without symbols,
# for the disk. gdb reads them from $@.
on-disk = $(patsubst $(B)/%,$(B)/disk/%,$(1))
define link-program
$(ULINK) $(1) -o $@ $(2)
@mkdir -p $(dir $(call on-disk,$@))
$(Q)$(ULINK) $(1) -s -o $(call on-disk,$@) $(2)
endef

# --- Our programs -----------------------------------------------------------

UBINDIRS := user/bin user/tests user/tour
# $(call program-sources,NAME): its .c files.
program-sources = $(foreach d,$(UBINDIRS),\
  $(wildcard $(d)/$(1).c $(d)/$(1)/*.c $(d)/$(1)/$(ARCH)/*.c))
OWN_NAMES := $(sort $(foreach d,$(UBINDIRS),\
  $(notdir $(patsubst %.c,%,$(wildcard $(d)/*.c)) \
    $(patsubst %/,%,$(dir $(wildcard $(d)/*/*.c))))))

# --- Programs of the user ---------------------------------------------------

ifneq ($(PROGRAMS),)
# To make, a space ends a name.
ifneq ($(words $(PROGRAMS)),1)
$(error PROGRAMS=$(PROGRAMS): a path with a space in it cannot be used here; \
  one without it can: ln -s "$(PROGRAMS)" /tmp/programs; make PROGRAMS=/tmp/programs)
endif
GUEST_DIR := $(patsubst %/,%,$(PROGRAMS))
ifeq ($(wildcard $(GUEST_DIR)/*.c),)
$(error PROGRAMS=$(PROGRAMS): no .c file there)
endif
GUEST_SRCS := $(shell grep -lw main $(GUEST_DIR)/*.c)
GUEST_SKIPPED := $(filter-out $(GUEST_SRCS),$(wildcard $(GUEST_DIR)/*.c))
ifneq ($(and $(GUEST_SKIPPED),$(TOOLS_WANTED)),)
$(info PROGRAMS: no main() in, and so left out: $(notdir $(GUEST_SKIPPED)))
endif
GUEST_NAMES := $(notdir $(GUEST_SRCS:.c=))
# Programs written for xv6 declare main() and its like in ways of their own, may
# read address 0, where their text is, and keep pointers in a uint64, which may
# be wider.
GUEST_CFLAGS := $(UCFLAGS) -Wall -Wno-main -fno-delete-null-pointer-checks \
  -Wno-int-to-pointer-cast -Wno-pointer-to-int-cast \
  $(if $(call cc-option,-Winfinite-recursion),-Wno-infinite-recursion)
# What is theirs and not in the library that our programs have.
GUEST_LIB := $(B)/user/lib/xv6/digits.c.o $(ULIB)
OWN_NAMES := $(filter-out $(GUEST_NAMES),$(OWN_NAMES))

$(B)/guest/%.o: $(GUEST_DIR)/%.c $(USTAMP) $(B)/guest.stamp | $(GENERATED)
	$(call say,CC,$<)
	@mkdir -p $(@D)
	$(Q)$(CC) $(GUEST_CFLAGS) -DXV6_NAMES_ONLY -I$(GUEST_DIR) \
	  $(UINCLUDES) -MMD -MP -c -o $@ $<

$(GUEST_NAMES:%=$(B)/guest/%): $(B)/guest/%: $(B)/guest/%.o $(GUEST_LIB) \
    $(ULDS) mk/user.mk
	$(call say,LD,$@)
	$(Q)$(call link-program,,$< $(GUEST_LIB))

-include $(GUEST_NAMES:%=$(B)/guest/%.d) $(B)/user/lib/xv6/digits.c.d
endif
$(call stamp,$(B)/guest.stamp,$(GUEST_CFLAGS) $(GUEST_DIR) $(GUEST_NAMES))

# --- Links ------------------------------------------------------------------

stack-size = $(if $(filter $(BIG_STACK),$(1)),-z stack-size=$(BIG_STACK_SIZE))

# $(call program-rule,NAME)
define program-rule
$(B)/user/$(1): $(patsubst %,$(B)/%.o,$(call program-sources,$(1))) $(ULIB) \
    $(ULDS) $(USTAMP) mk/user.mk
	$$(call say,LD,$$@)
	$$(Q)$$(call link-program,$$(call stack-size,$(1)),$$(filter %.o,$$^) \
	  $$(ULIB))
-include $(patsubst %,$(B)/%.d,$(call program-sources,$(1)))
endef

# bench/bench.mk may add to PROGRAM_FILES.
PROGRAM_FILES := $(OWN_NAMES:%=$(B)/user/%) $(GUEST_NAMES:%=$(B)/guest/%)
-include bench/bench.mk

$(foreach n,$(OWN_NAMES),$(eval $(call program-rule,$(n))))
-include $(USRCS:%=$(B)/%.d)

# --- Disk image -------------------------------------------------------------

MKFS := $(BUILD)/host/mkfs
HOSTCFLAGS := -std=gnu11 -O2 -g -Wall -Wextra $(if $(CI),-Werror) -Iinclude

$(BUILD)/host/%: tools/%.c
	$(call say,HOSTCC,$@)
	@mkdir -p $(@D)
	$(Q)$(HOSTCC) $(HOSTCFLAGS) -MMD -MP -MF $@.d -o $@ $<

-include $(wildcard $(BUILD)/host/*.d)

# Files on the disk besides the programs, as NAME=PATH.
DISK_FILES := $(if $(wildcard README.md),README=README.md)

# init makes it where it is missing, but cannot on a disk that is read-only.
CONSOLE_DEVICE := console=@1
FSSTAMP := $(B)/fs.stamp
$(call stamp,$(FSSTAMP),$(FSSIZE) $(CONSOLE_DEVICE) $(PROGRAM_FILES) $(DISK_FILES))

# shown.img is the same, for machines that only show something: whoever else has a
# machine with the first, this one is as it was made.
$(B)/fs.img $(B)/shown.img: $(MKFS) $(PROGRAM_FILES) $(FSSTAMP) \
    $(foreach f,$(DISK_FILES),$(lastword $(subst =, ,$(f))))
	$(call say,MKFS,$@)
	$(Q)$(MKFS) -s $(FSSIZE) $@ $(CONSOLE_DEVICE) $(DISK_FILES) $(call on-disk,$(PROGRAM_FILES))
