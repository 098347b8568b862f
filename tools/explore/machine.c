/* The machines that there are; see machine.h. */
#include "machine.h"

#include <stddef.h>
#include <string.h>

static const struct machine *const machines[] = {&machine_rv64, &machine_ia32};

#define MACHINES (sizeof(machines) / sizeof(machines[0]))

const struct machine *machine_of_elf(uint16_t elf_machine, uint8_t elf_class) {
  for (size_t i = 0; i < MACHINES; i++)
    if (machines[i]->elf_machine == elf_machine &&
        machines[i]->elf_class == elf_class)
      return machines[i];
  return NULL;
}

const struct machine *machine_named(const char *name) {
  for (size_t i = 0; i < MACHINES; i++)
    if (strcmp(machines[i]->name, name) == 0)
      return machines[i];
  return NULL;
}
