"""The guest's own tests, programs for xv6, and an image in xv6's manner."""

import os
import re
import shutil
import struct
import subprocess
import sys

from pagewise import (ARCH, BUILD, TOP, Machine, cases, facts, log_path, make,
                      path, test)


def check_disk(image, cut=False):
    """fsck must find nothing wrong with the image. If the power was cut, the
    log is replayed first, and files may wait for the next mount to be freed;
    after a poweroff there are none of those, or an inode was lost."""
    fsck = os.path.join(TOP, BUILD, "host", "fsck")
    make(os.path.join(BUILD, "host", "fsck"))
    done = subprocess.run([fsck, "-r", image], text=True, stdout=subprocess.PIPE,
                          stderr=subprocess.STDOUT)
    assert done.returncode == 0, done.stdout
    assert cut or "no links" not in done.stdout, done.stdout


def run_on_own_disk(commands, cpus=3, timeout=300):
    """Run commands, each with the text that its output must end with, let the
    kernel check its memory, then switch off and check the disk that they leave
    behind."""
    image = log_path(".img")
    shutil.copyfile(path("fs.img"), image)
    with Machine(cpus=cpus, disk=image, keep=True) as m:
        for command, ending in commands:
            out = m.run(command, timeout=timeout)
            assert out.endswith(ending), out[-2000:]
        out, _ = m.call("memcheck", timeout=60)
        assert out.endswith("memcheck: all is right\n"), out
        m.poweroff()
    check_disk(image)
    os.unlink(image)


@test(quick=True, timeout=120)
def test_usertests_quick():
    run_on_own_disk([("usertests -q", "ALL TESTS PASSED")], timeout=100)


@test(timeout=400)
@cases(1, 2, 4)
def test_usertests(cpus):
    run_on_own_disk([("usertests -c", "ALL TESTS PASSED")], cpus, 380)


@test(timeout=200)
def test_usertests_much_memory():
    """Running out of memory is tested where there is much of it, too."""
    with Machine(mem="1G") as m:
        out = m.run("usertests -c mem sbrkfail forkout execout pipeout fileout "
                    "inspectout", timeout=180)
        assert out.endswith("ALL TESTS PASSED"), out[-2000:]
        assert "skipped" not in out, out


if os.environ.get("USERTESTS"):

    @test(timeout=60)
    def test_usertests_chosen():
        """USERTESTS="name ..." tests/run usertests_chosen: only those."""
        run_on_own_disk([("usertests " + os.environ["USERTESTS"],
                          "ALL TESTS PASSED")], timeout=40)


@test(quick=True)
def test_usertests_names():
    """Tests can be chosen; a name that is none is an error."""
    with Machine() as m:
        listed = m.run("usertests -l")
        for name in ("copyin", "sbrkbasic", "diskfull*", "kernelspace"):
            assert re.search(rf" {re.escape(name)}(\s|$)", listed), name
        assert "test copyin: OK" in m.run("usertests copyin")
        m.run("usertests nosuchtest", status=2)
        m.run("usertests -x", status=2)


@test(quick=True)
def test_fewest():
    """With -s a few processes are made where otherwise there are hundreds, and a
    machine that is nearly too small is enough."""
    with Machine(mem="8M") as m:
        def newest():
            return int(re.search(r"pid (\d+)", m.call("crash null")[0]).group(1))

        before = newest()
        m.run("usertests -s bigdir twochildren forkfork reparent reparent2 "
              "removedraces mapgiven", timeout=60)
        assert newest() - before < 100
        m.run("mmaptest -s split_and_merge many_regions")
        m.run("mmaptest -s nosuchtest", status=1)


@test(timeout=300)
@cases(1, 3)
def test_grind(cpus):
    run_on_own_disk([(f"grind -s {seed} -n 1000", f"grind OK (seed {seed})")
                     for seed in (1, 2, 3)], cpus)


@test(timeout=180)
def test_small_ones():
    run_on_own_disk([("stressfs", "stressfs OK"),
                     ("forktest", "fork test OK"),
                     ("fptest", "fptest OK")])


@test(timeout=180)
@cases(1, 3, 5)
def test_power_cut(letters):
    """The power is cut in the middle of everything: the next boot finds a
    whole file system, and goes on."""
    image = log_path(".img")
    shutil.copyfile(path("fs.img"), image)
    with Machine(disk=image, keep=True) as m:
        m.start("grind -p 4 -n 100000")
        for _ in range(letters):  # grind prints one every 500 calls
            m.expect(rb"[ABCD]")
    with Machine(disk=image, keep=True) as m:
        m.run("rm -r /grind.d")
        m.run("stressfs")
        m.poweroff()
    check_disk(image)
    os.unlink(image)


# crash HOW, and what the kernel says; those that are not the same on every
# machine are among its facts.
CRASHES = {
    "null": "store .*address 0x0\n.*region text",
    "text-write": "store .*region text .*r-x",
    "heap": "store .*no region.*not valid",
    "guard": "store .*region guard .*---",
    "stack": "store .*region guard .*---",
    "breakpoint": "breakpoint",
    "beyond-file": "bus error: beyond the end of file",
    **facts.CRASHES,
}


@test(quick=True)
def test_crash():
    """Each way to crash ends the program with a message that tells why, and
    harms nothing else."""
    with Machine() as m:
        for how, why in CRASHES.items():
            text, status = m.call(f"crash {how}")
            assert status != 0, (how, status)
            assert re.search(rf"crash \(pid \d+\) killed: {why}", text,
                             re.S), (how, text)
            assert m.run("echo alive") == "alive"


PROGRAMS = [
    ("primes", "prime 2\nprime 3\nprime 5\n.*prime 59"),
    ("mkdir d; mkdir d/e; echo x > d/e/f; echo y > d/f; find . f",
     "./d/e/f\n./d/f"),
    ("find . f | xargs cat", "x\ny"),
    ("oldstyle a b", "oldstyle 3 5 own mine\nsync 7\nmalloc -5 c 0xFF %\n"
     "size 5000000000\n0x(00000000)?ABCDEF12\n"
     "20015998343868 -7 123456789ABC text 20015998343869 c\nold style OK"),
    ("newstyle", "new style OK"),
    ("probe", ".*probe OK"),
    ("usertests", ".*stack OK"),  # named like one of ours with a large stack
]


@test(quick=True, timeout=200)
def test_programs():
    """Programs written for xv6 compile as they are, and run (C3)."""
    build = os.path.join(BUILD, f"test-{ARCH}-xv6-programs")
    make("PROGRAMS=tests/programs", "all", build=build)
    with Machine(build=build) as m:
        for command, expected in PROGRAMS:
            # A program that xv6 lets return from main has no status to speak of.
            out, _ = m.call(command)
            assert re.fullmatch(expected + "\n", out, re.S), (command, out)


@test(quick=True, timeout=100)
@cases(30, 31)
def test_xv6_image(nlog):
    """An image that knows only xv6 boots into its own init and sh (C4)."""
    image = log_path(".img")
    subprocess.run([sys.executable,
                    os.path.join(TOP, "tests", "xv6image", "mkimage.py"),
                    image, "--nlog", str(nlog)], check=True)
    with Machine(disk=image, keep=True, wait=False) as m:
        m.expect(rb"init: starting sh\r*\n\$ ")
        for command, expected in (
                ("echo hello xv6", "hello xv6"),
                ("check", "check OK"),
                ("check_old", "check OK"),
                ("echo one two > f", ""),
                ("cat < f", "one two"),
                ("cat f | cat | cat", "one two"),
                ("nothing", "exec nothing failed")):
            m.start(command)
            out = m.expect(rb"\$ ")[1].split("\n", 1)[1].strip()
            assert out == expected, (command, out)
        m.start("ls")
        listed = m.expect(rb"\$ ")[1]
        assert "console 3 " in listed and "init 2 2 " in listed, listed
        m.send("\x04")  # sh ends, init starts another
        m.expect(rb"init: starting sh\r*\n\$ ")
        m.start("echo again")
        m.expect(rb"again\r*\n\$ ")
        # The log reaches the disk by itself within a moment; a cut of power
        # then leaves a whole file system.
        m.start("check")
        m.expect(rb"check OK")
    check_disk(image, cut=True)
    os.unlink(image)


def foreign_elf():
    """The file header of a program for another machine (ELF specification)."""
    bits, machine = facts.FOREIGN
    ident = b"\x7fELF" + bytes([bits // 32, 1, 1]) + bytes(9)
    word = "Q" if bits == 64 else "I"
    size = struct.calcsize("<16sHHI3" + word) + 16
    head = struct.pack("<HHI3" + word, 2, machine, 1, 0, size, 0)
    return ident + head + struct.pack("<IHHHHHH", 0, size, 56, 0, 0, 0, 0)


@test(quick=True)
def test_foreign_program_is_refused():
    """A program for the other machine is not run, and this is said."""
    foreign, image = log_path(".elf"), log_path(".img")
    with open(foreign, "wb") as f:
        f.write(foreign_elf() + bytes(4096))
    programs = [path("disk", "user", name)
                for name in os.listdir(path("disk", "user"))]
    subprocess.run([os.path.join(TOP, BUILD, "host", "mkfs"), "-s", "16M",
                    image, f"foreign={foreign}", *programs], check=True)
    with Machine(disk=image) as m:
        out, status = m.call("foreign")
        assert status == 126 and "not a valid executable" in out, (out, status)
        assert m.run("echo alive") == "alive"
    os.unlink(image)
