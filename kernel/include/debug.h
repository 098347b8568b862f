/*
 * The checks of the debug kernel (make DEBUG=1): what shared code tells them.
 *
 * kernel/debug/ implements this for a debug build. In a plain build the calls
 * are empty and the constants neutral, so that not an instruction is left of
 * them; this is the one file that asks which of the two is being built.
 *
 * All of them may be called in any context, also before the shadow map exists:
 * they allow everything then. What they find is a panic that says what is wrong,
 * and where.
 */
#ifndef DEBUG_H
#define DEBUG_H

#ifdef DEBUG
#define KSTACK_ORDER 3 /* log2 of the pages of a kernel stack and its guard */
#else
#define KSTACK_ORDER 2
#endif

#ifndef __ASSEMBLER__

#include "types.h"

struct list;
struct spinlock;

#ifdef DEBUG

/* Bytes behind each object of a slab, at least, that nobody may touch. */
#define DEBUG_REDZONE 16

/* --- memory (debug/asan.c) --- */

/* The allocator's memory begins at `at`: take what the shadow map needs of
 * it, and begin to check. Returns where the rest begins, page-aligned. Boot CPU,
 * RAM known. */
vaddr_t debug_reserve(vaddr_t at);
/* The kernel is about to access n bytes in a way that the compiler does not see:
 * are they there? `pc`: who asks. */
void debug_access(const void *p, size_t n, bool write, vaddr_t pc);
/* n pages are free from now on, or somebody's. */
void debug_pages_freed(void *p, size_t n);
void debug_pages_taken(void *p, size_t n);
/* A page becomes one of objects: none of it is anybody's but the slab's. */
void debug_slab_new(void *page);
/* There is a free object of size bytes in it; it is somebody's; it is free again.
 * A second debug_object_freed() in a row is an error. */
void debug_object_new(void *p, size_t size);
void debug_object_taken(void *p, size_t size);
void debug_object_freed(void *p, size_t size);
/* The same for a kernel stack, which is mapped. (debug/stackmark.c) */
void debug_stack_taken(int n);
void debug_stack_freed(int n);

/* --- locks (debug/lockorder.c) --- */

/* This CPU waits for the lock; has it, by waiting or not; gives it back. */
void debug_spin_wait(struct spinlock *lk, vaddr_t pc);
void debug_spin_taken(struct spinlock *lk, bool waited, vaddr_t pc);
void debug_spin_released(struct spinlock *lk, vaddr_t pc);
/* The same for this thread and a sleep lock, or what works like one. Waiting for
 * one is sleeping: see below. */
void debug_sleep_wait(const void *lk, const char *name, vaddr_t pc);
void debug_sleep_taken(void *lk, const char *name);
void debug_sleep_released(void *lk);
/* This thread is about to ask for a lock of either kind that nobody else knows
 * yet: it will not wait, whatever it holds. */
void debug_lock_is_new(const void *lk);
/* This thread may go to sleep in the queue with interrupts on and no spin lock held
 * but lk, which sleep() gives back; NULL: none. */
void debug_may_sleep(struct spinlock *lk, const char *queue, vaddr_t pc);
/* This thread goes back to its program: it holds no lock, and nothing keeps
 * interrupts off. */
void debug_user_return(void);

/* --- delays (debug/delay.c) --- */

/* Read from the command line how often there is one. Boot CPU. */
void debug_delay_init(void);
/* Perhaps do nothing for a while: before a spin lock is asked for, and when it was
 * given back. */
void debug_delay(void);

/* --- allocations that fail by order (debug/inject.c) --- */

/* Is this one to fail? Each is asked about once. */
bool debug_alloc_fails(void);
/* How many that failed like this count as lack of memory: kalloc_failures(). */
uint debug_shortages(void);
/* Does the calling thread lack memory by order, so that nothing will help it? */
bool debug_starved(void);

/* --- structures (debug/integrity.c) --- */

/* l comes between two neighbours, or out: are these what they should be? */
void debug_list_insert(struct list *l, struct list *prev, struct list *next);
void debug_list_remove(struct list *l);
/* A holder is about to be added to, or taken from, `count` of them. */
void debug_count_get(unsigned long count, const char *what, const void *p);
void debug_count_put(unsigned long count, const char *what, const void *p);

#else

#define DEBUG_REDZONE 0

/* Nothing, and arguments are not even evaluated: that could change the code
 * around. */
#define debug_reserve(at) (at)
#define debug_access(p, n, write, pc) ((void)0)
#define debug_pages_freed(p, n) ((void)0)
#define debug_pages_taken(p, n) ((void)0)
#define debug_slab_new(page) ((void)0)
#define debug_object_new(p, size) ((void)0)
#define debug_object_taken(p, size) ((void)0)
#define debug_object_freed(p, size) ((void)0)
#define debug_stack_taken(n) ((void)0)
#define debug_stack_freed(n) ((void)0)
#define debug_spin_wait(lk, pc) ((void)0)
#define debug_spin_taken(lk, waited, pc) ((void)0)
#define debug_spin_released(lk, pc) ((void)0)
#define debug_sleep_wait(lk, name, pc) ((void)0)
#define debug_sleep_taken(lk, name) ((void)0)
#define debug_sleep_released(lk) ((void)0)
#define debug_lock_is_new(lk) ((void)0)
#define debug_may_sleep(lk, queue, pc) ((void)0)
#define debug_user_return() ((void)0)
#define debug_delay_init() ((void)0)
#define debug_delay() ((void)0)
#define debug_alloc_fails() false
#define debug_shortages() 0
#define debug_starved() false
#define debug_list_insert(l, prev, next) ((void)0)
#define debug_list_remove(l) ((void)0)
#define debug_count_get(count, what, p) ((void)0)
#define debug_count_put(count, what, p) ((void)0)

#endif

#define DEBUG_CALLER ((vaddr_t)__builtin_return_address(0))

#endif /* __ASSEMBLER__ */
#endif
