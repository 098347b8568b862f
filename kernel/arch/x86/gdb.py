"""32-bit PC, for the gdb commands in tools/gdb: page tables (pte.h), where the
kernel is (memlayout.h), and how to get from the kernel's stack to what a trap
interrupted.

gdb knows the way through the kernel's C, and over its own traps, by their DWARF. It
does not know what trapvec.S has on the stack when it calls C for a program:

   alltraps         the address of the trapframe: the argument of usertrap()
   sysenter_entry   the trapframe

Where gdb itself stops in trapvec.S, the trapframe may be half made or half taken
down. How far, the instruction says that comes next.

The CPU pushes esp only when it comes from a program: else the trapframe ends
before it, and there the stack was.

A program's frames are followed by ebp, but for the stub of a system call, which has
none: its registers are popped behind the call.
"""

import kernel

SYMBOLS = ("vectors", "debug", "alltraps", "user_resume", "sysenter_entry",
           "trapvec_end")
PTE_LETTERS = "pwutcadlg"
PTE_SIZE = 4
INDEX_BITS = 10
KERNBASE = 0x80000000
DIRECT_END = 0xf0000000
LARGE = 1 << 7
MASK = (1 << 32) - 1
# What a function keeps, from its frame pointer on: return address, the caller's
# frame pointer; and where the caller's stack ends.
FRAME = (4, 0, 8)
CALLS = (0x340f, 0x40cd)  # SYSENTER, INT 0x40
# Instructions that push: how many bytes each has, and pushes.
PUSHES = {b"\x6a": (2, 4), b"\x68": (5, 4), b"\x1e": (1, 4), b"\x06": (1, 4),
          b"\x0f\xa0": (2, 4), b"\x0f\xa8": (2, 4), b"\x60": (1, 32)}
CALL = 0xe8
JUMPS = (0xe9, 0xeb)
VECTOR_SIZE = 16  # kernel/arch/x86/user_return.h
LOAD_ESP = 0x0424648b  # movl 4(%esp), %esp
# Those before which part of the trapframe is popped already: so much.
POPPED = {b"\x83\xc4\x18": 32, b"\x8b\x54\x24": 32, b"\x8b\x4c\x24": 32,
          b"\xfb": 32, b"\x0f\x35": 32, b"\xcf": 56}
# thread_start() looks at the result before it pops: testl %eax, %eax; jz.
TEST, TEST_BYTES = 0x74c085, 4
POPS = {0x5d: "ebp", 0x5f: "edi", 0x5e: "esi", 0x5b: "ebx"}

PUSH_EBP = b"\x55"
SET_EBP = b"\x89\xe5"  # movl %esp, %ebp

trapped = None  # (eip, esp) of the program, where the kernel was entered
in_program = False  # the selected CPU, when its innermost frame was last read


def levels():
    return 2


def pte_pa(pte):
    return pte & ~0xfff


def leaf(pte, level):
    return level == 0 or bool(pte & LARGE)


def canonical(va):
    return va & 0xffffffff


def is_direct(va):
    return KERNBASE <= va < DIRECT_END


def on_kernel_stack(pc, sp):
    """Of a thread; before there are any, the stack is in the direct map."""
    return sp >= DIRECT_END


def direct_to_physical(va):
    return va - KERNBASE


def physical_to_direct(pa):
    return pa + KERNBASE


def own(va):
    """Is it a process's own, in its table? The upper half is the kernel's."""
    return va < KERNBASE


def word(va):
    return int.from_bytes(kernel.read_kernel(va, 4), "little")


def unwind_user(pc, esp, ebp):
    """A program's frame, seen from the kernel."""
    if kernel.read_user(pc - 2, 2) not in CALLS:
        code = kernel.code_before(pc) if (pc, esp) == trapped else None
        if code is not None and SET_EBP not in code and \
           len(code) < kernel.PROLOGUE_BYTES:
            esp += 4 * code.startswith(PUSH_EBP)
            return {"eip": kernel.read_user(esp, 4) or 0, "ebp": ebp,
                    "esp": esp + 4}
        caller = kernel.caller_in_program(ebp, FRAME)
        return caller and dict(zip(("eip", "ebp", "esp"), caller))
    regs = {"ebp": ebp}
    if kernel.read_user(pc, 3) == TEST:
        pc += TEST_BYTES
    while (name := POPS.get(kernel.read_user(pc, 1))) is not None:
        regs[name] = kernel.read_user(esp, 4) or 0
        pc, esp = pc + 1, esp + 4
    return {**regs, "eip": kernel.read_user(esp, 4) or 0, "esp": esp + 4}


def push_at(pc):
    """Of the instruction there: how many bytes it has, and pushes. None: none."""
    code = word(pc).to_bytes(4, "little")
    return PUSHES.get(code[:1]) or PUSHES.get(code[:2])


def popped_at(pc):
    code = word(pc).to_bytes(4, "little")
    return next((n for head, n in POPPED.items() if code.startswith(head)), 0)


def pushes_from(pc):
    """How many bytes are pushed by the instructions from there on."""
    pushed = 0
    while (push := push_at(pc)) is not None:
        pc, pushed = pc + push[0], pushed + push[1]
    return pushed


def vector_pushed(pc):
    """Is it a vector's jump, after which it has pushed? One (debug) only jumps."""
    offset = (pc - kernel.symbol("vectors")) % VECTOR_SIZE
    return offset > 0 and word(pc) & 0xff in JUMPS


def trapframe_at(pc, esp):
    """Where the trapframe is, or will be, when gdb stops at pc in trapvec.S; and
    are the general registers still the program's? None: not known."""
    code, pushed = word(pc), pushes_from(pc)
    if pc < kernel.symbol("debug"):
        at = esp - pushed - kernel.offset_of("struct trapframe", "vector")
        return (at, True) if pushed or vector_pushed(pc) else None
    if pc < kernel.symbol("alltraps"):
        return None
    if pushed:
        return esp - pushed, True
    if code == LOAD_ESP:
        return word(esp + 4), False
    if code & 0xff == CALL:
        return word(esp), False
    return esp - popped_at(pc), False


def unwind_entry(read, pc, esp):
    """What the traps' own code is called from, where gdb stops in it."""
    live = {name: read(name) for name in ("ebx", "ebp", "esi", "edi")}
    in_sysenter = kernel.symbol("sysenter_entry") <= pc < kernel.symbol("user_resume")
    if in_sysenter and word(pc) & 0xff == CALL:
        return unwind_trapframe(esp)
    if in_sysenter:  # which keeps in registers what SYSENTER has there
        return {**live, "eip": read("edx"), "esp": read("ecx")}, esp
    found = trapframe_at(pc, esp)
    outer = unwind_trapframe(found[0]) if found else None
    if outer is not None and found[1]:
        outer[0].update(live)
    return outer


def from_program(at):
    return int(kernel.at(at, "struct trapframe")["cs"]) & 3 != 0


def unwind_trapframe(at):
    tf = kernel.at(at, "struct trapframe")
    regs = {name: int(tf[name])
            for name in ("eip", "ebx", "ebp", "esi", "edi", "ecx", "edx", "eax")}
    global trapped
    if from_program(at):
        regs["esp"] = int(tf["esp"])
        trapped = regs["eip"], regs["esp"]
    else:
        regs["esp"] = at + kernel.offset_of("struct trapframe", "esp")
    return regs, at


def unwind(frame, innermost):
    """Registers of the caller and the address of this frame; None: gdb knows
    better."""
    def read(name):
        return int(frame.read_register(name)) & MASK

    global in_program
    pc, esp = read("eip"), read("esp")
    if innermost:
        in_program = pc < KERNBASE
        inside = kernel.symbol("vectors") <= pc < kernel.symbol("trapvec_end")
        return unwind_entry(read, pc, esp) if inside else None
    if not in_program and pc == 0:
        return kernel.beyond(("eip", "ebp", "esp"), esp)
    if not in_program and pc < KERNBASE:
        regs = unwind_user(pc, esp, read("ebp"))
        return (regs, regs["esp"] + kernel.OUTER) if regs else None
    before = pc - 1  # a call may be the last instruction
    if not kernel.symbol("alltraps") <= before < kernel.symbol("user_resume"):
        return None
    at = esp if before >= kernel.symbol("sysenter_entry") else word(esp)
    return unwind_trapframe(at) if from_program(at) else None
