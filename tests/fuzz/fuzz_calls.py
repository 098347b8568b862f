"""The fuzzers of system calls and of ELF files, boot after boot.

Each boot runs both on a disk of its own, lets the kernel check its memory,
switches off and checks the disk. A boot has a seed, which is printed; the next
has the one after it. What fails is kept: what the console printed, and the disk.
"""

import argparse
import os
import random
import re
import shutil
import sys
import time

sys.dont_write_bytecode = True
sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)),
                                "..", "boot"))
import pagewise
import test_fuzz

COUNT = re.compile(r"^(fuzz|fuzzelf): (\d+) (?:calls|files),", re.M)


def one_boot(seed, calls, files, cpus, seconds):
    """How many calls and files there were, and what was printed of them. Of the
    seconds that there are (None: many), the files get one in five."""
    ends = ["", ""] if seconds is None else \
        [f" -m {int(seconds * 0.8) + 1}", f" -m {int(seconds * 0.2) + 1}"]
    lines = test_fuzz.run_fuzzers(
        [f"fuzz -s {seed} -n {calls}" + ends[0],
         f"fuzzelf -s {seed} -n {files}" + ends[1]], cpus, silence=900)
    text = "\n".join(lines)
    made = dict(COUNT.findall(text))
    return int(made["fuzz"]), int(made["fuzzelf"]), [
        line for line in lines if COUNT.match(line)]


def keep(seed):
    """Put aside what the failed boot left behind."""
    folder = pagewise.path("fuzz", f"failed-{seed}")
    os.makedirs(folder, exist_ok=True)
    for suffix in (".img", f".{pagewise.Machine.count}.log"):
        if os.path.exists(pagewise.log_path(suffix)):
            shutil.copy(pagewise.log_path(suffix), folder)
    return folder


def options():
    p = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    p.add_argument("--seconds", type=int, help="no more calls and files after that")
    p.add_argument("--calls", type=int, help="nor after so many calls")
    p.add_argument("--seed", type=int, default=random.randrange(1, 1 << 30))
    p.add_argument("--cpus", type=int, default=4)
    p.add_argument("--per-boot", type=int, default=100000, help="calls")
    p.add_argument("--files-per-boot", type=int, default=1000)
    return p.parse_args()


def main():
    arguments = options()
    start, seed, failed = time.monotonic(), arguments.seed, []
    calls = files = 0
    os.environ.setdefault("PAGEWISE_TEST", "make-fuzz")
    print(f"fuzz: {pagewise.ARCH}, {arguments.cpus} CPUs, from seed {seed}",
          flush=True)
    left = arguments.seconds
    while ((left is None or left > 0)
           and (arguments.calls is None or calls < arguments.calls)):
        try:
            c, f, lines = one_boot(seed, arguments.per_boot,
                                   arguments.files_per_boot, arguments.cpus,
                                   left)
            calls += c
            files += f
            print(f"seed {seed}:", *lines, sep="\n  ", flush=True)
        except (AssertionError, pagewise.Failure) as error:
            failed.append(seed)
            print(f"seed {seed} FAILED: {str(error)[-3000:]}\n"
                  f"  kept in {keep(seed)}", flush=True)
        seed += 1
        if left is not None:
            left = arguments.seconds - (time.monotonic() - start)
    took = time.monotonic() - start
    print(f"fuzz: {calls} calls and {files} ELF files in {took:.0f} s, "
          f"{calls / took:.0f} calls a second; "
          + (f"FAILED: seeds {failed}" if failed else "nothing failed"))
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
