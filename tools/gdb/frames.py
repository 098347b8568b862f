"""Backtraces that go on into the program, and the program's symbols."""

import gdb
import gdb.unwinder
import kernel


class FrameId:
    def __init__(self, sp, pc):
        self.sp, self.pc = sp, pc


class Traps(gdb.unwinder.Unwinder):
    """Over trap frames: kernel/arch/<isa>/gdb.py says how."""

    registered = False
    busy = False

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

    @staticmethod
    def unwind(frame):
        found = kernel.machine.unwind(frame, kernel.Innermost.is_at(frame))
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
    """At each stop, those of the program that the selected CPU runs. gdb says where
    it has stopped before its event "stop", and behind the hook of that name: which a
    person may have, or define later. Then what gdb says is by the symbols before."""

    file = None
    HOOK = "hook-stop"

    @classmethod
    def start(cls):
        gdb.events.stop.connect(cls.stopped)
        try:
            gdb.execute(f"show user {cls.HOOK}", to_string=True)
        except gdb.error:  # there is none
            gdb.execute(f"define {cls.HOOK}\n"
                        "python import frames; frames.Symbols.stopped()\nend")

    @classmethod
    def stopped(cls, event=None):
        try:
            p = kernel.current_process()
            path = kernel.program_file(kernel.text(p[1]["name"])) if p else None
        except (gdb.error, gdb.MemoryError, gdb.GdbError):
            return
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
    gdb.events.cont.connect(kernel.Innermost.forget)
    gdb.events.register_changed.connect(kernel.Innermost.forget)
