"""Boot from damaged disks.

    ARCH=... BUILD=build tests/fuzz/fuzz_disks.py [--count N] [--seed N]

A small disk whose /init is user/tests/treeuse.c, with a tree planted by it, is
damaged where it hurts, and booted. The program walks the tree, reads, maps, runs,
writes, creates, renames and removes what it can, has the kernel check its account
of memory, and switches off. fsck looks at the image before and after: what was
consistent must still be so, and fsck itself must come to an end.

It is the program, too, that says whether all went well. So the bytes of its file
stay as they are; if the damage may give it others in another way, its words prove
nothing, and only what the kernel and fsck say counts.
"""

import os
import random
import struct
import subprocess
import sys
import tempfile

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
import campaign
import pagewise

# include/abi/fs.h
BSIZE = 1024
ROOTINO = 1
SB = ("magic", "size", "nblocks", "ninodes", "nlog", "logstart", "inodestart",
      "bmapstart")
INODE_SIZE = 64
IPB = BSIZE // INODE_SIZE
NDIRECT = 12
NINDIRECT = BSIZE // 4
ENTRY = 16
T_DIR = 1

SIZE = "400K"  # of the image
INODES = "64"

# What a machine may end in, by what is said last.
OUTCOMES = (
    ("used", r"treeuse: memory is right"),
    ("no file system", r"no root file system \(-\d+\): the system stops"),
    ("no console", r"is not the console, and cannot be made anew"),
    ("no init", r"/init cannot be run \(-\d+\): the system stops"),
    ("init ended", r"init ended \(-?\d+\): the system stops"),
)

# The outcome if /init may have become another program.
ANOTHER = "another init"
# What that one cannot be blamed for.
KERNELS = ("panic: ", "runtime error", "Sanitizer")

FSCK_LIMIT = 20  # seconds

# Each is booted once and looked at by us, not after a power cut of the host: its
# flushes need not reach a real disk. One CPU is done with it soonest; two
# look at the disk at the same time, which one case in so many does.
UNSAFE = ",cache=unsafe"  # QEMU's -drive
TWO_CPUS_IN = 8


class Image:
    """An image in memory, and where things were in it before the damage."""

    def __init__(self, data):
        self.data = bytearray(data)
        for name, value in zip(SB, struct.unpack_from("<8I", data, BSIZE)):
            setattr(self, name, value)
        self.datastart = self.size - self.nblocks
        self.inodes = [i for i in range(ROOTINO, self.ninodes)
                       if self.short(self.inode(i)) != 0]
        self.directories = [i for i in self.inodes
                            if self.short(self.inode(i)) == T_DIR]
        self.used = [b for i in self.inodes for b in self.blocks(i)]
        self.indirects = [b for b in map(self.indirect, self.inodes) if b]
        self.entries = [at for i in self.directories
                        for at in self.entries_of(i)]
        self.init = next(self.short(at) for at in self.entries
                         if self.data[at + 2:at + 7] == b"init\0")
        self.cut = len(data)  # what there is of it

    def short(self, at):
        return struct.unpack_from("<h", self.data, at)[0]

    def word(self, at):
        return struct.unpack_from("<I", self.data, at)[0]

    def put(self, at, value, size=4):
        value &= (1 << 8 * size) - 1
        if 0 <= at and at + size <= len(self.data):
            self.data[at:at + size] = value.to_bytes(size, "little")

    def inode(self, i):
        return (self.inodestart + i // IPB) * BSIZE + i % IPB * INODE_SIZE

    def address(self, i, n):
        """Where the number of inode i's n-th block is; NDIRECT: the indirect."""
        return self.inode(i) + 12 + 4 * n

    def indirect(self, i):
        return self.word(self.address(i, NDIRECT))

    def blocks(self, i):
        """The blocks of an inode."""
        found = [self.word(self.address(i, n)) for n in range(NDIRECT)]
        if self.indirect(i):
            found.append(self.indirect(i))
            found += [self.word(self.indirect(i) * BSIZE + 4 * n)
                      for n in range(NINDIRECT)]
        return [b for b in found if 0 < b < self.size]

    def content(self, i):
        """The blocks of an inode that hold what is in the file."""
        return [b for b in self.blocks(i) if b != self.indirect(i)]

    def entries_of(self, i):
        """Where the entries of a directory are."""
        size = self.word(self.inode(i) + 8)
        return [b * BSIZE + at for b in self.blocks(i)
                for at in range(0, BSIZE, ENTRY)][:size // ENTRY + 2]


def number(r, near=()):
    """A number that hurts."""
    kind = r.randrange(4)
    if kind == 0 and near:
        return r.choice(near) + r.choice((-1, 0, 0, 1))
    if kind == 1:
        return (1 << r.randrange(33)) - r.randrange(2)
    if kind == 2:
        return r.randrange(1 << 32)
    return r.choice((0, 1, 2, 3, 12, 13, 255, 256, 268, 1024, 0x7fff, 0x8000,
                     0xffff, 0x10000, 0x7fffffff, 0x80000000, 0xffffffff))


def some_inode(r, image):
    """Mostly not that of /init, without which little would happen."""
    return r.choice([i for i in image.inodes if i != image.init]
                    if r.randrange(10) else image.inodes)


def damage_superblock(r, image):
    at = BSIZE + 4 * r.randrange(len(SB))
    image.put(at, number(r, [getattr(image, n) for n in SB]))


def damage_log(r, image):
    """A transaction of rubbish, or a header that says what cannot be."""
    start = image.logstart
    n = r.choice((1, 2, image.nlog - 1, image.nlog, number(r)))
    image.put(start * BSIZE, n)
    targets = image.used + list(range(image.inodestart, image.datastart))
    for k in range(min(n, image.nlog + 2)):
        image.put(start * BSIZE + 4 + 4 * k,
                  number(r, targets) if r.randrange(4) == 0
                  else r.choice(targets))
        source = r.choice(targets) * BSIZE
        at = (start + 1 + k) * BSIZE
        if k < image.nlog - 1:
            image.data[at:at + BSIZE] = image.data[source:source + BSIZE]


def damage_inode(r, image):
    at = image.inode(some_inode(r, image))
    field, size = r.choice(((0, 2), (2, 2), (4, 2), (6, 2), (8, 4), (8, 4)))
    image.put(at + field, number(r, (0, 1, 2, 3, 12288, 274432)), size)


def damage_address(r, image):
    at = image.address(some_inode(r, image), r.randrange(NDIRECT + 1))
    image.put(at, number(r, (0, image.datastart, image.size, *image.used)))


def cross_link(r, image):
    """A block that belongs to two; or an indirect block that is a directory."""
    at = image.address(some_inode(r, image), r.randrange(NDIRECT + 1))
    image.put(at, r.choice(image.used + [image.inodestart, image.bmapstart,
                                         image.logstart, 1]))


def damage_indirect(r, image):
    b = r.choice(image.indirects)
    image.put(b * BSIZE + 4 * r.randrange(40),
              number(r, (b, image.datastart, image.size, *image.used)))


def damage_entry(r, image):
    at = r.choice(image.entries)
    if r.randrange(2):
        image.put(at, number(r, image.inodes + [image.ninodes]), 2)
        if r.randrange(3) == 0:
            image.data[at + 2:at + 4] = b"n%c" % r.randrange(1, 256)
    else:
        name = r.choice((b"", b"/", b"a/b", b".", b"..", b"d", b"init", b"x",
                         b"n" * 14, b"\xff" * 14, b"\x1b[2J", b"\0x"))
        image.data[at + 2:at + 16] = name.ljust(14, b"\0")


def make_ring(r, image):
    """A directory that leads to one that leads to it."""
    at = r.choice(image.entries)
    image.put(at, r.choice(image.directories), 2)
    if image.data[at + 2] == 0:
        image.data[at + 2:at + 16] = b"ring%d".ljust(15, b"\0")[:14]


def damage_bitmap(r, image):
    start = image.bmapstart * BSIZE
    kind = r.randrange(4)
    if kind == 0:
        image.data[start:start + BSIZE] = bytes([r.choice((0, 255))]) * BSIZE
        return
    for _ in range(r.choice((1, 1, 20))):
        b = r.choice(image.used) if kind == 1 else r.randrange(image.size)
        image.data[start + b // 8] ^= 1 << b % 8


def truncate(r, image):
    image.cut = r.choice((0, 1, 511, 512, 1024, 1536, 2048,
                          r.randrange(len(image.data)),
                          r.randrange(image.datastart * BSIZE,
                                      len(image.data))))


def lose_block(r, image):
    b = r.choice(image.used + list(range(image.datastart)))
    image.data[b * BSIZE:(b + 1) * BSIZE] = \
        r.choice((bytes(BSIZE), b"\xff" * BSIZE, r.randbytes(BSIZE)))


def random_bytes(r, image):
    for _ in range(r.choice((1, 5, 50))):
        b = r.choice(image.used) if r.randrange(2) else \
            r.randrange(image.datastart)
        image.data[b * BSIZE + r.randrange(BSIZE)] = r.randrange(256)


def flip_bit(r, image):
    image.data[r.randrange(image.inodestart * BSIZE,
                           image.datastart * BSIZE)] ^= 1 << r.randrange(8)


# How often each is chosen.
DAMAGE = (
    (damage_superblock, 1), (damage_log, 2), (damage_inode, 6),
    (damage_address, 5), (cross_link, 5), (damage_indirect, 4),
    (damage_entry, 6), (make_ring, 4), (damage_bitmap, 3), (lose_block, 1),
    (random_bytes, 2), (flip_bit, 2), (truncate, 1),
)


def damaged(good, seed):
    """The image that a seed stands for."""
    r = random.Random(seed)
    image = Image(good)
    kinds = [k for k, weight in DAMAGE for _ in range(weight)]
    for _ in range(r.choice((1, 1, 1, 2, 3, 5, 8))):
        r.choice(kinds)(r, image)
    for b in Image(good).content(image.init):
        image.data[b * BSIZE:(b + 1) * BSIZE] = good[b * BSIZE:(b + 1) * BSIZE]
    return bytes(image.data[:image.cut])


def init_may_change(good, bad):
    """May /init be or become another program than it was? So it may if its inode
    or a block of numbers of it is not the same, if blocks of it seem free, or if
    there is a new number, of an inode's block or in the log, that is one of its
    blocks'."""
    image, after = Image(good), Image(good)
    after.data[:len(bad)] = bad
    at = image.inode(image.init)
    own = set(image.blocks(image.init))
    if image.data[at:at + INODE_SIZE] != after.data[at:at + INODE_SIZE]:
        return True
    if not all(after.data[image.bmapstart * BSIZE + b // 8] >> b % 8 & 1
               for b in own):
        return True
    for b in {*range(2, image.datastart), *image.indirects}:
        for at in range(b * BSIZE, (b + 1) * BSIZE, 4):
            if image.word(at) != after.word(at) and \
                    (after.word(at) in own or b == image.indirect(image.init)):
                return True
    return False


def fsck(path):
    """Its status, or None if it does not come to an end; with a log that a mount
    would replay."""
    program = os.path.join(pagewise.TOP, pagewise.BUILD, "host", "fsck")
    try:
        return subprocess.run([program, "-q", "-r", path],
                              stdout=subprocess.DEVNULL,
                              stderr=subprocess.DEVNULL,
                              timeout=FSCK_LIMIT).returncode
    except subprocess.TimeoutExpired:
        return None


def make_good():
    """The image to be damaged."""
    pagewise.make(f"{pagewise.BUILD}/host/mkfs", f"{pagewise.BUILD}/host/fsck",
                  "kernel", "programs")
    path = os.path.join(campaign.folder(), f"good.{os.getpid()}.img")
    plant = path + ".plant"
    open(plant, "w").close()
    mkfs = os.path.join(pagewise.TOP, pagewise.BUILD, "host", "mkfs")
    subprocess.run([mkfs, "-s", SIZE, "-i", INODES, "-l", "20", path,
                    "init=" + pagewise.path("disk/user/treeuse"),
                    "true=" + pagewise.path("disk/user/true"),
                    "console=@1", "plant=" + plant], check=True)
    result = campaign.run_qemu(path)
    if "treeuse: planted" not in result.text or fsck(path) != 0:
        raise pagewise.Failure(f"no good image:\n{result.text}")
    with open(path, "rb") as f:
        good = f.read()
    os.unlink(path)
    os.unlink(plant)
    return good


def check(good, seed):
    """Boot from the image that a seed stands for."""
    bad = damaged(good, seed)
    with tempfile.NamedTemporaryFile(suffix=".img",
                                     dir=campaign.folder()) as f:
        f.write(bad)
        f.flush()
        before = fsck(f.name)
        result = campaign.run_qemu(
            f.name + UNSAFE, cpus=2 if seed % TWO_CPUS_IN == 0 else 1)
        after = fsck(f.name)
    campaign.judge(result, OUTCOMES)
    if result.why and init_may_change(good, bad) and \
            not any(words in result.text for words in KERNELS):
        result.outcome, result.why = ANOTHER, None
    if result.why:
        return result
    for when, status in (("before", before), ("after", after)):
        if status not in (0, 1, 2):
            result.fail(f"fsck {when}: status {status}")
    if before == 0 and after != 0:
        result.fail(f"it was consistent, and is not: fsck says {after}")
    return result


def prepare():
    good = make_good()
    return lambda seed: check(good, seed)


if __name__ == "__main__":
    campaign.main("disks", __doc__, prepare, 1000)
