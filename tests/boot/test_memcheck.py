"""The self-check of memory: clean when all is well, and not blind.

memcheck walks what the kernel knows of its memory. That it would see what is
wrong is shown by making it so, with gdb, one thing at a time, and putting it
right again.
"""

import re
import subprocess

from pagewise import Machine, facts, free_port, gdb_program, path, test
from tables import PGSIZE, PTE_BYTES, start_background


def poke(port, *commands):
    """Stop the machine, let gdb do something with its kernel, go on."""
    gdb = gdb_program()
    assert gdb, "no gdb that knows the target"
    arguments = [gdb, "-q", "-nx", "-batch", path("kernel.elf"),
                 "-ex", f"target remote :{port}"]
    for command in commands:
        arguments += ["-ex", command]
    done = subprocess.run(arguments + ["-ex", "detach"], timeout=60, text=True,
                          stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
    assert done.returncode == 0, done.stdout
    return done.stdout


def frame_of_init(m, name):
    """The physical address and the virtual one of a page of process 1."""
    for line in m.run("pgtbl 1").splitlines():
        found = re.search(r"(\w+)-\w+ -> (\w+) .* " + name + "$", line)
        if found:
            return int(found.group(2), 16), int(found.group(1), 16)
    raise AssertionError(f"init has no {name}")


def faults(m):
    text = m.run("memcheck", status=1, timeout=60)
    assert re.search(r"memcheck: \d+ faults$", text), text
    return text


@test(quick=True)
def test_clean():
    """After all kinds of work, also while it goes on (9)."""
    with Machine() as m:
        assert m.run("memcheck").endswith("memcheck: all is right")
        m.run("echo one | cat | wc > f; rm f; sh -c 'sh -c pgtbl' | wc")
        start_background(m, "sh -c 'while true; do echo hello | cat > f; done'")
        for _ in range(5):
            text = m.run("memcheck", timeout=60)
            total, free, used, _, moving = re.match(
                r"(\d+) frames: (\d+) free \+ (\d+) used( \+ (\d+) on .*)?\n",
                text).groups()
            assert int(total) == int(free) + int(used) + int(moving or 0)


@test()
def test_waiting_call():
    """pipe(), waiting for the disk for longer than memcheck looks, is no fault: both
    ends are in the table, and in the hands of the call."""
    with Machine(qmp=True) as m:
        m.run("memcheck")
        m.run("slowpipe; ps", status=0)  # that these need no disk any more
        m.monitor("block_set_io_throttle x0 1024 0 0 0 0 0")
        start_background(m, "slowpipe usertests")
        for _ in range(3):
            assert m.run("memcheck", timeout=60).endswith("all is right")
        assert re.search(r" sleep .* slowpipe$", m.run("ps"), re.M)


@test(timeout=200)
def test_sees():
    """Each thing that is made wrong is told, by frame, and nothing else is."""
    port = free_port()
    with Machine(cpus=2, extra=("-gdb", f"tcp::{port}")) as m:
        pa, va = frame_of_init(m, "stack")
        number = f"((0x{pa:x} - (unsigned long)first_frame) / {PGSIZE})"
        count = f"frames[{number}].count"

        poke(port, f"set var {count} = {count} + 1")
        text = faults(m)
        assert f"frame 0x{pa:x} (user): holders: counted and found: 2, 1" in text
        poke(port, f"set var {count} = {count} - 1")
        assert m.run("memcheck").endswith("all is right")

        owner = f"frames[{number}].owner"
        poke(port, f"set var {owner} = PAGE_TABLE")
        text = faults(m)
        assert re.search(rf"frame 0x{pa:x} \(table\): used as what it is not.*"
                         rf"va 0x{va:x}\n", text), text
        assert "(table): nobody has it: counted and found: 1, 0" in text
        assert "pages: counted and found" in text
        poke(port, f"set var {owner} = PAGE_USER")
        assert m.run("memcheck").endswith("all is right")

        # A block vanishes from the list of the largest ones.
        poke(port, "set var $fixed = &blocks[FIXED][10]",
             "set var $movable = &blocks[MOVABLE][10]",
             "set var $l = $fixed->next != $fixed ? $fixed : $movable",
             "set var $first = $l->next",
             "set var $l->next = $first->next",
             "set var $l->next->prev = $l")
        text = faults(m)
        assert re.search(r"frame 0x\w+ \(free\): nobody has it", text), text


def entry(m, va):
    """The kernel's address of the page-table entry of process 1 for va, and what
    it holds."""
    text = m.run(f"pgtbl 1 {va:#x}")
    address, value = re.findall(r" = 0x(\w+), value 0x(\w+)", text)[-1]
    return int(address, 16) + facts.OFFSET, int(value, 16)


@test(timeout=200)
def test_sees_rights():
    """An entry that grants more than its region, and one without a region."""
    port = free_port()
    with Machine(cpus=2, extra=("-gdb", f"tcp::{port}")) as m:
        _, text = frame_of_init(m, "text")
        _, stack = frame_of_init(m, "stack")
        at, value = entry(m, text)
        flags = entry(m, stack)[1] & 0x3ff
        pointer = f"*(pte_t *){at:#x}"

        poke(port, f"set var {pointer} = {value | flags:#x}")
        assert re.search(rf"frame 0x\w+ \(\w+\): an entry that grants more than its "
                         rf"region: rights: [237], 5; in the page table at "
                         rf"0x\w+, va {text:#x}\n", faults(m))
        poke(port, f"set var {pointer} = {value:#x}")
        assert m.run("memcheck").endswith("all is right")

        other = f"*(pte_t *){(at & -PGSIZE) + 300 * PTE_BYTES:#x}"
        poke(port, f"set var {other} = {value:#x}")
        out = faults(m)
        assert re.search(r"an entry where no region is.*, va 0x12c000\n", out), out
        assert "holders: counted and found" in out
        poke(port, f"set var {other} = 0")
        assert m.run("memcheck").endswith("all is right")
