/* What fstat() reports: xv6-riscv's layout, of 24 bytes; of 20 on a machine that
 * aligns a uint64 to 4. */
#ifndef ABI_STAT_H
#define ABI_STAT_H

#include "abi/types.h"

#define T_DIR 1    /* directory */
#define T_FILE 2   /* file */
#define T_DEVICE 3 /* device */

struct stat {
  int dev;     /* disk device of the file system */
  uint ino;    /* inode number */
  short type;  /* T_DIR, T_FILE, T_DEVICE */
  short nlink; /* links to the inode */
  uint64 size; /* bytes */
};

#endif
