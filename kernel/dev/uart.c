/*
 * 16550 serial port. Registers: National Semiconductor PC16550D data sheet,
 * section 8.
 *
 * Output goes through a ring. Who adds to it also moves bytes from it to the
 * port while that takes them; what then remains is moved by transmit
 * interrupts, which are on only while the ring holds something. Input is read
 * in the interrupt and handed on at once. If nobody has room for it the receive
 * interrupt is turned off, so that bytes stay in the port and the sender is
 * held up rather than input lost.
 *
 * A port that is empty interrupts as soon as it may. If nothing has come of that
 * after a while, the firmware was wrong about where interrupts come in, and the
 * port is looked at by the clock from then on.
 */
#include "dev/uart.h"

#include "cpu.h"
#include "dev/irq.h"
#include "dev/tty.h"
#include "lib/panic.h"
#include "lib/printf.h"
#include "sched/sleep.h"
#include "sched/timer.h"

#define RBR 0 /* read: received byte */
#define THR 0 /* write: byte to send */
#define DLL 0 /* with LCR_DLAB: divisor, low byte */
#define DLM 1 /* with LCR_DLAB: divisor, high byte */
#define IER 1 /* interrupt enable */
#define IER_RX 1
#define IER_TX 2
#define IIR 2 /* read: what interrupted */
#define FCR 2 /* write: FIFO control */
#define FCR_ENABLE 1
#define LCR 3         /* line control */
#define LCR_8N1 3     /* eight data bits, no parity, one stop bit */
#define LCR_DLAB 0x80 /* registers 0 and 1 are the divisor */
#define MCR 4         /* modem control */
#define MCR_DTR_RTS 3
#define MCR_OUT2 8  /* PCs: connects the interrupt line */
#define MCR_LOOP 16 /* the port is cut off from its line */
#define LSR 5       /* line status */
#define LSR_RX_READY 1
#define LSR_TX_EMPTY 0x20
#define LSR_NO_PORT 0xff /* nobody answers */

#define FIFO 16 /* bytes that the port takes when it is empty */
#define BURST 4 /* times that the FIFO is filled in one go */
#define BAUD 115200
#define OVERSAMPLING 16 /* cycles of the clock for a bit, before the divisor */
#define TX_RING 4096    /* power of two */
#define TX_ECHO 256     /* of which writers leave this much for echo */

#define PATIENCE_NS (2 * NSEC_PER_SEC) /* for the first interrupt */
#define LOOK_NS (NSEC_PER_SEC / 100)   /* without interrupts */

static struct {
  struct spinlock lock;
  char ring[TX_RING]; /* [lock] */
  uint head, tail;    /* [lock] next byte to send, next free; they only grow */
  struct waitq drained; /* writers wait here for the ring to have room */
  uint8 ier;            /* [lock] what the register holds */
  bool held;            /* [lock] input is turned off */
  bool started;         /* [lock] interrupts are on, or the clock is used */
  bool interrupted;     /* [a] one has come */
  uint receiving;       /* [a] 1: a CPU takes input */
  struct timer clock;   /* looks at the port if none comes */
  int early;            /* a byte that came before uart_init, or -1 */
} uart = {
    .lock = SPINLOCK("uart"),
    .drained = WAITQ(uart.drained, "tty output"),
};

void uart_init(uint clock_hz) {
  uint divisor = clock_hz / (OVERSAMPLING * BAUD);

  uart_reg_write(IER, 0);
  uart_reg_write(LCR, LCR_DLAB);
  uart_reg_write(DLL, (uint8)divisor);
  uart_reg_write(DLM, divisor >> 8);
  uart_reg_write(LCR, LCR_8N1);
  /* To turn the FIFO on is to empty it: keep what is in it, and let nothing
   * more come in between. */
  uart_reg_write(MCR, MCR_LOOP);
  uart.early = uart_reg_read(LSR) & LSR_RX_READY ? uart_reg_read(RBR) : -1;
  uart_reg_write(FCR, FCR_ENABLE);
  uart_reg_write(MCR, MCR_DTR_RTS | MCR_OUT2);
}

static uint queued(void) { return uart.tail - uart.head; }

static void set_ier(uint8 ier) {
  if (ier != uart.ier)
    uart_reg_write(IER, ier);
  uart.ier = ier;
}

/* Give the port one FIFO full, if it is empty. False if it is not. */
static bool fill_fifo(void) {
  if (!(uart_reg_read(LSR) & LSR_TX_EMPTY))
    return false;
  for (int i = 0; i < FIFO && queued() > 0; i++)
    uart_reg_write(THR, uart.ring[uart.head++ % TX_RING]);
  return true;
}

/* Move what can be moved; leave the rest to interrupts. */
static void send_locked(void) {
  for (int i = 0; i < BURST && queued() > 0 && fill_fifo(); i++)
    ;
  if (uart.started)
    set_ier(queued() > 0 ? uart.ier | IER_TX : uart.ier & ~IER_TX);
}

static void put_locked(const char *buf, size_t n) {
  while (n-- > 0)
    uart.ring[uart.tail++ % TX_RING] = *buf++;
}

void uart_putc(int c) {
  bool lock = !panicked;

  if (lock)
    acquire(&uart.lock);
  while (queued() > 0)
    fill_fifo();
  while (!(uart_reg_read(LSR) & LSR_TX_EMPTY))
    ;
  uart_reg_write(THR, c);
  if (lock)
    release(&uart.lock);
}

static size_t uart_write(const char *buf, size_t n) {
  size_t done = 0, room, now;

  acquire(&uart.lock);
  while (done < n) {
    room = TX_RING - queued();
    if (room <= TX_ECHO) {
      if (sleep_killable(&uart.drained, &uart.lock) < 0)
        break;
      continue;
    }
    now = MIN(room - TX_ECHO, n - done);
    put_locked(buf + done, now);
    done += now;
    send_locked();
  }
  release(&uart.lock);
  return done;
}

static void uart_try_write(const char *buf, size_t n) {
  acquire(&uart.lock);
  if (n <= TX_RING - queued()) {
    put_locked(buf, n);
    send_locked();
  }
  release(&uart.lock);
}

static void hold_input(bool hold) {
  acquire(&uart.lock);
  uart.held = hold;
  set_ier(hold ? uart.ier & ~IER_RX : uart.ier | IER_RX);
  release(&uart.lock);
}

static void uart_resume_input(void) {
  if (__atomic_load_n(&uart.held, __ATOMIC_RELAXED))
    hold_input(false);
}

static void drain(void) {
  while (uart_reg_read(LSR) & LSR_RX_READY) {
    if (!tty_room()) {
      hold_input(true);
      if (!tty_room()) /* a reader may have made some in between */
        return;
      hold_input(false);
    }
    tty_take(uart_reg_read(RBR));
  }
}

/* One CPU at a time, or bytes change places. Who finds another at it leaves the
 * byte to that one, which looks again when it has let go. */
static void receive(void) {
  do {
    if (__atomic_exchange_n(&uart.receiving, 1, __ATOMIC_ACQUIRE))
      return;
    drain();
    __atomic_store_n(&uart.receiving, 0, __ATOMIC_RELEASE);
  } while ((uart_reg_read(LSR) & LSR_RX_READY) && tty_room());
}

/* Do what there is to be done. Interrupts are off. */
static void attend(void) {
  uart_reg_read(IIR); /* ends the transmit interrupt */
  receive();
  acquire(&uart.lock);
  send_locked();
  if (queued() < TX_RING / 2)
    wakeup(&uart.drained);
  release(&uart.lock);
}

static void uart_interrupt(void *arg) {
  (void)arg;
  __atomic_store_n(&uart.interrupted, true, __ATOMIC_RELAXED);
  attend();
}

static void look(struct timer *t) {
  if (__atomic_load_n(&uart.interrupted, __ATOMIC_RELAXED))
    return; /* they were only late */
  attend();
  timer_start(t, clock_ns() + LOOK_NS);
}

static void check_interrupts(struct timer *t) {
  if (__atomic_load_n(&uart.interrupted, __ATOMIC_RELAXED) ||
      uart_reg_read(LSR) == LSR_NO_PORT)
    return;
  printf("uart: no interrupt comes; the clock is used instead\n");
  t->fire = look;
  look(t);
}

void uart_start(uint irq) {
  static struct tty_port port = {.write = uart_write,
                                 .try_write = uart_try_write,
                                 .resume_input = uart_resume_input};

  irq_register(irq, "uart", uart_interrupt, NULL);
  tty_add_port(&port);
  if (uart.early >= 0) {
    tty_take(uart.early);
    /* QEMU keeps what came behind it, and gives it to who reads again. */
    if (!(uart_reg_read(LSR) & LSR_RX_READY))
      uart_reg_read(RBR);
  }
  acquire(&uart.lock);
  uart.started = true;
  set_ier(IER_RX | IER_TX);
  release(&uart.lock);
  uart.clock.fire = check_interrupts;
  timer_start(&uart.clock, clock_ns() + PATIENCE_NS);
}
