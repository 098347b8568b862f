/*
 * Arguments of exec. See args.h.
 *
 *   stack top  +---------------------+
 *              | "echo\0hello\0"     |
 *              +---------------------+
 *              | argv[2] = 0         |
 *              | argv[1] -> "hello"  |
 *   sp         | argv[0] -> "echo"   |
 *              +---------------------+
 */
#include "proc/args.h"

#include "lib/string.h"
#include "mm/kalloc.h"
#include "param.h"
#include "vm/usercopy.h"

#define STACK_ALIGN 16UL /* of sp at a function's entry, in all our ABIs */
#define STACK_LEFT 1024  /* bytes that the program must have to begin with */

/* Where the next string goes, with the room to the end of its page; NULL: no
 * memory, or too much. A string may run from one page into the next. */
static char *room(struct args *a, size_t *n, int *err) {
  size_t page = a->size / PGSIZE;

  if (page >= ARGS_PAGES || a->argc >= ARG_MAX) {
    *err = -E2BIG;
    return NULL;
  }
  if (a->pages[page] == NULL)
    a->pages[page] = kalloc();
  if (a->pages[page] == NULL) {
    *err = -ENOMEM;
    return NULL;
  }
  *n = PGSIZE - a->size % PGSIZE;
  return a->pages[page] + a->size % PGSIZE;
}

int args_add(struct args *a, const char *string) {
  size_t left = strlen(string) + 1;
  int err = 0;

  while (left > 0) {
    size_t n;
    char *to = room(a, &n, &err);

    if (to == NULL)
      return err;
    n = MIN(n, left);
    memcpy(to, string, n);
    string += n;
    left -= n;
    a->size += n;
  }
  a->argc++;
  return 0;
}

/* One string from user address src. */
static int add_user_string(struct args *a, struct space *s, vaddr_t src) {
  int err = 0;

  for (;;) {
    size_t n;
    char *to = room(a, &n, &err);
    int len;

    if (to == NULL)
      return err;
    len = copyinstr(s, to, src, n);
    if (len >= 0) {
      a->size += len + 1;
      a->argc++;
      return 0;
    }
    if (len != -ENAMETOOLONG)
      return len;
    a->size += n; /* the page is full: go on in the next */
    src += n;
  }
}

int args_add_user(struct args *a, struct space *s, vaddr_t argv) {
  for (;; argv += sizeof(vaddr_t)) {
    vaddr_t string;
    int r;

    if (copyin(s, &string, argv, sizeof(string)) < 0)
      return -EFAULT;
    if (string == 0)
      return 0;
    r = add_user_string(a, s, string);
    if (r < 0)
      return r;
  }
}

/* Length of the string at offset `at`, which may cross pages. */
static size_t length_at(const struct args *a, size_t at) {
  size_t from = at;

  while (a->pages[at / PGSIZE][at % PGSIZE] != 0)
    at++;
  return at - from;
}

/* Write argv[]: where each string is once they begin at `strings`. */
static int push_pointers(const struct args *a, struct space *s, vaddr_t argv,
                         vaddr_t strings) {
  vaddr_t pointer;
  size_t at = 0;

  for (int i = 0; i < a->argc; i++) {
    pointer = strings + at;
    at += length_at(a, at) + 1;
    if (copyout(s, argv, &pointer, sizeof(pointer)) < 0)
      return -ENOMEM;
    argv += sizeof(pointer);
  }
  pointer = 0;
  return copyout(s, argv, &pointer, sizeof(pointer)) < 0 ? -ENOMEM : 0;
}

long args_push(const struct args *a, struct space *s, vaddr_t sp,
               vaddr_t base) {
  size_t pointers = (a->argc + 1) * sizeof(vaddr_t);
  vaddr_t strings;

  if (a->size + pointers + 2 * STACK_ALIGN + STACK_LEFT > sp - base)
    return -E2BIG;
  strings = (sp - a->size) & ~(STACK_ALIGN - 1);
  sp = (strings - pointers) & ~(STACK_ALIGN - 1);
  for (size_t at = 0; at < a->size; at += PGSIZE) {
    size_t n = MIN(PGSIZE, a->size - at);

    if (copyout(s, strings + at, a->pages[at / PGSIZE], n) < 0)
      return -ENOMEM;
  }
  return push_pointers(a, s, sp, strings) < 0 ? -ENOMEM : (long)sp;
}

void args_free(struct args *a) {
  for (int i = 0; i < ARGS_PAGES; i++) {
    if (a->pages[i] != NULL)
      kfree(a->pages[i]);
  }
}
