"""The programs of docs/tour: what they say is so.

While a program waits for Enter, the explorer reads the machine's memory from
outside (tools/explore): each address, frame, entry and count that the program has
printed is held against that, or against what the tests know of the machine
(facts_*.py). Of the pages, what they show of a program is held against what it
prints.
"""

import difflib
import importlib
import os
import re

from pagewise import ARCH, DEBUG, TOP, Machine, facts, test
from tables import index, shift
from test_explore import Explored
from test_gdb import Gdb, attached

PGSIZE = facts.PGSIZE
KSTACK_PAGES = 7 if DEBUG == "1" else 3  # param.h
NUMBER = r"(0x[0-9a-f]+|\d+)"


class Tour(Explored):
    """A machine in which a program of the tour waits, step by step.

    said   what was said since the last Enter, or the start
    """

    def __init__(self, name, **options):
        super().__init__(**{"cpus": 1, **options})
        self.start(name)
        self.expect(name.encode() + rb"\r*\n")
        self.listen()

    def listen(self):
        """To the next Enter, or the end."""
        got, self.said = self.expect(rb"\(Enter\) ", rb"(?<=\n)\$ ")
        self.ended = got == 1

    def enter(self):
        assert not self.ended, self.said
        self.send("\n")
        self.listen()
        return self.said

    def all(self, pattern, text=None):
        """What the groups match, numbers as numbers; at least once."""
        text = self.said if text is None else text
        found = re.findall(pattern, text)
        assert found, (pattern, text)
        return [tuple(int(word, 0) if re.fullmatch(NUMBER, word) else word
                      for word in ((f,) if isinstance(f, str) else f))
                for f in found]

    def one(self, pattern, text=None):
        found = self.all(pattern, text)
        assert len(found) == 1, (pattern, found)
        return found[0] if len(found[0]) > 1 else found[0][0]

    def walk(self, pid, va):
        """Seen from outside."""
        return self.ask([{"op": "walk", "pid": pid, "va": hex(va)}])[0]

    def frame(self, pid, va):
        """The frame there, or None."""
        result = self.walk(pid, va)["result"]
        return int(result, 16) & -PGSIZE if result else None

    def writable(self, pid, va):
        return bool(facts.rights(int(self.walk(pid, va)["steps"][-1]["value"], 16),
                                 0) & facts.W)

    def space(self, pid):
        return next(s for s in self.see()[1]["spaces"] if s["pid"] == pid)

    def check_walk(self, pid, va, said):
        """(level, index, entry) of each step."""
        way = self.walk(pid, va)["steps"]
        assert said == [(s["level"], s["index"], int(s["value"], 16))
                        for s in way], (said, way)
        assert [i for _, i, _ in said] == [index(level, va)
                                           for level, _, _ in said]


def address(m, what):
    """The pid that says it, and the address."""
    return m.one(rf"\[(\d+)\] {what} is at {NUMBER}")


# --- the first six ---

@test()
def test_heap():
    with Tour("tour_heap") as m:
        m.enter()
        pid, heap = address(m, "the heap")
        assert m.frame(pid, heap) is None
        assert "it reads 0" in m.enter()
        zeros = m.frame(pid, heap)
        assert zeros and not m.writable(pid, heap)
        m.enter()
        assert m.frame(pid, heap) not in (None, zeros) and m.writable(pid, heap)
        before = m.space(pid)["faults"]["total"]
        m.enter()
        # The first page was there; printing takes some of its own.
        faults = m.one(r"page faults: (\d+)")
        assert 63 <= faults <= m.space(pid)["faults"]["total"] - before
        got = {m.frame(pid, heap + i * PGSIZE) for i in range(64)}
        assert len(got) == 64 and None not in got
        _, mapping = address(m, "a mapping")
        assert m.frame(pid, mapping) is None
        m.enter()
        assert 8 < m.one(r"page faults: (\d+)") < 20
        got = {m.frame(pid, mapping + i * PGSIZE) for i in range(64)}
        assert len(got) == 64 and None not in got
        m.enter()
        assert m.ended


@test()
def test_fork():
    with Tour("tour_fork") as m:
        parent, page = address(m, "a page of data")
        frame = m.frame(parent, page)
        assert m.writable(parent, page)
        child = m.one(r"\[(\d+)\] child: its", m.enter())
        for pid in parent, child:
            assert m.frame(pid, page) == frame and not m.writable(pid, page)
        m.enter()
        assert m.frame(parent, page) == frame
        assert m.frame(child, page) != frame and m.writable(child, page)
        assert "parent reads 'p'" in m.enter()
        assert m.frame(parent, page) == frame and m.writable(parent, page)
        m.enter()
        assert m.ended


def stack_pages(m, pid):
    """How many pages of its stack are there."""
    return sum(count for r in m.space(pid)["regions"] if r["what"] == "stack"
               for _, count, _, pa, _ in r["runs"] if pa)


@test()
def test_stack():
    with Tour("tour_stack") as m:
        pid, stack = address(m, "the stack")
        assert m.walk(pid, stack)["what"] == "stack"
        m.enter()
        child, at = address(m, "the stack")
        seen = [(at, stack_pages(m, child))]
        while "now call without end" not in m.said:
            m.enter()
            _, at = address(m, "the stack")
            seen.append((at, stack_pages(m, child)))
        # Each call goes a page down, and one page more is there.
        assert len(seen) >= 4 and child != pid, seen
        for (above, pages), (below, more) in zip(seen, seen[1:]):
            assert PGSIZE <= above - below < PGSIZE + 200, seen
            assert more == pages + 1, seen
        assert m.frame(child, at) is not None
        assert m.frame(child, at - 4 * PGSIZE) is None
        m.enter()
        guard = m.one(rf"killed: store page fault at pc \w+, address {NUMBER}")
        assert m.walk(pid, guard)["what"] == "guard" and guard < at
        assert "met the guard" in m.said
        m.enter()
        assert m.ended


@test()
def test_shared():
    with Tour("tour_shared") as m:
        parent, page = address(m, "a shared page")
        child = m.one(r"\[(\d+)\] child: one frame", m.enter())
        assert m.frame(parent, page) == m.frame(child, page) is not None
        assert m.writable(parent, page) and m.writable(child, page)
        assert "parent reads 2" in m.enter() and m.ended


@test()
def test_super():
    with Tour("tour_super") as m:
        parent, middle = address(m, "the middle of 16 MiB")
        assert m.frame(parent, middle) is None
        m.enter()
        assert m.walk(parent, middle)["steps"][-1]["level"] == 1
        frame = m.frame(parent, middle)
        child = m.one(r"\[(\d+)\] child: both", m.enter())
        assert m.frame(child, middle) == frame and not m.writable(child, middle)
        m.enter()
        assert m.walk(parent, middle)["steps"][-1]["level"] == 1
        assert m.walk(child, middle)["steps"][-1]["level"] == 0
        assert m.frame(child, middle) != frame
        far = middle + 16 * PGSIZE  # which nobody wrote
        assert m.frame(child, far) == m.frame(parent, far)
        m.enter()
        assert m.ended


@test()
def test_exec():
    with Tour("tour_exec") as m:
        pid, main = address(m, "main")
        root, text = m.space(pid)["root"], m.frame(pid, main)
        m.enter()
        assert address(m, "main") == (pid, main)
        assert m.space(pid)["root"] != root
        assert m.frame(pid, main) == text is not None
        m.enter()
        assert m.ended


# --- a program mapped twice ---

COMPARED = (r"\[(\d+)\] (\w[\w ]*) at NUMBER: mine NUMBER, (\d+)'s "
            r"NUMBER: (one|two) frames?").replace("NUMBER", NUMBER)


@test()
def test_twice():
    with Tour("tour_twice") as m:
        first, main = address(m, "main")
        text = hex(m.frame(first, main))
        his = {"text": main, "data": address(m, "data")[1]}
        his["shared map"] = his["private map"] = address(m, "a file")[1]
        seen, now = [], {}
        while not m.ended:
            m.enter()
            new = {} if m.ended else {c[1]: c for c in m.all(COMPARED)}
            now.update(new)
            for pid, what, at, mine, other, frame, many in new.values():
                assert (m.frame(pid, at), m.frame(other, his[what])) == \
                    (mine, frame), (what, m.said)
                assert other == first and (mine == frame) == (many == "one")
                seen.append((what, many))
            if not m.ended:
                frame = m.ask([{"op": "frame", "pa": text}])[0]
                assert frame["owner"] == "cache", frame
                assert {first, now["text"][0]} <= {
                    w["pid"] for w in frame["maps"]}, frame
        assert seen == [
            ("text", "one"), ("data", "one"), ("data", "two"),
            ("shared map", "one"), ("shared map", "one"), ("private map", "one"),
            ("private map", "two")]
        assert "data reads 'd', the file 'b'" in m.said
        assert "tour_twice.file" not in m.run("ls")


# --- running out ---

@test()
def test_out():
    with Tour("tour_out") as m:
        free, other = m.one(r"(\d+) MiB are free; process (\d+) has")
        assert abs(m.see()[1]["owners"]["free"] * PGSIZE / 2**20 - free) < 2
        m.enter()
        assert re.search(r"mmap of 12[78] MiB: out of memory\n", m.said)
        m.enter()
        killed, size = m.one(r"out of memory: killed pid (\d+) \(tour_out\), "
                             r"(\d+) MB resident, wanted by")
        assert free - 8 < size <= free + 1 and killed != other
        assert f"process {killed} ended with status -1: killed" in m.said
        m.enter()
        assert m.one(r"(\d+) MiB are free") >= free - 2
        assert f"process {other} goes on: its page has 42" in m.said and m.ended
        assert "all is right" in m.run("memcheck")


# --- the crossing ---

@test()
def test_trap():
    with Tour("tour_trap") as m:
        kinds = m.all(rf"\[(\d+)\] without u: (\w+), from {NUMBER}, pages: (\d+)")
        pid = kinds[0][0]
        for _, name, va, pages in kinds:
            last = m.walk(pid, va)
            assert last["result"] and last["reason"], (name, last)
            assert last["what"] in (name, m.walk(0, va)["what"]), last
            assert m.frame(pid, va - PGSIZE) is None or name == "trampoline"
        seen = {hex(va): name for _, name, va, _ in kinds}
        assert seen == facts.TRAP_PAGES
        m.enter()
        mine, kernels = m.one(rf"my root page is {NUMBER}, the kernel's {NUMBER}")
        assert hex(mine) == m.space(pid)["root"]
        assert hex(kernels) == m.space(0)["root"]
        at, there = m.one(rf"the kernel's text at {NUMBER} is (mapped|not mapped)")
        assert at == facts.KERNEL_START
        assert (m.frame(pid, at) is not None) == (there == "mapped") \
            == (at >= facts.KERNEL_BEGINS)
        m.enter()
        compared = m.all(COMPARED)
        assert [c[1] for c in compared] == [name for _, name, *_ in kinds]
        for pid, name, va, frame, _, _, many in compared:
            assert m.frame(pid, va) == frame
            assert many == ("two" if name == "trapframe" else "one"), m.said
        m.enter()
        faults, switches = m.one(r"1000 calls: (\d+) page faults, (\d+) changes")
        assert faults == 0 and switches < 100, m.said
        assert m.ended


@test()
def test_trap_in_gdb():
    """What tour_trap says to type stops on the way of a system call."""
    m, port = attached()
    with m:
        said = m.run("echo | tour_trap")
        where = re.search(r"in gdb: (b \*\w+(?: if [^\n]*)?)", said)[1].strip()
        look = re.search(r"and there: (.*)", said)[1].split(", ")
        g = Gdb(m, port)
        assert "Breakpoint" in g.do(where)
        g.go("x")
        assert g.do(f"p {facts.USER_MODE}").endswith("= 0\n")
        for command in look:
            answer = g.do(command)
            if command == "bt":
                assert " edit_line (" in answer, answer
            if command.startswith("p/x"):
                assert re.search(r"= 0x[0-9a-f]+\n", answer), answer
        ways = [re.search(r"physical address (\w+)", g.do(f"walk $pc{table}"))[1]
                for table in ("", " 0")]
        assert ways[0] == ways[1]  # in both tables
        assert facts.root_of(g.number(facts.ROOT)) in [
            int(root, 16) for root in re.findall(
                r"alive +\d+ (0x\w+)", g.do("ps"))]
        g.leave()


# --- the kernel's stacks ---

@test()
def test_kstack():
    with Tour("tour_kstack") as m:
        n, pages, guarded = m.one(
            r"now: (\d+) stacks, (\d+) pages; below (\d+) ")
        assert n == guarded >= 2 and pages == KSTACK_PAGES * n
        m.enter()
        at, guard = m.one(rf"a stack begins at {NUMBER}; the page below, {NUMBER}, "
                          r"is guard \d+")
        assert guard == at - PGSIZE and m.frame(0, at) is not None
        m.check_walk(0, guard, m.all(rf"level (\d+), entry (\d+): {NUMBER}"))
        assert m.frame(0, guard) is None
        m.enter()
        more, more_pages, guarded = m.one(
            r"children more: (\d+) stacks, (\d+) pages; below (\d+) ")
        assert more == guarded >= n and more_pages == KSTACK_PAGES * more
        said = m.enter()
        assert m.ended
        assert f"under each of {more} stacks" in m.run("pgtbl -k")
        append = re.search(r"make qemu APPEND=(\S+)", said)[1]
    with Machine(append=f"panic=exit {append}", wait=False) as m:
        text, _ = m.wait_exit()
    assert "kernel stack overflow" in text and "in the guard page" in text, text


# --- levels ---

def check_step(m, pid):
    """The walk that was just printed: of which address, and each entry of it."""
    va = m.one(rf"{NUMBER} goes through \d+ tables")
    steps = m.all(rf"level (\d+): bits (\d+)-(\d+) are (\d+); entry at {NUMBER}: "
                  + NUMBER)
    m.check_walk(pid, va, [(level, i, pte) for level, _, _, i, _, pte in steps])
    for level, high, low, *_ in steps:
        assert (high, low) == (shift(level + 1) - 1, shift(level))
    way = m.walk(pid, va)
    assert [int(s["entry_pa"], 16) for s in way["steps"]] == [s[4] for s in steps]
    assert int(way["result"], 16) == m.one(rf"physical address {NUMBER}")
    return va


def units(text):
    number, unit = text.split()
    return int(number) << 10 * ("bytes", "KiB", "MiB", "GiB", "TiB",
                                "PiB").index(unit)


@test()
def test_levels():
    for append, levels in facts.MODES:
        if levels != facts.LEVELS:
            facts.use(levels)
        with Tour("tour_levels", append=append) as m:
            pid = m.one(r"\[(\d+)\] a table is a page")
            modes = m.all(r"\] ([* ]) [\w -]+: (\d+) levels, (\d+) bits: "
                          r"(\d+ \w+); one flat table: (\d+ \w+)")
            assert [mode[1] for mode in modes if mode[0] == "*"] == [levels]
            for _, n, bits, reach, flat in modes:
                assert bits == 12 + n * facts.INDEX_BITS
                assert units(reach) == 1 << bits
                assert units(flat) == facts.PTE_BYTES << (bits - 12)
            m.enter()
            check_step(m, pid)
            tables = m.one(r"my tables: (\d+) pages")
            assert m.space(pid)["tables"] == tables
            m.enter()
            before, now = m.one(r"(\d+) tables before, (\d+) now")
            assert before == tables and now - before == levels - 1
            assert m.space(pid)["tables"] == now  # there to be looked at
            check_step(m, pid)
            assert facts.OTHER_MODES in m.enter() and m.ended


# --- two machines ---

def told(name):
    """What the tests know of a machine, in the words of tour_machines."""
    f = importlib.import_module("facts_" + name)
    with open(os.path.join(TOP, "kernel", "arch", name, "gdb.py")) as source:
        flags = re.search(r'PTE_LETTERS = "(\w+)"', source.read())[1]

    def yes(what):
        return "yes" if what else "no"

    return {
        "": f.UNAME,
        "levels": str(f.LEVELS),
        "bits of an index": str(f.INDEX_BITS),
        "bytes of an entry": str(f.PTE_BYTES),
        "KiB of a smallest superpage": str((f.PGSIZE << f.INDEX_BITS) >> 10),
        "flags, from bit 0": flags,
        "can forbid to read": yes(f.ENFORCED & f.R),
        "can forbid to execute": yes(f.ENFORCED & f.X),
        "the kernel is in each table": yes(f.KERNEL_START >= f.KERNEL_BEGINS),
        "what is the kernel's begins at": hex(f.KERNEL_BEGINS),
        "the kernel's text, virtual": hex(f.KERNEL_START),
        "the same, physical": hex(f.KERNEL_START - f.OFFSET),
    }


@test()
def test_machines():
    """Both columns: this machine's, and what is said of the other."""
    with Tour("tour_machines") as m:
        text = m.enter()
        text += m.enter()
        rows = {line[:32].strip(): line[32:].split()
                for line in text.split("\n") if re.match(r".{32} \S+ +\S+$", line)}
        m.enter()
        pid, va = address(m, "a variable")
        steps = m.all(rf"level (\d+), entry (\d+): {NUMBER} (\S+)")
        m.check_walk(pid, va, [(level, i, pte) for level, i, pte, _ in steps])
    other = next(name for name in facts.MACHINES if name != ARCH)
    here, there = told(ARCH), told(other)
    assert rows == {what: [here[what], there[what]] for what in here}
    letters = here["flags, from bit 0"]
    for _, _, pte, flags in steps:
        assert flags == "".join(c if pte >> bit & 1 else "-"
                                for bit, c in enumerate(letters))
    assert facts.rights(steps[-1][2], 0) & (facts.W | facts.U) == \
        facts.W | facts.U


# --- all of them ---

PROGRAMS = sorted(name[:-2] for name in os.listdir(
    os.path.join(TOP, "user", "tour")) if re.fullmatch(r"tour_\w+\.c", name))
SHOWN_OF_X86 = ("tour_machines", "tour_trap")


def described(name):
    """The page of a program."""
    with open(os.path.join(TOP, "docs", "tour",
                           name.replace("tour_", "") + ".md")) as f:
        return f.read()


def transcript(name):
    """What the program's page shows of it: x86's if the line before says so,
    RISC-V's if not; "" if nothing is of this machine. What is indented more, as
    part of a list, is not looked at."""
    for before, block in re.findall(
            r"([^\n]*)\n\n((?: {4}[^ \n][^\n]*\n)(?: {4}[^\n]*\n)*)",
            described(name)):
        of = "x86" if before.endswith("x86:") else "riscv"
        if of == ARCH and not block.startswith("    (gdb)"):
            return block
    return ""


def shapes(text):
    """Its lines without empty ones, a # for each number, however wide."""
    text = re.sub(r"\b(0x)?[0-9a-f]*\d[0-9a-f]*\b", "#", text)
    return [" ".join(line.split()) for line in text.split("\n") if line.strip()]


def check_transcript(name, text):
    """The page shows all lines but those that it says are left out: "..."."""
    wanted = shapes(transcript(name))
    left_out = r"(?:.*\n)+?"
    pattern = "".join(left_out if line == "..." else re.escape(line) + r"\n"
                      for line in wanted)
    got = shapes(text)
    assert not wanted or re.fullmatch(pattern, "\n".join([*got, ""])), "\n".join(
        difflib.unified_diff(wanted, got, "the page", name, lineterm=""))


@test()
def test_tour_without_a_person():
    """At the end of the input they go on, say what their pages show, and leave
    nothing behind."""
    with Machine(cpus=1) as m:
        for name in PROGRAMS:
            text, status = m.call(f"echo | {name}")
            assert status == 0 and "(Enter)" in text, (name, text)
            check_transcript(name, text)
        assert "all is right" in m.run("memcheck")


@test(quick=True)
def test_tour_is_described():
    """Each program has a page that shows it, and the index leads to it."""
    folder = os.path.join(TOP, "docs", "tour")
    with open(os.path.join(folder, "README.md")) as f:
        index_page = f.read()
    for name in PROGRAMS:
        page = name.replace("tour_", "") + ".md"
        assert f"`{name}`" in described(name), page
        if ARCH == "riscv" or name in SHOWN_OF_X86:
            assert transcript(name), page
        assert f"]({page})" in index_page, page


@test()
def test_trace_of_the_tour_of_fork():
    """The child's write makes a copy, the parent's none: by the trace ring."""
    m, port = attached()
    with m:
        where = re.search(r"\[(\d+)\] a page of data is at (0x\w+)",
                          m.run("echo | tour_fork"))
        g = Gdb(m, port)
        events = [(int(pid), kind) for pid, kind in re.findall(
            rf"pid +(\d+) (\w+) +{int(where[2], 16):#x} ", g.do("events 1000"))]
        g.leave()
    parent = int(where[1])
    assert [kind for pid, kind in events if pid == parent][-1] == "fault_reuse"
    assert any(kind == "fault_copy" and pid > parent for pid, kind in events)
