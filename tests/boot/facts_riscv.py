"""What tests need to know of the RISC-V machine."""

import os
import re

# What tests can ask for with only(): the machine that `make` takes if none is
# named, which the README describes, is the default.
PARTS = ("riscv", "default", "modes")

# Page tables: Sv39 (privileged spec 1.12, 4.3.1 and 4.4.1); see also use().
PGSIZE = 4096
# A kernel stack over its guard page (kernel/include/debug.h: KSTACK_ORDER).
STACK_SLOT = (8 if os.environ.get("DEBUG") == "1" else 4) * PGSIZE
LEVELS = 3
INDEX_BITS = 9
PTE_BYTES = 8
V, R, W, X, U, G, A, D = (1 << bit for bit in range(8))
RIGHTS = R | W | X | U
MAXVA = 1 << 38  # one bit less than Sv39 allows (A2)
# Does a table of Sv39 translate it? Bits 63 to 39 must equal bit 38 (4.4.1).
FAR = {MAXVA - 1: True, MAXVA: False, 1 << 39: False, 1 << 63: False,
       (1 << 64) - MAXVA - 1: False, (1 << 64) - MAXVA: True, (1 << 64) - 1: True}
USER_END = MAXVA - 257 * PGSIZE  # trapframes, and the trampoline above them
SATP_MODE = 8
KERNBASE = 0x80000000
KERNEL_TEXT = KERNBASE
KERNEL_TEXT_IN_A_PROCESS = ""  # its table has nothing there

OFFSET = 0  # of the kernel's addresses from physical ones
KERNEL_START = 0x80000000
ELF_CLASS = 64


def use(levels):
    """This machine runs with more levels: Sv48 and Sv57 (4.5, 4.6)."""
    global LEVELS, MAXVA, USER_END, SATP_MODE
    LEVELS = levels
    MAXVA = 1 << (12 + INDEX_BITS * levels - 1)
    USER_END = MAXVA - 257 * PGSIZE
    SATP_MODE = 8 + levels - 3


def pte2pa(pte):
    return (pte >> 10 & (1 << 44) - 1) * PGSIZE


def is_leaf(pte, _level):
    return bool(pte & (R | W | X))


def rights(pte, _level):
    return pte & RIGHTS


def check_entry(pte, level):
    """What no entry that is valid may be."""
    assert pte >> 54 == 0, f"reserved bits: {pte:#x}"
    if not is_leaf(pte, level):
        assert level > 0 and not pte & (U | A | D), f"{pte:#x}"
    assert not (pte & W and not pte & R), f"W without R: {pte:#x}"


# A register that holds the root of the CPU's page table, as `info registers`
# shows it, and the root in it.
ROOT_REGISTER = r"^ *satp +([0-9a-f]+)"


def root_of(satp):
    assert satp >> 60 == SATP_MODE, hex(satp)
    return (satp & (1 << 44) - 1) * PGSIZE


# Building and debugging.
ILLEGAL = 0  # an instruction that there is not (unprivileged spec, 1.5)
FOR_EVER = 0xa001  # C.J, to itself
QEMU = "qemu-system-riscv64"
LD_EMULATION = "elf64lriscv"
PREFIXES = ("riscv64-unknown-elf-", "riscv64-linux-gnu-", "riscv64-elf-")
CLANG_FLAGS = ("--target=riscv64-unknown-elf", "-mno-relax")
PROGRAM_FLAGS = ("-march=rv64gc", "-mabi=lp64d", "-mcmodel=medany")
GDBS = ("riscv64-elf-gdb",)
# What the firmware leaves for the kernel (tests/fuzz/fuzz_tables.py).
FIRMWARE_TABLES = "device tree"
RESET_ADDRESS = "0x0*1000 in"
KERNEL_ADDRESS = r"0x800\w+"


def check_memory(size, used, boot):
    """Of this memory (KiB) all is used, and so nothing is said at boot."""
    check_memory_kib(size, used)
    assert "not used" not in boot


def check_memory_kib(size, used):
    assert used == size


# selftest=NAME, and a word of the panic that it causes.
KERNEL_FAULTS = (("stack", "stack"), ("null", "null"), ("text", "store"),
                 ("exec", "instruction"), ("deadlock", "acquire"))

# crash HOW, and what the kernel says, where machines differ.
CRASHES = {
    "kernel": "load .*address 0x80000000\n.*no region",
    "trapframe": "load .*address 0x3fffffe000\n",
    "maxva": "store .*address 0x4000000000\n",
    "noncanonical": "store .*address 0x200000000000\n",
    "exec-stack": "instruction .*region stack .*rw-",
    "exec-data": "instruction .*region data .*rw-",
    "jump": "instruction .*address 0x1ffff7f800\n.*no region",
    "illegal": "illegal instruction",
    "privileged": "illegal instruction",
}

# A program for another machine: the word size and the machine's number.
FOREIGN = (32, 3)  # EM_386

VALID = "v"  # the letter of a valid entry, which pgtbl prints
# What of a mapping's rights the hardware can withhold.
ENFORCED = R | W | X | U


def spelled(text):
    """Rights as pgtbl and QEMU spell them."""
    return sum(bit for letter, bit in zip("rwxu", (R, W, X, U))
               if letter in text)


QEMU_WALK = "info mem"


def qemu_walk(text):
    """What QEMU says is mapped: (va, pa, size, rights)."""
    for va, pa, size, flags in re.findall(
            r"^([0-9a-f]{16}) ([0-9a-f]{16}) ([0-9a-f]{16}) (\S+)", text, re.M):
        yield int(va, 16), int(pa, 16), int(size, 16), spelled(flags)


def asid_of(satp):
    return satp >> 44 & 0xffff


def check_upper(upper, kernel):
    """What is the kernel's in a process's table: the trampoline, which is
    everybody's, and the trapframe (A5). Returns what is shared."""
    trampoline, trapframe = MAXVA - PGSIZE, MAXVA - 2 * PGSIZE
    assert upper.keys() == {trampoline, trapframe}
    assert upper[trampoline] == kernel[trampoline]
    assert upper[trampoline][1] == R | X and upper[trapframe][1] == R | W
    return {trampoline}


# `pgtbl 1 ADDRESS` and `pgtbl -k ADDRESS` with 128 MiB, and how a read in user
# mode ends.
PROCESS_WALKS = (
    (0x1234567890, "not valid"), (MAXVA - 2 * PGSIZE, "not user"),
    (MAXVA - PGSIZE + 0x123, "not user"), (MAXVA - 1, "not user"),
    (MAXVA, "no address"), (1 << 39, "no address"),
    ((1 << 63) - 1, "no address"))
KERNEL_WALKS = (
    (KERNBASE, "not user"), (0x10000005, "not user"), (0, "not valid"),
    (MAXVA - STACK_SLOT - PGSIZE, "not user"),
    (MAXVA - 2 * STACK_SLOT, "not valid"),
    (KERNBASE + (128 << 20) - 1, "not user"),
    (KERNBASE + (128 << 20), "not valid"))

# For gdb: is this user mode; and where a system call's way back and the next one's
# way in begin, the same for a page fault's.
USER_MODE = "$priv == 0"
TRAMPOLINE = f"({MAXVA - PGSIZE:#x} + (long)&%s - (long)&trampoline)"
CALL_CROSSINGS = (TRAMPOLINE % "userret",  # not the timer's
                  TRAMPOLINE % "uservec" + " if $scause == 8")
FAULT_CROSSINGS = (TRAMPOLINE % "uservec" + " if $scause == 15",
                   TRAMPOLINE % "userret")
# Instructions that gdb cannot step over: it does not know where they lead.
STEPS = {"sret": ("tbreak *$sepc", "c")}
# What `p` says of an argument of a program's function, seen from the kernel: it was in
# a register, or is where the kernel has nothing mapped.
ARGUMENT = r"<optimized out>|Cannot access memory|value has been optimized out|= %s$"
ROOT = "$satp"

# For the tour (docs/tour): what `uname -m` says; where what is the kernel's begins in
# a process's table, and what of it there is; the depths that page tables can have,
# and how one gets another.
MACHINES = ("riscv", "x86")
UNAME = "riscv64"
KERNEL_BEGINS = MAXVA - 2 * PGSIZE
TRAP_PAGES = {hex(MAXVA - 2 * PGSIZE): "trapframe",
              hex(MAXVA - PGSIZE): "trampoline"}
MODES = (("", 3), ("satp=sv48", 4), ("satp=sv57", 5))
OTHER_MODES = "make qemu APPEND=satp=sv48"
