/*
 * The test finisher: one 32-bit register that ends or restarts the emulator
 * (QEMU, hw/misc/sifive_test.c's register; in the device tree "sifive,test1").
 */
#ifndef FINISHER_H
#define FINISHER_H

#define FINISHER_PASS 0x5555
#define FINISHER_FAIL 0x3333
#define FINISHER_RESET 0x7777
#define FINISHER_STATUS(n) ((n) << 16) /* exit status, with FINISHER_FAIL */

#endif
