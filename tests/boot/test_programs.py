"""The programs: each does what it says, and says how it is to be used."""

import datetime
import os
import re

from pagewise import TOP, Machine, cases, path, test

NONE = "no such file or directory"

# (command line, what it prints, its status); they run in this order.
SMALL = [
    ("echo", "", 0),
    ("echo -n a b", "a b", 0),
    ("echo -n", "", 0),
    # init runs all the time
    ("echo > /init", "sh: /init: a program that runs", 1),
    # cat
    ("echo one > f; echo two > g; cat f g", "one\ntwo", 0),
    ("echo in | cat f - g", "one\nin\ntwo", 0),
    ("cat nosuch g", f"cat: nosuch: {NONE}\ntwo", 1),
    # wc
    ("echo a bb ccc | wc", "1 3 9", 0),
    ("wc f g", "1 1 4 f\n1 1 4 g\n2 2 8 total", 0),
    ("wc -l f", "1 f", 0),
    ("echo -n 'x y' | wc -l -w -c", "0 2 3", 0),
    ("wc nosuch", f"wc: nosuch: {NONE}", 1),
    # head, tail
    ("for i in 1 2 3 4 5 6 7 8 9 10 11 12; do echo $i; done > n; wc -l < n",
     "12", 0),
    ("head n | tail -n 1", "10", 0),
    ("tail n | head -n 1", "3", 0),
    ("head -n 2 n", "1\n2", 0),
    ("head -n 0 n", "", 0),
    ("tail -n 2 n", "11\n12", 0),
    ("tail -n 0 n", "", 0),
    ("tail -n 99 f", "one", 0),
    ("cat n | head -n 1", "1", 0),
    ("head -n 1 f g", "==> f <==\none\n==> g <==\ntwo", 0),
    ("tail nosuch", f"tail: nosuch: {NONE}", 1),
    # sort
    ("echo 'b\na\nc\na' | sort", "a\na\nb\nc", 0),
    ("echo 'b\na\nc\na' | sort -u -r", "c\nb\na", 0),
    ("sort -n -r n | head -n 2", "12\n11", 0),
    ("sort n | head -n 2", "1\n10", 0),
    ("sort f nosuch", f"sort: nosuch: {NONE}\none", 1),
    # grep
    ("grep 1 n", "1\n10\n11\n12", 0),
    ("grep -v 1 n | wc -l", "8", 0),
    ("grep -c '^.$' n", "9", 0),
    ("grep -n '^1[0-1]$' n", "10:10\n11:11", 0),
    ("grep -n '^1[^0-1]$' n", "12:12", 0),
    ("grep -i ONE f g", "f:one", 0),
    ("grep 'o*ne' f", "one", 0),
    ("grep -q one f", "", 0),
    ("grep nothing f", "", 1),
    ("grep one nosuch", f"grep: nosuch: {NONE}", 2),
    ("echo a.b | grep 'a\\.b'; echo axb | grep 'a\\.b'", "a.b", 1),
    # mkdir, rmdir, rm, ls
    ("mkdir d d/e; ls d", "e/", 0),
    ("mkdir d", "mkdir: d: already exists", 1),
    ("rmdir d", "rmdir: d: directory not empty", 1),
    ("rmdir f", "rmdir: f: not a directory", 1),
    ("rmdir nosuch", f"rmdir: nosuch: {NONE}", 1),
    ("rmdir d/e; ls d", "", 0),
    ("mkdir d/a d/a/b; echo x > d/a/b/x; echo y > d/y; rm d",
     "rm: d: directory not empty", 1),
    ("rm -r d; ls d", f"ls: d: {NONE}", 1),
    ("rm nosuch", f"rm: nosuch: {NONE}", 1),
    ("rm -f nosuch", "", 0),
    ("rm -f", "", 0),
    ("touch t; ls t; rm t; ls t", f"t\nls: t: {NONE}", 1),
    ("ls f g", "f\ng", 0),
    ("mkdir d; touch d/b d/a; ls d f", "d:\na\nb\nf", 0),
    ("cd d; ls; cd ..", "a\nb", 0),
    # ln, mv, cp, touch
    ("ln f h; echo more >> h; cat f", "one\nmore", 0),
    ("rm f; cat h", "one\nmore", 0),
    ("ln d dd", "ln: d to dd: not permitted", 1),
    ("ln nosuch x", f"ln: nosuch to x: {NONE}", 1),
    ("mv h f; cat f; cat h", f"one\nmore\ncat: h: {NONE}", 1),
    ("mv f g d; ls d", "a\nb\nf\ng", 0),
    ("cat d/g; mv d/f .; mv d/g .; ls d", "two\na\nb", 0),
    ("mv d d2; ls d2", "a\nb", 0),
    ("mv d2 d2/a", None, 1),
    ("mv nosuch x", f"mv: nosuch to x: {NONE}", 1),
    ("cp f copy; cat copy", "one\nmore", 0),
    ("cp f f", "cp: f and f are the same file", 1),
    ("cp f g d2; ls d2; cat d2/g", "a\nb\nf\ng\ntwo", 0),
    ("cp d2 x", "cp: d2: is a directory", 1),
    ("cp nosuch x", f"cp: nosuch: {NONE}", 1),
    ("touch f; cat f", "one\nmore", 0),
    ("touch nosuch/f", f"touch: nosuch/f: {NONE}", 1),
    # hexdump
    ("echo 'hello, world' | hexdump",
     "00000000  68 65 6c 6c 6f 2c 20 77  6f 72 6c 64 0a           "
     "|hello, world.|\n0000000d", 0),
    ("hexdump -s 1 -n 3 usertests",
     "00000001  45 4c 46" + " " * 42 + "|ELF|\n00000004", 0),
    ("hexdump nosuch", f"hexdump: nosuch: {NONE}", 1),
    # test, true, false
    ("true", "", 0),
    ("false", "", 1),
    ("test -f f && test -d d2 && ! test -e nosuch && [ -s f ]", "", 0),
    ("[ 1 -lt 2 ] && [ 2 -ge 2 ] && [ a != b ] && [ ! a = b ]", "", 0),
    ("[ -z a ]", "", 1),
    ("test", "", 1),
    ("test a -lt b", "usage: test EXPRESSION", 2),
    ("[ a", "usage: [ EXPRESSION ]", 2),
    # kill, sleep, sync
    ("sleep 0.1", "", 0),
    ("sleep .1", "", 0),
    ("kill 99999", "kill: 99999: no such process", 1),
    ("kill 1", None, 1),
    ("sync", "", 0),
    # date: the last second before and the first of a leap day, and its end
    ("date 0", "Thu Jan  1 00:00:00 UTC 1970", 0),
    ("date 951782399", "Mon Feb 28 23:59:59 UTC 2000", 0),
    ("date 951782400", "Tue Feb 29 00:00:00 UTC 2000", 0),
    ("date 951868800", "Wed Mar  1 00:00:00 UTC 2000", 0),
    ("date 2147483647", "Tue Jan 19 03:14:07 UTC 2038", 0),
]

# What is wrong to ask: each gets a usage line, perhaps after another that says
# which option is wrong, and status 2.
MISUSED = [
    "cat -x", "cp", "cp f", "cp f g h", "clear x", "date x", "date -1",
    "date 1 2", "free x", "grep",
    "grep -z a", "head -n", "head -n x", "head -n -1", "hexdump -q",
    "hexdump -n x", "hexdump f g", "kill", "kill x", "ln", "ln f", "ln a b c",
    "ls -x", "mkdir", "mv", "mv f", "mv f g h", "pgtbl x", "pgtbl 0", "vmmap -1", "vmmap 0",
    "pgtbl 1 2 3", "pgtbl 1 x", "poweroff x", "ps x", "reboot x", "restrict",
    "rm", "rm -x", "rmdir", "sleep", "sleep x", "sleep 1 2", "sleep -1",
    "sleep 1.", "sort -x", "sync x", "tail -n", "tail -n x", "test -q f",
    "top -n", "top -n x", "top -d 0", "touch", "uptime x", "vmmap x",
    "vmmap 1 2", "wc -x", "grind -x", "grind x", "stressfs 0", "stressfs x",
    "usertests -x", "sh -x", "forktest x", "top x",
    "fuzz -x", "fuzz -p 0", "fuzz x", "fuzzelf -x", "fuzzelf x",
]


def wanted(m, line, printed, status):
    text, got = m.call(line)
    text = text[:-1] if text.endswith("\n") else text
    assert got == status and printed in (None, text), (line, text, got)


@test(quick=True)
def test_small_cases():
    with Machine() as m:
        for line, printed, status in SMALL:
            wanted(m, line, printed, status)


@test(quick=True)
def test_usage():
    with Machine() as m:
        m.run("touch f g; echo x > h")
        failed = []
        for line in MISUSED:
            name = line.split()[0]
            text, status = m.call(line)
            if status != 2 or not re.fullmatch(
                    rf"({name}: .*\n)?usage: {name}\b.*\n", text):
                failed.append((line, text[:200], status))
        assert not failed, failed


def rows(text):
    return [line.split() for line in text.split("\n")]


@test(quick=True)
def test_looking():
    """ls -l, ps, top, uptime, free, clear: their columns hold what is so."""
    with Machine(cpus=2) as m:
        m.run("mkdir d d/e; echo 12345 > f; ln f g")
        listed = {row[-1]: row[:-1] for row in rows(m.run("ls -l"))}
        assert listed["f"] == listed["g"]
        assert listed["f"][:2] + listed["f"][3:] == ["-", "2", "6"]
        assert listed["d/"][:2] == ["d", "2"]  # its name, and .. in e
        assert listed["console"][0] == "c"
        assert listed["sh"][0] == "-" and int(listed["sh"][3]) > 10000

        pid = m.run("sleep 1000 & echo $!").split("\n")[-1]
        shell = m.run("echo $$")
        while True:  # until it is on its way, from the disk
            table = rows(m.run("ps"))
            found = {row[0]: row for row in table[1:]}
            if found[pid][-1] == "sleep" and found[pid][4] == "sleep":
                break
        assert table[0] == ("PID PPID PGID CPU STATE THR TIME SIZE MEM TABLES WAITS"
                            " NAME").split()
        assert found["1"][1] == "0" and found["1"][-1] == "init"
        assert found[shell][1] == "1" and found[shell][-1] == "sh"
        assert found[pid][1] == shell
        assert any(row[4] == "run" and row[-1] == "ps" for row in table[1:])
        m.run(f"kill {pid}; wait")
        assert f" {pid} " not in m.run("ps")

        spinner = m.run("sh -c 'while :; do :; done' & echo $!").split()[-1]
        top = m.run("top -n 2 -d 1")
        last = top[top.rindex("PID"):].split("\n")
        assert last[1].split()[0] == spinner, top  # the busiest comes first
        m.run(f"kill {spinner}")

        first = m.run("uptime")
        assert re.fullmatch(r"up 0:0\d:\d\d, 2 CPUs \d+% busy since boot, "
                            r"\d+ processes, \d+ runnable", first), first
        assert m.run("free").startswith(" ")
        m.start("clear")
        m.expect(rb"clear\r*\n\x1b\[H\x1b\[2J")
        m.wait_prompt()


@test()
@cases("1999-12-31T23:59:30", "2024-02-29T12:34:56", "2025-03-01T00:00:00",
       "2069-12-31T12:00:00")
def test_date(start):
    """The machine's real-time clock: the date is what it shows, and goes on."""
    want = datetime.datetime.fromisoformat(start)
    with Machine(cpus=2, extra=["-rtc", f"base={start}"]) as m:
        shown = [datetime.datetime.strptime(m.run(command),
                                            "%a %b %d %H:%M:%S UTC %Y")
                 for command in ("date", "sleep 2; date")]
        assert want <= shown[0] <= want + datetime.timedelta(seconds=25), shown
        # Minutes are not seconds; more cannot be said of a loaded host.
        assert 2 <= (shown[1] - shown[0]).total_seconds() < 60, shown


@test()
def test_top_until_q():
    with Machine() as m:
        m.start("top -d 1")
        m.expect(rb"PID")
        m.expect(rb"PID")
        m.send("q")
        m.wait_prompt()
        assert m.run("echo cooked") == "cooked"
        m.start("top")
        m.expect(rb"PID")
        m.send("\x03")
        m.wait_prompt()
        assert "top" not in m.run("ps")


def dumped(text):
    """The bytes that `hexdump` showed."""
    return b"".join(bytes.fromhex(line[10:59])
                    for line in text.split("\n")[:-1])


@test()
def test_copies_are_whole():
    """Files come through cp, cat and pipes as they were, also large ones."""
    with open(path("disk", "user", "wc"), "rb") as f:
        want = f.read()
    with Machine() as m:
        assert dumped(m.run("hexdump wc")) == want
        m.run("cp wc a; cat wc > b; cat wc | cat | cat > c")
        for name in "abc":
            assert dumped(m.run(f"hexdump {name}")) == want
        assert dumped(m.run("hexdump -s 5000 -n 777 wc")) == want[5000:5777]
        assert dumped(m.run("cat wc | hexdump -s 5000")) == want[5000:]
        m.run("cp usertests a; cat usertests | cat > b")
        count, names = m.run("hexdump usertests | wc"), m.run("usertests -l")
        for name in "ab":
            assert m.run(f"hexdump {name} | wc") == count
            assert m.run(f"{name} -l") == names


@test(quick=True)
def test_init():
    """init cannot be killed, and reaps whom others leave behind."""
    with Machine() as m:
        m.call("kill 1")
        m.run("sh -c '(sleep 1000 &) ; (sleep 1000 &)'")
        for _ in range(100):  # they may still be the shell's copies
            left = [r for r in rows(m.run("ps")) if r[-1] == "sleep"]
            if len(left) == 2:
                break
        assert [r[1] for r in left] == ["1", "1"], left
        for row in left:
            m.run(f"kill {row[0]}")
        for _ in range(100):  # each ps gives init a turn
            table = m.run("ps")
            if "sleep" not in [r[-1] for r in rows(table)]:
                break
        else:
            raise AssertionError(table)
        assert "zombie" not in table and "init" in table
        shell = m.run("echo $$")
        m.start("kill $$")  # the shell itself: init starts another
        m.wait_prompt()
        assert m.run("echo $$") != shell


COLUMNS = 80  # of a terminal; the explorer's page has no more


@test()
def test_lines_fit():
    """What shows memory, and the tour: no line is wider than a terminal."""
    tours = sorted(name[:-2] for name in os.listdir(os.path.join(TOP, "user", "tour"))
                   if name.endswith(".c"))
    with Machine(cpus=3) as m:
        ten = "in 0 1 2 3 4 5 6 7 8 9; do"
        m.run(f"for i {ten} for j {ten} sleep 0; done; done")  # pids of three digits
        for command in ("ps", "top -n 1", "free", "vmmap", "vmmap 1", "pgtbl", "pgtbl -k",
                        "pgtbl 1 0x1000", "memcheck", *(f"echo | {t}" for t in tours)):
            for line in m.run(command).splitlines():
                assert len(line) <= COLUMNS or "out of memory" in line, (command, line)
