/*
 * The arguments of exec, on their way from the old program to the new one:
 * strings end to end in a few kernel pages.
 */
#ifndef PROC_ARGS_H
#define PROC_ARGS_H

#include "pte.h"
#include "types.h"

#define ARGS_PAGES 32 /* 128 KiB of strings */

struct space;

struct args {
  int argc;
  size_t size; /* bytes of strings, final zeros included */
  char *pages[ARGS_PAGES];
};

/* Add a string that the kernel has, or all strings of a program's argv (an
 * array of pointers that ends with 0, at a user address). 0, or -E2BIG,
 * -EFAULT, -ENOMEM. */
int args_add(struct args *a, const char *string);
int args_add_user(struct args *a, struct space *s, vaddr_t argv);

/* Write strings and then argv[] below stack top sp in the new space. The new
 * stack pointer, aligned as the machine's calls want it, where argv[] begins;
 * -E2BIG if too little would be left above `base`; or -ENOMEM. */
long args_push(const struct args *a, struct space *s, vaddr_t sp, vaddr_t base);

void args_free(struct args *a);

#endif
