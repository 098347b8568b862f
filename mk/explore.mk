# The explorer: a program for this computer that looks into the guest's memory.

EXPLORE_SRCS := $(sort $(wildcard tools/explore/*.c tools/explore/arch/*.c))
EXPLORE_OBJS := $(EXPLORE_SRCS:tools/%.c=$(BUILD)/host/%.o)
EXPLORE_LIBS := -ldw -lelf -ljansson -lz
EXPLORE_FLAGS := $(HOSTCFLAGS) -D_GNU_SOURCE

$(BUILD)/host/explore/%.o: tools/explore/%.c mk/explore.mk
	$(call say,HOSTCC,$@)
	@mkdir -p $(@D)
	$(Q)$(HOSTCC) $(EXPLORE_FLAGS) -MMD -MP -c -o $@ $<

$(BUILD)/host/explore/explore: $(EXPLORE_OBJS)
	$(call say,HOSTLD,$@)
	$(Q)$(HOSTCC) $(EXPLORE_FLAGS) -o $@ $(EXPLORE_OBJS) $(EXPLORE_LIBS)

-include $(EXPLORE_OBJS:.o=.d)

# The same with every check that the compiler has, for tests with damaged files.
EXPLORE_CHECKED := -g -O1 -fsanitize=address,undefined \
  -fno-sanitize-recover=undefined
$(BUILD)/host/explore/explore-checked: $(EXPLORE_SRCS) \
    $(wildcard tools/explore/*.h) mk/explore.mk
	$(call say,HOSTCC,$@)
	@mkdir -p $(@D)
	$(Q)$(HOSTCC) $(EXPLORE_FLAGS) $(EXPLORE_CHECKED) -o $@ $(EXPLORE_SRCS) \
	  $(EXPLORE_LIBS)

.PHONY: explorer explorer-checked check-explore
explorer-checked: check-explore $(BUILD)/host/explore/explore-checked
	@:
## explorer         build the program that looks into a machine's memory
explorer: check-explore $(BUILD)/host/explore/explore
	@:

# The libraries that it needs, and how to get them.
check-explore:
	@missing=$$(tools/packages missing explore); [ -z "$$missing" ] || { \
	  echo 'Not on this computer:' $$missing; echo 'Install with one of'; \
	  tools/packages hint-explore | tr -d ';'; exit 1; } >&2
