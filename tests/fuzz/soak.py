"""Everything at once, for as long as one likes: user/tests/soak.c.

    make soak MINUTES=60 [SEED=n] [ARCH=..] [DEBUG=1]

The machine must come through it: with nothing of memory, processes, inodes or
blocks lost, and a disk that fsck finds right.
"""

import argparse
import os
import random
import shutil
import sys
import time

sys.dont_write_bytecode = True
sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)),
                                "..", "boot"))
from image import in_use
from pagewise import ARCH, Failure, Machine, log_path, path
from test_guest import check_disk

# Seconds without a word: a round, and what must then end, on a busy computer.
SILENCE = 1800


def soak(minutes, seed, cpus, mem, seconds=60):
    """Run it; show what it says of each round."""
    image = log_path(".img")
    shutil.copyfile(path("fs.img"), image)
    before = in_use(image)
    with Machine(cpus=cpus, mem=mem, disk=image, keep=True) as m:
        m.start(f"soak -s {seed} -m {minutes} -r {seconds}; echo __$?__")
        status = None
        while status is None:
            kind, line = m.expect(rb"__(-?\d+)__\r*\n", rb"\r*\n",
                                  timeout=SILENCE)
            if kind == 0:
                status = int(m.match.group(1))
            elif "soak" in line and "__" not in line:
                print(line, flush=True)
        if status != 0:
            raise Failure(f"soak: status {status}: {m.log.name}")
        m.wait_prompt()
        m.run("memcheck", timeout=SILENCE)
        m.poweroff()
    check_disk(image)
    if in_use(image) != before:
        raise Failure(f"in use before {before}, after {in_use(image)}: {image}")
    os.unlink(image)


def main():
    p = argparse.ArgumentParser(description=__doc__.split("\n", maxsplit=1)[0])
    p.add_argument("--minutes", type=int, default=10)
    p.add_argument("--seconds", type=int, default=60, help="of a round")
    p.add_argument("--seed", type=int, default=random.randrange(1, 1 << 30))
    p.add_argument("--cpus", type=int, default=4)
    p.add_argument("--mem", default="128M")
    a = p.parse_args()
    os.environ.setdefault("PAGEWISE_TEST", "make-soak")
    start = time.monotonic()
    print(f"soak: {ARCH}, {a.cpus} CPUs, {a.mem}, {a.minutes} minutes, "
          f"seed {a.seed}", flush=True)
    try:
        soak(a.minutes, a.seed, a.cpus, a.mem, a.seconds)
    except Failure as error:
        print(f"soak: FAILED: {str(error)[-3000:]}")
        return 1
    print(f"soak: all is right after {time.monotonic() - start:.0f} s")
    return 0


if __name__ == "__main__":
    sys.exit(main())
