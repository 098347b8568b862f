/*
 * exec: a new program in an old process.
 *
 * The new address space is built beside the old one, and only when nothing can
 * fail any more do they change places: a failure leaves the caller intact. Then
 * the process's other threads end, and the caller is its first.
 *
 *   text, data ... as the ELF file says | guard | stack | heap grows ->
 */
#include "abi/elf.h"
#include "arch_elf.h"
#include "fs/inode.h"
#include "lib/string.h"
#include "mm/kalloc.h"
#include "proc/proc.h"
#include "trap.h"
#include "vm/usercopy.h"

#define PROGRAM_HEADERS_MAX 64

/* A program on its way into a space. */
struct image {
  struct inode *ip; /* locked while it is read */
  struct space *space;
  vaddr_t end; /* of what is loaded, page-aligned */
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
  if (ph->flags & (ELF_PROG_FLAG_READ | ELF_PROG_FLAG_WRITE))
    rights |= PROT_READ;
  if (ph->flags & ELF_PROG_FLAG_WRITE)
    rights |= PROT_WRITE;
  if (ph->flags & ELF_PROG_FLAG_EXEC)
    rights |= PROT_EXEC;
  return rights;
}

/* Is it a segment that can be: in order, aligned, inside user memory? */
static bool segment_valid(const struct image *im, const struct proghdr *ph) {
  return ph->memsz >= ph->filesz && ph->vaddr % PGSIZE == 0 &&
         ph->vaddr >= im->end && ph->vaddr < SPACE_END &&
         ph->memsz <= SPACE_END - ph->vaddr && ph->off + ph->filesz >= ph->off;
}

/* Fill the pages of a segment from the file. The program itself may have no
 * right to write there, so this goes by the page table. */
static int load_pages(struct image *im, const struct proghdr *ph) {
  struct region *region = space_find_locked(im->space, ph->vaddr);

  for (size_t done = 0; done < ph->filesz; done += PGSIZE) {
    size_t n = MIN(PGSIZE, ph->filesz - done);
    void *page = uvm_page(region, ph->vaddr + done);
    int r = page ? read_all(im->ip, NULL, (vaddr_t)page, ph->off + done, n)
                 : -ENOMEM;

    if (r < 0)
      return r;
  }
  return 0;
}

static int load_segment(struct image *im, const struct proghdr *ph) {
  uint rights = segment_rights(ph);
  vaddr_t end;
  int r;

  if (ph->memsz == 0)
    return 0;
  if (!segment_valid(im, ph) || rights == 0)
    return -ENOEXEC;
  end = PGROUNDUP(ph->vaddr + ph->memsz);
  if ((end - ph->vaddr) / PGSIZE > pages_total())
    return -ENOMEM;
  r = space_add_locked(
      im->space,
      &(struct region){.start = ph->vaddr,
                       .end = end,
                       .rights = rights,
                       .name = rights & PROT_EXEC ? "text" : "data"});
  if (r < 0)
    return r;
  im->end = end;
  r = load_pages(im, ph);
  if (rights & PROT_EXEC)
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

  acquire_exclusive(&im->space->lock);
  r = load_file(im);
  if (r == 0)
    r = add_stack(im);
  release_exclusive(&im->space->lock);
  return r;
}

/* Read the program at path into a new space. */
static int load(struct image *im, const char *path) {
  struct thread *t = mythread();
  struct stat st;
  int r;

  im->ip = namei(cwd_hold(), path, &r);
  if (im->ip == NULL)
    return r;
  r = ilock(im->ip);
  if (r == 0) {
    stati(im->ip, &st);
    im->space = space_create();
    if (st.type != T_FILE)
      r = -EACCES;
    else
      r = im->space ? build(im) : -ENOMEM;
    if (r == 0)
      r = tables_add_trapframe(im->space->pagetable, t->place,
                               t->arch.trapframe);
    iunlock(im->ip);
  }
  iput(im->ip);
  return r;
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
  struct image im = {.stack_pages = USERSTACK, .arg_pages = USERARGS};
  struct thread *t = mythread();
  struct proc *p = myproc();
  struct space *old;
  long sp = 0;
  int r = load(&im, path);

  if (r == 0) {
    vaddr_t top = im.space->brk;

    sp = args_push(args, im.space, top, top - im.arg_pages * PGSIZE);
    r = sp < 0 ? sp : proc_alone();
  }
  if (r < 0) {
    if (im.space != NULL)
      space_put(im.space);
    return r;
  }
  set_name(p, path);
  old = proc_set_space(p, t, im.space);
  user_start(t, im.entry, sp, args->argc, sp);
  if (old != NULL)
    space_put(old);
  return args->argc;
}
