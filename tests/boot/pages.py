"""What a browser does, for tests of the explorer's server: HTTP and websockets
(RFC 6455), written out so that they can also do what no browser would.
"""

import base64
import fcntl
import json
import os
import re
import signal
import socket
import subprocess
import time

from pagewise import (PATIENCE, TOP, Failure, environment, log_path, make, path)

LIMIT = 20 * PATIENCE
TEXT, BINARY, CLOSE, PING = 1, 2, 8, 9


def received(s, n):
    """Exactly n bytes, or what there was before the end."""
    data = b""
    while len(data) < n:
        try:
            part = s.recv(n - len(data))
        except ConnectionError:
            break
        if not part:
            break
        data += part
    return data


def head(s):
    """The head of an HTTP answer: its status and its headers."""
    data = b""
    while not data.endswith(b"\r\n\r\n"):
        part = received(s, 1)
        if not part:
            return None, {}
        data += part
    first, *lines = data.decode("latin-1").split("\r\n")
    return int(first.split()[1]), {
        k.strip().lower(): v.strip()
        for k, v in (line.split(":", 1) for line in lines if line)}


class Socket:
    """A websocket; status is the HTTP status, 101 if it was opened."""

    def __init__(self, port, path, host=None, origin=None, extra=""):
        self.s = socket.create_connection(("127.0.0.1", port), timeout=LIMIT)
        lines = [f"GET {path} HTTP/1.1", f"Host: {host or f'127.0.0.1:{port}'}",
                 "Upgrade: websocket", "Connection: Upgrade",
                 "Sec-WebSocket-Version: 13", "Sec-WebSocket-Key: " +
                 base64.b64encode(os.urandom(16)).decode()]
        if origin:
            lines.append(f"Origin: {origin}")
        self.s.sendall(("\r\n".join(lines) + "\r\n" + extra + "\r\n").encode())
        self.status, self.headers = head(self.s)

    def __enter__(self):
        return self

    def __exit__(self, *error):
        self.s.close()

    def send(self, data, kind=None):
        """A message: text, or bytes."""
        kind = kind or (TEXT if isinstance(data, str) else BINARY)
        data = data.encode() if isinstance(data, str) else data
        n, mask = len(data), os.urandom(4)
        size = bytes([0x80 | n]) if n < 126 else \
            bytes([0x80 | 126]) + n.to_bytes(2, "big") if n < 1 << 16 else \
            bytes([0x80 | 127]) + n.to_bytes(8, "big")
        key = int.from_bytes((mask * (n // 4 + 1))[:n], "big")
        masked = (int.from_bytes(data, "big") ^ key).to_bytes(n, "big")
        self.s.sendall(bytes([0x80 | kind]) + size + mask + masked)

    def receive(self):
        """A message: (kind, bytes); (None, b"") at the end."""
        whole, kind = b"", None
        while True:
            start = received(self.s, 2)
            if len(start) < 2 or start[0] & 15 == CLOSE:
                return None, b""
            n = start[1] & 127
            if n >= 126:
                n = int.from_bytes(received(self.s, 2 if n == 126 else 8), "big")
            data = received(self.s, n)
            if start[0] & 15 == PING:
                continue
            kind = kind or start[0] & 15
            whole += data
            if start[0] & 128:
                return kind, whole


EVENT = ("ns", "cpu", "pid", "kind", "a", "b")


def edited(regions, had):
    """Of a list of regions and numbers, with those that there were: all regions."""
    at, out = 0, []
    for r in regions:
        if isinstance(r, dict):
            out.append(r)
            continue
        at += abs(r)
        if r > 0:
            kept = had["regions"][at - r:at]
            assert len(kept) == r, (r, at)
            out += kept
    return out


class Page(Socket):
    """A page that follows a machine."""

    def __init__(self, server, **options):
        super().__init__(server.port, f"/{server.token}/{self.of(options)}state",
                         **options)
        if self.status != 101:
            raise Failure(f"no websocket: {self.status}")
        self.hello = self.state = self.frames = self.file = None
        self.whole = []  # pids of the spaces that the last state had more of
        self.states = 0
        self.samples = {}  # by the number of their states
        self.answers = {}
        self.ids = 0

    @staticmethod
    def of(options):
        """Which machine's: the first, or that beside it."""
        return "beside/" if options.pop("beside", False) else ""

    def take(self):
        """The next message: it becomes what this page knows."""
        kind, data = self.receive()
        if kind is None:
            raise Failure("the server has closed the connection")
        if kind == BINARY:
            if data[:4] == b"FRAM":
                self.frames = data
            else:
                assert data[:4] == b"SNAP", data[:20]
                self.file = data[4:]
            return
        message = json.loads(data)
        if message.get("type") == "hello":
            self.hello = message
        elif message.get("type") == "state":
            # A space that is as it was is its pid alone.
            had = {s["pid"]: s for s in (self.state or {"spaces": []})["spaces"]}
            new = [s for s in message["spaces"] if isinstance(s, dict)]
            self.whole = [s["pid"] for s in new
                          if all(isinstance(r, dict) for r in s["regions"])]
            for s in new:
                s["regions"] = edited(s["regions"], had.get(s["pid"]))
            message["spaces"] = [s if isinstance(s, dict) else had[s]
                                 for s in message["spaces"]]
            message["events"] = [dict(zip(EVENT, e)) for e in message["events"]]
            self.state = message
            self.states += 1
            self.take_samples(message)
        else:
            self.answers[message.get("id")] = message

    def take_samples(self, state):
        """What each state counted comes once, also that of states that did not come."""
        all_ = [*state["samples"], {"free": state["owners"]["free"],
                                    "counters": state["counters"]}]
        new = dict(enumerate(all_, state["seq"] + 1 - len(all_)))
        assert not new.keys() & self.samples.keys(), (new.keys(), self.samples.keys())
        self.samples.update(new)

    def until(self, true):
        """Take messages until it is so; what it was."""
        end = time.monotonic() + LIMIT
        while not (value := true()):
            if time.monotonic() > end:
                raise Failure("what was waited for did not come; state: "
                              f"{str(self.state)[:600]}")
            self.take()
        return value

    def ask(self, **request):
        """The answer to a request."""
        self.ids += 1
        self.send(json.dumps({"id": self.ids, **request}))
        return self.until(lambda: self.answers.pop(self.ids, None))

    def raw(self, text):
        """The answer to a text that is no request: one without an id."""
        self.send(text)
        return self.until(lambda: self.answers.pop(None, None))

    def space(self, name):
        """Wait for a process of that name: its space."""
        def found():
            return self.state and [s for s in self.state["spaces"]
                                   if s["name"] == name]
        return self.until(found)[-1]


class Terminal(Socket):
    """A page that shows the console."""

    def __init__(self, server, **options):
        super().__init__(server.port,
                         f"/{server.token}/{Page.of(options)}console", **options)
        if self.status != 101:
            raise Failure(f"no websocket: {self.status}")
        self.text = ""

    def expect(self, pattern):
        """Wait for a pattern; what came before it is forgotten. The match."""
        while not (found := re.search(pattern, self.text)):
            kind, data = self.receive()
            if kind is None:
                raise Failure(f"no {pattern!r} in {self.text[-500:]!r}")
            self.text += data.decode("utf-8", "replace")
        self.text = self.text[found.end():]
        return found

    def run(self, command):
        self.send(command + "\n")
        self.expect(r"\r\n")  # of what was typed
        return self.expect(r"(?s)(.*?)\r?\n?\$ ")[1].replace("\r", "")


def built(target="explorer"):
    """Build the explorer. Tests run side by side, so one of them does it."""
    log_path("")  # makes the folder
    with open(path("test-logs", "explorer.lock"), "w") as f:
        fcntl.flock(f, fcntl.LOCK_EX)
        make("-s", target)


class Server:
    """The explorer, serving."""

    def __init__(self, command, env=None):
        self.errors = open(log_path(".server.log"), "w+")
        # No browser is opened; and make, by the same flags, need not build all anew.
        alone = {"SSH_CONNECTION": "test"}
        self.child = subprocess.Popen(
            command, cwd=TOP, env={**environment(), **alone, **(env or {})},
            stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
            stderr=self.errors, text=True)
        found = None
        for line in self.child.stdout:  # make may say what it builds
            found = re.fullmatch(r"http://127\.0\.0\.1:(\d+)/([0-9a-f]{32})/\n",
                                 line)
            if found:
                break
        if not found:
            self.child.kill()
            self.errors.seek(0)
            raise Failure(f"no address:\n{self.errors.read()}")
        self.port, self.token = int(found[1]), found[2]

    def __enter__(self):
        return self

    def __exit__(self, *error):
        if self.child.poll() is None:
            self.end()

    def end(self, number=signal.SIGTERM):
        """End it by a signal; its exit status."""
        self.child.send_signal(number)
        status = self.child.wait(LIMIT)
        self.child.stdout.close()
        self.errors.close()
        return status

    def children(self):
        """Its processes: QEMU."""
        with open(f"/proc/{self.child.pid}/task/{self.child.pid}/children") as f:
            return [int(pid) for pid in f.read().split()]

    def get(self, path, host=None, method="GET", extra=""):
        """(status, headers, content) of a request."""
        with socket.create_connection(("127.0.0.1", self.port),
                                      timeout=LIMIT) as s:
            s.sendall((f"{method} {path} HTTP/1.1\r\n"
                       f"Host: {host or f'127.0.0.1:{self.port}'}\r\n"
                       f"Connection: close\r\n{extra}\r\n").encode("latin-1"))
            status, headers = head(s)
            n = int(headers.get("content-length", 0))
            return status, headers, received(s, n)

    def memory_kib(self):
        """What it has of memory that is not the machine's."""
        with open(f"/proc/{self.child.pid}/status") as f:
            return int(re.search(r"RssAnon:\s*(\d+) kB", f.read())[1])
