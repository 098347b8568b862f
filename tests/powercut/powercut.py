"""Power cuts and disk errors, as campaigns; test_powercut.py runs small ones.

    powercut.py powercuts POINTS SEED [BOOTS]
    powercut.py disk-errors [SEED [WAY ...]]

powercuts: record what a workload writes in a real guest (nbd.py, workload.py),
check what a power cut leaves at each point (check.c), and boot the kernel on
some of the disks. Workloads are recorded, each with a seed of its own, until
there are as many points as asked for.

disk-errors: boot and run the workload with the n-th request failing, for n = 1,
2, 3, ... until it ends before there are so many requests; see WAYS.
"""

import os
import random
import re
import subprocess
import sys
import time

TOP = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
sys.path[:0] = [os.path.join(TOP, "tests", "boot"), os.path.dirname(__file__)]
# What leaves a mark in the environment must find ours.
os.environ.setdefault("PAGEWISE_TEST", "powercut")

import pagewise  # noqa: E402  the paths above are for this
import nbd  # noqa: E402
import workload  # noqa: E402

IMAGE_SIZE = "2M"
# By the seed: the largest, so that a transaction can need both sectors of the
# header; a small one; xv6's own.
LOG_BLOCKS = (256, 64, 30)
PROGRAMS = ("init", "sh", "echo", "powercut", "memcheck", "sync")
POINTS_EACH = 6500  # of one recording; then comes another one
OPERATIONS = 120  # of each script
WORK_LIMIT = 120 * pagewise.BUSY  # seconds


def program(name):
    return pagewise.path("disk", "user", name)


def host(name):
    return os.path.join(TOP, pagewise.BUILD, "host", name)


def make_image(scripts, suffix, log_blocks):
    """A small disk with what the workload takes; its path and scripts' names."""
    image = pagewise.log_path(suffix + ".img")
    files, names = [f"{name}={program(name)}" for name in PROGRAMS], []
    for script in scripts:
        text = pagewise.log_path(f"{suffix}.{script.letter}")
        with open(text, "w") as f:
            f.write("\n".join(script.lines) + "\n")
        files.append(f"{script.letter}={text}")
        names.append("/" + script.letter)
    subprocess.run([host("mkfs"), "-s", IMAGE_SIZE, "-i", "200", "-l",
                    str(log_blocks), image, "console=@1", *files],
                   check=True)
    return image, " ".join(names)


def log_blocks(seed):
    # not in step with workload.SYNC_WEIGHTS
    return LOG_BLOCKS[seed // len(workload.SYNC_WEIGHTS) % len(LOG_BLOCKS)]


def read(path):
    with open(path, "rb") as f:
        return f.read()


def check(image, events, expected, *options):
    """Run check.c; its output. A Failure if something was wrong."""
    done = subprocess.run(
        [host("powercut"), *options, image, events, expected],
        stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
        env={**os.environ, "TMPDIR": scratch()})
    if done.returncode != 0:
        raise pagewise.Failure(f"{done.args}:\n{done.stdout[-2000:]}")
    return done.stdout


class Recording:
    """What one run of a workload did to the disk, in three files."""

    def __init__(self, seed, operations=OPERATIONS, cpus=3):
        self.suffix = f".{seed}"
        self.scripts = workload.make(operations, seed)
        self.image, names = make_image(self.scripts, self.suffix,
                                       log_blocks(seed))
        self.events = pagewise.log_path(self.suffix + ".events")
        self.expected = pagewise.log_path(self.suffix + ".expected")
        served = nbd.Disk(read(self.image),
                           pagewise.log_path(self.suffix + ".nbd"))
        try:
            with pagewise.Machine(cpus=cpus, disk=served.url, keep=True) as m:
                m.start(f"powercut -t {names}")
                served.watch(m.child.child_fd)
                if not served.done.wait(WORK_LIMIT) or served.errors:
                    raise pagewise.Failure(
                        f"the workload did not end well: {served.errors} "
                        f"{pagewise.clean(served.said)[-500:]!r}")
        finally:
            served.close()
        served.save(self.events)
        workload.save_expected(self.scripts, self.expected, served.times())
        self.writes = sum(e[0] == nbd.EVENT_WRITE for e in served.events)
        self.flushes = sum(e[0] == nbd.EVENT_FLUSH for e in served.events)
        self.marks = sum(e[0] == nbd.EVENT_MARK for e in served.events)

    def check(self, *options):
        return check(self.image, self.events, self.expected, *options)

    def boot(self, point):
        """Boot the disk as it is at a point (in thousandths of all), use it,
        and check what that left."""
        image = pagewise.log_path(self.suffix + ".boot.img")
        self.check("-w", f"{point},{image}")
        with pagewise.Machine(cpus=2, disk=image, keep=True) as m:
            m.run("echo whole > after && memcheck && sync", timeout=60)
        self.check("-c", f"{point},{image}")


def scratch():
    """Where files that live for a moment cost least."""
    return "/dev/shm" if os.access("/dev/shm", os.W_OK) else "/tmp"


def powercuts(points, seed, boots=30):
    began, total, number = time.time(), 0, 0
    choose = random.Random(seed)
    while total < points:
        recording = Recording(seed + number)
        print(f"recording {number} (seed {seed + number}): "
              f"{recording.writes} writes, {recording.flushes} flushes, "
              f"{recording.marks} marks", flush=True)
        began_check = time.time()
        text = recording.check("-n", str(min(POINTS_EACH, points - total)),
                               "-s", str(seed), "-j", str(os.cpu_count()))
        print(text, end="")
        print(f"{time.time() - began_check:.0f} s", flush=True)
        total += int(re.search(r"(\d+) points", text).group(1))
        number += 1
        each = boots * min(POINTS_EACH, points) // max(points, 1)
        for _ in range(min(boots, max(each, 1))):
            recording.boot(choose.randrange(1000))
            boots -= 1
    print(f"powercuts: {total} points of {number} recordings, all as promised, "
          f"{time.time() - began:.0f} s")


# --- disk errors ---

ERROR_OPERATIONS = 20
# How a request fails: it alone, it alone but it is done all the same, it and all
# that follow.
WAYS = {"alone": {}, "done": {"performs": True}, "on": {"on": True}}
# What the system says when it cannot go on, or tries again.
GIVES_UP = rb"the system stops\r*\n"
NEW_SHELL = rb"a new one in a second\r*\n"
# What the kernel, the shell or the workload says when something failed.
TOLD = re.compile(rb"error|fault|cannot")


class Errors:
    """A workload that is run again and again, on a disk that fails."""

    def __init__(self, seed):
        self.scripts = workload.make(ERROR_OPERATIONS, seed)
        self.image, self.names = make_image(self.scripts, ".errors",
                                            log_blocks(seed))
        self.before = read(self.image)
        self.expected = pagewise.log_path(".errors.expected")
        workload.save_expected(self.scripts, self.expected)

    def run(self, n, way):
        """Let the n-th request fail. False if there was none."""
        served = nbd.Disk(self.before, pagewise.log_path(".errors.nbd"))
        try:
            served.fail(n, **way)
            with pagewise.Machine(disk=served.url, keep=True,
                                  wait=False) as m:
                self._use(m, served)
        except pagewise.Failure as failure:
            raise pagewise.Failure(
                f"request {n} failed, {way}: {failure}") from failure
        finally:
            served.close()
        self._examine(n, way, served)
        return served.failed > 0

    def _use(self, m, served):
        """Boot, run the workload, see that there is somebody who listens."""
        if m.expect(pagewise.PROMPT, GIVES_UP, NEW_SHELL)[0] != 0:
            return
        m.start(f"powercut {self.names}")
        served.watch(m.child.child_fd)
        if not served.done.wait(WORK_LIMIT):
            raise pagewise.Failure("the workload hangs: "
                                   f"{pagewise.clean(served.said)[-500:]!r}")
        if b"panic: " in served.said:
            raise pagewise.Panic(pagewise.clean(served.said)[-2000:])
        if not re.search(GIVES_UP, served.said):
            m.send("\n")
            m.expect(pagewise.PROMPT, GIVES_UP, NEW_SHELL)

    def _examine(self, n, way, served):
        """Was it told, and is what was safe still there, whatever the failed
        request lost? All was synced in the end, so there is no write or flush
        that nobody needs to know of."""
        if served.failed_writes and served.done.is_set() \
                and not TOLD.search(served.said):
            raise pagewise.Failure(f"request {n}, a write or flush, failed "
                                   f"({way}), and nobody was told")
        final, events = (pagewise.log_path(".errors." + name)
                         for name in ("final", "events"))
        served.save(events)
        for image in served.left():
            with open(final, "wb") as f:
                f.write(image)
            check(self.image, events, self.expected, "-f", f"0,{final}")


def disk_errors(seed, ways=()):
    print(f"workload: seed {seed}", flush=True)
    began, errors, runs = time.time(), Errors(seed), 0
    for name in ways or WAYS:
        n = 1
        while errors.run(n, WAYS[name]):
            n += 1
            runs += 1
        print(f"{name}: each of {n - 1} requests, {time.time() - began:.0f} s",
              flush=True)
    print(f"disk-errors: {runs} runs, all as promised, "
          f"{time.time() - began:.0f} s")


def main():
    numbers = [int(word) for word in sys.argv[2:] if word.isdigit()]
    seed = random.randrange(1 << 20)
    if sys.argv[1] == "powercuts":
        powercuts(numbers[0], *(numbers[1:] or [seed]))
    else:
        disk_errors(*(numbers or [seed]),
                    [word for word in sys.argv[2:] if not word.isdigit()])


if __name__ == "__main__":
    main()
