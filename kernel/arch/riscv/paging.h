/*
 * Which of the hart's page-table formats is used.
 */
#ifndef PAGING_H
#define PAGING_H

/* Set pt_levels as satp= on the command line asks, if the hart can. Boot CPU,
 * paging off, before the first page table is made. */
void paging_choose(void);

#endif
