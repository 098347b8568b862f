# Running in QEMU, debugging, tests, tidying.

## CPUS=3           processors
CPUS ?= 3
## MEM=128M         memory
MEM ?= 128M
## FS=image         boot with this disk image
FS ?= $(B)/fs.img
## APPEND="..."     kernel command line
APPEND ?=
## QEMUEXTRA="..."  more options for QEMU
QEMUEXTRA ?=

# The image, if it is made here.
BUILT_FS = $(filter $(B)/fs.img,$(FS))

QEMU_MIN := 7.2
QEMU_BOOT = -kernel $(KERNEL) $(if $(APPEND),-append "$(APPEND)")
QEMU_CMD = $(QEMU) -nographic $(QEMU_MACHINE) $(QEMU_BOOT) -m $(MEM) \
  -smp $(CPUS) $(QEMU_DISK) $(QEMUEXTRA)
# One port for each user of a computer, as xv6 has it.
GDBPORT ?= $(shell expr $$(id -u) % 5000 + 25000)

.PHONY: qemu qemu-gdb qemu-vga qemu-iso iso print-gdbport check-qemu check test test-all \
  lint format format-check compile_commands.json clean help check-machine

check-qemu:
	@tools/check-qemu $(QEMU) $(QEMU_MIN)

check-machine:
	@tools/check-machine '$(CPUS)' '$(MEM)' $(if $(BUILT_FS),,'$(FS)')

## qemu             build and boot; Ctrl-A X leaves QEMU
qemu: check-qemu check-machine kernel $(BUILT_FS) $(B)/floors.ok
	$(QEMU_CMD)

## qemu-gdb         the same, waiting for gdb
qemu-gdb: check-qemu check-machine kernel $(BUILT_FS) $(B)/floors.ok .gdbinit
	@echo 'In another window: gdb-multiarch $(or $(LINK),$(B)/kernel.elf)' \
	  '-ex "target remote :$(GDBPORT)"'
	$(QEMU_CMD) -S -gdb tcp::$(GDBPORT)

## qemu-vga         the same as qemu, with the screen in a window (if it has one)
qemu-vga: check-qemu check-machine kernel $(BUILT_FS) $(B)/floors.ok
	$(if $(QEMU_SCREEN),,$(error qemu-vga: ARCH=$(ARCH) has no screen))
	$(patsubst -nographic,$(QEMU_SCREEN),$(QEMU_CMD))

## iso              an image for a CD or USB stick that GRUB boots (if it can)
iso: $(B)/pagewise.iso

$(B)/pagewise.iso: $(KERNEL) tools/make-iso
	$(if $(ISO),,$(error iso: no GRUB for ARCH=$(ARCH)))
	$(call say,ISO,$@)
	$(Q)tools/make-iso $@ $< '$(APPEND)'

## qemu-iso         the same as qemu, but GRUB boots that image
qemu-iso: check-qemu check-machine $(B)/pagewise.iso $(BUILT_FS) $(B)/floors.ok
	$(QEMU_CMD)
qemu-iso: QEMU_BOOT = -boot d -cdrom $(B)/pagewise.iso

## print-gdbport    the port that qemu-gdb listens on
print-gdbport:
	@echo $(GDBPORT)

# gdb reads this at its start, if the person allows it (add-auto-load-safe-path).
# It does not connect: that is for the person to type. Made each time, since it
# depends on the machine. The last line, which needs a gdb with Python, adds what
# docs/gdb.md describes; without it the others hold.
.PHONY: .gdbinit
.gdbinit:
	@printf '%s\n' 'set confirm off' 'set architecture $(GDB_ARCH)' \
	  'set disassemble-next-line auto' 'source tools/gdb/pagewise.py' >$@

# For the tests, which fill in the words between @.
.PHONY: print-qemu
print-qemu:
	@echo '$(QEMU_CMD)'

RUN_TESTS = ARCH=$(ARCH) BUILD=$(BUILD) tests/run

## check            quick tests: less than two minutes
check: check-qemu all lint
	@$(RUN_TESTS) --quick

## test             all tests
test: check-qemu all lint
	@$(RUN_TESTS)

# Those that there are, unless one is asked for: make test-all ARCH=...
MACHINES := $(if $(filter command line,$(origin ARCH)),$(ARCH),\
  $(notdir $(wildcard kernel/arch/*)))

## test-all         all tests, on all machines
test-all:
	$(Q)for arch in $(MACHINES); do \
	  $(MAKE) --no-print-directory ARCH=$$arch check-qemu all lint || exit 1; \
	done
	@ARCH='$(MACHINES)' BUILD=$(BUILD) tests/run

# Units of the kernel, compiled for this computer, with every check that its
# compiler has. A test names the kernel's files that it needs in a line of its
# own: /* sources: kernel/fs/log.c tests/host/fs_fakes.c */
HOST_TESTS := $(sort $(wildcard tests/host/test_*.c))
HOST_TEST_FILES := $(HOST_TESTS:tests/host/%.c=$(BUILD)/host/tests/%)
HOST_TEST_FLAGS := -std=gnu11 -g -O1 -Wall -Wextra $(if $(CI),-Werror) \
  -fsanitize=address,undefined -fno-sanitize-recover=all \
  -Itests/host/include -Itests/host -Ikernel -Ikernel/include -Iinclude
host-sources = $(shell sed -n 's|^/\* sources: \(.*\) \*/$$|\1|p' $(1))

.PHONY: host-tests
## host-tests       build the unit tests
host-tests: $(HOST_TEST_FILES)

# One command compiles all files of a test, and the compiler then notes only
# what the last one, the test itself, includes; so all headers count.
HOST_TEST_HEADERS := $(wildcard kernel/*/*.h kernel/arch/*/*.h include/abi/*.h \
  tests/host/*.h tests/host/include/*.h tests/host/include/*/*.h user/include/*/*.h tools/*.c)

.SECONDEXPANSION:
$(HOST_TEST_FILES): $(BUILD)/host/tests/%: tests/host/%.c \
    $$(call host-sources,tests/host/$$*.c) $(HOST_TEST_HEADERS) mk/run.mk
	$(call say,HOSTCC,$@)
	@mkdir -p $(@D)
	@rm -f $@
	$(Q)$(HOSTCC) $(HOST_TEST_FLAGS) -MMD -MP -MF $@.d -o $@ \
	  $(call host-sources,$<) $< -lcmocka $(HOST_TEST_LIBS)

# As many levels of page tables as there can be.
$(BUILD)/host/tests/test_levels: HOST_TEST_FLAGS += -DTEST_PT_LEVELS=5

# Each operation can be committed by itself there.
$(BUILD)/host/tests/test_fs_crash: HOST_TEST_FLAGS += -Wl,--wrap=end_op

-include $(HOST_TEST_FILES:%=%.d)

## lint             layout, dependencies between folders, functions nothing calls
lint: $(B)/floors.ok $(KERNEL)
	$(Q)if clang-format --version 2>/dev/null | grep -q 'version $(FORMAT_VERSION)\.'; \
	then $(MAKE) -s format-check; \
	else echo 'lint: layout not checked: that takes clang-format $(FORMAT_VERSION)'; fi
	$(Q)tools/check-unused $(LD) $(ARCH_LDFLAGS) -T $(KLDS) $(KOBJS) $(B)/ksyms.o

# Each version of clang-format lays out a little differently.
FORMAT_VERSION := 14
FORMAT_FILES = $(shell find kernel user include tools tests/host tests/prove \
  tests/fuzz bench \
  -name '*.[ch]' | sort)
## format           lay the sources out by .clang-format
format:
	$(Q)clang-format -i $(FORMAT_FILES)
## format-check     say which files `make format` would change
format-check:
	$(Q)clang-format --dry-run -Werror $(FORMAT_FILES)

## compile_commands.json  for editors and clangd
compile_commands.json: $(GENERATED)
	$(Q)tools/compile-commands '$(CURDIR)' \
	  '$(CC) $(KCFLAGS) $(KINCLUDES)' $(filter %.c,$(KSRCS)) -- \
	  '$(CC) $(UCFLAGS) $(WARN) $(UINCLUDES)' \
	  $(filter %.c,$(USRCS)) $(foreach n,$(OWN_NAMES),$(call program-sources,$(n))) \
	  >$@

## clean            remove all products
clean:
	$(Q)rm -rf $(BUILD) .gdbinit compile_commands.json
	$(Q)rm -f kernel/kernel

## help             this list
help:
	@tools/make-help Makefile mk/run.mk mk/explore.mk mk/trust.mk mk/user.mk \
	  $(patsubst kernel/arch/%,mk/%.mk,$(sort $(wildcard kernel/arch/*))) bench/bench.mk
