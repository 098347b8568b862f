/*
 * A fuzzer's bytes as damage to a disk image: eight bytes are a change.
 *
 *   kind, a, b, c, value[4]
 */
#ifndef FUZZ_DAMAGE_H
#define FUZZ_DAMAGE_H

#include <string.h>

#include "abi/fs.h"

#define CHANGE_SIZE 8
#define CHANGES_MAX 12
#define BLOCKS_NEAR 80 /* data blocks that changes reach: what is in use */
#define INODES_NEAR 16
#define LOG_WORDS 40

/* Do one change to an image that was sound, whose superblock this is. */
static void damage_once(unsigned char *image, size_t size,
                        const struct superblock *sb, const unsigned char *c) {
  unsigned data = sb->size - sb->nblocks, word = c[1] | c[2] << 8;
  unsigned char *block = image + (data + c[1] % BLOCKS_NEAR) * BSIZE;
  unsigned width = 1 + c[3] % 4, at;

  switch (c[0] % 7) {
    case 0:
      at = BSIZE + 4 * (c[1] % 8);
      break;
    case 1:
      at = sb->logstart * BSIZE + 4 * (word % LOG_WORDS);
      break;
    case 2:
      at = sb->inodestart * BSIZE +
           (word & 0xff) % INODES_NEAR * sizeof(struct dinode) +
           c[2] % sizeof(struct dinode);
      break;
    case 3:
      at = block - image + (c[2] | c[3] << 8) % BSIZE;
      break;
    case 4:
      at = sb->bmapstart * BSIZE + word % 64;
      break;
    case 5: /* one block is as another */
      memmove(block, image + (data + c[2] % BLOCKS_NEAR) * BSIZE, BSIZE);
      return;
    default: /* and may be anywhere */
      at = (word << 8 | c[3]) % (size - sizeof(unsigned));
  }
  if (at + width <= size)
    memcpy(image + at, c + 4, width);
}

/* Do the changes at the start of n bytes, of which the first is their number.
 * Returns how many bytes they took. */
static size_t damage(unsigned char *image, size_t size,
                     const unsigned char *bytes, size_t n) {
  struct superblock sb;
  size_t at = 1;

  memcpy(&sb, image + BSIZE, sizeof(sb));
  if (n == 0)
    return 0;
  for (int i = bytes[0] % CHANGES_MAX; i > 0 && at + CHANGE_SIZE <= n; i--) {
    damage_once(image, size, &sb, bytes + at);
    at += CHANGE_SIZE;
  }
  return at;
}

#endif
