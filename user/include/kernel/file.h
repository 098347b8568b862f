/* Device numbers. The kernel's open files and inodes stay in the kernel. */
#ifndef XV6_FILE_H
#define XV6_FILE_H

#include "abi/types.h"

struct file;
struct inode;

#define CONSOLE 1 /* major number of the console */

#define major(dev) ((dev) >> 16 & 0xFFFF)
#define minor(dev) ((dev)&0xFFFF)
#define mkdev(m, n) ((uint)((m) << 16 | (n)))

#endif
