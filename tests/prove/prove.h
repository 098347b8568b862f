/*
 * What the proofs share. A proof is a function that the model checker runs with
 * every value of its any_...() at once; it includes the kernel's file that it is
 * about, so that it sees that file's static functions:
 *
 *    PROVE(name, "what holds", "up to which bound", "options of cbmc") {
 *      uint n = any_uint();
 *      assume(n < 10);
 *      claim(f(n) > n);
 *      reached(f(n) == 12);
 *    }
 *
 * Besides the claims, the checker proves that no access is out of bounds or
 * through a wild pointer, that nothing overflows that must not, and that loops
 * end within the bound given (--unwind). A panic is a failure. `prove` reads the
 * text of PROVE() itself.
 */
#ifndef PROVE_H
#define PROVE_H

#include "pte.h"
#include "types.h"

/* Where the machine chooses it at boot, a proof is for one number of levels. */
#undef PT_LEVELS
#define PT_LEVELS PROVE_LEVELS

#define PROVE(name, what, bound, options) void prove_##name(void)

#define assume(condition) __CPROVER_assume(condition)

/* reached(): the proof is not empty: there are values for which control comes
 * here and the condition holds. Each proof has one at its end, at least. Those
 * are looked at in a run of their own, in which each must fail as an assertion. */
#ifdef PROVE_REACHED
#define claim(condition) ((void)(condition))
#define reached(condition) __CPROVER_assert(!(condition), #condition)
#else
#define claim(condition) __CPROVER_assert(condition, #condition)
#define reached(condition) ((void)(condition))
#endif

/* Any value. */
bool nondet_bool(void);
uchar nondet_uchar(void);
char nondet_char(void);
int nondet_int(void);
uint nondet_uint(void);
uint64 nondet_uint64(void);
size_t nondet_size(void);
#define any_bool() nondet_bool()
#define any_uchar() nondet_uchar()
#define any_char() nondet_char()
#define any_int() nondet_int()
#define any_uint() nondet_uint()
#define any_uint64() nondet_uint64()
#define any_size() nondet_size()

static inline size_t any_below(size_t n) {
  size_t x = any_size();

  assume(x < n);
  return x;
}

/* Fill an object with any bytes. */
#define any_bytes(object) __CPROVER_havoc_object(object)

#endif
