"""The explorer reads a machine's memory from outside, and must see what the
machine's own tools see.

The machine stands still while the explorer looks, unless a test says otherwise.
tests/boot/tables.py says what pgtbl and vmmap showed; here the explorer's walk,
its regions and its totals are held against that.
"""

import json
import os
import random
import re
import shutil
import subprocess
import zlib

from pagewise import (ARCH, BUILD, FOLDER, PATIENCE, TOP, Machine, Failure, log_path,
                      make, path, test)
from pages import built
from tables import (PGSIZE, R, U, V, W, X, check_free, facts, regions, reported,
                    start_background, wait_asleep)

EXPLORE = os.path.join(TOP, BUILD, "host", "explore", "explore")
KERNEL = path("kernel.elf")
LETTERS = {"r": R, "w": W, "x": X, "u": U}
GUARD, SUPER, TRAMPOLINE, WRITABLE = 64, 1, 16, 128
FAULTS = ("total", "refused", "zero", "copy", "reuse", "file", "super")
NEEDS = ("explorer", "explorer-checked")


def explore(*arguments, text="", status=0):
    """Run the explorer; what it printed, and its messages about errors."""
    done = subprocess.run([EXPLORE, *arguments], input=text, text=True,
                          capture_output=True, timeout=60 * PATIENCE)
    if done.returncode != status:
        raise Failure(f"explore {arguments}: status {done.returncode}:\n"
                      f"{done.stderr[-2000:]}")
    return done.stdout, done.stderr


class Explored(Machine):
    """A machine whose RAM is a file that the explorer maps."""

    def __init__(self, mem="128M", **options):
        built()
        self.ram = log_path(".ram")
        size = f"id=ram,size={mem},mem-path={self.ram},share=on"
        super().__init__(mem=mem, qmp=True, extra=[
            "-object", "memory-backend-file," + size,
            "-machine", "memory-backend=ram"], **options)

    def kill(self):
        super().kill()
        if os.path.exists(self.ram):
            os.unlink(self.ram)

    def see(self):
        """The explorer's hello and state."""
        out, _ = explore("--json", "--live", KERNEL, self.ram)
        return [json.loads(line) for line in out.splitlines()]

    def ask(self, requests, where=None):
        """Its answers."""
        out, _ = explore("--ask", *(where or ("--live", KERNEL, self.ram)),
                         text="".join(json.dumps(r) + "\n" for r in requests))
        return [json.loads(line) for line in out.splitlines()]

    def still(self):
        """A block in which the machine stands still."""
        return Still(self)


class Still:
    def __init__(self, machine):
        self.machine = machine

    def __enter__(self):
        self.machine.monitor("stop")

    def __exit__(self, *error):
        self.machine.monitor("cont")


# --- damaged files ---

CHECKED = os.path.join(TOP, BUILD, "host", "explore", "explore-checked")
MAGIC, CRC, HEADER = b"PGWSNAP1", 12, 20
REQUESTS = "".join(json.dumps(r) + "\n" for r in (
    {"op": "table", "pid": 0}, {"op": "walk", "pid": 1, "va": "0x1000"},
    {"op": "frame", "pa": "0x80100000"}, {"op": "table", "pid": 2, "pa": "0"},
    {"op": "walk", "pid": "x"}, [], {"op": 3}))


def packed(content):
    """A snapshot whose checksum is right."""
    body = len(content).to_bytes(8, "little") + zlib.compress(content, 1)
    return MAGIC + zlib.crc32(body).to_bytes(4, "little") + body


def mutated(data, rng, limit):
    """Some bytes of the first `limit` are others; or the end is missing."""
    data = bytearray(data)
    for _ in range(rng.choice((1, 2, 8, 64))):
        at = rng.randrange(min(limit, len(data)))
        n = rng.choice((1, 1, 2, 4, 8))
        value = rng.choice((rng.randbytes(n), b"\xff" * n, b"\0" * n))
        data[at:at + n] = value
    if rng.randrange(8) == 0:
        del data[rng.randrange(len(data)):]
    return bytes(data)


def survives(*arguments, text=""):
    """The explorer ends with or without an error, in its own words."""
    done = subprocess.run(
        [CHECKED, *arguments], input=text, text=True, capture_output=True,
        timeout=100 * PATIENCE, errors="replace",
        env={**os.environ, "ASAN_OPTIONS": "exitcode=99:detect_leaks=0",
             "UBSAN_OPTIONS": "halt_on_error=1:exitcode=99"})
    if done.returncode not in (0, 1) or "ERROR: " in done.stderr:
        raise Failure(f"explore {arguments}: status {done.returncode}\n"
                      f"{done.stderr[-3000:]}")
    assert done.returncode == 0 or done.stderr.startswith("explore: "), \
        done.stderr
    return done.returncode


def space_of(state, pid):
    found = [s for s in state["spaces"] if s["pid"] == pid]
    assert len(found) == 1, (pid, [s["pid"] for s in state["spaces"]])
    return found[0]


def bits(rights):
    return sum(bit for letter, bit in LETTERS.items() if letter in rights)


def pages_of(space):
    """{va: (pa, kind, flags)} of all that is there."""
    pages = {}
    for r in space["regions"]:
        for first, count, kind, pa, flags in r["runs"]:
            if pa is None:
                continue
            for i in range(count):
                va = int(r["start"], 16) + (first + i) * PGSIZE
                assert va not in pages, hex(va)
                pages[va] = (int(pa, 16) + i * PGSIZE, kind, flags)
    return pages


def check_space(m, state, pid, said, listed):
    """What is shown of a process is what pgtbl and vmmap said."""
    root, leaves = said
    space = space_of(state, pid)
    assert space["consistent"]
    assert int(space["root"], 16) == root
    assert {va: pa for va, (pa, _, _) in pages_of(space).items()} == \
        {va: pa for va, (pa, _, name) in leaves.items() if name != "kernel"}
    assert {va: bool(flags & WRITABLE) for va, (_, _, flags) in pages_of(space).items()} == \
        {va: bool(rights & W) for va, (_, rights, name) in leaves.items() if name != "kernel"}
    shown = [(int(r["start"], 16), int(r["end"], 16), bits(r["rights"]),
              r["what"]) for r in space["regions"]
             if r["what"] not in ("trampoline", "trapframe")]
    assert shown == listed
    for r in space["regions"]:
        size = (int(r["end"], 16) - int(r["start"], 16)) // PGSIZE
        at = 0
        for first, count, _, _, flags in r["runs"]:
            assert first == at and count > 0
            at += count
            assert bool(flags & GUARD) == (r["what"] == "guard")
        assert at == size, r


def counted(text):
    """The page faults that `free` or `vmmap` counts: {name in a message: n}."""
    counts = re.search(r"^page faults (\d+), refused (\d+)\r*\n  zeros (\d+), copied (\d+), "
                       r"reused (\d+), files (\d+), superpages (\d+)\r*$", text, re.M)
    return dict(zip(FAULTS, map(int, counts.groups())))


def check_totals_of_faults(state, said):
    """What was counted when `free` said it, and what has come since; nothing
    that is refused."""
    shown = {kind: state["counters"][f"faults_{kind}".removesuffix("_total")]
             for kind in FAULTS}
    assert all(shown[kind] >= said[kind] > 0 for kind in FAULTS), (shown, said)
    assert shown["refused"] == said["refused"], (shown, said)


def check_walks(m, pid, said, listed):
    """Each page, those beside, and those that no table translates."""
    _, leaves = said
    ends = {at for start, end, _, _ in listed for at in (start, end - PGSIZE,
                                                          end)}
    asked = sorted(set(leaves) | ends | {va + PGSIZE for va in leaves} |
                   {1 << 63, (1 << 64) - 1})
    asked = [va | (va >> 12 & 0xfff) for va in asked if va < 1 << 64]
    answers = m.ask([{"id": i, "op": "walk", "pid": pid, "va": hex(va)}
                     for i, va in enumerate(asked)])
    assert [a["id"] for a in answers] == list(range(len(asked)))
    for va, a in zip(asked, answers):
        page, offset = va & -PGSIZE, va % PGSIZE
        if page in leaves:
            pa, rights, name = leaves[page]
            assert int(a["result"], 16) == pa + offset, (hex(va), a)
            assert a["steps"][-1]["kind"] == "leaf"
            assert facts.spelled(a["steps"][-1]["flags"][1:]) == rights, \
                (hex(va), a)
            assert (a["reason"] == "") == bool(rights & U), a
        else:
            assert a["result"] is None and a["reason"], (hex(va), a)


def check_totals(state, machine_ram):
    owners = state["owners"]
    assert sum(owners.values()) == state["ram"]["frames"]
    in_blocks = sum(n << order for order, n in enumerate(state["free_blocks"]))
    assert in_blocks == owners["free"], "free frames are in blocks or alone"
    facts.check_memory_kib(machine_ram >> 10,
                           state["ram"]["frames"] * PGSIZE >> 10)


def hold(m):
    """Two processes with memory of every kind."""
    m.start("holdmem &")
    m.expect(rb"(\d+) (\d+) held\r*\n", timeout=60)
    pids = int(m.match.group(1)), int(m.match.group(2))
    m.send("\n")
    m.run("true")
    wait_asleep(m.run, *pids)
    return pids


def check_processes(**options):
    """Walks, regions and totals of processes with all kinds of memory."""
    with Explored(**options) as m:
        pids = [1, start_background(m, "sleep 1000"), *hold(m),
                start_background(m, "sh -c 'sleep 1000; echo'")]
        wait_asleep(m.run, *pids)
        said = {pid: reported(m, pid) for pid in pids}
        listed = {pid: regions(m, pid) for pid in pids}
        faults = {pid: counted(m.run(f"vmmap {pid}")) for pid in pids}
        m.call("crash heap")
        all_faults = counted(m.run("free"))
        with m.still():
            hello, state = m.see()
            assert hello["missing"] == [], hello
            assert hello["kernel"] in m.booted, hello
            assert hello["live"] and len(hello["bits"]) == hello["levels"]
            check_totals(state, 128 << 20)
            for pid in pids:
                check_space(m, state, pid, said[pid], listed[pid])
                check_walks(m, pid, said[pid], listed[pid])
                assert space_of(state, pid)["faults"] == faults[pid], pid
            check_totals_of_faults(state, all_faults)
        check_free(m, 128 << 20)


@test(quick=True)
def test_explorer_sees_processes():
    check_processes()


@test(quick=True)
def test_far_addresses():
    """Those that no table translates are not looked up in one."""
    with Explored() as m:
        with m.still():
            answers = m.ask([{"id": i, "op": "walk", "pid": 1, "va": hex(va)}
                             for i, va in enumerate(facts.FAR)])
        said = {int(a["va"], 16): bool(a["steps"]) for a in answers}
        assert said == facts.FAR, answers


@test(quick=True)
def test_kernel_in_a_process():
    """Where a process's table has the kernel's memory, that is what is there."""
    with Explored() as m:
        with m.still():
            a, = m.ask([{"id": 1, "op": "walk", "pid": 1,
                         "va": hex(facts.KERNEL_TEXT)}])
        assert a["what"] == facts.KERNEL_TEXT_IN_A_PROCESS, a
        assert bool(a["result"]) == bool(a["what"]), a
        assert a["reason"], a


@test()
def test_explorer_sees_the_kernel():
    """The kernel's own table, devices and stacks included."""
    with Explored() as m:
        root, leaves = reported(m, "-k")
        with m.still():
            _, state = m.see()
            space = space_of(state, 0)
            assert int(space["root"], 16) == root
            pages = pages_of(space)
            # pgtbl itself had a stack when it looked.
            assert {va: pa for va, (pa, _, name) in leaves.items()
                    if not name.startswith("stack")}.items() <= \
                {va: pa for va, (pa, _, _) in pages.items()}.items()
            assert {va for va in pages if va not in leaves} == set()
            stacks = [r for r in space["regions"] if r["what"] == "stack"]
            for r in stacks:
                below = [g for g in space["regions"] if g["end"] == r["start"]]
                assert below and below[0]["what"] == "guard", r
                assert below[0].get("of") == r.get("of"), r
            # Each process's thread has one, in its name.
            assert sorted(r["of"] for r in stacks if "of" in r) == sorted(
                f"{s['name']} [{s['pid']}]" for s in state["spaces"] if s["pid"])


@test(quick=True)
def test_explorer_tells_who_shares():
    """After fork two have a frame until one writes: the point of it all."""
    with Explored() as m:
        inode = int(m.run("ls -l holdmem").split()[2])
        parent, child = hold(m)
        with m.still():
            _, state = m.see()
            one, other = (pages_of(space_of(state, p)) for p in (parent, child))
            heap = [r for r in space_of(state, parent)["regions"]
                    if r["what"] == "heap"][0]
            at = int(heap["start"], 16)
            kinds = [(one[va][1], other[va][1], one[va][0] == other[va][0])
                     for va in (at, at + PGSIZE, at + 2 * PGSIZE)]
            assert kinds == [("cow", "cow", True), ("private", "private", False),
                             ("cow", "cow", True)], kinds
            shared = {va for va, page in one.items() if page[1] == "shared"}
            assert len(shared) == 3 and all(other[va] == one[va]
                                            for va in shared)
            zeros = [va for va, page in one.items() if page[1] == "zero"]
            assert len(zeros) == 3 and len({one[va][0] for va in zeros}) == 1
            assert any(page[2] & SUPER for page in one.values())
            files = [r for r in space_of(state, parent)["regions"] if r["file"]]
            assert len(files) >= 2, "the program and what it mapped"
            assert [r["file"] for r in files if r["what"] == "text"] == [inode], files
            # Who has the frame, from the frame's side.
            answer, gone = m.ask([{"op": "frame", "pa": hex(one[at][0])},
                                  {"op": "frame", "pa": "0xfffffffff000"}])
            assert answer["owner"] == "user" and answer["class"] == "cow"
            assert {(a["pid"], int(a["va"], 16)) for a in answer["maps"]} >= \
                {(parent, at), (child, at)}, answer
            assert "error" in gone
            kinds = {kind for _, _, _, kind, _, _ in state["events"]}
            assert {"fork", "exec", "fault_copy"} <= kinds, kinds


@test()
def test_explorer_under_load():
    """Processes that stand still look the same while others do not, and whatever
    changes underneath, there is an answer."""
    with Explored() as m:
        pids = [1, *hold(m)]
        said = {pid: reported(m, pid) for pid in pids}
        listed = {pid: regions(m, pid) for pid in pids}
        for _ in range(2):
            start_background(m, "sh -c 'while :; do ls | sort | cat > /listed;"
                                " done'")
        torn = 0
        for i in range(40):
            _, state = m.see()
            for pid in pids:
                check_space(m, state, pid, said[pid], listed[pid])
            torn += any(not s["consistent"] for s in state["spaces"])
        with m.still():
            _, state = m.see()
            for pid in pids:
                check_walks(m, pid, said[pid], listed[pid])
        assert torn < 40, "each time something could not be read"
        assert m.run("memcheck", timeout=60).endswith("all is right")


@test(quick=True)
def test_snapshot():
    """A snapshot shows what the machine showed, without kernel file and RAM."""
    kept = log_path(".snap")
    with Explored() as m:
        parent, _ = hold(m)
        with m.still():
            hello, state = m.see()
            explore("--snapshot", kept, "--live", KERNEL, m.ram)
            requests = [{"op": "table", "pid": parent},
                        {"op": "walk", "pid": parent, "va": "0x1008"},
                        {"op": "walk", "pid": 0, "va": hex(facts.KERNEL_START)}]
            answers = m.ask(requests)
            assert m.ask(requests, [kept]) == answers
        out, _ = explore("--json", kept)
        again, state_again = [json.loads(line) for line in out.splitlines()]
        assert not again.pop("live") and hello.pop("live")
        assert again == hello and state_again == state
        assert os.path.getsize(kept) < 4 << 20


@test(timeout=400)
def test_damaged_snapshots():
    """Whatever is in a snapshot, it is shown or refused."""
    kept, bad = log_path(".snap"), log_path(".bad")
    built("explorer-checked")
    with Explored() as m:
        hold(m)
        with m.still():
            explore("--snapshot", kept, "--live", KERNEL, m.ram)
    with open(kept, "rb") as f:
        whole = f.read()
    content = zlib.decompress(whole[HEADER:])
    assert packed(content)[:4] == whole[:4]
    rng = random.Random(int(os.environ.get("SEED", "1")))
    refused = 0
    for i in range(int(os.environ.get("ROUNDS", "24"))):
        if i % 6 == 0:
            data = mutated(whole, rng, len(whole))
        elif i % 6 == 1:
            data = packed(mutated(content, rng, 6000))  # the layout
        else:
            data = packed(mutated(content, rng, len(content)))
        with open(bad, "wb") as f:
            f.write(data)
        refused += survives("--json", bad)
        survives("--ask", bad, text=REQUESTS)
    assert refused > 0
    for data in (b"", MAGIC, packed(b""), packed(content[:3000]), b"\x7fELF"):
        with open(bad, "wb") as f:
            f.write(data)
        assert survives("--json", bad) == 1
    os.unlink(bad)


def unseen(ram):
    """Why nothing is shown of it."""
    out, _ = explore("--json", "--live", KERNEL, ram)
    state = json.loads(out.splitlines()[1])
    assert not state["spaces"] or not state["unseen"], state
    return state["unseen"]


@test()
def test_memory_of_another_kernel():
    """What lies elsewhere, as with another build, is not shown as if it were so."""
    with Explored(cpus=1) as m:
        other = log_path(".other")
        with m.still():
            assert unseen(m.ram) == ""
            for moved in (PGSIZE, 16 * PGSIZE):
                with open(m.ram, "rb") as f, open(other, "wb") as to:
                    f.seek(moved)
                    to.write(f.read())
                assert unseen(other), moved
        os.unlink(other)


@test(timeout=400)
def test_kernel_of_clang():
    """What clang says of a kernel is understood, too: nothing is missing."""
    if not (shutil.which("clang") and shutil.which("ld.lld")):
        print("clang is not installed")
        return
    build = os.path.join(BUILD, f"test-{ARCH}-explore-clang")
    make("-j2", "kernel", "LLVM=1", build=build)
    ram = log_path(".ram")
    with open(ram, "wb") as f:
        f.truncate(16 << 20)
    said, _ = explore("--json", "--live", os.path.join(TOP, build, FOLDER, "kernel.elf"),
                      ram)
    assert json.loads(said.splitlines()[0])["missing"] == []
    os.unlink(ram)


@test(timeout=400)
def test_wrong_kernels():
    """A file that is no kernel, or a damaged one, is refused or read; a kernel
    that is not the one that runs shows nothing that is not there."""
    ram, bad = log_path(".ram"), log_path(".elf")
    built("explorer-checked")
    with open(ram, "wb") as f:
        f.truncate(16 << 20)
    assert survives("--json", "--live", KERNEL, ram) == 0, "not booted yet"
    assert "has not started, or this is not its memory" in unseen(ram)
    with open(ram, "wb") as f:
        f.write(b"\x10\x20\x30\x80" * (4 << 20))
    assert "not the memory of this kernel" in unseen(ram)
    with open(ram, "wb") as f:
        f.truncate(16 << 20)
    for path_of in (__file__, "/", "/nonexistent", ram, EXPLORE,
                    path("user", "init")):
        assert survives("--json", "--live", path_of, ram) == 1, path_of
    with open(KERNEL, "rb") as f:
        elf = f.read()
    rng = random.Random(int(os.environ.get("SEED", "1")))
    for i in range(int(os.environ.get("ROUNDS", "24"))):
        with open(bad, "wb") as f:
            f.write(mutated(elf, rng, 1000 if i % 3 == 0 else len(elf)))
        survives("--json", "--live", bad, ram)
    for name in (ram, bad):
        os.unlink(name)
