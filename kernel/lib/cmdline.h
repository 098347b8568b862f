/*
 * The kernel command line: words of the form name or name=value. Each module
 * declares the options it has; what no module knows is named at boot.
 */
#ifndef LIB_CMDLINE_H
#define LIB_CMDLINE_H

#include "types.h"

/* What is used of a text: bytes, the final 0 included, and options. */
#define CMDLINE_MAX 1024
#define WORDS_MAX 64

/* Keep a copy of the text and print one line for each word that is not a known
 * option: in the table of cmdline.c or among those of the machine, which are a
 * constant list of names that ends with NULL. */
void cmdline_init(const char *text, const char *const *machine_options);

/* The value of name=value, "" for a bare name, or NULL. */
const char *cmdline_get(const char *name);
/* A decimal number, or `otherwise` if absent or malformed (which is said). */
uint64 cmdline_number(const char *name, uint64 otherwise);

#endif
