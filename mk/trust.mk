# What shows that nothing brings the system down: campaigns that take longer
# than tests should. docs/testing.md says what each proves. The tests run small
# versions of the same.

# --- Fuzzing ----------------------------------------------------------------

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

# --- Power cuts -------------------------------------------------------------

# --- Proofs -----------------------------------------------------------------

# --- Mutants ----------------------------------------------------------------

# --- Soak -------------------------------------------------------------------
