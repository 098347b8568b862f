/* What a thread keeps of the machine of unit tests: nothing. */
#ifndef ARCH_THREAD_H
#define ARCH_THREAD_H

struct context {
  int unused;
};

struct arch_thread {
  int unused;
};

#endif
