"""RISC-V, for the gdb commands in tools/gdb: page tables (pte.h), where the kernel
is (memlayout.h), and how to get from the kernel's stack to the program's.

A backtrace meets, from the inside out:

   C of the kernel  gdb knows the way, by the DWARF of the kernel
   kernelvec        its registers lie on the stack; the rest is as it was
   usertrap         the program's registers are in the trapframe
   trampoline       half saved: some in registers, some in the trapframe
   the program      its memory is not mapped for the kernel: by the frame pointer,
                    through the process's page table
"""

import gdb
import kernel

SYMBOLS = ("pt_levels", "usertrap", "trampoline", "userret", "uservec",
           "uservec_saved", "from_kernel", "kernelvec", "overflow", "end")
PTE_LETTERS = "vrwxugad"
PTE_SIZE = 8
INDEX_BITS = 9
ECALL = 0x73
KERNBASE = 0x80000000
KERNELVEC_FRAME = 160  # kernelvec.S
MASK = (1 << 64) - 1

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


def direct_to_physical(va):
    return va


def physical_to_direct(pa):
    return pa


def own(va):
    """Is it a process's own, in its table? The trampoline and trapframes are."""
    return True


def max_va():
    return 1 << (9 * levels() + 12 - 1)


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


def unwind_user(read, pc):
    """A program's frame, seen from the kernel."""
    if ECALL in (kernel.read_user(pc, 4), kernel.read_user(pc - 4, 4)):
        # the stub of a system call has no frame
        return {"pc": read("ra"), "sp": read("sp"), "s0": read("s0")}
    fp = read("s0")
    ra, caller = kernel.read_user(fp - 8, 8), kernel.read_user(fp - 16, 8)
    if ra is None or caller is None:
        return {"pc": 0, "sp": fp, "s0": 0}
    return {"pc": ra, "sp": fp, "s0": caller}


def unwind(frame, innermost):
    """Registers of the caller and the address of this frame; None: gdb knows
    better."""
    def read(name):
        return int(frame.read_register(name)) & MASK

    global in_program
    pc, sp = read("pc"), read("sp")
    if innermost:
        in_program = read("priv") == 0
    trampoline = max_va() - kernel.PGSIZE
    if trampoline <= pc < trampoline + kernel.PGSIZE:
        regs = unwind_trampoline(read, pc - trampoline)
        return (regs, sp) if regs else None
    if in_function(pc, "usertrap"):
        tf = current_trapframe()
        if tf is None:
            return None
        regs = trapframe_registers(tf)
        if innermost:
            regs["pc"] = read("sepc")  # perhaps not in the trapframe yet
        return regs, kernel.number(tf["kernel_sp"])
    if kernel.symbol("kernelvec") <= pc < kernel.symbol("overflow"):
        def saved(offset):
            return int.from_bytes(kernel.read_physical(
                kernel.kernel_to_physical(sp + offset), 8), "little")
        return {"pc": read("sepc"), "ra": saved(0), "s0": saved(128),
                "sp": sp + KERNELVEC_FRAME}, sp
    in_kernel = KERNBASE <= pc < kernel.symbol("end")
    if in_kernel or innermost or in_program or pc == 0:
        return None
    return unwind_user(read, pc), sp + kernel.OUTER
