"""The explorer opens kernels that it was not made for, if they have what it needs.

There is no other kernel here to try that with. So these are made: an ELF file
with the variables and structs that teaching kernels of this family have, compiled
with debug information, and a memory in which its tables lie.
"""

import json
import os
import struct
import subprocess

from pagewise import log_path, only, test
from pages import built
from test_explore import explore

NEEDS = ("explorer",)
BASE = 0x80000000  # of the RAM of QEMU's virt machine
RAM = 16 << 20
PAGE = 4096
V, R, W, X, U = 1, 2, 4, 8, 16  # privileged spec, figure 4.18
TOP = 1 << 38  # above what programs have: MAXVA
TRAMPOLINE = TOP - PAGE

SOURCE = """
typedef unsigned long uint64;
typedef uint64 *pagetable_t;
enum procstate { UNUSED, USED, SLEEPING, RUNNABLE, RUNNING, ZOMBIE };
struct proc {
  unsigned lock[6];
  enum procstate state;
  int pid;
  uint64 kstack, sz;
  %s;
  char name[16];
};
struct proc %s[16];
pagetable_t kernel_pagetable;
__asm__(".balign 4096\\n.globl trampoline\\ntrampoline: nop\\n.balign 4096");
int main(void) { return %s[1].pid + (kernel_pagetable != 0); }
"""


def compiled(field="pagetable_t pagetable", variable="proc"):
    """The ELF file of such a kernel."""
    elf = log_path(".elf")
    subprocess.run(
        ["riscv64-linux-gnu-gcc", "-g", "-nostdlib", "-static", "-no-pie",
         "-mcmodel=medany", "-Wl,--build-id=none", f"-Wl,-Ttext={BASE:#x}",
         "-Wl,-e,main", "-x", "c", "-o", elf, "-"],
        input=SOURCE % (field, variable, variable), text=True, check=True)
    return elf


def symbol(elf, name):
    out = subprocess.run(["riscv64-linux-gnu-nm", elf], text=True, check=True,
                         capture_output=True).stdout
    return next(int(line.split()[0], 16) for line in out.splitlines()
                if line.split()[2] == name)


class Memory:
    """RAM with page tables in it."""

    def __init__(self):
        self.bytes = bytearray(RAM)
        self.free = BASE + (8 << 20)

    def page(self):
        self.free += PAGE
        return self.free - PAGE

    def put(self, form, at, *values):
        struct.pack_into(form, self.bytes, at - BASE, *values)

    def word(self, at):
        return struct.unpack_from("<Q", self.bytes, at - BASE)[0]

    def map(self, root, va, pa, flags):
        """One page, Sv39."""
        for level in (2, 1):
            entry = root + (va >> 12 + 9 * level & 511) * 8
            if self.word(entry) == 0:
                self.put("<Q", entry, self.page() >> 12 << 10 | V)
            root = self.word(entry) >> 10 << 12
        self.put("<Q", root + (va >> 12 & 511) * 8, pa >> 12 << 10 | flags | V)

    def process(self, proc, pid, name, pages, trampoline):
        """A struct proc, as SOURCE has it, and its memory."""
        root = self.page()
        for i, (pa, flags) in enumerate(pages):
            self.map(root, i * PAGE, pa, flags)
        self.map(root, TRAMPOLINE, trampoline, R | X)
        self.put("<24xIiQQQ16s", proc, 2, pid, 0, len(pages) * PAGE, root,
                 name.encode())


PROC_BYTES = 24 + 4 + 4 + 8 + 8 + 8 + 16


def made(elf):
    """RAM of that kernel with two processes that share a page."""
    memory = Memory()
    root, trampoline = memory.page(), symbol(elf, "trampoline")
    for i in range(4):
        memory.map(root, BASE + i * PAGE, BASE + i * PAGE, R | X)
    memory.map(root, TRAMPOLINE, trampoline, R | X)
    memory.put("<Q", symbol(elf, "kernel_pagetable"), root)
    shared, own = memory.page(), memory.page()
    procs = symbol(elf, "proc")
    memory.process(procs + PROC_BYTES, 1, "first",
                   [(shared, R | X | U), (own, R | W | U)], trampoline)
    memory.process(procs + 3 * PROC_BYTES, 7, "second", [(shared, R | X | U)],
                   trampoline)
    path = log_path(".ram")
    with open(path, "wb") as f:
        f.write(memory.bytes)
    return path, shared


def see(elf, ram):
    out, _ = explore("--json", "--live", elf, ram)
    return [json.loads(line) for line in out.splitlines()]


def ask(elf, ram, *requests):
    out, _ = explore("--ask", "--live", elf, ram,
                     text="".join(json.dumps(r) + "\n" for r in requests))
    return [json.loads(line) for line in out.splitlines()]


def mapped(space):
    """What is said of each region that maps something."""
    return [(g["what"], g["rights"], g["runs"][0][2]) for g in space["regions"]
            if g["rights"] != "----"]


def lacks(hello, words, *names):
    """One sentence has the words, and names what is missing."""
    sentence = next(s for s in hello["missing"] if words in s)
    for name in names:
        assert name in sentence.split("missing:")[1], (name, sentence)


@only("riscv")
@test(timeout=120)
def test_foreign_kernel():
    """Its processes, what they map, and who shares a frame."""
    built()
    elf = compiled()
    ram, shared = made(elf)
    hello, state = see(elf, ram)
    spaces = {s["pid"]: s for s in state["spaces"]}
    assert sorted(spaces) == [0, 1, 7]
    assert (spaces[1]["name"], spaces[7]["name"]) == ("first", "second")
    assert mapped(spaces[0]) == [("RAM", "r-x-", "kernel"),
                                 ("trampoline", "r-x-", "kernel")]
    assert mapped(spaces[1]) == [("text", "r-xu", "shared"),
                                 ("data", "rw-u", "private"),
                                 ("trampoline", "r-x-", "kernel")]
    assert mapped(spaces[7]) == [("text", "r-xu", "shared"),
                                 ("trampoline", "r-x-", "kernel")]
    lacks(hello, "no struct region", "space.regions", "region.start")
    lacks(hello, "no table of frames", "struct page")
    walk, frame = ask(elf, ram, {"op": "walk", "pid": 7, "va": "0x10"},
                      {"op": "frame", "pa": hex(shared)})
    assert int(walk["result"], 0) == shared + 0x10, walk
    assert [(m["pid"], m["va"]) for m in frame["maps"]] == [
        (1, "0x0"), (7, "0x0")], frame
    for path in (elf, ram):
        os.unlink(path)


@only("riscv")
@test(timeout=120)
def test_kernel_that_lacks_something():
    """What is not there is named; what is there is shown all the same."""
    built()
    for field, variable, missing in (
            ("pagetable_t table", "proc", ["proc.pagetable"]),
            ("pagetable_t pagetable", "tasks", ["proc", "pids"])):
        ram, _ = made(compiled())
        elf = compiled(field, variable)
        hello, state = see(elf, ram)
        lacks(hello, "no table of processes", *missing)
        assert [s["pid"] for s in state["spaces"]] == [0], state["spaces"]
        for path in (elf, ram):
            os.unlink(path)
