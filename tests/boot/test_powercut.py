"""Power cuts and disk errors: a few of those that `make powercuts` and `make
disk-errors` try, others each time. The seed is printed."""

import os
import random
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)),
                                "..", "powercut"))
import nbd
import powercut
from pagewise import BUILD, make, test

OPERATIONS = 60
POINTS = 1000
BOOTS = 2
ERRORS = 3  # of each way to fail
REQUESTS = 150  # that the workload for disk errors makes, about
FLUSHES = 4  # of a commit; each of them must be able to fail


def prepare():
    make(f"{BUILD}/host/powercut")
    seed = random.randrange(1 << 20)
    print(f"seed {seed}")
    return seed


@test(timeout=300)
def test_power_cuts():
    """Each system call is there as a whole or not at all, in order; what was
    synced is there."""
    seed = prepare()
    recording = powercut.Recording(seed, operations=OPERATIONS)
    print(recording.check("-n", str(POINTS), "-s", str(seed), "-j", "2"))
    for boot in range(BOOTS):
        recording.boot((seed + boot * 389) % 1000)


@test(timeout=300)
def test_disk_errors():
    """An error reaches who asked; what was safe stays, nothing hangs."""
    seed = prepare()
    errors = powercut.Errors(seed)
    for way in powercut.WAYS.values():
        for part in range(ERRORS):
            step = REQUESTS // ERRORS
            errors.run(1 + seed % step + part * step, way)
    flush = 1 + seed % FLUSHES
    assert errors.run(flush, {"kind": nbd.FLUSH}), f"there was no flush {flush}"
