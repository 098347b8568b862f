/*
 * Processes: fork, exit, wait, kill, who adopts whom, process groups, rights,
 * time, and that no process keeps a CPU from the others.
 */
#include "abi/syscall.h"
#include "usertests.h"

static void spin(void *arg) {
  (void)arg;
  for (;;)
    continue;
}

static void nothing(void *arg) { (void)arg; }

static void exit_with(void *arg) { exit((int)(long)arg); }

static void pause_long(void *arg) {
  (void)arg;
  while (getppid() != 1) /* if the parent should fail */
    pause(10);
}

/* wait() gives the pid and the status of each child once. */
static void exitwait(void) {
  int n = repeats(quick ? 30 : 100, 3);

  for (int i = 0; i < n; i++) {
    int status = -5;
    int pid = spawn(exit_with, (void *)(long)i);
    CHECK_EQ(wait(&status), pid);
    CHECK_EQ(status, i);
  }
  CHECK_FAILS(wait(0), ECHILD);
}

/* Two children at a time, waited for in whichever order they end. */
static void twochildren(void) {
  for (int i = 0; i < repeats(100, 3); i++) {
    int a = spawn(nothing, 0);
    int b = spawn(nothing, 0);
    int first = wait(0), second = wait(0);
    CHECK((first == a && second == b) || (first == b && second == a));
  }
}

/* Children that fork children. */
static void fork_some(void *arg) {
  (void)arg;
  for (int i = 0; i < repeats(50, 3); i++)
    CHECK_EQ(run_child(nothing, 0), 0);
}

static void forkfork(void) {
  int a = spawn(fork_some, 0);
  int b = spawn(fork_some, 0);

  CHECK_EQ(join(a), 0);
  CHECK_EQ(join(b), 0);
}

static void fork_until_stopped(void *arg) {
  (void)arg;
  for (;;) {
    if (exists("stopforking"))
      exit(0);
    if (fork() < 0)
      close(open("stopforking", O_CREATE | O_RDWR));
  }
}

static uint processes(void) {
  struct sysinfo s;

  CHECK_EQ(sysinfo(&s), 0);
  return s.processes;
}

/* Everybody forks until no process can be made; then all goes back. */
static void forkforkfork(void) {
  uint before = processes();
  uint64 start = clock();
  int pid = spawn(fork_until_stopped, 0);

  pause(10);
  close(open("stopforking", O_CREATE | O_RDWR));
  CHECK_EQ(join(pid), 0);
  while (processes() > before && clock() - start < 60000000000ULL)
    pause(1);
  CHECK_EQ(processes(), before);
  remove("stopforking");
}

/* Parent and child exit at about the same time. */
static void reparent(void) {
  int master = getpid();

  for (int i = 0; i < repeats(quick ? 50 : 200, 3); i++) {
    int pid = fork();
    CHECK(pid >= 0);
    if (pid == 0) {
      if (fork() < 0)
        kill(master);
      exit(0);
    }
    CHECK_EQ(join(pid), 0);
  }
}

static void two_forks(void *arg) {
  (void)arg;
  fork();
  fork();
}

/* The same with a family of three below each child. */
static void reparent2(void) {
  for (int i = 0; i < repeats(quick ? 50 : 300, 3); i++)
    CHECK_EQ(run_child(two_forks, 0), 0);
}

static void report_parent(void *arg) {
  int *fd = arg;
  uint64 start = clock();
  char answer;

  while (getppid() != 1 && clock() - start < 5000000000ULL)
    yield();
  answer = (char)getppid();
  write(fd[1], &answer, 1);
}

static void orphan_one(void *arg) { spawn(report_parent, arg); }

/* A process whose parent is gone is init's child. */
static void orphan(void) {
  char answer = 0;
  int fd[2];

  CHECK_EQ(pipe(fd), 0);
  CHECK_EQ(run_child(orphan_one, fd), 0);
  CHECK_EQ(read(fd[0], &answer, 1), 1);
  CHECK_EQ(answer, 1);
  close(fd[0]);
  close(fd[1]);
}

/* init lives on, whoever asks. */
static void killinit(void) {
  CHECK_EQ(kill(1), -1);
  CHECK_FAILS(kill(0x7fffffff), ESRCH);
  CHECK_EQ(kill(-0x7fffffff - 1), -1);
  pause(1);
  CHECK_EQ(getppid() > 1, 1);
}

/* The status of a killed process is -1, at whatever it was. */
static void killstatus(void) {
  for (int i = 0; i < (quick ? 10 : 50); i++) {
    int pid = spawn(i % 2 ? pause_long : spin, 0);
    if (i % 3 == 0)
      yield();
    CHECK_EQ(kill(pid), 0);
    CHECK_EQ(join(pid), STATUS_KILLED);
  }
}

/* Long enough to be killed, also by another than its parent. */
static void pause_alone(void *arg) {
  (void)arg;
  pause(10 * TICKS_PER_SECOND);
}

static void wait_for_grandchild(void *arg) {
  (void)arg;
  spawn(pause_alone, 0);
  wait(0);
}

static int child_of(int parent) {
  static struct procinfo p[64];
  int n = procs(p, NELEM(p));

  for (int i = 0; i < n; i++)
    if (p[i].ppid == parent)
      return p[i].pid;
  return 0;
}

/* A process that waits for its child can be killed; the child lives on. */
static void killwait(void) {
  int pid = spawn(wait_for_grandchild, 0);
  int child;

  while ((child = child_of(pid)) == 0)
    yield();
  CHECK_EQ(kill(pid), 0);
  CHECK_EQ(join(pid), STATUS_KILLED);
  CHECK_EQ(kill(child), 0);
  while (kill(child) == 0)
    yield();
}

static void kill_parent(void *arg) {
  (void)arg;
  kill(getppid());
}

static void killed_by_child(void *arg) {
  (void)arg;
  spawn(kill_parent, 0);
  for (;;)
    continue;
}

/* A child kills its parent and exits, an orphan or not. */
static void killparent(void) {
  for (int i = 0; i < 20; i++)
    CHECK_EQ(run_child(killed_by_child, 0), STATUS_KILLED);
}

/* The parent kills children that are busy in system calls. */
static void busy(void *arg) {
  char name[DIRSIZ + 1];

  numbered(name, "busy", (uint)(long)arg);
  for (;;) {
    int fd = open(name, O_CREATE | O_RDWR);
    write(fd, scratch, SCRATCH_SIZE);
    close(fd);
    unlink(name);
  }
}

static void killbusy(void) {
  char name[DIRSIZ + 1];
  int pid[3];

  for (long round = 0; round < (quick ? 3 : 10); round++) {
    for (long i = 0; i < 3; i++)
      pid[i] = spawn(busy, (void *)i);
    pause(1);
    for (int i = 0; i < 3; i++)
      CHECK_EQ(kill(pid[i]), 0);
    for (int i = 0; i < 3; i++)
      CHECK_EQ(join(pid[i]), STATUS_KILLED);
  }
  for (int i = 0; i < 3; i++) {
    numbered(name, "busy", i);
    unlink(name);
  }
}

/* waitpid: one child by pid, any child, without waiting, and errors. */
static void waitpids(void) {
  int status;
  int a = spawn(exit_with, (void *)3);
  int b = spawn(pause_long, 0);

  CHECK_EQ(waitpid(b, &status, WNOHANG), 0);
  CHECK_EQ(waitpid(a, &status, 0), a);
  CHECK_EQ(status, 3);
  CHECK_FAILS(waitpid(a, &status, 0), ECHILD);
  CHECK_EQ(waitpid(-1, &status, WNOHANG), 0);
  CHECK_EQ(kill(b), 0);
  CHECK_EQ(waitpid(-1, &status, 0), b);
  CHECK_FAILS(waitpid(-1, &status, WNOHANG), ECHILD);
  CHECK_FAILS(waitpid(1, &status, 0), ECHILD);
  CHECK_FAILS(waitpid(-1, &status, 77 << 8), EINVAL);
}

static int group_of(int pid) {
  static struct procinfo p[64];
  int n = procs(p, NELEM(p));

  for (int i = 0; i < n; i++)
    if (p[i].pid == pid)
      return p[i].pgid;
  return -1;
}

/* Process groups are inherited and can be set for oneself and one's child. */
static void groups(void) {
  int pid = spawn(pause_long, 0);

  CHECK_EQ(group_of(pid), group_of(getpid()));
  CHECK_EQ(setpgid(pid, pid), 0);
  CHECK_EQ(group_of(pid), pid);
  CHECK_EQ(setpgid(0, 0), 0);
  CHECK_EQ(group_of(getpid()), getpid());
  CHECK_EQ(setpgid(1, getpid()), -1);
  CHECK_EQ(setpgid(0x7fffffff, 0), -1);
  CHECK_EQ(setpgid(0, -5), -1);
  CHECK_EQ(kill(pid), 0);
  CHECK_EQ(join(pid), STATUS_KILLED);
}

static void without_rights(void *arg) {
  struct vmregion r[4];
  struct ptwalk w;
  struct ptentry e[4];
  int other = (int)(long)arg;

  CHECK(restrict_rights(0) >= 0);
  CHECK_FAILS(reboot(REBOOT_POWEROFF), EPERM);
  CHECK_FAILS(kill(other), EPERM);
  CHECK_FAILS(vmregions(other, r, 4), EPERM);
  CHECK_FAILS(ptdump(other, 0, e, 4), EPERM);
  CHECK_FAILS(ptdump(PID_KERNEL, 0, e, 4), EPERM);
  CHECK_FAILS(ptwalk(PID_KERNEL, 0, &w), EPERM);
  CHECK_EQ(ptwalk(getpid(), 0, &w), 0);
  int pid = spawn(pause_long, 0);
  CHECK_EQ(kill(pid), 0);
  CHECK_EQ(join(pid), STATUS_KILLED);
  restrict_rights(RIGHT_ALL); /* what was given up does not come back */
  CHECK_FAILS(reboot(REBOOT_POWEROFF), EPERM);
}

/* A process can give up rights, for itself and its children, for good. */
static void rights(void) {
  int other = spawn(pause_long, 0);

  CHECK_EQ(run_child(without_rights, (void *)(long)other), 0);
  CHECK_EQ(kill(other), 0);
  CHECK_EQ(join(other), STATUS_KILLED);
  CHECK_EQ(reboot(12345), -1);
}

/* More processes spin than there are CPUs, and this one still runs. */
static void preemption(void) {
  int pid[12];
  volatile int work = 0;

  for (uint i = 0; i < NELEM(pid); i++)
    pid[i] = spawn(spin, 0);
  for (int i = 0; i < 5; i++) {
    pause(1);
    while (++work % 1000)
      continue;
  }
  for (uint i = 0; i < NELEM(pid); i++)
    CHECK_EQ(kill(pid[i]), 0);
  for (uint i = 0; i < NELEM(pid); i++)
    CHECK_EQ(join(pid[i]), STATUS_KILLED);
}

/* By CPU: somebody computed there. In shared memory. */
struct seen {
  int on[64];
  int enough;
};

static void compute(void *arg) {
  volatile struct seen *seen = arg;

  while (!seen->enough)
    seen->on[getcpu()] = 1;
}

/* Processes that compute are spread over all CPUs. */
static void manycpus(void) {
  const uint64 patience_ns = 60000000000ULL, start = clock();
  struct seen *seen = mmap(0, sizeof(*seen), PROT_READ | PROT_WRITE,
                           MAP_SHARED | MAP_ANONYMOUS, -1, 0);
  struct sysinfo s;
  uint used = 0;
  int pid[16];

  CHECK(seen != MAP_FAILED);
  CHECK_EQ(sysinfo(&s), 0);
  CHECK(s.cpus <= NELEM(seen->on));
  uint n = s.cpus < NELEM(pid) / 2 ? 2 * s.cpus : NELEM(pid);
  for (uint i = 0; i < n; i++)
    pid[i] = spawn(compute, seen);
  while (used < s.cpus && clock() - start < patience_ns) {
    pause(1);
    used = 0;
    for (uint i = 0; i < NELEM(seen->on); i++)
      used += seen->on[i];
  }
  seen->enough = 1;
  for (uint i = 0; i < n; i++)
    CHECK_EQ(join(pid[i]), 0);
  CHECK_EQ(used, s.cpus);
  munmap(seen, sizeof(*seen));
}

static void pause_longest(void *arg) {
  (void)arg;
  pause(0x7fffffff);
}

/* clock() goes forward at the pace of uptime(), and pause() lasts. */
static void times(void) {
  int ticks = uptime();
  uint64 start = clock(), before = start, now;

  for (int i = 0; i < 1000; i++, before = now) {
    now = clock();
    CHECK(now >= before);
  }
  CHECK_EQ(pause(3), 0);
  CHECK(uptime() - ticks >= 3);
  CHECK(clock() - start >= 200000000L);
  CHECK(clock() - start < 20000000000ULL);
  CHECK_EQ(pause(0), 0);
  CHECK_EQ(pause(-1), 0);
  int longest = spawn(pause_longest, 0);
  CHECK_EQ(pause(2), 0);
  CHECK_EQ(waitpid(longest, 0, WNOHANG), 0);
  CHECK_EQ(kill(longest), 0);
  CHECK_EQ(join(longest), STATUS_KILLED);
}

/* procs() shows this process and its parent as they are. */
static void processlist(void) {
  static struct procinfo p[64];
  int n = procs(p, NELEM(p));
  int found = 0;

  CHECK(n >= 3 && n <= (int)NELEM(p));
  for (int i = 0; i < n; i++) {
    if (p[i].pid != getpid())
      continue;
    found++;
    CHECK_EQ(p[i].ppid, getppid());
    CHECK_EQ(strcmp(p[i].name, "usertests"), 0);
    CHECK_EQ(p[i].state, P_RUNNING);
    CHECK(p[i].size >= p[i].resident || p[i].resident > 0);
    CHECK(p[i].tables >= 3 * PGSIZE || p[i].tables > 0);
  }
  CHECK_EQ(found, 1);
  CHECK_EQ(procs(p, 0), 0);
  CHECK_EQ(procs(p, 2), 2);
}

/* Two processes that wait for each other in turns. */
struct turns {
  struct gate gates[2];
  int pids[2];
};

static void take_turns(void *arg) {
  struct turns *t = arg;

  for (;;) {
    gate_open(&t->gates[0]);
    gate_pass(&t->gates[1]);
  }
}

static void take_other_turns(void *arg) {
  struct turns *t = arg;

  for (;;) {
    gate_pass(&t->gates[0]);
    gate_open(&t->gates[1]);
  }
}

static void turns_begin(struct turns *t) {
  gate_init(&t->gates[0]);
  gate_init(&t->gates[1]);
  t->pids[0] = spawn(take_turns, t);
  t->pids[1] = spawn(take_other_turns, t);
}

static void turns_end(struct turns *t) {
  for (uint i = 0; i < NELEM(t->pids); i++) {
    CHECK_EQ(kill(t->pids[i]), 0);
    CHECK_EQ(join(t->pids[i]), STATUS_KILLED);
    gate_close(&t->gates[i]);
  }
}

static uint64 cpu_time_of(int pid, const struct procinfo *list, int n) {
  for (int i = 0; i < n; i++)
    if (list[i].pid == pid)
      return list[i].cpu_ns;
  check_failed(__FILE__, __LINE__, "it is in the list");
}

/* The processor time of processes that begin and stop to run all the time, as
 * another one sees it, does not go back. */
static void cputime(void) {
  static struct procinfo list[64];
  uint64 before[8] = {0}, now;
  struct turns turns[NELEM(before) / 2];

  for (uint i = 0; i < NELEM(turns); i++)
    turns_begin(&turns[i]);
  for (int round = 0; round < (quick ? 1000 : 4000); round++) {
    int n = procs(list, NELEM(list));

    for (uint i = 0; i < NELEM(before); i++) {
      now = cpu_time_of(turns[i / 2].pids[i % 2], list, n);
      CHECK(now >= before[i]);
      before[i] = now;
    }
  }
  for (uint i = 0; i < NELEM(turns); i++)
    turns_end(&turns[i]);
}

/* How many of the processes in pid[] (0: none) are on a CPU? Of those, kill
 * `most` at most; they become 0. */
static int on_cpu(int *pid, int n, int cpu, int most) {
  static struct procinfo info[64];
  int all = procs(info, NELEM(info)), found = 0;

  for (int i = 0; i < n; i++)
    for (int k = 0; k < all; k++) {
      if (pid[i] == 0 || info[k].pid != pid[i] || info[k].cpu != cpu)
        continue;
      if (found++ >= most)
        continue;
      CHECK_EQ(kill(pid[i]), 0);
      CHECK_EQ(join(pid[i]), STATUS_KILLED);
      pid[i] = 0;
    }
  return found;
}

/* When the processes of one CPU end, those that wait for another move. As many
 * as there are CPUs are left, so that somebody does wait while a CPU has none.
 * How soon is up to whom the host lets run: it is waited for without a limit. */
static void rebalance(void) {
  struct sysinfo s;
  int *pid, n;

  CHECK_EQ(sysinfo(&s), 0);
  n = 2 * (int)s.cpus;
  if (s.cpus < 2)
    return;
  pid = malloc(n * sizeof(pid[0]));
  CHECK(pid != 0);
  for (int i = 0; i < n; i++)
    pid[i] = spawn(spin, 0);
  while (on_cpu(pid, n, 0, n - (int)s.cpus) == 0)
    pause(1);
  while (on_cpu(pid, n, 0, 0) == 0)
    pause(1);
  for (int i = 0; i < n; i++)
    if (pid[i] != 0) {
      CHECK_EQ(kill(pid[i]), 0);
      CHECK_EQ(join(pid[i]), STATUS_KILLED);
    }
}

/* A CPU without work takes what waits for others. Whoever finds himself on a certain
 * one ends: so does, one after the other, all that waits, and only those that have
 * a CPU for themselves are left. */
static void compute_until_moved(void *arg) {
  volatile int *cpu = arg;

  while (getcpu() != *cpu)
    continue;
}

static void idlecpu(void) {
  enum { EACH = 4 };
  volatile int *cpu = mmap(0, sizeof(*cpu), PROT_READ | PROT_WRITE,
                           MAP_SHARED | MAP_ANONYMOUS, -1, 0);
  struct sysinfo s;
  int *pid, n, ended, status;

  CHECK(cpu != MAP_FAILED);
  CHECK_EQ(sysinfo(&s), 0);
  n = EACH * (int)s.cpus;
  if (s.cpus < 2)
    return;
  pid = malloc(n * sizeof(pid[0]));
  CHECK(pid != 0);
  *cpu = -1;
  for (int i = 0; i < n; i++)
    pid[i] = spawn(compute_until_moved, (void *)cpu);
  *cpu = 0;
  for (int left = n; left > (int)s.cpus; left--) {
    ended = wait(&status);
    CHECK_EQ(status, 0);
    for (int i = 0; i < n; i++)
      pid[i] = pid[i] == ended ? 0 : pid[i];
  }
  for (int i = 0; i < n; i++)
    if (pid[i] != 0) {
      kill(pid[i]); /* it may have ended meanwhile */
      join(pid[i]);
    }
  munmap((void *)cpu, sizeof(*cpu));
}

/* A CPU that has something to do, but less than another, gets some of that. */
static void evenly(void) {
  enum { EACH = 4 };
  struct sysinfo s;
  int *pid, n;

  CHECK_EQ(sysinfo(&s), 0);
  n = EACH * (int)s.cpus;
  if (s.cpus < 2)
    return;
  pid = malloc(n * sizeof(pid[0]));
  CHECK(pid != 0);
  for (int i = 0; i < n; i++)
    pid[i] = spawn(spin, 0);
  while (on_cpu(pid, n, 0, 0) < 2)
    pause(1);
  on_cpu(pid, n, 0, on_cpu(pid, n, 0, 0) - 1);
  while (on_cpu(pid, n, 0, 0) < 2)
    pause(1);
  for (int i = 0; i < n; i++)
    if (pid[i] != 0) {
      CHECK_EQ(kill(pid[i]), 0);
      CHECK_EQ(join(pid[i]), STATUS_KILLED);
    }
}

/* Numbers that no system call has. */
static void badcalls(void) {
  static const long number[] = {0,   22,  63,      SYS_MAX + 1, 200,
                                511, 512, 1000000, -1,          0x7fffffff};
  static const uint64 arg[6];

  for (uint i = 0; i < NELEM(number); i++) {
    CHECK_EQ(raw_syscall(number[i], arg), -1);
    CHECK_EQ(lasterr(), ENOSYS);
  }
}

/* A program that computes finds its floating-point registers again, whoever
 * else runs. */
static void float_child(void *arg) {
  volatile long n = (long)arg; /* in memory, to compare with */
  double x = (double)n, sum = 0;

  for (int i = 0; i < 200; i++) {
    sum += x;
    if (i % 10 == 0)
      yield();
    CHECK(sum == (double)(n * (i + 1)));
  }
}

static void floats(void) {
  int pid[6];

  for (long i = 0; i < 6; i++)
    pid[i] = spawn(float_child, (void *)(i + 1));
  float_child((void *)17L);
  for (int i = 0; i < 6; i++)
    CHECK_EQ(join(pid[i]), 0);
}

const struct test proc_tests[] = {TEST(exitwait),   TEST(twochildren),
                                  TEST(forkfork),   SLOW_TEST(forkforkfork),
                                  TEST(reparent),   TEST(reparent2),
                                  TEST(orphan),     TEST(killinit),
                                  TEST(killstatus), TEST(killwait),
                                  TEST(killparent), TEST(killbusy),
                                  TEST(waitpids),   TEST(groups),
                                  TEST(rights),     TEST(preemption),
                                  TEST(manycpus),   TEST(rebalance),
                                  TEST(evenly),     TEST(idlecpu),
                                  TEST(times),      TEST(processlist),
                                  TEST(cputime),    TEST(badcalls),
                                  TEST(floats),     TESTS_END};
