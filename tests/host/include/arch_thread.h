/* What a thread keeps of the machine of unit tests: hardly anything. */
#ifndef ARCH_THREAD_H
#define ARCH_THREAD_H

struct context {
  int unused;
};

struct arch_thread {
  struct trapframe *trapframe;
};

#endif
