/*
 * The floating-point registers. sstatus.FS must not be off.
 */
#ifndef FPU_H
#define FPU_H

struct fpstate;

void fp_save(struct fpstate *fp);
void fp_restore(const struct fpstate *fp);

#endif
