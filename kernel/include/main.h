/*
 * Where the machine enters the kernel, with paging off and interrupts off.
 */
#ifndef MAIN_H
#define MAIN_H

/* The CPU that boots, on its boot stack; the table is what the firmware handed
 * over. Does not return. */
void main(void *firmware_table);
/* The other CPUs, once machine_start_cpus() lets them in. */
void main_other(void);

#endif
