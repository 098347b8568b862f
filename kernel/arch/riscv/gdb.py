"""RISC-V, for the gdb commands in tools/gdb: page tables (pte.h), where the kernel
is (memlayout.h), and how to get from the kernel's stack to the program's.

A backtrace meets, from the inside out:

   C of the kernel  gdb knows the way, by the DWARF of the kernel
   kernelvec        by its DWARF, too, as a signal frame
   usertrap         the program's registers are in the trapframe
   trampoline       half saved: some in registers, some in the trapframe
   the program      its memory is not mapped for the kernel: by the frame pointer,
                    through the process's page table
"""

import gdb
import kernel

SYMBOLS = ("pt_levels", "usertrap", "trampoline", "userret", "uservec",
           "uservec_saved", "from_kernel", "end")
PTE_LETTERS = "vrwxugad"
PTE_SIZE = 8
INDEX_BITS = 9
ECALL = 0x73
KERNBASE = 0x80000000
MASK = (1 << 64) - 1
# What a function keeps, from its frame pointer on: return address, the caller's
# frame pointer; and where the caller's stack ends.
FRAME = (-8, -16, 0)

# Of a function's first instructions: addi s0, sp, n, which sets the frame pointer,
# and sd ra, n(sp), as value and mask; and their short forms (C.ADDI4SPN, C.SDSP).
MAKES_FRAME = ((0x00010413, 0x000fffff), (0x0000, 0xe01f))
SAVES_RA = ((0x00113023, 0x01fff07f), (0xe006, 0xe07f))

trapped = None  # (pc, sp) of the program, where the kernel was entered
in_program = False  # the selected CPU, when its innermost frame was last read


def levels():
    return int(gdb.Value(
        kernel.read_physical(kernel.symbol("pt_levels"), 4),
        gdb.lookup_type("int")))


def pte_pa(pte):
    return (pte >> 10 & ((1 << 44) - 1)) << 12


def leaf(pte, level):
    return bool(pte & 0xe)


def canonical(va):
    """Its bits above the highest index are as the highest of these (4.4.1)."""
    bits = 9 * levels() + 12
    va &= (1 << bits) - 1
    return va | (1 << 64) - (1 << bits) if va >> (bits - 1) else va


def is_direct(va):
    return va < 1 << 37  # kernelvec.S: kernel stacks are above


def on_kernel_stack(pc, sp):
    """Of a thread; before there are any, the stack is in the direct map."""
    return in_kernel(pc) and not is_direct(sp)


def direct_to_physical(va):
    return va


def physical_to_direct(pa):
    return pa


def own(va):
    """Is it a process's own, in its table? The trampoline and trapframes are."""
    return True


def max_va():
    return 1 << (9 * levels() + 12 - 1)


def in_kernel(pc):
    return KERNBASE <= pc < kernel.symbol("end")


def in_function(pc, name):
    block = gdb.block_for_pc(kernel.symbol(name))
    return block is not None and block.start <= pc < block.end


def trapframe_registers(tf):
    names = ["ra", "sp", "gp", "tp", "t0", "t1", "t2", "s0", "s1",
             *(f"s{i}" for i in range(2, 12)), *(f"t{i}" for i in range(3, 7))]
    regs = {name: kernel.number(tf[name]) for name in names}
    regs.update({f"a{i}": kernel.number(tf["a"][i]) for i in range(8)})
    regs["pc"] = kernel.number(tf["epc"])
    return regs


def enter_program(regs):
    """From the kernel to where it was entered."""
    global trapped
    trapped = regs["pc"], regs["sp"]
    return regs


def current_trapframe():
    thread = kernel.current_thread()
    if thread is None or kernel.number(thread[1]["proc"]) == 0:
        return None
    return kernel.at(kernel.number(thread[1]["arch"]["trapframe"]),
                     "struct trapframe")


def unwind_trampoline(read, offset):
    def at(name):
        return kernel.symbol(name) - kernel.symbol("trampoline")

    if offset < at("uservec_saved") or at("from_kernel") <= offset < at("userret"):
        # not all is saved, but nothing is lost
        regs = {name: read(name) for name in ("ra", "sp", "gp", "tp", "s0")}
        regs["pc"] = read("sepc")
        return regs
    tf = current_trapframe()
    if tf is None:
        return None
    regs = trapframe_registers(tf)
    if offset < at("userret"):
        regs["pc"] = read("sepc")
    return regs


def has(code, instruction):
    """Is it in there? The first instructions of a function, of 2 bytes or 4."""
    at = 0
    while at < len(code):
        word = int.from_bytes(code[at:at + 4], "little")
        short = word & 3 != 3
        value, mask = instruction[short]
        if word & mask == value:
            return True
        at += 2 if short else 4
    return False


def no_frame(read):
    """The caller's registers, of a function that has no frame."""
    return {"pc": read("ra"), "sp": read("sp"), "s0": read("s0")}


def unwind_trapped(read, pc):
    """Of the function in which the program was interrupted: perhaps it has no frame
    yet; and who calls nobody keeps no return address. None: it is as others."""
    code = kernel.code_before(pc)
    if code is None or has(code, SAVES_RA) and has(code, MAKES_FRAME):
        return None
    if not has(code, MAKES_FRAME):
        if len(code) == kernel.PROLOGUE_BYTES:
            return None
        return no_frame(read)
    fp = read("s0")
    return {"pc": read("ra"), "sp": fp, "s0": kernel.read_user(fp - 8, 8) or 0}


def unwind_user(read, pc):
    """A program's frame, seen from the kernel."""
    if ECALL in (kernel.read_user(pc, 4), kernel.read_user(pc - 4, 4)):
        # the stub of a system call has no frame
        return no_frame(read)
    if (pc, read("sp")) == trapped:
        regs = unwind_trapped(read, pc)
        if regs is not None:
            return regs
    caller = kernel.caller_in_program(read("s0"), FRAME)
    return caller and dict(zip(("pc", "s0", "sp"), caller))


def unwind(frame, innermost):
    """Registers of the caller and the address of this frame; None: gdb knows
    better."""
    def read(name):
        return int(frame.read_register(name)) & MASK

    global in_program
    pc, sp = read("pc"), read("sp")
    if innermost:
        in_program = read("priv") == 0
    elif in_program:
        return None
    trampoline = max_va() - kernel.PGSIZE
    if trampoline <= pc < trampoline + kernel.PGSIZE:
        regs = unwind_trampoline(read, pc - trampoline)
        return (enter_program(regs), sp) if regs else None
    if in_function(pc, "usertrap"):
        tf = current_trapframe()
        if tf is None:
            return None
        regs = trapframe_registers(tf)
        if innermost:
            regs["pc"] = read("sepc")  # perhaps not in the trapframe yet
        return enter_program(regs), kernel.number(tf["kernel_sp"])
    if in_kernel(pc) or innermost:
        return None
    if pc == 0:
        return kernel.beyond(("pc", "s0", "sp"), sp)
    regs = unwind_user(read, pc)
    return (regs, regs["sp"] + kernel.OUTER) if regs else None
