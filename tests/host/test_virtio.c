/*
 * Virtio disks, kernel/dev/virtio.c and virtio_blk.c, with a device that the
 * test plays: a good one, and ones that break every rule there is.
 */
/* sources: tests/host/lock_fakes.c */
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "types.h"
#include "pte.h" /* PGROUNDUP */

#include "dev/virtio.c"
#include "dev/virtio_blk.c"

struct cpu cpus[NCPU];

/* --- what the driver stands on --- */

static struct blockdev *disk; /* the one registered last */
static void (*irq_handler)(void *);
static void *irq_arg;
static struct timer *armed;
static uint64 now;

void kernel_printf(const char *fmt, ...) { (void)fmt; }

/* What is allocated now. A disk is never given back; the test does it. */
static void *live[64];

static void *allocate(size_t size) {
  for (size_t i = 0; i < NELEM(live); i++)
    if (live[i] == NULL)
      return live[i] = memset(aligned_alloc(PGSIZE, PGROUNDUP(size)), 0, size);
  fail();
  return NULL;
}

static void give_back(void *p) {
  for (size_t i = 0; i < NELEM(live); i++)
    if (live[i] == p) {
      live[i] = NULL;
      free(p);
      return;
    }
  fail();
}

static int allocated(void) {
  int n = 0;

  for (size_t i = 0; i < NELEM(live); i++)
    n += live[i] != NULL;
  return n;
}

void *kalloc_zero(enum page_owner owner) {
  (void)owner;
  return allocate(PGSIZE);
}

void kfree(void *page) { give_back(page); }
void *slab_alloc(struct slab_cache *c) { return allocate(c->size); }

void slab_free(struct slab_cache *c, void *object) {
  (void)c;
  give_back(object);
}

int irq_register(uint irq, const char *name, void (*handler)(void *),
                 void *arg) {
  (void)irq, (void)name;
  irq_handler = handler;
  irq_arg = arg;
  return 0;
}

void block_register(struct blockdev *d) { disk = d; }
uint64 clock_ns(void) { return now; }

void timer_start(struct timer *t, uint64 deadline_ns) {
  t->deadline_ns = deadline_ns;
  armed = t;
}

/* --- the device --- */

static struct {
  uint64 features, accepted;
  uint status;
  uint max;
  uint32 config[8];
  struct virtq *queue;
  uint16 seen; /* entries of the avail ring */
  uint isr;
  bool refuses; /* clears FEATURES_OK */
  uint resets;
} device;

static uint64 dev_features(struct virtio_dev *d) {
  (void)d;
  return device.features;
}

static void dev_accept(struct virtio_dev *d, uint64 features) {
  (void)d;
  device.accepted = features;
}

static uint dev_get_status(struct virtio_dev *d) {
  (void)d;
  return device.status;
}

static void dev_set_status(struct virtio_dev *d, uint status) {
  (void)d;
  device.resets += status == 0;
  if (device.refuses)
    status &= ~VIRTIO_STATUS_FEATURES_OK;
  device.status = status;
}

static uint dev_queue_max(struct virtio_dev *d, uint index) {
  (void)d;
  return index == 0 ? device.max : 0;
}

static int dev_queue_start(struct virtio_dev *d, uint index, struct virtq *q) {
  (void)d, (void)index;
  device.queue = q;
  return 0;
}

static void dev_notify(struct virtio_dev *d, uint index) {
  (void)d, (void)index;
}

static uint dev_take_isr(struct virtio_dev *d) {
  uint isr = device.isr;

  (void)d;
  device.isr = 0;
  return isr;
}

static uint32 dev_config(struct virtio_dev *d, uint offset) {
  (void)d;
  return device.config[offset / 4];
}

static const struct virtio_transport transport = {
    dev_features,    dev_accept, dev_get_status, dev_set_status, dev_queue_max,
    dev_queue_start, dev_notify, dev_take_isr,   dev_config,
};

#define DISK_SECTORS 4096
static uchar contents[DISK_SECTORS * SECTOR_SIZE];

static void use(uint32 id, uint32 len) {
  volatile struct virtq_used *used = device.queue->used;

  used->ring[used->idx % device.queue->size].id = id;
  used->ring[used->idx % device.queue->size].len = len;
  used->idx++;
}

static void interrupt(void) {
  device.isr |= VIRTIO_ISR_QUEUE;
  irq_handler(irq_arg);
}

/* The next request that the driver offers, or -1. */
static int next_request(void) {
  volatile struct virtq_avail *avail = device.queue->avail;

  if (device.seen == avail->idx)
    return -1;
  return avail->ring[device.seen++ % device.queue->size];
}

/* Do what a request asks for. Returns the bytes written to memory. */
static uint32 perform(int head) {
  volatile struct virtq_desc *desc = device.queue->desc;
  struct slot *header = (struct slot *)desc[head].addr;
  volatile struct virtq_desc *data = &desc[desc[head].next];
  volatile struct virtq_desc *status = data;
  uint32 written = 1;

  assert_true(desc[head].flags & DESC_NEXT);
  if (header->type != TYPE_FLUSH) {
    uchar *at = contents + header->sector * SECTOR_SIZE;

    status = &desc[data->next];
    assert_int_equal(!!(data->flags & DESC_WRITE), header->type == TYPE_IN);
    if (header->type == TYPE_IN)
      memcpy((void *)data->addr, at, data->len);
    else
      memcpy(at, (void *)data->addr, data->len);
    written += header->type == TYPE_IN ? data->len : 0;
  }
  assert_int_equal(status->flags, DESC_WRITE);
  assert_int_equal(status->len, 1);
  *(uchar *)status->addr = STATUS_OK;
  return written;
}

/* --- requests --- */

#define REQUESTS 300
static struct bio bios[REQUESTS];
static int ended[REQUESTS];
static uchar buffers[REQUESTS][SECTOR_SIZE];

static void count(struct bio *b) { ended[b - bios]++; }

static void submit(int i, enum bio_op op) {
  bios[i] = (struct bio){.op = op,
                         .sector = i,
                         .sectors = 1,
                         .data = buffers[i],
                         .status = 1,
                         .done = count};
  ended[i] = 0;
  disk->submit(disk, &bios[i]);
}

static void assert_all_ended(int n, int status) {
  for (int i = 0; i < n; i++) {
    assert_int_equal(ended[i], 1);
    assert_int_equal(bios[i].status, status);
  }
}

static int probe(void) {
  static struct virtio_dev d;

  d = (struct virtio_dev){.transport = &transport};
  disk = NULL;
  return virtio_blk_driver.probe(&d);
}

static int end(void **state) {
  (void)state;
  for (size_t i = 0; i < NELEM(live); i++)
    if (live[i])
      give_back(live[i]);
  return 0;
}

static int start(void **state) {
  (void)state;
  memset(&device, 0, sizeof(device));
  device.features = VIRTIO_F_VERSION_1 | F_FLUSH | 1UL << 40;
  device.max = 1024;
  device.config[0] = DISK_SECTORS;
  armed = NULL;
  now = 0;
  return 0;
}

static int start_disk(void **state) {
  start(state);
  assert_int_equal(probe(), 0);
  return 0;
}

/* --- a good device --- */

static void negotiates_what_it_knows(void **state) {
  (void)state;
  assert_int_equal(device.accepted, VIRTIO_F_VERSION_1 | F_FLUSH);
  assert_int_equal(device.status,
                   VIRTIO_STATUS_ACKNOWLEDGE | VIRTIO_STATUS_DRIVER |
                       VIRTIO_STATUS_FEATURES_OK | VIRTIO_STATUS_DRIVER_OK);
  assert_int_equal(disk->sectors, DISK_SECTORS);
  assert_false(disk->readonly);
}

/* More requests than the queue takes; finished in no order. */
static void many_requests_in_any_order(void **state) {
  int heads[VIRTQ_MAX], n, done = 0;

  (void)state;
  srand(1);
  for (int i = 0; i < REQUESTS; i++) {
    memset(buffers[i], i, SECTOR_SIZE);
    submit(i, BIO_WRITE);
  }
  while (done < REQUESTS) {
    for (n = 0; (heads[n] = next_request()) >= 0; n++)
      ;
    assert_true(n > 0);
    for (; n > 0; n--, done++) {
      int pick = rand() % n;

      use(heads[pick], perform(heads[pick]));
      heads[pick] = heads[n - 1];
    }
    interrupt();
  }
  assert_all_ended(REQUESTS, 0);
  for (int i = 0; i < REQUESTS; i++)
    assert_int_equal(contents[i * SECTOR_SIZE], (uchar)i);
}

/* The watchdog looks so often, each time when its timer is due. */
static void look(int times) {
  for (; times > 0; times--) {
    struct timer *t = armed;

    assert_non_null(t);
    now = t->deadline_ns;
    armed = NULL;
    t->fire(t);
  }
}

static void a_slow_device_is_no_error(void **state) {
  int head;

  (void)state;
  submit(0, BIO_READ);
  look(LOOKS_MAX);
  submit(1, BIO_READ);
  head = next_request();
  use(head, perform(head));
  interrupt();
  look(LOOKS_MAX);
  head = next_request();
  use(head, perform(head));
  interrupt();
  assert_all_ended(2, 0);
  look(1);
  assert_null(armed); /* idle: not dead */
  submit(0, BIO_FLUSH);
  head = next_request();
  use(head, perform(head));
  interrupt();
  assert_all_ended(1, 0);
}

/* The machine stood still, and the clock went on: the disk did not have the time. */
static void a_machine_that_stood_still(void **state) {
  int head;

  (void)state;
  submit(0, BIO_READ);
  now += 3600 * NSEC_PER_SEC;
  armed->fire(armed);
  assert_true(armed->deadline_ns > now); /* and not as often as was missed */
  head = next_request();
  use(head, perform(head));
  interrupt();
  assert_all_ended(1, 0);
}

static void a_disk_without_cache_needs_no_flush(void **state) {
  (void)state;
  device.features &= ~F_FLUSH;
  assert_int_equal(probe(), 0);
  submit(0, BIO_FLUSH);
  assert_all_ended(1, 0);
}

static void small_queues_work(void **state) {
  (void)state;
  for (device.max = 3; device.max < 9; device.max++) {
    device.seen = 0;
    assert_int_equal(probe(), device.max == 3 ? -ENODEV : 0);
    if (device.max == 3)
      continue;
    for (int i = 0; i < 20; i++)
      submit(i, BIO_READ);
    for (int head; (head = next_request()) >= 0; interrupt())
      use(head, perform(head));
    assert_all_ended(20, 0);
  }
}

/* --- bad ones --- */

static void bad_devices_are_not_started(void **state) {
  (void)state;
  device.features = F_FLUSH; /* not a modern one */
  assert_int_equal(probe(), -ENODEV);
  start(state);
  device.refuses = true;
  assert_int_equal(probe(), -ENODEV);
  start(state);
  device.max = 0;
  assert_int_equal(probe(), -ENODEV);
  start(state);
  device.features |= F_BLK_SIZE;
  device.config[CONFIG_BLK_SIZE / 4] = 4096;
  assert_int_equal(probe(), -ENODEV);
  start(state);
  device.features |= F_SIZE_MAX;
  device.config[CONFIG_SIZE_MAX / 4] = 100;
  assert_int_equal(probe(), -ENODEV);
  assert_null(disk);
  assert_int_equal(allocated(), 0); /* all undone */
}

/* After any of these the disk is given up, with every request ended once. */
static void assert_given_up(int requests) {
  assert_all_ended(requests, -EIO);
  assert_true(device.status & VIRTIO_STATUS_FAILED);
  submit(0, BIO_READ);
  assert_all_ended(1, -EIO);
  interrupt(); /* a late one */
  assert_all_ended(1, -EIO);
}

static void submit_all(void) {
  for (int i = 0; i < REQUESTS; i++)
    submit(i, BIO_READ);
}

static void an_id_out_of_range(void **state) {
  (void)state;
  submit_all();
  use(VIRTQ_MAX, 1);
  interrupt();
  assert_given_up(REQUESTS);
}

static void an_id_that_is_no_request(void **state) {
  (void)state;
  submit_all();
  use(next_request() + 1, 1); /* the middle of a chain */
  interrupt();
  assert_given_up(REQUESTS);
}

static void an_id_twice(void **state) {
  int head;

  (void)state;
  submit(0, BIO_READ);
  head = next_request();
  use(head, perform(head));
  use(head, 1);
  interrupt();
  assert_all_ended(1, 0);
  assert_true(device.status & VIRTIO_STATUS_FAILED);
}

static void a_length_too_large(void **state) {
  (void)state;
  submit_all();
  use(next_request(), SECTOR_SIZE + 2);
  interrupt();
  assert_given_up(REQUESTS);
}

static void the_used_index_jumps(void **state) {
  (void)state;
  submit_all();
  device.queue->used->idx += 30000;
  interrupt();
  for (int i = 0; i < REQUESTS; i++)
    assert_int_equal(ended[i], 1);
  assert_true(device.status & VIRTIO_STATUS_FAILED);
}

static void it_asks_for_a_reset(void **state) {
  (void)state;
  submit_all();
  device.status |= VIRTIO_STATUS_NEEDS_RESET;
  device.isr = VIRTIO_ISR_CONFIG;
  interrupt();
  assert_given_up(REQUESTS);
}

static void it_does_not_answer(void **state) {
  (void)state;
  submit_all();
  look(LOOKS_MAX + 1);
  assert_given_up(REQUESTS);
}

/* A request that fails is an error of that request only. */
static void a_short_or_failed_request(void **state) {
  int head;

  (void)state;
  submit(0, BIO_READ);
  head = next_request();
  perform(head);
  use(head, 1); /* fewer bytes than asked for */
  submit(1, BIO_READ);
  use(next_request(), 0); /* no status written */
  interrupt();
  assert_all_ended(2, -EIO);
  submit(0, BIO_READ);
  head = next_request();
  use(head, perform(head));
  interrupt();
  assert_all_ended(1, 0);
}

int main(void) {
#define TEST(name) cmocka_unit_test_setup_teardown(name, start, end)
#define DISK(name) cmocka_unit_test_setup_teardown(name, start_disk, end)
  const struct CMUnitTest tests[] = {
      DISK(negotiates_what_it_knows),
      DISK(many_requests_in_any_order),
      DISK(a_slow_device_is_no_error),
      DISK(a_machine_that_stood_still),
      TEST(a_disk_without_cache_needs_no_flush),
      TEST(small_queues_work),
      TEST(bad_devices_are_not_started),
      DISK(an_id_out_of_range),
      DISK(an_id_that_is_no_request),
      DISK(an_id_twice),
      DISK(a_length_too_large),
      DISK(the_used_index_jumps),
      DISK(it_asks_for_a_reset),
      DISK(it_does_not_answer),
      DISK(a_short_or_failed_request),
  };

  return cmocka_run_group_tests(tests, NULL, NULL);
}
