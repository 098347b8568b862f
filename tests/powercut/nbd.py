"""A disk whose every request is known: an NBD server for one QEMU.

It serves an image from memory, writes down each write and each flush with what
it wrote, and can fail the n-th request. It also reads the console while a
workload runs, so that what the guest said has a place in the order of the
requests: before a request is looked at, the console is read as far as it goes.

Requests that arrive together are under way together. A flush then covers none
of the writes beside it, as the weakest disk that virtio allows has it (virtio
1.2, 5.2.6.2: it covers what has been completed before). A flush that fails loses
what it was for: reads still find it, but no later flush makes it last.

The protocol: https://github.com/NetworkBlockDevice/nbd/blob/master/doc/proto.md
"""

import os
import re
import select
import socket
import struct
import threading

READ, WRITE, DISCONNECT, FLUSH = 0, 1, 2, 3
MAGIC, OPTIONS_MAGIC, OPTION_REPLY = b"NBDMAGIC", b"IHAVEOPT", 0x3e889045565a9
REQUEST_MAGIC, REPLY_MAGIC = 0x25609513, 0x67446698
OPT_EXPORT_NAME, OPT_ABORT, OPT_INFO, OPT_GO = 1, 2, 6, 7
REP_ACK, REP_INFO, REP_UNSUPPORTED = 1, 3, 1 << 31 | 1
INFO_EXPORT, INFO_BLOCK_SIZE = 0, 3
FLAG_FIXED, FLAG_NO_ZEROES = 1, 2
EXPORT_FLAGS = 1 | 1 << 2  # there are flags; flushes are understood
SECTOR, PREFERRED, MOST = 512, 4096, 32 << 20
EIO = 5

# A recording is a sequence of these; the bytes of a write follow.
EVENT = struct.Struct("<IIQ")  # what, length, offset
EVENT_WRITE, EVENT_FLUSH, EVENT_MARK = 0, 1, 2

MARK = re.compile(rb"@([a-z]) (\d+)\r*\n")
TIMES = re.compile(rb"@([a-z]) (\d+) (\d+) (\d+)\r*\n")
ERROR = re.compile(rb"@([a-z]) error (\d+) (\d+)\r*\n")
# The end of what runs: it said so, the shell has its prompt again or is gone.
DONE = re.compile(rb"@done\r*\n|\n\$ \Z|a new one in a second|the system stops")


class Disk:
    """An image, served at self.url until close()."""

    def __init__(self, image, path):
        self.data = bytearray(image)  # what reads find
        self.lasting = bytearray(image)  # what a power cut leaves at least
        self.written = []  # (offset, bytes) that the next flush makes last
        self.events = []  # (what, offset, bytes): of a mark, (script, count)
        self.requests = 0  # all of them, reads too
        self.counts = {READ: 0, WRITE: 0, FLUSH: 0}
        self.fail_at = None  # the number of the request that fails, from 1
        self.fail_on = False  # and all after it
        self.fail_kind = None  # count only requests of this kind
        self.fail_performs = False  # it is done all the same
        self.failed = 0
        self.failed_writes = 0  # of those: writes and flushes before the end
        self.console = None
        self.said = b""  # what the console printed since watch()
        self.parsed = 0
        self.errors = []  # (script, operation, errno)
        self.done = threading.Event()
        self.path = path
        if os.path.exists(path):
            os.unlink(path)
        self.listener = socket.socket(socket.AF_UNIX)
        self.listener.bind(path)
        self.listener.listen(1)
        self.stopped = False
        self.thread = threading.Thread(target=self._serve, daemon=True)
        self.thread.start()

    @property
    def url(self):
        return f"nbd:unix:{self.path}"

    def close(self):
        self.stopped = True
        self.thread.join(10)
        self.listener.close()
        if os.path.exists(self.path):
            os.unlink(self.path)

    def watch(self, console):
        """Read this file descriptor until what runs has ended; nobody else
        may until then."""
        self.console = console

    def times(self):
        """(script, operation, begin, end), as powercut -t printed them."""
        return [(m[0].decode(), *map(int, m[1:]))
                for m in TIMES.findall(self.said)]

    def fail(self, n, kind=None, on=False, performs=False):
        """From now on, let the n-th request (of a kind) fail."""
        self.counts = dict.fromkeys(self.counts, 0)
        self.requests = 0
        self.fail_kind, self.fail_on, self.fail_performs = kind, on, performs
        self.fail_at = n

    def left(self):
        """Images that a power cut may leave, whatever was lost: all that was written;
        without what a failed flush lost; and only what was flushed."""
        without = bytearray(self.lasting)
        for offset, data in self.written:
            without[offset:offset + len(data)] = data
        images = []
        for image in (self.data, without, self.lasting):
            if image not in images:
                images.append(image)
        return images

    def save(self, path):
        """Write the recording."""
        with open(path, "wb") as f:
            for what, offset, data in self.events:
                if what == EVENT_MARK:
                    script, count = data
                    f.write(EVENT.pack(what, ord(script), count))
                else:
                    f.write(EVENT.pack(what, len(data), offset) + data)

    # --- the server's thread ---

    def _read_exactly(self, n):
        data = b""
        while len(data) < n:
            part = self.conn.recv(n - len(data))
            if not part:
                raise EOFError
            data += part
        return data

    def _serve(self):
        self.listener.settimeout(0.2)
        while not self.stopped:
            try:
                self.conn, _ = self.listener.accept()
            except TimeoutError:
                continue
            except OSError:
                return
            try:
                if self._handshake():
                    self._transmit()
            except (EOFError, ConnectionError):
                pass
            self.conn.close()

    def _reply_option(self, option, reply, data=b""):
        self.conn.sendall(struct.pack(">QIII", OPTION_REPLY, option, reply,
                                      len(data)) + data)

    def _handshake(self):
        self.conn.sendall(MAGIC + OPTIONS_MAGIC +
                          struct.pack(">H", FLAG_FIXED | FLAG_NO_ZEROES))
        self._read_exactly(4)
        while True:
            magic, option, length = struct.unpack(">8sII",
                                                  self._read_exactly(16))
            self._read_exactly(length)
            if magic != OPTIONS_MAGIC or option == OPT_ABORT:
                return False
            export = struct.pack(">QH", len(self.data), EXPORT_FLAGS)
            if option == OPT_EXPORT_NAME:
                self.conn.sendall(export)
                return True
            if option not in (OPT_INFO, OPT_GO):
                self._reply_option(option, REP_UNSUPPORTED)
                continue
            self._reply_option(option, REP_INFO,
                               struct.pack(">H", INFO_EXPORT) + export)
            self._reply_option(option, REP_INFO, struct.pack(
                ">HIII", INFO_BLOCK_SIZE, SECTOR, PREFERRED, MOST))
            self._reply_option(option, REP_ACK)
            if option == OPT_GO:
                return True

    def _transmit(self):
        pending = b""
        while not self.stopped:
            self._read_console()
            fds = [self.conn] + [self.console] * (self.console is not None)
            try:
                readable, _, _ = select.select(fds, [], [], 0.2)
            except OSError:
                continue
            if self.conn not in readable:
                continue
            part = self.conn.recv(1 << 20)
            if not part:
                raise EOFError
            # What was said before these were sent is there by now.
            self._read_console()
            pending += part
            batch, pending = self._parse(pending)
            for request in sorted(batch, key=lambda r: r[0] != FLUSH):
                self._perform(*request)

    def _parse(self, data):
        """The complete requests in data, and the rest."""
        batch = []
        while len(data) >= 28:
            magic, _, kind, handle, offset, length = struct.unpack(
                ">IHHQQI", data[:28])
            if magic != REQUEST_MAGIC or kind == DISCONNECT:
                raise EOFError
            size = 28 + (length if kind == WRITE else 0)
            if len(data) < size:
                break
            batch.append((kind, handle, offset, length, data[28:size]))
            data = data[size:]
        return batch, data

    def _fails(self, kind):
        self.requests += 1
        self.counts[kind] += 1
        if self.fail_at is None or self.fail_kind not in (None, kind):
            return False
        n = self.requests if self.fail_kind is None else self.counts[kind]
        return n == self.fail_at or (self.fail_on and n > self.fail_at)

    def _flush(self, performs):
        for offset, data in self.written if performs else ():
            self.lasting[offset:offset + len(data)] = data
        self.written.clear()
        if performs:
            self.events.append((EVENT_FLUSH, 0, b""))

    def _perform(self, kind, handle, offset, length, data):
        fails = self._fails(kind)
        answer = b""
        performs = not fails or self.fail_performs
        if performs and kind == WRITE:
            self.data[offset:offset + length] = data
            self.written.append((offset, data))
            self.events.append((EVENT_WRITE, offset, data))
        elif kind == FLUSH:
            self._flush(performs)
        if kind == READ and not fails:
            answer = bytes(self.data[offset:offset + length])
        self.failed += fails
        self.failed_writes += fails and kind != READ and not self.done.is_set()
        self.conn.sendall(struct.pack(">IIQ", REPLY_MAGIC, EIO if fails else 0,
                                      handle) + answer)

    def _read_console(self):
        while self.console is not None:
            try:
                if not select.select([self.console], [], [], 0)[0]:
                    return
                part = os.read(self.console, 65536)
            except OSError:  # QEMU has gone
                part = b""
            if not part:
                self.console = None
                self.done.set()
                return
            self.said += part
            self._parse_console()

    def _parse_console(self):
        end = self.said.rfind(b"\n") + 1
        lines, self.parsed = self.said[self.parsed:end], end
        for script, count in MARK.findall(lines):
            self.events.append((EVENT_MARK, 0, (script.decode(), int(count))))
        for script, operation, errno in ERROR.findall(lines):
            self.errors.append((script.decode(), int(operation), int(errno)))
        if DONE.search(self.said):
            self.console = None
            self.done.set()
