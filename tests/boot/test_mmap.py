"""Regions of memory: each promise of POSIX that is kept, random sequences
against a model, and what happens when memory runs out.

The programs are in user/tests. mmaptest and vmmodel are written against POSIX
and run on Linux, too: so a test that asks for what POSIX does not say is seen.
"""

import mmap
import os
import shutil
import subprocess
import sys
import tempfile

from pagewise import TOP, Machine, cases, log_path, once, path, test
from test_guest import check_disk, run_on_own_disk

CLEAN = "memcheck: all is right"


@test(quick=True, timeout=200)
def test_mmaptest():
    run_on_own_disk([("mmaptest", "mmaptest OK")], timeout=180)


@test(timeout=300)
@cases(1, 2, 4)
def test_mmaptest_cpus(cpus):
    run_on_own_disk([("mmaptest", "mmaptest OK")], cpus, 280)


@test(quick=True, timeout=120)
def test_model_quick():
    run_on_own_disk([("vmmodel -s 1 -n 500", "vmmodel OK (seed 1)")])


@test(timeout=400)
@cases(*range(2, 6))
def test_model(seed):
    """Small pages, and in a large arena superpages."""
    run_on_own_disk([(f"vmmodel -s {seed} -n 3000", f"vmmodel OK (seed {seed})"),
                     (f"vmmodel -l -s {seed} -n 200", f"vmmodel OK (seed {seed})")], timeout=190)


@test(timeout=300)
def test_models_at_once():
    """Several beside each other, on several CPUs."""
    with Machine(cpus=3) as m:
        m.run("for i in 1 2 3 4; do mkdir d$i; done")
        m.run(" ".join(f"(cd d{i}; vmmodel -s 1{i} -n 600 > out) &"
                       for i in range(1, 5)) + " wait", timeout=280)
        for i in range(1, 5):
            assert m.run(f"cat d{i}/out").endswith(f"vmmodel OK (seed 1{i})")
        assert m.run("memcheck").endswith(CLEAN)


@test(quick=True, timeout=120)
def test_threads_quick():
    run_on_own_disk([("vmthreads -n 60", "vmthreads OK (seed 1)")],
                    timeout=100)


@test(timeout=400)
@cases(1, 2, 4)
def test_threads(cpus):
    """Threads of one process that change its memory, on several CPUs."""
    run_on_own_disk([(f"vmthreads -s {seed}", f"vmthreads OK (seed {seed})")
                     for seed in (cpus, cpus + 10)], cpus, 180)


@test(timeout=400)
@cases(1, 3)
def test_pressure(cpus):
    """Whoever asks for more than there is ends, and nobody else."""
    image = log_path(".img")
    shutil.copyfile(path("fs.img"), image)
    with Machine(cpus=cpus, mem="64M", disk=image, keep=True) as m:
        assert m.run("vmpressure", timeout=380).endswith("vmpressure OK")
        assert m.run("memcheck").endswith(CLEAN)
        m.poweroff()
    check_disk(image)
    os.unlink(image)


@test(quick=True)
@once
def test_on_linux():
    """The tests ask for nothing that Linux does not do."""
    compiler = shutil.which("gcc") or shutil.which("cc")
    if sys.platform != "linux" or mmap.PAGESIZE != 4096 or not compiler:
        print("skipped: for Linux with pages of 4096 bytes")
        return
    tests = os.path.join(TOP, "user", "tests")
    with tempfile.TemporaryDirectory() as folder:
        for name, sources in (
                ("mmaptest", [os.path.join(tests, "mmaptest", f)
                              for f in os.listdir(os.path.join(tests, "mmaptest"))
                              if f.endswith(".c")]),
                ("vmmodel", [os.path.join(tests, "vmmodel.c")])):
            program = os.path.join(folder, name)
            subprocess.run([compiler, "-std=gnu11", "-O1", "-Wall", "-Wextra",
                            "-DTESTS_ON_LINUX", "-o", program, *sources],
                           check=True)
            done = subprocess.run([program], cwd=folder, timeout=60, text=True,
                                  stdout=subprocess.PIPE)
            assert done.returncode == 0, done.stdout
