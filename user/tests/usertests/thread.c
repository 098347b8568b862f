/*
 * Threads: how they begin and end, what they share, locks and conditions, and
 * what fork, exec, exit, kill and faults do to a process that has several.
 */
#include "user/thread.h"

#include "abi/mman.h"
#include "usertests.h"

#define SECOND 1000000000ULL
#define PATIENCE (20 * SECOND)       /* for what must happen at some time */
#define KERNEL_ADDRESS ((addr)-4096) /* on all machines */

/* A thread that must be made. */
static struct thread *begin(int (*fn)(void *), void *arg) {
  struct thread *t = thread_create(fn, arg);

  CHECK(t != 0);
  return t;
}

static int add_one(void *arg) {
  __atomic_fetch_add((uint *)arg, 1, __ATOMIC_RELAXED);
  return 7;
}

static int spin(void *arg) {
  (void)arg;
  for (;;)
    continue;
  return 0;
}

static int sleep_long(void *arg) {
  (void)arg;
  while (pause(10 * TICKS_PER_SECOND) == 0)
    continue;
  return 0;
}

/* Wait until *word is value. */
static void await(uint *word, uint value) {
  uint64 start = clock();
  uint now;

  while ((now = __atomic_load_n(word, __ATOMIC_ACQUIRE)) != value) {
    CHECK(clock() - start < PATIENCE);
    yield();
  }
}

static void set(uint *word, uint value) {
  __atomic_store_n(word, value, __ATOMIC_RELEASE);
}

static struct procinfo info_of(int pid) {
  static struct procinfo p[64];
  int n = procs(p, NELEM(p));

  for (int i = 0; i < n && i < (int)NELEM(p); i++)
    if (p[i].pid == pid)
      return p[i];
  printf("  %s: no process %d\n", test_name, pid);
  exit(1);
}

/* Wait until this process has n threads: one that was joined may be on its way
 * out yet. */
static void await_threads(int n) {
  uint64 start = clock();

  while (info_of(getpid()).threads != n) {
    CHECK(clock() - start < PATIENCE);
    yield();
  }
}

static int sleep_until_set(void *arg) {
  uint *word = arg;

  while (__atomic_load_n(word, __ATOMIC_ACQUIRE) == 0)
    futex(word, FUTEX_WAIT, 0, 0);
  return 0;
}

/* --- beginning and ending --- */

/* One after another, and all at once: 1 to 200. */
static void threads_join(void) {
  static struct thread *t[200];
  static const uint counts[] = {1, 2, 3, 50, 200};

  for (uint i = 0; i < NELEM(counts); i++) {
    uint n = counts[i], sum = 0;

    for (uint j = 0; j < n; j++)
      t[j] = begin(add_one, &sum);
    for (uint j = 0; j < n; j++)
      CHECK_EQ(thread_join(t[j]), 7);
    CHECK_EQ(sum, n);
  }
  for (uint j = 0, sum = 0; j < (quick ? 100 : 1000); j++) {
    CHECK_EQ(thread_join(begin(add_one, &sum)), 7);
    CHECK_EQ(sum, j + 1);
  }
}

/* As many as there may be, one of which is the first; each place is free again
 * when its thread was joined. */
static void threads_limit(void) {
  static struct thread *t[300];

  for (int round = 0; round < 3; round++) {
    uint n = 0, go = 0;

    while (n < NELEM(t) && (t[n] = thread_create(sleep_until_set, &go)) != 0)
      n++;
    CHECK_EQ(n, 255);
    CHECK_EQ(lasterr(), EAGAIN);
    CHECK(info_of(getpid()).threads >= 256);
    set(&go, 1);
    futex(&go, FUTEX_WAKE, 1000, 0);
    while (n > 0)
      CHECK_EQ(thread_join(t[--n]), 0);
  }
}

struct identity {
  int tid;
  int pid;
  void *self;
  addr local; /* where something on its stack is */
};

static int identify(void *arg) {
  struct identity *id = arg;
  char here;

  id->tid = gettid();
  id->pid = getpid();
  id->self = thread_self();
  id->local = (addr)&here;
  return 0;
}

/* Each has an id of its own among those of processes, a pointer to itself, and a
 * stack; all have one pid. */
static void threads_identity(void) {
  struct identity id[8];
  struct thread *t[8];
  char here;

  CHECK_EQ(gettid(), getpid());
  CHECK(thread_self() == 0);
  for (uint i = 0; i < NELEM(t); i++)
    t[i] = begin(identify, &id[i]);
  for (uint i = 0; i < NELEM(t); i++)
    CHECK_EQ(thread_join(t[i]), 0);
  for (uint i = 0; i < NELEM(t); i++) {
    CHECK_EQ(id[i].pid, getpid());
    CHECK(id[i].self == t[i]);
    CHECK(id[i].tid != getpid());
    CHECK(id[i].local != (addr)&here);
    CHECK_FAILS(kill(id[i].tid), ESRCH); /* it names no process */
  }
}

/* procs() counts them, and adds their times. */
static void threads_listed(void) {
  struct thread *t[3];
  uint go = 0, stop = 0;
  uint64 before;

  for (uint i = 0; i < NELEM(t); i++)
    t[i] = begin(sleep_until_set, &go);
  CHECK_EQ(info_of(getpid()).threads, 4);
  CHECK_EQ(info_of(getpid()).state, P_RUNNING); /* one of them at least */
  set(&go, 1);
  futex(&go, FUTEX_WAKE, 100, 0);
  for (uint i = 0; i < NELEM(t); i++)
    CHECK_EQ(thread_join(t[i]), 0);
  await_threads(1);
  before = info_of(getpid()).cpu_ns;
  thread_join(begin(add_one, &stop));
  await_threads(1);
  CHECK(info_of(getpid()).cpu_ns > before);
}

/* clone() refuses what makes no thread of this process. */
static void clone_bad(void) {
  char stack[256];
  int tid = 12345;

  CHECK_FAILS(clone(0, stack + 128, 0, 0, 0), EINVAL);
  CHECK_FAILS(clone(CLONE_VM, stack + 128, 0, 0, 0), EINVAL);
  CHECK_FAILS(clone(CLONE_THREAD_FLAGS, 0, 0, 0, 0), EINVAL);
  CHECK_FAILS(clone(CLONE_THREAD_FLAGS | 0x80000000, stack + 128, 0, 0, 0),
              EINVAL);
  CHECK_FAILS(clone(CLONE_THREAD_FLAGS | 17, stack + 128, 0, 0, 0), EINVAL);
  CHECK_FAILS(clone(CLONE_THREAD_FLAGS | CLONE_PARENT_SETTID, stack + 128,
                    (int *)(addr)-4096, 0, 0),
              EFAULT);
  CHECK_FAILS(clone(CLONE_THREAD_FLAGS & ~CLONE_FILES, stack + 128, &tid, 0, 0),
              EINVAL);
  CHECK_EQ(tid, 12345);
  CHECK_EQ(info_of(getpid()).threads, 1);
}

/* --- the end of the process --- */

static int exit_there(void *arg) { exit((int)(long)arg); }

static int fault_there(void *arg) {
  *(volatile char *)arg = 1;
  return 0;
}

/* A little more of the stack each time, for ever. */
static int fall(void *arg) {
  volatile char frame[500];

  (void)arg;
  frame[0] = 0;
  return frame[0] ? 0 : fall((void *)&frame[1]) + frame[0];
}

static void other_overflows(void *arg) {
  (void)arg;
  begin(spin, 0);
  begin(fall, 0);
  sleep_long(0);
}

static int leave_with_5(void *arg) {
  uint64 start = clock();

  (void)arg;
  while (info_of(getpid()).threads > 1 && clock() - start < PATIENCE)
    yield();
  return 5;
}

/* Some that run, some that sleep, one that is to be waited for. */
static void surround(void) {
  static uint never;

  begin(spin, 0);
  begin(spin, 0);
  begin(sleep_long, 0);
  begin(sleep_until_set, &never);
}

static void main_exits(void *arg) {
  (void)arg;
  surround();
  exit(3);
}

static void other_exits(void *arg) {
  (void)arg;
  surround();
  begin(exit_there, (void *)4);
  sleep_long(0);
}

static void main_leaves(void *arg) {
  (void)arg;
  begin(leave_with_5, 0);
  exit_thread(1);
}

static void other_faults(void *arg) {
  (void)arg;
  surround();
  begin(fault_there, (void *)KERNEL_ADDRESS);
  sleep_long(0);
}

static void all_exit(void *arg) {
  (void)arg;
  for (int i = 0; i < 8; i++)
    begin(exit_there, (void *)6);
  exit(6);
}

/* exit() of any thread ends all of them with its status; exit_thread() only the
 * caller, the first as any other. */
static void threads_exit(void) {
  for (int i = 0; i < (quick ? 3 : 20); i++) {
    CHECK_EQ(run_child(main_exits, 0), 3);
    CHECK_EQ(run_child(other_exits, 0), 4);
    CHECK_EQ(run_child(main_leaves, 0), 5);
    CHECK_EQ(run_child(all_exit, 0), 6);
  }
}

/* A fault in one ends all. */
static void threads_fault(void) {
  expect_killed(other_faults, 0);
  expect_killed(other_overflows, 0);
}

static void stay(void *arg) {
  surround();
  gate_open(arg);
  sleep_long(0);
}

static void stay_without_first(void *arg) {
  surround();
  gate_open(arg);
  exit_thread(0);
}

/* kill() reaches all, also when the first has left. */
static void threads_kill(void) {
  struct gate g;

  gate_init(&g);
  for (int i = 0; i < (quick ? 4 : 20); i++) {
    int pid = spawn(i % 2 ? stay : stay_without_first, &g);

    gate_pass(&g);
    CHECK_EQ(info_of(pid).threads >= 4, 1);
    CHECK_EQ(kill(pid), 0);
    CHECK_EQ(join(pid), STATUS_KILLED);
  }
  gate_close(&g);
}

static void exec_true(void) {
  char *argv[] = {"true", 0};

  exec("/true", argv);
  exit(99);
}

static int exec_there(void *arg) {
  int *pid = arg;

  if (pid && getpid() != *pid)
    exit(98);
  exec_true();
  return 0;
}

static void main_execs(void *arg) {
  (void)arg;
  surround();
  exec_true();
}

static void other_execs(void *arg) {
  static int pid;

  (void)arg;
  pid = getpid();
  surround();
  begin(exec_there, &pid);
  sleep_long(0);
}

static void all_exec(void *arg) {
  (void)arg;
  for (int i = 0; i < 8; i++)
    begin(exec_there, 0);
  exec_true();
}

/* exec() of any thread ends the others; a failed one ends none. */
static void threads_exec(void) {
  char *argv[] = {"nothing", 0};
  uint go = 0;
  struct thread *t = begin(sleep_until_set, &go);

  CHECK_FAILS(exec("/nothing", argv), ENOENT);
  CHECK_EQ(info_of(getpid()).threads, 2);
  set(&go, 1);
  futex(&go, FUTEX_WAKE, 1, 0);
  CHECK_EQ(thread_join(t), 0);
  for (int i = 0; i < (quick ? 3 : 20); i++) {
    CHECK_EQ(run_child(main_execs, 0), 0);
    CHECK_EQ(run_child(other_execs, 0), 0);
    CHECK_EQ(run_child(all_exec, 0), 0);
  }
}

static void child_of_thread(void *arg) {
  uint *shared = arg;

  CHECK_EQ(info_of(getpid()).threads, 1);
  CHECK_EQ(gettid(), getpid());
  *shared = 99;
}

static int fork_and_look(void *arg) {
  uint *shared = arg;
  char here[100];
  int pid;

  fill(here, sizeof(here), 5, 0);
  pid = fork();
  if (pid == 0) {
    child_of_thread(shared);
    exit(filled(here, sizeof(here), 5, 0) ? 0 : 1); /* its stack came along */
  }
  CHECK(pid > 0);
  CHECK_EQ(join(pid), 0);
  CHECK_EQ(*shared, 1);
  return 0;
}

/* A child of fork() has one thread, which goes on where the caller was. Any
 * thread may wait for it. */
static void threads_fork(void) {
  uint shared = 1;
  struct thread *t[3];

  CHECK_EQ(thread_join(begin(fork_and_look, &shared)), 0);
  for (uint i = 0; i < NELEM(t); i++)
    t[i] = begin(fork_and_look, &shared);
  for (uint i = 0; i < NELEM(t); i++)
    CHECK_EQ(thread_join(t[i]), 0);
}

/* Makes threads that make threads, and never ends. */
static int multiply(void *arg) {
  for (;;)
    if (thread_create(multiply, arg) == 0)
      yield();
  return 0;
}

static void multiply_and_exit(void *arg) {
  begin(multiply, 0);
  for (addr i = 0; i < (addr)arg; i++)
    yield();
  exit(8);
}

static void multiply_and_exec(void *arg) {
  begin(multiply, 0);
  for (addr i = 0; i < (addr)arg; i++)
    yield();
  exec_true();
}

/* Threads that are being made when the process ends do not live on. */
static void threads_multiply(void) {
  for (addr i = 0; i < (quick ? 3 : 8); i++) {
    CHECK_EQ(run_child(multiply_and_exit, (void *)i), 8);
    CHECK_EQ(run_child(multiply_and_exec, (void *)i), 0);
  }
}

/* --- locks --- */

static struct {
  struct mutex lock;
  uint n;
  uint rounds;
} counter;

static int count(void *arg) {
  for (uint i = 0; i < counter.rounds; i++) {
    uint n;

    mutex_lock(&counter.lock);
    n = counter.n;
    if (i % 64 == 0 && arg)
      yield(); /* while it is held: the others must wait */
    *(volatile uint *)&counter.n = n + 1;
    mutex_unlock(&counter.lock);
  }
  return 0;
}

/* No step is lost between threads that count together. */
static void threads_mutex(void) {
  struct thread *t[8];

  counter.n = 0;
  counter.rounds = quick ? 2000 : 20000;
  for (uint i = 0; i < NELEM(t); i++)
    t[i] = begin(count, (void *)(addr)(i % 2));
  for (uint i = 0; i < NELEM(t); i++)
    CHECK_EQ(thread_join(t[i]), 0);
  CHECK_EQ(counter.n, NELEM(t) * counter.rounds);
  CHECK_EQ(mutex_trylock(&counter.lock), 1);
  CHECK_EQ(mutex_trylock(&counter.lock), 0);
  mutex_unlock(&counter.lock);
}

#define QUEUE 4

static struct {
  struct mutex lock;
  struct cond filled, emptied;
  uint item[QUEUE];
  uint in, out, last; /* put, taken so far, and how many there will be */
  uint64 sum;
} queue;

static int produce(void *arg) {
  for (;;) {
    mutex_lock(&queue.lock);
    while (queue.in - queue.out == QUEUE && queue.in < queue.last)
      cond_wait(&queue.emptied, &queue.lock);
    if (queue.in == queue.last)
      break;
    queue.item[queue.in % QUEUE] = queue.in + 1;
    queue.in++;
    if (queue.in == queue.last)
      cond_broadcast(&queue.emptied);
    cond_signal(&queue.filled);
    mutex_unlock(&queue.lock);
  }
  cond_broadcast(&queue.filled);
  mutex_unlock(&queue.lock);
  (void)arg;
  return 0;
}

static int consume(void *arg) {
  (void)arg;
  for (;;) {
    mutex_lock(&queue.lock);
    while (queue.in == queue.out && queue.out < queue.last)
      cond_wait(&queue.filled, &queue.lock);
    if (queue.out == queue.last)
      break;
    queue.sum += queue.item[queue.out++ % QUEUE];
    if (queue.out == queue.last)
      cond_broadcast(&queue.filled);
    cond_signal(&queue.emptied);
    mutex_unlock(&queue.lock);
  }
  mutex_unlock(&queue.lock);
  return 0;
}

/* Threads that fill a short queue and others that empty it. */
static void threads_condition(void) {
  struct thread *t[8];
  uint n = quick ? 500 : 5000;

  memset(&queue, 0, sizeof(queue));
  queue.last = n;
  for (uint i = 0; i < NELEM(t); i++)
    t[i] = begin(i % 2 ? produce : consume, 0);
  for (uint i = 0; i < NELEM(t); i++)
    CHECK_EQ(thread_join(t[i]), 0);
  CHECK_EQ(queue.in, n);
  CHECK_EQ(queue.out, n);
  CHECK_EQ(queue.sum, (uint64)n * (n + 1) / 2);
  mutex_lock(&queue.lock);
  CHECK_EQ(cond_timedwait(&queue.filled, &queue.lock, 1000000), -1);
  mutex_unlock(&queue.lock);
}

static int wait_on(void *arg) {
  uint *word = arg;

  return futex(word, FUTEX_WAIT, 0, 0);
}

/* Who calls must be woken: no thread waits twice. Woken so far. */
static int wake(uint *word, int most) {
  return futex(word, FUTEX_WAKE, most, 0);
}

/* The call itself: values, numbers, times, bad addresses. */
static void futexes(void) {
  static uint word, other;
  struct thread *t[5];
  uint64 short_time = SECOND / 50, none = 0, start;
  int woken = 0;

  CHECK_FAILS(futex(&word, FUTEX_WAIT, 1, 0), EAGAIN);
  CHECK_EQ(wake(&word, 1), 0);
  start = clock();
  CHECK_FAILS(futex(&word, FUTEX_WAIT, 0, &short_time), ETIMEDOUT);
  CHECK(clock() - start >= short_time);
  CHECK_FAILS(futex(&word, FUTEX_WAIT, 0, &none), ETIMEDOUT);
  CHECK_FAILS(futex(&word, FUTEX_WAIT, 0, (uint64 *)KERNEL_ADDRESS), EFAULT);
  CHECK_FAILS(futex((uint *)KERNEL_ADDRESS, FUTEX_WAIT, 0, 0), EFAULT);
  CHECK_FAILS(futex((uint *)((char *)&word + 1), FUTEX_WAIT, 0, 0), EINVAL);
  CHECK_FAILS(futex((uint *)((char *)&word + 1), FUTEX_WAKE, 1, 0), EINVAL);
  CHECK_FAILS(futex(&word, 77, 0, 0), ENOSYS);
  CHECK_FAILS(futex(&word, FUTEX_WAIT | FUTEX_PRIVATE_FLAG, 1, 0), EAGAIN);

  for (uint i = 0; i < NELEM(t); i++)
    t[i] = begin(wait_on, &word);
  start = clock();
  while (woken < 2) { /* never more than asked for */
    int n = wake(&word, 1);

    CHECK(n == 0 || n == 1);
    CHECK(clock() - start < PATIENCE);
    CHECK_EQ(wake(&other, 100), 0);
    woken += n;
    yield();
  }
  while (woken < (int)NELEM(t)) {
    CHECK(clock() - start < PATIENCE);
    woken += wake(&word, 100);
    yield();
  }
  CHECK_EQ(woken, NELEM(t));
  for (uint i = 0; i < NELEM(t); i++)
    CHECK_EQ(thread_join(t[i]), 0);
}

/* Two sleep on words of the same address in two processes: each is woken by its
 * own. */
static void futex_of_child(void *arg) {
  static uint word;
  struct thread *t = begin(wait_on, &word);

  (void)arg;
  while (wake(&word, 1) == 0)
    yield();
  CHECK_EQ(thread_join(t), 0);
}

static void futex_processes(void) {
  int a = spawn(futex_of_child, 0);
  int b = spawn(futex_of_child, 0);

  CHECK_EQ(join(a), 0);
  CHECK_EQ(join(b), 0);
}

/* Memory of several processes. */
struct shared {
  struct mutex lock;
  struct cond turned;
  uint turn; /* whose it is */
  uint n;
};

/* Count to 2 * rounds by turns, each time when it is `self`'s. */
static void take_turns(struct shared *s, uint self, uint rounds) {
  for (uint i = 0; i < rounds; i++) {
    mutex_lock(&s->lock);
    while (s->turn != self)
      cond_wait(&s->turned, &s->lock);
    s->n++;
    s->turn = !self;
    cond_broadcast(&s->turned);
    mutex_unlock(&s->lock);
  }
}

static void be_second(void *arg) { take_turns(arg, 1, quick ? 100 : 1000); }

static void count_with_child(struct shared *s, struct shared *childs) {
  int pid = spawn(be_second, childs);

  take_turns(s, 0, quick ? 100 : 1000);
  CHECK_EQ(join(pid), 0);
  CHECK_EQ(childs->n, quick ? 200 : 2000);
}

static void *map_shared(uint pages, int flags, int fd, long off) {
  void *p = mmap(0, pages * PGSIZE, PROT_READ | PROT_WRITE, MAP_SHARED | flags,
                 fd, off);

  CHECK(p != MAP_FAILED);
  return p;
}

/* Locks and conditions work between processes that share memory: what fork
 * handed on, and a file that one maps twice. */
static void futex_shared(void) {
  struct shared *s = map_shared(1, MAP_ANONYMOUS, -1, 0);
  char *whole;
  int fd;

  count_with_child(s, s);
  CHECK_EQ(munmap(s, PGSIZE), 0);
  make_file("words", 2 * PGSIZE, 0);
  fd = open("words", O_RDWR);
  s = map_shared(1, 0, fd, PGSIZE);
  whole = map_shared(2, 0, fd, 0);
  memset(s, 0, sizeof(*s));
  count_with_child(s, (struct shared *)(whole + PGSIZE)); /* the same bytes */
  CHECK_EQ(munmap(s, PGSIZE), 0);
  CHECK_EQ(munmap(whole, 2 * PGSIZE), 0);
  CHECK_EQ(close(fd), 0);
  remove("words");
}

/* --- what they share --- */

static int allocate(void *arg) {
  uint64 seed = (addr)arg + 1;
  struct {
    uchar *p;
    uint n;
  } kept[32] = {{0, 0}};

  for (int i = 0; i < (quick ? 500 : 5000); i++) {
    uint k = random_next(&seed) % NELEM(kept);

    if (kept[k].p) {
      CHECK(filled(kept[k].p, kept[k].n, (addr)arg, 0));
      free(kept[k].p);
    }
    kept[k].n = 1 + random_next(&seed) % 500;
    kept[k].p = malloc(kept[k].n);
    CHECK(kept[k].p != 0);
    fill(kept[k].p, kept[k].n, (addr)arg, 0);
  }
  for (uint k = 0; k < NELEM(kept); k++)
    free(kept[k].p);
  return 0;
}

/* malloc() gives no memory to two. */
static void threads_malloc(void) {
  struct thread *t[6];

  for (uint i = 0; i < NELEM(t); i++)
    t[i] = begin(allocate, (void *)(addr)i);
  for (uint i = 0; i < NELEM(t); i++)
    CHECK_EQ(thread_join(t[i]), 0);
}

#define LINES 200

static int print_lines(void *arg) {
  int fd = (int)(addr)arg;

  for (int i = 0; i < LINES; i++)
    fprintf(fd, "%d %s %x\n", 12345, "abcdefghijklmnop", 0xbeef);
  return 0;
}

/* The lines of several threads do not mix. */
static void threads_printf(void) {
  static const char line[] = "12345 abcdefghijklmnop beef\n";
  char text[sizeof(line)] = {0};
  struct thread *t[4];
  int fd = open("lines", O_CREATE | O_RDWR);

  CHECK(fd >= 0);
  for (uint i = 0; i < NELEM(t); i++)
    t[i] = begin(print_lines, (void *)(addr)fd);
  for (uint i = 0; i < NELEM(t); i++)
    CHECK_EQ(thread_join(t[i]), 0);
  CHECK_EQ(lseek(fd, 0, SEEK_SET), 0);
  for (uint i = 0; i < NELEM(t) * LINES; i++) {
    CHECK_EQ(read(fd, text, sizeof(line) - 1), sizeof(line) - 1);
    CHECK_EQ(strcmp(text, line), 0);
  }
  CHECK_EQ(read(fd, text, 1), 0);
  CHECK_EQ(close(fd), 0);
  remove("lines");
}

static int fail_one_way(void *arg) {
  int want = (int)(addr)arg;

  for (int i = 0; i < 1000; i++) {
    CHECK_EQ(want == EBADF ? close(-1) : waitpid(-1, 0, WNOHANG), -1);
    CHECK_EQ(lasterr(), want);
  }
  return 0;
}

/* The reason of a failure is each thread's own. */
static void threads_lasterr(void) {
  struct thread *a = begin(fail_one_way, (void *)EBADF);
  struct thread *b = begin(fail_one_way, (void *)ECHILD);

  CHECK_EQ(thread_join(a), 0);
  CHECK_EQ(thread_join(b), 0);
}

static struct {
  int fd[2];
  uint reading;
  char got;
} blocked;

static int read_one(void *arg) {
  (void)arg;
  set(&blocked.reading, 1);
  return read(blocked.fd[0], &blocked.got, 1);
}

/* The reader sleeps in the call while its descriptor is closed: the pipe stays,
 * and what is written then comes through. */
static void threads_close(void) {
  int fd = lowest_fd();

  for (int i = 0; i < (quick ? 5 : 30); i++) {
    struct thread *t;

    blocked.reading = 0;
    CHECK_EQ(pipe(blocked.fd), 0);
    t = begin(read_one, 0);
    await(&blocked.reading, 1);
    for (int j = 0; j < i % 5 * 10; j++)
      yield();
    CHECK_EQ(close(blocked.fd[0]), 0);
    if (write(blocked.fd[1], "x", 1) == 1) {
      CHECK_EQ(thread_join(t), 1);
      CHECK_EQ(blocked.got, 'x');
    } else {
      CHECK_EQ(thread_join(t), -1); /* it came too late for its descriptor */
    }
    CHECK_EQ(close(blocked.fd[1]), 0);
  }
  CHECK_EQ(lowest_fd(), fd);
}

static uint files_stop;

/* Open, read and close the same few numbers, which others do, too: whatever
 * comes of a call, it comes of one file. */
static int use_files(void *arg) {
  uint64 seed = (addr)arg;
  char buf[64] = "nothing much";

  while (!__atomic_load_n(&files_stop, __ATOMIC_ACQUIRE)) {
    int fd = 3 + random_next(&seed) % 20;

    switch (random_next(&seed) % 6) {
      case 0:
        close(fd);
        break;
      case 1:
        open("shared", O_RDWR);
        break;
      case 2:
        dup2(3 + random_next(&seed) % 20, fd);
        break;
      case 3:
        lseek(fd, 0, SEEK_SET);
        break;
      case 4:
        ftruncate(fd, random_next(&seed) % 3000);
        break;
      default:
        write(fd, buf, sizeof(buf));
    }
  }
  return 0;
}

/* Many threads on the same descriptors: nothing is lost, nothing is closed
 * twice. */
static void share_files(void *arg) {
  struct thread *t[4];
  int pid;

  (void)arg;
  make_file("shared", 1000, 1);
  files_stop = 0;
  for (uint i = 0; i < NELEM(t); i++)
    t[i] = begin(use_files, (void *)(addr)(i + 1));
  for (int i = 0; i < (quick ? 10 : 60); i++) {
    pid = fork();
    CHECK(pid >= 0);
    if (pid == 0)
      exit(0);
    CHECK_EQ(join(pid), 0);
  }
  set(&files_stop, 1);
  for (uint i = 0; i < NELEM(t); i++)
    CHECK_EQ(thread_join(t[i]), 0);
}

static void threads_files(void) {
  CHECK_EQ(run_child(share_files, 0), 0);
  remove("shared");
}

static int open_many(void *arg) {
  int n = 0;

  (void)arg;
  while (open("/", O_RDONLY) >= 0)
    n++;
  CHECK_EQ(lasterr(), EMFILE);
  return n;
}

static void fill_table(void *arg) {
  struct thread *t[4];
  int n = lowest_fd();

  (void)arg;
  for (uint i = 0; i < NELEM(t); i++)
    t[i] = begin(open_many, 0);
  for (uint i = 0; i < NELEM(t); i++)
    n += thread_join(t[i]);
  CHECK_EQ(n, 512); /* each number was given once */
}

/* Together they open all files that a process may. */
static void threads_table(void) { CHECK_EQ(run_child(fill_table, 0), 0); }

static int change_directory(void *arg) {
  for (int i = 0; i < (quick ? 100 : 1000); i++)
    CHECK_EQ(chdir(arg), 0);
  return 0;
}

/* The directory is everybody's, and stays while one looks a path up in it. */
static void share_directory(void *arg) {
  char *dirs[] = {"/", "/usertests.d", "/usertests.d/sub"};
  struct thread *t[NELEM(dirs)];
  char path[64];

  (void)arg;
  for (uint i = 0; i < NELEM(t); i++)
    t[i] = begin(change_directory, dirs[i]);
  for (int i = 0; i < (quick ? 100 : 1000); i++) {
    CHECK_EQ(getcwd(path, sizeof(path)), 0);
    CHECK(!strcmp(path, dirs[0]) || !strcmp(path, dirs[1]) ||
          !strcmp(path, dirs[2]));
    open("file", O_RDONLY);
  }
  for (uint i = 0; i < NELEM(t); i++)
    CHECK_EQ(thread_join(t[i]), 0);
  CHECK_EQ(chdir("/"), 0);
  CHECK_EQ(thread_join(begin(change_directory, "/usertests.d/sub")), 0);
  CHECK_EQ(getcwd(path, sizeof(path)), 0);
  CHECK_EQ(strcmp(path, "/usertests.d/sub"), 0);
}

static void threads_directory(void) {
  make_dir("sub");
  CHECK_EQ(run_child(share_directory, 0), 0);
  remove("sub");
}

/* --- all at once --- */

static int quarrel(void *arg) {
  uint64 seed = (addr)arg;
  uint n = 0;

  for (;;) {
    switch (random_next(&seed) % 6) {
      case 0:
        if (thread_create(quarrel, (void *)(addr)random_next(&seed)) == 0)
          yield();
        break;
      case 1:
        if (fork() == 0)
          exec_true();
        break;
      case 2:
        wait(0);
        break;
      case 3:
        futex(&n, FUTEX_WAIT, 1, 0);
        break;
      case 4:
        return 0;
      default:
        yield();
    }
  }
}

static void quarrel_and_end(void *arg) {
  addr seed = (addr)arg;

  for (int i = 0; i < 4; i++)
    begin(quarrel, (void *)(seed * 4 + i + 1));
  for (addr i = 0; i < seed % 7 * 3; i++)
    yield();
  switch (seed % 4) {
    case 0:
      exit(0);
    case 1:
      exec_true();
      break;
    case 2:
      kill(getpid());
      break;
    default:
      exit_thread(0);
  }
}

/* Threads and processes come and go while the process ends in one way or
 * another. */
static void threads_chaos(void) {
  for (addr seed = 1; seed <= (quick ? 8 : 40); seed++) {
    int pid = spawn(quarrel_and_end, (void *)seed);
    int status;

    if (seed % 4 == 3) {
      pause(1);
      kill(pid);
    }
    status = join(pid);
    CHECK(status == 0 || status == STATUS_KILLED);
  }
}

/* What is unmapped while somebody waits there goes, and nothing is lost. In a
 * process of its own: one thread waits there, the other for a byte; then it unmaps
 * the memory, and looks. */
static int wait_there(void *arg) {
  futex(arg, FUTEX_WAIT, 1, 0);
  return 0;
}

static void unmap_when_told(int told) {
  const addr bytes = 64 * PGSIZE;
  uint *words =
      mmap(0, bytes, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
  struct memcheck sum;
  struct memfault f;
  char c;

  CHECK(words != MAP_FAILED);
  for (addr i = 0; i < bytes / sizeof(uint); i += PGSIZE / sizeof(uint))
    words[i] = 1;
  begin(wait_there, words);
  CHECK_EQ(read(told, &c, 1), 1);
  CHECK_EQ(munmap(words, bytes), 0);
  CHECK_EQ(memcheck(&sum, &f, 1), 0);
  exit(0);
}

static void futex_unmapped(void) {
  uint64 start = clock();
  int fd[2], pid;

  CHECK_EQ(pipe(fd), 0);
  pid = fork();
  CHECK(pid >= 0);
  if (pid == 0)
    unmap_when_told(fd[0]);
  while (info_of(pid).threads != 2 || info_of(pid).state != P_SLEEPING) {
    CHECK(clock() - start < PATIENCE);
    yield();
  }
  CHECK_EQ(write(fd[1], "x", 1), 1);
  CHECK_EQ(join(pid), 0);
  close(fd[0]);
  close(fd[1]);
}

const struct test thread_tests[] = {
    TEST(threads_join),      TEST(threads_limit),
    TEST(threads_identity),  TEST(threads_listed),
    TEST(clone_bad),         TEST(threads_exit),
    TEST(threads_fault),     TEST(threads_kill),
    TEST(threads_exec),      TEST(threads_fork),
    TEST(threads_multiply),  TEST(threads_mutex),
    TEST(threads_condition), TEST(futexes),
    TEST(futex_processes),   TEST(futex_shared),
    TEST(futex_unmapped),    TEST(threads_malloc),
    TEST(threads_printf),    TEST(threads_lasterr),
    TEST(threads_close),     TEST(threads_files),
    TEST(threads_table),     TEST(threads_directory),
    TEST(threads_chaos),     TESTS_END};
