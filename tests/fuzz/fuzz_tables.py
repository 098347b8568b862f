"""Boot with damaged tables of the firmware.

    ARCH=... BUILD=build tests/fuzz/fuzz_tables.py [--count N] [--seed N]

The machine is stopped, as a debugger does it, at the kernel's first instruction.
What the firmware or boot loader has left in memory for the kernel is read, damaged
and written back: what it is differs by machine (tests/boot/facts_*.py). So the
kernel sees exactly the damage that was meant, which no emulator or BIOS in between
has refused, repaired or tripped over.

The kernel may use what is sound, or say what it misses and end; it must not panic,
fall silent or fault for ever.
"""

import os
import random
import socket
import struct
import sys
import tempfile
import time

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
import campaign
import fuzz_disks
import pagewise

OUTCOMES = (
    ("boots", r"treeuse: memory is right"),
    ("refused", r"boot: .*; this kernel cannot run here"),
    ("no disk", r"no root file system \(-\d+\): the system stops"),
)

CHUNK = 1024  # bytes of memory in one packet


class Debugger:
    """As much of gdb's remote protocol as it takes."""

    def __init__(self, path, process):
        while True:
            try:
                self.socket = socket.socket(socket.AF_UNIX)
                self.socket.settimeout(60)
                self.socket.connect(path)
                break
            except (FileNotFoundError, ConnectionRefusedError):
                self.socket.close()
                if process.poll() is not None:
                    raise pagewise.Failure("QEMU does not listen") from None
                time.sleep(0.01)
        self.file = self.socket.makefile("rb")

    def ask(self, request):
        """Send a packet, return the answer's text."""
        raw = request.encode()
        self.socket.sendall(b"$%s#%02x" % (raw, sum(raw) % 256))
        while self.file.read(1) != b"$":
            pass
        answer = bytearray()
        while (byte := self.file.read(1)) != b"#":
            answer += byte
        self.file.read(2)
        self.socket.sendall(b"+")
        return answer.decode()

    def run_to(self, address):
        self.ask(f"Z0,{address:x},4")
        stop = self.ask("c")
        if not stop.startswith("T05"):
            raise pagewise.Failure(f"the machine stopped for {stop}")
        self.ask(f"z0,{address:x},4")

    def register(self, n, size):
        """The n-th of the general registers, of so many bytes each."""
        text = self.ask("g")[2 * n * size:2 * (n + 1) * size]
        return int.from_bytes(bytes.fromhex(text), "little")

    def read(self, address, n):
        found = b""
        while len(found) < n:
            size = min(CHUNK, n - len(found))
            found += bytes.fromhex(
                self.ask(f"m{address + len(found):x},{size:x}"))
        return found

    def write(self, address, data):
        for at in range(0, len(data), CHUNK):
            part = data[at:at + CHUNK]
            if self.ask(f"M{address + at:x},{len(part):x}:{part.hex()}") != "OK":
                raise pagewise.Failure(f"{address + at:#x} cannot be written")

    def go_on(self):
        """Let it run, and leave: it may have ended before it has answered."""
        self.socket.sendall(b"$D#44")
        self.file.close()
        self.socket.close()


def entry_point():
    """The physical address of the kernel's first instruction, of its ELF file."""
    with open(pagewise.path("kernel.elf"), "rb") as f:
        data = f.read(4096)
    if data[4] == 2:  # 64 bits
        entry, phoff = struct.unpack_from("<QQ", data, 24)
        address = struct.unpack_from("<QQ", data, phoff + 16)
    else:
        entry, phoff = struct.unpack_from("<II", data, 24)
        address = struct.unpack_from("<II", data, phoff + 8)
    return entry - address[0] + address[1]


def number(r, near=()):
    return fuzz_disks.number(r, near)


# --- device trees -----------------------------------------------------------

FDT_TOKENS = {"begin": 1, "end": 2, "property": 3, "nop": 4, "stop": 9}
FDT_HEADER = 40


class DeviceTree:
    """A flattened device tree, and where things are in it."""

    def __init__(self, data):
        self.data = bytearray(data)
        self.structure, self.strings = struct.unpack_from(">II", data, 8)
        self.strings_size, self.structure_size = \
            struct.unpack_from(">II", data, 32)
        self.properties = []  # where each begins, and its length
        self.tokens = []  # where each is
        self.nodes = []  # (first, last token) of each
        self.parse()

    def word(self, at):
        return struct.unpack_from(">I", self.data, at)[0]

    def put(self, at, value):
        if 0 <= at <= len(self.data) - 4:
            struct.pack_into(">I", self.data, at, value & 0xffffffff)

    def parse(self):
        at, open_nodes = self.structure, []
        while at < self.structure + self.structure_size:
            token = self.word(at)
            self.tokens.append(at)
            if token == FDT_TOKENS["begin"]:
                open_nodes.append(at)
                at = (self.data.index(0, at + 4) + 4) // 4 * 4
            elif token == FDT_TOKENS["property"]:
                length = self.word(at + 4)
                self.properties.append((at, length))
                at += 12 + (length + 3) // 4 * 4
            else:
                if token == FDT_TOKENS["end"]:
                    self.nodes.append((open_nodes.pop(), at + 4))
                at += 4


def damage_header(r, tree):
    at = 4 * r.randrange(FDT_HEADER // 4)
    tree.put(at, number(r, (tree.word(at), len(tree.data))))


def damage_token(r, tree):
    tree.put(r.choice(tree.tokens), r.choice((*FDT_TOKENS.values(),
                                              number(r))))


def damage_length(r, tree):
    at, length = r.choice(tree.properties)
    tree.put(at + 4, number(r, (length, length + 4, tree.structure_size)))


def damage_name(r, tree):
    at, _ = r.choice(tree.properties)
    tree.put(at + 8, number(r, (tree.strings_size, tree.word(at + 8),
                                tree.word(r.choice(tree.properties)[0] + 8))))


def damage_cell(r, tree):
    at, length = r.choice([p for p in tree.properties if p[1] >= 4])
    cell = at + 12 + 4 * r.randrange(length // 4)
    tree.put(cell, number(r, (tree.word(cell),)))


def damage_text(r, tree):
    at = r.randrange(tree.structure, len(tree.data))
    tree.data[at] = r.choice((0, 1, 0x41, 0x7f, 0xff, tree.data[at] ^ 0x20))


def lose_node(r, tree):
    first, last = r.choice(tree.nodes[:-1])
    for at in range(first, last, 4):
        tree.put(at, FDT_TOKENS["nop"])


def lose_property(r, tree):
    at, length = r.choice(tree.properties)
    for word in range(at, at + 12 + (length + 3) // 4 * 4, 4):
        tree.put(word, FDT_TOKENS["nop"])


def copy_node(r, tree):
    """A node once more, in place of others as large."""
    first, last = r.choice(tree.nodes[:-1])
    to = r.choice(tree.nodes[:-1])[0]
    part = tree.data[first:last]
    if to + len(part) <= tree.structure + tree.structure_size:
        tree.data[to:to + len(part)] = part


def lose_bytes(r, tree):
    at = r.randrange(len(tree.data))
    n = min(r.choice((4, 64, 1024)), len(tree.data) - at)
    tree.data[at:at + n] = r.choice((bytes(n), b"\xff" * n, r.randbytes(n)))


TREE_DAMAGE = ((damage_header, 2), (damage_token, 2), (damage_length, 2),
               (damage_name, 2), (damage_cell, 6), (damage_text, 2),
               (lose_node, 2), (lose_property, 2), (copy_node, 1),
               (lose_bytes, 1))


def choose(r, kinds):
    return r.choice([k for k, weight in kinds for _ in range(weight)])


def damage_device_tree(debugger, r):
    """The second argument of the first instruction is the address of the tree."""
    address = debugger.register(11, 8)
    size = struct.unpack(">I", debugger.read(address, 8)[4:])[0]
    tree = DeviceTree(debugger.read(address, size))
    for _ in range(r.choice((1, 1, 1, 2, 3, 8))):
        choose(r, TREE_DAMAGE)(r, tree)
    debugger.write(address, tree.data)


# --- what a PC's firmware leaves --------------------------------------------

BIOS = (0xe0000, 0x100000)  # the RSDP is in there
RSDP_SIZE = 36
TABLE_HEADER = 36

# Multiboot Specification 0.6.96, 3.3: struct multiboot_info in words.
MULTIBOOT_WORDS = 17
MULTIBOOT_FLAGS = 0
MULTIBOOT_MMAP_LENGTH = 11
MULTIBOOT_MMAP = 12
MULTIBOOT_POINTERS = (4, 12, 16)  # command line, memory map, loader's name


class Table:
    """A stretch of memory that ends up changed; with a checksum at an offset."""

    def __init__(self, debugger, address, size, checksum=None):
        self.address = address
        self.data = bytearray(debugger.read(address, size))
        self.checksum = checksum

    def word(self, at):
        return struct.unpack_from("<I", self.data, at)[0]

    def put(self, at, value, size=4):
        value &= (1 << 8 * size) - 1
        if at + size <= len(self.data):
            self.data[at:at + size] = value.to_bytes(size, "little")

    def sum(self):
        """Make the checksum right, so that the rest is looked at."""
        length = self.word(4) if self.checksum == 9 else 20
        if self.checksum is None or not 10 <= length <= len(self.data):
            return
        self.data[self.checksum] = 0
        self.data[self.checksum] = -sum(self.data[:length]) & 0xff


def acpi_tables(debugger):
    """RSDP, RSDT and what that lists, and the DSDT."""
    area = debugger.read(BIOS[0], BIOS[1] - BIOS[0])
    at = area.find(b"RSD PTR ")
    found = [Table(debugger, BIOS[0] + at, RSDP_SIZE, checksum=8)]

    def table(address):
        length = struct.unpack("<I", debugger.read(address + 4, 4))[0]
        # the code of the DSDT is long, and the kernel looks at it for one name
        found.append(Table(debugger, address, length, checksum=9))
        return found[-1]

    rsdt = table(found[0].word(16))
    for i in range(TABLE_HEADER, len(rsdt.data), 4):
        t = table(rsdt.word(i))
        if t.data[:4] == b"FACP":
            table(t.word(40))
    return found


def damage_table(r, t):
    """A number of a table, or a few."""
    body = TABLE_HEADER if t.checksum == 9 else 0
    kind = r.randrange(6)
    if kind == 0 and t.checksum == 9:
        t.put(4, number(r, (len(t.data), TABLE_HEADER, 20)))
    elif kind == 1:
        t.data[r.randrange(min(8, len(t.data)))] ^= 1 << r.randrange(8)
    elif kind == 2 and len(t.data) > body:
        at = r.randrange(body, len(t.data))
        t.data[at] = r.choice((0, 1, 2, 0x7f, 0xff, r.randrange(256)))
    elif kind == 3:
        n = min(len(t.data), 4 * r.randrange(1, 16))
        at = r.randrange(len(t.data) - n + 1)
        t.data[at:at + n] = r.choice((bytes(n), b"\xff" * n, r.randbytes(n)))
    elif len(t.data) >= body + 4:
        at = body + r.randrange(min(len(t.data) - body - 3, 256))
        t.put(at, number(r, (t.address, t.word(at))))
    if r.randrange(8):
        t.sum()


def damage_madt(r, t):
    """An entry of the list of CPUs and interrupt controllers."""
    at, entries = TABLE_HEADER + 8, []
    while at + 2 <= len(t.data) and t.data[at + 1] >= 2:
        entries.append(at)
        at += t.data[at + 1]
    at = r.choice(entries or [TABLE_HEADER])
    offset = r.randrange(max(1, min(t.data[at + 1], len(t.data) - at)))
    if r.randrange(2):
        t.put(at + offset, number(r), r.choice((1, 2, 4)))
    else:
        t.data[at + offset] = r.choice((0, 1, 2, 9, 16, 0xff, r.randrange(256)))
    t.sum()


def damage_multiboot(r, info, mmap):
    kind = r.randrange(4)
    if kind == 0:
        info.data[r.randrange(2)] ^= 1 << r.randrange(8)  # what is there
    elif kind == 1:
        at = 4 * r.choice((1, 2, MULTIBOOT_MMAP_LENGTH, *MULTIBOOT_POINTERS))
        info.put(at, number(r, (info.word(at), 0, mmap.address)))
    elif kind == 2:
        at = 4 * r.randrange(len(mmap.data) // 4)
        mmap.put(at, number(r, (mmap.word(at), 1, 20, 0x100000)))
    else:
        mmap.data[r.randrange(len(mmap.data))] = r.randrange(256)


def damage_pc_tables(debugger, r):
    """ebx is the address of the multiboot information; ACPI is in memory."""
    words = 4 * MULTIBOOT_WORDS
    info = Table(debugger, debugger.register(3, 4), words)
    mmap = Table(debugger, info.word(4 * MULTIBOOT_MMAP),
                 info.word(4 * MULTIBOOT_MMAP_LENGTH))
    tables = acpi_tables(debugger)
    madt = next(t for t in tables if t.data[:4] == b"APIC")
    # others are not looked at
    used = [t for t in tables if t.checksum == 8 or
            t.data[:4] in (b"RSDT", b"APIC", b"FACP", b"DSDT")]
    for _ in range(r.choice((1, 1, 1, 2, 3, 8))):
        kind = r.randrange(6)
        if kind < 2:
            damage_multiboot(r, info, mmap)
        elif kind < 4:
            damage_madt(r, madt)
        else:
            damage_table(r, r.choice(used))
    for t in (info, mmap, *used):
        debugger.write(t.address, t.data)


# --- a case -----------------------------------------------------------------

DAMAGE = {"device tree": damage_device_tree, "PC": damage_pc_tables}


def boot(disk, damage):
    """Boot, with damage(debugger) done at the first instruction."""
    path = tempfile.mktemp(prefix="gdb", dir="/tmp")

    def talk(process):
        debugger = Debugger(path, process)
        debugger.run_to(entry_point())
        damage(debugger)
        debugger.go_on()

    result = campaign.run_qemu(disk + ",snapshot=on", talk=talk, extra=[
        "-S", "-gdb", f"unix:{path},server=on,wait=off"])
    if os.path.exists(path):
        os.unlink(path)
    campaign.judge(result, OUTCOMES)
    return result


def check(disk, seed):
    damage = DAMAGE[pagewise.facts.FIRMWARE_TABLES]
    return boot(disk, lambda d: damage(d, random.Random(seed)))


def good_disk():
    """An image whose /init switches off when it has used what is there."""
    disk = os.path.join(campaign.folder(), "good.img")
    new = f"{disk}.{os.getpid()}"
    with open(new, "wb") as f:
        f.write(fuzz_disks.make_good())
    os.rename(new, disk)
    return disk


def prepare():
    disk = good_disk()
    return lambda seed: check(disk, seed)


if __name__ == "__main__":
    campaign.main("tables", __doc__, prepare, 200)
