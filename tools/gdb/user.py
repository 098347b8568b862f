"""$user(EXPR [, N]): what a program has in its memory, seen from the kernel: docs/gdb.md."""

import gdb
import kernel


class User(gdb.Function):
    """$user(EXPR [, N]): the value of EXPR, fetched through the page table of the
process that the selected CPU runs; with N an array of so many, for @, which reads at
once. p $user(count), p $user(*line, 80), p $user(*$user(list).next)."""

    def __init__(self):
        super().__init__("user")

    def invoke(self, value, n=None):
        if value.address is None or not value.is_lazy:
            return value  # of a register, or fetched before
        va = kernel.number(value.address)
        if va >= kernel.OUTER and kernel.machine.canonical(va) != va:
            va -= kernel.OUTER  # of a frame that was moved up
        if n is not None and int(n) < 1:
            raise gdb.GdbError("$user: of how many? 1 or more")
        wanted = value.type if n is None else value.type.array(int(n) - 1)
        raw = kernel.user_bytes(va, wanted.sizeof)
        if raw is None:
            raise gdb.GdbError(f"{va:#x}: the process has nothing there")
        return gdb.Value(raw, wanted)


def start():
    User()
