"""The console: what a person types, in lines and key by key."""

import random
import re
import subprocess
import threading
import time

from pagewise import (BUILD, PATIENCE, TOP, Failure, Machine, cases, clean, environment,
                      path, qemu_command, test)

ESC_UP, ESC_DOWN, ESC_RIGHT, ESC_LEFT = "\x1b[A", "\x1b[B", "\x1b[C", "\x1b[D"
HOME, END, DELETE = "\x1b[H", "\x1b[F", "\x1b[3~"


def ctrl(letter):
    """A control key. Ctrl-A is QEMU's own, and reaches the guest if typed
    twice."""
    key = chr(ord(letter) - ord("@"))
    return 2 * key if letter == "A" else key


def send_much(m, text):
    """Type more than the system takes at once, while its output is read."""
    thread = threading.Thread(target=m.send, args=(text,), daemon=True)
    thread.start()
    return thread


def start_program(m, command):
    """Run a command that reads the console; wait until lines are edited by the
    kernel rather than by the shell."""
    m.start("echo ready; " + command)
    m.expect(rb"\nready\r*\n")


def typed(m, keys, shown, taken):
    """Keys typed to `cat`: what the terminal gets while they are typed, and
    what cat was given."""
    m.send(keys + "\n")
    m.expect(rb"\A" + re.escape(shown.encode()) + rb"\r*\n" +
             re.escape(taken.encode()) + rb"\r*\n")


@test(quick=True)
def test_script():
    """What is in a pipe before the system boots is typed, from the first byte."""
    lines = 200
    long = "".join(f"echo line {i} >> f\n" for i in range(lines)) + "wc f\n"
    command = qemu_command(BUILD, 2, "128M", path("fs.img") + ",snapshot=on", "", [])
    short = "echo hi\n", "\nhi\n"
    for script, said in (*4 * [short], (long, f"\n{lines} {2 * lines} ")):
        done = subprocess.run(command, cwd=TOP, env=environment(), text=True,
                              input=script + "poweroff\n", stdout=subprocess.PIPE,
                              stderr=subprocess.STDOUT, timeout=60 * PATIENCE)
        assert said in done.stdout.replace("\r", ""), done.stdout[-500:]


@test(quick=True)
def test_line_editing():
    """Echo, erase, kill, Ctrl-D, Ctrl-P, for a program that reads lines."""
    rub = "\b \b"
    with Machine() as m:
        start_program(m, "cat")
        typed(m, "plain", "plain", "plain")
        typed(m, "abc\x7f\x7fxy", "abc" + 2 * rub + "xy", "axy")
        typed(m, "abc\bd", "abc" + rub + "d", "abd")
        typed(m, "\x7f\x7fnothing before", "nothing before", "nothing before")
        typed(m, "junk" + ctrl("U") + "good", "junk" + 4 * rub + "good", "good")
        typed(m, "a" + ctrl("A") + "\x7fb", "a^A" + 2 * rub + "b", "ab")
        typed(m, "x\u00e9\x7fy", "x\u00e9" + rub + "y", "xy")
        typed(m, "a\tb", "a b", "a\tb")
        typed(m, "", "", "")
        m.send("enter\r")
        m.expect(rb"enter\r*\nenter\r*\n")

        m.send("half" + ctrl("D"))  # handed over without a newline
        m.expect(rb"halfhalf")
        m.send(ctrl("D"))  # alone: the end
        m.wait_prompt()
        assert m.run("echo $?") == "0"

        start_program(m, "cat")
        typed(m, "cat reads", "cat reads", "cat reads")
        m.send("li" + ctrl("P"))
        m.expect(rb"pid +ppid +state")
        _, table = m.expect(rb"\n +\d+ +\d+ +\w+[^\n]* cat [^\n]*\n")
        assert re.search(r"^ +1 +0 +\w+ .* init ", table, re.M), table
        assert re.search(r"^ +2 +1 +\w+ .* sh ", table, re.M), table
        m.send("ne\n")  # the line being typed is still there
        m.expect(rb"\nline\r*\n")
        m.send(ctrl("D"))
        m.wait_prompt()


def interrupt(m):
    """Type Ctrl-C; the shell must prompt again."""
    m.send(ctrl("C"))
    m.wait_prompt(timeout=10)


def names(m):
    """The programs that run, ps among them."""
    rows = m.run("ps").split("\n")[1:]
    return sorted(row.split()[-1] for row in rows)


def wait_for_names(m, wanted):
    """What is killed takes a moment to end, if its parent did not wait."""
    deadline = time.monotonic() + m.timeout
    while (now := names(m)) != wanted:
        if time.monotonic() > deadline:
            raise Failure(f"{now} run, not {wanted}")


def wait_for_row(m, row):
    """Type Ctrl-P, while a command runs, until its table has such a row. Each
    table ends where the next begins: two are asked for at a time."""
    deadline = time.monotonic() + m.timeout
    table = ""
    while not re.search(row + r" *$", table, re.M):
        if time.monotonic() > deadline:
            raise Failure(f"no row {row!r} in {table!r}")
        m.send(2 * ctrl("P"))
        m.expect(rb"waits for\r*\n")
        table = m.expect(rb"waits for\r*\n")[1]
        m.expect(rb"\n +2 [^\n]*\n")


@test(quick=True)
def test_interrupt():
    """Ctrl-C ends the job in the foreground, all of it, and nothing else."""
    with Machine() as m:
        assert names(m) == ["init", "ps", "sh"]
        # In the background, under a name that no command below has.
        background = m.run("ln sleep nap; nap 1000 & echo pid $!")
        background = background.split("pid ")[1]
        at_rest = ["init", "nap", "ps", "sh"]
        wait_for_names(m, at_rest)
        asleep = r" sleep +time"
        # With what the table of processes shows once the command is under way.
        for command, row in (
                ("cat", r" cat +tty input"), ("sleep 1000", asleep),
                ("cat | sort", r" sort +pipe read"),
                ("sleep 1000 | cat | wc", r" wc +pipe read"),
                ("sh -c 'while :; do :; done'", r" run .* sh"),
                ("sh -c 'sleep 1000; echo wrong'", asleep),
                ("(sleep 1000; echo wrong)", asleep),
                ("while true; do sleep 1000; done", asleep),
                ("until false; do sleep 1000; done", asleep),
                ("for i in 1 2 3; do sleep 1000; echo wrong; done", asleep),
                ("sleep 1000; echo wrong", asleep),
                ("sleep 1000 || echo wrong", asleep),
                ("while :; do :; done", r" run .* sh"),
                ("until exit 1 | false; do :; done", ""), ("wait", "")):
            m.start("echo ready; " + command)
            m.expect(rb"\nready\r*\n")
            wait_for_row(m, row)
            m.send(ctrl("C"))
            assert "wrong" not in m.wait_prompt(timeout=10), command
            assert m.run("echo $?") == "255", command
            wait_for_names(m, at_rest)
        m.start("while true; do echo again; done")
        for _ in range(10):
            m.expect(rb"\nagain")
        interrupt(m)
        wait_for_names(m, at_rest)
        # At the prompt: the line is forgotten, and nobody dies.
        m.send("echo wrong" + ctrl("C"))
        assert "^C" in m.wait_prompt()
        m.send("echo 'first line\n")
        m.expect(rb"> ")
        interrupt(m)
        assert m.run("echo right") == "right"
        assert names(m) == at_rest
        m.run(f"kill {background}; wait")
        assert names(m) == ["init", "ps", "sh"]


@test(quick=True)
@cases(1, 4)
def test_interrupt_at_any_time(cpus):
    """Ctrl-C ends the whole command wherever it falls: with the Enter key still
    unread, between two parts of a list, in the middle of a fork."""
    moments = random.Random(cpus)
    with Machine(cpus=cpus) as m:
        for i in range(90):
            command = (
                "sleep 1000; echo wr''ong", "(sleep 1000; echo wr''ong)",
                "cat | sleep 1000", "while true; do true; done",
                "true; (true; true); sleep 1000 || echo wr''ong",
                "true | sleep 1000 | cat; echo wr''ong")[i % 6]
            if i < 6:
                m.send(command + "\n" + ctrl("C"))
            else:
                m.start(command)
                time.sleep(moments.random() * (i // 6) / 1000)
                m.send(ctrl("C"))
            try:
                shown = m.wait_prompt()
            except Failure as failure:
                raise Failure(f"{command!r}: {failure}") from None
            assert "wrong" not in shown, command
            assert m.run("echo $?") == "255", command
            wait_for_names(m, ["init", "ps", "sh"])
        # What was typed after it counts.
        m.send("sleep 1000\n" + ctrl("C") + "echo aft''er\n")
        m.expect(rb"\nafter\r*\n")


@test(quick=True)
def test_typed_ahead():
    """What is typed while a command runs is there for whoever reads next."""
    with Machine() as m:
        m.start("echo ready; sleep 1")
        m.expect(rb"\nready\r*\n")
        m.send("echo one\ncat\nfor cat\n" + ctrl("D") + "echo t")
        m.rest(0.2)
        m.send("wo\n")
        for line in (rb"\none\r*\n", rb"\nfor cat\r*\n", rb"\ntwo\r*\n"):
            m.expect(line)
        m.wait_prompt()
        # Ctrl-C forgets what was typed ahead.
        m.start("echo ready; sleep 1000")
        m.expect(rb"\nready\r*\n")
        m.send("echo wro" + "ng\n")
        m.expect(rb"wrong\r*\n")
        interrupt(m)
        assert "wrong" not in m.run("echo right")


@test(quick=True)
def test_typed_far_ahead():
    """Keys that act do so even behind more than the system keeps of what was
    typed ahead and nobody reads."""
    with Machine() as m:
        for seconds, lines in ((0, 600), (4, 600)):
            m.start("echo ready; sleep 1000")
            m.expect(rb"\nready\r*\n")
            m.rest(seconds)
            sent = send_much(m, "echo wr" + "ong number one two three\n" +
                             "typed ahead, and long\n" * lines + ctrl("P"))
            m.expect(rb" sleep +time\r*\n", timeout=20)
            sent.join()
            interrupt(m)
        assert "wrong" not in m.run("echo right")


@test()
def test_long_lines():
    """A line may be long; what is too long for one is cut, and the next line
    is whole."""
    with Machine() as m:
        text = "0123456789" * 250
        assert m.run(f"echo {text} | wc -c") == "2501"
        assert m.run(f"echo {text}") == text
        # Longer than any program's arguments, but the shell needs none.
        assert m.run(f": {2 * text}; echo done") == "done"
        # Beyond the width of the screen the cursor still goes where it should.
        m.send(f"echo {text[:200]}" + HOME + 5 * ESC_RIGHT + "x" + END + "y\n")
        _, out = m.expect(rb"\nx[0-9]+y\r*\n")
        assert clean(m.match.group(0)).strip() == f"x{text[:200]}y"
        m.wait_prompt()
        start_program(m, "cat > f")
        m.send("a" * 6000 + "\nnext\n")
        m.rest(0.5)
        m.send(ctrl("D"))
        m.wait_prompt()
        assert m.run("head -n 1 f | wc -c") == "4096"  # dev/tty.c, LINE_MAX
        assert m.run("tail -n 1 f") == "next"


def edited(m, keys, result):
    """Keys typed to the shell, then Enter: what the command prints."""
    m.send(keys + "\n")
    try:
        m.expect(rb"\n" + re.escape(result.encode()) + rb"\r*\n", timeout=5)
    except Failure as failure:
        raise Failure(f"keys {keys!r}: {failure}") from None
    m.wait_prompt()


@test(quick=True)
def test_shell_keys():
    """The shell's line editor: moving, deleting, inserting in the middle."""
    with Machine() as m:
        for keys, result in (
                ("echo ac" + ESC_LEFT + "b", "abc"),
                ("echo ac" + ctrl("B") + "b" + ctrl("F") + "d", "abcd"),
                ("cho left" + HOME + "e" + END + "!", "left!"),
                ("cho left" + ctrl("A") + "e" + ctrl("E") + "!", "left!"),
                ("echo abxc" + ESC_LEFT + "\x7fy", "abyc"),
                ("echo abxc" + ESC_LEFT + "\b", "abc"),
                ("echo axb" + 2 * ESC_LEFT + DELETE, "ab"),
                ("echo axb" + 2 * ESC_LEFT + ctrl("D"), "ab"),
                ("wrong" + ctrl("U") + "echo right", "right"),
                ("echo right wrong" + 6 * ESC_LEFT + ctrl("K"), "right"),
                ("echo one two" + ctrl("W") + "three", "one three"),
                ("echo a" + 20 * ESC_RIGHT + "b", "ab"),
                ("cho a" + 20 * ESC_LEFT + "e", "a"),
                ("echo esc\x1b[99~\x1b[1;5Q\x1bx end", "esc end"),
                ("echo ctrl" + ctrl("G") + ctrl("V") + "!", "ctrl!")):
            edited(m, keys, result)


@test(quick=True)
def test_history():
    with Machine() as m:
        edited(m, "echo one", "one")
        edited(m, "echo two", "two")
        edited(m, ESC_UP, "two")
        edited(m, ESC_UP, "two")  # the same line twice is kept once
        edited(m, ESC_UP + ESC_UP, "one")
        edited(m, 50 * ESC_UP, "one")  # the oldest
        edited(m, ESC_UP + ESC_UP + ESC_UP + ESC_DOWN, "two")
        edited(m, "echo typed" + ESC_UP + ESC_DOWN, "typed")
        edited(m, ESC_UP + " and more", "typed and more")
        edited(m, 50 * ESC_DOWN + "echo new", "new")


@test(quick=True)
def test_completion():
    with Machine() as m:
        m.run("mkdir folder; echo text > folder/longname; echo text2 > f.two")
        edited(m, "upt\t | wc -l", "1")
        edited(m, "cat fol\tlo\t", "text")
        edited(m, "cat < folder/l\t", "text")
        edited(m, "echo x; cat f.\t", "text2")
        edited(m, "echo x | ca\t", "x")
        edited(m, "echo nosuchfile\t.", "nosuchfile.")
        m.send("cat f\t")  # several: all are shown, the line stays
        m.expect(rb"cat f\r*\n")
        _, shown = m.expect(rb"\$ cat f")
        for name in ("f.two", "folder/", "false", "fptest"):
            assert name in shown, shown
        edited(m, ".\t", "text2")
        m.send("pw")
        edited(m, "\t", "/")


@test(quick=True)
def test_paste():
    """Two hundred lines at once, to the shell and to a program: none is lost,
    and they stay in order."""
    lines = [f"line {i} " + "x" * (i % 60) + "." for i in range(200)]
    text = "\n".join(lines)
    with Machine() as m:
        sent = send_much(m, "".join(f"echo {line} >> f\n" for line in lines))
        for _ in range(200):
            m.expect(rb">> f\r*\n", timeout=20)
        m.wait_prompt()
        sent.join()
        assert m.run("cat f") == text
        start_program(m, "cat > g")
        sent = send_much(m, text + "\n" + ctrl("D"))
        m.expect(re.escape(lines[-1].encode()) + rb"\r*\n")
        m.wait_prompt()
        sent.join()
        assert m.run("cat g") == text


@test()
def test_output_is_not_mixed():
    """Lines that several processes write at once, each in one piece, come out
    whole."""
    with Machine() as m:
        text = m.run("for i in 1 2 3; do (for j in 1 2 3 4 5 6 7 8; do "
                     "grep . README; done) > /console & done; wait",
                     timeout=60)
        with_one = m.run("grep . README")
        lines = [line for line in text.split("\n")
                 if not re.fullmatch(r"\[\d+\]", line)]
        wanted = sorted(with_one.split("\n") * 24)
        assert sorted(lines) == wanted
