"""Boot the system in QEMU and talk to its shell.

A test module has functions named test_...; each runs in a process of its own:

    from pagewise import Machine, test, cases

    @test(quick=True)
    def test_echo():
        with Machine(cpus=2) as m:
            assert m.run("echo hello") == "hello"

ARCH says which machine; facts_riscv.py and facts_x86.py hold what differs. A
Machine boots when it is made, waits for the shell's prompt, and is killed
when its block ends. Waiting always has a limit, and ends at once when the
kernel panics or QEMU exits. What the console printed is kept in
$(BUILD)/$(ARCH)/test-logs/; with DEBUG=1 in $(BUILD)/$(ARCH)-debug/, like all
that is built then.
"""

import importlib
import json
import os
import random
import re
import shlex
import shutil
import socket
import subprocess
import sys

import pexpect

from child import Child

TOP = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
ARCH = os.environ.get("ARCH", "riscv")
BUILD = os.environ.get("BUILD", "build")
# DEBUG=1: test the debug kernel.
DEBUG = os.environ.get("DEBUG", "")
FOLDER = ARCH + ("-debug" if DEBUG == "1" else "")  # of a build's products
# All limits of time are this much longer on it, and this much on a computer that
# has much else to do: PATIENCE=n.
DEBUG_PATIENCE = 8
BUSY = int(os.environ.get("PATIENCE") or 1)
PATIENCE = BUSY * (DEBUG_PATIENCE if DEBUG == "1" else 1)

# What is so on the machine under test and not on the others.
facts = importlib.import_module("facts_" + ARCH)

# The shell's prompt: at the start of a line, or where an escape sequence put it.
PROMPT = rb"(?:\A|[\r\n]|\x1b\[[0-9;]*[A-Za-z])\$ "
PANIC = rb"panic: [^\n]*\n"
ESCAPES = re.compile(r"\x1b\[[0-9;?]*[A-Za-z]|\r|\x07")


def test(quick=False, timeout=120):
    """Say of a test whether `make check` runs it, and how long it may take."""

    def mark(function):
        function.quick = quick
        function.timeout = timeout
        return function

    return mark


def cases(*values):
    """Run a test once for each value, which is its argument."""

    def mark(function):
        function.cases = values
        return function

    return mark


def needs(*targets):
    """Say what else is made for a test, before its time begins. NEEDS of a module is
    for all of its tests."""

    def mark(function):
        function.needs = targets
        return function

    return mark


def only(part):
    """A test of what not every machine has: PARTS of its facts."""

    def mark(function):
        function.part = part
        return function

    return mark


def debug_kernel(function):
    """A test of the debug kernel: it runs with DEBUG=1, whatever the others do."""
    function.debug = True
    return function


def once(function):
    """A test of what is the same for all machines: one of them will do."""
    function.once = True
    return function


class Failure(Exception):
    """What the system did was wrong."""


class Panic(Failure):
    """The kernel panicked."""


def path(*parts):
    """The path of a product of the build that is under test."""
    return os.path.join(TOP, BUILD, FOLDER, *parts)


def log_path(suffix):
    """A file of the running test's own, in the folder of logs."""
    folder = path("test-logs")
    os.makedirs(folder, exist_ok=True)
    name = os.environ.get("PAGEWISE_TEST", "manual").replace("/", "_")
    return os.path.join(folder, name + suffix)


def environment():
    """The environment, without what an outer make left there."""
    drop = ("MAKEFLAGS", "MFLAGS", "MAKELEVEL", "MAKEOVERRIDES", "BUILD", "ARCH",
            "DEBUG")
    return {k: v for k, v in os.environ.items() if k not in drop}


def make(*arguments, build=BUILD, check=True, timeout=300):
    """Run make at the top of the tree; return its output and exit status."""
    done = subprocess.run(
        ["make", "--no-print-directory", f"ARCH={ARCH}", f"BUILD={build}",
         f"DEBUG={DEBUG}", *arguments],
        cwd=TOP, env=environment(), timeout=timeout * BUSY, text=True,
        stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT)
    if check and done.returncode != 0:
        raise Failure(f"make {' '.join(arguments)}:\n{done.stdout}")
    return done.stdout, done.returncode


def qemu_command(build, cpus, mem, disk, append, extra):
    """The Makefile's own command, so that it is written once."""
    text = os.environ.get("PAGEWISE_QEMU")
    if not text:
        text, _ = make("-s", "print-qemu", "CPUS=@CPUS@", "MEM=@MEM@",
                       "FS=@FS@", "APPEND=@APPEND@")
        os.environ["PAGEWISE_QEMU"] = text
    words = {"@CPUS@": str(cpus), "@MEM@": mem, "@FS@": disk,
             "@APPEND@": append}
    command = []
    for word in shlex.split(text):
        word = word.replace(f"{BUILD}/{FOLDER}/", f"{build}/{FOLDER}/", 1)
        for key, value in words.items():
            word = word.replace(key, value)
        command.append(word)
    return command + list(extra)


def clean(raw):
    """Console output as text, without escape sequences."""
    return ESCAPES.sub("", raw.decode("utf-8", "replace"))


class Machine:
    """A running system.

    disk     image file; the writes to it are dropped when the machine stops
    keep     write to the disk image itself
    build    the BUILD whose kernel and image are used
    wait     wait for the shell's prompt
    qmp      listen for monitor() commands
    from_disk  boot from a disk or CD, not the kernel's file

    booted is what was printed up to the first prompt.
    """

    count = 0

    def __init__(self, cpus=3, mem="128M", append="", disk=None, keep=False,
                 extra=(), build=BUILD, wait=True, qmp=False, from_disk=False,
                 timeout=30):
        Machine.count += 1
        self.timeout = timeout * PATIENCE
        extra = list(extra)
        disk = disk or os.path.join(build, FOLDER, "fs.img")
        if not keep:
            disk += ",snapshot=on"
        self.qmp = None
        if qmp:
            self.qmp = log_path(f".{Machine.count}.qmp")
            if os.path.exists(self.qmp):
                os.unlink(self.qmp)
            extra += ["-qmp", f"unix:{self.qmp},server=on,wait=off"]
        command = qemu_command(build, cpus, mem, disk, append, extra)
        if from_disk:
            at = command.index("-kernel")
            del command[at:at + 2]
            at = command.index("-append")
            del command[at:at + 2]
        self.log = open(log_path(f".{Machine.count}.log"), "wb")
        self.log.write((shlex.join(command) + "\n").encode())
        self.log.flush()
        self.child = Child(
            command[0], command[1:], cwd=TOP, env=environment(),
            logfile=None, timeout=self.timeout, dimensions=(50, 200))
        self.child.logfile_read = self.log
        self.child.delaybeforesend = None
        if wait:
            try:
                self.booted = self.wait_prompt()
            except BaseException:
                self.kill()
                raise

    def __enter__(self):
        return self

    def __exit__(self, *error):
        self.kill()

    @property
    def pid(self):
        return self.child.pid

    def expect(self, *patterns, timeout=None):
        """Wait until one of the patterns (bytes) appears. Return its number and
        the text before it; the match itself is self.match."""
        limit = timeout * PATIENCE if timeout else self.timeout
        try:
            got = self.child.expect([*patterns, PANIC], timeout=limit)
        except pexpect.TIMEOUT:
            raise Failure(f"no {patterns} within {limit} s; "
                          f"got {clean(self.child.before)[-500:]!r}") from None
        except pexpect.EOF:
            raise Failure(f"QEMU ended before {patterns}: "
                          f"{clean(self.child.before)[-500:]!r}") from None
        self.match = self.child.match
        if got == len(patterns):
            raise Panic(clean(self.match.group(0)) + self.rest())
        return got, clean(self.child.before)

    def rest(self, seconds=2):
        """What comes until nothing more comes, or the time is over."""
        self.child.expect([pexpect.EOF, pexpect.TIMEOUT], timeout=seconds)
        return clean(self.child.before)

    def wait_prompt(self, timeout=None):
        return self.expect(PROMPT, timeout=timeout)[1]

    def send(self, text):
        """Type text, as it is."""
        self.child.send(text)

    def start(self, command):
        """Type a command line and do not wait for its end."""
        self.send(command + "\n")

    def call(self, command, timeout=None):
        """Run a command; return its output and exit status."""
        tail = "; echo __$?__"
        self.start(command + tail)
        _, text = self.expect(rb"__(-?\d+)__\r*\n", timeout=timeout)
        status = int(self.match.group(1))
        self.wait_prompt()
        # Drop the echo of what was typed, up to the end of its line.
        at = text.rfind(tail)
        if at >= 0:
            text = text[at + len(tail):].lstrip("\n")
        return text, status

    def run(self, command, timeout=None, status=0):
        """Run a command that must end with this status; return its output
        without the last newline."""
        text, got = self.call(command, timeout)
        if got != status:
            raise Failure(f"{command!r}: status {got}, not {status}:\n{text}")
        return text[:-1] if text.endswith("\n") else text

    def wait_exit(self, timeout=None):
        """Wait for QEMU's end; return what was printed and the exit status."""
        limit = timeout * PATIENCE if timeout else self.timeout
        try:
            self.child.expect(pexpect.EOF, timeout=limit)
        except pexpect.TIMEOUT:
            raise Failure(f"QEMU still runs: "
                          f"{clean(self.child.before)[-500:]!r}") from None
        text = clean(self.child.before)
        self.child.wait()
        self.child.close()
        return text, self.child.exitstatus

    def poweroff(self):
        """Switch off by command; the machine must then be gone."""
        self.start("poweroff")
        _, status = self.wait_exit()
        if status != 0:
            raise Failure(f"poweroff: QEMU's exit status is {status}")

    def kill(self):
        """End it like a power failure."""
        self.child.end()
        self.log.close()
        if self.qmp and os.path.exists(self.qmp):
            os.unlink(self.qmp)

    def monitor(self, command):
        """Give QEMU's monitor a command; return what it answers."""
        with socket.socket(socket.AF_UNIX) as s:
            s.connect(self.qmp)
            f = s.makefile("rw")
            f.readline()  # the greeting
            for request in (
                    {"execute": "qmp_capabilities"},
                    {"execute": "human-monitor-command",
                     "arguments": {"command-line": command}}):
                f.write(json.dumps(request) + "\n")
                f.flush()
                answer = json.loads(f.readline())
                while "event" in answer:
                    answer = json.loads(f.readline())
                if "error" in answer:
                    raise Failure(f"monitor {command!r}: {answer['error']}")
            return answer["return"].replace("\r", "")

    def cpu_seconds(self):
        """Host CPU time that QEMU has used."""
        with open(f"/proc/{self.pid}/stat") as f:
            fields = f.read().rsplit(")", 1)[1].split()
        return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def gdb_program():
    """A gdb that knows the target, or None."""
    for name in ("gdb-multiarch", *facts.GDBS, "gdb"):
        if shutil.which(name):
            return name
    return None


def free_port():
    """A TCP port that nobody listens on, below those that the host gives to
    outgoing connections."""
    while True:
        port = random.randrange(20000, 30000)
        with socket.socket() as s:
            if s.connect_ex(("127.0.0.1", port)) != 0:
                return port


def main():
    """pagewise.py MODULE FUNCTION [CASE]: run one test (tests/run does)."""
    module = __import__(sys.argv[1])
    function = getattr(module, sys.argv[2])
    if len(sys.argv) > 3:
        function(function.cases[int(sys.argv[3])])
    else:
        function()


if __name__ == "__main__":
    # So that test modules and this one share one Machine class.
    sys.modules["pagewise"] = sys.modules["__main__"]
    main()
