/*
 * Where things are in this kernel: addresses of variables, sizes of structs,
 * places of their members, names of enumerators. From the symbols and the DWARF
 * of its ELF file, by name, so that another kernel of this family can be looked
 * at, too, as far as it has the same things; or from a snapshot, which has a copy.
 *
 * The table LAYOUT_ITEMS is all that is asked for. To use one more thing, add a
 * row. What a kernel does not have costs only the view that needs it:
 * layout_missing() says it in words.
 */
#ifndef EXPLORE_LAYOUT_H
#define EXPLORE_LAYOUT_H

#include "machine.h"
#include "source.h"

/* X(name here, its name in C): NAME or "struct NAME" or "STRUCT.MEMBER" (members
 * of members with more dots). FILE:NAME is a file's own variable. */
/* clang-format off */
#define LAYOUT_ITEMS(X)                          \
  /* the kernel's own table */                   \
  X(V_KERNEL_TABLE, "kernel_pagetable")          \
  X(V_NAME, "main.c:kernel_name")                \
  X(V_LEVELS, "pt_levels")                       \
  X(V_ETEXT, "etext")                            \
  X(V_END, "end")                                \
  X(V_TRAMPOLINE, "trampoline")                  \
  /* processes in a hash of lists */             \
  X(V_PIDS, "proc/proc.c:pids")                  \
  X(T_LIST, "struct list")                       \
  X(M_LIST_NEXT, "list.next")                    \
  X(M_LIST_PREV, "list.prev")                    \
  X(T_PROC, "struct proc")                       \
  X(M_PROC_PIDLINK, "proc.pidlink")              \
  X(M_PROC_PID, "proc.pid")                      \
  X(M_PROC_NAME, "proc.name")                    \
  X(M_PROC_STATE, "proc.state")                  \
  X(M_PROC_SPACE, "proc.space")                  \
  X(M_PROC_THREADS, "proc.threads")              \
  X(M_THREAD_PROCLINK, "thread.proclink")        \
  X(M_THREAD_KSTACK, "thread.kstack")            \
  /* processes in an array, each with a table */ \
  X(V_PROC, "proc")                              \
  X(M_PROC_PAGETABLE, "proc.pagetable")          \
  X(M_PROC_SIZE, "proc.sz")                      \
  /* address spaces */                           \
  X(M_SPACE_PAGETABLE, "space.pagetable")        \
  X(M_SPACE_REGIONS, "space.regions")            \
  X(M_SPACE_NREGIONS, "space.nregions")          \
  X(M_SPACE_FAULTS, "space.faults")              \
  X(M_REGION_LINK, "region.link")                \
  X(M_REGION_START, "region.start")              \
  X(M_REGION_END, "region.end")                  \
  X(M_REGION_RIGHTS, "region.rights")            \
  X(M_REGION_FLAGS, "region.flags")              \
  X(M_REGION_NAME, "region.name")                \
  X(M_REGION_OBJECT, "region.object")            \
  X(M_OBJECT_OPS, "memobject.ops")               \
  X(V_FILE_OPS, "filemap_ops")                   \
  X(M_INODE_OBJECT, "inode.object")              \
  X(M_INODE_NUMBER, "inode.inum")                \
  /* frames */                                   \
  X(V_FRAMES, "mm/kalloc.c:frames")              \
  X(V_NFRAMES, "mm/kalloc.c:nframes")            \
  X(V_FIRST_FRAME, "mm/kalloc.c:first_frame")    \
  X(T_PAGE, "struct page")                       \
  X(M_PAGE_OWNER, "page.owner")                  \
  X(M_PAGE_ORDER, "page.order")                  \
  X(M_PAGE_HEAD, "page.head")                    \
  X(M_PAGE_COUNT, "page.count")                  \
  /* counters */                                 \
  X(V_FAULTS, "vm/fault.c:counts")               \
  X(T_FAULTS, "struct fault_counts")             \
  X(M_FAULTS_TOTAL, "fault_counts.total")        \
  X(M_FAULTS_ZERO, "fault_counts.zero")          \
  X(M_FAULTS_COPY, "fault_counts.copy")          \
  X(M_FAULTS_FILE, "fault_counts.file")          \
  X(M_FAULTS_SUPER, "fault_counts.super")        \
  X(M_FAULTS_REUSE, "fault_counts.reuse")        \
  X(M_FAULTS_REFUSED, "fault_counts.refused")    \
  X(V_CPUS, "cpus")                              \
  X(T_CPU, "struct cpu")                         \
  X(M_CPU_SHOOTDOWNS, "cpu.shootdowns")          \
  /* who runs where */                           \
  X(M_CPU_HWID, "cpu.hwid")                      \
  X(M_CPU_PID, "cpu.pid")                        \
  X(M_CPU_ONLINE, "cpu.online")                  \
  /* what happened */                            \
  X(V_CLOCK_HZ, "clock_hz")                      \
  X(V_BOOT_TIME, "timer.c:boot_time")            \
  X(V_PANICKED, "panicked")                      \
  X(V_TRACE, "trace_rings")                      \
  X(T_TRACE_RING, "struct trace_ring")           \
  X(M_TRACE_NEXT, "trace_ring.next")             \
  X(M_TRACE_RECORDS, "trace_ring.records")       \
  X(T_TRACE, "struct trace_record")              \
  X(M_TRACE_TIME, "trace_record.time")           \
  X(M_TRACE_PID, "trace_record.pid")             \
  X(M_TRACE_KIND, "trace_record.kind")           \
  X(M_TRACE_A, "trace_record.a")                 \
  X(M_TRACE_B, "trace_record.b")
/* clang-format on */

enum layout_item {
#define X(item, name) item,
  LAYOUT_ITEMS(X)
#undef X
      LAYOUT_COUNT
};

/* Enumerations whose names are shown. */
enum layout_enum { E_OWNER, E_TRACE, E_PROC_STATE, LAYOUT_ENUMS };

struct layout;

/* Read an ELF file. NULL, and why: no such file, no ELF, of no machine that we
 * know, or without what every view needs (a kernel page table). */
struct layout *layout_read_elf(const char *path, struct trouble *why);
void layout_free(struct layout *l);

/* As text, for a snapshot; the caller frees it. */
char *layout_write(const struct layout *l);
/* From such a text of n bytes. NULL, and why. */
struct layout *layout_read_text(const char *text, size_t n,
                                struct trouble *why);

const struct machine *layout_machine(const struct layout *l);
/* The ELF file's name; what the kernel calls itself: memory_kernel_name(). */
const char *layout_kernel(const struct layout *l);

bool layout_has(const struct layout *l, enum layout_item item);
/* Address of a variable; size of a struct; offset of a member. 0: not there. */
uint64_t layout_at(const struct layout *l, enum layout_item item);
/* Bytes of the variable, struct or member; 0: not known. */
uint64_t layout_size(const struct layout *l, enum layout_item item);

/* The name of an enumerator: lower case, without what all of them begin with
 * (PAGE_TABLE: "table"). NULL: there is none. */
const char *layout_enumerator(const struct layout *l, enum layout_enum e,
                              uint64_t value);
/* Enumerators; their values are below it. */
int layout_enumerators(const struct layout *l, enum layout_enum e);

/* Virtual minus physical address of the kernel's image: how its direct map
 * begins. */
uint64_t layout_offset(const struct layout *l);

/* The function or variable of the kernel by name: its address, 0 if there is
 * none. Only of one that was read from an ELF file. For breakpoints. */
uint64_t layout_symbol(const struct layout *l, const char *name);

/* The i-th sentence on what this kernel lacks, by name, and what is not shown
 * therefore; NULL beyond the last. The caller frees it. */
char *layout_missing(const struct layout *l, int i);

#endif
