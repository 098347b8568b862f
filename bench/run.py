"""Measures Pagewise, and Linux beside it, and prints tables.

    run.py --pagewise DIR --linux DIR [--passes N] [--json FILE] [operation...]

Either system can be left out, and operations (their names in bench.c) named.

Called by `make bench` and `make bench-linux`. Both systems are booted and wait
while the other computes; each operation is measured in one and at once in the
other, so that whatever else the host does hits both alike. This is done in
several passes, each with a new boot. A time is the minimum over all passes and
rounds: noise only ever adds. A boot of each with two CPUs tells how many page
faults they serve beside each other. One more boot of each runs under
`-icount shift=0`, where the emulated clock advances by one nanosecond an
instruction: those counts repeat, whatever the host does. They leave out what
waits for the disk, since the clock runs while nobody computes.
"""

import argparse
import collections
import json
import os
import re
import shlex
import shutil
import struct
import sys
import tempfile
import time

import pexpect

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)),
                                "..", "tests", "boot"))

from child import Child

Operation = collections.namedtuple("Operation", "name title limit waits")

# limit: how many times as long as Linux the operation may take (must reach
# first); None where the design names none. waits: for the disk.
OPERATIONS = [
    Operation("null", "null system call", 10, False),
    Operation("fork", "fork+exit+wait, small process", 1, False),
    Operation("exec", "fork+exec+exit+wait", 0.9, False),
    Operation("fork-8mb", "fork+exit+wait, 8 MB touched", 1, False),
    Operation("fork-64mb", "fork+exit+wait, 64 MB touched", None, False),
    Operation("heap-4mb", "grow heap 4 MB, touch, shrink", 1, False),
    Operation("heap-32mb", "grow heap 32 MB, touch, shrink", 1, False),
    Operation("faults", "map 1 MB, touch, unmap: 256 faults", 1, False),
    Operation("sparse-1gb", "map 1 GB, read 16 pages, unmap", 1, False),
    Operation("map-file", "map a 200 KB file, touch, unmap", 1, False),
    Operation("yield", "two processes yield, once each", None, False),
    Operation("pipe-trip", "pipe round trip, two processes", 2, False),
    Operation("pipe-20mb", "20 MB through a pipe", 2, False),
    Operation("read", "read a cached 200 KB file", 3, False),
    Operation("open", "open+close", 3, False),
    Operation("create-write", "create and write a 200 KB file", None, True),
    Operation("create-sync", "the same, until it is on the disk", None, True),
    Operation("rewrite", "overwrite a 200 KB file", None, True),
    Operation("create-unlink", "create+unlink an empty file", None, True),
]

# Of 128 MB, Linux leaves less than this needs.
OURS_ONLY = ("fork-64mb",)

# On two CPUs: the first does its work once, the others twice at once.
TWO_CPUS = ["-smp", "2"]
PAIR = [
    ("faults", "one process"),
    ("faults-2p", "two processes, each as much"),
    ("faults-2t", "two threads, each as much"),
]
FAULT_PAGES = 256    # of a repetition
PAIR_GAIN = 1.6      # times the pages a second that two must reach
FORK_GROWTH = 2      # fork-64mb by fork-8mb at most

FILE_MB = 200 / 1024
FILE_WRITES = ("create-write", "create-sync", "rewrite")
WRITE_LIMIT = 10  # MB/s that create-write must reach

TIMED_ARGS = ["-r", "7", "-t", "20000"]

# What the quick and repeatable -icount boot runs: all that does not wait.
# Not sleep=off: an idle guest's clock would leap while the host's disk works,
# and drivers would give the disk up.
ICOUNT = ["-icount", "shift=0"]
ICOUNT_ARGS = ["-r", "3", "-t", "5000"]

# Without what Debian's kernel does for security and Pagewise does not: the
# comparison is with Linux at its fastest, which the limits above mean too.
LINUX_OPTIONS = ["console=ttyS0", "quiet", "init_on_alloc=0", "audit=0",
                 "hardened_usercopy=off", "randomize_kstack_offset=off", "lsm="]

BOOT_SECONDS = 120
RUN_SECONDS = 180

RESULT = re.compile(r"^([\w-]+) (\d+) ns minimum, (\d+) ns median", re.M)
FAILED = re.compile(r"^([\w-]+) failed", re.M)
AVAILABLE = re.compile(r"^memory available: (\d+) KB", re.M)


class Failure(Exception):
    """Something that the person who called must be told."""


def qemu(options, kernel, disk, append, extra):
    """The same machine for both systems; one CPU unless extra has -smp."""
    machine = shlex.split(options.machine.replace("@FS@", disk))
    cpus = [] if "-smp" in extra else ["-smp", "1"]
    return [options.qemu, *machine, "-m", options.mem, *cpus, "-nographic",
            "-no-reboot", "-kernel", kernel, "-append", append, *extra]


def linux_options(options):
    return " ".join(LINUX_OPTIONS + options.linux_options.split())


class Guest:
    """A booted system that takes command lines."""

    def __init__(self, command, log, alive):
        """alive: what the console shows when the system is up."""
        self.log = open(log, "w", encoding="utf-8", errors="replace")
        started = time.monotonic()
        self.child = Child(command[0], command[1:], encoding="utf-8",
                           codec_errors="replace", echo=False)
        self.child.logfile_read = self.log
        self.wait_for(alive, BOOT_SECONDS)
        self.boot_seconds = time.monotonic() - started

    def wait_for(self, pattern, seconds):
        try:
            self.child.expect(pattern, timeout=seconds)
        except (pexpect.TIMEOUT, pexpect.EOF):
            self.end()
            raise Failure(f"no {pattern!r}; see {self.log.name}") from None
        return self.child.before.replace("\r", "")

    def bench(self, arguments):
        self.child.send(" ".join(["/bench"] + arguments) + "\r")
        return self.wait_for(r"bench: \d+ failed", RUN_SECONDS)

    def end(self):
        self.child.end()
        self.log.close()


def boot_pagewise(options, extra, log, scratch):
    disk = os.path.join(scratch, "pagewise.img")
    shutil.copyfile(os.path.join(options.pagewise, "fs.img"), disk)
    kernel = os.path.join(options.pagewise, "kernel.elf")
    return Guest(qemu(options, kernel, disk, "", extra), log,
                 r"(?:^|[\r\n])\$ ")


def boot_linux(options, extra, log, scratch):
    disk = os.path.join(scratch, "linux.img")
    shutil.copyfile(os.path.join(options.linux, "disk.img"), disk)
    kernel = os.path.join(options.linux, "image")
    initrd = os.path.join(options.linux, "initrd")
    guest = Guest(qemu(options, kernel, disk, linux_options(options),
                       [*shlex.split(options.linux_machine), "-initrd", initrd,
                        *extra]),
                  log, "init: running")
    guest.wait_for("init: ready", BOOT_SECONDS)
    return guest


class Measurements:
    """All that is known about one system."""

    def __init__(self, name, boot, image_kb):
        self.name = name
        self.boot = boot
        self.image_kb = image_kb
        self.minimum = {}
        self.medians = collections.defaultdict(list)
        self.instructions = {}
        self.pair = {}
        self.failed = set()
        self.boot_seconds = []
        self.available_kb = 0
        self.guest = None

    def start(self, options, label, extra, scratch):
        log = os.path.join(options.logs, f"bench-{self.name}-{label}.log")
        self.guest = self.boot(options, extra, log, scratch)

    def end(self):
        if self.guest:
            self.guest.end()
        self.guest = None

    def does(self, name):
        return self.name == "pagewise" or name not in OURS_ONLY

    def time(self, name):
        text = self.guest.bench(TIMED_ARGS + [name])
        self.failed.update(FAILED.findall(text))
        for _, minimum, median in RESULT.findall(text):
            value = int(minimum)
            self.minimum[name] = min(value, self.minimum.get(name, value))
            self.medians[name].append(int(median))
        return text

    def time_pair(self):
        """The minimum is of the whole run: noise here only adds, too."""
        for name, _ in PAIR:
            for _, minimum, _ in RESULT.findall(
                    self.guest.bench(TIMED_ARGS + [name])):
                value = int(minimum)
                self.pair[name] = min(value, self.pair.get(name, value))

    def count(self):
        text = self.guest.bench(ICOUNT_ARGS + [
            op.name for op in OPERATIONS if not op.waits and self.does(op.name)])
        self.failed.update(FAILED.findall(text))
        for name, minimum, _ in RESULT.findall(text):
            self.instructions[name] = int(minimum)

    def note_boot(self, text):
        """text: what the first run of bench after a boot printed."""
        self.boot_seconds.append(self.guest.boot_seconds)
        self.available_kb = int(AVAILABLE.search(text).group(1))

    def record(self, memory_kb):
        return {
            "ns_minimum": self.minimum,
            "ns_median": {n: sorted(v)[len(v) // 2]
                          for n, v in self.medians.items()},
            "instructions": self.instructions,
            "two_cpus_ns": self.pair,
            "failed": sorted(self.failed),
            "boot_seconds": round(min(self.boot_seconds), 2),
            "image_kb": self.image_kb,
            "memory_used_kb": memory_kb - self.available_kb,
        }


def megabytes_to_kb(text):
    """QEMU's -m: megabytes, or a number with M or G."""
    factor = {"M": 1024, "G": 1024 * 1024}.get(text[-1].upper())
    return int(text[:-1]) * factor if factor else int(text) * 1024


def elf_image_kb(path):
    """Text and data of an ELF file: what is loaded from it."""
    with open(path, "rb") as file:
        data = file.read()
    # Type and size in the file of each program header; see the ELF
    # specification for the two word sizes.
    if data[4] == 2:
        offset, size, count = struct.unpack_from("<32xQ14xHH", data)
        fields = "<I28xQ"
    else:
        offset, size, count = struct.unpack_from("<28xI10xHH", data)
        fields = "<I12xI"
    headers = (struct.unpack_from(fields, data, offset + i * size)
               for i in range(count))
    load = 1  # PT_LOAD
    return sum(length for kind, length in headers if kind == load) // 1024


def shown(value):
    """Nanoseconds for a person."""
    if value is None:
        return "-"
    for unit, scale in (("ns", 1), ("us", 1e3), ("ms", 1e6)):
        if value < 1000 * scale or unit == "ms":
            return f"{value / scale:.3g} {unit}" if scale > 1 else f"{value} ns"
    return None


def counted(value):
    return "-" if value is None else f"{value:,}"


def rate(record, name):
    """Megabytes a second of an operation that moves one 200 KB file."""
    ns = record["ns_minimum"].get(name)
    return f"{FILE_MB / (ns / 1e9):.1f} MB/s" if ns else "-"


def print_alone(record):
    line = "{:36}{:>14}{:>16}"
    print(line.format("operation", "time", "instructions"))
    for op in OPERATIONS:
        ns = record["ns_minimum"].get(op.name)
        if ns is not None:
            print(line.format(op.title, shown(ns),
                              counted(record["instructions"].get(op.name))))


def ratio_of(ours, theirs):
    return ours / theirs if ours and theirs else None


def verdict(op, ratio, ours):
    """The column `must reach`, and whether it is reached."""
    if op.name == "create-write" and ours:
        speed = FILE_MB / (ours / 1e9)
        return f"{WRITE_LIMIT} MB/s", "yes" if speed >= WRITE_LIMIT else "NO"
    if op.limit is None or ratio is None:
        return "-", ""
    return f"{op.limit:g}", "yes" if ratio <= op.limit else "NO"


def print_times(ours, theirs):
    line = "{:36}{:>14}{:>14}{:>9}{:>12}  {}"
    print(line.format("time", "Pagewise", "Linux", "ratio", "must reach", ""))
    for op in OPERATIONS:
        mine, other = (r["ns_minimum"].get(op.name) for r in (ours, theirs))
        ratio = ratio_of(mine, other)
        if mine or other:
            print(line.format(op.title, shown(mine), shown(other),
                              f"{ratio:.2f}" if ratio else "-",
                              *verdict(op, ratio, mine)).rstrip())


def print_instructions(ours, theirs):
    line = "{:36}{:>14}{:>14}{:>9}"
    print(line.format("instructions", "Pagewise", "Linux", "ratio"))
    for op in OPERATIONS:
        mine, other = (r["instructions"].get(op.name) for r in (ours, theirs))
        ratio = ratio_of(mine, other)
        if mine or other:
            print(line.format(op.title, counted(mine), counted(other),
                              f"{ratio:.2f}" if ratio else "-"))


def print_whole(records):
    """What is not an operation: throughput, boot, image, memory."""
    rows = [(op.title, [rate(r, op.name) for r in records])
            for op in OPERATIONS if op.name in FILE_WRITES]
    rows += [
        ("boot", [f"{r['boot_seconds']} s" for r in records]),
        ("kernel image, text and data",
         [f"{r['image_kb']:,} KB" for r in records]),
        ("memory used after boot",
         [f"{r['memory_used_kb']:,} KB" for r in records]),
    ]
    for title, cells in rows:
        print(f"{title:36}" + "".join(f"{cell:>14}" for cell in cells))


def pages_a_second(record, name):
    ns = record["two_cpus_ns"].get(name)
    workers = 1 if name == "faults" else 2
    return workers * FAULT_PAGES / (ns / 1e9) if ns else None


def print_pair(records):
    print("pages faulted a second, two CPUs")
    for name, title in PAIR:
        cells = []
        for r in records:
            alone, speed = (pages_a_second(r, n) for n in ("faults", name))
            cells.append(f"{speed:,.0f} ({speed / alone:.2f})" if speed else "-")
        print(f"{title:36}" + "".join(f"{cell:>20}" for cell in cells))
    print(f"(in brackets: times one process's; must reach {PAIR_GAIN})")
    for r, label in zip(records, ("Pagewise", "Linux")):
        small, large = (r["ns_minimum"].get(n) for n in ("fork-8mb", "fork-64mb"))
        if small and large:
            print(f"{label}: fork with 64 MB takes {large / small:.2f} times as "
                  f"long as with 8 MB (at most {FORK_GROWTH})")


def noise(record):
    """How far, in percent, the usual median lies above the minimum: over 20,
    the host was busy and times are to be taken with care."""
    excess = sorted(100 * (median / record["ns_minimum"][name] - 1)
                    for name, median in record["ns_median"].items())
    return excess[len(excess) // 2] if excess else 0


def report(results, options):
    records = list(results.values())
    print()
    if len(records) == 1:
        print_alone(records[0])
    else:
        print_times(*records)
    print()
    print_whole(records)
    print()
    print_pair(records)
    if len(records) == 2:
        print()
        print_instructions(*records)
    print(f"\none CPU, {options.mem}, {options.qemu}; minimum of "
          f"{options.passes} passes; medians are "
          + ", ".join(f"{noise(r):.0f}%" for r in records) + " above it")
    if "linux" in results:
        print(f"Linux {results['linux']['version']} "
              f"with {linux_options(options).split(' ', 2)[2]}")
    for name, record in results.items():
        if record["failed"]:
            print(f"{name} failed: {', '.join(record['failed'])}; "
                  f"see {options.logs}/bench-{name}-*.log")


def parse():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--pagewise", help="directory of kernel.elf, fs.img")
    parser.add_argument("--linux", help="directory of image, initrd, disk.img")
    parser.add_argument("--qemu", required=True)
    parser.add_argument("--machine", required=True,
                        help="QEMU's options; @FS@ stands for the disk image")
    parser.add_argument("--linux-machine", default="",
                        help="more of them for Linux")
    parser.add_argument("--linux-options", default="",
                        help="more for Linux's command line")
    parser.add_argument("--mem", default="128M")
    parser.add_argument("--passes", type=int, default=3)
    parser.add_argument("--logs", default=".")
    parser.add_argument("--json")
    parser.add_argument("operations", nargs="*",
                        default=[op.name for op in OPERATIONS])
    return parser.parse_args()


def systems_of(options):
    systems = []
    if options.pagewise:
        kernel = os.path.join(options.pagewise, "kernel.elf")
        systems.append(Measurements("pagewise", boot_pagewise,
                                    elf_image_kb(kernel)))
    if options.linux:
        image = os.path.join(options.linux, "image")
        systems.append(Measurements("linux", boot_linux,
                                    os.path.getsize(image) // 1024))
    return systems


def timed_pass(options, systems, number, scratch):
    for system in systems:
        system.start(options, number, [], scratch)
    for first, name in enumerate(options.operations):
        for system in systems:
            text = system.time(name) if system.does(name) else ""
            if first == 0:
                system.note_boot(text)


def pair_pass(options, systems, number, scratch):
    for system in systems:
        system.start(options, f"two-{number}", TWO_CPUS, scratch)
        system.time_pair()
        system.end()


def counted_pass(options, systems, scratch):
    for system in systems:
        system.start(options, "icount", ICOUNT, scratch)
        system.count()
        system.end()


def measure(options, systems):
    with tempfile.TemporaryDirectory() as scratch:
        try:
            for number in range(1, options.passes + 1):
                print(f"pass {number} of {options.passes}", file=sys.stderr)
                timed_pass(options, systems, number, scratch)
                for system in systems:
                    system.end()
                pair_pass(options, systems, number, scratch)
            print("counting instructions", file=sys.stderr)
            counted_pass(options, systems, scratch)
        finally:
            for system in systems:
                system.end()


def main():
    options = parse()
    systems = systems_of(options)
    os.makedirs(options.logs, exist_ok=True)
    measure(options, systems)
    memory_kb = megabytes_to_kb(options.mem)
    results = {s.name: s.record(memory_kb) for s in systems}
    if options.linux:
        with open(os.path.join(options.linux, "version"),
                  encoding="utf-8") as file:
            results["linux"]["version"] = file.read().strip()
    if options.json:
        with open(options.json, "w", encoding="utf-8") as out:
            json.dump(results, out, indent=2)
    report(results, options)
    return 1 if any(r["failed"] for r in results.values()) else 0


if __name__ == "__main__":
    try:
        sys.exit(main())
    except Failure as failure:
        sys.exit(f"bench: {failure}")
