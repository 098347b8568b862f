"""How the gdb commands read the kernel.

The machine's own part is kernel/arch/<isa>/gdb.py. Where the kernel is not mapped
while a program runs, or memory of a program is wanted, memory is read by physical
address, which QEMU's gdb server can do: `with physical():`. Addresses of the
kernel's direct map are turned into physical ones by the machine's part.
"""

import contextlib
import os

import gdb

PGSIZE = 4096
# gdb takes a frame for damaged whose stack lies below that of the frame which it
# called. So the program's frames, seen from the kernel, are known by addresses
# that are so much higher: above all kernel stacks, which with Sv57 are below 1 << 56.
OUTER = 1 << 60
PROLOGUE_BYTES = 64  # of a function: then it has its frame, if it makes one
machine = None  # kernel/arch/<isa>/gdb.py


class physical:
    """Memory accesses in here are by physical address; they nest."""

    depth = 0

    def __enter__(self):
        if physical.depth == 0:
            self.mode(1)
        physical.depth += 1

    def __exit__(self, *error):
        physical.depth -= 1
        if physical.depth == 0:
            self.mode(0)

    @staticmethod
    def mode(on):
        try:
            answer = gdb.execute(f"maintenance packet Qqemu.PhyMemMode:{on}",
                                 to_string=True)
        except gdb.error:  # gdb is connected to nothing
            answer = ""
        if '"OK"' not in answer:
            raise gdb.GdbError("this takes QEMU's gdb server: "
                               "target remote :PORT")


@contextlib.contextmanager
def direct_map():
    """In here gdb itself can read the kernel's direct map while a program runs, too:
    by physical address, where it is the same and not in a program's table. Of other
    places gdb forgets what it has read meanwhile."""
    if machine.physical_to_direct(machine.KERNBASE) != machine.KERNBASE:
        yield
        return
    try:
        with physical():
            yield
    finally:
        gdb.execute("maintenance flush dcache", to_string=True)
        gdb.invalidate_cached_frames()


def read_physical(pa, size):
    with physical():
        return bytes(gdb.selected_inferior().read_memory(pa, size))


def read_pte(pa):
    return int.from_bytes(read_physical(pa, machine.PTE_SIZE), "little")


def number(value):
    """An integer or pointer as an unsigned number."""
    size = value.type.strip_typedefs().sizeof
    return int(value.cast(gdb.lookup_type("unsigned long long"))) \
        & ((1 << 8 * size) - 1)


known = {}  # symbols that were looked up: an unwinder cannot do that, since gdb
#            asks for the selected frame then


def evaluate(expression):
    if expression not in known:
        known[expression] = gdb.parse_and_eval(expression)
    return known[expression]


def symbol(name):
    """The address of a symbol."""
    return int(evaluate(f"(unsigned long)&{name}"))


def prepare(symbols):
    """Look up what unwinders need; again when gdb has read a new kernel."""
    known.clear()
    for name in symbols:
        symbol(name)
    for name, file in (("kernel_pagetable", "mm/kvm.c"), ("ncpu", "sync/ipi.c"),
                       ("cpus", "sync/ipi.c")):
        evaluate(f"&'kernel/{file}'::{name}")


def at(va, type_name):
    """What lies at an address of the kernel's, fetched now."""
    t = gdb.lookup_type(type_name)
    return gdb.Value(read_kernel(va, t.sizeof), t)


def variable(name, file):
    """A variable of a file of the kernel, fetched now."""
    lazy = evaluate(f"&'kernel/{file}'::{name}")
    t = lazy.type.target()
    return gdb.Value(read_physical(machine.direct_to_physical(number(lazy)),
                                   t.sizeof), t)


# --- page tables ---

def level_shift(level):
    return 12 + machine.INDEX_BITS * level


def index_of(va, level):
    return va >> level_shift(level) & ((1 << machine.INDEX_BITS) - 1)


def kernel_root():
    va = number(variable("kernel_pagetable", "mm/kvm.c"))
    if va == 0:
        raise gdb.GdbError("the kernel has not started")
    return machine.direct_to_physical(va)


def steps(root, va):
    """The way of an address through the table at physical address root:
    (level, index, physical address of the entry, entry). Without any, if no table
    translates such an address."""
    if machine.canonical(va) != va:
        return
    table = root
    for level in range(machine.levels() - 1, -1, -1):
        pa = table + index_of(va, level) * machine.PTE_SIZE
        pte = read_pte(pa)
        yield level, index_of(va, level), pa, pte
        if not pte & 1 or machine.leaf(pte, level):
            return
        table = machine.pte_pa(pte)


def translate(root, va):
    """(physical address, entry), or None."""
    for level, _, _, pte in steps(root, va):
        if pte & 1 and machine.leaf(pte, level):
            return machine.pte_pa(pte) + va % (1 << level_shift(level)), pte
    return None


def leaves(root, level=None, base=0):
    """(address, level, entry) of all leaves, in order of address. The highest index
    decides what is above it, for all that lies below."""
    top = level is None
    level = machine.levels() - 1 if top else level
    size = machine.PTE_SIZE
    page = read_physical(root, PGSIZE)
    for i in range(PGSIZE // size):
        pte = int.from_bytes(page[i * size:(i + 1) * size], "little")
        if not pte & 1:
            continue
        va = base + (i << level_shift(level))
        va = machine.canonical(va) if top else va
        if machine.leaf(pte, level):
            yield va, level, pte
        else:
            yield from leaves(machine.pte_pa(pte), level - 1, va)


def kernel_to_physical(va):
    """Of the direct map or, like kernel stacks, above it."""
    if machine.is_direct(va):
        return machine.direct_to_physical(va)
    found = translate(kernel_root(), va)
    return found[0] if found else None


def read_kernel(va, size):
    """Bytes at an address of the kernel's, all of one page or of the direct map."""
    pa = kernel_to_physical(va)
    if pa is None:
        raise gdb.GdbError(f"{va:#x}: the kernel has nothing there")
    return read_physical(pa, size)


def flags_text(pte):
    return "".join(letter if pte >> bit & 1 else "-"
                   for bit, letter in enumerate(machine.PTE_LETTERS))


# --- lists, processes, threads ---

def list_each(head_va, type_name, member):
    """(address, value) of what is in a list; nothing, if it has not been made."""
    offset = offset_of(type_name, member)
    va = number(at(head_va, "struct list")["next"])
    for _ in range(100000):
        if va in (0, head_va):
            return
        value = at(va - offset, type_name)
        yield va - offset, value
        va = number(value[member]["next"])
    raise gdb.GdbError("the list does not end: it is being changed")


def offset_of(type_name, member):
    return next(f.bitpos // 8 for f in gdb.lookup_type(type_name).fields()
                if f.name == member)


def processes():
    """(address, value) of all processes, by pid."""
    head = symbol("'kernel/proc/proc.c'::pids")
    size = gdb.lookup_type("struct list").sizeof
    n = variable("pids", "proc/proc.c").type.sizeof // size
    found = [p for i in range(n)
             for p in list_each(head + i * size, "struct proc", "pidlink")]
    return sorted(found, key=lambda p: int(p[1]["pid"]))


def process(pid):
    for va, p in processes():
        if int(p["pid"]) == pid:
            return va, p
    raise gdb.GdbError(f"no process {pid}")


def space_of(p):
    """The address space of a process, or None."""
    va = number(p["space"])
    return (va, at(va, "struct space")) if va else None


def root_of(pid):
    """The page table of a process, 0: the kernel's; physical."""
    if pid == 0:
        return kernel_root()
    space = space_of(process(pid)[1])
    if space is None:
        raise gdb.GdbError(f"process {pid} has no memory any more")
    return machine.direct_to_physical(number(space[1]["pagetable"]))


def text(array):
    return bytes(int(array[i]) & 0xff for i in range(array.type.sizeof)) \
        .split(b"\0")[0].decode("latin-1")


def string_at(va):
    raw = read_kernel(va, 32)
    return raw.split(b"\0")[0].decode("latin-1")


def cpus():
    """struct cpu of each CPU in use."""
    n = int(variable("ncpu", "sync/ipi.c"))
    all_of_them = variable("cpus", "sync/ipi.c")
    return [all_of_them[i] for i in range(n)]


def current_cpu():
    """That of the thread that gdb has selected: QEMU shows each CPU as one."""
    thread = gdb.selected_thread()
    for c in cpus() if thread else ():
        if int(c["hwid"]) == thread.num - 1:
            return c
    return None


class Innermost:
    """Which frame has the CPU's own registers: the first that is asked for after
    a stop, since gdb goes outwards. By its number one cannot tell: functions that
    are inlined there have the lower ones."""

    of_thread = {}  # number of a gdb thread: (pc, sp)

    @classmethod
    def is_at(cls, frame):
        here = tuple(number(frame.read_register(r)) for r in ("pc", "sp"))
        thread = gdb.selected_thread().num
        if frame.level() == 0:
            cls.of_thread[thread] = here
        return cls.of_thread.setdefault(thread, here) == here

    @classmethod
    def of_selected(cls):
        """(pc, sp) of the selected CPU."""
        thread = gdb.selected_thread().num
        if thread not in cls.of_thread:
            gdb.newest_frame()  # which asks the unwinder
        return cls.of_thread.get(thread, (0, 0))

    @classmethod
    def forget(cls, event):
        cls.of_thread.clear()


def current_thread():
    """(address, struct thread) that the selected CPU runs, or None."""
    c = current_cpu()
    va = number(c["thread"]) if c is not None else 0
    if va == 0:
        return None
    t = at(va, "struct thread")
    mine = thread_on(*Innermost.of_selected(), va, number(t["kstack"]))
    return (va, t) if mine == va else (mine, at(mine, "struct thread"))


def thread_on(pc, sp, thread, kstack):
    """The address of the thread whose kernel stack a CPU is on, as mythread() knows
    it: one that is giving the CPU to another, `thread`, is still itself. Each lies
    on top of its stack, at the same place (kernel/sched/thread.c)."""
    slot = kstack - PGSIZE  # of a stack and its guard page
    size = 1 << (thread - slot).bit_length()
    if machine.on_kernel_stack(pc, sp):
        return (sp & -size) + thread - slot
    return thread


def current_process():
    """(address, struct proc) of the selected CPU, or None."""
    thread = current_thread()
    va = number(thread[1]["proc"]) if thread else 0
    return (va, at(va, "struct proc")) if va else None


def user_bytes(va, size):
    """Bytes in the memory of the selected CPU's process; None: not all is there."""
    p = current_process()
    space = space_of(p[1]) if p else None
    if space is None:
        return None
    root = machine.direct_to_physical(number(space[1]["pagetable"]))
    raw = b""
    while len(raw) < size:
        at = va + len(raw)
        found = translate(root, at)
        if found is None:
            return None
        raw += read_physical(found[0], min(size - len(raw), PGSIZE - at % PGSIZE))
    return raw


def read_user(va, size):
    """An integer there; None: not there."""
    raw = user_bytes(va, size)
    return None if raw is None else int.from_bytes(raw, "little")


def caller_in_program(fp, frame):
    """Of a function of a program that has this frame pointer: where it was called
    from, the caller's frame pointer, and its stack pointer then. `frame`: offsets,
    in that order. None, if nobody called it: gdb then asks the program's DWARF,
    which says so of the first function (user/lib/<isa>/start.S)."""
    if fp == 0:
        return None
    pc, caller = (read_user(fp + at, machine.PTE_SIZE) for at in frame[:2])
    if pc is None or caller is None:
        return 0, 0, fp
    return pc, caller, fp + frame[2]


def beyond(names, sp):
    """The registers and the address of what caller_in_program() has when it does not
    know. gdb goes no further, but it asks; without an answer it would complain."""
    return dict(zip(names, (0, 0, sp + machine.PTE_SIZE))), sp + OUTER


def code_before(pc):
    """What a function of a program has done when it is at pc: its code up to there,
    the first instructions of it. None: not known."""
    block = gdb.block_for_pc(pc)
    if block is None or block.is_global or block.is_static:
        return None
    while not block.superblock.is_static:  # out of what is inlined there
        block = block.superblock
    size = min(pc - block.start, PROLOGUE_BYTES)
    return user_bytes(block.start, size)


def objfile_of(pid):
    """The symbols of the kernel (0), or of the program of a process, if gdb has
    read them; else None."""
    path = program_file(text(process(pid)[1]["name"])) if pid \
        else gdb.current_progspace().filename
    return next((o for o in gdb.objfiles() if o.filename == path), None)


def program_file(name):
    """The ELF file of a program, beside the kernel that gdb has, or None."""
    kernel = gdb.current_progspace().filename
    if not kernel:
        return None
    folder = os.path.dirname(os.path.realpath(kernel))
    for part in ("user", "guest"):
        path = os.path.join(folder, part, name)
        if os.path.isfile(path):
            return path
    return None
