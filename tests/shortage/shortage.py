"""Programs that meet a shortage of memory, at each allocation in turn.

    shortage.py [--way WAY] [--seed N] [--step N] [PATTERN ...]

The guest's `shortage` (user/tests/shortage.c) runs a program until it succeeds
without a failed allocation, on the debug kernel; here are the programs, the ways
for allocations to fail, and what happens around it: the console shows no panic,
and fsck finds nothing on the disk that is left. What a program does often it does
only a few times (-s of usertests and mmaptest), as each n is a run. --step 3 tries one n in three,
which ones is up to the seed. With a PATTERN only programs whose command has it.
"""

import argparse
import itertools
import os
import random
import re
import shutil
import sys

sys.dont_write_bytecode = True
sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)),
                                "..", "boot"))
from pagewise import Machine, log_path, path
from test_guest import check_disk

# What the guest's program is asked for: see there.
WAYS = {
    "one": "",
    "all": "-a",
    "again": "-r",
    "anywhere": "-k",
}

SCRIPT = ("echo a | cat > f; cat < f f | wc >> g; mkdir d; cp f d; rm d/f; "
          "mv f h; ls | sort; cat h > i; ln i j")

# All tests of mmaptest's groups anon and file.
MMAPTEST = """
    zeros rounding hints fixed fixed_noreplace holes rights all_rights written_code
    advice split_and_merge many_regions populate read_first heap_meets_mapping
    stack_grows
    content private_writes shared_writes end_of_file file_grows exit_keeps_changes
    file_shrinks file_emptied mapped_buffers access_modes rights_of_file
    holes_are_filled unlinked replaced busy_text
""".split()

# Tests of usertests that few allocations are enough for, that both machines have, and
# in which nobody goes on until another ends it (as in killbusy).
USERTESTS = """
    copyin copyoutcalls copyout copyoutwait copyouttext copyinstr1 copyinstr2
    copyinstr3 straddle wrap misaligned copyinargv
    rwsbrk lazy forkmemory mallocs sbrkbasic sbrkmuch sbrkzero sbrkbad sbrkbugs
    sbrklast sbrktop kernmem badjump textwrite badinstruction stackguard bsstest oddload
    opentest writetest writebig createtest bigwrite bigfile unlinkread truncate1
    truncate2 truncate3 fdlimit dups seek holes ftruncates append devices syncs
    hugewrite modes badfd badwrite fourteen
    mapself mapkept mapgiven textbusy
    dirtest subdir linktest bigdir iref iputtest openiput renames renamedir
    renameremoved rmdot dirfile dirlinks emptypath getcwds deep
    sharedfd fourfiles createdelete concreate linkunlink sharedread removedraces
    exitiputtest
    exitwait twochildren forkfork reparent reparent2 orphan waitpids groups processlist
    killinit rights times badcalls floats
    exectest manyargs bigargtest execbig execerrors execrunning tinyprogram badheaders
    truncated badentry
    pipe1 pipeatomic pipecapacity pipebroken pipeends pipeend
    regions dumpandwalk usage memorysums systeminfo heapregion dumpandregions
    walkresults ownmemory
    walks roots kernelspace kernelguards tablesize
    tlb_unmap tlb_protect tlb_fork tlb_alone
    constants userspace floatfork registers alignment wildpause wildexit
""".split()

# Those of whose threads or processes one waits for what another will do. If that
# is killed, they wait until shortage ends them, which takes seconds: so these are
# only for failures that they must not notice.
PARTNERS = """
    threads_join threads_exec threads_fork threads_multiply futexes
    futex_shared threads_malloc threads_files threads_table killstatus killwait
    pingpong pipechain pipekill
""".split()

ALONE = [
    "echo hello",
    f"sh -c '{SCRIPT}'",
    *(f"mmaptest -s {name}" for name in MMAPTEST),
    *(f"usertests -s -b {name}" for name in USERTESTS),
]
TOGETHER = [
    "mmaptest -s fork",
    "stressfs 2 2 1",
    "vmthreads -s 1 -n 20 -t 3",
    *(f"usertests -s -b {name}" for name in PARTNERS),
]

# What fills all memory, page by page, is run where there is little.
LITTLE = {"usertests -s -b mapgiven": "8M"}


def programs(way):
    return ALONE + (TOGETHER if way in ("again", "anywhere") else [])


SUMMARY = re.compile(r"shortage: (\d+) runs, (\d+) failures at (\d+) new places")


class Sums:
    """What a machine's runs amount to."""

    def __init__(self):
        self.runs = self.failures = self.places = 0
        self.bad = []

    def add(self, name, text):
        found = SUMMARY.findall(text)
        if found:
            runs, failures, places = map(int, found[-1])
            self.runs += runs
            self.failures += failures
            self.places += places
        if not found or not text.endswith("OK\n"):
            self.bad.append((name, text))

    def __str__(self):
        return (f"{self.runs} runs, {self.failures} failures at {self.places} "
                f"places, {len(self.bad)} programs FAILED")


def memory_for(command):
    return next((mem for program, mem in LITTLE.items()
                 if command.endswith(program)), "128M")


def run(commands, limit=600, say=lambda line: None):
    """Run commands of the guest, on machines with a disk of their own. Sums."""
    sums = Sums()
    for mem, some in itertools.groupby(commands, memory_for):
        run_on(mem, some, sums, limit, say)
    return sums


def run_on(mem, commands, sums, limit, say):
    image = log_path(".img")
    shutil.copyfile(path("fs.img"), image)
    with Machine(cpus=2, mem=mem, disk=image, keep=True) as m:
        for command in commands:
            text, _ = m.call(command, timeout=limit)
            sums.add(command, text)
            say(f"{command}: {(SUMMARY.findall(text) or ['?'])[-1]} "
                f"{text.splitlines()[-1][-6:]}")
        m.run("memcheck", timeout=60)
        m.poweroff()
    check_disk(image)
    os.unlink(image)


def command(way, program, step, chance, options="-d -c 8"):
    """The guest's command."""
    return (f"shortage {options} {WAYS[way]} -f {1 + chance.randrange(step)} "
            f"-s {step} {program}")


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--way", choices=WAYS, action="append")
    parser.add_argument("--seed", type=int, default=random.randrange(1 << 20))
    parser.add_argument("--step", type=int, default=1)
    parser.add_argument("--most", type=int, default=1000000, help="runs of a program")
    parser.add_argument("pattern", nargs="*")
    options = parser.parse_args()
    print(f"seed {options.seed}", flush=True)
    bad = 0
    for way in options.way or WAYS:
        os.environ["PAGEWISE_TEST"] = f"shortage-{way}"
        chance = random.Random(options.seed)
        sums = run([command(way, program, options.step, chance,
                            f"-d -c 8 -m {options.most}")
                    for program in programs(way)
                    if not options.pattern
                    or any(word in program for word in options.pattern)],
                   limit=3600, say=lambda line: print("  " + line, flush=True))
        print(f"{way}: {sums}", flush=True)
        for name, text in sums.bad:
            print(f"--- {name}\n{text[-2000:]}")
        bad += len(sums.bad)
    return 1 if bad else 0


if __name__ == "__main__":
    sys.exit(main())
