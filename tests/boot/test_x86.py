"""The x86 machine's own memory layout: rows B1 to B7 of the requirements.

The kernel is mapped into the upper half of every page directory. tables.py
walks; pictures and constants are in kernel/arch/x86/memlayout.h.
"""

import os
import re
import struct
import sys
import tempfile
import time

import facts_x86 as facts
from facts_x86 import (KERNBASE, KERNEL_START, KSTACK_TOP, PGSIZE, STACK_SLOT,
                       U, W)
from pagewise import TOP, Failure, Machine, cases, only, test
from tables import (Memory, Table, check_free, kernel_ends, qemu_walk, reported,
                    roots, size_of, spin, start_background, without_names)

DEVICES = 0xfc000000
CR0_WP, CR0_NW, CR0_CD, CR0_PG = 1 << 16, 1 << 29, 1 << 30, 1 << 31
CR4_OSFXSR, CR4_OSXMMEXCPT = 1 << 9, 1 << 10
DIRECT_END = 0xf0000000
DIRECTORY_KERNEL = 512  # the first entry of a directory that is the kernel's


def check_direct_map(leaves, size):
    """B4 to B6: physical memory from 0 on at KERNBASE, text read-only, nothing
    for user mode, and not more than there is. Returns its end."""
    etext, _ = kernel_ends()
    direct = {va: leaf for va, leaf in leaves.items()
              if KERNBASE <= va < DIRECT_END}
    end = max(direct) + PGSIZE
    assert size - (facts.FIRMWARE << 10) <= end - KERNBASE <= size
    assert len(direct) == (end - KERNBASE) // PGSIZE, "holes"
    for va, (pa, rights) in direct.items():
        assert pa == va - KERNBASE, (hex(va), hex(pa))
        text = KERNEL_START <= va < etext
        assert rights & (W | U) == (0 if text else W), (hex(va), rights)
    return end


def check_devices(memory, table):
    """At their own addresses, and not cached."""
    for i, pte in table.entries(table.root):
        if i << 22 < DEVICES:
            continue
        below = [(0, pte)] if facts.is_leaf(pte, 1) \
            else table.entries(facts.pte2pa(pte))
        for j, leaf in below:
            va = i << 22 | j << 12
            assert facts.pte2pa(leaf) == va, (hex(va), hex(leaf))
            assert leaf & facts.PCD and leaf & facts.PTE_W, hex(leaf)
            assert not leaf & facts.PTE_U, hex(leaf)


def check_stacks(leaves, ram):
    """Kernel stacks have a guard page under each, and frames of their own."""
    _, end = kernel_ends()
    window = {va: leaf for va, leaf in leaves.items()
              if DIRECT_END <= va < DEVICES}
    frames = [pa for pa, _ in window.values()]
    assert len(set(frames)) == len(frames), "stacks share a frame"
    # init and sh run in the kernel now, so there are stacks, and whole ones.
    assert len(frames) >= 2 * (STACK_SLOT // PGSIZE - 1)
    for va, (pa, rights) in window.items():
        assert va < KSTACK_TOP, f"{va:#x} is mapped"
        assert va % STACK_SLOT != 0, f"the guard page {va:#x} is mapped"
        assert rights & (W | U) == W, hex(va)
        assert end <= pa + KERNBASE < ram, hex(pa)
        slot = va - va % STACK_SLOT
        for page in range(PGSIZE, STACK_SLOT, PGSIZE):
            assert slot + page in leaves, f"{slot:#x}: half a stack"


@test(quick=True)
@only("x86")
@cases("64M", "128M")
def test_kernel_table(mem):
    """Every mapping of the kernel, by hardware's view, QEMU's and pgtbl's."""
    with Machine(mem=mem, qmp=True) as m:
        root, said = reported(m, "-k")
        check_free(m, size_of(mem))
        m.monitor("stop")
        memory = Memory(m)
        table = Table(memory, root)
        assert min(table.leaves) >= KERNBASE  # B3
        ram = check_direct_map(table.leaves, size_of(mem))
        check_stacks(table.leaves, ram)
        table.check_supers(kernel_ends()[1], ram)
        assert min(table.supers) > kernel_ends()[1]
        check_devices(memory, table)
        # The page directory that is loaded agrees, and so does QEMU about it.
        seen = qemu_walk(m)
        upper = {va: leaf for va, leaf in seen.items() if va >= KERNBASE}
        assert upper == Table(memory, roots(m)[0]).upper() == table.leaves
        # pgtbl said so, too; stacks may have been added since.
        assert without_names(said).items() <= table.leaves.items()
        check_names(said)


def check_names(said):
    etext, end = kernel_ends()
    for va, (_, _, name) in said.items():
        if va >= DEVICES:
            assert name in ("PCI", "APICs"), (hex(va), name)
        elif va >= DIRECT_END:
            assert name == f"stack {(KSTACK_TOP - 1 - va) // STACK_SLOT}"
        elif va >= KERNEL_START:
            assert name == ("text" if va < etext else
                            "data" if va < end else "RAM"), (hex(va), name)
        else:
            assert name == "low memory", (hex(va), name)


@test()
@only("x86")
@cases(1, 4)
def test_kernel_half_is_identical(cpus):
    """B4: entry by entry, the upper half of each page directory is that of every
    other, while processes come, compute, grow, and go."""
    accessed = facts.A  # set by the hardware, in the directory that it used
    with Machine(cpus=cpus, qmp=True) as m:
        kernel_root = reported(m, "-k")[0]
        pids = [1, 2, spin(m), spin(m), start_background(m, "sleep 1000"),
                start_background(m, "sh -c 'sleep 1000; echo'")]
        m.run("forktest; grind -n 100", timeout=60)
        known = {reported(m, pid)[0] for pid in pids}
        for _ in range(5):
            m.rest(0.1)
            m.monitor("stop")
            memory = Memory(m)
            kernel = {i: pte & ~accessed for i, pte in
                      Table(memory, kernel_root).entries(kernel_root)}
            assert min(kernel) >= DIRECTORY_KERNEL
            for root in known | set(roots(m)):
                table = Table(memory, root)
                upper = {i: pte & ~accessed for i, pte in table.entries(root)
                         if i >= DIRECTORY_KERNEL}
                assert upper == kernel, hex(root)
                # And nothing in it is for user mode.
                assert not any(r & U for _, r in table.upper().values())
            m.monitor("cont")
        for pid in pids[2:]:
            m.run(f"kill {pid}")


@test()
@only("x86")
def test_frames_are_mapped_twice():
    """B5: what a process has, the kernel has at P + KERNBASE, in the same page
    directory."""
    with Machine(qmp=True) as m:
        root, _ = reported(m, 1)
        m.monitor("stop")
        leaves = Table(Memory(m), root).leaves
        mine = {va: pa for va, (pa, _) in leaves.items() if va < KERNBASE}
        assert mine
        for va, pa in mine.items():
            other, rights = leaves[pa + KERNBASE]
            assert other == pa and not rights & U, hex(va)


KEYS = {" ": "spc", "\n": "ret", "-": "minus", "/": "slash", ".": "dot"}
SCREEN, COLUMNS, ROWS = 0xb8000, 80, 25


def screen(m):
    """The lines of text in the video memory."""
    cells = Memory(m).read(SCREEN, 2 * COLUMNS * ROWS)
    text = cells[::2].decode("latin-1")
    return [text[i:i + COLUMNS].rstrip() for i in range(0, len(text), COLUMNS)]


def type_keys(m, text):
    for letter in text:
        key = KEYS.get(letter, letter)
        if letter.isupper():
            key = "shift-" + letter.lower()
        m.monitor("sendkey " + key)
        time.sleep(0.02)


def wait_for_line(m, wanted, seconds=10):
    end = time.monotonic() + seconds
    while wanted not in screen(m):
        if time.monotonic() > end:
            raise Failure(f"no line {wanted!r} on the screen: {screen(m)}")
        m.rest(0.1)


@test(quick=True)
@only("x86")
def test_screen_and_keyboard():
    """What is typed at the PS/2 keyboard runs, and its output is on the screen
    as well as on the serial line."""
    with Machine(qmp=True) as m:
        wait_for_line(m, "$")
        type_keys(m, "echo Screen and Keys\n")
        m.expect(rb"\nScreen and Keys\r*\n")
        m.wait_prompt()
        wait_for_line(m, "Screen and Keys")
        # The serial line's output is here, too, and a full screen scrolls.
        m.run("for i in 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15; do echo $i; "
              "echo line $i; done")
        wait_for_line(m, "line 15")
        assert "Screen and Keys" not in screen(m)
        type_keys(m, "sleep 1000\n")
        m.expect(rb"sleep 1000\r*\n")
        m.rest(0.3)
        m.monitor("sendkey ctrl-c")
        m.wait_prompt()
        assert re.search(r"\d", m.run("echo $?"))


@test(quick=True)
@only("x86")
def test_control_registers():
    """What each CPU is set to, where QEMU does not do what it asks for: SSE
    errors are exceptions of their own, caches are on (SDM vol. 3A, 2.5)."""
    with Machine(qmp=True) as m:
        text = m.monitor("info registers -a")
        cr4 = [int(x, 16) for x in re.findall(r"CR4=(\w+)", text)]
        assert len(cr4) == 3, text
        for x in cr4:
            assert x & CR4_OSFXSR and x & CR4_OSXMMEXCPT, hex(x)
        cr0 = [int(x, 16) for x in re.findall(r"CR0=(\w+)", text)]
        assert len(cr0) == 3, text
        for x in cr0:
            assert x & (CR0_PG | CR0_WP) == CR0_PG | CR0_WP, hex(x)
            assert not x & (CR0_CD | CR0_NW), hex(x)
        # no LDT: selector, base and limit (at reset it is 64 KiB)
        assert text.count("LDT=0000 00000000 00000000 ") == 3, text


def second_madt():
    """A MADT's body (ACPI 5.2.12) of CPUs that are there, that are not, and
    255; an I/O APIC in RAM; the console's interrupt nowhere."""
    entries = [struct.pack("<BBBBI", 0, 8, i, i, 1) for i in (0, 1, 7, 255)]
    entries += [struct.pack("<BBBBII", 1, 12, 0, 0, 0xd0000000, 0),
                struct.pack("<BBBBIH", 2, 10, 0, 4, 200, 0)]
    return struct.pack("<II", 0xfee00000, 1) + b"".join(entries)


@test(quick=True)
@only("x86")
def test_second_madt():
    """Firmware that lists the CPUs twice, and oddly: the first list counts."""
    with tempfile.TemporaryDirectory() as place:
        path = os.path.join(place, "madt")
        with open(path, "wb") as f:
            f.write(second_madt())
        with Machine(cpus=2,
                     extra=["-acpitable", f"sig=APIC,data={path}"]) as m:
            assert "there was a list of CPUs before" in m.booted, m.booted
            assert "2 CPUs" in m.booted, m.booted


# What QEMU's older CPUs lack first, and newer ones without what they have.
LACKING = {"486": "TSC", "pentium": "SYSENTER", "pentium2": "SSE",
           "qemu32,-cmov": "CMOV", "qemu32,-fxsr": "FXSAVE",
           "qemu32,-pse": "PSE", "qemu32,-pge": "PGE"}


@test(quick=True)
@only("x86")
@cases(*LACKING)
def test_old_cpu(cpu):
    """A CPU that the kernel cannot run on is told so, whatever it lacks."""
    with Machine(cpus=1, extra=["-cpu", cpu], wait=False) as m:
        text, status = m.wait_exit()
        assert (f"boot: the CPU has no {LACKING[cpu]}; this kernel cannot run "
                "here" in text), text
        assert status != 0, status


def boot_damaged(damage):
    """What is said after damage(tables, debugger, info) by a boot loader whose
    struct multiboot_info is at that address."""
    sys.path.insert(0, os.path.join(TOP, "tests", "fuzz"))
    import fuzz_tables as tables

    return tables.boot(tables.good_disk(), lambda debugger: damage(
        tables, debugger, debugger.register(3, 4))).text  # ebx


@test()
@only("x86")
def test_memory_map_without_end():
    """A boot loader's map of memory that would take years to read."""

    def damage(tables, debugger, info):
        debugger.write(info + 4 * tables.MULTIBOOT_MMAP_LENGTH, b"\xff" * 4)

    text = boot_damaged(damage)
    assert ("boot: the memory map has 4294967295 bytes; this kernel cannot run "
            "here" in text), text


@test()
@only("x86")
def test_memory_map_promises_more():
    """Memory that the map has and the machine has not is not used."""

    def damage(tables, debugger, info):
        # as if there were no map, but a size: 512 MiB
        debugger.write(info, struct.pack("<III", 5, 640, 512 << 10))

    text = boot_damaged(damage)
    assert "boot: no memory at 0x20" in text, text
    assert re.search(r"2 CPUs, (31|32) MiB", text), text
