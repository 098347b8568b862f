/*
 * exec: a new program in an old process.
 *
 * The new address space is built beside the old one, and only when nothing can
 * fail any more do they change places: a failure leaves the caller intact. Then
 * the process's other threads end, and the caller is its first.
 *
 *   text, data ... as the ELF file says | guard | stack | heap grows ->
 *
 * The program is not read but mapped, so that its pages come as they are
 * touched, and are the same for all who run it. Read are only the page in which
 * the file's part of a segment ends and zeros begin, and segments at odd offsets.
 * A file that runs cannot be written to.
 */
#include "abi/elf.h"
#include "arch_elf.h"
#include "debug.h"
#include "fs/inode.h"
#include "lib/string.h"
#include "mm/kalloc.h"
#include "proc/proc.h"
#include "sync/trace.h"
#include "trap.h"
#include "vm/fault.h"
#include "vm/usercopy.h"

#define PROGRAM_HEADERS_MAX 64

/* A program on its way into a space. */
struct image {
  struct inode *ip; /* locked while it is read */
  uint64 size;      /* of the file */
  struct space *space;
  struct space *old; /* what it takes the place of, or NULL */
  vaddr_t end;       /* of what is loaded, page-aligned */
  vaddr_t entry;
  size_t stack_pages; /* that the stack may grow to */
  size_t arg_pages;   /* of these, that arguments may fill */
};

/* Read exactly n bytes at off; a shorter file makes no program. */
static int read_all(struct inode *ip, struct space *s, vaddr_t dst, uint64 off,
                    size_t n) {
  ssize_t got = readi(ip, s, dst, off, n);

  if (got < 0)
    return got;
  return (size_t)got == n ? 0 : -ENOEXEC;
}

static int check_header(const struct elfhdr *elf) {
  if (elf->magic != ELF_MAGIC || elf->elf[0] != ARCH_ELF_CLASS ||
      elf->elf[1] != ELFDATA2LSB || elf->machine != ARCH_ELF_MACHINE)
    return -ENOEXEC;
  if (elf->phentsize != sizeof(struct proghdr) ||
      elf->phnum > PROGRAM_HEADERS_MAX)
    return -ENOEXEC;
  return 0;
}

static uint segment_rights(const struct proghdr *ph) {
  uint rights = 0;

  /* no machine can let a program write what it may not read */
  if ((ph->flags & (ELF_PROG_FLAG_READ | ELF_PROG_FLAG_WRITE)) || PTE_R == 0)
    rights |= PROT_READ;
  if (ph->flags & ELF_PROG_FLAG_WRITE)
    rights |= PROT_WRITE;
  if (ph->flags & ELF_PROG_FLAG_EXEC)
    rights |= PROT_EXEC;
  return rights;
}

/* Is it a segment that can be: in order, aligned, inside user memory, and in the
 * file? */
static bool segment_valid(const struct image *im, const struct proghdr *ph) {
  return ph->memsz >= ph->filesz && ph->vaddr % PGSIZE == 0 &&
         ph->vaddr >= im->end && ph->vaddr < SPACE_END &&
         ph->memsz <= SPACE_END - ph->vaddr && ph->off <= im->size &&
         ph->filesz <= im->size - ph->off;
}

/* Whole pages of a segment that the file has at an offset like that in memory
 * can be mapped. The last page is mapped, too, if nothing more of the segment
 * follows that must be zeros, and the program cannot write what else the file
 * has there. */
static size_t mapped_size(const struct proghdr *ph) {
  if (ph->off % PGSIZE)
    return 0;
  if (ph->filesz == ph->memsz && !(ph->flags & ELF_PROG_FLAG_WRITE))
    return PGROUNDUP(ph->filesz);
  return PGROUNDDOWN(ph->filesz);
}

/* Fill what is not mapped from the file. The program itself may have no right to
 * write there, so this goes by the page table. */
static int load_pages(struct image *im, const struct proghdr *ph, size_t done) {
  struct region *region = space_find_locked(im->space, ph->vaddr + done);

  for (; done < ph->filesz; done += PGSIZE) {
    size_t n = MIN(PGSIZE, ph->filesz - done);
    void *page = uvm_page(region, ph->vaddr + done);
    int r = page ? read_all(im->ip, NULL, (vaddr_t)page, ph->off + done, n)
                 : -ENOMEM;

    if (r < 0)
      return r;
  }
  return 0;
}

/* A segment's regions: what is mapped from the file, then what is not. */
static int add_segment(struct image *im, const struct proghdr *ph,
                       vaddr_t end) {
  uint rights = segment_rights(ph);
  vaddr_t middle = ph->vaddr + mapped_size(ph);
  struct region r = {.start = ph->vaddr,
                     .end = middle,
                     .rights = rights,
                     .name = rights & PROT_EXEC ? "text" : "data",
                     .object = &im->ip->object,
                     .first = ph->off / PGSIZE};
  int err = 0;

  if (r.start < middle)
    err = space_add_locked(im->space, &r);
  r.start = middle;
  r.end = end;
  r.object = NULL;
  r.first = 0;
  if (err == 0 && middle < end)
    err = space_add_locked(im->space, &r);
  return err;
}

/* Would the program then be more than there is memory? What it can only read is
 * the file's, or the page of zeros. */
static bool exceeds_memory(struct image *im, const struct proghdr *ph,
                           vaddr_t end) {
  return (segment_rights(ph) & PROT_WRITE) &&
         space_exceeds_in_place_of(im->space, (end - ph->vaddr) / PGSIZE,
                                   im->old);
}

static int load_segment(struct image *im, const struct proghdr *ph) {
  vaddr_t end;
  int r;

  if (ph->memsz == 0)
    return 0;
  if (!segment_valid(im, ph) || segment_rights(ph) == 0)
    return -ENOEXEC;
  end = PGROUNDUP(ph->vaddr + ph->memsz);
  if (exceeds_memory(im, ph, end))
    return -ENOMEM;
  r = add_segment(im, ph, end);
  if (r < 0)
    return r;
  im->end = end;
  r = load_pages(im, ph, mapped_size(ph));
  if (segment_rights(ph) & PROT_EXEC)
    instructions_written();
  return r;
}

static int load_header(struct image *im, const struct proghdr *ph) {
  if (ph->type == ELF_PROG_LOAD)
    return load_segment(im, ph);
  if (ph->type == ELF_PROG_GNU_STACK && ph->memsz > 0) {
    if (ph->memsz > (uint64)USERSTACK_MAX * PGSIZE)
      return -ENOEXEC;
    im->stack_pages = im->arg_pages = PGROUNDUP(ph->memsz) / PGSIZE;
  }
  return 0;
}

static bool executable(struct space *s, vaddr_t va) {
  struct region *r = space_find_locked(s, va);

  return r != NULL && (r->rights & PROT_EXEC);
}

/* All that comes from the file. im->ip and the space are locked. */
static int load_file(struct image *im) {
  struct elfhdr elf;
  int r = read_all(im->ip, NULL, (vaddr_t)&elf, 0, sizeof(elf));

  if (r == 0)
    r = check_header(&elf);
  for (int i = 0; r == 0 && i < elf.phnum; i++) {
    struct proghdr ph;
    uint64 off = elf.phoff + (uint64)i * sizeof(ph);

    r = read_all(im->ip, NULL, (vaddr_t)&ph, off, sizeof(ph));
    if (r == 0)
      r = load_header(im, &ph);
  }
  if (r == 0 && !executable(im->space, elf.entry))
    r = -ENOEXEC;
  im->entry = elf.entry;
  return r;
}

/* The guard page and the stack, above what is loaded. */
static int add_stack(struct image *im) {
  vaddr_t base = im->end + PGSIZE;
  vaddr_t top = base + im->stack_pages * PGSIZE;
  int r;

  if (top > SPACE_END)
    return -ENOEXEC;
  r = space_add_locked(
      im->space,
      &(struct region){.start = im->end, .end = base, .name = "guard"});
  if (r == 0)
    r = space_add_locked(im->space,
                         &(struct region){.start = base,
                                          .end = top,
                                          .rights = PROT_READ | PROT_WRITE,
                                          .flags = REGION_STACK,
                                          .name = "stack"});
  im->space->brk = top;
  return r;
}

static int build(struct image *im) {
  int r;

  debug_lock_is_new(&im->space->lock);
  acquire_exclusive(&im->space->lock);
  r = load_file(im);
  if (r == 0)
    r = add_stack(im);
  release_exclusive(&im->space->lock);
  return r;
}

/* Read the program into a new space. */
static int load_space(struct image *im) {
  struct thread *t = mythread();
  struct stat st;

  stati(im->ip, &st);
  if (st.type != T_FILE)
    return -EACCES;
  im->size = st.size;
  im->space = space_create();
  if (im->space == NULL ||
      tables_add_trapframe(im->space->pagetable, &im->space->arch, t->place,
                           t->arch.trapframe) < 0)
    return -ENOMEM;
  return build(im);
}

/* The same for the program at path, which nobody may write to from now on. In
 * case of an error im->ip is NULL, but there may be a space. */
static int load(struct image *im, const char *path) {
  bool denied;
  int r;

  im->ip = namei(cwd_hold(), path, &r);
  if (im->ip == NULL)
    return r;
  r = inode_deny_write(im->ip);
  denied = r == 0;
  if (r == 0)
    r = ilock(im->ip);
  if (r == 0) {
    r = load_space(im);
    iunlock(im->ip);
  }
  if (r == 0)
    return 0;
  if (denied)
    inode_allow_write(im->ip);
  iput(im->ip);
  im->ip = NULL;
  return r;
}

void proc_set_program(struct proc *p, struct inode *ip) {
  struct inode *old = p->program;

  p->program = ip;
  if (old == NULL)
    return;
  inode_allow_write(old);
  iput(old);
}

/* The first pages that the program needs, while its failure is still an error of
 * exec: those it begins in, and its arguments. Returns the stack pointer. */
static long prepare(struct image *im, const struct args *args) {
  vaddr_t top = im->space->brk;
  int r = fault_resolve(im->space, im->entry, PROT_EXEC);

  return r < 0 ? r
               : args_push(args, im->space, top, top - im->arg_pages * PGSIZE);
}

/* What ps shows: the last part of the path. */
static void set_name(struct proc *p, const char *path) {
  const char *name = path;

  for (const char *s = path; *s; s++) {
    if (*s == '/' && s[1])
      name = s + 1;
  }
  acquire(&p->lock);
  safestrcpy(p->name, name, sizeof(p->name));
  release(&p->lock);
  safestrcpy(mythread()->name, name, sizeof(mythread()->name));
}

int exec(const char *path, struct args *args) {
  struct thread *t = mythread();
  struct proc *p = myproc();
  struct image im = {
      .old = p->space, .stack_pages = USERSTACK, .arg_pages = USERARGS};
  struct space *old;
  long sp = load(&im, path);
  int r;

  if (sp == 0)
    sp = prepare(&im, args);
  r = sp < 0 ? sp : proc_alone();
  if (r < 0) {
    if (im.space != NULL)
      space_put(im.space);
    if (im.ip != NULL)
      inode_allow_write(im.ip);
    if (im.ip != NULL)
      iput(im.ip);
    return r;
  }
  set_name(p, path);
  old = proc_set_space(p, t, im.space);
  trace(TRACE_EXEC, im.entry, V2P(im.space->pagetable));
  user_start(t, im.entry, sp, args->argc, sp);
  if (old != NULL)
    space_end(old);
  proc_set_program(p, im.ip);
  return args->argc;
}
