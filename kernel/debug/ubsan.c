/*
 * The undefined-behaviour sanitizer's end of the bargain: the compiler checks
 * (-fsanitize=undefined) and calls one of these when a check fails, with a
 * constant that says where in the source, and the values concerned. The names
 * and layouts are the compilers' (compiler-rt, ubsan/ubsan_handlers.h; GCC
 * follows). None returns: the code is compiled with -fno-sanitize-recover.
 */
#include "report.h"

/* Where in the source; the same start in all constants. */
struct place {
  const char *file;
  uint line, column;
};

/* A type: its name is for messages. */
struct type {
  uint16 kind; /* 0: integer */
  uint16 info; /* integers: bit 0: signed; above: log2 of the bits */
  char name[];
};
#define INTEGER 0

struct typed_place {
  struct place at;
  const struct type *type;
};

struct two_types {
  struct place at;
  const struct type *left, *right; /* of an index: the array's, its own */
};

struct access {
  struct place at;
  const struct type *type;
  uint8 log_align;
  uint8 kind; /* of access: accesses[] */
};

static const char *const accesses[] = {
    "load of",          "store to",       "reference to",
    "member access in", "member call in", "constructor call in",
    "downcast of",      "downcast of",    "upcast of",
    "cast to base of",  "_Nonnull of",    "dynamic operation on",
};

/* The value of an integer: in the word itself if it fits, else the word points
 * to it. Of 128 bits the lower half. */
static long long value(const struct type *t, vaddr_t v) {
  uint bits = 1U << (t->info >> 1);

  if (t->kind != INTEGER || bits == sizeof(v) * 8)
    return (long)v;
  if (bits > sizeof(v) * 8)
    return *(const long long *)v;
  if (t->info & 1)
    return (long)(v << (sizeof(v) * 8 - bits)) >> (sizeof(v) * 8 - bits);
  return (long)(v & ((1UL << bits) - 1));
}

#define HERE(p) (p)->at.file, (p)->at.line
#define PC ((vaddr_t)__builtin_return_address(0))
#define HANDLER void __attribute__((noreturn))

/* No header has these: only the compiler calls them. */
#pragma GCC diagnostic ignored "-Wmissing-prototypes"

static HANDLER overflow(const struct typed_place *p, const char *op, vaddr_t a,
                        vaddr_t b, vaddr_t pc) {
  debug_report(pc, "ubsan: %s:%u: overflow: %lld %s %lld does not fit in %s",
               HERE(p), value(p->type, a), op, value(p->type, b),
               p->type->name);
}

HANDLER __ubsan_handle_add_overflow_abort(const struct typed_place *p,
                                          vaddr_t a, vaddr_t b) {
  overflow(p, "+", a, b, PC);
}

HANDLER __ubsan_handle_sub_overflow_abort(const struct typed_place *p,
                                          vaddr_t a, vaddr_t b) {
  overflow(p, "-", a, b, PC);
}

HANDLER __ubsan_handle_mul_overflow_abort(const struct typed_place *p,
                                          vaddr_t a, vaddr_t b) {
  overflow(p, "*", a, b, PC);
}

HANDLER __ubsan_handle_divrem_overflow_abort(const struct typed_place *p,
                                             vaddr_t a, vaddr_t b) {
  if (value(p->type, b) == 0)
    debug_report(PC, "ubsan: %s:%u: division of %lld by zero", HERE(p),
                 value(p->type, a));
  overflow(p, "/", a, b, PC);
}

HANDLER __ubsan_handle_negate_overflow_abort(const struct typed_place *p,
                                             vaddr_t a) {
  debug_report(PC, "ubsan: %s:%u: overflow: -(%lld) does not fit in %s",
               HERE(p), value(p->type, a), p->type->name);
}

HANDLER __ubsan_handle_shift_out_of_bounds_abort(const struct two_types *p,
                                                 vaddr_t a, vaddr_t by) {
  debug_report(PC, "ubsan: %s:%u: shift of %lld (%s) by %lld", HERE(p),
               value(p->left, a), p->left->name, value(p->right, by));
}

HANDLER __ubsan_handle_out_of_bounds_abort(const struct two_types *p,
                                           vaddr_t index) {
  debug_report(PC, "ubsan: %s:%u: index %lld is out of bounds of %s", HERE(p),
               value(p->right, index), p->left->name);
}

HANDLER __ubsan_handle_type_mismatch_v1_abort(const struct access *p,
                                              vaddr_t address) {
  const char *what =
      p->kind < NELEM(accesses) ? accesses[p->kind] : "access to";
  const char *why = address == 0 ? "null pointer"
                    : address & ((1UL << p->log_align) - 1)
                        ? "misaligned address"
                        : "address with too little room";

  debug_report(PC, "ubsan: %s:%u: %s %s %p of type %s", HERE(p), what, why,
               (void *)address, p->type->name);
}

HANDLER __ubsan_handle_pointer_overflow_abort(const struct place *at,
                                              vaddr_t base, vaddr_t result) {
  debug_report(PC, "ubsan: %s:%u: pointer overflow: %p becomes %p", at->file,
               at->line, (void *)base, (void *)result);
}

HANDLER __ubsan_handle_load_invalid_value_abort(const struct typed_place *p,
                                                vaddr_t v) {
  debug_report(PC, "ubsan: %s:%u: %ld is no value of type %s", HERE(p), (long)v,
               p->type->name);
}

HANDLER __ubsan_handle_builtin_unreachable(const struct place *at) {
  debug_report(PC, "ubsan: %s:%u: reached what cannot be reached", at->file,
               at->line);
}
