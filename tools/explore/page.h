/*
 * The files of the page. They are in the program itself: tools/explore/pack makes
 * page_files.c of them when it is built. So the server opens no file, and has no
 * others to give.
 */
#ifndef EXPLORE_PAGE_H
#define EXPLORE_PAGE_H

#include <stddef.h>

struct page_file {
  const char *name; /* "index.html" */
  const char *type; /* "text/html; charset=utf-8" */
  const unsigned char *bytes, *end;
};

extern const struct page_file page_files[]; /* the last one has no name */

#endif
