/*
 * The file system on disk: xv6-riscv's format, byte for byte, so that images
 * made by xv6's own mkfs mount. All numbers are little-endian.
 *
 *   [ boot | super | log header, log blocks | inodes | bitmap | data ... ]
 *   block 0  block 1  logstart ..             inodestart bmapstart
 *
 * mkfs computes the superblock; nothing but it says where things are.
 */
#ifndef ABI_FS_H
#define ABI_FS_H

#include "abi/types.h"

#define ROOTINO 1  /* inode number of / */
#define BSIZE 1024 /* block size in bytes */

#define FSMAGIC 0x10203040

struct superblock {
  uint magic;      /* FSMAGIC */
  uint size;       /* size of the image in blocks */
  uint nblocks;    /* data blocks */
  uint ninodes;    /* inodes; number 0 is not used */
  uint nlog;       /* log blocks, the header included */
  uint logstart;   /* block number of the log header */
  uint inodestart; /* block number of the first inode block */
  uint bmapstart;  /* block number of the first bitmap block */
};

#define NDIRECT 12
#define NINDIRECT (BSIZE / sizeof(uint))
#define MAXFILE (NDIRECT + NINDIRECT) /* largest file, in blocks */

struct dinode {
  short type;              /* T_DIR, T_FILE, T_DEVICE, or 0: free */
  short major;             /* device number, T_DEVICE only */
  short minor;             /* device number, T_DEVICE only */
  short nlink;             /* directory entries that name this inode */
  uint size;               /* bytes */
  uint addrs[NDIRECT + 1]; /* data blocks, then the indirect block; 0: hole */
};

#define IPB (BSIZE / sizeof(struct dinode))         /* inodes per block */
#define IBLOCK(i, sb) ((i) / IPB + (sb).inodestart) /* block of inode i */
#define BPB (BSIZE * 8)                             /* bitmap bits per block */
#define BBLOCK(b, sb) ((b) / BPB + (sb).bmapstart) /* bitmap block of block b */

#define DIRSIZ 14 /* longest name; a name of 14 bytes has no final 0 */

/* A directory is a file of these. inum 0: the entry is free. */
struct dirent {
  ushort inum;
  char name[DIRSIZ];
};

/*
 * The log header: n block numbers; the blocks' new contents follow it in the
 * same order. n > 0 means that the transaction is committed.
 */
#define LOGHEADERMAX (BSIZE / sizeof(uint) - 1)

struct logheader {
  uint n;
  uint block[LOGHEADERMAX];
};

/* The format is the same on every machine. */
_Static_assert(sizeof(struct superblock) == 32 && sizeof(struct dinode) == 64 &&
                   sizeof(struct dirent) == 16 &&
                   sizeof(struct logheader) == BSIZE,
               "abi/fs.h");

#endif
