"""Run tests and say how they went.

    tests/run [--quick] [--stop] [--jobs N] [--list] [PATTERN ...]
    ARCH=x86 tests/run ...
    ARCH="riscv x86" tests/run ...
    DEBUG=1 tests/run ...

Units of the kernel are tests/host/test_*.c, compiled for this computer. Boot
tests are the functions test_... in tests/boot/test_*.py. A PATTERN is a part of
a test's name; without one, all run. Each test is a process with a time limit,
so that nothing that hangs can hold up the rest. The last line printed is
"N passed, N failed".

ARCH names the machine. With several, this program runs once for each, one after
the other; what has nothing to do with the machine (units, and tests marked
`once`) is left to the first. DEBUG=1 runs the tests on the debug kernel; those
marked `debug_kernel` always run on it. PATIENCE=n makes all limits of time n
times as long, for a computer that has much else to do.
"""

import argparse
import concurrent.futures
import glob
import os
import re
import signal
import subprocess
import sys
import threading
import time

TOP = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
BOOT = os.path.join(TOP, "tests", "boot")
sys.path.insert(0, BOOT)
sys.dont_write_bytecode = True

MACHINES = os.environ.get("ARCH", "riscv").split()
if len(MACHINES) == 1:  # pagewise is for one; a run over several needs none
    import pagewise

HOST_TIMEOUT = 120
SUMMARY = re.compile(r"(\d+) passed, (\d+) failed\n")
TAIL = 25  # lines of a failed test's output that are shown


class Test:
    def __init__(self, name, command, timeout, quick, debug=False, needs=()):
        self.name = name
        self.command = command
        self.timeout = timeout
        self.quick = quick
        self.debug = debug
        self.needs = needs  # targets of make


def host_tests():
    for source in sorted(glob.glob(os.path.join(TOP, "tests/host/test_*.c"))):
        name = os.path.basename(source)[:-2]
        program = os.path.join(TOP, pagewise.BUILD, "host/tests", name)
        yield Test("host/" + name[5:], [program], HOST_TIMEOUT * pagewise.BUSY,
                   True)


def boot_tests(repeated):
    for source in sorted(glob.glob(os.path.join(BOOT, "test_*.py"))):
        module = os.path.basename(source)[:-3]
        loaded = __import__(module)
        for name, function in vars(loaded).items():
            if not name.startswith("test_"):
                continue
            if getattr(function, "part", None) not in (None, *pagewise.facts.PARTS):
                continue
            if repeated and getattr(function, "once", False):
                continue
            command = [sys.executable, "-B", os.path.join(BOOT, "pagewise.py"),
                       module, name]
            full = f"{module[5:]}/{name[5:]}"
            timeout = getattr(function, "timeout", 120) * pagewise.BUSY
            quick = getattr(function, "quick", False)
            debug = getattr(function, "debug", False)
            needs = (*getattr(loaded, "NEEDS", ()), *getattr(function, "needs", ()))
            if debug or pagewise.DEBUG == "1":
                timeout *= pagewise.DEBUG_PATIENCE
            if not hasattr(function, "cases"):
                yield Test(full, command, timeout, quick, debug, needs)
                continue
            for i, case in enumerate(function.cases):
                yield Test(f"{full}[{case}]", command + [str(i)], timeout,
                           quick, debug, needs)


def end(process):
    """End a test and what it started: first kindly, so that it tidies up."""
    for sig in (signal.SIGTERM, signal.SIGKILL):
        try:
            os.killpg(process.pid, sig)
            process.wait(5)
            return
        except ProcessLookupError:
            return
        except subprocess.TimeoutExpired:
            pass


def run_one(test):
    """Run a test; return (passed, seconds, output)."""
    env = dict(os.environ, PAGEWISE_TEST=test.name, PYTHONUNBUFFERED="1")
    if test.debug and pagewise.DEBUG != "1":
        env["DEBUG"] = "1"
        del env["PAGEWISE_QEMU"]  # that is the plain kernel's
    start = time.monotonic()
    try:
        process = subprocess.Popen(
            test.command, cwd=TOP, env=env, stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
            start_new_session=True)
    except FileNotFoundError as error:  # a unit test: why was it not built?
        text, _ = pagewise.make(os.path.relpath(error.filename, TOP)
                                if not os.path.isabs(pagewise.BUILD)
                                else error.filename, check=False)
        return False, 0, text
    note = ""
    try:
        out, _ = process.communicate(timeout=test.timeout)
    except subprocess.TimeoutExpired:
        end(process)
        out, _ = process.communicate()
        note = f"\nstill running after {test.timeout} s\n"
    text = out.decode("utf-8", "replace") + note
    passed = process.returncode == 0 and not note
    return passed, time.monotonic() - start, text


def run_machines(machines, arguments):
    """Run this program for each machine, and add up."""
    passed = failed = 0
    for n, machine in enumerate(machines):
        command = [sys.executable, __file__, *arguments]
        if n > 0:
            command.append("--repeated")
        print(f"--- {machine}", flush=True)
        child = subprocess.Popen(command, cwd=TOP, text=True,
                                 env=dict(os.environ, ARCH=machine),
                                 stdout=subprocess.PIPE)
        counts = None
        for line in child.stdout:
            counts = SUMMARY.fullmatch(line)
            if not counts:
                print(line, end="", flush=True)
        child.wait()
        passed += int(counts.group(1)) if counts else 0
        failed += int(counts.group(2)) if counts else 1
    print(f"{passed} passed, {failed} failed")
    return 1 if failed or not passed else 0


def main():
    if len(MACHINES) > 1:
        return run_machines(MACHINES, sys.argv[1:])
    return run_machine()


def run_machine():
    parser = argparse.ArgumentParser(prog="tests/run")
    parser.add_argument("--quick", action="store_true",
                        help="only the quick tests")
    parser.add_argument("--jobs", type=int, default=2,
                        help="tests at a time (default: 2)")
    parser.add_argument("--stop", action="store_true",
                        help="begin no test after one has failed")
    parser.add_argument("--list", action="store_true", help="only name them")
    parser.add_argument("--repeated", action="store_true",
                        help="leave out what no machine makes different")
    parser.add_argument("pattern", nargs="*", help="part of a test's name")
    options = parser.parse_args()

    units = [] if options.repeated else host_tests()
    tests = [t for t in [*units, *boot_tests(options.repeated)]
             if (t.quick or not options.quick)
             and (not options.pattern
                  or any(p in t.name for p in options.pattern))]
    if options.list:
        for t in tests:
            print(t.name)
        return 0

    output, status = pagewise.make("all", check=False, timeout=600)
    if status != 0:
        print(output + "0 passed, 1 failed")
        return 1
    if any(t.debug for t in tests):
        output, status = pagewise.make("DEBUG=1", "all", check=False,
                                       timeout=600)
        if status != 0:
            print(output + "0 passed, 1 failed")
            return 1
    if any(t.name.startswith("host/") for t in tests):
        pagewise.make("-k", "host-tests", check=False, timeout=600)
    # A test whose needs cannot be made says so itself.
    for target in sorted({target for t in tests for target in t.needs}):
        pagewise.make(target, check=False, timeout=600)
    # Known to all tests, so that they need not ask make again.
    pagewise.qemu_command(pagewise.BUILD, 1, "", "", "", [])

    lock = threading.Lock()
    passed, failed = [], []

    def job(test):
        if options.stop and failed:
            return
        ok, seconds, text = run_one(test)
        with lock:
            (passed if ok else failed).append(test.name)
            print(f"{'ok  ' if ok else 'FAIL'} {test.name} ({seconds:.1f} s)",
                  flush=True)
            if not ok:
                for line in text.splitlines()[-TAIL:]:
                    print("     |", line, flush=True)

    with concurrent.futures.ThreadPoolExecutor(options.jobs) as pool:
        for done in [pool.submit(job, t) for t in tests]:
            done.result()
    if failed:
        print("Failed:", " ".join(failed))
    print(f"{len(passed)} passed, {len(failed)} failed")
    return 1 if failed or not passed else 0


if __name__ == "__main__":
    sys.exit(main())
