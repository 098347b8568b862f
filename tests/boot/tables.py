"""Page tables, read from outside.

QEMU's monitor gives each CPU's root and the bytes of physical memory. From those
the tables are walked here, by the manual of the machine alone (facts_*.py), with
no trust in what the kernel says.
"""

import os
import re
import subprocess

from pagewise import DEBUG, facts, log_path, path

PGSIZE, PTE_BYTES = facts.PGSIZE, facts.PTE_BYTES
V, R, W, X, U = facts.V, facts.R, facts.W, facts.X, facts.U
ENTRIES = 1 << facts.INDEX_BITS


def shift(level):
    """Where the bits of an address begin that index tables of this level."""
    return 12 + facts.INDEX_BITS * level


def index(level, va):
    return va >> shift(level) & (ENTRIES - 1)


class Memory:
    """The physical memory of a machine that stands still."""

    CHUNK = 1 << 16

    def __init__(self, machine):
        self.machine = machine
        self.chunks = {}
        self.file = log_path(".pmem")

    def read(self, pa, n):
        base = pa - pa % self.CHUNK
        assert pa + n <= base + self.CHUNK
        if base not in self.chunks:
            self.machine.monitor(f'pmemsave {base} {self.CHUNK} "{self.file}"')
            with open(self.file, "rb") as f:
                self.chunks[base] = f.read()
            os.unlink(self.file)
        return self.chunks[base][pa - base:pa - base + n]

    def word(self, pa):
        return int.from_bytes(self.read(pa, PTE_BYTES), "little")


class Table:
    """A page table as it lies in memory.

    pages    {page of the table itself: the first address that it is for}
    leaves   {va: (pa, rights)} for every 4096 bytes that are mapped
    supers   {va: bytes} of each leaf above level 0
    """

    def __init__(self, memory, root):
        self.memory = memory
        self.root = root
        self.pages = {}
        self.leaves = {}
        self.supers = {}
        self.walk(root, facts.LEVELS - 1, 0)

    def entries(self, table):
        """The valid entries of a table: (index, entry)."""
        data = self.memory.read(table, PGSIZE)
        for i in range(ENTRIES):
            pte = int.from_bytes(data[PTE_BYTES * i:PTE_BYTES * (i + 1)],
                                 "little")
            if pte & V:
                yield i, pte

    def walk(self, table, level, va):
        assert table % PGSIZE == 0
        assert table not in self.pages, f"{table:#x} is in the table twice"
        self.pages[table] = va
        for i, pte in self.entries(table):
            facts.check_entry(pte, level)
            at = va + (i << shift(level))
            assert at < facts.MAXVA, f"mapping at {at:#x}, above MAXVA"
            if not facts.is_leaf(pte, level):
                self.walk(facts.pte2pa(pte), level - 1, at)
                continue
            assert facts.pte2pa(pte) % (1 << shift(level)) == 0
            rights = facts.rights(pte, level)
            if level > 0:
                self.supers[at] = 1 << shift(level)
            for page in range(0, 1 << shift(level), PGSIZE):
                self.leaves[at + page] = (facts.pte2pa(pte) + page, rights)

    def check_supers(self, start, end):
        """In these addresses, which lead to consecutive frames with the same
        rights, superpages map what they can, and nothing less does."""
        size = 1 << shift(1)
        inside = {va: n for va, n in self.supers.items() if start <= va < end}
        assert all(va + n <= end for va, n in inside.items())
        first, last = -(-start // size) * size, end // size * size
        assert first < last
        assert sum(inside.values()) == last - first, inside

    def own_pages(self):
        """Those that are for the process's own addresses."""
        return [page for page, va in self.pages.items() if va < facts.USER_END]

    def upper(self):
        """The leaves that are the kernel's in a process's table."""
        return {va: leaf for va, leaf in self.leaves.items()
                if va >= facts.USER_END}

    def frames(self, rights=0):
        """The frames that leaves with these rights lead to."""
        return [pa for pa, r in self.leaves.values() if r & rights == rights]


def registers(m):
    """The register of each CPU that says where its table is."""
    return [int(text, 16) for text in re.findall(
        facts.ROOT_REGISTER, m.monitor("info registers -a"), re.M)]


def roots(m):
    return [facts.root_of(register) for register in registers(m)]


def letters(text):
    """Rights as vmmap spells them."""
    return sum(bit for letter, bit in zip("rwxu", (R, W, X, U))
               if letter in text)


def reported(m, who):
    """What `pgtbl WHO` shows: the root, and {va: (pa, rights, name)}."""
    text = m.run(f"pgtbl {who}")
    root = int(re.search(r"root page at 0x([0-9a-f]+)", text).group(1), 16)
    leaves = {}
    for start, end, pa, flags, name in re.findall(
            r"([0-9a-f]{8,16})-([0-9a-f]{8,16}) -> ([0-9a-f]{8,16}) (\S+) "
            r".*?iB  (.*)", text):
        start, end, pa = int(start, 16), int(end, 16), int(pa, 16)
        for offset in range(0, end + 1 - start, PGSIZE):
            leaves[start + offset] = (pa + offset, facts.spelled(flags), name)
    count = int(re.search(r"(\d+) pages are mapped", text).group(1))
    assert count == len(leaves), text
    return root, leaves


def without_names(leaves):
    return {va: (pa, rights) for va, (pa, rights, _) in leaves.items()}


def qemu_walk(m):
    """QEMU's own walk for the CPU that the monitor looks at."""
    leaves = {}
    for va, pa, size, rights in facts.qemu_walk(m.monitor(facts.QEMU_WALK)):
        for offset in range(0, size, PGSIZE):
            leaves[va + offset] = (pa + offset, rights)
    return leaves


def segments(product):
    """[(va, offset in the file, size in the file, size in memory)]"""
    text = subprocess.run(["readelf", "-lW", path(*product.split("/"))],
                          capture_output=True, text=True, check=True).stdout
    return [(int(va, 16), int(off, 16), int(filesz, 16), int(memsz, 16))
            for off, va, filesz, memsz in re.findall(
                r"LOAD +0x(\w+) 0x(\w+) 0x\w+ 0x(\w+) 0x(\w+)", text)]


def kernel_ends():
    """etext and end, rounded up to pages."""
    return [va + -(-memsz // PGSIZE) * PGSIZE
            for va, _, _, memsz in segments("kernel.elf")]


def regions(m, pid):
    """What `vmmap PID` shows: [(start, end, rights, name)]."""
    text = m.run(f"vmmap {pid}")
    return [(int(start, 16), int(end, 16), letters(may), name)
            for start, end, may, name in re.findall(
                r"^([0-9a-f]{8,})-([0-9a-f]{8,})(?: +\d+){5}  (\S{4}).* (\S+)$",
                text, re.M)]


def start_background(m, command):
    return int(m.run(f"{command} & echo $!").split("\n")[-1])


def wait_asleep(run, *pids):
    """Wait until processes sleep for a time or for a child, as ps says: until then
    they may change memory. run(command): what it prints."""
    for pid in pids:
        while not re.search(rf"^ *{pid} +\S+ +\S+ +\S+ +sleep .* (time|child) ",
                            run("ps"), re.M):
            pass


def spin(m):
    """A process that computes and never ends."""
    return start_background(m, "sh -c 'while :; do :; done'")


def size_of(mem):
    return int(mem[:-1]) << {"M": 20, "G": 30}[mem[-1]]


def check_free(m, size):
    """Every page is somebody's, once."""
    rows = {name: int(pages) for name, pages in re.findall(
        r"^(\w+) +(\d+) +\d+ +\d+\.\d%", m.run("free"), re.M)}
    ram, total = rows.pop("RAM"), rows.pop("total")
    facts.check_memory_kib(size >> 10, ram * PGSIZE >> 10)
    assert sum(rows.values()) == total == ram, rows
    # The image, and behind it a few bytes that describe each frame; before those
    # the debug kernel's shadow map, a byte for eight (kernel/debug/asan.c).
    image = (kernel_ends()[1] - facts.KERNEL_START) // PGSIZE
    image += ram // 8 if DEBUG == "1" else 0
    assert image < rows["image"] <= image + 1 + 8 * ram // PGSIZE, rows
