/*
 * Moving data between the kernel and user addresses that a program gave. The
 * kernel's page table does not map user memory, so the address is translated in
 * software, page by page; what the program itself may not touch is refused.
 *
 * All return 0 or -EFAULT (copyin and copyout may have moved a part by then).
 * They may sleep: no spin lock may be held.
 */
#ifndef VM_USERCOPY_H
#define VM_USERCOPY_H

#include "types.h"

struct space;

/* len bytes from kernel memory at src to user address dst. */
int copyout(struct space *s, vaddr_t dst, const void *src, size_t len);
/* len bytes from user address src to kernel memory at dst. */
int copyin(struct space *s, void *dst, vaddr_t src, size_t len);
/* A 0-terminated string from user address src into dst, max bytes at most,
 * the 0 included; -ENAMETOOLONG if there is no 0 among them. Returns the
 * string's length. */
int copyinstr(struct space *s, char *dst, vaddr_t src, size_t max);

/*
 * For who holds locks that a page fault would need, too (a file's, while its
 * content is copied to or from memory that may map the same file): only as far
 * as the pages are there and allow it. They return the bytes copied; if those
 * are fewer than len, the caller gives up its locks, calls user_prefault() for
 * the rest and goes on. dst and src may overlap.
 */
size_t copyout_present(struct space *s, vaddr_t dst, const void *src,
                       size_t len);
size_t copyin_present(struct space *s, void *dst, vaddr_t src, size_t len);
/* Let the pages of [va, va + len) be there, for PROT_READ or PROT_WRITE, as far
 * as the program may access them so. 0; -EFAULT if the first may not be. s may
 * be NULL: kernel memory is there. */
int user_prefault(struct space *s, vaddr_t va, size_t len, uint access);

/* The same as the above, where the other side may be kernel memory too: s == NULL. */
int either_copyout(struct space *s, vaddr_t dst, const void *src, size_t len);
int either_copyin(struct space *s, void *dst, vaddr_t src, size_t len);
size_t either_copyout_present(struct space *s, vaddr_t dst, const void *src,
                              size_t len);
size_t either_copyin_present(struct space *s, void *dst, vaddr_t src,
                             size_t len);

#endif
