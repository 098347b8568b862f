"""Address spaces, seen from outside.

tables.py walks the tables by the manual of the machine; then the kernel's own
tools (pgtbl, vmmap, free) must say the same. This holds up rows A1, A2, A10, A12
and A13 of docs/book-map.md, or their counterparts. What only one machine has is
in a file of its name.
"""

import re

from pagewise import Machine, facts, path, test
from tables import (PGSIZE, PTE_BYTES, R, U, V, W, X, Memory, Table,
                    index, kernel_ends, qemu_walk, regions, registers, reported,
                    roots, segments, shift, spin, start_background,
                    without_names)


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
        assert end <= facts.USER_END
        assert name != "guard" or end == start + PGSIZE


def check_user_table(table, listed):
    """The mapped pages lie in regions, with no right that those have not."""
    for va, (_, rights) in table.leaves.items():
        if va >= facts.USER_END:
            assert not rights & U, hex(va)
            continue
        owner = [r for r in listed if r[0] <= va < r[1]]
        assert len(owner) == 1, f"{va:#x} is in no region"
        assert owner[0][3] != "guard", f"the guard page {va:#x} is mapped"
        assert rights & U, hex(va)
        assert rights & facts.ENFORCED & ~owner[0][2] == 0, hex(va)


def check_guards(tree, listed):
    """The page table's tree names the guard page, in its place."""
    shown = re.findall(r"(\w+)-(\w+) --- (\w+)$", tree, re.M)
    assert [(int(start, 16), int(end, 16) + 1, name)
            for start, end, name in shown] == \
        [(start, end, name) for start, end, rights, name in listed
         if rights == 0], tree
    starts = [int(va, 16) for va in re.findall(r"(\w+)-\w+ (?:->|---) ", tree)]
    assert starts == sorted(starts), tree


@test()
def test_user_tables():
    """Each process has a table of its own, with memory of its own, and in each
    the top is the kernel's (A3, A5, A13; B3, B4)."""
    with Machine(qmp=True) as m:
        kernel_root, _ = reported(m, "-k")
        pids = [1, 2, start_background(m, "sleep 1000"),
                start_background(m, "sleep 1000"),
                start_background(m, "sh -c 'sleep 1000; echo'")]
        said = {pid: reported(m, pid) for pid in pids}
        listed = {pid: regions(m, pid) for pid in pids}
        trees = {pid: m.run(f"pgtbl {pid}") for pid in pids}
        m.monitor("stop")
        memory = Memory(m)
        kernel = Table(memory, kernel_root)
        assert len({said[pid][0] for pid in pids} | {kernel.root}) == \
            len(pids) + 1, "roots are shared"

        _, end = kernel_ends()
        owned = list(kernel.pages)
        for pid in pids:
            check_layout(listed[pid])
            table = Table(memory, said[pid][0])
            # sh has run these very commands since: what it shared with its
            # children and wrote was copied.
            assert pid == 2 or table.leaves == without_names(said[pid][1])
            check_user_table(table, listed[pid])
            check_guards(trees[pid], listed[pid])
            shared = facts.check_upper(table.upper(), kernel.leaves)
            owned += table.own_pages() + table.frames(W | U)
            owned += [pa for va, (pa, _) in table.upper().items()
                      if va not in shared]
            for frame in table.frames(U):
                assert frame >= end - facts.OFFSET, "a program sees the kernel's image"
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
def test_each_cpu_its_own_root():
    """Several CPUs run different processes at once (A10, B2)."""
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
            seen = registers(m)
            m.monitor("cont")
            assert len(seen) == cpus
            running = [value for value in seen if facts.root_of(value) in roots]
            # No process on two CPUs; and no ASID for two processes.
            assert len({facts.root_of(value) for value in running}) == \
                len(running), seen
            asids = [facts.asid_of(value) for value in running
                     if facts.asid_of(value)]
            assert len(set(asids)) == len(asids), seen
            if len(running) > len(best):
                best = running
            if len(best) == cpus:
                break
        assert len(best) == cpus, f"never all at once: {best}"
        assert kernel not in roots


@test()
def test_qemu_walks_user_table():
    """QEMU's own walk of the table that is in use is what pgtbl says."""
    with Machine(cpus=1, qmp=True) as m:
        pid = spin(m)
        root, said = reported(m, pid)
        for _ in range(50):
            m.rest(0.05)
            m.monitor("stop")
            if roots(m)[0] == root:
                assert qemu_walk(m) == without_names(said)
                return
            m.monitor("cont")
        assert False, "the process was never seen in user mode"


STEP = re.compile(r"level (\d): bits (\d+)-(\d+) of the address give index "
                  r"(\d+)\n  entry at 0x(\w+) \+ (\d+) \* (\d+) = 0x(\w+), value "
                  r"0x(\w+)\n")

ALLOWED = "is allowed"
NOT_VALID = "faults: an entry is not valid"
NOT_USER = "faults: the page is for the kernel only (no u)"
NO_ADDRESS = "faults: no such virtual address"
VERDICTS = {"not valid": NOT_VALID, "not user": NOT_USER,
            "no address": NO_ADDRESS}


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
        va, " ".join(f"[{index(level, va)}]"
                     for level in reversed(range(facts.LEVELS))),
        va % PGSIZE) in text, text
    m.monitor("stop")
    for n, step in enumerate(steps):
        level, high, low, at, base, again, size, address = map(
            int, step[:8], (10, 10, 10, 10, 16, 10, 10, 16))
        pte = int(step[8], 16)
        assert level == facts.LEVELS - 1 - n
        assert (low, high) == (shift(level), shift(level + 1) - 1)
        assert size == PTE_BYTES
        assert at == again == index(level, va)
        assert base == table and address == table + size * at, text
        assert pte == memory.word(address), text
        table = facts.pte2pa(pte)
        assert bool(pte & V) == (f"number {table >> 12:#x}, flags "
                                 + facts.VALID in text), text
        if not pte & V or facts.is_leaf(pte, level):
            assert n == len(steps) - 1, text
    m.monitor("cont")
    result = re.search(r"physical address: 0x(\w+) \+ 0x(\w+) = 0x(\w+)", text)
    assert bool(result) == bool(pte & V), text
    if result:
        frame, offset, pa = (int(x, 16) for x in result.groups())
        offset_in_leaf = va % (1 << shift(level))
        assert (frame, offset, pa) == (table, offset_in_leaf,
                                       table + offset_in_leaf), text


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
                (0x12345678, NOT_VALID),
                *((va, VERDICTS[name]) for va, name in facts.PROCESS_WALKS)):
            check_walk(m, memory, 1, va, verdict)
        for va, name in facts.KERNEL_WALKS:
            check_walk(m, memory, "-k", va, VERDICTS[name])


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
