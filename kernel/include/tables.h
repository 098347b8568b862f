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

/* Put what the machine needs into a new user table. 0 or -ENOMEM. */
int tables_prepare_user(pagetable_t user);
/* Take it out again, trapframes that are left included; no page of the user's
 * is touched. No thread runs with this table any more. */
void tables_unprepare_user(pagetable_t user);

/* A trap of the thread whose place (0 to USER_THREADS_MAX - 1) this is in its
 * process shall save its registers in tf, before the thread runs in user mode:
 * the table maps tf if the machine needs that. 0 or -ENOMEM. No two threads of a
 * space have the same place at a time. The table's lock is held, or nobody else
 * uses it yet. */
int tables_add_trapframe(pagetable_t user, struct arch_space *as, uint place,
                         struct trapframe *tf);
/* The thread does not go to user mode any more, its space lives on. The place
 * and the memory of the trapframe may be used again at once. The same lock. */
void tables_remove_trapframe(pagetable_t user, uint place);

/* Is va in the part of user tables that the machine keeps for itself? Then its
 * name ("trampoline"), else NULL. */
const char *tables_describe_user(vaddr_t va);

/* This CPU stops running a thread of the space `from` and runs one of `to`;
 * either may be NULL, for none. Interrupts off. */
void tables_switch(struct arch_space *from, struct arch_space *to);

/* A user table was changed so that cached translations may be wrong: entries
 * for [va, va+size) were cleared or lost rights. If some of those led to table
 * pages or were superpages, the range is all that they translated. When this
 * returns no CPU uses the old ones, not even one that is in the middle of a
 * copyin: the pages may be put to other use. Not needed for entries that became
 * valid or gained rights. Any context, spin locks may be held. (mm/tlb.c) */
void tables_flush_user(struct arch_space *as, vaddr_t va, size_t size);

/* Instructions were written to memory that programs will run: each CPU sees
 * them before it next goes to user mode. */
void instructions_written(void);
/* The same for instructions that a space which may run just now is about to see:
 * this CPU, and others that run the space, see them when it returns. */
void instructions_mapped(struct arch_space *as);

/* Address-space identifiers in use, 0 if the machine has none. */
uint tables_asids(void);

#endif
