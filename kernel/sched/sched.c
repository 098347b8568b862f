/*
 * Who runs where.
 *
 * Each CPU has a queue of threads that could run; the running one is not in
 * it. A thread that gives up the CPU switches straight to the next one. Only
 * when it is off its stack does the next thread (in finish_switch) put it back
 * into a queue or let go of its lock: nobody can pick up a thread that is still
 * running.
 *
 * Balancing: a new thread goes to the CPU with the least to do; a thread that
 * wakes goes where it ran last; a CPU without work takes some from the longest
 * queue; a tick that finds threads waiting wakes an idle CPU; and at a tick a
 * CPU takes a thread from a queue that is longer than its own.
 *
 * Lock order: thread, run queue.
 */
#include "sched/sched.h"

#include "lib/panic.h"
#include "mm/kvm.h"
#include "sched/timer.h"
#include "tables.h"

#define ROTATE_TICKS 16

static struct runq {
  struct spinlock lock;
  struct list threads; /* [lock] */
  uint n;              /* [lock], read without it as a hint */
  uint idle;           /* [a] 1: the CPU waits for an interrupt */
  bool preempt;        /* this CPU only: the tick wants a switch */
  uint ticks;          /* this CPU only */
  bool ticked;         /* this CPU only: sched_preempt() has not seen it yet */
  struct thread *prev; /* this CPU only: who is being switched away from */
  uint64 switches;     /* this CPU only */
  uint64 idle_ns;      /* this CPU only */
} runqs[NCPU];

static struct runq *my_runq(void) { return &runqs[mycpu()->id]; }

static bool cpu_online(int i) {
  return __atomic_load_n(&cpus[i].online, __ATOMIC_ACQUIRE);
}

void sched_init(void) {
  for (int i = 0; i < NCPU; i++) {
    initlock(&runqs[i].lock, "runq");
    list_init(&runqs[i].threads);
  }
}

/* Wake a CPU if it waits for an interrupt; true if it did. */
static bool kick(struct cpu *c) {
  uint *idle = &runqs[c->id].idle;

  if (!__atomic_load_n(idle, __ATOMIC_SEQ_CST) ||
      !__atomic_exchange_n(idle, 0, __ATOMIC_SEQ_CST))
    return false;
  ipi_send(c, IPI_RESCHED);
  return true;
}

static void kick_any(void) {
  for (int i = 0; i < ncpu && !kick(&cpus[i]); i++)
    ;
}

/* Append a runnable thread to a CPU's queue. t->lock held. */
static void enqueue(struct thread *t, struct cpu *c) {
  struct runq *q = &runqs[c->id];
  uint n;

  t->cpu = c;
  acquire(&q->lock);
  list_add_back(&q->threads, &t->runlink);
  /* Nobody may be left waiting: an idle CPU says so and then looks at n; here
   * n is set and then looked whether it is idle. A CPU may do a load before an
   * earlier store, on both sides, unless both are SEQ_CST. */
  n = __atomic_add_fetch(&q->n, 1, __ATOMIC_SEQ_CST);
  release(&q->lock);
  if (!kick(c) && n > 1)
    kick_any();
}

void sched_ready_locked(struct thread *t) {
  t->state = T_RUNNABLE;
  enqueue(t, t->cpu);
}

void sched_ready_here_locked(struct thread *t) {
  if (__atomic_load_n(&my_runq()->n, __ATOMIC_RELAXED) == 0)
    t->cpu = mycpu();
  sched_ready_locked(t);
}

void sched_place_locked(struct thread *t) {
  struct cpu *best = mycpu();
  uint least = runqs[best->id].n + 1; /* it runs something: us */

  for (int i = 0; i < ncpu && least > 0; i++) {
    uint load = runqs[i].n +
                (__atomic_load_n(&runqs[i].idle, __ATOMIC_RELAXED) ? 0 : 1);

    if (cpu_online(i) && load < least) {
      best = &cpus[i];
      least = load;
    }
  }
  t->state = T_RUNNABLE;
  enqueue(t, best);
}

static struct thread *dequeue(struct runq *q) {
  struct list *l;

  acquire(&q->lock);
  l = list_pop(&q->threads);
  if (l != NULL)
    q->n--;
  release(&q->lock);
  return l ? list_entry(l, struct thread, runlink) : NULL;
}

/* The longest queue, or NULL if all are empty. */
static struct runq *longest_queue(void) {
  struct runq *longest = NULL;
  uint most = 0;

  for (int i = 0; i < ncpu; i++) {
    uint n = __atomic_load_n(&runqs[i].n, __ATOMIC_RELAXED);

    if (n > most) {
      longest = &runqs[i];
      most = n;
    }
  }
  return longest;
}

/* A thread from the longest queue, which is another CPU's, or NULL. */
static struct thread *steal(void) {
  struct runq *longest = longest_queue();

  return longest ? dequeue(longest) : NULL;
}

static struct thread *pick(struct runq *q) {
  struct thread *t = NULL;

  if (__atomic_load_n(&q->n, __ATOMIC_RELAXED) > 0)
    t = dequeue(q);
  return t ? t : steal();
}

/* On the new thread's stack: what remains to be done for the old one. */
static void finish_switch(void) {
  struct runq *q = my_runq();
  struct thread *prev = q->prev;

  q->prev = NULL;
  if (prev->state == T_RUNNABLE && prev != mycpu()->idle)
    enqueue(prev, mycpu());
  if (prev->state == T_DEAD && prev->proc == NULL) {
    release(&prev->lock);
    thread_free(prev);
    return;
  }
  release(&prev->lock);
}

static void switch_to(struct thread *prev, struct thread *next) {
  struct cpu *c = mycpu();
  bool intena = c->intena;
  uint64 now = clock_ns();

  prev->cpu_ns += now - prev->started_ns;
  c->syscalls += prev->syscalls;
  prev->syscalls = 0;
  next->started_ns = now;
  /* Taken from its queue, it is ours alone; but who describes it (proc/list.c)
   * must not find it running since when it last began. */
  __atomic_store_n(&next->state, T_RUNNING, __ATOMIC_RELEASE);
  next->cpu = c;
  c->thread = next;
  c->pid = next->pid;
  tables_switch(prev->arch_space, next->arch_space);
  runqs[c->id].prev = prev;
  runqs[c->id].switches++;
  if (prev == c->idle)
    timer_rearm(); /* there is a tick again */
  arch_thread_leave(&prev->arch);
  swtch(&prev->context, &next->context);
  /* prev again, perhaps on another CPU */
  mycpu()->intena = intena;
  finish_switch();
}

void sched_locked(void) {
  struct thread *t = mythread(), *next;
  struct cpu *c = mycpu();

  if (c->noff != 1)
    panic("sched: %d locks are held", c->noff);
  if (intr_get() || t->state == T_RUNNING)
    panic("sched: thread %s is running or interrupts are on", t->name);
  runqs[c->id].preempt = false;
  next = pick(&runqs[c->id]);
  if (next == NULL && t->state == T_RUNNABLE) {
    t->state = T_RUNNING;
    release(&t->lock);
    return;
  }
  switch_to(t, next ? next : c->idle);
}

void yield(void) {
  struct thread *t = mythread();

  acquire(&t->lock);
  t->state = T_RUNNABLE;
  sched_locked();
}

/* Where a new thread begins. */
static void thread_begin(void) {
  struct thread *t = mythread();

  mycpu()->intena = true;
  finish_switch();
  t->entry(t->arg);
  thread_exit();
}

void thread_init_context(struct thread *t) {
  context_init(&t->context, thread_begin, (vaddr_t)t);
}

/* Run what there is, else wait for an interrupt. */
static void idle_loop(void *unused) {
  struct runq *q;

  (void)unused;
  for (;;) {
    intr_off();
    q = my_runq();
    __atomic_store_n(&q->idle, 1, __ATOMIC_SEQ_CST);
    if (__atomic_load_n(&q->n, __ATOMIC_SEQ_CST) == 0) {
      uint64 since = clock_ns();

      timer_rearm();
      cpu_wait();
      q->idle_ns += clock_ns() - since;
    }
    __atomic_store_n(&q->idle, 0, __ATOMIC_SEQ_CST);
    intr_on(); /* whatever ended the wait is served here */
    yield();
  }
}

void sched_start(void) {
  struct cpu *c = mycpu();
  struct thread *idle = thread_create("idle", idle_loop, NULL);
  static struct thread boot[NCPU]; /* stands for the boot code, once */
  struct thread *self = &boot[c->id];

  if (idle == NULL)
    panic("sched_start: no memory for the idle thread of CPU %d", c->id);
  initlock(&self->lock, "thread");
  self->state = T_EMBRYO;
  c->idle = idle;
  c->thread = self;
  idle->cpu = c;
  acquire(&self->lock);
  __atomic_store_n(&c->online, true, __ATOMIC_RELEASE);
  switch_to(self, idle);
  panic("sched_start: the boot code runs again");
}

void sched_tick(void) {
  struct runq *q = my_runq();

  q->ticks++;
  q->ticked = true;
  if (__atomic_load_n(&q->n, __ATOMIC_RELAXED) == 0)
    return;
  q->preempt = true;
  kick_any();
}

uint64 sched_next_tick(uint64 now) {
  if (mycpu()->thread == mycpu()->idle)
    return ~0ULL;
  return now + NSEC_PER_SEC / TICK_HZ;
}

/* Pull a thread here from a queue that is longer by two; from one that is
 * longer by one only now and then, so that three threads on two CPUs take
 * turns in being alone. No lock held. */
static void balance(struct runq *q) {
  uint more = q->ticks % ROTATE_TICKS == 0 ? 1 : 2;
  struct runq *longest = longest_queue();
  struct thread *t;

  if (longest == NULL || longest->n < q->n + more)
    return;
  t = dequeue(longest);
  if (t == NULL)
    return;
  acquire(&t->lock);
  enqueue(t, mycpu());
  release(&t->lock);
  q->preempt = true;
}

void sched_preempt(void) {
  struct runq *q;
  bool now;

  push_off();
  q = my_runq();
  if (q->ticked && mycpu()->noff == 1) {
    q->ticked = false;
    balance(q);
  }
  now = q->preempt && mycpu()->noff == 1;
  pop_off();
  if (now)
    yield();
}

void sched_stats(struct sched_stats *st) {
  *st = (struct sched_stats){0};
  for (int i = 0; i < ncpu; i++) {
    st->switches += runqs[i].switches;
    st->idle_ns += runqs[i].idle_ns;
    st->runnable += runqs[i].n;
    if (cpu_online(i) && !__atomic_load_n(&runqs[i].idle, __ATOMIC_RELAXED))
      st->runnable++;
  }
}
