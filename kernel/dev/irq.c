/*
 * Device interrupts by source. Handlers are registered once and stay, so that
 * dispatch reads the table without a lock.
 */
#include "dev/irq.h"

#include "lib/printf.h"
#include "sync/spinlock.h"

static struct spinlock irq_lock = SPINLOCK("irq"); /* registration */

static struct source {
  const char *name;
  void (*handler)(void *arg); /* [a] NULL: nobody wants it; set last */
  void *arg;
} sources[IRQ_MAX];

int irq_register(uint irq, const char *name, void (*handler)(void *arg),
                 void *arg) {
  struct source *s;
  int err = 0;

  if (irq == 0 || irq >= IRQ_MAX) {
    printf("%s: interrupt %u is none\n", name, irq);
    return -EINVAL;
  }
  s = &sources[irq];
  acquire(&irq_lock);
  if (s->handler) {
    err = -EBUSY;
  } else {
    s->name = name;
    s->arg = arg;
    __atomic_store_n(&s->handler, handler, __ATOMIC_RELEASE);
  }
  release(&irq_lock);
  if (err == 0)
    irq_enable(irq);
  else
    printf("%s: interrupt %u belongs to %s\n", name, irq, s->name);
  return err;
}

void irq_dispatch(uint irq) {
  void (*handler)(void *);

  if (irq >= IRQ_MAX)
    return;
  handler = __atomic_load_n(&sources[irq].handler, __ATOMIC_ACQUIRE);
  if (handler)
    handler(sources[irq].arg);
}
