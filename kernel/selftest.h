/*
 * Faults that only the kernel can commit, on purpose: selftest=NAME on the
 * command line, for the tests of what happens then.
 */
#ifndef SELFTEST_H
#define SELFTEST_H

/* Run the one that the command line asks for, if any. */
void selftest(void);

#endif
