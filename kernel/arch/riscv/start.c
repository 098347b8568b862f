/*
 * Machine mode: each hart passes through here once, on its way from entry.S to
 * the kernel in supervisor mode. It is set up so that it need not come back
 * but for what machinevec.S does: all other traps go to supervisor mode, which
 * may use all of memory and the counters.
 */
#include "start.h"

#include "clint.h"
#include "cpu.h"
#include "main.h"

#define MSTATUS_SIE (1L << 1)
#define MSTATUS_SPIE (1L << 5)
#define ALL_EXCEPTIONS 0xffffUL
#define COUNTEREN_CY_TM_IR 7 /* cycle, time, instret (3.1.11) */

_Static_assert(offsetof(struct mscratch, t0) == MSCRATCH_T0, "mscratch");
_Static_assert(offsetof(struct mscratch, t1) == MSCRATCH_T1, "mscratch");
_Static_assert(offsetof(struct mscratch, msip) == MSCRATCH_MSIP, "mscratch");
_Static_assert(offsetof(struct mscratch, mtimecmp) == MSCRATCH_MTIMECMP,
               "mscratch");

struct mscratch mscratch[NCPU];
uint boot_harts[NCPU];
uint boot_go;

/* machinevec.S */
void machinevec(void);
bool probe_sstc(void);
bool probe_fpu(void);
void open_pmp(void);

static void delegate(void) {
  w_medeleg(ALL_EXCEPTIONS & ~(1UL << MCAUSE_ECALL_S));
  w_mideleg(SIE_SSIE | SIE_STIE | SIE_SEIE);
  w_mcounteren(COUNTEREN_CY_TM_IR);
}

/* The last instruction in machine mode. */
static void __attribute__((noreturn))
enter_supervisor(uint64 entry, void *argument) {
  uint64 mstatus = r_mstatus();

  mstatus &= ~(MSTATUS_MPP_MASK | MSTATUS_FS | MSTATUS_SIE | MSTATUS_SPIE);
  w_mstatus(mstatus | MSTATUS_MPP_S);
  w_satp(0);
  w_sie(0);
  w_mepc(entry);

  register void *a0 asm("a0") = argument;
  asm volatile("mret" : : "r"(a0) : "memory");
  __builtin_unreachable();
}

void start(uint hartid, void *fdt, int id) {
  struct cpu *c = &cpus[id];

  c->id = id;
  c->hwid = hartid;
  asm volatile("mv tp, %0" : : "r"(c));
  mscratch[id].sstc = probe_sstc();
  mscratch[id].fpu = probe_fpu();
  open_pmp();
  delegate();
  w_mscratch((uint64)&mscratch[id]);
  w_mtvec((uint64)machinevec);
  w_mie(MIE_MSIE);
  if (id == 0)
    enter_supervisor((uint64)main, fdt);
  enter_supervisor((uint64)main_other, NULL);
}
