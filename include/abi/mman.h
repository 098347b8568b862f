/* Memory mappings: rights, flags and advice, with Linux's values
 * (asm-generic/mman-common.h). */
#ifndef ABI_MMAN_H
#define ABI_MMAN_H

#define PROT_NONE 0x0 /* a guard */
#define PROT_READ 0x1
#define PROT_WRITE 0x2
#define PROT_EXEC 0x4

/* mmap: exactly one of the first two */
#define MAP_SHARED 0x01
#define MAP_PRIVATE 0x02
#define MAP_FIXED 0x10        /* at the address, in place of what is there */
#define MAP_ANONYMOUS 0x20    /* no file: zeros */
#define MAP_NORESERVE 0x04000 /* may be more than there is memory */
#define MAP_STACK 0x20000     /* for a stack: makes no difference */
#define MAP_POPULATE 0x08000  /* all pages at once */
#define MAP_FIXED_NOREPLACE 0x100000 /* at the address, -EEXIST if taken */

/* msync: one of the first and the last */
#define MS_ASYNC 1
#define MS_INVALIDATE 2
#define MS_SYNC 4

/* madvise */
#define MADV_NORMAL 0
#define MADV_RANDOM 1
#define MADV_SEQUENTIAL 2
#define MADV_WILLNEED 3
#define MADV_DONTNEED 4 /* private memory is zeros (or the file) again */

#endif
