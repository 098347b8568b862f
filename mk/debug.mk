# The debug kernel (make DEBUG=1): a build of its own beside the plain one, with
# kernel/debug/ and the compilers' sanitizers. docs/testing.md says what it finds.

ifeq ($(DEBUG),1)

DEBUG_KDIRS := kernel/debug
DEBUG_KFLAGS := -DDEBUG
# What usertests knows of the kernel that differs: KSTACK_ORDER (debug.h).
DEBUG_TEST_FLAGS := -DSTACK_SLOT=0x8000UL

# Undefined behaviour: all that C has, but what the kernel means to do.
SANITIZE := -fsanitize=undefined -fno-sanitize-recover=undefined

# Accesses to memory: a call for each, and redzones behind global variables. Stacks
# have no redzones, since those are poisoned by code that counts on a shadow map
# at an address known when it is compiled; they have secret words instead.
SANITIZE += -fsanitize=kernel-address
ifneq ($(LLVM),)
# Where clang knows no system it refuses the sanitizer.
SANITIZE += --target=$(DEBUG_LLVM_TARGET) \
  $(foreach o,asan-instrumentation-with-call-threshold=0 asan-globals=1 \
    asan-stack=0,-mllvm -$(o))
else
SANITIZE += $(foreach o,asan-instrumentation-with-call-threshold=0 asan-globals=1 \
    asan-stack=0,--param $(o))
endif
SANITIZE += -fstack-protector-strong $(call cc-option,-mstack-protector-guard=global)

# A call at a function's end stays a call: else backtraces lack who made it.
SANITIZE += -fno-optimize-sibling-calls

# Not instrumented: the checks themselves; of the machine, what runs before
# mycpu() can be asked, and what programs are linked with; the owners of free
# memory, who keep their lists in it; what is checked as a whole before it
# begins (string.c), or when a lock is taken; what waits for other CPUs, whose
# accesses must not count as work (kernel/sync, tlb.c).
UNCHECKED := $(filter-out %/plant.c,$(wildcard kernel/debug/*.c)) kernel/mm/kalloc.c kernel/mm/slab.c \
  kernel/lib/string.c kernel/sync/% kernel/mm/tlb.c $(ARCH_UNCHECKED:%=kernel/arch/$(ARCH)/%)

# $(call sanitize,FILE): how to compile it.
sanitize = $(if $(filter $(UNCHECKED),$(1)),,$(SANITIZE))

endif
