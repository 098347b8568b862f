/*
 * The mounted file system: what the superblock says, and its state.
 */
#ifndef FS_MOUNT_H
#define FS_MOUNT_H

#include "abi/fs.h"
#include "dev/block.h"
#include "lib/printf.h"
#include "types.h"

struct mount {
  struct blockdev *disk; /* all fields: constant once mounted */
  int dev;               /* number of the disk, as fstat reports it */
  struct superblock sb;  /* checked: all regions lie on the disk, in order */
  uint datastart;        /* first data block; they end at sb.size */
  uint bitmaps;          /* bitmap blocks */
};
extern struct mount fs;

/* Is b a data block? Every block number that comes from the disk is asked. */
static inline bool fs_data_block(uint b) {
  return b >= fs.datastart && b < fs.sb.size;
}

/* Say what makes no sense on the disk, as "fs: ..."; the value is -EUCLEAN.
 * After some messages no more are shown. */
#define fs_damaged(fmt, ...)                                             \
  (fs_may_complain() ? printf("fs: " fmt "\n", ##__VA_ARGS__) : (void)0, \
   -EUCLEAN)
bool fs_may_complain(void);

#endif
