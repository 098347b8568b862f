"""The RISC-V machine's own memory layout.

What has to be there is the table of the notes (Figure 3.3 of the xv6 book), so
this holds up rows A3 to A6 of docs/book-map.md. tables.py walks.
"""

import struct

import pexpect

import facts_riscv as facts
from facts_riscv import KERNBASE, PGSIZE, STACK_SLOT, R, W, X
from pagewise import Machine, cases, log_path, only, test
from test_explore import check_processes as check_explored
from tables import (Memory, Table, check_free, kernel_ends, qemu_walk,
                    registers, reported, roots, size_of, spin, without_names)

# Where things are (memlayout.h; the notes).
DEVICES = {  # all of QEMU's registers, at their own addresses
    "finisher": (0x00100000, 0x1000),
    "RTC": (0x00101000, 0x1000),
    "CLINT": (0x02000000, 0x10000),
    "PLIC": (0x0c000000, 0x600000),
    "UART0": (0x10000000, 0x1000),
    "VIRTIO0": (0x10001000, 8 * 0x1000),
}
STACKS_MAX = 1024  # more slots than there are; the window below the top


def trampoline():
    return facts.MAXVA - PGSIZE


def stack_top():
    return facts.MAXVA - STACK_SLOT


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
           if va < stack_top() - STACKS_MAX * STACK_SLOT}
    differ = [va for va in wanted.keys() | low.keys()
              if wanted.get(va) != low.get(va)]
    assert not differ, [(hex(va), wanted.get(va), low.get(va))
                        for va in sorted(differ)[:10]]
    return low


def check_top(leaves, phystop):
    """A5 and A6: the trampoline, and stacks with a guard page under each.
    Returns the frames of the stacks."""
    etext, end = kernel_ends()
    frame, rights = leaves.pop(trampoline())
    assert rights == R | X
    # Mapped twice: here, and as a page of the kernel's text.
    assert KERNBASE <= frame < etext
    frames = []
    for va, (pa, rights) in leaves.items():
        assert va < stack_top(), f"{va:#x} is mapped"
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


@test(quick=True)
@only("riscv")
@cases("64M", "128M")
def test_kernel_table(mem):
    check_kernel_table(mem)


@test()
@only("riscv")
def test_large_kernel_table():
    check_kernel_table("2G")


@test()
@only("riscv")
@cases("sv48", "sv57")
def test_levels(mode):
    """satp= gives page tables more levels: all that is true with three is true
    of them, too."""
    facts.use({"sv48": 4, "sv57": 5}[mode])
    check_kernel_table("128M", append=f"satp={mode}")
    check_user_tables(append=f"satp={mode}")
    check_explored(append=f"satp={mode}")


@test()
@only("riscv")
def test_levels_in_use():
    """Programs run as before, and can have memory up to the new end."""
    for mode in "sv39", "sv48", "sv57":
        with Machine(append=f"satp={mode}", wait=False) as m:
            assert "boot: satp" not in m.wait_prompt()
            m.run("usertests highest sbrktop walks kernelspace kernelguards "
                  "trampoline userspace tablesize badheaders", timeout=60)
            if mode != "sv39":
                m.run("mmaptest && memcheck", timeout=120)
    with Machine(append="satp=sv40", wait=False) as m:
        assert "boot: satp=sv40: it can be sv39, sv48 or sv57\n" in \
            m.wait_prompt()
        m.run("usertests constants trampoline")


def check_kernel_table(mem, append=""):
    """Every mapping of the kernel, by hardware's view, QEMU's and pgtbl's."""
    phystop = KERNBASE + size_of(mem)
    _, end = kernel_ends()
    with Machine(mem=mem, append=append, qmp=True) as m:
        root, said = reported(m, "-k")
        check_free(m, size_of(mem))
        m.monitor("stop")
        # Idle CPUs wait in the kernel, all with its one table (A3).
        assert set(registers(m)) == {facts.SATP_MODE << 60 | root // PGSIZE}
        table = Table(Memory(m), root)
        mapped = dict(table.leaves)
        assert qemu_walk(m) == mapped
        low = check_direct_map(mapped, phystop)
        table.check_supers(end, phystop)
        start, size = DEVICES["PLIC"]
        table.check_supers(start, start + size)
        top = {va: leaf for va, leaf in mapped.items() if va not in low}
        stacks = check_top(top, phystop)

        for page in table.pages:  # from the kernel's memory (A12), once each
            assert end <= page < phystop and page not in stacks
        # pgtbl said so, too; stacks may have been added since.
        plain = without_names(said)
        assert plain.items() <= mapped.items()
        assert low.items() <= plain.items()
        check_names(said)


def check_user_tables(append):
    """What a program that runs has, by hardware's view, QEMU's and pgtbl's."""
    with Machine(cpus=1, append=append, qmp=True) as m:
        pid = spin(m)
        root, said = reported(m, pid)
        for _ in range(50):
            m.rest(0.05)
            m.monitor("stop")
            if roots(m)[0] == root:
                break
            m.monitor("cont")
        table = Table(Memory(m), root)
        assert table.leaves == qemu_walk(m) == without_names(said)
        assert trampoline() in table.leaves
        # A table of each level for the bottom, and one for the top.
        assert len(table.pages) == 2 * facts.LEVELS - 1


def check_names(said):
    etext, end = kernel_ends()
    for va, (_, _, name) in said.items():
        if va == trampoline():
            assert name == "trampoline"
        elif va >= stack_top() - STACKS_MAX * STACK_SLOT:
            assert name == f"stack {(stack_top() - 1 - va) // STACK_SLOT}"
        elif va >= KERNBASE:
            assert name == ("text" if va < etext else
                            "data" if va < end else "RAM"), (hex(va), name)
        else:
            start, size = DEVICES[name]
            assert start <= va < start + size


@test()
@only("riscv")
def test_boots_without_sstc():
    """The timer goes through the CLINT where the hart has no stimecmp."""
    with Machine(extra=["-cpu", "rv64,sstc=false"]) as m:
        m.run("sleep 2")
        m.poweroff()


@test(quick=True)
@only("riscv")
@cases("f=off,d=off", "d=off")
def test_without_floating_point(lacking):
    """On harts that have none, or not that of 64 bits, such an instruction is
    the end of the program, as any that is illegal."""
    with Machine(extra=["-cpu", f"rv64,{lacking}"]) as m:
        assert "killed: illegal instruction" in m.run("fptest", status=255)
        m.run("usertests badcalls")


@test(quick=True)
@only("riscv")
@cases(2, 3)
def test_harts_in_turns(cpus):
    """QEMU with -icount runs one hart at a time. One that waits for another in
    a loop gives its turn away, or each wait would last seconds."""
    with Machine(cpus=cpus, extra=["-icount", "shift=0"]) as m:
        m.run("forktest; usertests threads_join forkfork mem", timeout=100)
        m.poweroff()


@test(timeout=200)
@only("riscv")
@cases("off", "1", "2")
def test_few_asids(bits):
    """Without address-space identifiers, with one, and with three for all
    processes: these have the memory that is theirs (tests/host/test_tlb.c has
    the details)."""
    last = 0 if bits == "off" else 2 ** int(bits) - 1
    with Machine(append=f"asid={bits}", qmp=True) as m:
        out = m.run("usertests -q tlb threads_join threads_fork threads_chaos "
                    "forktest copyin sbrkbugs", timeout=180)
        assert out.endswith("ALL TESTS PASSED"), out[-2000:]
        spin(m)
        spin(m)
        seen = {facts.asid_of(satp) for _ in range(20)
                for satp in registers_after(m, 0.05)}
        assert max(seen) <= last and (max(seen) > 0) == (last > 0), seen


def registers_after(m, seconds):
    m.rest(seconds)
    m.monitor("stop")
    seen = registers(m)
    m.monitor("cont")
    return seen


def device_tree(node, prop, cell, value):
    """A file with the machine's tree, in which one cell of a property is another.
    The node is the first whose name begins so."""
    path = log_path(".dtb")
    with Machine(cpus=2, extra=["-machine", f"dumpdtb={path}"],
                 wait=False) as m:
        m.child.expect(pexpect.EOF)
    with open(path, "rb") as f:
        blob = bytearray(f.read())
    structure, names = struct.unpack_from(">II", blob, 8)
    # Devicetree Specification 0.4, 5.4.1: tokens 1, a node, and 3, a property
    name = struct.pack(">I", blob.index(prop + b"\0", names) - names)
    at = blob.index(b"\0\0\0\1" + node, structure)
    at = blob.index(b"\0\0\0\3", at)
    while blob[at:at + 4] != b"\0\0\0\3" or blob[at + 8:at + 12] != name:
        at += 4
    struct.pack_into(">I", blob, at + 12 + 4 * cell, value)
    with open(path, "wb") as f:
        f.write(blob)
    return path


@only("riscv")
@cases(0, 9, 1000)
@test()
def test_console_interrupt_wrong(irq):
    """A tree that is wrong about the console's interrupt: the clock is used, to
    write more than the ring for output holds and to read what is typed."""
    tree = device_tree(b"serial@", b"interrupts", 0, irq)
    with Machine(cpus=2, extra=["-dtb", tree]) as m:
        m.expect(b"uart: no interrupt comes")
        text = m.run("cat README README")
        assert text.count("# Pagewise") == 2, text


TREES = {
    # 4 GiB of registers; those of the next device; too few
    "no RTC": (b"rtc@", b"reg", 2, 1),
    "no finisher": (b"test@", b"reg", 3, 0x2000),
    "PLIC has no interrupt registers": (b"plic@", b"reg", 3, 0x2000),
    "CLINT has no interrupt registers": (b"clint@", b"reg", 3, 4),
    # two harts whose interrupts are said to be the same
    "gets no software interrupt": (b"interrupt-controller", b"phandle", 0, 2),
    "there is no memory": (b"memory@", b"reg", 3, 256 << 20),
    "too low for a clock": (b"cpus", b"timebase-frequency", 0, 13),
}


@only("riscv")
@cases(*TREES)
@test()
def test_device_tree_wrong(words):
    """What cannot be as the tree says is refused, with the reason."""
    with Machine(cpus=2, append="panic=exit", wait=False,
                 extra=["-dtb", device_tree(*TREES[words])]) as m:
        m.expect(words.encode() + b"[^\n]*; this kernel cannot run here")
