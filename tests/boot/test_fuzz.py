"""System calls and programs that nobody would write: the fuzzers, for a moment.

Each run has a seed of its own, which is printed; FUZZ_SEED=n repeats it. `make
fuzz` runs the same for as long as one likes (tests/fuzz/campaign.py).
"""

import os
import random
import shutil

from image import in_use
from pagewise import Machine, log_path, path, test
from test_guest import check_disk


def new_seed():
    return int(os.environ.get("FUZZ_SEED") or random.randrange(1, 1 << 31))


def run_fuzzers(commands, cpus=4, silence=300):
    """Run each command, whose output must end with OK, and then see whether the
    disk is as it was. What they printed. `silence` is how long, in seconds, a
    command may print nothing: they tell how far they are."""
    image, printed = log_path(".img"), []
    shutil.copyfile(path("fs.img"), image)
    before = in_use(image)
    # Few processes, as damaged code may call fork() for ever.
    with Machine(cpus=cpus, disk=image, keep=True, append="maxproc=64") as m:
        for command in commands:
            m.start(command + "; echo __$?__")
            status = None
            while status is None:
                kind, line = m.expect(rb"__(-?\d+)__\r*\n", rb"\r*\n",
                                      timeout=silence)
                if kind == 0:
                    status = int(m.match.group(1))
                else:
                    printed.append(line)
            assert status == 0, "\n".join(printed[-100:])
            m.wait_prompt()
        m.run("memcheck", timeout=silence)
        m.poweroff()
    check_disk(image)
    assert in_use(image) == before, (before, in_use(image))
    os.unlink(image)
    return printed


def fuzz(command):
    """With a new seed; {seed} in the command."""
    seed = new_seed()
    try:
        print("\n".join(run_fuzzers([command.format(seed=seed)])))
    finally:
        print(f"to repeat this: FUZZ_SEED={seed} tests/run fuzz", flush=True)


@test(timeout=400)
def test_system_calls():
    """Nothing that a program may ask for brings the kernel down."""
    fuzz("fuzz -s {seed} -n 8000")


@test(timeout=400)
def test_programs():
    """Nor does any file that it may try to run."""
    fuzz("fuzzelf -s {seed} -n 500")
