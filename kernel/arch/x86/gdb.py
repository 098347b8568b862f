"""32-bit PC, for the gdb commands in tools/gdb: page tables (pte.h), where the
kernel is (memlayout.h), and how to get from the kernel's stack to what a trap
interrupted.

gdb knows the way through the kernel's C. It does not know what trapvec.S has on the
stack when it calls C:

   alltraps         the address of the trapframe: the argument of usertrap() and
                    kerneltrap()
   sysenter_entry   the trapframe

The CPU pushes esp only when it comes from a program: else the trapframe ends
before it, and there the stack was.

A program's frames are followed by ebp, but for the stub of a system call, which has
none: its registers are popped behind the call.
"""

import kernel

SYMBOLS = ("alltraps", "user_resume", "sysenter_entry")
PTE_LETTERS = "pwutcadlg"
PTE_SIZE = 4
INDEX_BITS = 10
KERNBASE = 0x80000000
DIRECT_END = 0xf0000000
LARGE = 1 << 7
MASK = (1 << 32) - 1
CALLS = (0x340f, 0x40cd)  # SYSENTER, INT 0x40
POPS = {0x5d: "ebp", 0x5f: "edi", 0x5e: "esi", 0x5b: "ebx"}

in_program = False  # the selected CPU, when its innermost frame was last read


def levels():
    return 2


def pte_pa(pte):
    return pte & ~0xfff


def leaf(pte, level):
    return level == 0 or bool(pte & LARGE)


def canonical(va):
    return va


def is_direct(va):
    return KERNBASE <= va < DIRECT_END


def direct_to_physical(va):
    return va - KERNBASE


def physical_to_direct(pa):
    return pa + KERNBASE


def own(va):
    """Is it a process's own, in its table? The upper half is the kernel's."""
    return va < KERNBASE


def word(va):
    pa = kernel.kernel_to_physical(va)
    return int.from_bytes(kernel.read_physical(pa, 4), "little")


def unwind_user(pc, esp, ebp):
    """A program's frame, seen from the kernel."""
    if kernel.read_user(pc - 2, 2) not in CALLS:
        caller, ret = (kernel.read_user(ebp + n, 4) for n in (0, 4))
        if not caller or ret is None:
            return {"eip": 0, "esp": esp, "ebp": 0}
        return {"eip": ret, "esp": ebp + 8, "ebp": caller}
    regs = {"ebp": ebp}
    while (name := POPS.get(kernel.read_user(pc, 1))) is not None:
        regs[name] = kernel.read_user(esp, 4) or 0
        pc, esp = pc + 1, esp + 4
    return {**regs, "eip": kernel.read_user(esp, 4) or 0, "esp": esp + 4}


def unwind(frame, level):
    """Registers of the caller and the address of this frame; None: gdb knows
    better."""
    global in_program
    pc = int(frame.read_register("eip")) & MASK
    esp = int(frame.read_register("esp")) & MASK
    if level == 0:
        in_program = pc < KERNBASE
    if level > 0 and not in_program and 0 < pc < KERNBASE:
        ebp = int(frame.read_register("ebp")) & MASK
        return unwind_user(pc, esp, ebp), esp + kernel.OUTER
    before = pc if level == 0 else pc - 1  # a call may be the last instruction
    if level == 0 or not \
       kernel.symbol("alltraps") <= before < kernel.symbol("user_resume"):
        return None
    in_sysenter = before >= kernel.symbol("sysenter_entry")
    at = esp if in_sysenter else word(esp)
    tf = kernel.at(at, "struct trapframe")
    if tf is None:
        return None
    regs = {name: int(tf[name])
            for name in ("eip", "ebx", "ebp", "esi", "edi", "ecx", "edx", "eax")}
    if int(tf["cs"]) & 3:
        regs["esp"] = int(tf["esp"])
    else:
        regs["esp"] = at + kernel.offset_of("struct trapframe", "esp")
    return regs, at
