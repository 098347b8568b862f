"""The gdb commands of tools/gdb: what they show is what the guest says."""

import contextlib
import json
import os
import re
import shutil
import signal
import subprocess
import tempfile

import pexpect

from child import Child
from pagewise import (ARCH, BUILD, PATIENCE, TOP, Machine, cases, environment, facts,
                      free_port, gdb_program, log_path, make, once, only, path, test)
from tables import shift

PROMPT = r"\(gdb\) "
ENDS = re.compile(r"0x[0-9a-f]+")


class Gdb:
    """A gdb that holds a running machine."""

    def __init__(self, m, port):
        self.m = m
        gdb = gdb_program()
        assert gdb, "no gdb that knows the target"
        self.child = Child(
            gdb, ["-q", "-nx", path("kernel.elf")], cwd=TOP, timeout=60 * PATIENCE,
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

    def wait_for_shell(self):
        """Let the machine run until the shell, process 2, sleeps for what is typed:
        it has printed its prompt a little before."""
        while not re.search(r"2 +2 sleeping .* tty input +sh", self.do("threads")):
            self.do("tbreak timer_rearm")  # as a CPU gets nothing to do
            self.do("c")

    def leave(self):
        self.do("delete")
        self.child.sendline("detach")
        self.child.expect(PROMPT)
        self.child.end()


def attached(cpus=1, extra=(), wait=True, append=""):
    port = free_port()
    m = Machine(cpus=cpus, extra=("-gdb", f"tcp::{port}", *extra), wait=wait,
                append=append)
    return m, port


@contextlib.contextmanager
def held(cpus=1, append=""):
    """A gdb that holds a machine until the end."""
    m, port = attached(cpus=cpus, append=append)
    with m:
        g = Gdb(m, port)
        g.wait_for_shell()
        yield g
        g.leave()


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
        g.wait_for_shell()
        listing = g.do("ps")
        assert re.search(r"\b1 +0 alive +1 0x\w+ +init", listing), listing
        assert re.search(r"\b2 +1 alive +1 0x\w+ +sh", listing), listing
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
        g.leave()
        assert m.run("echo on") == "on"


# Words that each command takes, of the shell.
COMMANDS = {"ps": "", "threads": "", "vmmap": "2", "pgtbl": "2", "walk": "0x1000 2",
            "frame-owner": hex(facts.KERNEL_START), "watch-pte": "2 0x1000",
            "events": "5"}
WRONG = ("abc", "-3", "1.5", "0xffffffffffffffffff", "0x1000000000000000", "sys_write",
         "cpus", "cpus[0]", "*(int*)0x70000000", "$nosuch", "(", '"', '""', "'x", "''", "[]")


def plain(answer):
    """What a command says to wrong words: one sentence, not what Python says."""
    assert "Python" not in answer and "Traceback" not in answer, answer
    assert answer.strip() and answer.count("\n") == 1, answer
    return answer.strip()


@test()
def test_without_a_machine():
    """A gdb that is connected to nothing, and one that has read no kernel."""
    for kernel, says in ((path("kernel.elf"), "this takes QEMU's gdb server"),
                         ("", "No symbol table is loaded")):
        for command, words in COMMANDS.items():
            done = subprocess.run(
                [gdb_program(), "-q", "-nx", "-batch",
                 "-ex", "source tools/gdb/pagewise.py", "-ex", f"{command} {words}",
                 *filter(None, [kernel])], cwd=TOP, env=dict(environment(), TERM="dumb"),
                stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                stderr=subprocess.STDOUT, text=True, timeout=60 * PATIENCE)
            assert plain(done.stdout).startswith(says), (command, done.stdout)


@test()
def test_before_the_kernel_has_started():
    """Nothing is there to be shown; and then, step by step, what is."""
    m, port = attached(extra=("-S",), wait=False)
    with m:
        g = Gdb(m, port)
        for place in ("kvminit", "kvminithart"):
            for command, words in COMMANDS.items():
                assert plain(g.do(f"{command} {words}")) == \
                    "the kernel has not started", command
            assert "Python" not in g.do("bt")
            g.do(f"tbreak {place}")
            g.do("c")
        assert "kvminithart" in g.do("bt 1")
        # The kernel has its table, and not yet its lists of processes.
        assert "physical address" in g.do("walk main 0")
        assert ranges(g.do("pgtbl 0"))
        assert g.do("ps").count("\n") == g.do("threads").count("\n") == 1
        assert plain(g.do("vmmap 2")) == "no process 2"
        g.leave()
        m.wait_prompt()
        assert m.run("echo on") == "on"


@test()
def test_wrong_words():
    """Each is answered by a sentence, whichever command gets it and where."""
    with held() as g:
        for command, usage in COMMANDS.items():
            assert "usage: " in plain(g.do(f"{command} 1 2 3")), command
            words = usage.split()
            if command in ("walk", "frame-owner", "watch-pte"):
                assert "usage: " in plain(g.do(command)), command
            for i in range(len(words)):
                for wrong in WRONG:
                    answer = g.do(" ".join((command, *words[:i], wrong,
                                            *words[i + 1:])))
                    assert "Python" not in answer and answer.strip(), \
                        (command, i, wrong, answer)
        g.do("delete")
        for said, *wrong in (
                ('No symbol "abc" in current context.', "vmmap abc", "pgtbl abc",
                 "walk 0x1000 abc", "walk abc", "frame-owner abc", "events abc",
                 "watch-pte abc 0", "watch-pte 2 abc"),
                ("the kernel has no regions", "vmmap 0"),
                ("no process 77", "vmmap 77", "pgtbl 77", "walk 0x1000 77",
                 "watch-pte 77 0x1000"),
                ("no process -1", "vmmap -1", "pgtbl -1", "walk 0x1000 -1",
                 "watch-pte -1 0x1000"),
                ("Numeric constant too large.", "walk 0xffffffffffffffffff"),
                ("Cannot access memory at address 0x70000000",
                 "walk *(char*)0x70000000"),
                ("no table translates such an address",
                 "watch-pte 2 0x1000000000000000"),
                ("events: of how many? 1 or more", "events 0", "events -3")):
            for command in wrong:
                assert said in plain(g.do(command)), command
        # The highest address there is, as the kernel's own pointers are.
        way = g.do("walk -1 2")
        assert way.startswith(f"{(1 << facts.ELF_CLASS) - 1:#x} in"), way
        assert "not valid: nothing is there" in way, way


def walked(way):
    """The address that was walked, and where it leads."""
    found = re.search(r"^(0x\w+) in the table .*physical address (0x\w+)", way, re.S)
    assert found, way
    return int(found[1], 16), int(found[2], 16)


@test()
def test_names_of_both():
    """The kernel and its programs have a `main`: that of whose table it is,
    whichever frame is selected."""
    with held() as g:
        kernels = walked(g.do("walk main 0"))
        assert kernels[0] >= facts.KERNEL_START, kernels
        g.do("b sys_write")
        g.go("x")
        for frame in ("frame 0", "frame function edit_line", "frame function main"):
            g.do(frame)
            assert walked(g.do("walk main 0")) == kernels, frame
            programs = g.do("walk main 2")
            assert walked(programs)[0] < facts.USER_END and "text" in programs
            assert g.do("walk main") == programs, frame
            assert walked(g.do("walk \"'user/bin/sh/main.c'::main\" 2")) == \
                walked(g.do("walk 'user/bin/sh/main.c'::main")) == walked(programs)
        assert walked(g.do("walk cpus 0"))[0] == g.number("&cpus")


@test()
def test_memory_of_the_program():
    """$user(): of its variables, of the stack and not, seen from the kernel."""
    m, port = attached()
    with m:
        m.run("echo one")
        g = Gdb(m, port)
        g.do("b sys_write")
        g.go("x")
        for frame, history in (("frame 0", "'user/bin/sh/edit.c'::history"),
                               ("frame function edit_line", "history")):
            g.do(frame)
            assert g.number(f"$user({history}_count)") == 1
            assert '"echo one"' in g.do(f"p $user(*$user({history}[0]), 8)"), frame
        assert '"x"' in g.do("p $user(*$user(*e).line.s, 1)")
        said = g.do(f"p $user(*(int *){facts.USER_END - 4:#x})")
        assert "the process has nothing there" in said, said
        assert "1 or more" in g.do("p $user(*e, -1)")
        assert g.do("p $user(1 + 1)").endswith(" = 2\n")
        g.leave()


def ends_in(way, name):
    """A backtrace ends with the function that nobody called, and without
    complaint."""
    assert re.search(rf"#\d+ +0x\w+ in {name} \(\) [^\n]*\.S:\d+\n+$", way), way


@test()
def test_backtrace_into_the_program():
    """From a system call; and over an interrupt in the kernel."""
    with held() as g:
        g.do("b sys_write")
        g.go("x")
        way = g.do("bt")
        for name in ("sys_write", "syscall", "write", "edit_line", "main",
                     "start"):
            assert re.search(rf"#\d+ .*\b{name} \(", way), (name, way)
        assert "user/lib/start.c" in way, way
        ends_in(way, "_start")
        # The shell got no words but its name; or gdb says that it does not know.
        g.do("frame function main")
        argc, argv = g.do("p argc"), g.do("p argv[1]")
        assert re.search(facts.ARGUMENT % "1", argc), argc
        assert re.search(facts.ARGUMENT % "0x0", argv), argv
        g.do("delete")
        g.do("b kerneltrap")
        g.do("c")
        way = g.do("bt")
        # over the trap frame, to what was interrupted, and on from there
        assert "#3 " in way and "Cannot access" not in way, way


@test()
@only("riscv")
@cases("sv48", "sv57")
def test_backtrace_with_more_levels(mode):
    """The kernel's stacks lie higher, and the program's frames are outside of them."""
    with held(append=f"satp={mode}") as g:
        g.do("b sys_write")
        g.go("x")
        ends_in(g.do("bt"), "_start")
        g.do("frame function edit_line")
        assert '"x"' in g.do("p $user(*$user(*e).line.s, 1)")


@test()
def test_backtrace_of_threads():
    """Of a program and of the kernel: each ends where the thread began."""
    with held() as g:
        g.do("b kerneltrap")  # the shell waits: it is the idle thread that ends
        g.do("c")
        way = g.do("bt")
        assert "idle_loop (" in way and "thread_begin ()" in way, way
        ends_in(way, "context_begin")
        g.do("delete")
        g.do("b sys_clone")
        g.go("\x15vmthreads 1\n")
        way = g.do("bt")
        assert re.search(r"thread_start \(.* thread_create \(.* main \(", way,
                         re.S), way
        ends_in(way, "_start")
        g.do("delete")
        g.do("tbreak thread_run")
        g.do("c")
        ends_in(g.do("bt"), "thread_begin")  # from within the program
        g.do("tbreak write_for_ever")
        g.do("c")
        g.do("stepi")  # of the first instruction gdb would name the function before
        g.do("b usertrap")
        g.do("c")
        way = g.do("bt")  # from the kernel
        assert re.search(r"usertrap \(.* write_for_ever \(.* thread_run \(", way,
                         re.S), way
        ends_in(way, "thread_begin")


@test()
def test_backtrace_of_a_switch():
    """Whose stack it is: of the thread that gives the CPU away, which the kernel
    says already belongs to the next."""
    with held() as g:
        g.do("b swtch")
        g.go("x")
        way = g.do("bt")  # nobody had the CPU, and gives it to the shell
        assert "next=0x" in way and "idle_loop (" in way, way
        ends_in(way, "context_begin")
        g.do("c")
        way = g.do("bt")  # which has written x, and waits for more
        assert re.search(r"sleep_killable \(.* edit_line \(.*/sh/main\.c", way, re.S), way
        ends_in(way, "_start")


@test()
def test_backtrace_without_the_program():
    """exec has taken the memory where the rest of it was: it ends, and says no more."""
    with held() as g:
        g.do("tbreak trace if kind == TRACE_EXEC")
        g.go("\x15ls\n")
        way = g.do("bt")
        assert re.search(r"usertrap|sysenter_entry", way), way
        assert re.search(r"#\d+ +0x0+ in \?\? \(\)\n+$", way), way


def write_code(g, at, instruction):
    g.do(f"set *(unsigned short *){at} = {instruction:#x}")


def faulted_in(g, function, steps, handler):
    """The backtrace where a fault is handled which a function has after so many
    of its first instructions."""
    g.do("delete")
    g.do(f"tbreak *{function}")
    g.do("c")
    for _ in range(steps):
        g.do("stepi")
    write_code(g, "$pc", facts.ILLEGAL)
    g.do(f"b {handler}")
    g.do("c")
    return g.do("bt")


@test()
def test_backtrace_of_a_fault_in_a_prologue():
    """A function that has no frame yet is not left out, nor is who called it."""
    with held() as g:
        g.do("b sys_clone")
        g.go("\x15vmthreads 1\n")
        way = faulted_in(g, "write_for_ever", 1, "usertrap")
        assert re.search(r"usertrap \(.*write_for_ever \([^#]*#\d [^#]*thread_run \(",
                         way, re.S), way
        ends_in(way, "thread_begin")


@test()
@cases(0, 1)
def test_backtrace_of_the_kernels_fault_in_a_prologue(steps):
    """The same within the kernel, if gcc built it: docs/gdb.md."""
    with held() as g:
        g.do("b sys_write")
        g.go("x")
        way = faulted_in(g, "file_write", steps, "kerneltrap")
        assert re.search(r"#2 [^#]*file_write \([^#]*#3 [^#]*\bsys(_write|call) \(",
                         way), way
        ends_in(way, "_start")


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
    with held() as g:
        g.do("b sys_write")
        g.go("x")  # the shell writes it, and reads what is typed next
        for where, names in zip(facts.CALL_CROSSINGS, EDITING):
            assert step_through(g, where, names) >= 5
        g.do("delete")
        g.do("b sys_fork")
        g.go("\n")  # there is no command x: known after fork
        for where in facts.FAULT_CROSSINGS:
            assert step_through(g, where, ["main", "start"]) >= 5


@test()
def test_watch_pte():
    """fork takes the right to write from the parent's pages."""
    with held() as g:
        stack = [line for line in g.do("vmmap 2").split("\n")
                 if line.endswith("stack")][0]
        top = int(ENDS.findall(stack)[1], 16)
        answer = g.do(f"watch-pte 2 {top - 4096:#x}")
        assert "Hardware watchpoint" in answer, answer
        stop = g.go("ps\n")
        assert "Hardware watchpoint" in stop and "Old value" in stop, stop
        old, new = re.findall(r"value = \w+ \((\S+) ->", stop)
        assert "w" in old and "w" not in new, stop


# As at a stop in a program that is not the one before.
OTHER_SYMBOLS = ("python import frames; gdb.execute('remove-symbol-file ' + "
                 "frames.Symbols.file); frames.Symbols.file = None; frames.Symbols.stopped()")


@test()
@cases("same", "other")
def test_watch_pte_while_its_program_runs(symbols):
    """gdb knows what the entry was, though the CPU has the program's own table."""
    with held() as g:
        g.do("b sys_clone")
        g.go("\x15vmthreads 1\n")
        g.do("delete")
        g.do("tbreak write_for_ever")
        g.do("c")
        assert g.do(f"p {facts.USER_MODE}").endswith("= 1\n")
        pid = re.search(r"^\* +(\d+)", g.do("ps"), re.M)[1]
        flags = re.search(r": 0x\w+ (\S+)", g.do(f"watch-pte {pid} &slots"))[1]
        if symbols == "other":
            g.do(OTHER_SYMBOLS)
        stop = g.go("")  # as it ends
        assert re.search(rf"Old value = \w+ \({flags} ->.*New value = 0x0 \(not valid",
                         stop, re.S), stop


@test()
def test_watch_pte_of_a_lazy_page():
    """It stops where the fault gives a page its frame: the zeros that all share, as
    it is read, and one of its own as it is written."""
    m, port = attached()
    with m:
        m.start("tour_heap")
        m.expect(rb"\(Enter\) ")
        m.send("\n")
        m.expect(rb"\[(\d+)\] the heap is at (0x\w+).*\(Enter\) ")
        pid, va = int(m.match[1]), int(m.match[2], 16)
        g = Gdb(m, port)
        assert "Hardware watchpoint" in g.do(f"watch-pte {pid} {va:#x}")
        before = g.do(f"walk {va:#x} {pid}")
        assert "not valid: heap, not touched yet" in before, before
        stop = g.go("\n")
        old, new = re.findall(r"value = (\S+ \(.*\))", stop)
        assert old == "0x0 (not valid)" and facts.VALID in new, stop
        way = g.do("bt")
        assert re.search(r"usertrap \(.* main \(.*tour_heap\.c", way, re.S), way
        zeros = walked(g.do(f"walk {va:#x} {pid}"))
        assert f"-> {zeros[1]:#x})" in new, (new, zeros)
        stop = g.go("\n")
        assert "fault" in g.do("bt"), stop
        assert walked(g.do(f"walk {va:#x} {pid}"))[1] != zeros[1]
        g.leave()


@test()
def test_printers():
    with held() as g:
        assert "(not valid)" in g.do("p (pte_t)2")
        way = g.do("walk main 0")
        pte, flags = re.findall(r": (0x\w+) (\S+) -> ", way)[-1]
        page = int(re.search(r"physical address (\w+)", way)[1], 16) \
            & -facts.PGSIZE
        assert re.search(rf"{pte} \({re.escape(flags)} -> 0x\w+\)",
                         g.do(f"p (pte_t){pte}"))
        assert facts.pte2pa(int(pte, 16)) <= page
        entries = g.do("p *kernel_pagetable@2")  # as are those of a table
        assert len(re.findall(r"0x\w+ \((?:not valid|\S+ -> 0x\w+)\)", entries)) == 2 or \
            "<repeats" in entries, entries
        assert re.search(r"list of \d+, first 0x", g.do("p spaces"))
        assert "<main+0>" in g.do("p (vaddr_t)main")


@test()
def test_symbols_of_the_program():
    """They are those of the program that runs where gdb has stopped, in what gdb says
    of the stop itself, too."""
    with held() as g:
        g.do("b sys_write")
        g.go("x")
        assert "user/bin/sh/edit.c" in g.do("info address edit_line") + \
            g.do("info line edit_line")
        g.do("delete")
        g.do("tbreak trace if kind == TRACE_EXEC")
        stop = g.go("\x15free\n")  # in place of the x
        assert "<_start+0>" in stop, stop  # where it will begin
        g.do("b sys_meminfo")  # `free` asks for that
        g.do("c")
        way = g.do("bt")
        assert "user/bin/free.c" in way and "user/bin/sh" not in way, way
        assert "No symbol" in g.do("info line edit_line") \
            or "not defined" in g.do("info line edit_line")


def answers(g, *commands):
    """What gdb says to commands that it is given at one prompt."""
    said = g.do("python print('~'.join(gdb.execute(command, to_string=True) "
                f"for command in {commands}))").split("~")
    assert len(said) == len(commands), said
    return said


def two_programs(g):
    """Stop where each CPU is in a program: {gdb's number of it: file of the program}."""
    files = [f"user/bin/{name}.c" for name in ("free", "uptime")]
    at = []
    for file in files:
        g.do("tbreak trace if kind == TRACE_EXEC")
        g.go(f"\x15{file[9:-2]} &\n")
        g.do(f"tbreak *'{file}'::main")
        g.do("c")
        write_code(g, "$pc", facts.FOR_EVER)
        at.append(g.number("$pc"))
    assert at[0] != at[1]
    while True:
        g.child.sendline("c")
        g.child.expect("Continuing")
        g.child.sendintr()
        g.child.expect(PROMPT)
        said = answers(g, *(f"thread apply {cpu} -q p/x $pc" for cpu in (1, 2)))
        now = [int(re.search(r"= (0x\w+)", word)[1], 16) for word in said]
        if sorted(now) == sorted(at):
            return {cpu: files[at.index(pc)] for cpu, pc in zip((1, 2), now)}


@test()
def test_symbols_of_the_selected_cpu():
    """They follow gdb's thread where it is chosen and where it is only visited, from
    prompt to prompt and between two."""
    with held(cpus=2) as g:
        files = two_programs(g)

        def check(cpu, said):
            assert files[cpu] in said and files[3 - cpu] not in said, (cpu, said)

        for cpu in (1, 2, 1):
            said = g.do(f"thread {cpu}")
            check(cpu, g.do("bt"))
            assert said.endswith(g.do("frame")), said
        for part in g.do("thread apply all bt").split("\nThread ")[1:]:
            check(int(part[0]), part)
        mains = {cpu: f"info line '{file}':main" for cpu, file in files.items()}
        said = answers(g, "thread 1", mains[1], "thread 2", mains[2],
                       "thread apply 1 bt", mains[2])
        check(1, said[4])
        assert g.do(mains[2]).startswith("Line ")
        g.do("python [t.switch() for t in gdb.selected_inferior().threads() if t.num == 1]")
        assert g.do(mains[1]).startswith("Line ")


@test()
def test_frame_of_the_selected_cpu():
    """It stays selected when gdb has been at the other one."""
    with held(cpus=2) as g:
        for cpu in two_programs(g):
            g.do(f"thread {cpu}")
            g.do("frame 1")
            here = g.do("frame")
            assert here.startswith("#1"), here
            for command in ("info threads", "thread apply all bt", "thread apply all p 1"):
                assert "Couldn't" not in g.do(command)
                assert g.do("frame") == here, command


def guests_pages(text):
    """The leaves that the guest's pgtbl lists, by page: {va: (pa, flags, bytes of
    the leaf)}. A line's depth says the level."""
    levels = int(re.search(r"(\d) levels", text)[1])
    pages = {}
    for indent, start, end, pa, flags in re.findall(
            r"^( *)\[[\d.]+\] +(\w+)-(\w+) -> (\w+) (\S+)", text, re.M):
        size = 1 << shift(levels - 1 - len(indent) // 2)
        add_pages(pages, int(start, 16), int(end, 16) + 1, int(pa, 16),
                  facts.VALID + flags, size)
    return pages


def add_pages(pages, start, end, pa, flags, size):
    assert start % size == end % size == 0 and start < end
    for n in range(0, end - start, facts.PGSIZE):
        assert start + n not in pages, hex(start + n)
        pages[start + n] = (pa + n, flags, size)


def check_pgtbl(text, wanted, pid):
    """What gdb's pgtbl says: the same pages, in order, and no run in two lines."""
    pages, before = {}, None
    for start, end, pa, flags, n in re.findall(
            r"^(0x\w+)-(0x\w+) -> (0x\w+) (\S+) (\d+) (?:super)?pages$", text, re.M):
        start, end, pa = (int(word, 16) for word in (start, end, pa))
        size = (end - start) // int(n)
        assert f"{n} {'super' * (size > facts.PGSIZE)}pages" in text
        add_pages(pages, start, end, pa, flags, size)
        assert (start, pa, flags, size) != before, text
        before = (end, pa + end - start, flags, size)
    assert len(re.findall("pages", text)) == text.count("\n") > 0, text
    assert list(pages) == sorted(pages), text
    # The kernel's stacks may be more by now.
    assert wanted.items() <= pages.items(), \
        (wanted.items() - pages.items(), text)
    assert pid == 0 or all(va in wanted or va >= facts.KERNEL_BEGINS
                           for va in pages), text


@test()
def test_pgtbl():
    """The leaves of a table, page by page with their flags and sizes: those that
    the guest lists, of init, which sleeps, of the kernel, and of a process that has
    superpages."""
    m, port = attached()
    with m:
        m.start("holdmem &")
        m.expect(rb"(\d+) (\d+) held\r*\n", timeout=60)
        holder = int(m.match[1])
        m.send("\n")
        m.run("true")
        said = {pid: guests_pages(m.run(f"pgtbl {pid or '-k'}"))
                for pid in (1, 0, holder)}
        assert any(size > facts.PGSIZE and va < facts.USER_END
                   for va, (_, _, size) in said[holder].items())
        g = Gdb(m, port)
        for pid, pages in said.items():
            check_pgtbl(g.do(f"pgtbl {pid}"), pages, pid)
        g.leave()


def vscode(name):
    """A file of VS Code: JSON with comments, which have lines of their own."""
    with open(os.path.join(TOP, ".vscode", name + ".json")) as f:
        return json.loads("".join(line for line in f
                                  if not line.lstrip().startswith("//")))


def chosen(command, inputs, **answers):
    """A task's command when a person has answered; the rest is the default."""
    return re.sub(r"\$\{input:(\w+)\}", lambda asked:
                  answers.get(asked[1], inputs[asked[1]]["default"]), command)


# What keeps a task's shell from becoming make.
STAYS = "; exit"


def would_make(command):
    """What make would do for a command; it knows all words of it."""
    program, *words = command.removesuffix(STAYS).split()
    assert program == "make", command
    for variable in (w.split("=")[0] for w in words if "=" in w):
        assert variable in ("ARCH", "CPUS", "GDBPORT"), command
    said, status = make("-n", *words, check=False)
    assert status == 0, (command, said)
    return said


# What a compiler says, and what is to be understood of it.
PROBLEMS = [
    ("kernel/main.c:9:7: warning: unused variable 'a' [-Wunused-variable]",
     ["kernel/main.c", "9", "7", "warning", "unused variable 'a' [-Wunused-variable]"]),
    ("user/bin/sh/main.c:1:10: fatal error: a.h: No such file or directory",
     ["user/bin/sh/main.c", "1", "10", "error", "a.h: No such file or directory"]),
    ("kernel/main.c: In function 'main':", None),
    ("make: *** [Makefile:97: build/x86/kernel/main.c.o] Error 1", None),
]


@test(quick=True)
@once
def test_vscode_files():
    """Each names what there is: machines, tasks, targets, a port, files."""
    described = vscode("tasks")
    inputs = {i["id"]: i for i in described["inputs"]}
    machines = sorted(os.listdir(os.path.join(TOP, "kernel", "arch")))
    assert sorted(inputs["machine"]["options"]) == machines, inputs
    for i in inputs.values():
        assert i["type"] == "pickString" and i["default"] in i["options"], i
    tasks = {task["label"]: task for task in described["tasks"]}
    for task in tasks.values():
        assert "${input:machine}" in task["command"], task
        for machine in machines:
            would_make(chosen(task["command"], inputs, machine=machine))
    for cpus in inputs["cpus"]["options"]:
        make("check-machine", f"CPUS={cpus}")
    # A warning does not keep a launch from going on; a problem is one place of
    # both tasks that build, and none needs an extension to be understood.
    builders = [tasks[label]["problemMatcher"] for label in ("build", "qemu-gdb")]
    assert builders[0]["pattern"] == builders[1]["pattern"], builders
    assert builders[0]["owner"] == builders[1]["owner"], builders
    pattern = builders[0]["pattern"]
    for line, parts in PROBLEMS:
        found = re.search(pattern["regexp"], line)
        assert (found and [found[pattern[part]] for part in
                           ("file", "line", "column", "severity", "message")]) == parts, line
    for start in vscode("launch")["configurations"]:
        task = tasks[start["preLaunchTask"]]
        begins, ready = (task["problemMatcher"]["background"][word + "Pattern"]
                         for word in ("begins", "ends"))
        host, port = start["miDebuggerServerAddress"].split(":")
        assert host == "localhost"
        for machine in machines:
            said = would_make(chosen(task["command"], inputs, machine=machine))
            assert any(re.search(ready, line) for line in said.split("\n")), said
            # No word of the guest's looks like another beginning: the editor
            # would wait for its end when it is to launch again.
            assert not re.search(begins, "init: starting sh"), begins
            assert f"-gdb tcp::{port}" in said and \
                f"{BUILD}/{machine}/kernel.elf" in said, said
            # What gdb reads is made by the task, for that machine.
            assert re.search(r"^printf .*set architecture (\S+)'.*>\.gdbinit$", said,
                             re.M | re.S), said
            for file in (start["program"],
                         start["setupCommands"][0]["text"].split()[1]):
                name = file.replace("${workspaceFolder}/", "")
                assert name in said or name in make("-n", "-B", name)[0], name


@test(quick=True)
def test_gdbinit_without_the_commands():
    """Away from the tree the generated file does the rest all the same."""
    make(".gdbinit")
    with tempfile.TemporaryDirectory() as folder:
        shutil.copy(os.path.join(TOP, ".gdbinit"), folder)
        out = pexpect.run(
            f"{gdb_program()} -q -nx -batch -ex 'source .gdbinit' "
            "-ex 'show confirm'", cwd=folder, encoding="utf-8", timeout=60 * PATIENCE)
    assert "off" in out.split("\n")[-2], out


def hosted(command, end, limit):
    """A program started by bash, of which a line has been read that fits."""
    child = Child("bash", ["-c", command], cwd=TOP, env=environment(),
                  timeout=limit, encoding="utf-8", dimensions=(50, 1000),
                  logfile=open(log_path(".task.log"), "w"))
    child.expect(re.compile(f"(?m){end}.*\\n"))
    return child


@test()
def test_vscode_session():
    """What the editor's C/C++ extension does with our files: it begins the task,
    waits for the line that says it is ready, and speaks gdb/MI, in this order."""
    launch, = vscode("launch")["configurations"]
    tasks = vscode("tasks")
    task, = [t for t in tasks["tasks"] if t["label"] == launch["preLaunchTask"]]
    inputs = {i["id"]: i for i in tasks["inputs"]}
    host, said = launch["miDebuggerServerAddress"].split(":")
    port, image = free_port(), log_path(".img")
    shutil.copyfile(path("fs.img"), image)
    command = chosen(task["command"], inputs, machine=ARCH).replace(said, str(port))
    assert str(port) in command, task
    ready = task["problemMatcher"]["background"]["endsPattern"]
    program = launch["program"].replace("${workspaceFolder}", TOP)
    if BUILD != "build":
        program = path("kernel.elf")
    assert command.endswith(STAYS), command
    made = command.removesuffix(STAYS)
    machine = hosted(f"{made} FS={image} BUILD={BUILD}{STAYS}",
                     ready.replace(said, str(port)), 120 * PATIENCE)
    try:
        gdb = Child(
            shutil.which(launch["miDebuggerPath"]) or gdb_program(),
            [f"--interpreter={launch['MIMode'].replace('gdb', 'mi')}", "-nx"],
            cwd=launch["cwd"].replace("${workspaceFolder}", TOP), timeout=60 * PATIENCE,
            encoding="utf-8", env=dict(environment(), TERM="dumb"), echo=False,
            logfile=open(log_path(".gdb.log"), "w"))

        def mi(line, answer=r"\^done"):
            gdb.sendline(line)
            assert gdb.expect([answer, r"\^error.*\n"]) == 0, gdb.after
            return gdb.before

        for setup in launch["setupCommands"]:
            text = setup["text"].replace("${workspaceFolder}", TOP)
            mi(f'-interpreter-exec console "{text}"')
        mi(f"-file-exec-and-symbols {program}")
        mi(f"-target-select remote {host}:{port}", r"\^connected")
        mi("-break-insert syscall")
        mi("-exec-continue", r'\*stopped,reason="breakpoint-hit"')
        assert 'func="main"' in mi("-stack-list-frames", r"\^done,stack=.*\n") + gdb.after
        assert "physical address" in mi('-interpreter-exec console "walk main 0"')
        gdb.end()
        os.kill(machine.pid, signal.SIGHUP)  # as the editor terminates a task
        machine.expect(pexpect.EOF, timeout=20 * PATIENCE)
    finally:
        machine.end()
    os.unlink(image)
