/*
 * The two things about page tables that differ between machines beyond the
 * entries: what every user table must contain for a trap to work, and how a
 * CPU is given a table. Implemented in arch/<isa>/tables.c.
 */
#ifndef TABLES_H
#define TABLES_H

#include "arch_space.h" /* struct arch_space: the machine's part of a space */
#include "pte.h"

struct trapframe;

/* Turn paging on with the kernel's table, or load it again; this CPU. */
void tables_load_kernel(pagetable_t kernel);

/* Put what the machine needs into a new user table. 0 or -ENOMEM; panics never.
 * tf is where a trap shall save registers, if the table must map that. */
int tables_prepare_user(pagetable_t user, struct trapframe *tf);
/* Take it out again; no page of the user's is touched. */
void tables_unprepare_user(pagetable_t user);

/* Is va in the part of user tables that the machine keeps for itself? Then its
 * name ("trampoline"), else NULL. */
const char *tables_describe_user(vaddr_t va);

/* A user table was changed so that cached translations may be wrong: pages were
 * unmapped or lost rights in [va, va+size). Afterwards no CPU uses them. */
void tables_flush_user(struct arch_space *as, vaddr_t va, size_t size);

/* Instructions were written to memory that programs will run: each CPU sees
 * them before it next goes to user mode. */
void instructions_written(void);

/* Address-space identifiers in use, 0 if the machine has none. */
uint tables_asids(void);

#endif
