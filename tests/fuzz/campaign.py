"""Many machines, each booted once with something damaged.

A campaign makes each case from a number, so that a failure can be repeated from
what is printed:

    ... --seed 1234 --count 1

A case ends in one of the outcomes that its campaign allows, or is a failure: a
panic, a machine that says nothing more and does not end, memory that is not
accounted for. Failures are printed with the console's text, and kept.
"""

import argparse
import collections
import concurrent.futures
import os
import random
import re
import select
import subprocess
import sys
import time

sys.dont_write_bytecode = True
sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)),
                                "..", "boot"))
import pagewise

# Beyond that it hangs. Far more than any takes, as computers may be busy.
LIMIT = 120

# What a machine says last that cannot switch itself off.
OFF = b"The machine can be switched off."

BAD = re.compile(r"panic: |MEMORY IS WRONG|runtime error|Sanitizer")


class Result:
    """What a machine said, how it ended, and what that amounts to."""

    def __init__(self, text, status):
        self.text = text
        self.status = status  # of QEMU; None: it had to be ended
        self.outcome = None
        self.why = None  # it is a failure, for this reason

    def fail(self, why):
        self.outcome = "FAILED"
        self.why = why


def run_qemu(disk, append="panic=exit", cpus=2, mem="32M", extra=(),
             build=pagewise.BUILD, limit=LIMIT, talk=None):
    """Boot and wait for the end; talk(process) may act before that."""
    command = pagewise.qemu_command(build, cpus, mem, disk, append,
                                    ["-no-reboot", *extra])
    with subprocess.Popen(command, cwd=pagewise.TOP, stdin=subprocess.DEVNULL,
                          stdout=subprocess.PIPE,
                          stderr=subprocess.STDOUT) as process:
        try:
            if talk:
                talk(process)
            raw, ended = listen(process.stdout.fileno(),
                                time.monotonic() + limit)
        finally:
            process.kill()
    return Result(pagewise.clean(raw), process.returncode if ended else None)


def listen(fd, end):
    """What is said until nobody can say more, and whether it came to that."""
    raw = b""
    while select.select([fd], [], [], max(0, end - time.monotonic()))[0]:
        got = os.read(fd, 65536)
        raw += got
        if not got or OFF in raw:
            return raw, True
    return raw, False


def judge(result, outcomes):
    """Name the outcome: the first whose words are in what was said."""
    bad = BAD.search(result.text)
    if bad:
        result.fail(result.text[bad.start():].split("\n")[0])
        return
    for name, words in outcomes:
        if re.search(words, result.text):
            result.outcome = name
            break
    else:
        result.fail("nothing was said of why it ended" if result.status is not None
                    else "it hangs")
        return
    if result.status is None:
        result.fail(f"it hangs ({result.outcome})")


def folder(*parts):
    """A folder for what a campaign makes."""
    name = pagewise.path("fuzz", *parts)
    os.makedirs(name, exist_ok=True)
    return name


def keep(name, seed, result):
    """Write down what failed."""
    path = os.path.join(folder(name), f"failed-{seed}.txt")
    with open(path, "w", encoding="utf-8") as f:
        f.write(f"{name} {pagewise.ARCH} seed {seed}: {result.why}\n"
                f"QEMU's status: {result.status}\n\n{result.text}")
    return path


def run(name, one, count, seed, jobs=1, seconds=None, progress=False):
    """Run one(seed), one(seed + 1), ... Print a summary; return the failures."""
    start = time.monotonic()
    outcomes = collections.Counter()
    failures = []

    def guarded(s):
        if seconds is not None and time.monotonic() - start > seconds:
            return None
        return one(s)

    print(f"{name}: {pagewise.ARCH}, {count} from seed {seed}", flush=True)
    with concurrent.futures.ThreadPoolExecutor(jobs) as pool:
        for s, result in zip(range(seed, seed + count),
                             pool.map(guarded, range(seed, seed + count))):
            if result is None:
                continue
            outcomes[result.outcome] += 1
            if result.why:
                path = keep(name, s, result)
                failures.append(s)
                print(f"{name}: seed {s}: {result.why} ({path})", flush=True)
            if progress and sum(outcomes.values()) % 500 == 0:
                print(f"{name}: {dict(outcomes)}", flush=True)
    took = time.monotonic() - start
    print(f"{name}: {sum(outcomes.values())} in {took:.0f} s: " +
          ", ".join(f"{n} {o}" for o, n in sorted(outcomes.items())), flush=True)
    return failures


def main(name, about, prepare, count):
    """The command line that campaigns have in common. prepare(arguments) returns
    the function that runs one case."""
    p = argparse.ArgumentParser(description=about)
    p.add_argument("--count", type=int, default=count)
    p.add_argument("--seed", type=int, default=random.randrange(10 ** 9))
    p.add_argument("--jobs", type=int, default=os.cpu_count())
    p.add_argument("--show", action="store_true",
                   help="print what each machine says")
    arguments = p.parse_args()
    one = prepare()

    def shown(seed):
        result = one(seed)
        if arguments.show:
            print(f"--- seed {seed}: {result.outcome}\n{result.text}")
        return result

    failures = run(name, shown, arguments.count, arguments.seed,
                   arguments.jobs, progress=True)
    if failures:
        print(f"{name}: {len(failures)} FAILED: {failures}")
    sys.exit(1 if failures else 0)
