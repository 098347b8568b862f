"""What processes must not see of each other, nor of the kernel: user/tests/isolation.

Each run has a seed, which is printed; ISOLATION_SEED=n repeats it.
"""

import os
import random

from pagewise import cases, test
from test_guest import run_on_own_disk


def isolation(names, cpus):
    """Run these tests of the guest's program."""
    seed = int(os.environ.get("ISOLATION_SEED") or random.randrange(1, 1 << 31))
    try:
        run_on_own_disk([(f"isolation -s {seed} {names}", "isolation OK")], cpus,
                        timeout=280)
    finally:
        print(f"to repeat this: ISOLATION_SEED={seed} tests/run isolation",
              flush=True)


@test(timeout=300)
@cases("walk_calls walk_direct call_pointers", "stale_memory",
       "remains_memory remains_files remains_text structs")
def test_isolation(names):
    isolation(names, 3)
