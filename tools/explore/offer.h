/*
 * Machines that can be started beside the one that is looked at, to compare: one
 * with more levels of page tables, another processor, one that is booted to break.
 * Each is a file in a folder, which has the kernel's ELF file, how much memory, and
 * QEMU's command line, a word a line.
 */
#ifndef EXPLORE_OFFER_H
#define EXPLORE_OFFER_H

#include <jansson.h>

#include "source.h"

/* The names in a folder, an array; none if it is NULL. */
json_t *offer_names(const char *folder);

/* The words of the machine of that name, which offer_free() frees. NULL, and why. */
char **offer_words(const char *folder, const char *name, struct trouble *why);
void offer_free(char **words);

#endif
