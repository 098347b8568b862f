/* Rights to memory, with Linux's values. */
#ifndef ABI_MMAN_H
#define ABI_MMAN_H

#define PROT_NONE 0x0 /* a guard */
#define PROT_READ 0x1
#define PROT_WRITE 0x2
#define PROT_EXEC 0x4

#endif
