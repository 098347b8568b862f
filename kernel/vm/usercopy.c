/*
 * Copies across the border. A user address is translated in software, page by
 * page, with the rights that the program itself would need; where a page is
 * missing, the fault path may provide it.
 *
 * Other threads of the process may unmap the page meanwhile. Who does that gives
 * the frame up only after every CPU where the space is active has answered an
 * interrupt (tables_flush_user). So interrupts are off from the translation to
 * the end of the copy, and the frame cannot become something else.
 */
#include "vm/usercopy.h"

#include "debug.h"
#include "lib/string.h"
#include "sync/spinlock.h"
#include "vm/fault.h"

/* What may be waited for where a page is missing, in the words of the checks. */
#define WAIT_NAME "a page of the program"

/* Bytes from va to the end of its page, but no more than len. */
static size_t in_page(vaddr_t va, size_t len) {
  return MIN(PGSIZE - va % PGSIZE, len);
}

/* Is the page there, for that? */
static bool page_present(struct space *s, vaddr_t va, uint access) {
  bool present;

  push_off();
  present = walkaddr(s->pagetable, va, access) != 0;
  pop_off();
  return present;
}

/* Copies within one page; false: it is not there, or not for that. */

static bool page_out(struct space *s, vaddr_t dst, const void *src, size_t n) {
  paddr_t pa;

  push_off();
  pa = walkaddr(s->pagetable, dst, PROT_WRITE);
  if (pa != 0)
    memmove(P2V(pa), src, n);
  pop_off();
  return pa != 0;
}

static bool page_in(struct space *s, void *dst, vaddr_t src, size_t n) {
  paddr_t pa;

  push_off();
  pa = walkaddr(s->pagetable, src, PROT_READ);
  if (pa != 0)
    memmove(dst, P2V(pa), n);
  pop_off();
  return pa != 0;
}

/* A string, up to n bytes; *len: of what was copied, the final 0 not counted. */
static bool page_string(struct space *s, char *dst, vaddr_t src, size_t n,
                        size_t *len) {
  paddr_t pa;

  push_off();
  pa = walkaddr(s->pagetable, src, PROT_READ);
  if (pa != 0) {
    *len = strnlen(P2V(pa), n);
    memcpy(dst, P2V(pa), *len);
  }
  pop_off();
  return pa != 0;
}

size_t copyout_present(struct space *s, vaddr_t dst, const void *src,
                       size_t len) {
  size_t done = 0;

  while (done < len) {
    size_t n = in_page(dst + done, len - done);

    if (!page_out(s, dst + done, (const char *)src + done, n))
      break;
    done += n;
  }
  return done;
}

size_t copyin_present(struct space *s, void *dst, vaddr_t src, size_t len) {
  size_t done = 0;

  while (done < len) {
    size_t n = in_page(src + done, len - done);

    if (!page_in(s, (char *)dst + done, src + done, n))
      break;
    done += n;
  }
  return done;
}

int copyout(struct space *s, vaddr_t dst, const void *src, size_t len) {
  debug_may_sleep(NULL, WAIT_NAME, DEBUG_CALLER);
  for (size_t done = 0;;) {
    done +=
        copyout_present(s, dst + done, (const char *)src + done, len - done);
    if (done == len)
      return 0;
    if (fault_resolve(s, dst + done, PROT_WRITE) < 0)
      return -EFAULT;
  }
}

int copyin(struct space *s, void *dst, vaddr_t src, size_t len) {
  debug_may_sleep(NULL, WAIT_NAME, DEBUG_CALLER);
  for (size_t done = 0;;) {
    done += copyin_present(s, (char *)dst + done, src + done, len - done);
    if (done == len)
      return 0;
    if (fault_resolve(s, src + done, PROT_READ) < 0)
      return -EFAULT;
  }
}

int copyinstr(struct space *s, char *dst, vaddr_t src, size_t max) {
  size_t done = 0;

  debug_may_sleep(NULL, WAIT_NAME, DEBUG_CALLER);
  while (done < max) {
    size_t n = in_page(src, max - done), len;

    while (!page_string(s, dst + done, src, n, &len))
      if (fault_resolve(s, src, PROT_READ) < 0)
        return -EFAULT;
    done += len;
    if (len < n) {
      dst[done] = 0;
      return done;
    }
    src += n;
  }
  return -ENAMETOOLONG;
}

int user_prefault(struct space *s, vaddr_t va, size_t len, uint access) {
  size_t done = 0;

  if (s != NULL)
    debug_may_sleep(NULL, WAIT_NAME, DEBUG_CALLER);
  while (s != NULL && done < len) {
    if (!page_present(s, va + done, access) &&
        fault_resolve(s, va + done, access) < 0)
      return done > 0 ? 0 : -EFAULT;
    done += in_page(va + done, len - done);
  }
  return 0;
}

int either_copyout(struct space *s, vaddr_t dst, const void *src, size_t len) {
  if (s != NULL)
    return copyout(s, dst, src, len);
  memmove((void *)dst, src, len);
  return 0;
}

int either_copyin(struct space *s, void *dst, vaddr_t src, size_t len) {
  if (s != NULL)
    return copyin(s, dst, src, len);
  memmove(dst, (const void *)src, len);
  return 0;
}

size_t either_copyout_present(struct space *s, vaddr_t dst, const void *src,
                              size_t len) {
  if (s != NULL)
    return copyout_present(s, dst, src, len);
  memmove((void *)dst, src, len);
  return len;
}

size_t either_copyin_present(struct space *s, void *dst, vaddr_t src,
                             size_t len) {
  if (s != NULL)
    return copyin_present(s, dst, src, len);
  memmove(dst, (const void *)src, len);
  return len;
}
