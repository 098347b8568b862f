/*
 * What the calls that look at the system fill in: meminfo, sysinfo, procs,
 * vmregions, ptdump, ptwalk. All sizes are bytes unless a name says pages.
 */
#ifndef ABI_INSPECT_H
#define ABI_INSPECT_H

#include "abi/types.h"

/* Who holds the physical memory, in pages of PGSIZE. free .. other sum to
 * total. */
struct meminfo {
  uint64 page_size;
  uint64 total;    /* RAM that the machine has */
  uint64 free;     /* on a free list, per-CPU lists included */
  uint64 image;    /* kernel text and data, and the frame table */
  uint64 kernel;   /* pages that kernel code allocated for itself */
  uint64 slab;     /* small kernel objects */
  uint64 stacks;   /* kernel stacks */
  uint64 tables;   /* page-table pages, the kernel's included */
  uint64 user;     /* memory of processes */
  uint64 cache;    /* cached disk blocks */
  uint64 pipes;    /* pipe buffers */
  uint64 zero;     /* the page of zeros that all may read */
  uint64 reserved; /* never handed out: firmware, device tree */
  uint64 largest;  /* pages in the largest free block */
};

/* What page faults of programs did. */
struct fault_counts {
  uint total; /* page faults, those that system calls met included */
  uint zero;  /* pages of zeros mapped, the shared one included */
  uint copy;  /* pages copied, because of a write */
  uint file;  /* pages of files and shared memory mapped, neighbours included */
  uint super; /* superpages mapped */
  uint reuse; /* pages and superpages of which W came back without a copy, as
                 nobody else had them any more */
  uint refused; /* page faults that ended in an error */
};

#define PTE_FLAGSSZ 16

struct sysinfo {
  uint64 uptime_ns;
  uint64 idle_ns;  /* summed over all CPUs */
  uint64 switches; /* context switches since boot */
  uint64 interrupts;
  uint64 syscalls;
  struct fault_counts faults;
  uint64 shootdowns;  /* requests to other CPUs to forget translations */
  uint64 tlb_flushes; /* times that a CPU forgot all of an address space */
  uint64 tlb_pages;   /* pages that a CPU forgot one by one */
  uint cpus;
  uint processes;
  uint processes_max;
  uint runnable; /* threads that run or could */
  char version[32];
  char machine[32]; /* what the firmware calls it */
  char arch[16];    /* as `uname -m` would say it */
  uint levels;      /* levels of a page table */
  uint index_bits;  /* bits of an address that index a table of each level */
  uint asids;       /* address-space identifiers that the CPUs have */
  uint rights;      /* VM_READ, VM_WRITE, VM_EXEC: what a mapping can deny */
  uint elf_class;   /* of programs that run here: ELFCLASS32, ELFCLASS64, */
  uint elf_machine; /* and their EM_ number */
  char pte_flags[PTE_FLAGSSZ]; /* a letter for each flag of a PTE, from bit 0 */
};

#define PROCNAMESZ 16

enum procstate { P_EMBRYO, P_RUNNING, P_RUNNABLE, P_SLEEPING, P_ZOMBIE };

struct procinfo {
  int pid;
  int ppid;
  int pgid;
  int state; /* enum procstate */
  int cpu;   /* that it runs or last ran on */
  int threads;
  uint64 cpu_ns;   /* processor time used */
  uint64 size;     /* virtual memory in regions */
  uint64 resident; /* user pages mapped, in bytes */
  uint64 tables;   /* page-table pages, in bytes */
  struct fault_counts faults;
  char name[PROCNAMESZ];
  char waiting[16]; /* what it sleeps on, or "" */
};

/* Rights of a region or a mapping; the first three as in abi/mman.h. */
#define VM_READ 1
#define VM_WRITE 2
#define VM_EXEC 4
#define VM_USER 8    /* user mode may use it */
#define VM_GLOBAL 16 /* in every address space */

struct vmregion {
  uint64 start;
  uint64 end; /* exclusive */
  int rights; /* VM_* */
  int shared;
  uint64 resident; /* bytes present now; of these: */
  uint64 common;   /* others have them, too; the page of zeros is such */
  uint64 dirty;    /* private memory that was written */
  uint64 super;    /* mapped by superpages */
  char name[16];   /* "text", "data", "guard", "stack", "heap", ... */
};

/* pid that means the kernel's own page table. */
#define PID_KERNEL (-1)

/* A run of leaf entries: adjacent in virtual and in physical memory, with the
 * same flags, level and name. Runs come in order of address. */
struct ptentry {
  uint64 va;
  uint64 pa;
  uint64 size;   /* bytes */
  uint64 flags;  /* the PTE's flag bits, as in the hardware */
  int level;     /* of the leaf: 0 is a 4096-byte page */
  char name[20]; /* "text", "stack", "RAM", a device, ... */
};

#define PTWALK_LEVELS 5

/* One address taken through the tree, root first. */
struct ptwalk {
  uint64 root;   /* physical address of the root page */
  int levels;    /* of the tree */
  int steps;     /* entries below that are filled in */
  int fault;     /* enum ptfault for a user-mode read of va */
  uint64 pa;     /* where va leads; valid if the last step is a leaf */
  char name[20]; /* what is mapped there, or the region without a page */
  struct {
    int level;       /* levels - 1 at the root, 0 at the last */
    int index;       /* into the table page */
    uint64 pte_addr; /* physical address of the entry */
    uint64 pte;      /* its value */
    int leaf;
  } step[PTWALK_LEVELS];
};

enum ptfault {
  PT_OK,          /* user mode may read it */
  PT_BADADDR,     /* outside what the page table can translate */
  PT_INVALID,     /* an entry on the way is not valid */
  PT_NOTUSER,     /* valid, but for the kernel only */
  PT_NOTREADABLE, /* valid, for user mode, without the right to read */
};

/* What memcheck() counted. */
struct memcheck {
  uint64 frames;     /* of RAM, */
  uint64 free;       /* on free lists, */
  uint64 used;       /* held by somebody, */
  uint64 moving;     /* and just then on their way from one to the other */
  uint64 references; /* found to pages that are counted */
  uint64 tables;     /* page-table pages */
  uint64 leaves;     /* entries held against their regions */
  uint64 regions;
  uint64 spaces;
  uint64 attempts; /* until nothing was on its way */
};

/* What can be wrong. count is what the accounts say, found what is there. */
enum memfault_kind {
  MEM_COUNT,      /* holders that are counted and those that are found */
  MEM_LOST,       /* nobody has the page: free on no list, or held by none */
  MEM_OWNER,      /* used as something (count) that its owner is not */
  MEM_FREE_USED,  /* on a free list, and in use */
  MEM_FREE_TWICE, /* twice on free lists */
  MEM_INSIDE,     /* a page inside a block is referred to by itself */
  MEM_SLAB,       /* a page of small objects that is none */
  MEM_SUM,        /* of all pages; of those of owner va */
  MEM_NO_REGION,  /* an entry where no region is */
  MEM_RIGHTS,  /* an entry that grants (count) more than its region (found) */
  MEM_REGIONS, /* regions that overlap, are empty or out of order */
  MEM_SPACE,   /* regions, their pages, or private pages of a space */
  MEM_BUSY,    /* regions that were being changed whenever one looked */
  MEM_FILE,    /* holders of the open file at pa */
};

struct memfault {
  int kind;  /* enum memfault_kind */
  int owner; /* of the page, by enum page_owner; -1: it is no RAM */
  uint count, found;
  uint64 pa;   /* of the page, or 0 */
  uint64 va;   /* where, */
  uint64 root; /* in the page table whose root page this is, or 0 */
};

/* Rights of a process: all at boot, inherited, given up with restrict(). */
#define RIGHT_INSPECT 1 /* look at other processes' and the kernel's memory */
#define RIGHT_POWER 2   /* reboot() */
#define RIGHT_KILL 4    /* kill processes that are not its descendants */
#define RIGHT_ALL 7

#endif
