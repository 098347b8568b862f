# The debug kernel (make DEBUG=1): a build of its own beside the plain one, with
# kernel/debug/ and the compilers' sanitizers. docs/testing.md says what it finds.

ifeq ($(DEBUG),1)

DEBUG_KDIRS := kernel/debug
DEBUG_KFLAGS := -DDEBUG
# What usertests knows of the kernel that differs: KSTACK_ORDER (debug.h).
DEBUG_TEST_FLAGS := -DSTACK_SLOT=0x8000UL

# Undefined behaviour: all that C has, but what the kernel means to do.
SANITIZE := -fsanitize=undefined -fno-sanitize-recover=undefined

# Not instrumented: the checks themselves; of the machine, what runs before
# mycpu() can be asked, and what programs are linked with.
UNCHECKED := kernel/debug/% $(ARCH_UNCHECKED:%=kernel/arch/$(ARCH)/%)

# $(call sanitize,FILE): how to compile it.
sanitize = $(if $(filter $(UNCHECKED),$(1)),,$(SANITIZE))

endif
