"""The gdb commands of tools/gdb: what they show is what the guest says."""

import json
import os
import re
import shutil
import tempfile

import pexpect

from pagewise import (TOP, Machine, environment, facts, free_port, gdb_program,
                      log_path, make, once, path, test)
from tables import reported, without_names

PROMPT = r"\(gdb\) "
ENDS = re.compile(r"0x[0-9a-f]+")


class Gdb:
    """A gdb that holds a running machine."""

    def __init__(self, m, port):
        self.m = m
        gdb = gdb_program()
        assert gdb, "no gdb that knows the target"
        self.child = pexpect.spawn(
            gdb, ["-q", "-nx", path("kernel.elf")], cwd=TOP, timeout=60,
            encoding="utf-8", env=dict(environment(), TERM="dumb"),
            dimensions=(100, 200), logfile=open(log_path(".gdb.log"), "w"))
        self.child.delaybeforesend = None
        self.child.expect(PROMPT)
        for line in ("set confirm off", "set pagination off", "set width 0",
                     "set style enabled off", "source tools/gdb/pagewise.py",
                     f"target remote :{port}"):
            self.do(line)

    def do(self, command):
        """What gdb says to a command."""
        self.child.sendline(command)
        self.child.expect(PROMPT)
        return self.child.before.replace("\r", "").split("\n", 1)[1]

    def number(self, expression):
        """Its value; a register's bits as an unsigned number."""
        return int(re.search(r"= (\w+)", self.do(f"p/x {expression}"))[1], 16)

    def go(self, typed):
        """Let the machine run, type a line there, and wait for the next stop."""
        self.child.sendline("c")
        self.child.expect("Continuing")
        self.m.send(typed)
        self.child.expect(PROMPT)
        return self.child.before

    def leave(self):
        self.do("delete")
        self.child.sendline("detach")
        self.child.expect(PROMPT)
        self.child.close(force=True)


def attached(cpus=1):
    port = free_port()
    m = Machine(cpus=cpus, extra=("-gdb", f"tcp::{port}"))
    return m, port


def ranges(text):
    """(start, end) of the lines of a listing that begin with a range."""
    found = []
    for line in text.split("\n"):
        ends = re.match(r"\s*(?:0x)?([0-9a-f]{5,})[- ]+(?:0x)?([0-9a-f]{5,})", line)
        if ends:
            found.append((int(ends[1], 16), int(ends[2], 16)))
    return found


@test()
def test_listings():
    """ps, threads, vmmap, walk, frame-owner, events: of the shell, process 2."""
    m, port = attached(cpus=2)
    with m:
        said = m.run("vmmap 2")
        g = Gdb(m, port)
        listing = g.do("ps")
        assert re.search(r"\b1 +0 alive +1 0x\w+ +init", listing), listing
        assert re.search(r"\b2 +1 alive +1 0x\w+ +sh", listing), listing
        assert re.search(r"2 +2 sleeping .* tty input +sh", g.do("threads"))
        mine = g.do("vmmap 2")
        assert ranges(mine) and ranges(mine) == ranges(said), (mine, said)
        for name in ("text", "data", "stack", "heap", "guard"):
            assert name in mine and name in said, name
        stack = next(e for line, (_, e) in zip(
            [s for s in mine.split("\n") if ranges(s)], ranges(mine))
            if line.endswith("stack"))
        way = g.do(f"walk {stack - 8:#x} 2")
        pa = re.search(r"physical address (0x\w+)  stack", way)
        assert pa and way.count("level") >= 2, way
        owner = g.do(f"frame-owner {pa[1]}")
        assert re.search(r"user, [1-9]\d* holders", owner), owner
        assert re.search(r"process 2 stack", owner), owner
        assert re.search(r"0x\w+ \S+ kernel", owner), owner
        assert "not valid: nothing" in g.do("walk 0x70000000 2")
        for va, translated in facts.FAR.items():
            said = g.do(f"walk {va:#x}ULL 2")
            assert ("level" in said) == translated, said
            assert ("no table translates" in said) == (not translated), said
        assert re.search(r"physical address 0x\w+", g.do("walk main 0"))
        events = g.do("events 1000")
        for kind in ("fork", "exec", "exit", "fault_copy", "fault_zero"):
            assert kind in events, events
        table = g.do("pgtbl 2")
        assert all(any(a < e and s < b for a, b in ranges(table))
                   for s, e in [(stack - 8, stack)]), table
        for wrong in ("walk", "vmmap 77", "frame-owner 1", "watch-pte 2"):
            answer = g.do(wrong)
            assert "Python" not in answer and "Traceback" not in answer, answer
        g.leave()
        assert m.run("echo on") == "on"


@test()
def test_backtrace_into_the_program():
    """From a system call; and over an interrupt in the kernel."""
    m, port = attached()
    with m:
        g = Gdb(m, port)
        g.do("b sys_write")
        g.go("x")
        way = g.do("bt")
        for name in ("sys_write", "syscall", "write", "edit_line", "main",
                     "start"):
            assert re.search(rf"#\d+ .*\b{name} \(", way), (name, way)
        assert "user/lib/start.c" in way, way
        g.do("delete")
        g.do("b kerneltrap")
        g.do("c")
        way = g.do("bt")
        # over the trap frame, to what was interrupted, and on from there
        assert "#3 " in way and "Cannot access" not in way, way
        g.leave()


# What the shell does while somebody types, and it is not far.
EDITING = (["write", "edit_line"], ["read", "read_byte", "edit_line"])


def crosses(g, names):
    """Does a backtrace from here get to these functions of the program?"""
    way = g.do("bt 9" if names in EDITING else "bt")
    at = [way.find(f" {name} (") for name in names]
    assert -1 not in at and at == sorted(at), (g.do("x/i $pc"), way)


def step_through(g, where, names):
    """Run to an address, and go on by single instructions until C or the program
    is reached: from each a backtrace crosses. Returns how many there were."""
    g.do("delete")
    g.do(f"tbreak *{where}")
    g.do("c")
    assert g.do(f"p $pc == {where.split(' if ')[0]}").endswith("= 1\n"), where
    steps = 0
    while g.do(f"p {facts.USER_MODE}").endswith("= 0\n") and \
            '.c"' not in g.do("info line *$pc"):
        crosses(g, names)
        g.do("delete")
        for command in facts.STEPS.get(g.do("x/i $pc").split()[-1], ["stepi"]):
            g.do(command)
        steps += 1
        assert steps < 200, where
    crosses(g, names)
    return steps


@test(timeout=240)
def test_backtrace_in_the_crossing():
    """At each instruction between the program and the kernel's C, on both ways."""
    m, port = attached()
    with m:
        g = Gdb(m, port)
        g.do("b sys_write")
        g.go("x")  # the shell writes it, and reads what is typed next
        for where, names in zip(facts.CALL_CROSSINGS, EDITING):
            assert step_through(g, where, names) >= 5
        g.do("delete")
        g.do("b sys_fork")
        g.go("\n")  # there is no command x: known after fork
        for where in facts.FAULT_CROSSINGS:
            assert step_through(g, where, ["main", "start"]) >= 5
        g.leave()


@test()
def test_watch_pte():
    """fork takes the right to write from the parent's pages."""
    m, port = attached()
    with m:
        g = Gdb(m, port)
        stack = [line for line in g.do("vmmap 2").split("\n")
                 if line.endswith("stack")][0]
        top = int(ENDS.findall(stack)[1], 16)
        answer = g.do(f"watch-pte 2 {top - 4096:#x}")
        assert "Hardware watchpoint" in answer, answer
        stop = g.go("ps\n")
        assert "Hardware watchpoint" in stop and "Old value" in stop, stop
        old, new = re.findall(r"value = \w+ \((\S+) ->", stop)
        assert "w" in old and "w" not in new, stop
        g.leave()


@test()
def test_printers():
    m, port = attached()
    with m:
        g = Gdb(m, port)
        assert "(not valid)" in g.do("p (pte_t)2")
        way = g.do("walk main 0")
        pte, flags = re.findall(r": (0x\w+) (\S+) -> ", way)[-1]
        page = int(re.search(r"physical address (\w+)", way)[1], 16) \
            & -facts.PGSIZE
        assert re.search(rf"{pte} \({re.escape(flags)} -> 0x\w+\)",
                         g.do(f"p (pte_t){pte}"))
        assert facts.pte2pa(int(pte, 16)) <= page
        assert re.search(r"list of \d+, first 0x", g.do("p spaces"))
        assert "<main+0>" in g.do("p (vaddr_t)main")
        g.leave()


@test()
def test_symbols_of_the_program():
    """They are those of the program that runs where gdb has stopped."""
    m, port = attached()
    with m:
        g = Gdb(m, port)
        g.do("b sys_write")
        g.go("x")
        assert "user/bin/sh/edit.c" in g.do("info address edit_line") + \
            g.do("info line edit_line")
        g.do("delete")
        g.do("b sys_meminfo")  # `free` asks for that
        g.go("\x15free\n")  # in place of the x
        way = g.do("bt")
        assert "user/bin/free.c" in way and "user/bin/sh" not in way, way
        assert "No symbol" in g.do("info line edit_line") \
            or "not defined" in g.do("info line edit_line")
        g.leave()


@test()
def test_pgtbl():
    """The leaves of a table, in order: those that the guest lists, of init, which
    sleeps, and of the kernel."""
    m, port = attached()
    with m:
        said = {pid: without_names(reported(m, who)[1])
                for pid, who in ((1, "1"), (0, "-k"))}
        g = Gdb(m, port)
        for pid, leaves in said.items():
            text = g.do(f"pgtbl {pid}")
            runs = re.findall(r"^(0x\w+)-(0x\w+) -> (0x\w+) (\S+) \d+ (?:super)?pages",
                              text, re.M)
            mine = {int(start, 16) + n: int(pa, 16) + n
                    for start, end, pa, _ in runs
                    for n in range(0, int(end, 16) - int(start, 16), facts.PGSIZE)}
            wanted = {va: pa for va, (pa, _) in leaves.items()}
            # The kernel's stacks may be more by now.
            assert wanted.items() <= mine.items(), text
            assert pid == 0 or all(va in wanted or va >= facts.KERNEL_BEGINS
                                   for va in mine), text
            assert list(mine) == sorted(mine), text
            assert all(facts.VALID in flags for *_, flags in runs), text
        g.leave()


def vscode(name):
    with open(os.path.join(TOP, ".vscode", name + ".json")) as f:
        return json.load(f)


@test(quick=True)
@once
def test_vscode_files():
    """Each names what there is: tasks, targets, a port, files."""
    tasks = {task["label"]: task for task in vscode("tasks")["tasks"]}
    for task in tasks.values():
        program, *words = task["command"].split()
        assert program == "make", task
        said, status = make("-n", *words, check=False)
        assert status == 0, (task, said)
    for start in vscode("launch")["configurations"]:
        task = tasks[start["preLaunchTask"]]
        said, _ = make("-n", *task["command"].split()[1:])
        ready = task["problemMatcher"]["background"]["endsPattern"]
        assert any(re.search(ready, line) for line in said.split("\n")), said
        host, port = start["miDebuggerServerAddress"].split(":")
        assert host == "localhost" and f"-gdb tcp::{port}" in said
        for file in start["program"], start["setupCommands"][0]["text"].split()[1]:
            # made by the task
            name = file.replace("${workspaceFolder}/", "")
            assert name in said or name in make("-n", "-B", name)[0], name


@test()
def test_vscode_session():
    """gdb as VS Code drives it (gdb/MI), with its set-up commands."""
    make(".gdbinit")
    start = vscode("launch")["configurations"][0]
    m, port = attached()
    with m:
        child = pexpect.spawn(
            gdb_program(), ["-q", "-nx", "--interpreter=mi", path("kernel.elf")],
            cwd=TOP, timeout=60, encoding="utf-8", env=environment(),
            logfile=open(log_path(".gdb.log"), "w"))
        child.expect(r"\(gdb\) ")
        for command in start["setupCommands"]:
            text = command["text"].replace("${workspaceFolder}", TOP)
            child.sendline(f'-interpreter-exec console "{text}"')
            child.expect(r"\^(done|error[^\n]*)")
            assert child.match[1] == "done", child.match[1]
        child.sendline(f"-target-select remote :{port}")
        child.expect(r"\^connected")
        child.sendline('-interpreter-exec console "walk main 0"')
        child.expect(r'~"  physical address 0x[0-9a-f]+')
        child.expect(r"\^done")
        child.sendline("-break-insert sys_write")
        child.expect(r"\^done,bkpt")
        child.sendline("-exec-continue")
        child.expect(r"\^running")
        m.send("x")
        child.expect(r'\*stopped,reason="breakpoint-hit"')
        child.sendline("-stack-list-frames")
        child.expect(r'func="syscall".*func="edit_line".*func="start"')
        child.close(force=True)


@test(quick=True)
def test_gdbinit_without_the_commands():
    """Away from the tree the generated file does the rest all the same."""
    make(".gdbinit")
    with tempfile.TemporaryDirectory() as folder:
        shutil.copy(os.path.join(TOP, ".gdbinit"), folder)
        out = pexpect.run(
            f"{gdb_program()} -q -nx -batch -ex 'source .gdbinit' "
            "-ex 'show confirm'", cwd=folder, encoding="utf-8", timeout=60)
    assert "off" in out.split("\n")[-2], out
