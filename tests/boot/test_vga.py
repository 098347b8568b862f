"""The console of a PC beside the serial line: PS/2 keyboard and VGA screen."""

import re

from pagewise import Failure, Machine, only, test

TEXT = 0xb8000  # the card's memory: a character and its colours, 16 bits each
COLUMNS, ROWS = 80, 25
COLOURS = 0x07

# What QEMU calls the keys, where that is not the character itself.
KEYS = {" ": "spc", "\n": "ret", "-": "minus", "=": "equal", "/": "slash",
        ".": "dot", ",": "comma", ";": "semicolon", "'": "apostrophe",
        "`": "grave_accent", "\\": "backslash", "[": "bracket_left",
        "]": "bracket_right", "\t": "tab", "\x7f": "backspace"}
SHIFTED = dict(zip('~!@#$%^&*()_+{}|:"<>?', "`1234567890-=[]\\;',./"))


def key_name(c):
    if c in SHIFTED:
        return "shift-" + key_name(SHIFTED[c])
    if c.isupper():
        return "shift-" + c.lower()
    return KEYS.get(c, c)


def press(m, *names):
    """Press keys, by QEMU's names; each for a few milliseconds."""
    for name in names:
        m.monitor(f"sendkey {name} 5")


def type_keys(m, text):
    press(m, *(key_name(c) for c in text))


def screen(m):
    """The lines on the screen, without blanks at their ends."""
    dump = m.monitor(f"xp /{ROWS * COLUMNS}xh {TEXT:#x}")
    cells = [int(word, 16) for line in dump.splitlines()
             for word in line.split(":")[1].split()]
    assert len(cells) == ROWS * COLUMNS, dump[-200:]
    assert {cell >> 8 for cell in cells} == {COLOURS}
    text = "".join(chr(cell & 0xff) for cell in cells)
    return [text[at:at + COLUMNS].rstrip()
            for at in range(0, len(text), COLUMNS)]


def wait_screen(m, *lines):
    """Wait until the last lines that are not blank are these."""
    for _ in range(20):
        last = "\n".join(screen(m)).rstrip("\n").split("\n")[-len(lines):]
        if last == list(lines):
            return
        m.rest(0.1)
    raise Failure(f"the screen ends in {last}, not {list(lines)}")


def cursor(m):
    """Where the card shows the cursor: row and column."""
    at = 0
    for register in (0x0e, 0x0f):  # the CRT controller's: high byte, low byte
        m.monitor(f"o /b 0x3d4 {register}")
        at = at << 8 | int(m.monitor("i /b 0x3d5").split("=")[1], 16)
    return divmod(at, COLUMNS)


@test(quick=True)
@only("screen")
def test_keyboard():
    """All that a US keyboard has; the screen and the serial line both show
    it."""
    letters = "abcdefghijklmnopqrstuvwxyz"
    with Machine(qmp=True) as m:
        for text in (letters, letters.upper(), "0123456789",
                     "!@#%^&*()_+{}|:\"<>?~", "-=[];,./`$"):
            type_keys(m, f"echo '{text}'\n")
            m.expect(rb"\n" + re.escape(text.encode()) + rb"\r*\n", timeout=10)
            m.wait_prompt()
            wait_screen(m, f"$ echo '{text}'", text, "$")
        # Caps Lock is for letters; with shift they are small.
        press(m, "caps_lock")
        type_keys(m, "aB1")
        press(m, "caps_lock", "ctrl-u")
        wait_screen(m, "$")
        type_keys(m, "echo ac")
        press(m, "left", "b", "end", "x", "backspace", "home", "delete", "e",
              "kp_enter")
        m.expect(rb"\nabc\r*\n")
        m.wait_prompt()
        press(m, "up", "kp_1", "ret")
        m.expect(rb"\nabc1\r*\n")
        m.wait_prompt()
        type_keys(m, "cat\n")
        m.expect(rb"cat\r*\n")
        type_keys(m, "line\n")
        m.expect(rb"\nline\r*\n")
        press(m, "ctrl-c")
        m.expect(rb"\^C")
        m.wait_prompt()
        type_keys(m, "wrong")
        press(m, "ctrl-shift-c")
        m.expect(rb"\^C")
        m.wait_prompt()
        # Keys that mean nothing here do nothing.
        press(m, "f1", "f12", "pause", "print", "alt", "num_lock", "insert",
              "pgup", "menu")
        type_keys(m, "echo right\n")
        m.expect(rb"\nright\r*\n")


@test(quick=True)
@only("screen")
def test_caps_lock():
    with Machine(qmp=True) as m:
        type_keys(m, "echo ")
        press(m, "caps_lock")
        type_keys(m, "aB1")
        press(m, "caps_lock")
        type_keys(m, "aB1\n")
        m.expect(rb"\nAb1aB1\r*\n")


@test(quick=True)
@only("screen")
def test_screen():
    """Lines scroll, control sequences are obeyed, the cursor is where it
    should be."""
    with Machine(qmp=True) as m:
        text = m.run("head -n 60 README")
        rows = []
        for line in text.split("\n"):
            line = line.expandtabs(8)
            rows += [line[i:i + COLUMNS].rstrip()
                     for i in range(0, max(len(line), 1), COLUMNS)]
        wait_screen(m, *rows[-ROWS + 3:], "__0__", "$")
        assert cursor(m) == (ROWS - 1, 2)
        m.run("clear")
        wait_screen(m, "__0__", "$")
        assert screen(m)[:2] == ["__0__", "$"]
        assert cursor(m) == (1, 2)
        # The shell's line editor, over more than one row.
        m.start("clear")
        m.wait_prompt()
        m.send("x" * 77)
        wait_screen(m, "$ " + "x" * 77)
        assert cursor(m) == (0, 79)
        m.send("y")  # the last column
        wait_screen(m, "$ " + "x" * 77 + "y")
        m.send("z")
        wait_screen(m, "$ " + "x" * 77 + "y", "z")
        assert cursor(m) == (1, 1)
        m.send("\x01ab")
        wait_screen(m, "$ ab" + "x" * 76, "xyz")
        assert cursor(m) == (0, 4)
        m.send("\x05\x15")
        wait_screen(m, "$")
        assert screen(m)[1] == ""
        press(m, "ctrl-c")
        m.expect(rb"\^C")
        m.wait_prompt()
        # What is not ASCII shows as one character each.
        assert m.run("echo caf\u00e9 \u20ac.") == "caf\u00e9 \u20ac."
        assert "caf? ?." in screen(m)


@test(quick=True)
@only("screen")
def test_erasing():
    """A program reads lines: what is erased leaves the screen, too."""
    with Machine(qmp=True) as m:
        m.start("clear; echo ready; cat")
        m.expect(rb"ready\r*\n")
        type_keys(m, "abc\x7f\x7fx")
        wait_screen(m, "ready", "ax")
        assert cursor(m) == (1, 2)
        press(m, "ctrl-u", "tab", "ctrl-g")
        wait_screen(m, "ready", " ^G")
        press(m, "backspace")
        wait_screen(m, "ready")
        assert cursor(m) == (1, 1)


@test(quick=True)
@only("screen")
def test_messages_on_the_screen():
    """The kernel's own messages, a panic's among them."""
    with Machine(qmp=True, append="selftest=panic", wait=False) as m:
        m.child.expect(rb"panic: [^\n]*asked for\r*\n")
        m.rest(1)
        lines = screen(m)
        first = next(i for i, line in enumerate(lines) if "Pagewise" in line)
        assert lines[first - 1] == "", lines
        panics = [line for line in lines if line.startswith("panic: ")]
        assert len(panics) == 1 and "asked for" in panics[0], lines
        assert any(re.match(r" *0x[0-9a-f]+ \w+\+0x", line) for line in lines)
