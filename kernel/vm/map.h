/*
 * What programs ask of their address space: mmap and its kin. All of these take
 * the space's lock, and may sleep.
 */
#ifndef VM_MAP_H
#define VM_MAP_H

#include "vm/space.h"

/* A mapping that is to be made. */
struct mapping {
  vaddr_t at;               /* MAP_FIXED: there; else a wish, 0 for none */
  size_t size;              /* bytes, rounded up to pages */
  uint rights;              /* PROT_* */
  uint allowed;             /* PROT_* that it may ever get */
  int flags;                /* MAP_* */
  struct memobject *object; /* or NULL: anonymous. The caller's reference */
  uint64 first;             /* the object's page that comes first */
};

/* Make it. Its address is stored in m->at. 0; -EINVAL: size 0, bad flags,
 * misaligned; -ENOMEM: no room, or not so much memory; -EEXIST. */
int space_map(struct space *s, struct mapping *m);

/* For the rest: at is aligned, size is rounded up to pages. -EINVAL if the range
 * is none; what else may go wrong is said. 0 or an error. */

/* Remove what is there, if anything. -ENOMEM: no memory to split a region. */
int space_unmap(struct space *s, vaddr_t at, size_t size);
/* Give other rights. -ENOMEM: a part is not mapped, or no memory; -EACCES: the
 * file is not open for that. Nothing is changed then. */
int space_protect(struct space *s, vaddr_t at, size_t size, uint rights);
/* MADV_*. -ENOMEM: a part is not mapped; the rest was advised. */
int space_advise(struct space *s, vaddr_t at, size_t size, int advice);
/* MS_*: write what shared mappings changed back to their files. -ENOMEM: a part
 * is not mapped; or the error of writing. */
int space_sync(struct space *s, vaddr_t at, size_t size, int flags);

#endif
