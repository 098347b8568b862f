/*
 * The superblock, kernel/fs/mount.c: what is let through makes sense, so that
 * nothing behind it needs to ask again.
 */
#include "prove.h"

#include "../../kernel/fs/mount.c"

void printf(const char *fmt, ...) { claim(fmt != NULL); }

PROVE(
    superblock,
    "of a superblock that is accepted, log, inodes, bitmap and data lie in "
    "this order on the disk, apart, and are large enough; no number overflows",
    "none: any superblock, any disk", "quick --unwind 2") {
  struct superblock sb;
  uint64 blocks = any_uint64();

  any_bytes(&sb);
  if (check_superblock(&sb, blocks) == 0) {
    uint64 inodes_end = sb.inodestart + ((uint64)sb.ninodes + IPB - 1) / IPB;
    uint64 bitmap_end = sb.bmapstart + ((uint64)sb.size + BPB - 1) / BPB;

    claim(sb.size <= blocks && sb.ninodes > ROOTINO);
    claim(sb.nlog >= 2 && sb.nlog - 1 <= LOGHEADERMAX);
    claim(sb.logstart >= 2);
    claim((uint64)sb.logstart + sb.nlog <= sb.inodestart);
    claim(inodes_end <= sb.bmapstart);
    claim(bitmap_end <= sb.size - sb.nblocks && sb.nblocks <= sb.size);
    reached(sb.size == 0xffffffff);
  }
  reached(sb.magic == FSMAGIC);
}
