/*
 * The system call of the debug kernel: its figures, and one bug of each kind that
 * it must find, for the tests. A bug that is not found makes the call return, as
 * if all were well.
 *
 * What the compiler could see through goes through volatile. Where a pointer has to
 * be good it points to what is not volatile: clang does not check the others.
 */
#include "abi/debug.h"
#include "debug.h"
#include "fs/bcache.h"
#include "fs/file.h"
#include "fs/inode.h"
#include "fs/mount.h"
#include "inject.h"
#include "lib/cmdline.h"
#include "lib/list.h"
#include "lib/printf.h"
#include "lib/string.h"
#include "lockorder.h"
#include "memlayout.h"
#include "mm/kalloc.h"
#include "mm/kvm.h"
#include "mm/slab.h"
#include "proc/proc.h"
#include "sched/sched.h"
#include "sched/sleep.h"
#include "sched/thread.h"
#include "stackmark.h"
#include "sync/spinlock.h"
#include "sys/syscall.h"
#include "vm/space.h"
#include "vm/usercopy.h"

#define OBJECT 40 /* bytes */
#define ODD 20    /* no multiple of what the shadow map tells apart */

static struct slab_cache cache = SLAB_CACHE(cache, "planted", OBJECT);
static struct slab_cache odd = SLAB_CACHE(odd, "planted odd", ODD);
static struct slab_cache locks =
    SLAB_CACHE(locks, "planted lock", sizeof(struct sleeplock));
static char variable[20];
static volatile int some = 40, none = 0, most = 0x7fffffff;
static volatile uint sink;

/* The compiler must not see whose address it is. */
static volatile char *hidden(void *p) {
  asm("" : "+r"(p));
  return p;
}

static void page_freed(void) {
  volatile char *p = kalloc();

  kfree((void *)p);
  p[100] = 1;
}

static void object_freed(void) {
  volatile char *p = slab_alloc(&cache);

  slab_free(&cache, (void *)p);
  sink = p[24];
}

static void object_twice(void) {
  void *p = slab_alloc(&cache);

  slab_free(&cache, p);
  slab_free(&cache, p);
}

static void object_beyond(void) {
  volatile char *p = slab_alloc(&cache);

  p[some] = 1;
}

/* Within the granule where it ends. */
static void object_part(void) {
  volatile char *p = slab_alloc(&odd);

  p[some / 2] = 1;
}

/* The last byte before the next object: slots are rounded up. */
static void object_slack(void) {
  volatile char *p = slab_alloc(&odd);

  p[some + 7] = 1;
}

static void object_before(void) {
  volatile char *p = slab_alloc(&odd);

  p[some - 41] = 1;
}

static void copy_beyond(void) {
  void *p = slab_alloc(&cache);
  char from[OBJECT + 1] = {0};

  memcpy(p, from, some + 1);
}

static void length_freed(void) {
  char *p = kalloc_zero(PAGE_KERNEL);

  kfree(p);
  sink = strlen((char *)hidden(p));
}

static void compare_freed(void) {
  void *p = kalloc_zero(PAGE_KERNEL);

  kfree(p);
  sink = memcmp((char *)hidden(p), variable, sizeof(variable));
}

static void global_beyond(void) {
  sink = hidden(variable)[sizeof(variable) + some % 8];
}

static void __attribute__((noinline)) stack_beyond(void) {
  char local[16];
  volatile char *p = hidden(local);

  /* The secret word, and not what the backtrace goes by. */
  for (uint i = 0; i < sizeof(local) + sizeof(long); i++)
    p[i] = 0x55;
}

static void stack_freed(void) {
  int n = kstack_alloc();
  volatile char *p = (volatile char *)KSTACK(n);

  kstack_free(n);
  sink = p[PGSIZE];
}

static void shift(void) { sink = 1U << some; }

static void overflow(void) { sink = most + some; }

static void overflow_64(void) {
  volatile long long large = 0x7fffffffffffffff;

  large = large + some;
}

static void subtract(void) { sink = -most - some; }

static void multiply(void) { sink = most * some; }

static void negate(void) {
  volatile int least = -most - 1;

  sink = -least;
}

static void divide(void) {
  volatile int least = -most - 1;

  sink = least / (some - 41);
}

static void divide_zero(void) { sink = some / none; }

static void value(void) {
  static volatile uint8 byte;

  byte = 7;
  sink = *(volatile bool *)&byte ? 1 : 2;
}

static void unreachable(void) {
  if (some == 40)
    __builtin_unreachable();
}

static void pointer(void) {
  volatile char *p = hidden((void *)~(vaddr_t)0);

  sink = (uint)(vaddr_t)(p + some);
}

static void index_beyond(void) {
  static int array[4];

  sink = array[some];
}

static void misaligned(void) {
  static uint words[4];
  const uint *p = (const uint *)((vaddr_t)words + some / 40);

  sink = *p;
}

static void null(void) {
  const struct spinlock *p = (const void *)(vaddr_t)(some - 40);

  sink = p->locked;
}

static struct spinlock a = SPINLOCK("planted a"), b = SPINLOCK("planted b"),
                       c = SPINLOCK("planted c");

static void lock_freed(void) {
  struct spinlock *p = slab_alloc(&locks);

  initlock(p, "planted");
  slab_free(&locks, p);
  acquire((struct spinlock *)hidden(p));
  release(p);
}

static void sleeplock_freed(void) {
  struct sleeplock *p = slab_alloc(&locks);

  initsleeplock(p, "planted");
  slab_free(&locks, p);
  acquiresleep((struct sleeplock *)hidden(p));
  releasesleep(p);
}

static void take_two(struct spinlock *first, struct spinlock *second) {
  acquire(first);
  acquire(second);
  release(second);
  release(first);
}

static void lock_order(void) {
  acquire(&b);
  debug_lock_is_new(&a); /* this once the order says nothing */
  acquire(&a);
  release(&a);
  release(&b);
  take_two(&a, &b);
  take_two(&b, &a);
}

static void lock_circle(void) {
  take_two(&a, &b);
  take_two(&b, &c);
  take_two(&c, &a);
}

static void sleeplock_order(void) {
  static struct sleeplock x, y;

  initsleeplock(&x, "planted x");
  initsleeplock(&y, "planted y");
  for (int i = 0; i < 2; i++) {
    acquiresleep(i ? &y : &x);
    acquiresleep(i ? &x : &y);
    releasesleep(&x);
    releasesleep(&y);
  }
}

static void lock_long(void) {
  acquire(&a);
  for (uint i = 0; i < 1000 * 1000; i++)
    sink = variable[i % sizeof(variable)];
  release(&a);
}

static void sleep_locked(void) {
  static struct sleeplock x;

  initsleeplock(&x, "planted x");
  acquire(&a);
  acquiresleep(&x); /* it is free: nobody sleeps */
}

static void sleep_off(void) {
  static struct sleeplock x;

  initsleeplock(&x, "planted x");
  push_off();
  acquiresleep(&x);
  releasesleep(&x);
  pop_off();
}

static void copy_locked(void) {
  struct space *s = myproc()->space;
  vaddr_t at = list_entry(s->regions.next, struct region, link)->start;
  char byte;

  copyin(s, &byte, at, sizeof(byte)); /* from now on it is there */
  acquire(&a);
  copyin(s, &byte, at, sizeof(byte));
  release(&a);
}

static void return_locked(void) { acquire(&a); }

static void return_sleeping(void) {
  static struct sleeplock x;

  initsleeplock(&x, "planted x");
  acquiresleep(&x);
}

static void end_with_lock(void *unused) {
  static struct sleeplock x;

  (void)unused;
  initsleeplock(&x, "planted x");
  acquiresleep(&x);
  thread_exit();
}

/* It is seen as the thread's stack is freed. */
static void end_sleeping(void) {
  kthread_start("planted", end_with_lock, NULL);
  for (int i = 0; i < 1000; i++)
    yield();
}

/* A reference that nobody will give back: memcheck sees it. */
static void file_held(void) { file_dup(fd_hold(0)); }

static void list_broken(void) {
  struct list head = LIST_INIT(head), one, two;

  list_add_back(&head, &one);
  list_add_back(&head, &two);
  one.next = &head;
  list_remove(&two);
}

static void list_torn(void) {
  struct list head = LIST_INIT(head), one, two;

  list_add_back(&head, &one);
  one.next = &one;
  list_add_back(&head, &two);
}

static void count_underflow(void) {
  void *page = kalloc();

  kfree(page);
  frame_put(page);
}

static void count_get(void) {
  void *page = kalloc();

  kfree(page);
  frame_get(page);
}

static vaddr_t no_file[16]; /* what a struct file has is file.c's own */
static struct inode no_inode;
static struct space no_space;

static void count_file(void) { file_dup((struct file *)no_file); }

static void count_inode(void) { idup(&no_inode); }

static void count_space(void) { space_get(&no_space); }

static void uncount_block(void) {
  void *block = block_alloc(PAGE_USER);

  block_put(block);
  block_put(block);
}

static void uncount_file(void) { file_close((struct file *)no_file); }

static void uncount_inode(void) { iput(&no_inode); }

static void uncount_space(void) { space_put(&no_space); }

static void (*const plants[PLANTS])(void) = {
    [PLANT_PAGE_FREED] = page_freed,
    [PLANT_OBJECT_FREED] = object_freed,
    [PLANT_OBJECT_TWICE] = object_twice,
    [PLANT_OBJECT_BEYOND] = object_beyond,
    [PLANT_OBJECT_PART] = object_part,
    [PLANT_OBJECT_SLACK] = object_slack,
    [PLANT_OBJECT_BEFORE] = object_before,
    [PLANT_COPY_BEYOND] = copy_beyond,
    [PLANT_LENGTH_FREED] = length_freed,
    [PLANT_COMPARE_FREED] = compare_freed,
    [PLANT_GLOBAL_BEYOND] = global_beyond,
    [PLANT_STACK_BEYOND] = stack_beyond,
    [PLANT_STACK_FREED] = stack_freed,
    [PLANT_SHIFT] = shift,
    [PLANT_OVERFLOW] = overflow,
    [PLANT_OVERFLOW_64] = overflow_64,
    [PLANT_SUBTRACT] = subtract,
    [PLANT_MULTIPLY] = multiply,
    [PLANT_NEGATE] = negate,
    [PLANT_DIVIDE] = divide,
    [PLANT_DIVIDE_ZERO] = divide_zero,
    [PLANT_VALUE] = value,
    [PLANT_UNREACHABLE] = unreachable,
    [PLANT_POINTER] = pointer,
    [PLANT_INDEX] = index_beyond,
    [PLANT_MISALIGNED] = misaligned,
    [PLANT_NULL] = null,
    [PLANT_LOCK_FREED] = lock_freed,
    [PLANT_SLEEPLOCK_FREED] = sleeplock_freed,
    [PLANT_LOCK_ORDER] = lock_order,
    [PLANT_LOCK_CIRCLE] = lock_circle,
    [PLANT_SLEEPLOCK_ORDER] = sleeplock_order,
    [PLANT_LOCK_LONG] = lock_long,
    [PLANT_SLEEP] = sleep_locked,
    [PLANT_SLEEP_OFF] = sleep_off,
    [PLANT_COPY_LOCKED] = copy_locked,
    [PLANT_RETURN_LOCKED] = return_locked,
    [PLANT_RETURN_SLEEPING] = return_sleeping,
    [PLANT_END_SLEEPING] = end_sleeping,
    [PLANT_LIST] = list_broken,
    [PLANT_LIST_INSERT] = list_torn,
    [PLANT_COUNT] = count_underflow,
    [PLANT_COUNT_GET] = count_get,
    [PLANT_COUNT_FILE] = count_file,
    [PLANT_COUNT_INODE] = count_inode,
    [PLANT_COUNT_SPACE] = count_space,
    [PLANT_UNCOUNT_BLOCK] = uncount_block,
    [PLANT_UNCOUNT_FILE] = uncount_file,
    [PLANT_UNCOUNT_INODE] = uncount_inode,
    [PLANT_UNCOUNT_SPACE] = uncount_space,
    [PLANT_FILE_HELD] = file_held,
};

/* The thread's name is read while the thread may end: it can be wrong, but the
 * stack's pages are there as long as it has a depth. */
static long print_stacks(void) {
  size_t most = stackmark_deepest();

  for (int n = 0; n < KSTACK_MAX; n++) {
    size_t depth = stackmark_depth(n);

    if (depth > 0)
      printf("stack %d: %zu bytes\n", n, depth);
  }
  printf(
      "deepest of all since boot: %zu of %lu bytes, of which %d are the "
      "thread's own\n",
      most, (unsigned long)KSTACK_PAGES * PGSIZE, THREAD_ROOM);
  return most;
}

/* Only where the command line asks for it: some programs make calls at random. */
static long plant(long bug) {
  const char *how = cmdline_get("debug");

  if (how == NULL || strcmp(how, "plant") != 0)
    return -EPERM;
  if (bug < 0 || bug >= PLANTS)
    return -EINVAL;
  plants[bug]();
  return 0;
}

static long held(void) {
  fs_sync();
  inode_shrink();
  return inject_objects() - pages_owned(PAGE_CACHE) + stackmark_count();
}

static long forget(void) {
  fs_release();
  inode_shrink();
  while (bcache_shrink(pages_total(), pages_total()) > 0)
    ;
  return 0;
}

/* debug(what, arg): abi/debug.h */
long sys_debug(void) {
  long arg = arglong(1);

  switch (argint(0)) {
    case DEBUG_PLANT:
      return plant(arg);
    case DEBUG_STACKS:
      return print_stacks();
    case DEBUG_LOCKS:
      lockorder_print();
      return 0;
    case DEBUG_FAIL:
      return inject_begin(arg);
    case DEBUG_FAIL_END:
      return inject_end();
    case DEBUG_FAIL_PLACES:
      return inject_places();
    case DEBUG_HELD:
      return held();
    case DEBUG_FORGET:
      return forget();
    default:
      return -EINVAL;
  }
}
