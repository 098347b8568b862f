"""Values as people read them: page-table entries with their flags, addresses with
what is there, lists with their length."""

import gdb
import gdb.printing
import kernel


class Pte:
    def __init__(self, value):
        self.pte = kernel.number(value)

    def to_string(self):
        if not self.pte & 1:
            return f"{self.pte:#x} (not valid)"
        return (f"{self.pte:#x} ({kernel.flags_text(self.pte)} -> "
                f"{kernel.machine.pte_pa(self.pte):#x})")


class Address:
    def __init__(self, value):
        self.address = kernel.number(value)

    def to_string(self):
        block = gdb.block_for_pc(self.address)
        while block is not None and block.function is None:
            block = block.superblock
        if block is None:
            return f"{self.address:#x}"
        return f"{self.address:#x} <{block.function}+{self.address - block.start}>"


class List:
    LONGEST = 1000

    def __init__(self, value):
        self.value = value

    def to_string(self):
        head, at = self.value.address, self.value["next"]
        if head is None:
            return f"list, next {self.value['next']}"
        for n in range(self.LONGEST):
            if at == head:
                return f"list of {n}, first {self.value['next']}"
            at = at["next"]
        return f"list of more than {self.LONGEST}"


TYPES = {"pte_t": Pte, "vaddr_t": Address, "paddr_t": Address}


def look_up(value):
    if kernel.machine is None:
        return None
    t = value.type.unqualified()
    if t.name in TYPES and t.code == gdb.TYPE_CODE_TYPEDEF:
        return TYPES[t.name](value)
    if t.strip_typedefs().tag == "list":
        return List(value)
    return None


def start():
    gdb.pretty_printers.append(look_up)
