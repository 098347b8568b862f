#define _GNU_SOURCE      /* pthread_cond_clockwait */
#define sleep libc_sleep /* the kernel has a function of that name */
#include <errno.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>
#undef sleep

#include "fs_fakes.h"

#include "abi/fcntl.h"
#include "abi/fs.h"
#include "cpu.h"
#include "dev/block.h"
#include "dev/chardev.h"
#include "fs/bcache.h"
#include "fs/file.h"
#include "fs/inode.h"
#include "lib/panic.h"
#include "mm/audit.h"
#include "mm/kalloc.h"
#include "mm/slab.h"
#include "pte.h"
#include "sched/sleep.h"
#include "sched/thread.h"
#include "vm/object.h"
#include "vm/usercopy.h"

struct fake_disk *disk;
struct cpu cpus[NCPU];
long fail_alloc_at = -1;

int mkfs_main(int argc, char **argv);
int fsck_main(int argc, char **argv);

/* --- messages --- */

#undef printf
#undef vprintf

/* Seen only if somebody wants to: set FS_VERBOSE. */
void kernel_printf(const char *fmt, ...) {
  va_list ap;

  if (getenv("FS_VERBOSE") == NULL)
    return;
  va_start(ap, fmt);
  vfprintf(stderr, fmt, ap);
  va_end(ap);
}

void panic(const char *fmt, ...) {
  va_list ap;

  fprintf(stderr, "panic: ");
  va_start(ap, fmt);
  vfprintf(stderr, fmt, ap);
  va_end(ap);
  fprintf(stderr, "\n");
  abort();
}

/* --- locks and sleeping --- */

void initlock(struct spinlock *lk, const char *name) {
  *lk = (struct spinlock){.name = name};
}

bool acquire_try(struct spinlock *lk) {
  return !__atomic_exchange_n(&lk->locked, 1, __ATOMIC_ACQUIRE);
}

void acquire(struct spinlock *lk) {
  while (!acquire_try(lk))
    sched_yield();
}

void release(struct spinlock *lk) {
  if (!__atomic_exchange_n(&lk->locked, 0, __ATOMIC_RELEASE))
    panic("release: %s is not locked", lk->name);
}

/* One condition for all queues: who is woken tests its own again. */
static pthread_mutex_t sleepers = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t woken = PTHREAD_COND_INITIALIZER;
static uint64 wakeups;

void waitq_init(struct waitq *q, const char *name) {
  *q = (struct waitq){.name = name};
  list_init(&q->waiters);
}

int sleep_until(struct waitq *q, struct spinlock *lk, uint64 deadline_ns) {
  struct timespec t = {.tv_sec = deadline_ns / NSEC_PER_SEC,
                       .tv_nsec = deadline_ns % NSEC_PER_SEC};
  struct list me;
  uint64 before;

  pthread_mutex_lock(&sleepers);
  list_add_back(&q->waiters, &me);
  before = wakeups;
  release(lk);
  while (before == wakeups)
    if (pthread_cond_clockwait(&woken, &sleepers, CLOCK_MONOTONIC, &t) != 0)
      break;
  list_remove(&me);
  pthread_mutex_unlock(&sleepers);
  acquire(lk);
  return 0;
}

/* Longer than any test may sleep: a wakeup that got lost is a failure. */
void sleep(struct waitq *q, struct spinlock *lk) {
  uint64 limit = clock_ns() + 60 * NSEC_PER_SEC;

  sleep_until(q, lk, limit);
  if (clock_ns() >= limit)
    panic("sleep: nobody woke %s", q->name);
}

int sleep_killable(struct waitq *q, struct spinlock *lk) {
  sleep(q, lk);
  return 0;
}

void wakeup(struct waitq *q) {
  (void)q;
  pthread_mutex_lock(&sleepers);
  wakeups++;
  pthread_cond_broadcast(&woken);
  pthread_mutex_unlock(&sleepers);
}

void wakeup_one(struct waitq *q) { wakeup(q); }

void wakeup_here(struct waitq *q) { wakeup(q); }

static __thread struct thread self;

struct thread *mythread(void) {
  return &self;
}

void initsleeplock(struct sleeplock *lk, const char *name) {
  *lk = (struct sleeplock){.name = name};
  waitq_init(&lk->waiters, name);
}

void acquiresleep(struct sleeplock *lk) {
  acquire(&lk->lock);
  if (lk->locked && lk->holder == &self)
    panic("acquiresleep: %s is already held", lk->name);
  while (lk->locked)
    sleep(&lk->waiters, &lk->lock);
  lk->locked = true;
  lk->holder = &self;
  release(&lk->lock);
}

struct fake_released fake_released;

void releasesleep(struct sleeplock *lk) {
  acquire(&lk->lock);
  if (!lk->locked || lk->holder != &self)
    panic("releasesleep: %s is not held", lk->name);
  lk->locked = false;
  lk->holder = NULL;
  wakeup(&lk->waiters);
  release(&lk->lock);
  if (fake_released.lock != NULL && strcmp(lk->name, fake_released.lock) == 0) {
    fake_released.lock = NULL;
    fake_released.meanwhile();
  }
}

/* --- threads and time --- */

struct start {
  void (*entry)(void *);
  void *arg;
};

static void *begin(void *start) {
  struct start s = *(struct start *)start;

  free(start);
  s.entry(s.arg);
  return NULL;
}

int kthread_start(const char *name, void (*entry)(void *), void *arg) {
  struct start *s = malloc(sizeof(*s));
  pthread_t t;

  (void)name;
  *s = (struct start){entry, arg};
  if (pthread_create(&t, NULL, begin, s) != 0)
    return -ENOMEM;
  pthread_detach(t);
  return 0;
}

void thread_exit(void) { pthread_exit(NULL); }

uint64 clock_ns(void) {
  struct timespec t;

  clock_gettime(CLOCK_MONOTONIC, &t);
  return t.tv_sec * NSEC_PER_SEC + t.tv_nsec;
}

/* --- memory --- */

static struct reclaimer *reclaimer;

static bool allocation_fails(void) {
  return __atomic_load_n(&fail_alloc_at, __ATOMIC_RELAXED) >= 0 &&
         __atomic_fetch_sub(&fail_alloc_at, 1, __ATOMIC_RELAXED) == 0;
}

void *kalloc_pages(int order, enum page_owner owner) {
  (void)owner;
  return allocation_fails() ? NULL
                            : aligned_alloc(PGSIZE, (size_t)PGSIZE << order);
}

void kfree_pages(void *block, int order) {
  (void)order;
  free(block);
}

/* A page of the cache may be mapped: behind it lies the count of its frame. All
 * are counted, too. */
static long cache_pages;

static uint *count_of(const void *page) {
  return (uint *)((char *)page + PGSIZE);
}

void *kalloc_for(enum page_owner owner) {
  void *page = kalloc_pages(1, owner);

  if (page != NULL)
    *count_of(page) = 1;
  if (page != NULL && owner == PAGE_CACHE)
    __atomic_add_fetch(&cache_pages, 1, __ATOMIC_RELAXED);
  return page;
}

uint frame_count(const void *page) {
  return __atomic_load_n(count_of(page), __ATOMIC_ACQUIRE);
}

void frame_get(void *page) {
  __atomic_fetch_add(count_of(page), 1, __ATOMIC_RELAXED);
}

/* Only the cache's pages are given back in this way. */
void frame_put(void *page) {
  if (__atomic_sub_fetch(count_of(page), 1, __ATOMIC_ACQ_REL) > 0)
    return;
  __atomic_sub_fetch(&cache_pages, 1, __ATOMIC_RELAXED);
  free(page);
}

void audit_fault(struct audit *a, enum memfault_kind kind, paddr_t pa,
                 struct audit_place at, uint count, uint found) {
  (void)a;
  (void)at;
  panic("fault %d at %p: %u, %u", kind, P2V(pa), count, found);
}

void audit_page(struct audit *a, paddr_t pa, uint owners,
                struct audit_place at) {
  (void)at;
  if (owners == OWNED_BY(PAGE_CACHE) && *count_of(P2V(pa)) == 1)
    a->sum.references++;
}

bool cache_complete(void) {
  struct audit a = {0};

  bcache_audit(&a);
  return (long)a.sum.references == cache_pages;
}

void *kalloc(void) { return kalloc_pages(0, PAGE_KERNEL); }
void kfree(void *page) { free(page); }

void *kalloc_zero(enum page_owner owner) {
  void *page = kalloc_pages(0, owner);

  return page != NULL ? memset(page, 0, PGSIZE) : NULL;
}

/* So few that the cache of a test must evict. */
uint64 pages_total(void) { return 300; }

void reclaimer_register(struct reclaimer *r) { reclaimer = r; }

void *slab_alloc(struct slab_cache *c) {
  static uint n;

  if (__atomic_add_fetch(&n, 1, __ATOMIC_RELAXED) % 64 == 0 && reclaimer)
    reclaimer->shrink(16); /* as if memory had run out */
  return allocation_fails() ? NULL : calloc(1, c->size);
}

void slab_free(struct slab_cache *c, void *object) {
  (void)c;
  free(object);
}

/* User addresses are the test's own; those of NULL's page are bad. Others are
 * not there from time to time, if absent_every says so. */
uint absent_every;

static bool absent(vaddr_t va) {
  static uint n;

  return va < PGSIZE ||
         (absent_every > 0 &&
          __atomic_add_fetch(&n, 1, __ATOMIC_RELAXED) % absent_every == 0);
}

/* A part of what is copied is there, then. */
size_t either_copyout_present(struct space *s, vaddr_t dst, const void *src,
                              size_t len) {
  (void)s;
  if (dst < PGSIZE)
    return 0;
  if (absent(dst))
    len /= 3;
  memmove((void *)dst, src, len);
  return len;
}

size_t either_copyin_present(struct space *s, void *dst, vaddr_t src,
                             size_t len) {
  (void)s;
  if (src < PGSIZE)
    return 0;
  if (absent(src))
    len /= 3;
  memmove(dst, (const void *)src, len);
  return len;
}

int user_prefault(struct space *s, vaddr_t va, size_t len, uint access) {
  (void)s, (void)len, (void)access;
  return va < PGSIZE ? -EFAULT : 0;
}

int either_copyout(struct space *s, vaddr_t dst, const void *src, size_t len) {
  (void)s;
  if (dst < PGSIZE)
    return -EFAULT;
  memcpy((void *)dst, src, len);
  return 0;
}

int either_copyin(struct space *s, void *dst, vaddr_t src, size_t len) {
  (void)s;
  if (src < PGSIZE)
    return -EFAULT;
  memcpy(dst, (void *)src, len);
  return 0;
}

/* --- mappings --- */

/* All that was ever mapped; the lock is also what the page tables' would be. */
#define PTES 256
static struct fake_pte *ptes[PTES];
static uint nptes;
static pthread_mutex_t pte_lock = PTHREAD_MUTEX_INITIALIZER;

void memobject_init(struct memobject *o, const struct memobject_ops *ops) {
  o->ops = ops;
  initlock(&o->lock, "memobject");
  list_init(&o->regions);
  list_init(&o->ways);
}

static void pte_clear(struct fake_pte *pte) {
  frame_put(pte->page);
  *pte = (struct fake_pte){0};
}

static void change(struct memobject *o, uint64 first, uint64 last, bool clear) {
  pthread_mutex_lock(&pte_lock);
  for (uint i = 0; i < nptes; i++) {
    if (ptes[i]->object != o || ptes[i]->index < first || ptes[i]->index > last)
      continue;
    ptes[i]->writable = false;
    if (clear)
      pte_clear(ptes[i]);
  }
  pthread_mutex_unlock(&pte_lock);
}

void memobject_unmap(struct memobject *o, uint64 first) {
  change(o, first, UINT64_MAX, true);
}

void memobject_protect(struct memobject *o, uint64 index) {
  change(o, index, index, false);
}

void memobject_release(struct memobject *o) { change(o, 0, UINT64_MAX, true); }

bool memobject_writable(struct memobject *o) {
  bool writable = false;

  pthread_mutex_lock(&pte_lock);
  for (uint i = 0; i < nptes; i++)
    writable |= ptes[i]->object == o && ptes[i]->writable;
  pthread_mutex_unlock(&pte_lock);
  return writable;
}

void fake_unmap(struct memobject *o) { change(o, 0, UINT64_MAX, true); }

static void pte_set(struct fake_pte *pte, struct fake_pte value) {
  uint i = 0;

  while (i < nptes && ptes[i] != pte)
    i++;
  if (i == nptes && nptes == PTES)
    panic("fake_fault: too many entries");
  ptes[i] = pte;
  nptes = i == nptes ? nptes + 1 : nptes;
  if (pte->object != NULL)
    pte_clear(pte);
  frame_get(value.page);
  *pte = value;
}

void (*fake_fault_meanwhile)(void);

int fake_fault(struct fake_pte *pte, struct memobject *o, uint64 index,
               bool write) {
  bool done = false;

  while (!done) {
    struct objpage p;
    int r = o->ops->hold(o, index, write, &p);

    if (r < 0)
      return r;
    if (fake_fault_meanwhile != NULL) {
      void (*meanwhile)(void) = fake_fault_meanwhile;

      fake_fault_meanwhile = NULL;
      meanwhile();
    }
    pthread_mutex_lock(&pte_lock);
    done = o->ops->attached(o, &p);
    if (done)
      pte_set(pte, (struct fake_pte){o, index, p.page, write});
    pthread_mutex_unlock(&pte_lock);
    o->ops->drop(o, &p);
  }
  return 0;
}

bool fake_mapped(const struct fake_pte *pte, bool write) {
  bool r;

  pthread_mutex_lock(&pte_lock);
  r = pte->object != NULL && (pte->writable || !write);
  pthread_mutex_unlock(&pte_lock);
  return r;
}

bool fake_store(const struct fake_pte *pte, uint offset) {
  bool r;

  pthread_mutex_lock(&pte_lock);
  r = pte->object != NULL && pte->writable;
  if (r)
    ++*(uint *)(pte->page + offset);
  pthread_mutex_unlock(&pte_lock);
  return r;
}

struct chardev *chardev_find(int major) {
  (void)major;
  return NULL;
}

/* --- the disk --- */

static pthread_mutex_t disk_lock = PTHREAD_MUTEX_INITIALIZER;

static void record(uint64 offset, const void *data, uint length) {
  if (!disk->recording)
    return;
  if (disk->nevents == DISK_EVENTS || disk->log_used + length > DISK_LOG)
    panic("record: more requests than there is room for");
  disk->event[disk->nevents++] =
      (struct disk_event){offset, length, disk->log_used};
  if (length > 0)
    memcpy(disk->log + disk->log_used, data, length);
  disk->log_used += length;
}

static bool fails(const struct bio *b) {
  if (disk->fail_at < 0 ||
      (disk->fail_op != ALL_REQUESTS && disk->fail_op != (int)b->op))
    return false;
  if (disk->fail_at-- > 0)
    return false;
  if (disk->fail_on)
    disk->fail_at = 0;
  disk->failed++;
  return true;
}

static int perform(struct bio *b) {
  uint64 offset = b->sector * SECTOR_SIZE;
  uint length = b->sectors * SECTOR_SIZE;

  disk->requests++;
  if (fails(b))
    return -EIO;
  if (b->op == BIO_READ) {
    memcpy(b->data, disk->data + offset, length);
  } else if (b->op == BIO_WRITE) {
    memcpy(disk->data + offset, b->data, length);
    record(offset, b->data, length);
  } else {
    record(0, NULL, 0);
  }
  return 0;
}

static void submit(struct blockdev *d, struct bio *b) {
  (void)d;
  pthread_mutex_lock(&disk_lock);
  b->status = perform(b);
  pthread_mutex_unlock(&disk_lock);
  b->done(b);
}

static void disk_attach(void) {
  static struct blockdev d = {
      .name = "fake", .max_sectors = 64, .submit = submit};

  d.sectors = disk->size / SECTOR_SIZE;
  block_register(&d);
}

void disk_reset(void) {
  disk->recording = disk->fail_on = false;
  disk->nevents = 0;
  disk->log_used = 0;
  disk->requests = disk->failed = 0;
  disk->fail_at = -1;
  disk->fail_op = ALL_REQUESTS;
}

static void temporary_name(char *path, size_t n) {
  const char *dir = getenv("TMPDIR");

  snprintf(path, n, "%s/test_fs.%d.img", dir != NULL ? dir : "/tmp", getpid());
}

/* Wait for a child, whatever signals come (libFuzzer has an alarm). */
static int join(pid_t pid) {
  int status;

  while (waitpid(pid, &status, 0) < 0)
    if (errno != EINTR)
      panic("waitpid failed");
  return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}

/* Fork. In the child a crash is a crash, not a failed test to go on from. */
static pid_t fork_child(void) {
  static const int signals[] = {SIGABRT, SIGBUS, SIGFPE, SIGILL, SIGSEGV};
  pid_t pid;

  fflush(NULL);
  pid = fork();
  for (uint i = 0; pid == 0 && i < NELEM(signals); i++)
    signal(signals[i], SIG_DFL);
  return pid;
}

/* Run one of the tools on an image, in a child. */
static int run_tool(int (*tool)(int, char **), char **argv, bool show) {
  int argc = 0;
  pid_t pid;

  while (argv[argc] != NULL)
    argc++;
  pid = fork_child();
  if (pid == 0) {
    int status;

    if (!show && (freopen("/dev/null", "w", stdout) == NULL ||
                  freopen("/dev/null", "w", stderr) == NULL))
      panic("no /dev/null");
    status = tool(argc, argv);
    fflush(NULL);
    _Exit(status);
  }
  return join(pid);
}

void disk_mkfs(const char *size, const char *log_blocks) {
  char path[256], file[] = "README=docs/fs.md"; /* mkfs changes its arguments */
  char *argv[] = {"mkfs", "-s", (char *)size,       "-i",
                  "200",  "-l", (char *)log_blocks, path,
                  file,   NULL};
  FILE *f;

  if (disk == NULL)
    disk = mmap(NULL, sizeof(*disk), PROT_READ | PROT_WRITE,
                MAP_SHARED | MAP_ANONYMOUS, -1, 0);
  temporary_name(path, sizeof(path));
  if (run_tool(mkfs_main, argv, true) != 0 || (f = fopen(path, "rb")) == NULL)
    panic("mkfs failed");
  disk->size = fread(disk->data, 1, sizeof(disk->data), f);
  fclose(f);
  remove(path);
  disk_reset();
}

int disk_fsck(bool show) {
  char path[256];
  char *argv[] = {"fsck", "-q", "-r", path, NULL};
  FILE *f;
  int status;

  temporary_name(path, sizeof(path));
  f = fopen(path, "wb");
  if (f == NULL || fwrite(disk->data, 1, disk->size, f) != disk->size)
    panic("%s cannot be written", path);
  fclose(f);
  status = run_tool(fsck_main, argv, show);
  remove(path);
  return status;
}

/* --- running --- */

#define RUN_LIMIT 100 /* seconds for a child: beyond them it hangs */

int fs_run(void (*test)(void *arg), void *arg) {
  pid_t pid = fork_child();

  if (pid == 0) {
    alarm(RUN_LIMIT);
    disk_attach();
    if (fs_mount(0) < 0)
      _Exit(MOUNT_FAILED);
    test(arg);
    fs_sync();
    _Exit(0);
  }
  return join(pid);
}

/* --- files by path --- */

int put_file(const char *path, const void *data, size_t n) {
  int r;
  struct file *f = file_open(NULL, path, O_CREATE | O_TRUNC | O_WRONLY, &r);
  ssize_t got;

  if (f == NULL)
    return r;
  got = file_write(f, NULL, (vaddr_t)data, n);
  file_close(f);
  return got < 0 ? got : (size_t)got < n ? -ENOSPC : 0;
}

ssize_t get_file(const char *path, uint64 off, void *buf, size_t n) {
  int r;
  struct inode *ip = namei(NULL, path, &r);
  ssize_t got;

  if (ip == NULL)
    return r;
  got = ilock(ip);
  if (got == 0) {
    got = readi(ip, NULL, (vaddr_t)buf, off, n);
    iunlock(ip);
  }
  iput(ip);
  return got;
}

bool file_is(const char *path, size_t size, int byte) {
  static char buf[MAXFILE * BSIZE + 1];
  ssize_t got = get_file(path, 0, buf, sizeof(buf));

  if (got < 0 || (size_t)got != size)
    return false;
  for (size_t i = 0; i < size; i++)
    if (buf[i] != (char)byte)
      return false;
  return true;
}

int stat_path(const char *path, short *type, short *nlink, uint64 *size) {
  int r;
  struct inode *ip = namei(NULL, path, &r);
  struct stat st;

  if (ip == NULL)
    return r;
  r = ilock(ip);
  if (r == 0) {
    stati(ip, &st);
    iunlock(ip);
    *type = st.type;
    *nlink = st.nlink;
    *size = st.size;
  }
  iput(ip);
  return r;
}

/* Marsaglia's xorshift. */
uint random_below(uint *state, uint n) {
  *state ^= *state << 13;
  *state ^= *state >> 17;
  *state ^= *state << 5;
  return *state % n;
}
