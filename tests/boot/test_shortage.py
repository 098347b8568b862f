"""Allocations that fail, one after the other: a few of those that `make shortage`
tries, others each time. The seed is printed."""

import os
import random
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)),
                                "..", "shortage"))
import shortage
from pagewise import Machine, cases, debug_kernel, test

STEPS = {"one": 3, "all": 5, "again": 9, "anywhere": 9}
PROGRAMS = 4  # for each way


@debug_kernel
@test(timeout=300)
@cases(*STEPS)
def test_programs(way):
    """A program that finds no memory ends, or goes on; nothing is lost."""
    seed = int(os.environ.get("SHORTAGE_SEED") or random.randrange(1 << 20))
    print(f"SHORTAGE_SEED={seed}")
    chance = random.Random(seed)
    programs = chance.sample(shortage.programs(way), PROGRAMS)
    sums = shortage.run([shortage.command(way, program, STEPS[way], chance,
                                          "-d -c 8 -m 20")
                         for program in programs], limit=200)
    print(sums)
    assert not sums.bad, sums.bad
    assert sums.failures >= PROGRAMS, sums


@debug_kernel
@test()
def test_shortage_sees():
    """A program that fails without a reason is one that `shortage` complains of,
    and one that cannot be run."""
    with Machine(cpus=1) as m:
        for program in ("false", "nosuchprogram"):
            out, status = m.call(f"shortage {program}")
            assert status == 1 and "when nothing was short" in out, out
        assert "OK" in m.run("shortage -a true")
