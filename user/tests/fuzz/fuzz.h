/*
 * fuzz, a program of three files: main.c starts families of processes and
 * watches over them, calls.c makes their calls, values.c chooses arguments.
 */
#ifndef FUZZ_H
#define FUZZ_H

#include "kernel/types.h"

#include "user/thread.h"
#include "user/user.h"

#define PAGE 4096
#define NELEM(array) (uint)(sizeof(array) / sizeof((array)[0]))
#define FAMILIES_MAX 8
#define VERBOSE_FD 500 /* the console, for -v; calls leave it alone */
#define WORKDIR "/fuzz.d"
#define PROGRAM "prog" /* what exec finds in each family's directory */

typedef unsigned long word; /* an argument of a system call */

/* What all processes of the fuzzer see. */
struct shared {
  /* [a] made by each family so far; clang wants to know that they are aligned */
  _Alignas(8) uint64 calls[FAMILIES_MAX];
};
extern struct shared *shared;
extern int verbose;

/* A thread that makes calls. */
struct fuzzer {
  uint64 random; /* its stream, never 0 */
  uint family;
  uint number;     /* of the thread, in its family */
  uint generation; /* 0, and one more in a child */
  uint64 stop;     /* ends when shared->calls[family] gets there, */
  uint left;       /* or after so many more of its own */
};

/* --- values.c --- */

uint64 mix(uint64 a, uint64 b); /* a seed from two */
uint below(struct fuzzer *f, uint n);
uint64 bits(struct fuzzer *f);
int one_in(struct fuzzer *f, uint n); /* true once in n times */

/* What a parameter takes. */
enum kind {
  K_NONE,
  K_NUMBER,
  K_SIZE,
  K_FD,
  K_PID,
  K_PATH,
  K_ARGV,
  K_BUFFER,  /* to read or write */
  K_MAPPING, /* of what mmap made; whole pages */
  K_CHOICE,  /* from a list of the call's own */
};

/* Map what the values point to. In the family's directory; once for each
 * process that is no child of another. */
void values_prepare(struct fuzzer *f);
/* A value that makes sense, and one that does not. */
word sensible(struct fuzzer *f, enum kind kind);
word hurtful(struct fuzzer *f, enum kind kind);
/* Would the program end if that memory went away? */
int values_touches_own(word at, word size);
/* The calling thread's stack is where this variable is. */
void values_stack(const void *local);
/* mmap gave this: it may be used by later calls. */
void values_mapped(struct fuzzer *f, word at, word size);

/* --- calls.c --- */

void calls_prepare(void);
/* Make one call. */
void call_something(struct fuzzer *f);
/* One thread's life. */
int fuzz_thread(void *arg);

#endif
