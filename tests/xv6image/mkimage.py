"""Make a disk image as xv6's mkfs does, of programs that know only xv6.

    mkimage.py IMAGE [--nlog N] [FILE ...]

This is the nearest that can be had to the requirement that an image made by
xv6's own mkfs from xv6's own binaries boots, where neither is at hand: the
format of the disk, the numbers and layouts of the system calls and the starting
state of a program are written down here and in this folder a second time,
without a line from tools/mkfs.c, include/abi or user/. If the two writings agree,
a mistake in one of them shows.

What it does not prove: that both writings understand xv6 rightly; that xv6's own
programs need nothing beyond (they are larger, and another compiler's output);
and that its mkfs lays out its image as is assumed here: 2000 blocks of 1 KB with
a log of 30, 200 inodes, no more than one bitmap block, link count 1 in every
inode, the root's size rounded up to whole blocks.

The programs are for the machine that ARCH names. Only where that is the one of
xv6-riscv do they stand for its binaries; on another they show that the format of
the disk is the same there, and that a program needs nothing but the calls.

Half of the programs are linked in the way of older releases (`-N -e main`: one
segment that may be read, written and executed), half in that of newer ones.
"""

import argparse
import importlib
import os
import shutil
import struct
import subprocess
import sys
import tempfile

HERE = os.path.dirname(os.path.abspath(__file__))
ARCH = os.environ.get("ARCH", "riscv")
sys.path.insert(0, os.path.join(HERE, "..", "boot"))
facts = importlib.import_module("facts_" + ARCH)  # how to compile for it

BLOCK = 1024
SIZE = 2000     # blocks of the image
INODES = 200
INODE_BYTES = 64
DIRECT = 12
T_DIR, T_FILE = 1, 2
OLD = {"init", "cat", "check_old"}
PROGRAMS = ["init", "sh", "echo", "cat", "ls", "check", "check_old"]


def compiler():
    """Commands to compile and to link, as the Makefile would choose them."""
    for prefix in facts.PREFIXES:
        if shutil.which(prefix + "gcc") and shutil.which(prefix + "ld"):
            return [prefix + "gcc"], [prefix + "ld"]
    if shutil.which("clang") and shutil.which("ld.lld"):
        return ["clang", *facts.CLANG_FLAGS], ["ld.lld"]
    sys.exit(f"mkimage.py: no compiler for ARCH={ARCH}")


def build(folder):
    """Compile and link the programs; return {name: path}."""
    cc, ld = compiler()
    flags = [*facts.PROGRAM_FLAGS, "-I" + os.path.join(HERE, ARCH), "-O1",
             "-Wall", "-Wno-main", "-ffreestanding", "-fno-builtin", "-fno-common",
             "-fno-stack-protector", "-fno-pie", "-nostdlib",
             "-fno-asynchronous-unwind-tables", "-fno-toplevel-reorder"]
    if cc[0] == "clang":
        flags.remove("-fno-toplevel-reorder")

    def compile(source):
        out = os.path.join(folder, source + ".o")
        subprocess.run([*cc, *flags, "-c", "-o", out,
                        os.path.join(HERE, source + ".c")], check=True)
        return out

    runtime = compile("rt")
    found = {}
    for name in PROGRAMS:
        found[name] = os.path.join(folder, name)
        if name in OLD:
            how = ["-N", "-e", "main", "-Ttext", "0"]
        else:
            how = ["-z", "max-page-size=4096", "-T", os.path.join(HERE, "new.ld")]
        # Newer linkers warn of the very segment that is wanted here.
        linked = subprocess.run(
            [*ld, "-m", facts.LD_EMULATION, *how, "-o", found[name],
             compile(name.removesuffix("_old")), runtime],
            text=True, stderr=subprocess.PIPE)
        if linked.returncode != 0:
            sys.exit(linked.stderr)
    return found


class Image:
    """
    boot | super | log | inodes | bitmap | data
    """

    def __init__(self, nlog):
        inode_blocks = INODES * INODE_BYTES // BLOCK + 1
        bitmap_blocks = SIZE // (BLOCK * 8) + 1
        self.inode_start = 2 + nlog
        self.bitmap_start = self.inode_start + inode_blocks
        self.free_block = self.bitmap_start + bitmap_blocks
        self.free_inode = 1
        self.data = bytearray(SIZE * BLOCK)
        self.data[BLOCK:BLOCK + 32] = struct.pack(
            "<8I", 0x10203040, SIZE, SIZE - self.free_block, INODES, nlog, 2,
            self.inode_start, self.bitmap_start)

    def take_block(self):
        self.free_block += 1
        assert self.free_block <= SIZE, "the image is full"
        return self.free_block - 1

    def take_inode(self):
        self.free_inode += 1
        return self.free_inode - 1

    def write_block(self, number, content):
        at = number * BLOCK
        self.data[at:at + len(content)] = content

    def write_file(self, inum, kind, content, size=None):
        """The blocks in the order of the file; the indirect block is taken
        when the first block that needs it is."""
        addrs, indirect = [0] * (DIRECT + 1), []
        for at in range(0, len(content), BLOCK):
            if at // BLOCK == DIRECT:
                addrs[DIRECT] = self.take_block()
            number = self.take_block()
            self.write_block(number, content[at:at + BLOCK])
            if at // BLOCK < DIRECT:
                addrs[at // BLOCK] = number
            else:
                indirect.append(number)
        assert len(indirect) <= BLOCK // 4, "the file is too large"
        if indirect:
            self.write_block(addrs[DIRECT],
                             struct.pack(f"<{len(indirect)}I", *indirect))
        inode = struct.pack("<4hI13I", kind, 0, 0, 1,
                            len(content) if size is None else size, *addrs)
        at = self.inode_start * BLOCK + inum * INODE_BYTES
        self.data[at:at + INODE_BYTES] = inode

    def finish(self):
        """Mark what is used; there is one bitmap block."""
        bits = bytearray(BLOCK)
        for number in range(self.free_block):
            bits[number // 8] |= 1 << number % 8
        self.write_block(self.bitmap_start, bits)
        return bytes(self.data)


def entry(inum, name):
    assert len(name) <= 14, name
    return struct.pack("<H14s", inum, name.encode())


def main():
    parser = argparse.ArgumentParser(prog="mkimage.py")
    parser.add_argument("image")
    parser.add_argument("--nlog", type=int, default=30)
    parser.add_argument("files", nargs="*")
    options = parser.parse_args()

    image = Image(options.nlog)
    root = image.take_inode()
    entries = entry(root, ".") + entry(root, "..")
    with tempfile.TemporaryDirectory() as folder:
        files = {os.path.basename(f): f for f in options.files}
        files.update(build(folder))
        for name, path in files.items():
            with open(path, "rb") as f:
                inum = image.take_inode()
                image.write_file(inum, T_FILE, f.read())
                entries += entry(inum, name)
    size = (len(entries) // BLOCK + 1) * BLOCK
    image.write_file(root, T_DIR, entries, size)
    with open(options.image, "wb") as f:
        f.write(image.finish())


if __name__ == "__main__":
    main()
