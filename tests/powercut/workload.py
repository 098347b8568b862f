"""Scripts for user/tests/powercut.c, and what the file system must look like
after each of their operations.

Each script is for a process of its own, and all names that it uses begin with its
letter, in the directory that all share; so its part of the tree depends on
nothing but how far it has come. A state is the CRC of a text with a line for
each name, sorted:

    PATH TYPE LINKS SIZE CRC FIRST

FIRST is the first of the names that the file has. Of directories only name and
type count (fsck checks the rest); of mapped files (names that go on with an m)
not the content, which stores change at any time.
"""

import random
import zlib

T_DIR, T_FILE = 1, 2
PAGE, BLOCK = 4096, 1024
WRITE_MAX = 12000  # bytes that one call writes at once, even with a small log
FILE_MAX = 60000
ALL_MAX = 90000  # bytes of all files of a script
MAPPED_PAGES = 3
STORES = 4  # times as many operations of a script with a mapping
SYNC_WEIGHTS = (0.2, 1, 3)  # of syncs among the operations, by the seed


def content(off, length, v):
    return bytes((v * 131 + (off + i) % 251) & 255 for i in range(length))


class Node:
    def __init__(self, kind, mapped=False):
        self.kind = kind
        self.mapped = mapped
        self.data = bytearray()
        self.crc = 0
        self.links = 1

    def change(self):
        self.crc = 0 if self.mapped else zlib.crc32(self.data)


class Script:
    """A script: its lines, the states 0 .. len(lines), and the stores through
    its mapping: (page, operation, value)."""

    def __init__(self, letter, operations, seed, mapping=False):
        self.letter = letter
        self.syncs = SYNC_WEIGHTS[seed % len(SYNC_WEIGHTS)]
        self.random = random.Random(f"{seed} {letter}")
        self.names = {}
        self.serial = 0
        self.lines = []
        self.states = [self.state()]
        self.stores = []
        self.mapped = None
        if mapping:
            self._begin_mapping()
        while len(self.lines) < operations:
            self._next(mapping)
        self._do("s")

    # --- the model ---

    def state(self):
        first, text = {}, []
        for path in sorted(self.names):
            node = self.names[path]
            first.setdefault(id(node), path)
            if node.kind == T_DIR:
                text.append(f"{path} {T_DIR}\n")
            else:
                text.append(f"{path} {T_FILE} {node.links} {len(node.data)} "
                            f"{node.crc:08x} {first[id(node)]}\n")
        return zlib.crc32("".join(text).encode())

    def _do(self, *words):
        self.lines.append(" ".join(map(str, words)))
        self.states.append(self.state())

    def _files(self):
        return [p for p, n in self.names.items()
                if n.kind == T_FILE and not n.mapped]

    def _dirs(self):
        return [p for p, n in self.names.items() if n.kind == T_DIR]

    def _new_name(self):
        parent = self.random.choice(["/w"] * 3 + self._dirs())
        self.serial += 1
        return f"{parent}/{self.letter}{self.serial}"

    def _size(self):
        return sum(len(n.data) for n in set(self.names.values()))

    def _set(self, node, off, data):
        if off > len(node.data):
            node.data.extend(bytes(off - len(node.data)))
        node.data[off:off + len(data)] = data
        node.change()

    def _drop(self, path):
        self.names.pop(path).links -= 1

    # --- operations ---

    def _create(self):
        path = self._new_name()
        self.names[path] = Node(T_FILE)
        self._do("c", path)

    def _write(self):
        path = self.random.choice(self._files())
        node, length = self.names[path], self.random.randint(1, WRITE_MAX)
        off = self.random.randint(0, len(node.data))
        if self.random.random() < 0.1:
            off = self.random.randint(0, FILE_MAX - WRITE_MAX)
        v = self.random.randint(0, 255)
        self._set(node, off, content(off, length, v))
        self._do("w", path, off, length, v)

    def _append(self):
        path = self.random.choice(self._files())
        node = self.names[path]
        length, v = self.random.randint(1, 5000), self.random.randint(0, 255)
        if len(node.data) + length <= FILE_MAX:
            self._set(node, len(node.data), content(len(node.data), length, v))
            self._do("a", path, length, v)

    def _truncate(self):
        path = self.random.choice(self._files())
        node = self.names[path]
        size = self.random.randint(0, min(FILE_MAX, len(node.data) * 5 // 4))
        if size < len(node.data):
            del node.data[size:]
        self._set(node, size, b"")
        self._do("t", path, size)

    def _link(self):
        path, new = self.random.choice(self._files()), self._new_name()
        self.names[new] = self.names[path]
        self.names[path].links += 1
        self._do("l", path, new)

    def _rename(self):
        old = self.random.choice(self._files())
        new = self._new_name()
        if self.random.random() < 0.4:
            new = self.random.choice(self._files())
        if self.names.get(new) is self.names[old]:
            return
        if new in self.names:
            self._drop(new)
        self.names[new] = self.names.pop(old)
        self._do("r", old, new)

    def _rename_dir(self):
        old, new = self.random.choice(self._dirs()), self._new_name()
        if new.startswith(old + "/"):
            return
        self.names = {
            new + path[len(old):] if (path + "/").startswith(old + "/")
            else path: node for path, node in self.names.items()}
        self._do("r", old, new)

    def _unlink(self):
        path = self.random.choice(self._files())
        self._drop(path)
        self._do("u", path)

    def _orphan(self):
        path = self.random.choice(self._files())
        node = self.names[path]
        if node.links == 1:
            self._drop(path)
            self._do("o", path, self.random.randint(1, WRITE_MAX), 1)

    def _mkdir(self):
        path = self._new_name()
        if len(path) < 60:
            self.names[path] = Node(T_DIR)
            self._do("d", path)

    def _rmdir(self):
        path = self.random.choice(self._dirs())
        if not any(p.startswith(path + "/") for p in self.names):
            self._drop(path)
            self._do("u", path)

    def _next(self, mapping):
        if mapping and self.random.random() < 0.9:
            self._mapped_operation()
            return
        files, dirs = len(self._files()), len(self._dirs())
        if self._size() > ALL_MAX:
            self.random.choice([self._unlink, self._orphan, self._truncate])()
            return
        choices = [(self._create, 4 if files < 14 else 0),
                   (self._write, 6 if files else 0),
                   (self._append, 4 if files else 0),
                   (self._truncate, 2 if files else 0),
                   (self._link, 2 if 0 < files < 14 else 0),
                   (self._rename, 3 if files else 0),
                   (self._rename_dir, 1 if dirs else 0),
                   (self._unlink, 1 if files else 0),
                   (self._orphan, 1 if files else 0),
                   (self._mkdir, 2 if dirs < 5 else 0),
                   (self._rmdir, 2 if dirs else 0),
                   (lambda: self._do("s"), self.syncs)]
        functions, weights = zip(*choices)
        self.random.choices(functions, weights)[0]()

    # --- a mapping: pages 0 and 1 are in the file, 2 in part ---

    def _begin_mapping(self):
        self.mapped = f"/w/{self.letter}m"
        node = self.names[self.mapped] = Node(T_FILE, mapped=True)
        self._do("c", self.mapped)
        node.data = bytearray(2 * PAGE + 1500)
        self._do("t", self.mapped, len(node.data))
        self._do("M", self.mapped, MAPPED_PAGES)

    def _mapped_operation(self):
        kind = self.random.random()
        if kind < 0.8:
            page = self.random.choice([0, 1, 2, 2, 2])
            v = 1 + len(self.stores) % 255
            self.stores.append((page, len(self.lines) + 1, v))
            self._do("m", page, v)
        elif kind < 0.88:
            self._do("y")
        else:
            node = self.names[self.mapped]
            node.data = bytearray(2 * PAGE + self.random.randint(1, PAGE))
            self._do("t", self.mapped, len(node.data))


def make(operations, seed, letters="abc", mapping="mn"):
    """Scripts that run at once; the last ones map a file, too."""
    scripts = [Script(letter, operations, seed) for letter in letters]
    return scripts + [Script(letter, STORES * operations, seed, mapping=True)
                      for letter in mapping]


def save_expected(scripts, path, times=()):
    """What tests/powercut/check.c compares with; times as in nbd.py."""
    with open(path, "w") as f:
        for script in scripts:
            f.write(f"P {script.letter} {len(script.states)}\n")
            f.writelines(f"S {state}\n" for state in script.states)
            f.writelines(f"M {page} {index} {value}\n"
                         for page, index, value in script.stores)
            f.writelines(f"T {index} {begin} {end}\n"
                         for letter, index, begin, end in times
                         if letter == script.letter)
