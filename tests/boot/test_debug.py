"""The debug kernel finds what it is there to find: each test has it commit a bug,
and reads the report: what it says, and that the backtrace begins where the bug
is."""

import random
import re
import shutil
from pathlib import Path

from pagewise import (BUILD, Machine, Panic, cases, debug_kernel, make, once,
                      path, test)
from test_build import scratch
from test_guest import run_on_own_disk

# The bug, and what the report says.
ADDRESS = r"at 0x[0-9a-f]+, "
UBSAN = r"ubsan: \S*plant\.c:\d+: "
ASAN = r"asan: %s of %d bytes " + ADDRESS
REPORTS = {
    "page_freed": ASAN % ("write", 1) + "in a page that is free",
    "object_freed": ASAN % ("read", 1) + "in an object that is free",
    "object_twice": r"asan: object 0x\w+ of 40 bytes is freed, but was free",
    "object_beyond": ASAN % ("write", 1) + "beside an object",
    "object_part": ASAN % ("write", 1) + "beside an object",
    "object_slack": ASAN % ("write", 1) + "beside an object",
    "object_before": ASAN % ("write", 1) + "beside an object",
    "copy_beyond": ASAN % ("write", 41) + "beside an object",
    "length_freed": ASAN % ("read", 1) + "in a page that is free",
    "compare_freed": ASAN % ("read", 20) + "in a page that is free",
    "global_beyond": ASAN % ("read", 1) +
                     r"behind the end of variable variable \(\S*plant\.c\)",
    "stack_beyond": "stack: this function wrote beyond a variable of its own",
    "stack_freed": ASAN % ("read", 1) + "in a stack that is free",
    "shift": UBSAN + r"shift of 1 \('.*'\) by 40",
    "overflow": UBSAN + r"overflow: 2147483647 \+ 40 does not fit in 'int'",
    "overflow_64": UBSAN + r"overflow: (9223372036854775807 \+ 40|"
                   r"40 \+ 9223372036854775807) does not fit in 'long.*'",
    "subtract": UBSAN + "overflow: -2147483647 - 40 does not fit in 'int'",
    "multiply": UBSAN + r"overflow: 2147483647 \* 40 does not fit in 'int'",
    "negate": UBSAN + r"overflow: -\(-2147483648\) does not fit in 'int'",
    "divide": UBSAN + "overflow: -2147483648 / -1 does not fit in 'int'",
    "divide_zero": UBSAN + "division of 40 by zero",
    "value": UBSAN + "7 is no value of type '(volatile )?_?[bB]ool'",
    "unreachable": UBSAN + "reached what cannot be reached",
    "pointer": UBSAN + r"pointer overflow: 0xf+ becomes 0x27\n",
    "index": UBSAN + r"index 40 is out of bounds of 'int ?\[4\]'",
    "misaligned": UBSAN + r"load of misaligned address 0x\w+ of type '.*'",
    "null": UBSAN + r".* null pointer .* of type '.*'",
    "lock_freed": r"asan: write of \d+ bytes " + ADDRESS +
                  "in an object that is free",
    "sleeplock_freed": r"asan: read of \d+ bytes " + ADDRESS +
                       "in an object that is free",
    "lock_order": "lock order: planted a is taken while planted b is held; "
                  r"\w+ took planted b while it held planted a",
    "lock_circle": "lock order: planted a is taken while planted c is held, but "
                   "planted a is known to come before it by way of others",
    "sleeplock_order": "lock order: planted x is taken while planted y is held; "
                       r"\w+ took planted y while it held planted x",
    "lock_long": r"lock planted a is held too long: \d+ accesses",
    "sleep": "sleep: this may wait for planted x, but spin lock planted a is "
             r"held, taken in \w+",
    "sleep_off": "sleep: this may wait for planted x, but interrupts are off by "
                 "push_off",
    "copy_locked": "sleep: this may wait for a page of the program, but spin "
                   "lock planted a is held, taken in copy_locked",
    "return_locked": "return: this goes back to the program, but spin lock "
                     "planted a is held, taken in return_locked",
    "return_sleeping": "return: this goes back to the program, but sleep lock "
                       "planted x is held",
    "end_sleeping": "a thread ended with sleep lock planted x held",
    "list": r"list: 0x\w+ is taken from between 0x\w+, whose next is 0x\w+, and "
            r"0x\w+, whose previous is 0x\w+",
    "list_insert": r"list: 0x\w+ is put between 0x\w+, whose next is 0x\w+, and "
                   r"0x\w+, whose previous is 0x\w+",
    "count": r"count: a holder is taken from page 0x\w+, which has none",
    **{f"count_{of}": rf"count: a holder is added to {what} 0x\w+, which has none"
       for of, what in (("get", "page"), ("file", "file"), ("inode", "inode"),
                        ("space", "space"))},
    **{f"uncount_{what}":
       rf"count: a holder is taken from {what} 0x\w+, which has none"
       for what in ("block", "file", "inode", "space")},
}

# The backtrace begins in a function of the file that has the bugs, or here. Of the
# header with lists, the compiler may have made a function of its own.
KERNEL = Path(__file__).resolve().parents[2] / "kernel"
CULPRITS = set(re.findall(r"^static void (?:__attribute__\(\(noinline\)\) )?(\w+)\(",
                          (KERNEL / "debug/plant.c").read_text(), re.MULTILINE))
LIST = set(re.findall(r"^static inline void (\w+)\(",
                      (KERNEL / "lib/list.h").read_text(), re.MULTILINE))
ELSEWHERE = {"object_twice": "slab_free", "sleeplock_freed": "acquiresleep",
             "return_locked": "user_return", "return_sleeping": "user_return",
             "end_sleeping": "debug_stack_freed", "count": "frame_put",
             "count_get": "frame_get", "count_file": "file_dup",
             "count_inode": "idup", "count_space": "space_get",
             "uncount_block": "block_put", "uncount_file": "file_close",
             "uncount_inode": "iput", "uncount_space": "space_put"}


def report_of(bug, build):
    with Machine(cpus=1, append="debug=plant panic=exit", build=build,
                 disk=path("fs.img")) as m:
        try:
            m.run(f"debugtest {bug}")
        except Panic as panic:
            return str(panic)
    raise AssertionError(f"{bug}: no report")


def finds(bug, build):
    text = report_of(bug, build)
    assert re.match("panic: debug: " + REPORTS[bug], text), text
    # the frame on top is of the code that did it
    frames = re.findall(r"^  0x\w+ (\w+)[.\w]*\+", text, re.MULTILINE)
    while bug.startswith("list") and frames[0] in LIST:
        frames.pop(0)
    if bug in ELSEWHERE:
        assert frames[0] == ELSEWHERE[bug], text
    else:
        assert frames[0] in CULPRITS and "sys_debug" in frames, text


@debug_kernel
@test(quick=True)
@cases(*REPORTS)
def test_finds(bug):
    finds(bug, BUILD)


@debug_kernel
@test()
def test_clang_finds():
    """What the compiler checks, and what it makes of the bugs, is its own."""
    if not (shutil.which("clang") and shutil.which("ld.lld")):
        print("clang is not installed")
        return
    build = scratch("debug-clang")
    make("-j2", "kernel", "LLVM=1", build=build)
    for bug in REPORTS:
        finds(bug, build)


@debug_kernel
@test(quick=True)
def test_file_held():
    """Nothing goes wrong at once, but memcheck counts."""
    with Machine(cpus=1, append="debug=plant panic=exit") as m:
        assert "memcheck: all is right" in m.run("memcheck")
        m.run("debugtest file_held", status=1)
        found = re.search("holders of an open file: counted and found: "
                          r"(\d+), (\d+)\n", m.run("memcheck", status=1))
        assert int(found.group(1)) == int(found.group(2)) + 1, found.group()


@debug_kernel
@test()
def test_figures():
    with Machine(cpus=2) as m:
        assert m.call("debugtest shift")[1] == 2  # not asked for: refused
        out = m.run("debugtest stacks")
        deepest = re.search(r"deepest of all since boot: (\d+) of (\d+) bytes",
                            out)
        used, there = int(deepest.group(1)), int(deepest.group(2))
        assert 1024 < used < there, out
        each = [int(n) for n in re.findall(r"stack \d+: (\d+) bytes", out)]
        assert len(each) > 2 and max(each) <= used, out
        out = m.run("debugtest locks")
        assert re.search(r"^spin waitq: .* then.* thread", out, re.MULTILINE), out
        assert re.search(r"^sleep inode: ", out, re.MULTILINE), out
        assert "memcheck: all is right" in m.run("memcheck")


@debug_kernel
@once
@test()
def test_finds_nothing():
    """What of the guest's own tests fits; DEBUG=1 tests/run is for the rest."""
    run_on_own_disk([("usertests -q", "ALL TESTS PASSED"),
                     ("vmthreads -n 60", "vmthreads OK (seed 1)")], timeout=100)


# What several processes or threads do to the same things.
RACES = ("fourfiles createdelete concreate linkunlink dirrace renamerace dirloop "
         "exitiputtest maprace textlooked twochildren reparent killstatus sharedfd "
         "pingpong threads_exec threads_fork threads_files futexes")


@debug_kernel
@test(timeout=200)
def test_delays():
    """CPUs that do nothing for a while between critical sections make others meet what
    is there. That they do so is seen in time that is counted in instructions."""
    def ms(append):
        with Machine(cpus=1, append=append, extra=["-icount", "shift=0"]) as m:
            out = m.run("usertests -q renames", timeout=60)
            return int(re.search(r"OK \((\d+) ms\)", out)[1])

    assert ms("delay=30") > 2 * ms("")
    with Machine(append=f"delay={random.choice((300, 1000, 3000))}") as m:
        out = m.run(f"usertests -q {RACES}", timeout=150)
        assert out.endswith("ALL TESTS PASSED"), out[-2000:]
        out, _ = m.call("memcheck", timeout=60)
        assert out.endswith("memcheck: all is right\n"), out


@debug_kernel
@once
@test(timeout=220)
def test_no_lock_is_held_for_long():
    """However much a program makes the kernel go through."""
    run_on_own_disk([("usertests sparse", "ALL TESTS PASSED")], timeout=200)


@debug_kernel
@once
@test()
def test_many_processes_are_listed():
    """No lock is held all the while that Ctrl-P lists as many as there can be."""
    with Machine(cpus=2, mem="256M") as m:
        for _ in range(5):
            m.run("sleep 1000000 & " * 90 + "true")
        m.child.send("echo begun; sleep 1000000\n")
        m.expect(rb"begun\r")  # not the shell, which lists them by itself
        m.child.send("\x10")
        for _ in range(5 * 90):
            m.expect(rb"sleep +\d+ +sleep +\w+\r", timeout=60)
        m.child.send("\x03")
        m.wait_prompt()


@test()
def test_plain_kernel_has_none_of_it():
    with Machine(cpus=1) as m:
        out, status = m.call("debugtest shift")
        assert status == 2 and "this is not the debug kernel" in out, out
