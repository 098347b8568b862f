# The benchmark: its programs, which are on every disk image, and the two
# targets that run it. Included by mk/user.mk.

BENCH_PROGRAMS := bench nothing
UBINDIRS += bench
OWN_NAMES += $(filter-out $(GUEST_NAMES),$(BENCH_PROGRAMS))
PROGRAM_FILES += $(patsubst %,$(B)/user/%,\
  $(filter-out $(GUEST_NAMES),$(BENCH_PROGRAMS)))

$(B)/bench/%.c.o: bench/%.c $(USTAMP) | $(GENERATED)
	$(call say,CC,$<)
	@mkdir -p $(@D)
	$(Q)$(CC) $(UCFLAGS) $(WARN) $(UINCLUDES) -MMD -MP -c -o $@ $<

# --- Linux ------------------------------------------------------------------

LINUX := $(B)/linux
# Programs for Linux need its C library.
LINUX_CC := $(LINUX_PREFIX)gcc
LINUX_CFLAGS := -std=gnu11 -O2 -Wall -Wextra -static -DBENCH_LINUX

$(LINUX)/version: bench/linux/get-kernel
	$(call say,GET,$@)
	$(Q)bench/linux/get-kernel $(LINUX) $(LINUX_DEBIAN) $(LINUX_PACKAGE) \
	  $(LINUX_SUITE) $(LINUX_BUS)

$(LINUX)/disk/bench: bench/bench.c bench/port_linux.h | $(LINUX)/tools.ok
	$(call say,CC,$@)
	@mkdir -p $(@D)
	$(Q)$(LINUX_CC) $(LINUX_CFLAGS) -o $@ $<

$(LINUX)/disk/nothing: bench/linux/$(ARCH)/start.S bench/nothing.c | $(LINUX)/tools.ok
	$(call say,CC,$@)
	@mkdir -p $(@D)
	$(Q)$(LINUX_CC) $(LINUX_CFLAGS) -nostdlib -o $@ $^

$(LINUX)/init: bench/linux/init.c | $(LINUX)/tools.ok
	$(call say,CC,$@)
	$(Q)$(LINUX_CC) $(LINUX_CFLAGS) -o $@ $<

$(LINUX)/disk.img: $(LINUX)/disk/bench $(LINUX)/disk/nothing
	$(call say,MKFS,$@)
	$(Q)rm -f $@
	$(Q)PATH=$$PATH:/sbin:/usr/sbin mke2fs -q -t ext4 \
	  -d $(LINUX)/disk $@ 64M >/dev/null

$(LINUX)/initrd: $(LINUX)/init $(LINUX)/version bench/linux/make-initrd \
    bench/bench.mk
	$(call say,GEN,$@)
	$(Q)$(PYTHON) bench/linux/make-initrd $@ init=$< \
	  $$(cd $(LINUX) && for f in modules modules/*; do \
	    echo $$f=$(abspath $(LINUX))/$$f; done)

$(LINUX)/tools.ok:
	@bench/linux/check-tools $(LINUX_CC) $(LINUX_CC_PACKAGES)
	@mkdir -p $(@D)
	@touch $@

# --- Running ----------------------------------------------------------------

PYTHON ?= $(or $(wildcard /usr/bin/python3),python3)
BENCH_RUN = $(PYTHON) bench/run.py --qemu $(QEMU) \
  --machine '$(QEMU_MACHINE) $(subst $(FS),@FS@,$(QEMU_DISK))' \
  --pagewise $(B) --mem $(MEM) --passes $(PASSES) --logs $(B)/bench-logs

BENCH_JSON = $(B)/bench

.PHONY: bench bench-linux
## PASSES=3         times that bench and bench-linux measure everything
PASSES ?= 3
## bench            what each operation costs, in time and instructions
bench: check-qemu all
	$(Q)$(BENCH_RUN) --json $(BENCH_JSON).json

## bench-linux      the same beside Linux in the same QEMU (Debian's kernel)
bench-linux: check-qemu all $(LINUX)/initrd $(LINUX)/disk.img
	$(Q)$(BENCH_RUN) --linux $(LINUX) --linux-machine='$(LINUX_QEMU)' \
	  --linux-options='$(LINUX_OPTIONS)' --json $(BENCH_JSON)-linux.json
