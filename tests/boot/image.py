"""What is in a disk image (include/abi/fs.h)."""

import struct

BLOCK = 1024
INODE = 64
ROOT = 1


def in_use(image):
    """How many inodes and how many blocks are in use. Those of the root directory
    do not count: it grows with its names, and stays so."""
    with open(image, "rb") as f:
        data = f.read()
    _, size, _, ninodes, _, _, inodes, bitmap = struct.unpack_from(
        "<8I", data, BLOCK)
    used = sum(struct.unpack_from("<h", data, inodes * BLOCK + i * INODE)[0] != 0
               for i in range(ninodes))
    bits = data[bitmap * BLOCK:bitmap * BLOCK + size // 8]
    root, = struct.unpack_from("<I", data, inodes * BLOCK + ROOT * INODE + 8)
    return used, sum(bin(byte).count("1") for byte in bits) - -(-root // BLOCK)
