/*
 * What the views show: all address spaces with what is in them, all frames, the
 * totals and what happened, as they are at one moment, or nearly.
 *
 *    model_take()  kernel's table -> processes -> regions and page tables
 *                  -> frames -> counters, events
 *
 * A machine that runs changes while it is read. Each space is read up to three
 * times until its regions are the same before and after; one that never is says
 * so (`consistent` is false), and what was read of it is kept as it is.
 */
#ifndef EXPLORE_MODEL_H
#define EXPLORE_MODEL_H

#include "memory.h"

/* What a frame is used for, and what a run of pages consists of. The names that
 * messages have: class_name(). */
enum page_class {
  CLASS_FREE,
  CLASS_TEXT,    /* of the kernel; a program's pages that can be executed */
  CLASS_DATA,    /* of the kernel */
  CLASS_TABLE,   /* page tables */
  CLASS_STACK,   /* kernel stacks */
  CLASS_SLAB,    /* small kernel objects */
  CLASS_PRIVATE, /* a process's own */
  CLASS_SHARED,  /* several processes', who see each other's writes */
  CLASS_COW,     /* several processes', until one writes */
  CLASS_CACHE,   /* of files */
  CLASS_PIPE,
  CLASS_ZERO,                  /* the page of zeros that all may read */
  CLASS_RESERVED,              /* not RAM to use: firmware, devices */
  CLASS_KERNEL,                /* other kernel memory */
  CLASS_FRAMES,                /* those of frames end here */
  CLASS_ABSENT = CLASS_FRAMES, /* of a run: nothing there yet */
  CLASS_COUNT
};
const char *class_name(enum page_class c);

/* Flags of a run. */
#define RUN_SUPER 1
#define RUN_DIRTY 2
#define RUN_ACCESSED 4
#define RUN_TRAPFRAME 8
#define RUN_TRAMPOLINE 16
#define RUN_DEVICE 32
#define RUN_GUARD 64
#define RUN_WRITABLE 128 /* the entry has W, which its region may promise */

/* Pages of a region that are alike and, if there, follow each other in physical
 * memory. */
struct page_run {
  uint64_t first; /* page of the region */
  uint64_t pages;
  uint64_t pa; /* of the first; of no meaning for CLASS_ABSENT */
  enum page_class kind;
  unsigned flags; /* RUN_* */
};

struct region_view {
  uint64_t start, end;
  unsigned rights; /* MAY_* */
  char what[20];   /* "heap", "text", "trampoline" ... */
  char of[32];     /* of a kernel stack or its guard: "sh [2]"; else empty */
  bool shared;
  int64_t file; /* its inode number; 0: no file; -1: a file without a number */
  struct page_run *runs;
  size_t nruns;
};

struct fault_view {
  uint64_t total, zero, copy, file, super, reuse, refused;
};

#define SPACE_KERNEL 0 /* the pid that stands for it */

struct space_view {
  int pid;
  char name[20];
  uint64_t root; /* physical */
  uint64_t tables;
  bool consistent;
  struct fault_view faults;
  struct region_view *regions; /* in order of address */
  size_t nregions;
};

struct frame_view {
  uint8_t owner; /* layout_enumerator(E_OWNER) */
  uint8_t kind;
  uint8_t order;  /* of the block that it belongs to; of a free one, too */
  uint16_t maps;  /* runs of processes that map it, capped */
  uint32_t count; /* holders, as the kernel has it */
};

struct event_view {
  uint64_t ns;
  uint32_t number; /* of the record, in its CPU's ring; wraps round */
  int cpu, pid;
  const char *kind; /* "fault_zero" */
  uint64_t a, b;
};

#define MODEL_ORDERS 16
#define MODEL_OWNERS 32
#define MODEL_EVENTS 512 /* the newest */

struct model {
  uint64_t seq;   /* rises by one with each model_take() */
  uint64_t ns;    /* of the newest event; 0 if there is none */
  unsigned boots; /* how often the machine was seen to start anew */
  bool started;   /* the kernel has a page table; else all is empty */
  bool panicked;  /* the kernel has, and stands still for good */
  uint64_t start; /* physical address of frame 0 */
  uint64_t nframes;
  struct frame_view *frames;
  uint64_t owners[MODEL_OWNERS]; /* frames, by owner */
  uint64_t free_blocks[MODEL_ORDERS];
  struct fault_view faults; /* of all, those that ended included */
  uint64_t shootdowns;
  uint64_t forks, execs;     /* struct tally */
  struct space_view *spaces; /* the kernel's, then processes by pid */
  size_t nspaces;
  struct event_view events[MODEL_EVENTS]; /* oldest first */
  size_t nevents;
};

/* Read the machine. Never NULL: what cannot be read is left out. `seq` is the
 * number that it gets. */
struct model *model_take(struct memory *m, uint64_t seq);
void model_free(struct model *model);

/* Is what is shown of them the same? */
bool region_same(const struct region_view *a, const struct region_view *b);
bool space_same(const struct space_view *a, const struct space_view *b);

/* By pid; NULL: there is none. */
const struct space_view *model_space(const struct model *model, int pid);
/* The region that holds va, or NULL. */
const struct region_view *space_region(const struct space_view *s, uint64_t va);

/* Each place where the frame at pa is mapped: visit(arg, space, region, va). */
void model_maps(const struct model *model, uint64_t pa,
                void (*visit)(void *arg, const struct space_view *s,
                              const struct region_view *r, uint64_t va),
                void *arg);

#endif
