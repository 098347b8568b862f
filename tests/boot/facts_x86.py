"""What tests need to know of the 32-bit x86 machine."""

import os
import re

# What tests can ask for with only().
PARTS = ("x86", "PCI", "screen", "MACHINE=", "iso")

# Page tables: 32-bit paging without PAE (Intel SDM vol. 3A, 4.3).
PGSIZE = 4096
# A kernel stack over its guard page (kernel/include/debug.h: KSTACK_ORDER).
STACK_SLOT = (8 if os.environ.get("DEBUG") == "1" else 4) * PGSIZE
LEVELS = 2
INDEX_BITS = 10
PTE_BYTES = 4
P, PTE_W, PTE_U, PWT, PCD, A, D, PS, GLOBAL = (1 << bit for bit in range(9))
V = P
# The rights of a mapping, in the words that tests share with the other machine.
R, W, X, U = 2, 4, 8, 16
RIGHTS = R | W | X | U
MAXVA = 0xfffff000  # the highest page is never mapped
# Does a table translate it? An address has 32 bits.
FAR = {(1 << 32) - 1: True, 1 << 32: False, 1 << 63: False}
KERNBASE = 0x80000000  # physical 0; below it the process, above it the kernel
KERNEL_TEXT = KERNBASE + 0x100000  # the boot loader puts it at 1 MiB
KERNEL_TEXT_IN_A_PROCESS = "text"
USER_END = KERNBASE

OFFSET = KERNBASE  # of the kernel's addresses from physical ones
KERNEL_START = 0x80100000
ELF_CLASS = 32


def pte2pa(pte):
    return pte & ~(PGSIZE - 1)


def is_leaf(pte, level):
    return level == 0 or bool(pte & PS)


def rights(pte, _level):
    """Nothing that is present can be kept from being read or executed."""
    return R | X | (W if pte & PTE_W else 0) | (U if pte & PTE_U else 0)


def check_entry(pte, level):
    """What no entry that is valid may be."""
    if is_leaf(pte, level):
        # What is global is the kernel's, and the other way round.
        assert bool(pte & GLOBAL) != bool(pte & PTE_U), f"{pte:#x}"
        # Of a page of 4 MiB, bits 12 to 21 are no address (table 4-4).
        assert level == 0 or not pte >> 12 & 0x3ff, f"{pte:#x}"


# A register that holds the root of the CPU's page table, as `info registers`
# shows it, and the root in it.
ROOT_REGISTER = r"^CR0=\w+ CR2=\w+ CR3=([0-9a-f]+)"


def root_of(cr3):
    assert cr3 % PGSIZE == 0, hex(cr3)
    return cr3


# Building and debugging.
ILLEGAL = 0x0b0f  # UD2
FOR_EVER = 0xfeeb  # JMP, to itself
QEMU = "qemu-system-i386"
LD_EMULATION = "elf_i386"
PREFIXES = ("i686-linux-gnu-", "i686-elf-", "i386-elf-")
CLANG_FLAGS = ("--target=i686-none-elf",)
# Those of programs that are entered at a function (tests/xv6image/x86/calls.h).
PROGRAM_FLAGS = ("-march=i686", "-mregparm=3", "-fcf-protection=none")
GDBS = ("i686-elf-gdb", "x86_64-elf-gdb")
# What the firmware leaves for the kernel (tests/fuzz/fuzz_tables.py).
FIRMWARE_TABLES = "PC"
RESET_ADDRESS = "0x0*fff0 in"
KERNEL_ADDRESS = r"0x801\w+"

# KiB that the kernel maps at most (memlayout.h, PHYSTOP_MAX), and what QEMU's
# PCs may have for themselves: the first MiB, and tables of the firmware.
DIRECT_MAP = 0x70000000 >> 10
FIRMWARE = 2 << 10


def check_memory_kib(size, used):
    can = min(size, DIRECT_MAP)
    assert can - FIRMWARE <= used <= can, (used, can)
    return can


def check_memory(size, used, boot):
    """What fits into the direct map is used, the rest reported (B6). In KiB."""
    can = check_memory_kib(size, used)
    unused = [int(mib) for mib in re.findall(
        r"boot: (\d+) MiB of memory at 0x[0-9a-f]+ are not used", boot)]
    if can < size:
        rest = (size - can) >> 10
        assert rest - 4 <= sum(unused) <= rest + 4, boot
    else:
        assert sum(unused) <= FIRMWARE >> 10, boot


# selftest=NAME, and a word of the panic that it causes. `exec` only says
# that it cannot be: without PAE no page can be kept from being executed.
KERNEL_FAULTS = (("stack", "stack"), ("null", "null"), ("text", "store"),
                 ("exec", "cannot forbid execution"), ("deadlock", "acquire"))

# crash HOW, and what the kernel says, where machines differ. Without an execute
# bit, code in data or on the stack runs; and every address that a pointer holds
# is one.
CRASHES = {
    "kernel": "load .*address 0x80000000\n.*for the kernel only",
    "maxva": "store .*address 0xfffff000\n",
    "jump": "instruction .*address 0x40000000\n.*no region",
    "illegal": "invalid opcode",
    "privileged": "general protection fault",
}

# A program for another machine: the word size and the machine's number.
FOREIGN = (64, 243)  # EM_RISCV

VALID = "p"  # the letter of a valid entry, which pgtbl prints
# What of a mapping's rights the hardware can withhold.
ENFORCED = W | U


def spelled(text):
    """Rights as pgtbl spells them."""
    return R | X | (W if "w" in text else 0) | (U if "u" in text else 0)


QEMU_WALK = "info tlb"


def qemu_walk(text):
    """What QEMU says is mapped: (va, pa, size, rights). Its flags are
    XGPDACTUW."""
    for va, pa, flags in re.findall(
            r"^([0-9a-f]+): ([0-9a-f]+) (\S+)", text, re.M):
        size = 1 << 22 if "P" in flags else PGSIZE
        rights = R | X | (W if "W" in flags else 0) | (U if "U" in flags else 0)
        yield int(va, 16), int(pa, 16), size, rights


def asid_of(_cr3):
    return 0


def check_upper(upper, kernel):
    """The kernel's half of a process's table is that of the kernel's (B4).
    Returns what is shared: all of it."""
    assert upper == {va: leaf for va, leaf in kernel.items() if va >= USER_END}
    return upper.keys()


# `pgtbl 1 ADDRESS` and `pgtbl -k ADDRESS` with 128 MiB, and how a read in user
# mode ends.
KSTACK_TOP = 0xf8000000
BOTH_WALKS = (
    (KERNBASE, "not user"), (KERNEL_START + 5, "not user"),
    (KSTACK_TOP - PGSIZE, "not user"), (KSTACK_TOP - STACK_SLOT, "not valid"),
    (KERNBASE + (127 << 20) - 1, "not user"),
    (KERNBASE + (128 << 20), "not valid"), (MAXVA - 1, "not valid"),
    (MAXVA, "no address"), (0xffffffff, "no address"),
    (1 << 32, "no address"), ((1 << 38) + 0x1000, "no address"),
    (0x180000000, "no address"))
PROCESS_WALKS = ((USER_END - 1, "not valid"), *BOTH_WALKS)
KERNEL_WALKS = ((0, "not valid"), (USER_END - 1, "not valid"), *BOTH_WALKS)

# For gdb: is this user mode; and where a system call's way back and the next one's
# way in begin, the same for a page fault's (vector 14): from
# user mode, by the code segment that the CPU pushed.
USER_MODE = "($cs & 3) == 3"
CALL_CROSSINGS = ("&user_resume", "&sysenter_entry")
FAULT_CROSSINGS = ("((unsigned long)&vectors + 14 * 16)"
                   " if *(int *)($esp + 8) & 3",
                   # not where SYSEXIT goes back: the trapframe's vector
                   "&user_resume if *(int *)(*(int *)($esp + 4) + 48) != 32")
STEPS = {}
# What `p` says of an argument of a program's function, seen from the kernel: it is on
# the program's stack, which is mapped there.
ARGUMENT = r"= (\(char \*\) )?%s\b"
ROOT = "$cr3"

# For the tour (docs/tour): what `uname -m` says; where what is the kernel's begins in
# a process's table, and what of it there is; the depths that page tables can have,
# and how one gets another.
MACHINES = ("riscv", "x86")
UNAME = "x86"
KERNEL_BEGINS = KERNBASE
TRAP_PAGES = {hex(KERNBASE): "kernel"}
MODES = (("", 2),)
OTHER_MODES = "no other mode without PAE"
