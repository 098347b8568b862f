/*
 * How deep kernel stacks get, and whether a function writes beyond its own
 * variables there.
 *
 * A stack that no thread has used is full of MARK; the lowest word that is not
 * says how deep it got. Of a stack that goes back only what was used is filled
 * again.
 *
 * Beyond variables: the compiler (-fstack-protector-strong) puts a secret word
 * between the arrays of a function and what it must find again when it returns,
 * and looks whether it is still there. So a write is found when the function
 * ends, if it was near; a read is not.
 */
#include "stackmark.h"

#include "asan.h"
#include "debug.h"
#include "inject.h"
#include "lockorder.h"
#include "memlayout.h"
#include "pte.h"
#include "report.h"
#include "sync/spinlock.h"

#define MARK ((vaddr_t)0x5354414b) /* "STAK" */
#define STACK_BYTES (KSTACK_PAGES * PGSIZE)

static struct spinlock lock = SPINLOCK("stack marks");
static size_t deepest;          /* [lock] bytes, of all that were freed */
static bool marked[KSTACK_MAX]; /* [lock] its pages are there and have marks */

/* What is on the stack at return may be anything but this. */
vaddr_t __stack_chk_guard = (vaddr_t)0x00a5c3960ff0d2b4ULL;

void __stack_chk_fail(void) __attribute__((noreturn));
void __stack_chk_fail(void) {
  debug_report(DEBUG_CALLER,
               "stack: this function wrote beyond a variable of its own");
}

/* Bytes from the top of a stack in use to the lowest word that was written. */
static size_t depth(int n) {
  const vaddr_t *word = (const vaddr_t *)KSTACK(n);
  const vaddr_t *top = (const vaddr_t *)(KSTACK(n) + STACK_BYTES);

  while (word < top && *word == MARK)
    word++;
  return (top - word) * sizeof(*word);
}

static void fill(int n, size_t bytes) {
  vaddr_t *top = (vaddr_t *)(KSTACK(n) + STACK_BYTES);

  for (size_t i = 1; i <= bytes / sizeof(*top); i++)
    top[-i] = MARK;
}

void debug_stack_taken(int n) {
  inject_stack_taken(n);
  fill(n, STACK_BYTES);
  acquire(&lock);
  marked[n] = true;
  release(&lock);
  __atomic_store_n(&stack_used[n], 1, __ATOMIC_RELAXED);
}

void debug_stack_freed(int n) {
  size_t used;

  lockorder_ended(n);
  acquire(&lock);
  used = depth(n);
  deepest = MAX(deepest, used);
  marked[n] = false;
  release(&lock);
  __atomic_store_n(&stack_used[n], 0, __ATOMIC_RELAXED);
}

size_t stackmark_depth(int n) {
  size_t used;

  acquire(&lock);
  used = marked[n] ? depth(n) : 0;
  release(&lock);
  return used;
}

int stackmark_count(void) {
  int used = 0;

  acquire(&lock);
  for (int n = 0; n < KSTACK_MAX; n++)
    used += marked[n];
  release(&lock);
  return used;
}

size_t stackmark_deepest(void) {
  size_t most;

  acquire(&lock);
  most = deepest;
  for (int n = 0; n < KSTACK_MAX; n++) {
    size_t used = marked[n] ? depth(n) : 0;

    most = MAX(most, used);
  }
  release(&lock);
  return most;
}
