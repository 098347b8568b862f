# Which compiler, and what to say when there is none.
#
# In order: LLVM=1 or TOOLPREFIX= if given; the first GCC of TOOLPREFIXES; clang
# with lld. LLVM=-14 takes clang-14, ld.lld-14 and so on.

# Asking for one of these alone needs no compiler.
TOOLLESS := help clean format format-check print-gdbport
TOOLS_WANTED := $(if $(MAKECMDGOALS),$(filter-out $(TOOLLESS),$(MAKECMDGOALS)),all)

have = $(shell command -v $(1) 2>/dev/null)

ifeq ($(LLVM)$(TOOLPREFIX),)
override TOOLPREFIX := $(firstword $(foreach p,$(TOOLPREFIXES),\
  $(if $(call have,$(p)gcc),$(if $(call have,$(p)ld),$(p)))))
ifeq ($(TOOLPREFIX),)
ifneq ($(and $(call have,clang),$(call have,ld.lld)),)
override LLVM := 1
endif
endif
endif

ifneq ($(LLVM),)
LLVM_SUFFIX := $(filter -%,$(LLVM))
CC := clang$(LLVM_SUFFIX)
LD := ld.lld$(LLVM_SUFFIX)
AR := $(or $(call have,llvm-ar$(LLVM_SUFFIX)),ar)
NM := $(or $(call have,llvm-nm$(LLVM_SUFFIX)),nm)
CC_TARGET := --target=$(LLVM_TARGET)
LD_SEGMENTS := --no-rosegment -z norelro
else
CC := $(TOOLPREFIX)gcc
LD := $(TOOLPREFIX)ld
AR := $(TOOLPREFIX)ar
NM := $(TOOLPREFIX)nm
CC_TARGET :=
# Two segments: constants beside the text, and all data in one.
LD_SEGMENTS := $(if $(findstring ignored,$(if $(call have,$(LD)),\
  $(shell $(LD) -z noseparate-code -v 2>&1))),,-z noseparate-code)
endif
HOSTCC ?= $(or $(call have,cc),$(call have,gcc),$(call have,clang))

MISSING := $(if $(and $(filter-out gcc,$(CC)),$(call have,$(CC)),\
  $(call have,$(LD))),,compiler) $(if $(HOSTCC),,hostcc)
ifneq ($(and $(TOOLS_WANTED),$(strip $(MISSING))),)
define NL


endef
hint = $(subst ;,$(NL),$(shell tools/packages hint $(ARCH)))
ifneq ($(filter compiler,$(MISSING)),)
$(error No compiler for $(ARCH)$(if $(LLVM)$(filter-out gcc,$(CC)),: $(CC) \
  or $(LD) not found,: tried $(TOOLPREFIXES:%=%gcc) and clang with lld). \
  Install with one of$(NL)$(hint)$(NL))
else
$(error No C compiler for this computer (cc). Install with one of$(NL)$(hint)$(NL))
endif
endif

ifneq ($(TOOLS_WANTED),)
CC_VERSION := $(shell $(CC) --version | head -n 1)
cc-option = $(shell $(CC) $(CC_TARGET) -Werror $(1) -c -x c /dev/null \
  -o /dev/null 2>/dev/null && echo $(firstword $(1)))
# GCC would turn the loop in memset() into a call of memset().
CC_NO_IDIOM := $(call cc-option,-fno-tree-loop-distribute-patterns)
endif
