/*
 * Copies across the border. A user address is translated in software, page by
 * page, with the rights that the program itself would need; where a page is
 * missing, the fault path may provide it.
 */
#include "vm/usercopy.h"

#include "lib/string.h"
#include "vm/fault.h"

/* The kernel's address of user address va, if the program may access it so;
 * else NULL. */
static void *user_page(struct space *s, vaddr_t va, uint access) {
  paddr_t pa = walkaddr(s->pagetable, va, access);

  if (pa == 0 && fault_resolve(s, va, access) == 0)
    pa = walkaddr(s->pagetable, va, access);
  return pa ? P2V(pa) : NULL;
}

/* Bytes from va to the end of its page, but no more than len. */
static size_t in_page(vaddr_t va, size_t len) {
  return MIN(PGSIZE - va % PGSIZE, len);
}

int copyout(struct space *s, vaddr_t dst, const void *src, size_t len) {
  while (len > 0) {
    size_t n = in_page(dst, len);
    void *to = user_page(s, dst, PROT_WRITE);

    if (to == NULL)
      return -EFAULT;
    memcpy(to, src, n);
    dst += n;
    src = (const char *)src + n;
    len -= n;
  }
  return 0;
}

int copyin(struct space *s, void *dst, vaddr_t src, size_t len) {
  while (len > 0) {
    size_t n = in_page(src, len);
    void *from = user_page(s, src, PROT_READ);

    if (from == NULL)
      return -EFAULT;
    memcpy(dst, from, n);
    dst = (char *)dst + n;
    src += n;
    len -= n;
  }
  return 0;
}

int copyinstr(struct space *s, char *dst, vaddr_t src, size_t max) {
  size_t done = 0;

  while (done < max) {
    size_t n = in_page(src, max - done);
    const char *from = user_page(s, src, PROT_READ);
    size_t len;

    if (from == NULL)
      return -EFAULT;
    len = strnlen(from, n);
    memcpy(dst + done, from, len);
    done += len;
    if (len < n) {
      dst[done] = 0;
      return done;
    }
    src += n;
  }
  return -ENAMETOOLONG;
}

size_t copyout_present(struct space *s, vaddr_t dst, const void *src,
                       size_t len) {
  size_t done = 0;

  while (done < len) {
    size_t n = in_page(dst + done, len - done);
    paddr_t pa = walkaddr(s->pagetable, dst + done, PROT_WRITE);

    if (pa == 0)
      break;
    memmove(P2V(pa), (const char *)src + done, n);
    done += n;
  }
  return done;
}

size_t copyin_present(struct space *s, void *dst, vaddr_t src, size_t len) {
  size_t done = 0;

  while (done < len) {
    size_t n = in_page(src + done, len - done);
    paddr_t pa = walkaddr(s->pagetable, src + done, PROT_READ);

    if (pa == 0)
      break;
    memmove((char *)dst + done, P2V(pa), n);
    done += n;
  }
  return done;
}

int user_prefault(struct space *s, vaddr_t va, size_t len, uint access) {
  size_t done = 0;

  while (s != NULL && done < len && user_page(s, va + done, access) != NULL)
    done += in_page(va + done, len - done);
  return s == NULL || done > 0 || len == 0 ? 0 : -EFAULT;
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
