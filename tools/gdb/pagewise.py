"""Commands, backtraces and printers for this kernel in gdb: docs/gdb.md.

    (gdb) source tools/gdb/pagewise.py

The generated .gdbinit does it. The machine is that of the kernel which gdb has.
"""

import os
import sys

import gdb

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, HERE)

import commands  # noqa: E402,F401
import frames  # noqa: E402
import kernel  # noqa: E402
import printers  # noqa: E402
import user  # noqa: E402


def machine_of_kernel():
    """The machine's part: by the folder of the kernel's sources that are in it."""
    import importlib.util
    base = os.path.join(HERE, "..", "..", "kernel", "arch")
    for name in sorted(os.listdir(base)):
        path = os.path.join(base, name, "gdb.py")
        if os.path.exists(path) and is_compiled_in(name):
            spec = importlib.util.spec_from_file_location("machine", path)
            module = importlib.util.module_from_spec(spec)
            spec.loader.exec_module(module)
            return module
    return None


def is_compiled_in(arch):
    try:
        return gdb.decode_line(f"kernel/arch/{arch}/trap.c:1")[1] is not None
    except gdb.error:
        return False


def start(event=None):
    """When gdb has read a kernel. `event`: a file that it has just read."""
    if event and event.new_objfile.filename != gdb.current_progspace().filename:
        return
    kernel.machine = machine_of_kernel()
    if kernel.machine is not None:
        frames.start()


printers.start()
user.start()
start()
gdb.events.new_objfile.connect(start)
