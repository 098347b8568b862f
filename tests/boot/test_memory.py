"""Address spaces, seen from outside.

QEMU's monitor gives each CPU's satp and the bytes of physical memory. From
those the tables are walked here, by the privileged spec alone, with no trust in
what the kernel says; then the kernel's own tools (pgtbl, vmmap, free) must say
the same. What has to be there is the table of the notes (Figure 3.3 of the xv6
book), so this holds up rows A1 to A6, A10, A12 and A13 of docs/book-map.md.
"""

import os
import re
import subprocess

from pagewise import Machine, cases, log_path, path, test

# Sv39 (privileged spec 1.12, 4.1.11 and 4.3.1).
PGSIZE = 4096
ENTRIES = 512
LEVELS = 3
SATP_SV39 = 8
PPN_MASK = (1 << 44) - 1
ASID_MASK = 0xffff
V, R, W, X, U, G, A, D = (1 << bit for bit in range(8))
RIGHTS = R | W | X | U
MAXVA = 1 << 38

# Where things are (memlayout.h; the notes).
KERNBASE = 0x80000000
TRAMPOLINE = MAXVA - PGSIZE
TRAPFRAME = TRAMPOLINE - PGSIZE
DEVICES = {  # all of QEMU's registers, at their own addresses
    "finisher": (0x00100000, 0x1000),
    "CLINT": (0x02000000, 0x10000),
    "PLIC": (0x0c000000, 0x600000),
    "UART0": (0x10000000, 0x1000),
    "VIRTIO0": (0x10001000, 8 * 0x1000),
}
STACK_SLOT = 4 * PGSIZE  # the lowest of its pages is the guard
STACK_TOP = MAXVA - STACK_SLOT
STACKS_MAX = 1024  # more slots than there are; the window below the top


def pte2pa(pte):
    return (pte >> 10 & PPN_MASK) * PGSIZE


def index(level, va):
    return va >> (12 + 9 * level) & (ENTRIES - 1)


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
        return int.from_bytes(self.read(pa, 8), "little")


class Table:
    """A page table as it lies in memory.

    pages    pages of the table itself
    leaves   {va: (pa, rights)} for every 4096 bytes that are mapped
    """

    def __init__(self, memory, root):
        self.memory = memory
        self.root = root
        self.pages = []
        self.leaves = {}
        self.walk(root, LEVELS - 1, 0)

    def walk(self, table, level, va):
        assert table % PGSIZE == 0
        self.pages.append(table)
        data = self.memory.read(table, PGSIZE)
        for i in range(ENTRIES):
            pte = int.from_bytes(data[8 * i:8 * i + 8], "little")
            if not pte & V:
                continue
            assert pte >> 54 == 0, f"reserved bits: {pte:#x}"
            at = va + (i << (12 + 9 * level))
            # MAXVA is one bit less than Sv39 allows (A2).
            assert at < MAXVA, f"mapping at {at:#x}, above MAXVA"
            if not pte & (R | W | X):
                assert level > 0 and not pte & (U | A | D), f"{pte:#x}"
                self.walk(pte2pa(pte), level - 1, at)
                continue
            assert not (pte & W and not pte & R), f"W without R: {pte:#x}"
            assert pte2pa(pte) % (PGSIZE << 9 * level) == 0
            for page in range(0, PGSIZE << 9 * level, PGSIZE):
                self.leaves[at + page] = (pte2pa(pte) + page, pte & RIGHTS)

    def frames(self, rights=0):
        """The frames that leaves with these rights lead to."""
        return [pa for pa, r in self.leaves.values() if r & rights == rights]


def satps(m):
    """satp of each CPU, as (root, asid)."""
    found = re.findall(r"^ *satp +([0-9a-f]+)", m.monitor("info registers -a"),
                       re.M)
    result = []
    for text in found:
        satp = int(text, 16)
        assert satp >> 60 == SATP_SV39, text
        result.append(((satp & PPN_MASK) * PGSIZE, satp >> 44 & ASID_MASK))
    return result


def letters(text):
    return sum(bit for letter, bit in zip("rwxu", (R, W, X, U))
               if letter in text)


def reported(m, who):
    """What `pgtbl WHO` shows: the root, and {va: (pa, rights, name)}."""
    text = m.run(f"pgtbl {who}")
    root = int(re.search(r"root page at 0x([0-9a-f]+)", text).group(1), 16)
    leaves = {}
    for start, end, pa, flags, name in re.findall(
            r"([0-9a-f]{10})-([0-9a-f]{10}) -> ([0-9a-f]{10}) (\S+) .*?iB  "
            r"(.*)", text):
        start, end, pa = int(start, 16), int(end, 16), int(pa, 16)
        for offset in range(0, end + 1 - start, PGSIZE):
            leaves[start + offset] = (pa + offset, letters(flags), name)
    count = int(re.search(r"(\d+) pages are mapped", text).group(1))
    assert count == len(leaves), text
    return root, leaves


def without_names(leaves):
    return {va: (pa, rights) for va, (pa, rights, _) in leaves.items()}


def info_mem(m):
    """QEMU's own walk for the CPU that the monitor looks at."""
    leaves = {}
    for va, pa, size, flags in re.findall(
            r"^([0-9a-f]{16}) ([0-9a-f]{16}) ([0-9a-f]{16}) (\S+)",
            m.monitor("info mem"), re.M):
        va, pa = int(va, 16), int(pa, 16)
        for offset in range(0, int(size, 16), PGSIZE):
            leaves[va + offset] = (pa + offset, letters(flags))
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


def check_direct_map(leaves, phystop):
    """A4 and A6: devices, text, everything else, and not a page more."""
    etext, _ = kernel_ends()
    wanted = {}
    for start, size in DEVICES.values():
        for va in range(start, start + size, PGSIZE):
            wanted[va] = (va, R | W)
    for va in range(KERNBASE, phystop, PGSIZE):
        wanted[va] = (va, R | X if va < etext else R | W)
    low = {va: leaf for va, leaf in leaves.items()
           if va < STACK_TOP - STACKS_MAX * STACK_SLOT}
    differ = [va for va in wanted.keys() | low.keys()
              if wanted.get(va) != low.get(va)]
    assert not differ, [(hex(va), wanted.get(va), low.get(va))
                        for va in sorted(differ)[:10]]
    return low


def check_top(leaves, phystop):
    """A5 and A6: the trampoline, and stacks with a guard page under each.
    Returns the frames of the stacks."""
    etext, end = kernel_ends()
    frame, rights = leaves.pop(TRAMPOLINE)
    assert rights == R | X
    # Mapped twice: here, and as a page of the kernel's text.
    assert KERNBASE <= frame < etext
    frames = []
    for va, (pa, rights) in leaves.items():
        assert va < STACK_TOP, f"{va:#x} is mapped"
        assert va % STACK_SLOT != 0, f"the guard page {va:#x} is mapped"
        assert rights == R | W, hex(va)
        assert end <= pa < phystop, hex(pa)
        frames.append(pa)
    assert len(set(frames)) == len(frames), "stacks share a frame"
    # init and sh run in the kernel now, so there are stacks, and whole ones.
    assert len(frames) >= 2 * (STACK_SLOT // PGSIZE - 1)
    for va in leaves:
        slot = va - va % STACK_SLOT
        for page in range(PGSIZE, STACK_SLOT, PGSIZE):
            assert slot + page in leaves, f"{slot:#x}: half a stack"
    return frames


def size_of(mem):
    return int(mem[:-1]) << {"M": 20, "G": 30}[mem[-1]]


@test(quick=True)
@cases("64M", "128M")
def test_kernel_table(mem):
    check_kernel_table(mem)


@test()
def test_large_kernel_table():
    check_kernel_table("2G")


def check_kernel_table(mem):
    """Every mapping of the kernel, by hardware's view, QEMU's and pgtbl's."""
    phystop = KERNBASE + size_of(mem)
    _, end = kernel_ends()
    with Machine(mem=mem, qmp=True) as m:
        root, said = reported(m, "-k")
        check_free(m, size_of(mem))
        m.monitor("stop")
        # Idle CPUs wait in the kernel, all with its one table (A3).
        assert set(satps(m)) == {(root, 0)}
        table = Table(Memory(m), root)
        mapped = dict(table.leaves)
        assert info_mem(m) == mapped
        low = check_direct_map(mapped, phystop)
        top = {va: leaf for va, leaf in mapped.items() if va not in low}
        stacks = check_top(top, phystop)

        assert len(set(table.pages)) == len(table.pages)
        for page in table.pages:  # from the kernel's memory (A12), once each
            assert end <= page < phystop and page not in stacks
        # pgtbl said so, too; stacks may have been added since.
        plain = without_names(said)
        assert plain.items() <= mapped.items()
        assert low.items() <= plain.items()
        check_names(said)


def check_names(said):
    etext, end = kernel_ends()
    for va, (_, _, name) in said.items():
        if va == TRAMPOLINE:
            assert name == "trampoline"
        elif va >= STACK_TOP - STACKS_MAX * STACK_SLOT:
            assert name == f"stack {(STACK_TOP - 1 - va) // STACK_SLOT}"
        elif va >= KERNBASE:
            assert name == ("text" if va < etext else
                            "data" if va < end else "RAM"), (hex(va), name)
        else:
            start, size = DEVICES[name]
            assert start <= va < start + size


def check_free(m, size):
    """Every page is somebody's, once."""
    rows = {name: int(pages) for name, pages in re.findall(
        r"^(\w+) +(\d+) +\d+ +\d+\.\d%", m.run("free"), re.M)}
    ram, total = rows.pop("RAM"), rows.pop("total")
    assert ram * PGSIZE == size
    assert sum(rows.values()) == total == ram, rows
    # The image, and behind it a few bytes that describe each frame.
    image = (kernel_ends()[1] - KERNBASE) // PGSIZE
    assert image < rows["image"] <= image + 1 + 8 * ram // PGSIZE, rows


def regions(m, pid):
    """What `vmmap PID` shows: [(start, end, rights, name)]."""
    text = m.run(f"vmmap {pid}")
    return [(int(start, 16), int(end, 16), letters(may), name)
            for start, end, may, name in re.findall(
                r"^([0-9a-f]{10})-([0-9a-f]{10}) +\d+ +\d+  (\S{4}).* (\S+)$",
                text, re.M)]


def check_layout(listed):
    """A13: from 0 up: text, data, a guard page, the stack, the heap."""
    names = [name for _, _, _, name in listed]
    assert re.fullmatch(r"text (data )?guard stack( heap)?", " ".join(names)), \
        names
    assert listed[0][0] == 0
    for one, other in zip(listed, listed[1:]):
        assert one[1] == other[0], "a gap"
    may = {"text": R | X | U, "data": R | W | U, "guard": 0,
           "stack": R | W | U, "heap": R | W | U}
    for start, end, rights, name in listed:
        assert rights == may[name], (name, rights)
        assert end <= TRAPFRAME
        assert name != "guard" or end == start + PGSIZE


def check_user_table(table, listed):
    """The mapped pages lie in regions, with no right that those have not."""
    leaves = dict(table.leaves)
    trampoline = leaves.pop(TRAMPOLINE)
    trapframe = leaves.pop(TRAPFRAME)
    assert trampoline[1] == R | X and trapframe[1] == R | W  # neither has U
    for va, (_, rights) in leaves.items():
        owner = [r for r in listed if r[0] <= va < r[1]]
        assert len(owner) == 1, f"{va:#x} is in no region"
        assert owner[0][3] != "guard", f"the guard page {va:#x} is mapped"
        assert rights & U and rights & ~owner[0][2] == 0, hex(va)
    return trampoline[0], trapframe[0]


def start_background(m, command):
    return int(m.run(f"{command} & echo $!").split("\n")[-1])


def spin(m):
    """A process that computes and never ends."""
    return start_background(m, "sh -c 'while :; do :; done'")


@test()
def test_user_tables():
    """Each process has a table of its own, with memory of its own, and in each
    the top two pages are the kernel's (A3, A5, A13)."""
    with Machine(qmp=True) as m:
        pids = [1, 2, start_background(m, "sleep 1000"),
                start_background(m, "sleep 1000"),
                start_background(m, "sh -c 'sleep 1000; echo'")]
        said = {pid: reported(m, pid) for pid in pids}
        listed = {pid: regions(m, pid) for pid in pids}
        m.monitor("stop")
        memory = Memory(m)
        kernel = Table(memory, satps(m)[0][0])
        assert len({said[pid][0] for pid in pids} | {kernel.root}) == \
            len(pids) + 1, "roots are shared"

        _, end = kernel_ends()
        owned = list(kernel.pages)
        for pid in pids:
            check_layout(listed[pid])
            table = Table(memory, said[pid][0])
            # sh may have grown since, by running these very commands.
            assert table.leaves.items() >= without_names(said[pid][1]).items()
            assert pid == 2 or table.leaves == without_names(said[pid][1])
            trampoline, trapframe = check_user_table(table, listed[pid])
            assert trampoline == kernel.leaves[TRAMPOLINE][0]
            owned += table.pages + table.frames(W | U) + [trapframe]
            for frame in table.frames(U):
                assert frame >= end, "a program sees the kernel's image"
        assert len(set(owned)) == len(owned), "a frame has two owners"


@test()
def test_program_is_in_memory():
    """The frame that a walk ends at holds what the program's file says."""
    va, offset, filesz, _ = segments("user/init")[0]
    with open(path("user", "init"), "rb") as f:
        f.seek(offset)
        text = f.read(filesz)
    with Machine(qmp=True) as m:
        root, _ = reported(m, 1)
        m.monitor("stop")
        memory = Memory(m)
        table = Table(memory, root)
        for at in range(0, filesz, PGSIZE):
            page = text[at:at + PGSIZE]
            frame, _ = table.leaves[va + at]
            assert memory.read(frame, len(page)) == page, hex(va + at)


@test()
def test_each_cpu_its_own_satp():
    """Several CPUs run different processes at once (A10)."""
    cpus = 4
    with Machine(cpus=cpus, qmp=True) as m:
        kernel = reported(m, "-k")[0]
        roots = {reported(m, pid)[0]: pid
                 for pid in [spin(m) for _ in range(cpus)]}
        assert len(roots) == cpus
        best = []
        for _ in range(50):
            m.rest(0.05)
            m.monitor("stop")
            seen = satps(m)
            m.monitor("cont")
            assert len(seen) == cpus
            running = [(root, asid) for root, asid in seen if root in roots]
            # No process on two CPUs; and no ASID for two processes.
            assert len({root for root, _ in running}) == len(running), seen
            asids = [asid for _, asid in running if asid]
            assert len(set(asids)) == len(asids), seen
            if len(running) > len(best):
                best = running
            if len(best) == cpus:
                break
        assert len(best) == cpus, f"never all at once: {best}"
        assert kernel not in roots


@test()
def test_qemu_walks_user_table():
    """QEMU's own walk of the table that is in satp is what pgtbl says."""
    with Machine(cpus=1, qmp=True) as m:
        pid = spin(m)
        root, said = reported(m, pid)
        for _ in range(50):
            m.rest(0.05)
            m.monitor("stop")
            if satps(m)[0][0] == root:
                assert info_mem(m) == without_names(said)
                return
            m.monitor("cont")
        assert False, "the process was never seen in user mode"


STEP = re.compile(r"level (\d): bits (\d+)-(\d+) of the address give index "
                  r"(\d+)\n  entry at 0x(\w+) \+ (\d+) \* 8 = 0x(\w+), value "
                  r"0x(\w+)\n")

ALLOWED = "is allowed"
NOT_VALID = "faults: an entry is not valid"
NOT_USER = "faults: the page is for the kernel only (no u)"
NO_ADDRESS = "faults: no such virtual address"


def check_walk(m, memory, who, va, verdict):
    """`pgtbl WHO VA`, computed anew step by step from the entries."""
    text = m.run(f"pgtbl {who} {va:#x}")
    assert text.endswith("a read in user mode " + verdict), text
    table = int(re.search(r"root page at 0x(\w+)", text).group(1), 16)
    steps = STEP.findall(text)
    if verdict == NO_ADDRESS:
        assert not steps, text
        return
    assert "virtual address %#x = %s + offset 0x%x" % (
        va, " ".join(f"[{index(level, va)}]" for level in (2, 1, 0)),
        va % PGSIZE) in text, text
    m.monitor("stop")
    for n, step in enumerate(steps):
        level, high, low, at, base, again, address = map(
            int, step[:7], (10, 10, 10, 10, 16, 10, 16))
        pte = int(step[7], 16)
        assert level == LEVELS - 1 - n
        assert (low, high) == (12 + 9 * level, 20 + 9 * level)
        assert at == again == index(level, va)
        assert base == table and address == table + 8 * at, text
        assert pte == memory.word(address), text
        table = pte2pa(pte)
        assert bool(pte & V) == (f"number {table >> 12:#x}, flags v" in text)
        if not pte & V or pte & (R | W | X):
            assert n == len(steps) - 1, text
    m.monitor("cont")
    result = re.search(r"physical address: 0x(\w+) \+ 0x(\w+) = 0x(\w+)", text)
    assert bool(result) == bool(pte & V), text
    if result:
        frame, offset, pa = (int(x, 16) for x in result.groups())
        assert (frame, offset, pa) == (table, va % PGSIZE, table + va % PGSIZE)


@test(quick=True)
def test_walk_step_by_step():
    with Machine(qmp=True) as m:
        memory = Memory(m)
        listed = {name: (start, end) for start, end, _, name in regions(m, 1)}
        for va, verdict in (
                (0, ALLOWED), (listed["text"][1] - 1, ALLOWED),
                (listed["guard"][0] + 8, NOT_VALID),
                (listed["stack"][1] - 8, ALLOWED),
                (listed["stack"][1] + 0x123, NOT_VALID),
                (0x12345678, NOT_VALID), (0x1234567890, NOT_VALID),
                (TRAPFRAME, NOT_USER), (TRAMPOLINE + 0x123, NOT_USER),
                (MAXVA - 1, NOT_USER), (MAXVA, NO_ADDRESS),
                (1 << 39, NO_ADDRESS), ((1 << 63) - 1, NO_ADDRESS)):
            check_walk(m, memory, 1, va, verdict)
        for va, verdict in ((KERNBASE, NOT_USER), (0x10000005, NOT_USER),
                            (0, NOT_VALID), (STACK_TOP - PGSIZE, NOT_USER),
                            (STACK_TOP - STACK_SLOT, NOT_VALID),
                            (KERNBASE + (128 << 20) - 1, NOT_USER),
                            (KERNBASE + (128 << 20), NOT_VALID)):
            check_walk(m, memory, "-k", va, verdict)


@test()
def test_restricted():
    """Who gave up the right sees its own memory and no other's (C5)."""
    with Machine() as m:
        for command in ("pgtbl 1", "pgtbl 1 0", "pgtbl -k", "pgtbl -k 0",
                        "vmmap 1", "kill 1", "poweroff", "reboot"):
            out = m.run("restrict " + command, status=1)
            assert out.endswith(": not permitted"), (command, out)
            assert "\n" not in out, out
        # Nor does a child, nor a program that is executed, have it back.
        out = m.run("restrict sh -c 'pgtbl 1; vmmap 1 && echo no; sh -c pgtbl'")
        assert out.count("not permitted") == 2 and "(pgtbl)" in out, out
        for own in ("pgtbl", "vmmap", "free"):
            assert m.run("restrict " + own) != ""
        for command in ("pgtbl 99999", "pgtbl 99999 0", "vmmap 99999"):
            assert "no such process" in m.run(command, status=1)
