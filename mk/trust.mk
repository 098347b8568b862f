# What shows that nothing brings the system down: campaigns that take longer
# than tests should. docs/testing.md says what each proves. The tests run small
# versions of the same.

# --- Fuzzing ----------------------------------------------------------------

## fuzz SECONDS=n   wrong system calls and ELF files: SEED=n, CPUS=4, DEBUG=1
.PHONY: fuzz
fuzz: SECONDS ?= 600
fuzz: check-qemu all
	@ARCH=$(ARCH) BUILD=$(BUILD) DEBUG=$(DEBUG) tools/python -B \
	  tests/fuzz/fuzz_calls.py --seconds $(SECONDS) \
	  --cpus $(if $(filter command line,$(origin CPUS)),$(CPUS),4) \
	  $(if $(SEED),--seed $(SEED))

## fuzz-disks       boot from IMAGES=1000 damaged disks, from SEED=n on
.PHONY: fuzz-disks
fuzz-disks: IMAGES ?= 1000
fuzz-disks: check-qemu
	@ARCH=$(ARCH) BUILD=$(BUILD) tools/python -B tests/fuzz/fuzz_disks.py \
	  --count $(IMAGES) $(if $(SEED),--seed $(SEED))

## fuzz-tables      boot with N=200 damaged device trees, or ACPI tables
.PHONY: fuzz-tables
fuzz-tables: N ?= 200
fuzz-tables: check-qemu
	@ARCH=$(ARCH) BUILD=$(BUILD) tools/python -B tests/fuzz/fuzz_tables.py \
	  --count $(N) $(if $(SEED),--seed $(SEED))

# Parts of the kernel and of the tools for this computer, under libFuzzer and all
# sanitizers: tests/fuzz/fuzz_NAME.c, which name the files they need as the unit
# tests do (host-sources). What one has found to be interesting is kept in the
# build folder, and used by the next.
FUZZERS := $(patsubst tests/fuzz/fuzz_%.c,%,$(sort $(wildcard tests/fuzz/fuzz_*.c)))
FUZZCC ?= $(or $(call have,clang-14),$(call have,clang))
FUZZ_FLAGS := -std=gnu11 -g -O1 -Wall -Wextra $(if $(CI),-Werror) \
  -fsanitize=fuzzer,address,undefined -fno-sanitize-recover=all \
  -Itests/fuzz -Itests/host/include -Itests/host -Ikernel -Ikernel/include -Iinclude
FUZZ_FOLDER = $(BUILD)/host/fuzz

$(FUZZERS:%=$(BUILD)/host/fuzz/fuzz_%): $(BUILD)/host/fuzz/%: tests/fuzz/%.c \
    $$(call host-sources,tests/fuzz/$$*.c) $(HOST_TEST_HEADERS) \
    $(wildcard tests/fuzz/*.h tests/host/*.c kernel/lib/*.c) mk/trust.mk
	$(call say,FUZZCC,$@)
	@mkdir -p $(@D)
	$(Q)$(FUZZCC) $(FUZZ_FLAGS) -o $@ $(call host-sources,$<) $< -lcmocka \
	  $(HOST_TEST_LIBS)

.PHONY: fuzz-host fuzz-host-works
# libFuzzer comes with clang, but not always in the same package.
fuzz-host-works:
	@echo 'int LLVMFuzzerTestOneInput(void) { return 0; }' | \
	  $(or $(FUZZCC),clang) -fsanitize=fuzzer -x c - -o /dev/null 2>/dev/null || \
	  { echo 'fuzz-host: that takes clang with libFuzzer: apt-get install' \
	      'clang libclang-rt-dev'; exit 1; }

## fuzz-host        parsers and file system under libFuzzer, SECONDS=60 for each
fuzz-host: SECONDS ?= 60
fuzz-host: fuzz-host-works $(FUZZERS:%=$(BUILD)/host/fuzz/fuzz_%)
	$(Q)for f in $(FUZZERS); do \
	  mkdir -p $(FUZZ_FOLDER)/corpus-$$f || exit 1; \
	  echo "--- $$f"; \
	  $(FUZZ_FOLDER)/fuzz_$$f -max_total_time=$(SECONDS) -max_len=4096 -len_control=0 \
	    -timeout=100 -rss_limit_mb=0 -malloc_limit_mb=2048 -print_final_stats=1 -verbosity=0 \
	    -artifact_prefix=$(FUZZ_FOLDER)/$$f- $(FUZZ_FOLDER)/corpus-$$f || exit 1; \
	done

# --- Power cuts -------------------------------------------------------------

# What runs for thousands of disks is without the host tests' sanitizers.
POWERCUT := $(BUILD)/host/powercut
$(POWERCUT): tests/powercut/check.c \
    $(call host-sources,tests/powercut/check.c) $(HOST_TEST_HEADERS) mk/trust.mk
	$(call say,HOSTCC,$@)
	@mkdir -p $(@D)
	$(Q)$(HOSTCC) $(filter-out -fsanitize=% -fno-sanitize%,$(HOST_TEST_FLAGS)) \
	  -O2 -o $@ $(call host-sources,$<) $< -lpthread

POWERCUTS = ARCH=$(ARCH) BUILD=$(BUILD) tools/python -B tests/powercut/powercut.py

## powercuts        cut the power at POINTS=20000 moments, from SEED=n on
.PHONY: powercuts
powercuts: POINTS ?= 20000
powercuts: check-qemu all $(POWERCUT)
	@$(POWERCUTS) powercuts $(POINTS) $(SEED)

## disk-errors      boot and work with the n-th request failing, for each n;
##                  WAY=alone, done or on: only so
.PHONY: disk-errors
disk-errors: check-qemu all $(POWERCUT)
	@$(POWERCUTS) disk-errors $(SEED) $(WAY)

# --- Shortage ---------------------------------------------------------------

## shortage         each allocation of memory fails once: ONLY=program, STEP=1
.PHONY: shortage
shortage: STEP ?= 1
shortage: check-qemu
	@$(MAKE) -s DEBUG=1 all
	@ARCH=$(ARCH) BUILD=$(BUILD) DEBUG=1 tools/python -B tests/shortage/shortage.py \
	  --step $(STEP) $(if $(SEED),--seed $(SEED)) $(WAY:%=--way %) $(ONLY)

# --- Proofs -----------------------------------------------------------------

# The model checker that is here, or else one that is fetched.
CBMC ?= $(or $(shell command -v cbmc),$(BUILD)/cbmc/cbmc)

$(BUILD)/cbmc/cbmc: | tests/prove/get-cbmc
	$(call say,FETCH,$@)
	$(Q)tests/prove/get-cbmc $(@D)
	@touch $@

.PHONY: cbmc prove prove-machine
cbmc: $(CBMC)

# What the proofs must know of a machine; its word size is in $(PROVE_FLAGS).
prove-machine: $(GENERATED)
	@echo '$(ARCH) $(B)/gen $(PROVE_LEVELS) $(PROVE_FLAGS)'

## prove            model checking of the pure parts; ONLY=pattern, JOBS=2
prove: JOBS ?= 2
prove: $(CBMC)
	$(Q)set --; for arch in $(MACHINES); do \
	  facts=$$($(MAKE) -s ARCH=$$arch prove-machine) || exit 1; \
	  set -- "$$@" --machine "$$(echo "$$facts" | tail -n 1)"; \
	done; CBMC='$(CBMC)' tests/prove/prove "$$@" --jobs $(JOBS) \
	  $(if $(QUICK),--quick) $(ONLY)

# --- Mutants ----------------------------------------------------------------

## mutants          wrong kernels, which tests must notice; ONLY=, DEPTH=quick
.PHONY: mutants mutants-check
mutants-check:
	@tests/mutants/run --check
mutants: DEPTH ?= full
mutants: check-qemu
	@ARCH='$(MACHINES)' BUILD=$(BUILD) tests/mutants/run --depth $(DEPTH) $(ONLY)

# --- Soak -------------------------------------------------------------------

## soak MINUTES=n   all at once, with hardly any memory left; SEED=n, CPUS=4
.PHONY: soak
soak: MINUTES ?= 10
soak: check-qemu all $(BUILD)/host/fsck
	@ARCH=$(ARCH) BUILD=$(BUILD) DEBUG=$(DEBUG) tools/python -B \
	  tests/fuzz/soak.py --minutes $(MINUTES) --mem $(MEM) \
	  --cpus $(if $(filter command line,$(origin CPUS)),$(CPUS),4) \
	  $(if $(SEED),--seed $(SEED))
