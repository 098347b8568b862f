/*
 * Disks: anything that moves sectors. A driver registers a struct blockdev;
 * requests are asynchronous and many can be under way.
 */
#ifndef DEV_BLOCK_H
#define DEV_BLOCK_H

#include "types.h"

#define SECTOR_SIZE 512

enum bio_op { BIO_READ, BIO_WRITE, BIO_FLUSH };

/*
 * One request. The submitter owns it and must keep it and the buffer until
 * done() is called (in interrupt context, or before block_submit returns).
 */
struct bio {
  enum bio_op op;
  uint64 sector; /* first sector; not for BIO_FLUSH */
  uint sectors;  /* how many; at most blockdev.max_sectors */
  void *data;    /* in direct-mapped RAM, physically contiguous */
  int status;    /* 0, -EIO, ... : valid in done() */
  void (*done)(struct bio *b);
  void *owner;      /* for done() */
  struct bio *next; /* the driver's, while the request is under way */
};

struct blockdev {
  const char *name;
  uint64 sectors;   /* size of the disk */
  uint max_sectors; /* of one request */
  bool readonly;
  void (*submit)(struct blockdev *d, struct bio *b);
  void *driver;
};

/* The disks found at boot; the n-th registered has number n, the first is 0.
 * NULL if there is none. */
void block_register(struct blockdev *d);
struct blockdev *block_device(int n);

/* Start a request. One beyond the end of the disk, or a write to a read-only
 * disk, ends at once with -EINVAL or -EROFS. Any context but an interrupt. */
void block_submit(struct blockdev *d, struct bio *b);

/* Start it and sleep until it is done. Returns its status. */
int block_do(struct blockdev *d, struct bio *b);

#endif
