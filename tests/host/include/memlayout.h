/* Pages in unit tests. Addresses are those of the test program. */
#ifndef MEMLAYOUT_H
#define MEMLAYOUT_H

#define PGSIZE 4096
#define PGSHIFT 12

#define P2V(pa) ((void *)(pa))
#define V2P(va) ((paddr_t)(va))

#endif
