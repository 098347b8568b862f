# The explorer: a program for this computer that looks into the guest's memory.

EXPLORE_SRCS := $(sort $(wildcard tools/explore/*.c tools/explore/arch/*.c))
# The page's parts that others made: npm gets what the lock file names. They lie
# beside the page's own files.
PAGE_SRC := tools/explore/page
PAGE_LIB := $(BUILD)/host/explore/lib
PAGE_MODULES := @xterm/xterm/lib/xterm.mjs @xterm/xterm/css/xterm.css \
  @xterm/addon-fit/lib/addon-fit.mjs
PAGE_LIBRARIES := $(addprefix $(PAGE_LIB)/,$(notdir $(PAGE_MODULES)))

# $(call npm-ci,FOLDER with the lock file,where to install)
npm-ci = mkdir -p $(2) && cp $(1)/package.json $(1)/package-lock.json $(1)/.npmrc $(2) && \
  npm ci --prefix $(2) --ignore-scripts --no-audit --no-fund --loglevel=error \
    >/dev/null

# `ok` is older than what it stands for, which would else be made each time.
$(PAGE_LIB)/ok: $(PAGE_SRC)/package.json $(PAGE_SRC)/package-lock.json
	$(call say,NPM,$(@D))
	$(Q)$(call npm-ci,$(PAGE_SRC),$(@D)/npm)
	$(Q)touch $@
	$(Q)cp $(PAGE_MODULES:%=$(@D)/npm/node_modules/%) $(@D)

$(PAGE_LIBRARIES): $(PAGE_LIB)/ok ;

# The page's files, which are put into the program; those of libraries, too.
PAGE_FILES := $(sort $(wildcard $(addprefix tools/explore/page/,\
  *.html *.css *.js *.svg))) $(PAGE_LIBRARIES)
PAGE_PACKED := $(BUILD)/host/explore/page_files
PAGE_STAMP := $(BUILD)/host/explore/page.stamp
$(call stamp,$(PAGE_STAMP),$(PAGE_FILES))

EXPLORE_OBJS := $(EXPLORE_SRCS:tools/%.c=$(BUILD)/host/%.o) $(PAGE_PACKED).o
EXPLORE_LIBS := -lwebsockets -ldw -lelf -ljansson -lz
EXPLORE_FLAGS := $(HOSTCFLAGS) -D_GNU_SOURCE

$(BUILD)/host/explore/%.o: tools/explore/%.c mk/explore.mk
	$(call say,HOSTCC,$@)
	@mkdir -p $(@D)
	$(Q)$(HOSTCC) $(EXPLORE_FLAGS) -MMD -MP -c -o $@ $<

$(PAGE_PACKED).c: tools/explore/pack $(PAGE_FILES) $(PAGE_STAMP)
	$(call say,GEN,$@)
	@mkdir -p $(@D)
	$(Q)tools/explore/pack $(PAGE_FILES) >$@

$(PAGE_PACKED).o: $(PAGE_PACKED).c
	$(call say,HOSTCC,$@)
	$(Q)$(HOSTCC) $(EXPLORE_FLAGS) -Itools/explore -c -o $@ $<

$(BUILD)/host/explore/explore: $(EXPLORE_OBJS)
	$(call say,HOSTLD,$@)
	$(Q)$(HOSTCC) $(EXPLORE_FLAGS) -o $@ $(EXPLORE_OBJS) $(EXPLORE_LIBS)

-include $(EXPLORE_OBJS:.o=.d)

# The same with every check that the compiler has, for tests with damaged files.
EXPLORE_CHECKED := -g -O1 -fsanitize=address,undefined \
  -fno-sanitize-recover=undefined
$(BUILD)/host/explore/explore-checked: $(EXPLORE_SRCS) $(PAGE_PACKED).o \
    $(wildcard tools/explore/*.h) mk/explore.mk
	$(call say,HOSTCC,$@)
	@mkdir -p $(@D)
	$(Q)$(HOSTCC) $(EXPLORE_FLAGS) $(EXPLORE_CHECKED) -o $@ $(EXPLORE_SRCS) \
	  $(PAGE_PACKED).o $(EXPLORE_LIBS)

# Its parts under the unit tests' and libFuzzer's sanitizers. They include nothing of
# the kernel's.
EXPLORE_UNITS := $(BUILD)/host/tests/test_explore $(BUILD)/host/fuzz/fuzz_explore
$(EXPLORE_UNITS): HOST_TEST_LIBS = $(EXPLORE_LIBS) -lpthread
$(EXPLORE_UNITS): HOST_TEST_FLAGS := $(filter-out -I%,$(HOST_TEST_FLAGS)) -D_GNU_SOURCE
$(EXPLORE_UNITS): FUZZ_FLAGS := $(filter-out -I%,$(FUZZ_FLAGS)) -D_GNU_SOURCE
$(EXPLORE_UNITS): $(wildcard tools/explore/*.h) tests/fuzz/fuzz_explore.c \
  tests/fuzz/small_machine.h mk/explore.mk | check-explore

# Machines that the page can start beside the one that it shows: one that is booted
# to overflow a kernel stack; one with more levels of page tables (or fewer, if this
# one has more), where there is a choice; the other processor, where its compiler and
# QEMU are. A file for each says what is to be started (tools/explore/offer.h).
BESIDE := $(B)/beside
OTHER := $(firstword $(filter-out $(ARCH),$(notdir $(wildcard kernel/arch/*))))
# $(call beside,NAME,ARCH,APPEND)
beside = $(MAKE) -s --no-print-directory ARCH=$(2) CPUS=1 MEM=64M \
  APPEND='$(3)' TO=$(abspath $(BESIDE))/$(1) describe-machine

.PHONY: beside describe-machine
beside:
	@$(call beside,stack,$(ARCH),selftest=stack panic=exit)
	@$(if $(OTHER_LEVELS),$(call beside,levels,$(ARCH),$(OTHER_LEVELS)))
	@[ -n "$$(tools/packages missing run $(OTHER))" ] || \
	  $(call beside,other,$(OTHER),) || \
	  echo 'make explore: $(OTHER) cannot be shown beside $(ARCH)' >&2

describe-machine: override FS = $(B)/shown.img
describe-machine: check-qemu $(KERNEL) $(B)/shown.img
	@mkdir -p $(dir $(TO))
	@printf '%s\n' $(KERNEL) $(MEM) $(QEMU_CMD) -snapshot >$(dir $(TO)).new
	@mv $(dir $(TO)).new $(TO)

.PHONY: explore explorer explorer-checked check-explore
explorer-checked: check-explore $(BUILD)/host/explore/explore-checked
	@:
## PORT=n           of explore's page on 127.0.0.1 (default: one that is free)
PORT ?=
## explore          boot, and look into the machine's memory in a browser
explore: explorer check-qemu check-machine kernel $(BUILT_FS) $(B)/floors.ok beside
	$(BUILD)/host/explore/explore $(if $(PORT),--port $(PORT)) \
	  --beside $(BESIDE) --qemu $(KERNEL) $(MEM) $(QEMU_CMD)

## explorer         build the program that looks into a machine's memory
explorer: check-explore $(BUILD)/host/explore/explore
	@:

# The figures of the documents, from machines that run. One CPU: then a second run
# differs little from the first.
.PHONY: figures figures-of-one
## figures          draw docs/figures/ anew, from running machines
figures:
	$(Q)for arch in $(MACHINES); do \
	  $(MAKE) --no-print-directory ARCH=$$arch CPUS=1 figures-of-one || exit 1; \
	done

figures-of-one: override FS = $(B)/shown.img
figures-of-one: explorer kernel $(B)/shown.img
	@mkdir -p docs/figures
	$(Q)node tools/explore/figures.mjs docs/figures $(BUILD)/host/explore/explore \
	  --qemu $(KERNEL) $(MEM) $(QEMU_CMD) -snapshot

# What the page's tests need: a driver for the computer's own chromium.
EXPLORE_TESTS := $(BUILD)/host/explore/tests
$(EXPLORE_TESTS)/ok: tests/explore/package.json tests/explore/package-lock.json
	$(call say,NPM,$(@D))
	$(Q)$(call npm-ci,tests/explore,$(@D))
	$(Q)touch $@

.PHONY: explorer-tests
## explorer-tests   get what the tests of the explorer's page need from npm
explorer-tests: check-explore $(EXPLORE_TESTS)/ok
	@:

# The libraries that it needs, and how to get them.
check-explore:
	@missing=$$(tools/packages missing-explore); [ -z "$$missing" ] || { \
	  echo 'Not on this computer:' $$missing; echo 'Install with one of'; \
	  tools/packages hint-explore | tr -d ';'; exit 1; } >&2
