"""The explorer's server: what a page is told, what it may do, and what nobody
may do who does not know the token.

tests/boot/test_explore.py has tests of what is read from memory, which is the
same here; tests/boot/pages.py is the browser.
"""

import json
import os
import random
import select
import shlex
import shutil
import signal
import socket
import struct
import time

from pagewise import (ARCH, BUILD, FOLDER, TOP, Failure, free_port, log_path, needs,
                      once, path, qemu_command, test)
from pages import (BINARY, LIMIT, TEXT, Page, Server, Socket, Terminal, built,
                   received)
from tables import wait_asleep
from test_explore import CHECKED, EXPLORE, KERNEL, explore

PAGE = os.path.join(TOP, "tools", "explore", "page")
TYPES = {".html": "text/html", ".css": "text/css", ".js": "text/javascript",
         ".svg": "image/svg+xml"}
TOKEN = 32  # letters
NEEDS = ("explorer", "explorer-checked")


def served(program=EXPLORE, cpus=3, mem="128M", env=None, append="", beside=None,
           by=()):
    """A machine that the explorer has started, by way of another command if that is
    given; others, in a folder, may be."""
    built("explorer" if program == EXPLORE else "explorer-checked")
    disk = os.path.join(BUILD, FOLDER, "fs.img") + ",snapshot=on"
    more = ["--beside", beside] if beside else []
    return Server([*by, program, *more, "--qemu", KERNEL, mem,
                   *qemu_command(BUILD, cpus, mem, disk, append, ())], env)


def booted(s):
    """Its terminal, at the first prompt."""
    t = Terminal(s)
    t.expect(r"\$ ")
    return t


def gone(pid):
    """Wait for a process to end; a zombie has."""
    end = time.monotonic() + LIMIT
    while time.monotonic() < end:
        try:
            with open(f"/proc/{pid}/stat") as f:
                if f.read().rsplit(")", 1)[1].split()[0] == "Z":
                    return
        except (FileNotFoundError, ProcessLookupError):
            return
        time.sleep(0.02)
    raise Failure(f"process {pid} is still there")


def space(state, pid):
    return next((s for s in state["spaces"] if s["pid"] == pid), None)


def background(t, command):
    return int(t.run(f"{command} & echo $!").split("\n")[-1])


# --- who may see it ---

@test(quick=True)
@once
def test_server_without_token():
    """Nothing for who has no token, comes from another site, or goes by another
    name."""
    with served() as s:
        with open("/proc/net/tcp") as f:
            bound = [line.split()[1] for line in f if f":{s.port:04X} 00000000:"
                     in line]
        assert bound == [f"0100007F:{s.port:04X}"], "127.0.0.1 and nothing else"
        index = s.get(f"/{s.token}/")
        other = ("0" if s.token[0] != "0" else "1") + s.token[1:]
        for at in ("/", "", "//", "/index.html", f"/{s.token}", f"/{s.token[:-1]}/",
                   f"/{other}/", f"/{other}/index.html", f"/{s.token.upper()}x/",
                   f"/{s.token}0/", "/state", f"/?{s.token}/",
                   f"/{'0' * TOKEN}/", f"/x/{s.token}/"):
            status, headers, content = s.get(at or "/")
            assert (status, content) == (404, b""), (at, status, content)
            assert s.token not in str(headers), at
        for host in ("evil.example", f"evil.example:{s.port}", "127.0.0.1",
                     f"127.0.0.1:{s.port + 1}", f"[::1]:{s.port}",
                     f"127.0.0.1.evil.example:{s.port}"):
            status, _, content = s.get(f"/{s.token}/", host=host)
            assert (status, content) == (403, b""), (host, status)
            with Socket(s.port, f"/{s.token}/state", host=host) as w:
                assert w.status == 403, host
        assert s.get(f"/{s.token}/", host=f"localhost:{s.port}") == index
        for method in ("POST", "PUT", "DELETE", "OPTIONS", "HEAD", "PATCH"):
            for at in (f"/{s.token}/", f"/{s.token}/state", f"/{other}/", "/"):
                status, _, content = s.get(at, method=method)
                assert (status, content) == (405, b""), (method, at, status)
        for at in (f"/{s.token}/x", f"/{s.token}/#x", f"/{s.token}/state"):
            assert s.get(at)[::2] == (404, b""), at
        for method, at in (("GET", "x"), ("NOTHING", f"/{s.token}/")):
            status, _, content = s.get(at, method=method)
            assert status == 403 and s.token.encode() not in content, (method, status)
        for at in ("/x%00", f"/{s.token}/x%00"):
            assert s.get(at) == (None, {}, b""), "closed without an answer"
        for origin in ("http://evil.example", "null", f"https://127.0.0.1:{s.port}",
                       f"http://127.0.0.1:{s.port + 1}", "http://127.0.0.1"):
            for name in ("state", "console"):
                with Socket(s.port, f"/{s.token}/{name}", origin=origin) as w:
                    assert w.status == 403, (origin, name)
        for at in ("/state", f"/{other}/state", f"/{s.token}/", f"/{s.token}/x",
                   f"/{s.token}/state/", "/"):
            with Socket(s.port, at) as w:
                assert w.status == 404, at
        with Page(s, origin=f"http://127.0.0.1:{s.port}") as p:
            p.until(lambda: p.state)


UPGRADE = ("Upgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Version: 13\r\n"
           "Sec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\n")
STRANGERS = 300  # more than the server keeps open for those who show no token
RECEIVED = 1000  # more than a refusal has


def stranger(s, text):
    """A connection on which that has been said."""
    w = socket.create_connection(("127.0.0.1", s.port), timeout=LIMIT)
    w.sendall(text.encode())
    return w


@test(quick=True)
@once
def test_server_strangers():
    """Who shows no token has no socket for long, and takes none from who does."""
    with served() as s, Page(s) as p:
        host = f"Host: 127.0.0.1:{s.port}\r\n"
        for first in ("GET /state", "GET /", "POST /state", "CONNECT /state", "CONNECT x:1",
                      f"CONNECT /{s.token}/state"):
            for more in (UPGRADE, UPGRADE.replace("websocket", "raw"),
                         "Connection: close\r\n"):
                with stranger(s, f"{first} HTTP/1.1\r\n{host}{more}\r\n") as w:
                    said = received(w, RECEIVED)
                    assert len(said) < RECEIVED and b" 101 " not in said, (first, said)
        # What has not said all is closed by others of its kind, the oldest first.
        for said in ("", "GET /", f"GET / HTTP/1.1\r\n{host}", f"CONNECT / HTTP/1.1\r\n{host}"):
            many = [stranger(s, said) for _ in range(STRANGERS)]
            assert received(many[0], 1) == b"", said
            assert s.get(f"/{s.token}/")[0] == 200, said
            with Page(s) as q:
                q.until(lambda: q.state)
            p.ask(op="pause")
            assert p.state["paused"], "whose socket was there before goes on"
            assert len(os.listdir(f"/proc/{s.child.pid}/fd")) < STRANGERS // 2, said
            p.ask(op="continue")
            for w in many:
                w.close()


@test(quick=True)
@once
def test_server_files():
    """Its own files, as they are, and no others, whatever the path looks like."""
    with served() as s:
        own = [n for n in os.listdir(PAGE) if os.path.splitext(n)[1] in TYPES]
        assert "index.html" in own
        contents = []
        for name in own:
            with open(os.path.join(PAGE, name), "rb") as f:
                content = f.read()
            contents.append(content)
            for at in [name] + [""] * (name == "index.html"):
                status, headers, got = s.get(f"/{s.token}/{at}")
                assert status == 200 and got == content, (at, status)
                kind = TYPES[os.path.splitext(name)[1]]
                assert headers["content-type"].startswith(kind), headers
                assert headers["x-content-type-options"] == "nosniff"
                assert headers["referrer-policy"] == "no-referrer"
                assert "default-src 'none'" in headers["content-security-policy"]
                assert headers["cache-control"] == "no-store"
        up = "../" * 12
        for at in ("package.json", "package-lock.json", "server.c", up, "..", ".",
                   f"{up}etc/passwd", "/etc/passwd", "%2e%2e/main.c", "..%2f..%2f",
                   "index.html/", "index.html/..", "index.html%00.css", "INDEX.HTML",
                   f"{'%2e%2e/' * 9}etc/passwd", "a" * 3000, "%", "%zz", "\\..\\x",
                   os.path.join(PAGE, "index.html"), "state", "console"):
            status, _, content = s.get(f"/{s.token}/{at}")
            assert status != 200 or content in contents, (at, content[:100])
            assert status == 200 or content == b"" or \
                b"<h1>" in content and len(content) < 200, (at, content)
        assert s.get(f"/{s.token}/")[0] == 200


# --- what a page is told ---

def frames_of(p):
    """(class, order, mappings) with how many frames of each run."""
    total, = struct.unpack("<I", p.frames[8:12])
    runs = list(struct.iter_unpack("<IBBH", p.frames[12:]))
    assert sum(r[0] for r in runs) == total
    return total, runs


@test(quick=True)
def test_server_follows():
    """Console, states, frames, pause and snapshot, with two pages at once."""
    with served() as s, booted(s) as t, Page(s) as p, Page(s) as q:
        assert t.run("echo one two") == "one two"
        p.until(lambda: p.state and p.frames)
        assert p.hello["live"] and p.hello["control"] and p.hello["arch"] == ARCH
        total, runs = frames_of(p)
        assert total == p.state["ram"]["frames"]
        assert max(r[1] for r in runs) < 16
        assert all(r[1] < len(p.state["classes"]) for r in runs)
        pid = background(t, "sh -c 'while :; do ls > /listed; done'")
        for page in (p, q):
            page.until(lambda: page.state and space(page.state, pid))
            forks = page.state["counters"]["forks"]
            page.until(lambda: page.state["counters"]["forks"] > forks)
        # Events come once.
        seen = set()
        while len(seen) < 100:
            count = p.states
            p.until(lambda: p.states > count)
            new = {(e["cpu"], e["ns"], e["kind"], e["a"], e["b"], e["pid"])
                   for e in p.state["events"]}
            assert not new & seen, new & seen
            seen |= new
        # So does a space, until it is another one, and the part of it that stays; a
        # page that comes later has all.
        p.until(lambda: space(p.state, 1) and 1 not in p.whole and 0 not in p.whole)
        with Page(s) as late:
            late.until(lambda: late.state)
            assert late.whole == [each["pid"] for each in late.state["spaces"]]
            assert min(late.samples) == min(p.samples) < max(late.samples) - 3
            assert all(late.samples[n] == p.samples[n] for n in p.samples if n in late.samples)
        # What one page does, the other sees.
        assert "error" not in p.ask(op="pause")
        assert p.state["paused"] and p.state["why"]
        q.until(lambda: q.state["paused"])
        still = q.state
        assert "error" not in p.ask(op="pause"), "twice is no error"
        walk = p.ask(op="walk", pid=pid, va="0x0")
        assert walk["root"] == space(p.state, pid)["root"]
        assert p.ask(op="walk", pid=pid, va="0x0")["steps"] == walk["steps"]
        answer = p.ask(op="snapshot")
        p.until(lambda: p.file)
        assert len(p.file) == answer["bytes"]
        kept = log_path(".snap")
        with open(kept, "wb") as f:
            f.write(p.file)
        shown = json.loads(explore("--json", kept)[0].splitlines()[1])
        assert shown["spaces"] == still["spaces"]
        assert shown["owners"] == still["owners"]
        # A machine that stands still takes what is typed when it goes on.
        t.send("echo later\n")
        assert "error" not in q.ask(op="continue")
        assert not q.state["paused"] and q.state["why"] == ""
        t.expect(r"later\r\n(?:.|\n)*later")
        q.until(lambda: q.state["ns"] > still["ns"])
        # One that comes later sees what was printed before.
        with Terminal(s) as u:
            u.expect(r"one two(?:.|\n)*later")


@test(quick=True)
def test_server_reboot():
    """After a reboot of the guest nothing of the boot before is told, whoever
    followed; and events come again."""
    with served() as s, booted(s) as t, Page(s) as p:
        for _ in range(20):
            t.run("true")
        p.until(lambda: p.state and p.state["counters"]["forks"] >= 20)
        assert p.state["boots"] == 0 and not p.state["panicked"]
        t.send("reboot\n")
        p.until(lambda: p.state["boots"] > 0)
        boots = p.state["boots"]
        t.expect(r"disk 0(?:.|\n)*\$ ")
        # Of the new boot each event comes once, to this page and to a fresh one.
        had = list(p.state["events"])
        t.run("true")
        while len([e for e in had if e["kind"] == "fork"]) < 2:  # init's, the shell's
            count = p.states
            p.until(lambda: p.states > count)
            had += p.state["events"]
        with Page(s) as q:
            q.until(lambda: q.state)
            assert q.state["boots"] == boots
            forks = [e for e in q.state["events"] if e["kind"] == "fork"]
            assert len(forks) == q.state["counters"]["forks"] < 10, q.state["counters"]
            assert [e for e in had if e["kind"] == "fork"] == forks, (had, forks)
            assert max(v["counters"]["forks"] for v in q.samples.values()) < 10


@test(quick=True)
def test_server_tells_panic():
    """A kernel that has panicked is one that does nothing any more."""
    with served(append="selftest=panic") as s, Page(s) as p:
        p.until(lambda: p.state and p.state["panicked"])
        assert not p.state["ended"] and p.state["boots"] == 0


@test(quick=True)
def test_server_shows_snapshot():
    """The page of a file: everything but what takes a machine. Its samples are those
    of the machine, to the moment in which it was kept."""
    kept = log_path(".snap")
    with served(cpus=1) as s, booted(s) as t, Page(s) as p:
        p.space("sh")
        background(t, "sh -c 'while :; do ls > /listed; done'")
        # More than the trace has: a reading of the file alone would count fewer.
        p.until(lambda: p.state["counters"]["forks"] > 250)
        p.ask(op="snapshot")
        then = dict(p.samples)
        p.until(lambda: p.file)
        with open(kept, "wb") as f:
            f.write(p.file)
        assert len(p.file) < 4 << 20
    with Server([EXPLORE, kept]) as s, Page(s) as p:
        p.until(lambda: p.frames)
        assert len(p.samples) == min(len(then), 241) and max(p.samples) == max(then)
        assert p.samples.items() <= then.items(), (p.samples, then)
        assert not p.hello["live"] and not p.hello["control"]
        assert [e["kind"] for e in p.state["events"]].count("exec") >= 2
        pid = p.space("sh")["pid"]
        assert p.ask(op="walk", pid=pid, va="0x0")["steps"]
        for op in ("pause", "continue", "stop"):
            assert "cannot be stopped" in p.ask(op=op, at="copy", pid=pid)["error"]
        with Socket(s.port, f"/{s.token}/console") as w:
            assert w.status == 404
        assert s.get(f"/{s.token}/")[0] == 200


@test(quick=True)
def test_server_forgets_samples():
    """A machine that nobody followed has no samples of that time, which would be one
    with all that happened in it."""
    with served() as s, booted(s) as t:
        background(t, "sh -c 'while :; do ls > /listed; done'")
        with Page(s) as p:
            p.until(lambda: len(p.samples) > 3)
        left = p.samples
        while left:
            t.run("sleep 3")
            with Page(s) as p:
                p.until(lambda: p.state)
            left = left.keys() & p.samples.keys()


# --- stops ---

def stopped(p, at, pid):
    """Wait for a stop: what is said of it."""
    p.until(lambda: p.state["stopped"])
    where = p.state["stopped"]
    assert p.state["paused"] and p.state["waiting"] is None
    assert (where["at"], where["pid"]) == (at, pid), p.state["why"]
    return where


def ask_stop(p, at, pid):
    answer = p.ask(op="stop", at=at, pid=pid)
    assert "error" not in answer, answer
    return answer


@test(quick=True)
def test_server_stops_at_copy():
    """At a copy that the chosen process makes, and not at another's."""
    with served() as s, booted(s) as t, Page(s) as p:
        shell = p.space("sh")["pid"]
        idle = background(t, "sleep 1000")
        p.until(lambda: space(p.state, idle))
        wait_asleep(t.run, idle)  # as it starts it makes copies
        ask_stop(p, "copy", idle)
        assert p.state["waiting"] == {"at": "copy", "pid": idle}
        copies = p.state["counters"]["faults_copy"]
        for _ in range(3):
            t.run("ls | wc")
        p.until(lambda: p.state["counters"]["faults_copy"] > copies)
        assert not p.state["paused"], "others' copies stop nothing"
        ask_stop(p, "copy", shell)
        assert p.state["waiting"] == {"at": "copy", "pid": shell}
        t.send("ls\n" * 8)  # each fork leads to a copy, if the parent is first
        where = stopped(p, "copy", shell)
        # The copy is there: the page is the shell's alone, and may be written.
        walk = p.ask(op="walk", pid=shell, va=where["va"])
        assert walk["result"] and walk["reason"] == "", walk
        frame = p.ask(op="frame", pa=walk["result"])
        assert frame["count"] == 1 and frame["class"] == "private", frame
        assert [m["pid"] for m in frame["maps"] if m["pid"]] == [shell], frame
        # Again from the same place, then on.
        copies = p.state["counters"]["faults_copy"]
        ask_stop(p, "copy", shell)
        stopped(p, "copy", shell)
        assert p.state["counters"]["faults_copy"] > copies
        assert "error" not in p.ask(op="continue")
        assert not p.state["paused"] and p.state["stopped"] is None
        for _ in range(8):
            t.expect(r"\$ ")
        # A process that ends instead.
        ask_stop(p, "copy", idle)
        t.send(f"kill {idle}\n")
        p.until(lambda: p.state["paused"])
        assert "has ended" in p.state["why"] and p.state["stopped"] is None


@test(quick=True)
def test_server_stops_at_others():
    """At a page fault, an exec, and when a CPU is given to a process."""
    with served() as s, booted(s) as t, Page(s) as p:
        t.send("tour_exec\n")
        pid = p.space("tour_exec")["pid"]
        root = space(p.state, pid)["root"]
        t.expect("Enter")
        ask_stop(p, "switch", pid)
        t.send("\n")
        stopped(p, "switch", pid)
        ask_stop(p, "exec", pid)
        stopped(p, "exec", pid)
        assert space(p.state, pid)["root"] != root, "another image"
        assert p.ask(op="continue")
        t.expect("Enter")
        t.send("\n")
        t.expect(r"\$ ")
        t.send("tour_heap\n")
        pid = p.space("tour_heap")["pid"]
        for _ in range(3):
            t.expect("Enter")
            t.send("\n")
        t.expect("Enter")
        ask_stop(p, "fault", pid)
        t.send("\n")  # now it writes one page after the other
        where = stopped(p, "fault", pid)
        before = p.ask(op="walk", pid=pid, va=where["va"])
        assert before["result"] is None, before
        assert p.ask(op="pause") and p.state["stopped"] == where
        ask_stop(p, "fault", pid)
        stopped(p, "fault", pid)
        after = p.ask(op="walk", pid=pid, va=where["va"])
        assert after["result"], "the first one was served"
        assert p.ask(op="continue")
        t.expect("Enter")


@test(quick=True)
def test_server_stops_at_any():
    """At the exec of a process that was not there when it was asked for."""
    with served() as s, booted(s) as t, Page(s) as p:
        shell = p.space("sh")["pid"]
        ask_stop(p, "exec", 0)
        assert p.state["waiting"] == {"at": "exec", "pid": 0}
        t.send("ls\n")
        p.until(lambda: p.state["stopped"])
        pid = p.state["stopped"]["pid"]
        stopped(p, "exec", pid)
        assert pid > shell and space(p.state, pid)["name"] == "ls", p.state["why"]
        assert f"process {pid}" in p.state["why"]
        assert p.ask(op="continue")
        t.expect(r"\$ ")
        background(t, "sh -c 'while :; do ls > /listed; done'")
        for _ in range(20):  # as these sleep, threads of the kernel get the CPU
            ask_stop(p, "switch", 0)
            p.until(lambda: p.state["stopped"])
            assert p.state["stopped"]["pid"] > 0, p.state["why"]


# --- who does it wrong ---

BAD = ["", "{", "null", "[]", "3", '"x"', "{}", '{"op":3}', '{"op":null}',
       '{"op":"none"}', '{"op":"walk"}', '{"op":"walk","pid":"2","va":"0x0"}',
       '{"op":"walk","pid":2}', '{"op":"walk","pid":2,"va":4096}',
       '{"op":"walk","pid":2,"va":"-1"}', '{"op":"walk","pid":2,"va":"0x"}',
       '{"op":"walk","pid":2,"va":"0x1g"}',
       '{"op":"walk","pid":2,"va":"0x10000000000000000"}',
       '{"op":"walk","pid":4294967298,"va":"0x0"}',
       '{"op":"walk","pid":-1,"va":"0x0"}', '{"op":"walk","pid":1e99,"va":"0x0"}',
       '{"op":"walk","pid":999999999999999999999999,"va":"0x0"}',
       '{"op":"walk","pid":2.0,"va":"0x0"}', '{"op":"table"}',
       '{"op":"table","pid":2,"pa":5}', '{"op":"table","pid":2,"pa":"0x1"}',
       '{"op":"table","pid":2,"pa":"0xfffffffffffff000"}',
       '{"op":"frame"}', '{"op":"frame","pa":"0xffffffffffffffff"}',
       '{"op":"frame","pa":{}}', '{"op":"stop"}', '{"op":"stop","at":"copy"}',
       '{"op":"stop","at":"copy","pid":-1}', '{"op":"stop","at":"copy","pid":77777}',
       '{"op":"stop","at":"x","pid":2}', '{"op":"stop","at":1,"pid":2}',
       '{"op":"stop","at":"copy","pid":4294967298}', "[" * 4000,
       '{"op":"' + "a" * 4000 + '"}', "x" * 4096, "y" * 4097, "z" * 200000,
       '{"op":"walk","op":"pause"} {}', "\x00", '{"op":"\\u0000"}',
       '{"op":"pause"}x']


@test(timeout=300)
def test_server_bad_requests():
    """Each request that makes no sense is answered by an error, and nothing else
    happens; with every check that the compiler has."""
    with served(CHECKED) as s, booted(s) as t, Page(s) as p:
        p.space("sh")
        for text in BAD:
            assert "error" in p.raw(text), text
        rng = random.Random(int(os.environ.get("SEED", "1")))
        good = [json.dumps({"id": 1, "op": op, "pid": 2, "at": "copy",
                            "va": "0x1000", "pa": "0x1000"}).encode()
                for op in ("walk", "table", "frame", "stop", "snapshot")]
        for _ in range(int(os.environ.get("ROUNDS", "200"))):
            text = bytearray(rng.choice(good))
            for _ in range(rng.choice((1, 2, 5, 30))):
                text[rng.randrange(len(text))] = rng.randrange(256)
            with Page(s) as q:
                q.send(bytes(text), kind=rng.choice((TEXT, BINARY)))
                q.until(lambda: q.answers)
        # Frames that are no websocket's.
        for _ in range(20):
            with Socket(s.port, f"/{s.token}/state") as w:
                w.s.sendall(rng.randbytes(300))
        for _ in range(20):
            with socket.create_connection(("127.0.0.1", s.port)) as w:
                w.sendall(b"GET /" + rng.randbytes(rng.choice((3, 5000))))
        p.ask(op="continue")
        assert t.run("echo well") == "well"
        assert s.end() == 0
        with open(log_path(".server.log")) as f:
            said = f.read()
        assert "ERROR" not in said and "runtime error" not in said, said


def flood(w, text):
    """Send requests until no more are taken."""
    w.s.settimeout(2)
    try:
        for _ in range(100000):
            w.send(text)
    except TimeoutError:
        return
    raise Failure("the server goes on listening to who does not read")


@test(timeout=300)
def test_server_slow_pages():
    """Pages that ask and never read: the server does not grow, and serves others."""
    with served() as s, booted(s) as t, Page(s) as p:
        p.space("sh")
        t.send("while :; do ls; done\n")
        before = s.memory_kib()
        slow = []
        for op in ("table", "snapshot"):
            w = Socket(s.port, f"/{s.token}/state")
            flood(w, json.dumps({"op": op, "pid": 2, "id": "x" * 2000}))
            slow.append(w)
        # And one that lets the console print without looking.
        slow.append(Terminal(s))
        count = p.states
        p.until(lambda: p.states > count + 20)
        grown = s.memory_kib() - before
        assert grown < 16 << 10, f"{grown} KiB"
        assert "error" not in p.ask(op="pause")
        # He who reads again is listened to again.
        slow[0].s.settimeout(LIMIT)
        for _ in range(30):
            assert slow[0].receive()[0] is not None
        for w in slow:
            w.s.close()
        # There is a limit for how many there may be.
        many = [Socket(s.port, f"/{s.token}/state") for _ in range(40)]
        refused = sum(w.status == 403 for w in many)
        assert 0 < refused < 40, refused
        for w in many:
            w.s.close()
        assert "error" not in p.ask(op="continue")
        p.until(lambda: not p.state["paused"])


@test(quick=True)
def test_server_paste():
    """More than the guest takes at once is typed in time, and nothing is lost."""
    with served() as s, booted(s) as t:
        t.send("wc\n")
        t.expect(r"wc\r\n")
        line = "x" * 62 + "\n"
        t.send(line * 600)
        t.send("\x04")
        t.expect(rf"600 600 {600 * len(line)}")


# --- a machine beside ---

def offered(**machines):
    """A folder that offers these, by name: the kernel's command line of each."""
    folder = log_path(".beside")
    shutil.rmtree(folder, ignore_errors=True)
    os.makedirs(folder)
    disk = os.path.join(BUILD, FOLDER, "fs.img") + ",snapshot=on"
    for name, append in machines.items():
        with open(os.path.join(folder, name), "w") as f:
            f.write("\n".join([KERNEL, "64M", *qemu_command(
                BUILD, 1, "64M", disk, append, ())]))
    return folder


@test(quick=True)
def test_server_beside():
    """Another machine is started, followed, typed to and ended beside the first;
    it ends with its last page."""
    folder = offered(one="", stack="selftest=stack panic=exit")
    with open(os.path.join(folder, "empty"), "w"):
        pass
    with open(os.path.join(folder, "nothing"), "w") as f:
        f.write("/nonexistent\n64M\ntrue\n")
    with served(CHECKED, cpus=1, beside=folder) as s, booted(s) as t, Page(s) as p:
        p.until(lambda: p.hello)
        assert p.hello["beside"] == ["empty", "nothing", "one", "stack"]
        first = s.children()
        assert s.get(f"/{s.token}/beside/state")[0] == 404
        assert Socket(s.port, f"/{s.token}/beside/state").status == 404, "not yet"
        for bad, why in (("../one", "no machine"), ("two", "no machine"),
                         ("", "no machine"), (".", "no machine"),
                         ("empty", "describes no machine"),
                         ("nothing", "/nonexistent")):
            assert why in p.ask(op="beside", name=bad)["error"], bad
        assert "error" not in p.ask(op="beside", name="one")
        with Page(s, beside=True) as q, Terminal(s, beside=True) as u:
            u.expect(r"\$ ")
            assert u.run("echo beside") == "beside"
            pid = q.space("sh")["pid"]
            assert q.state["ram"]["frames"] < p.state["ram"]["frames"]
            assert q.hello["beside"] == [] and q.ask(op="walk", pid=pid, va="0x0")
            assert "error" in q.ask(op="beside", name="one"), "one beside, no more"
            assert "error" not in q.ask(op="pause")
            assert t.run("echo first") == "first", "the first goes on"
            assert not p.state["paused"]
            # Another in its place: who followed the old one is told.
            assert "error" not in p.ask(op="beside", name="stack")
            while q.receive()[0] is not None:
                pass
        with Page(s, beside=True) as q, Terminal(s, beside=True) as u:
            guard = int(u.expect(r"kernel stack overflow: [^\n]* in the guard page "
                                 r"under its stack at (0x\w+)\s")[1], 16) - 4096
            q.until(lambda: q.state and q.state["ended"])
            stack, = (r for r in q.state["spaces"][0]["regions"]
                      if r["what"] == "stack" and int(r["start"], 16) == guard + 4096)
            walk = q.ask(op="walk", pid=0, va=hex(guard))
            assert walk["result"] is None and walk["what"] == "guard", walk
            assert "error" not in q.ask(op="snapshot")
        assert "error" not in p.ask(op="beside", name="one")
        qemu, = set(s.children()) - set(first)
        with Page(s, beside=True) as q:
            q.until(lambda: q.state)
        gone(qemu)
        # And at once, when that is asked for; twice is no error.
        assert "error" not in p.ask(op="beside", name="one")
        qemu, = set(s.children()) - set(first)
        for _ in range(2):
            assert "error" not in p.ask(op="beside", name=None)
            gone(qemu)
        assert "error" not in p.ask(op="beside", name="one")
        qemu, = set(s.children()) - set(first)
        assert t.run("echo still") == "still"
        assert s.end() == 0
        gone(qemu)
    with open(log_path(".server.log")) as f:
        said = f.read()
    assert "ERROR" not in said and "runtime error" not in said, said
    shutil.rmtree(folder)


# --- the end ---

@test(quick=True)
def test_server_after_the_machine():
    """The machine ends: the page is told, and what was there can be looked at."""
    for how in ("poweroff", "killed"):
        with served() as s, booted(s) as t, Page(s) as p:
            pid = p.space("sh")["pid"]
            assert p.ask(op="walk", pid=pid, va="0x0")["steps"]
            qemu, = s.children()
            if how == "poweroff":
                t.send("poweroff\n")
            else:
                os.kill(qemu, signal.SIGKILL)
            p.until(lambda: p.state["ended"])
            assert p.state["paused"] and "ended" in p.state["why"]
            assert p.ask(op="walk", pid=0, va=p.state["ram"]["start"])["va"]
            for op in ("pause", "continue", "stop"):
                assert "error" in p.ask(op=op, at="copy", pid=1), op
            assert "error" not in p.ask(op="snapshot")
            gone(qemu)
            with Page(s) as q, Terminal(s) as u:
                q.until(lambda: q.state)
                assert q.state["ended"]
                u.expect(r"\$ ")
                u.send("nobody is there\n" * 100)
            assert s.end() == 0


@test(quick=True)
@once
def test_server_opens_browser():
    """The desktop is asked to show the page, where somebody would see it: not in CI,
    nor over ssh."""
    folder = log_path(".bin")
    os.makedirs(folder, exist_ok=True)
    asked, opener = os.path.join(folder, "asked"), os.path.join(folder, "xdg-open")
    if not os.path.exists(asked):
        os.mkfifo(asked)
    with open(opener, "w") as f:
        f.write(f"#!/bin/sh\necho \"$*\" >{shlex.quote(asked)}\n")
    os.chmod(opener, 0o755)
    nobody = ["env", "-u", "CI", "-u", "SSH_CONNECTION", "-u", "WAYLAND_DISPLAY",
              "-u", "DISPLAY", f"PATH={folder}:{os.environ['PATH']}"]
    fd = os.open(asked, os.O_RDWR)  # it stays open between who asks

    def address(*how):
        with served(by=[*nobody, *how]) as s, booted(s):
            poll = select.poll()
            poll.register(fd, select.POLLIN)
            said = os.read(fd, 1000).decode() if poll.poll(
                LIMIT * 1000 if len(how) == 1 else 0) else ""
            return said.strip(), f"http://127.0.0.1:{s.port}/{s.token}/"

    try:
        for screen in ("DISPLAY=:0", "WAYLAND_DISPLAY=wayland-0"):
            said, at = address(screen)
            assert said == at, (said, at)
        for how in ((), ("DISPLAY=:0", "CI=1"), ("DISPLAY=:0", "SSH_CONNECTION=x")):
            assert address(*how)[0] == "", how
    finally:
        os.close(fd)


@test(quick=True)
def test_server_leaves_nothing():
    """However it ends: no QEMU, and no file in the folder for temporary ones."""
    folder = log_path(".tmp")
    os.makedirs(folder, exist_ok=True)
    for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP, signal.SIGKILL):
        with served(env={"TMPDIR": folder}) as s, booted(s), Page(s) as p:
            p.ask(op="pause")  # QEMU has to end when it stands still, too
            qemu, = s.children()
            status = s.end(number)
            assert status == (0 if number != signal.SIGKILL else -number), status
            gone(qemu)
            assert os.listdir(folder) == []
    os.rmdir(folder)


@needs("beside")
@test(timeout=400)
def test_make_explore():
    """make explore prints the address and ends with its machine; what cannot be
    done is said."""
    port, image = free_port(), log_path(".img")
    shutil.copyfile(path("fs.img"), image)
    with Server(["make", "-s", "--no-print-directory", "explore", f"ARCH={ARCH}",
                 f"BUILD={BUILD}", f"FS={image}", f"PORT={port}", "CPUS=2",
                 "MEM=64M"]) as s:
        assert s.port == port
        with booted(s) as t, Page(s) as p:
            assert "2 CPUs" in t.run("uptime")
            p.until(lambda: p.state and p.frames)
            assert frames_of(p)[0] == p.state["ram"]["frames"]
            assert "stack" in p.hello["beside"]
            assert p.state["ram"]["frames"] <= 64 << 8
            _, said = explore("--port", str(port), "--qemu", KERNEL, "64M", "true",
                              status=1)
            assert "QEMU has not started" in said, said
            t.send("poweroff\n")
            p.until(lambda: p.state["ended"])
            kept = log_path(".snap")
            p.ask(op="snapshot")
            p.until(lambda: p.file)
            with open(kept, "wb") as f:
                f.write(p.file)
            _, said = explore("--port", str(port), kept, status=1)
            assert f"port {port}" in said, said
    os.unlink(image)
    for words, status, wanted in (
            (["--port", "x", "f"], 1, "--port"), (["--port", "70000", "f"], 1, "--port"),
            (["--port"], 1, "--port"), ([], 2, "usage"), (["--nothing"], 2, "usage"),
            (["--qemu", KERNEL, "128M"], 2, "usage"),
            (["--qemu", KERNEL, "1x", "true"], 1, "1x"),
            (["--qemu", KERNEL, "0", "true"], 1, "0"),
            (["--qemu", __file__, "128M", "true"], 1, "ELF"),
            (["--qemu", KERNEL, "64M", "no-such-qemu"], 1, "no-such-qemu"),
            (["/nonexistent"], 1, "nonexistent"), ([path("fs.img")], 1, "snapshot")):
        _, said = explore(*words, status=status)
        assert wanted in said, (words, said)
