"""Booting: every size of machine comes up, and goes down as asked."""

import os
import re
import shutil
import struct
import time

from child import Child
from pagewise import (ARCH, BUILD, DEBUG, PATIENCE, TOP, Failure, Machine, cases,
                      environment, facts, free_port, gdb_program, log_path,
                      make, only, path, test)
from tables import size_of


@test(quick=True)
def test_prompt():
    with Machine() as m:
        assert m.run("echo hello") == "hello"
        assert m.run("cat /no-such-file", status=1) != ""
        m.poweroff()


@test(quick=True)
@cases(1, 2, 4, 8)
def test_cpus(n):
    with Machine(cpus=n) as m:
        found = m.run("uptime")
        assert re.search(rf"\b{n} CPU", found), found
        m.poweroff()


@test(quick=True)
@cases("64M", "128M", "2G", "4G")
def test_memory(size):
    """All of the memory that the machine's design can use is found and counted;
    what it cannot use is reported (B6)."""
    with Machine(mem=size, wait=False) as m:
        boot = m.wait_prompt()
        text = m.run("free")
        total = re.search(r"^RAM\s+\d+\s+(\d+)", text, re.M)
        assert total, text
        facts.check_memory(size_of(size) >> 10, int(total.group(1)), boot)
        # The first line says the same, to the nearest MiB.
        mib = (int(total.group(1)) + 512) // 1024
        assert re.search(rf"CPUs?, {mib} MiB\r*\n", boot), boot
        m.poweroff()


@test(quick=True)
def test_too_many_processes_are_said():
    """The number that was asked for, whatever its size, and the one in use."""
    with Machine(append="maxproc=99999999999", wait=False) as m:
        boot = m.wait_prompt()
        assert re.search(r"boot: maxproc=99999999999: 4 to (\d+); using \1\b",
                         boot), boot


@test(quick=True)
def test_unknown_option_is_said():
    with Machine(append="nosuchoption=1 another", wait=False) as m:
        _, before = m.expect(rb"\$ ")
        assert "nosuchoption" in before and "another" in before, before


@test(quick=True)
def test_reboot():
    """The machine starts anew, and the disk has what was written."""
    with Machine() as m:
        m.run("echo kept > file")
        m.start("reboot")
        m.wait_prompt()
        assert m.run("cat file") == "kept"
        m.poweroff()


@test(timeout=240)
@cases("echo x > console", "mkdir console", "cp wc console", "sync")
def test_console_is_made_anew(put):
    """What is no console in place of /console, or nothing there, does not keep
    the system from its shell; init says what was wrong."""
    image = log_path(".img")
    shutil.copy(path("fs.img"), image)
    with Machine(disk=image, keep=True) as m:
        m.run(f"rm console; {put}; sync")
        m.poweroff()
    with Machine(disk=image, keep=True) as m:
        text = m.booted
        assert re.search(r"^init: /console was ", text, re.M), text
        assert m.run("ls -l console").startswith("c")
        m.poweroff()
    with Machine(disk=image) as m:
        assert "init: " not in m.booted, m.booted
    os.unlink(image)


def superblock(data):
    """Where inodes are and where data begins (include/abi/fs.h), in bytes."""
    size, nblocks, _, _, _, inodes, bitmap = struct.unpack_from("<7I", data,
                                                                1024 + 4)
    return 1024 * inodes, 1024 * bitmap, 1024 * (size - nblocks)


def damaged_image(damage):
    """The disk image, changed."""
    image = log_path(".img")
    with open(path("fs.img"), "rb") as f:
        data = bytearray(f.read())
    damage(data)
    with open(image, "wb") as f:
        f.write(data)
    return image


def entry(data, name):
    """The inode number of a name in the root directory, and where that entry is."""
    inodes, _, _ = superblock(data)
    for block in struct.unpack_from("<12I", data, inodes + 64 + 12):  # inode 1
        for at in range(1024 * block, 1024 * (block + 1) if block else 0, 16):
            inum, text = struct.unpack_from("<H14s", data, at)
            if inum and text.rstrip(b"\0") == name:
                return inum, at
    raise Failure(f"no {name}")


def other_major(data):
    inum, _ = entry(data, b"console")
    at = superblock(data)[0] + 64 * inum
    struct.pack_into("<H", data, at + 2, 77)


@test(quick=True)
def test_console_of_no_device():
    image = damaged_image(other_major)
    with Machine(disk=image) as m:
        assert "init: /console was not the console" in m.booted, m.booted
        m.run("true")
    os.unlink(image)


@test(quick=True)
def test_no_console_at_all():
    """If none can be made, the kernel says so and stops; there is no loop."""
    def damage(data):
        other_major(data)
        data[superblock(data)[1]] &= ~1  # read-only: see test_bitmap_is_checked
    image = damaged_image(damage)
    with Machine(disk=image, wait=False, append="panic=exit") as m:
        text, status = m.wait_exit()
        assert "init: /console is not the console" in text, text
        assert status != 0, text
    os.unlink(image)


@test(quick=True)
def test_bitmap_is_checked():
    """One that has what is in use as free is not written by."""
    def damage(data):
        _, bitmap, root = superblock(data)
        data[bitmap:root] = bytes(root - bitmap)
    image = damaged_image(damage)
    with Machine(disk=image) as m:
        assert re.search(r"fs: block 0 is in use, but .*\n"
                         r"fs: read-only", m.booted), m.booted
        assert "read-only" in m.run("echo a > f1", status=1)
        text, _ = m.call("crash mapped")
        assert "killed: bus error: the file system is read-only" in text, text
        m.run("ls; cat README | wc")
    os.unlink(image)


@test(quick=True)
def test_shell_that_ends_at_once():
    """It is said, and the next one waits."""
    def damage(data):
        inum, at = entry(data, b"true")
        _, shell = entry(data, b"sh")
        struct.pack_into("<H", data, shell, inum)
    image = damaged_image(damage)
    with Machine(disk=image, wait=False) as m:
        for _ in range(2):
            m.expect(rb"init: the shell ended at once, with status 0")
    os.unlink(image)


@test(quick=True)
def test_panic_exit():
    """With panic=exit a panic leaves QEMU with a failure, after a backtrace by
    symbol."""
    with Machine(append="panic=exit selftest=panic", wait=False) as m:
        text, status = m.wait_exit()
        assert status != 0, text
        assert "panic: " in text, text
        assert re.search(r"0x[0-9a-f]+ \w+\+0x[0-9a-f]+", text), text


@test(quick=True)
@cases(*facts.KERNEL_FAULTS)
def test_kernel_fault(case):
    """A fault of the kernel's own says what it was: among them an overflowing
    kernel stack, which meets its guard page (A6)."""
    name, word = case
    with Machine(append=f"panic=exit selftest={name}", wait=False) as m:
        text, status = m.wait_exit()
        assert status != 0, text
        message = text[text.index("panic: "):]
        assert word in message.splitlines()[0], text
        assert re.search(r"0x[0-9a-f]+ \w+\+0x[0-9a-f]+", message), text


@test()
@cases(1, 4)
def test_idle_is_idle(cpus):
    """At the prompt QEMU uses less than a tenth of a host CPU."""
    seconds = 5
    with Machine(cpus=cpus) as m:
        m.rest(1)  # what the boot left to do
        before, start = m.cpu_seconds(), time.monotonic()
        m.rest(seconds)
        used = m.cpu_seconds() - before
        share = used / (time.monotonic() - start)
        assert share < 0.10, f"{share:.0%} of a CPU"


def debug(dialogue):
    """Start QEMU and gdb as the README says, and hold a dialogue: what is typed
    and, as a regular expression, what is answered."""
    gdb = gdb_program()
    assert gdb, "no gdb that knows the target"
    port = free_port()
    # QEMU locks the image that it writes to: other tests may be using ours.
    disk = log_path(".img")
    shutil.copyfile(path("fs.img"), disk)
    server = Child(
        "make", [f"ARCH={ARCH}", "CPUS=1", "qemu-gdb", f"GDBPORT={port}",
                 f"FS={disk}", f"BUILD={BUILD}", f"DEBUG={DEBUG}"],
        cwd=TOP, env=environment(), timeout=60 * PATIENCE, encoding="utf-8",
        logfile=open(log_path(".qemu.log"), "w"))
    try:
        server.expect(facts.QEMU + " .*\r\n")
        kernel = "kernel/kernel" if BUILD == "build" else path("kernel.elf")
        g = Child(
            gdb, ["-q", "-nx", kernel], cwd=TOP, timeout=30 * PATIENCE, encoding="utf-8",
            env=dict(environment(), TERM="dumb"), dimensions=(50, 200),
            logfile=open(log_path(".gdb.log"), "w"))
        g.sendline("set pagination off")
        g.expect(r"\(gdb\) ")
        for typed, answer in dialogue:
            g.sendline(typed.replace(":26000", f":{port}"))
            g.expect(answer)
            g.expect(r"\(gdb\) ")
        g.end()
    finally:
        server.end()


@test(quick=True)
def test_gdb_session():
    """The debugging session of the notes, as it is typed (A17)."""
    debug((("target remote :26000", facts.RESET_ADDRESS),
           ("b main", rf"Breakpoint 1 at {facts.KERNEL_ADDRESS}: "
            r"file kernel/main\.c"),
           ("b kvminit", rf"Breakpoint 2 at {facts.KERNEL_ADDRESS}: file "),
           ("c", "Breakpoint 1, main "),
           ("c", "Breakpoint 2, kvminit "),
           ("bt", r"#1 .* main ")))


@test(quick=True)
def test_lock_of_the_free_list():
    """It is not used before there is more than one CPU (B7), and then it is."""
    lock = "&'kernel/mm/kalloc.c'::block_lock"
    debug((("target remote :26000", facts.RESET_ADDRESS),
           ("b kinit", "Breakpoint 1 at "),
           (f"b acquire if lk == {lock}", "Breakpoint 2 at "),
           ("b kalloc_use_lock", "Breakpoint 3 at "),
           ("c", "Breakpoint 1, kinit "),
           ("c", "Breakpoint 3, kalloc_use_lock "),
           ("c", "Breakpoint 2, acquire ")))


def readme_transcript():
    """What the README shows of gdb; numbers may differ."""
    with open(os.path.join(TOP, "README.md"), encoding="utf-8") as f:
        section = f.read().split("## Debugging with gdb")[1].split("\n## ")[0]
    shown = "\n".join(line.strip() for line in section.split("\n")
                      if line.startswith("    ") or not line)
    for piece in shown.split("(gdb) ")[1:]:
        typed, *answer = piece.split("\n")
        yield typed, r"\s+".join(
            re.sub("0x[0-9a-f]+|[0-9]+", "(?:0x)?[0-9a-f]+", re.escape(word))
            for word in " ".join(answer).split())


@test(quick=True)
@only("default")
def test_gdb_session_of_readme():
    """What the README shows of gdb happens."""
    debug(readme_transcript())


@test(quick=True)
@only("MACHINE=")
@cases("pc", "q35")
def test_machine(name):
    """QEMU's two PCs: PCI and interrupts are wired differently."""
    with Machine(cpus=2, extra=["-machine", name]) as m:
        assert m.run(f"echo {name}") == name
        m.run("uptime")
        m.start("reboot")
        m.wait_prompt()
        m.poweroff()


@test(timeout=200)
@only("iso")
@cases("pc", "q35")
def test_iso(name):
    """GRUB boots the image that `make iso` makes, from a CD; the file system is
    on a disk, as ever."""
    image = path("pagewise.iso")
    output, status = make("iso", check=False)
    if status != 0 and "apt-get install" in output:
        print(output)  # names what is missing
        return
    assert status == 0, output
    output, _ = make("-n", "qemu-iso")
    command = output.splitlines()[-1]
    assert "pagewise.iso" in command and "fs.img" in command, output
    assert "-kernel" not in command, output
    with Machine(extra=["-machine", name, "-cdrom", image, "-boot", "d"],
                 from_disk=True, timeout=60) as m:
        assert m.run("echo booted by GRUB") == "booted by GRUB"
        assert re.search(r"^RAM\s+\d+\s+(\d+)", m.run("free"), re.M)
        m.poweroff()
