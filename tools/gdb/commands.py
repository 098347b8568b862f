"""gdb commands that show memory as the kernel keeps it: docs/gdb.md. `help NAME`
shows what is written under each."""

import re

import gdb
import kernel

NO_TABLE = "no table translates such an address"
RIGHTS = "rwx"  # PROT_READ, PROT_WRITE, PROT_EXEC: bits 0, 1, 2
IN_MEMORY = (gdb.TYPE_CODE_FUNC, gdb.TYPE_CODE_ARRAY)
NAME = re.compile(r"[A-Za-z_]\w*")
# What blanks part: quotes keep together. Single ones, as in 'FILE'::NAME, are gdb's.
WORDS = re.compile(r"""(?:"[^"]*"|'[^']*'|[^\s"])+""")


def evaluated(word, pid):
    """The value of an expression. A name alone that is no local variable's is the
    kernel's (pid 0) or that of the process's program, if that has it: both have a
    `main`, and which one gdb takes depends on the frame that is selected."""
    if NAME.fullmatch(word):
        local = gdb.lookup_symbol(word)[0]
        objfile = kernel.objfile_of(pid)
        if objfile is not None and not (local and local.needs_frame):
            found = objfile.lookup_global_symbol(word) or \
                objfile.lookup_static_symbol(word)
            if found and (found.is_function or found.is_variable):
                return found.value()
    return gdb.parse_and_eval(word)


def address(word, pid=0):
    """The value of an expression; of a function or array its address. A negative
    number is as wide as a pointer: -1 is the highest address."""
    value = evaluated(word, pid)
    if value.type.code in IN_MEMORY:
        value = value.address
    bits = 8 * max(value.type.sizeof, gdb.lookup_type("void").pointer().sizeof)
    return int(value.cast(gdb.lookup_type("unsigned long long"))) & (1 << bits) - 1


def count(word):
    """The value of an expression, as a number with its sign."""
    return int(gdb.parse_and_eval(word))


def command(name, usage):
    """Make a function of words a gdb command; its text is the help."""

    def make(function):
        class Command(gdb.Command):
            __doc__ = f"{function.__doc__}\nUsage: {name} {usage}"

            def __init__(self):
                super().__init__(name, gdb.COMMAND_DATA)

            def invoke(self, argument, from_tty):
                words = [w.replace('"', "") for w in WORDS.findall(argument)]
                least = sum(1 for w in usage.split() if w[0] != "[")
                if not least <= len(words) <= len(usage.split()):
                    raise gdb.GdbError(f"usage: {name} {usage}".rstrip())
                try:
                    kernel.kernel_root()  # if it has started
                    function(*words)
                except gdb.error as error:  # of an expression, or of memory
                    raise gdb.GdbError(str(error)) from None

        Command()
        return function

    return make


def pid_or_current(word):
    if word is not None:
        return count(word)
    p = kernel.current_process()
    return int(p[1]["pid"]) if p else 0


def regions(pid):
    """(start, end, rights, name, flags) of a process's memory."""
    space = kernel.space_of(kernel.process(pid)[1])
    if space is None:
        return
    head = space[0] + kernel.offset_of("struct space", "regions")
    for _, r in kernel.list_each(head, "struct region", "link"):
        yield (kernel.number(r["start"]), kernel.number(r["end"]),
               int(r["rights"]), kernel.string_at(kernel.number(r["name"])),
               int(r["flags"]))


def rights_text(rights):
    return "".join(c if rights >> i & 1 else "-" for i, c in enumerate(RIGHTS))


def describe(pid, va):
    """What a process has at an address."""
    if pid:
        for start, end, _, name, _ in regions(pid):
            if start <= va < end:
                return name
    return ""


@command("walk", "ADDR [PID]")
def walk(addr, pid=None):
    """Walk an address through a page table, entry by entry.

The table is that of process PID (0: the kernel's), or of the process that the
selected CPU runs. Shown are, of each level, the index and where the entry is, the
entry, its flags, and what it leads to."""
    pid = pid_or_current(pid)
    va = address(addr, pid)
    root = kernel.root_of(pid)
    print(f"{va:#x} in the table at {root:#x} of "
          f"{f'process {pid}' if pid else 'the kernel'}")
    steps = list(kernel.steps(root, va))
    if not steps:
        print(f"  {NO_TABLE}")
        return
    for level, index, pa, pte in steps:
        print(f"  level {level}: entry {index:4} at {pa:#x}: {pte:#x} "
              f"{kernel.flags_text(pte)} -> {kernel.machine.pte_pa(pte):#x}")
    found = kernel.translate(root, va)
    if found is None:
        what = describe(pid, va)
        print("  not valid: " + (f"{what}, not touched yet or a guard" if what
                                 else "nothing is there"))
    else:
        print(f"  physical address {found[0]:#x}  {describe(pid, va)}".rstrip())


@command("pgtbl", "[PID]")
def pgtbl(pid=None):
    """Show the leaves of a page table, in runs of what goes on alike.

Of process PID (0: the kernel), or of the process that the selected CPU runs."""
    pid = pid_or_current(pid)
    run = None  # start, end, physical start, flags, size of a leaf
    for va, level, pte in kernel.leaves(kernel.root_of(pid)):
        size = 1 << kernel.level_shift(level)
        flags, pa = kernel.flags_text(pte), kernel.machine.pte_pa(pte)
        if run and run[1] == va and run[2] + va - run[0] == pa and \
           run[3:] == (flags, size):
            run = (run[0], va + size, *run[2:])
            continue
        print_run(run)
        run = (va, va + size, pa, flags, size)
    print_run(run)


def print_run(run):
    if run:
        start, end, pa, flags, size = run
        kind = "pages" if size == kernel.PGSIZE else "superpages"
        print(f"{start:#014x}-{end:#014x} -> {pa:#012x} {flags} "
              f"{(end - start) // size} {kind}")


@command("vmmap", "[PID]")
def vmmap(pid=None):
    """Show the regions of a process's memory, and how much is there.

Of process PID, or the one that the selected CPU runs. `there` counts pages that the
page table maps."""
    pid = pid_or_current(pid)
    if pid == 0:
        raise gdb.GdbError("the kernel has no regions: see pgtbl 0")
    mapped = [(va, 1 << kernel.level_shift(level))
              for va, level, _ in kernel.leaves(kernel.root_of(pid))]
    print("start          end            rights pages there what")
    for start, end, rights, name, flags in regions(pid):
        there = sum(size for va, size in mapped if start <= va < end)
        print(f"{start:#014x} {end:#014x} {rights_text(rights)}"
              f"{'s' if flags & 1 else 'p'} "
              f"{(end - start) // kernel.PGSIZE:7} "
              f"{there // kernel.PGSIZE:5} {name}")


@command("ps", "")
def ps():
    """List the processes. An asterisk: a CPU runs it."""
    running = {int(c["pid"]) for c in kernel.cpus()}
    print("  pid parent state  threads table      name")
    for _, p in kernel.processes():
        pid = int(p["pid"])
        parent = kernel.number(p["parent"])
        ppid = int(kernel.at(parent, "struct proc")["pid"]) if parent else 0
        state = str(p["state"]).replace("PROC_", "").lower()
        root = f"{kernel.root_of(pid):#x}" if int(p["space"]) else "-"
        print(f"{'*' if pid in running else ' '} {pid:3} {ppid:6} {state:6} "
              f"{int(p['nthreads']):7} {root:10} {kernel.text(p['name'])}")


@command("threads", "")
def threads():
    """List the threads of all processes, and what each waits for."""
    on_cpu = {kernel.number(c["thread"]): int(c["id"]) for c in kernel.cpus()}
    print("  pid   tid state     cpu kernel stack waits for       name")
    for va, p in kernel.processes():
        head = va + kernel.offset_of("struct proc", "threads")
        for at, t in kernel.list_each(head, "struct thread", "proclink"):
            state = str(t["state"]).replace("T_", "").lower()
            queue, waits = kernel.number(t["waitq"]), ""
            if queue and state == "sleeping":
                waits = kernel.string_at(
                    kernel.number(kernel.at(queue, "struct waitq")["name"]))
            print(f"{int(p['pid']):5} {int(t['tid']):5} {state:9} "
                  f"{on_cpu.get(at, '-'):>3} {kernel.number(t['kstack']):#12x} "
                  f"{waits:15} {kernel.text(t['name'])}")


@command("frame-owner", "PA")
def frame_owner(pa):
    """Say who has the frame at a physical address, and who maps it where."""
    pa = address(pa)
    first = kernel.number(kernel.variable("first_frame", "mm/kalloc.c"))
    n = kernel.number(kernel.variable("nframes", "mm/kalloc.c"))
    frames = kernel.number(kernel.variable("frames", "mm/kalloc.c"))
    i = (pa - first) // kernel.PGSIZE
    if not 0 <= i < n:
        raise gdb.GdbError(f"{pa:#x} is no frame of RAM")
    size = gdb.lookup_type("struct page").sizeof
    page = kernel.at(frames + i * size, "struct page")
    owner = page["owner"].cast(gdb.lookup_type("enum page_owner"))
    print(f"frame {i} at {pa & -kernel.PGSIZE:#x}: "
          f"{str(owner).replace('PAGE_', '').lower()}, "
          f"{int(page['count'])} holders")
    for pid in [0, *(int(p["pid"]) for _, p in kernel.processes()
                     if int(p["space"]))]:
        for va, level, pte in kernel.leaves(kernel.root_of(pid)):
            at, end = kernel.machine.pte_pa(pte), 1 << kernel.level_shift(level)
            if at <= pa < at + end and (pid == 0 or kernel.machine.own(va)):
                va += (pa & -kernel.PGSIZE) - at
                print(f"  {va:#x} {kernel.flags_text(pte)} "
                      f"{f'process {pid}' if pid else 'kernel'} "
                      f"{describe(pid, va)}".rstrip())


@command("watch-pte", "PID VA")
def watch_pte(pid, va):
    """Stop when the page-table entry of an address changes.

The entry at which the way for VA ends now, in the table of process PID (0: the
kernel). A table that appears or goes on the way is another entry: watch that."""
    pid = count(pid)
    va = address(va, pid)
    steps = list(kernel.steps(kernel.root_of(pid), va))
    if not steps:
        raise gdb.GdbError(f"{va:#x}: {NO_TABLE}")
    level, _, pa, pte = steps[-1]
    print(f"level {level} entry of {va:#x}: {pte:#x} {kernel.flags_text(pte)}")
    with kernel.direct_map():
        gdb.execute(f"watch *(pte_t *){kernel.machine.physical_to_direct(pa):#x}")


@command("events", "[N]")
def events(n="20"):
    """Show the last N events of all CPUs, from the kernel's trace ring.

Each: seconds since the first one shown, CPU, pid, what, and its two values
(kernel/sync/trace.h)."""
    n = count(n)
    if n < 1:
        raise gdb.GdbError("events: of how many? 1 or more")
    rings = kernel.symbol("trace_rings")
    ring_size = gdb.lookup_type("struct trace_ring").sizeof
    record = gdb.lookup_type("struct trace_record").sizeof
    size = kernel.offset_of("struct trace_ring", "next") // record
    hz = kernel.number(gdb.Value(
        kernel.read_physical(kernel.kernel_to_physical(kernel.symbol("clock_hz")),
                             8), gdb.lookup_type("unsigned long long")))
    kinds = gdb.lookup_type("enum trace_kind")
    found = []
    for c in range(len(kernel.cpus())):
        ring = rings + c * ring_size
        following = int(kernel.at(ring + size * record, "unsigned int"))
        for i in range(1, min(n, size) + 1):
            r = kernel.at(ring + (following - i) % size * record,
                          "struct trace_record")
            if int(r["kind"]):
                found.append((int(r["time"]), c, r))
    found = sorted(found, key=lambda f: f[0])[-n:]
    for time, c, r in found:
        kind = str(r["kind"].cast(kinds)).replace("TRACE_", "").lower()
        print(f"{(time - found[0][0]) / hz:10.6f} cpu {c} pid {int(r['pid']):3} "
              f"{kind:13} {kernel.number(r['a']):#x} {kernel.number(r['b']):#x}")
