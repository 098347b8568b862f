"""Backtraces that go on into the program, and the program's symbols."""

import gdb
import gdb.unwinder
import kernel


class FrameId:
    def __init__(self, sp, pc):
        self.sp, self.pc = sp, pc


class Traps(gdb.unwinder.Unwinder):
    """Over trap frames: kernel/arch/<isa>/gdb.py says how.

    Each frame is asked about once in a stop. After commands that visit all CPUs gdb
    finds the frame that was selected by going outwards anew. Reading physical memory
    takes a command, and after each gdb wants that very frame, and breaks down."""

    registered = False
    busy = False
    found = {}  # of thread, pc, sp, innermost: what unwind() said, and the machine then

    def __init__(self):
        super().__init__("pagewise-traps")

    def __call__(self, frame):
        if Traps.busy:
            return None
        Traps.busy = True
        try:
            return self.unwind(frame)
        except (gdb.error, gdb.MemoryError, gdb.GdbError):
            return None  # no kernel yet, or no QEMU
        finally:
            Traps.busy = False

    @classmethod
    def forget(cls, event):
        cls.found.clear()

    @classmethod
    def unwind(cls, frame):
        machine, innermost = kernel.machine, kernel.Innermost.is_at(frame)
        key = (gdb.selected_thread().num, innermost,
               *(kernel.number(frame.read_register(r)) for r in ("pc", "sp")))
        if key not in cls.found:
            found = machine.unwind(frame, innermost)
            cls.found[key] = found, machine.trapped, machine.in_program
        found, machine.trapped, machine.in_program = cls.found[key]
        if found is None:
            return None
        regs, at = found
        pc = frame.read_register("pc")
        info = frame.create_unwind_info(FrameId(gdb.Value(at), pc))
        for name, value in regs.items():
            like = frame.read_register(name).type
            info.add_saved_register(name, gdb.Value(value).cast(like))
        return info


class Symbols:
    """Those of the program that the selected CPU runs. gdb says where it has stopped
    before its event "stop", and behind the hook of that name. That another CPU is
    selected is no event: the hooks are for commands that others follow without a
    prompt. A person may have such hooks, or define them later: then what gdb says
    before the event is by the symbols before."""

    file = None
    cpu = None  # as gdb numbers them
    back = None  # (cpu, file), while `thread apply` visits another
    HOOKS = {"hook-stop": "stopped", "hookpost-thread": "chosen",
             "hook-backtrace": "visit", "hookpost-backtrace": "leave"}

    @classmethod
    def start(cls):
        gdb.events.stop.connect(cls.stopped)
        gdb.events.before_prompt.connect(cls.follow)
        for hook, function in cls.HOOKS.items():
            try:
                gdb.execute(f"show user {hook}", to_string=True)
            except gdb.error:  # there is none
                gdb.execute(f"define {hook}\n"
                            f"python import frames; frames.Symbols.{function}()\nend")

    @classmethod
    def chosen(cls):
        """gdb has said where the CPU is, by the symbols before."""
        before = cls.file
        cls.follow()
        if cls.file != before:
            gdb.execute("frame")

    @classmethod
    def visit(cls):
        here = cls.cpu, cls.file
        cls.follow()
        cls.back = here if cls.cpu != here[0] else None

    @classmethod
    def leave(cls):
        """Before gdb looks for the frame that was selected."""
        if cls.back:
            cls.cpu, file = cls.back
            cls.change(file)
            cls.back = None

    @classmethod
    def follow(cls):
        thread = gdb.selected_thread()
        if thread is not None and thread.num != cls.cpu:
            cls.stopped()

    @classmethod
    def stopped(cls, event=None):
        thread = gdb.selected_thread()
        cls.cpu = thread.num if thread else None
        try:
            p = kernel.current_process()
            path = kernel.program_file(kernel.text(p[1]["name"])) if p else None
        except (gdb.error, gdb.MemoryError, gdb.GdbError):
            return
        cls.change(path)

    @classmethod
    def change(cls, path):
        if path is not None and path != cls.file:
            with kernel.direct_map():  # gdb reads anew what watch-pte watches
                cls.load(path)

    @classmethod
    def load(cls, path):
        if cls.file is not None:
            gdb.execute(f"remove-symbol-file {cls.file}", to_string=True)
        cls.file = None
        gdb.execute(f"add-symbol-file {path}", to_string=True)
        cls.file = path


def start():
    """gdb has read a kernel."""
    kernel.prepare(kernel.machine.SYMBOLS)
    if Traps.registered:
        return
    Traps.registered = True
    gdb.unwinder.register_unwinder(None, Traps(), replace=True)
    Symbols.start()
    for forget in (kernel.Innermost.forget, Traps.forget):
        gdb.events.cont.connect(forget)
        gdb.events.register_changed.connect(forget)
    gdb.events.stop.connect(Traps.forget)
    gdb.events.memory_changed.connect(Traps.forget)
