"""Disks and tables of the firmware that are damaged: a few of the thousands that
`make fuzz-disks` and `make fuzz-tables` try, others each time. The seed is
printed; tests/fuzz/fuzz_disks.py --seed repeats it."""

import os
import random
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)),
                                "..", "fuzz"))
import campaign
import fuzz_disks
import fuzz_tables
from pagewise import Failure, test

SECONDS = 15  # at most, for each test
COUNT = 25


def run_some(name, prepare):
    one = prepare()
    failures = campaign.run(name, one, COUNT, random.randrange(10 ** 9),
                            seconds=SECONDS)
    if failures:
        raise Failure(f"{name}: seeds {failures}")


@test(timeout=300)
def test_disks():
    """A damaged disk is used as far as it goes, or refused."""
    run_some("disks", fuzz_disks.prepare)


@test(timeout=300)
def test_tables():
    """Damaged tables are used as far as they go, or refused."""
    run_some("tables", fuzz_tables.prepare)
