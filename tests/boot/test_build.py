"""Building: what is made, when, with which compiler, and what is said."""

import os
import re
import shutil
import subprocess

from pagewise import (ARCH, BUILD, TOP, Failure, Machine, cases, environment,
                      facts, log_path, make, once, path, test)


def scratch(name):
    """A BUILD folder for this test, beside the other products."""
    return os.path.join(BUILD, f"test-{ARCH}-{name}")


@test(quick=True)
def test_second_build_does_nothing():
    make("all")
    newest = os.stat(path("kernel.elf")).st_mtime_ns
    output, _ = make("all", "V=1")
    assert output == "", output
    assert os.stat(path("kernel.elf")).st_mtime_ns == newest


@test(quick=True)
def test_no_warnings():
    """The whole tree compiles without one, for either compiler."""
    shutil.rmtree(os.path.join(TOP, scratch("strict")), ignore_errors=True)
    output, _ = make("-j2", "all", "CI=1", build=scratch("strict"))
    assert "warning" not in output.lower(), output


@test(quick=True)
@once
def test_help_lists_targets():
    output, _ = make("help")
    for word in ("qemu", "qemu-gdb", "print-gdbport", "check", "test", "bench",
                 "format", "clean", "help", "iso", "qemu-iso", "qemu-vga", "test-all", "compile_commands.json"):
        assert re.search(rf"^  {re.escape(word)} +\w", output, re.M), word
    for word in ("ARCH", "CPUS", "MEM", "FS", "APPEND", "V", "PROGRAMS",
                 "MACHINE"):
        assert re.search(rf"^  {word}=", output, re.M), word


@test(quick=True)
@once
def test_gdbport_is_of_the_user():
    output, _ = make("print-gdbport")
    assert int(output) == os.getuid() % 5000 + 25000


@test(quick=True)
@once
def test_explorer_needs_no_machine():
    """The explorer is built where there is no QEMU: what one machine lacks does not
    keep the other from being looked at."""
    folder = os.path.join(TOP, scratch("path"))
    shutil.rmtree(folder, ignore_errors=True)
    os.makedirs(folder)
    for place in os.environ["PATH"].split(":"):
        for name in os.listdir(place) if os.path.isdir(place) else []:
            if not name.startswith("qemu-") and \
                    not os.path.lexists(os.path.join(folder, name)):
                os.symlink(os.path.join(place, name), os.path.join(folder, name))
    env = {**environment(), "PATH": folder}
    lacks = subprocess.run(["tools/packages", "missing", "run"], cwd=TOP, env=env,
                           text=True, capture_output=True)
    assert "qemu-system" in lacks.stdout, lacks
    done = subprocess.run(["make", "-s", "check-explore"], cwd=TOP, env=env, text=True,
                          stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
    assert done.returncode == 0 and done.stdout == "", done.stdout
    shutil.rmtree(folder)


@test(quick=True)
def test_missing_compiler_is_named():
    output, status = make("all", "TOOLPREFIX=no-such-", check=False)
    assert status != 0
    for word in ("no-such-gcc", "apt-get install", "dnf install", "pacman -S",
                 "brew install"):
        assert word in output, output


@test(quick=True)
@once
def test_old_or_missing_qemu_is_named():
    fake = log_path(".qemu")
    with open(fake, "w") as f:
        f.write("#!/bin/sh\necho QEMU emulator version 6.2.0\n")
    os.chmod(fake, 0o755)
    for qemu, word in ((fake, "version 6.2"), ("no-such-qemu", "not found")):
        done = subprocess.run([os.path.join(TOP, "tools/check-qemu"), qemu,
                               "7.2"], capture_output=True, text=True)
        assert done.returncode != 0
        assert word in done.stderr and "apt-get install" in done.stderr


IMPOSSIBLE = {
    "CPUS=0": "1 to 8", "CPUS=9": "1 to 8", "CPUS=two": "1 to 8",
    "MEM=lots": "a number with M or G", "MEM=128": "a number with M or G",
    "MEM=M": "a number with M or G", "FS=/no/such.img": "no such file",
}


@test(quick=True)
@cases("qemu", "qemu-gdb")
def test_impossible_machine_is_refused(target):
    """In one line, and QEMU does not start."""
    for setting, reason in IMPOSSIBLE.items():
        output, status = make(target, setting, "QEMU_MACHINE=--version",
                              check=False)
        assert status != 0 and f"{setting}: {reason}" in output, output
        assert "QEMU emulator" not in output, output


@test(quick=True)
def test_possible_machines():
    image = path("kernel.elf")
    for setting in ("CPUS=1", "CPUS=8", "MEM=2G", "MEM=96M", f"FS={image}"):
        make("check-machine", setting)


@test(quick=True)
@once
def test_unknown_arch_is_refused():
    done = subprocess.run(["make", "ARCH=vax"], cwd=TOP, env=environment(),
                          capture_output=True, text=True)
    assert done.returncode != 0 and "ARCH=vax" in done.stderr


@test(quick=True)
@once
def test_floors_are_checked():
    """An include that goes up, and one of the machine's, must be found."""
    tree = log_path(".tree")
    shutil.rmtree(tree, ignore_errors=True)
    shutil.copytree(os.path.join(TOP, "kernel"), os.path.join(tree, "kernel"),
                    symlinks=True)
    check = [os.path.join(TOP, "tools/check-floors"), *"lib sync mm sched dev"
             " vm fs proc sys trap".split()]
    done = subprocess.run(check, cwd=tree, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    for line in ('#include "proc/proc.h"', '#include "riscv.h"',
                 '#ifdef __riscv'):
        wrong = os.path.join(tree, "kernel/mm/wrong.c")
        with open(wrong, "w") as f:
            f.write(line + "\n")
        done = subprocess.run(check, cwd=tree, capture_output=True, text=True)
        assert done.returncode != 0 and "mm/wrong.c:1" in done.stderr, line
    shutil.rmtree(tree)


@test(quick=True)
def test_header_change_rebuilds():
    """A header is a dependency of what includes it, in a copy of the tree."""
    tree = log_path(".tree")
    shutil.rmtree(tree, ignore_errors=True)
    os.mkdir(tree)
    for name in ("Makefile", "mk", "tools", "kernel", "include", "user"):
        source = os.path.join(TOP, name)
        copy = os.path.join(tree, name)
        if os.path.isdir(source):
            shutil.copytree(source, copy, symlinks=True)
        else:
            shutil.copy2(source, copy)

    def build():
        done = subprocess.run(
            ["make", "-j2", "kernel", f"ARCH={ARCH}", "BUILD=out"], cwd=tree,
            env=environment(), capture_output=True, text=True)
        if done.returncode != 0:
            raise Failure(done.stdout + done.stderr)
        return done.stdout

    build()
    os.utime(os.path.join(tree, "kernel/lib/symbols.h"))
    output = build()
    assert "kernel/lib/symbols.c" in output, output
    assert "kernel/lib/string.c" not in output, output
    shutil.rmtree(tree)


@test(quick=True)
@cases("kernel.elf", "user/cat")
def test_segments(product):
    """Text is R-X, data RW-, and nothing is both writable and executable."""
    done = subprocess.run(["readelf", "-lW", path(*product.split("/"))],
                          capture_output=True, text=True, check=True)
    loads = re.findall(r"LOAD +0x\w+ 0x(\w+) .*? (R W|RW |R E|RWE|R  ) ",
                       done.stdout)
    assert [flags for _, flags in loads] == ["R E", "RW "], done.stdout
    start = facts.KERNEL_START if product == "kernel.elf" else 0
    assert int(loads[0][0], 16) == start
    assert int(loads[1][0], 16) % 4096 == 0


@test(timeout=400)
@cases("LLVM=1", *(f"TOOLPREFIX={prefix}" for prefix in facts.PREFIXES))
def test_compiler(choice):
    """Each compiler that is here makes a system that boots and works."""
    name, value = choice.split("=")
    program = "clang" if name == "LLVM" else value + "gcc"
    if not shutil.which(program):
        print(f"{program} is not installed")
        return
    build = scratch(value if name != "LLVM" else "clang")
    output, _ = make("-j2", "all", choice, "CI=1", build=build)
    assert "warning" not in output.lower(), output
    with Machine(build=build) as m:
        assert m.run("echo compiled") == "compiled"
        m.run("usertests -q", timeout=240)
        m.poweroff()


PROGRAM = """
#include "kernel/types.h"
#include "kernel/stat.h"
#include "user/user.h"

void main(int argc, char *argv[]) {
  printf("mine: %s\\n", argc > 1 ? argv[1] : "no argument");
  exit(argc);
}
"""


@test(quick=True)
@once
def test_programs_folder_with_a_space():
    """make cannot have it, and says so."""
    folder = log_path(".my programs")
    os.makedirs(folder, exist_ok=True)
    with open(os.path.join(folder, "mine.c"), "w") as f:
        f.write(PROGRAM)
    output, status = make("all", f"PROGRAMS={folder}", check=False)
    assert status != 0 and "with a space" in output, output


@test(timeout=200)
def test_programs_folder():
    """PROGRAMS= puts programs of one's own on the disk, in place of ours of
    that name, and leaves them out again without it."""
    build = scratch("programs")
    folder = log_path(".programs")
    shutil.rmtree(folder, ignore_errors=True)
    os.mkdir(folder)
    for name in ("mine.c", "touch.c"):
        with open(os.path.join(folder, name), "w") as f:
            f.write(PROGRAM)
    with open(os.path.join(folder, "helper.c"), "w") as f:
        f.write("int helper;\n")
    output, _ = make("-j2", "all", f"PROGRAMS={folder}", build=build)
    assert "left out: helper.c" in output, output
    with Machine(build=build) as m:
        assert m.run("mine here", status=2) == "mine: here"
        assert m.run("touch", status=1) == "mine: no argument"
    make("-j2", "all", build=build)
    with Machine(build=build) as m:
        m.call("mine")
        assert m.call("mine")[1] == 127
    shutil.rmtree(folder)
