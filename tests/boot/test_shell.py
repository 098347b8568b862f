"""The shell: each feature, for a person and for scripts."""

import re

from pagewise import PROMPT, Machine, test

# (command line, what it prints, its status)
LINES = [
    # pipes
    ("echo hello | cat", "hello", 0),
    ("echo a b c | cat | cat | cat | wc -w", "3", 0),
    ("false | true", "", 0),
    ("true | false", "", 1),
    ("! true", "", 1),
    ("! false", "", 0),
    ("nosuch | cat", "sh: nosuch: not found", 0),
    ("cat README | head -n 1 | wc -l", "1", 0),
    ("echo both | (cat; echo after)", "both\nafter", 0),
    # redirections
    ("echo one > f; cat f", "one", 0),
    ("echo two >> f; cat f", "one\ntwo", 0),
    ("cat < f", "one\ntwo", 0),
    ("wc -l < f > g; cat g", "2", 0),
    ("< f cat > g; cat g", "one\ntwo", 0),
    ("cat nosuch 2> err; cat err",
     "cat: nosuch: no such file or directory", 0),
    ("cat nosuch 2>> err; wc -l < err", "2", 0),
    ("cat nosuch f > both 2>&1; cat both",
     "cat: nosuch: no such file or directory\none\ntwo", 0),
    ("cat nosuch 2>&1 | wc -l", "1", 0),
    ("cat nosuch 2>&1 > g | wc -l; cat g", "1", 0),
    ("echo to-error 1>&2", "to-error", 0),
    ("(echo a; echo b) > g; cat g", "a\nb", 0),
    ("{ echo a; echo b; } > g; cat g", "a\nb", 0),
    ("> empty; wc -c < empty", "0", 0),
    ("echo short > f; cat f", "short", 0),
    ("cat < nosuch", "sh: nosuch: no such file or directory", 1),
    ("echo x > nosuch/f", "sh: nosuch/f: no such file or directory", 1),
    ("pwd > g; cat g; pwd", "/\n/", 0),
    ("cat <&9", "sh: 9: not an open descriptor", 1),
    # ; & && || ( ) { }
    ("echo a; echo b", "a\nb", 0),
    ("true && echo yes", "yes", 0),
    ("false && echo no", "", 1),
    ("false || echo yes", "yes", 0),
    ("true || echo no", "", 0),
    ("false && echo no || echo yes", "yes", 0),
    ("true || echo no && echo yes", "yes", 0),
    ("(exit 7)", "", 7),
    ("(cd /; x=inner; echo $x); echo [$x]", "inner\n[]", 0),
    ("(echo a; (echo b; (echo c)))", "a\nb\nc", 0),
    ("{ x=kept; }; echo $x", "kept", 0),
    ("sh -c 'echo late & wait; echo done'", "late\ndone", 0),
    ("sh -c 'sleep 0.2 & echo first; wait; echo last'", "first\nlast", 0),
    # quotes
    ("echo 'a  b' \"c  d\" e   f", "a  b c  d e f", 0),
    ("echo 'a;b|c&d>e<f(g)h'", "a;b|c&d>e<f(g)h", 0),
    ("echo \"it's\" 'say \"so\"'", "it's say \"so\"", 0),
    (r"echo a\ \ b \; \| \& \> \$ \' \"", "a  b ; | & > $ ' \"", 0),
    (r'echo "\$x \\ \" \a"', '$x \\ " \\a', 0),
    ("echo '$x' \"$?\"", "$x 0", 0),
    ("echo a'b'\"c\"d", "abcd", 0),
    ("echo '' \"\" | wc -c", "2", 0),
    ("echo a#b", "a#b", 0),
    # variables and $?
    ("x=1; echo $x ${x}2 \"$x\" '$x'", "1 12 1 $x", 0),
    ("x='a  b'; echo $x; echo \"$x\"", "a b\na  b", 0),
    ("echo [$unset] \"[$unset]\"", "[] []", 0),
    ("x=a y=$x; echo $x$y", "aa", 0),
    ("false; echo $?; echo $?", "1\n0", 0),
    ("sh -c 'exit 300'; echo $?", "44", 0),
    ("sh -c 'echo $0 $# $1 $2 \"$@\"' name one 'two  words'",
     "name 2 one two words one two  words", 0),
    ("sh -c 'echo $10 ${10}' 0 a b c d e f g h i j", "a0 j", 0),
    ("echo $ $. cost$", "$ $. cost$", 0),
    ("for i in 1 2; do sh -c 'kill $$'; echo $i $?; done", "1 255\n2 255", 0),
    # if, while, for
    ("if true; then echo yes; else echo no; fi", "yes", 0),
    ("if false; then echo no; elif true; then echo yes; fi", "yes", 0),
    ("if [ a = b ]; then echo no; fi", "", 0),
    ("for i in a 'b c' d; do echo -n \"<$i>\"; done", "<a><b c><d>", 0),
    ("x=; while [ \"$x\" != aaa ]; do x=a$x; echo $x; done", "a\naa\naaa", 0),
    ("x=; until [ $x ]; do x=1; done; echo $x", "1", 0),
    # cd, exit
    ("mkdir d; cd d; pwd; cd ..; pwd", "/d\n/", 0),
    ("cd d; echo in > here; cd; cat d/here; pwd", "in\n/", 0),
    ("cd nosuch", "sh: cd: nosuch: no such file or directory", 1),
    ("cd f", "sh: cd: f: not a directory", 1),
    ("cd a b", "sh: usage: cd [DIRECTORY]", 2),
    ("sh -c 'exit 3; echo no'", "", 3),
    ("sh -c 'false; exit'", "", 1),
    ("exit a", "sh: usage: exit [STATUS]", 2),
    # commands that cannot be
    ("nosuch", "sh: nosuch: not found", 127),
    ("/nosuch a b", "sh: /nosuch: not found", 127),
    ("./nosuch", "sh: ./nosuch: not found", 127),
    ("''", "sh: : not found", 127),
    ("sh -c 'PATH=; nosuch'", "sh: nosuch: not found", 127),
    ("nosuch; echo $?", "sh: nosuch: not found\n127", 0),
    ("/d", "sh: /d: permission denied", 126),
    ("sh nosuch", "sh: nosuch: no such file or directory", 127),
    ("sh -x", "usage: sh [-c COMMANDS | FILE] [ARG...]", 2),
    ("sh -c", "usage: sh [-c COMMANDS | FILE] [ARG...]", 2),
]

# What is no command line: (text, what is said)
WRONG = [
    ("echo )", "syntax error at `)'"),
    (")", "syntax error at `)'"),
    ("| cat", "syntax error at `|'"),
    ("echo a | ; echo b", "syntax error at `;'"),
    ("a && && b", "syntax error at `&&'"),
    ("; ;", "syntax error at `;'"),
    ("&", "syntax error at `&'"),
    ("echo >", "syntax error at `end of line'"),
    ("echo > > f", "syntax error at `redirection'"),
    ("echo < |", "syntax error at `|'"),
    ("()", "syntax error at `)'"),
    ("(echo a) b", "syntax error at `b'"),
    ("if true; fi", "syntax error at `fi'"),
    ("for 1 in a; do echo; done", "syntax error at `1'"),
    ("then", "syntax error at `then'"),
    ("(" * 200, "nested too deeply"),
]


@test(quick=True)
def test_command_lines():
    with Machine() as m:
        for line, printed, status in LINES:
            got = m.call(line)
            text = got[0][:-1] if got[0].endswith("\n") else got[0]
            assert (text, got[1]) == (printed, status), (line, got)


@test(quick=True)
def test_wrong_lines():
    """Nothing that is typed ends the shell, and $? tells of it."""
    with Machine() as m:
        shell = m.run("echo $$")
        for line, said in WRONG:
            m.start(line)
            out = m.wait_prompt()
            assert said in out, (line, out)
            assert m.run("echo $?") == "2", line
        # In a script it is an error, too, with the number of the line.
        for text, said in (("echo one; echo 'two", "a quote is not closed"),
                           ('echo "$x', "a quote is not closed"),
                           ("(echo a", "syntax error at `end of file'"),
                           ("if true; then echo", "syntax error at `end of"),
                           ("echo a &&", "syntax error at `end of file'")):
            m.run(f"echo {quoted(text)} > script")
            out = m.run("sh script", status=2)
            assert re.match(r"sh: line \d: ", out) and said in out, (text, out)
            out = m.run("sh < script", status=2)
            assert out.startswith("sh: ") and said in out, (text, out)
        assert m.run("echo $$") == shell
        # A command goes on in the next line while it has to.
        for first, then, printed in (("echo 'two", "lines'", "two\nlines"),
                                     ("echo a |", "cat", "a"),
                                     ("true &&", "echo b", "b"),
                                     ("(echo c", ")", "c"),
                                     ("for i in 1", "do echo $i; done", "1"),
                                     ("echo one\\", "two", "onetwo")):
            m.start(first)
            m.expect(rb"\n> ")
            assert m.run(then) == printed, first


def quoted(text):
    return "'" + text.replace("'", "'\\''") + "'"


def write_file(m, name, text):
    m.run(f"> {name}")
    for line in text.rstrip("\n").split("\n"):
        m.run(f"echo {quoted(line)} >> {name}")


SCRIPT = """\
# a comment
echo start # to the end of the line
x=1
for i in a b
do
  echo "$i$x"
done
if [ $x -eq 1 ]; then
  echo one
fi
nosuch
echo $?

(echo sub; exit 3)
echo 'two
lines' | cat
cat > copied < script
false
"""
PRINTED = ("start\na1\nb1\none\nsh: nosuch: not found\n127\nsub\ntwo\nlines")


@test(quick=True)
def test_scripts():
    """Commands from a file or a pipe: no prompt, no echo, and the status of
    the last."""
    with Machine() as m:
        write_file(m, "script", SCRIPT)
        for command in ("sh script", "sh < script", "cat script | sh",
                        "/script", "script"):
            out = m.run(command, status=1)
            assert out == PRINTED, (command, out)
            assert m.run("cat copied; rm copied") + "\n" == SCRIPT
        # What a command reads is what follows it.
        write_file(m, "input", "echo before\nhead -n 1 > taken\nrest\necho on")
        assert "before" in m.call("sh < input")[0]
        # A script's arguments, and exit in its middle.
        write_file(m, "args", "echo $# \"$1\" \"$2\" $3\nexit 5\necho no")
        assert m.run("sh args a 'b  c'", status=5) == "2 a b  c"
        assert m.run("args 1 2 3 4", status=5) == "4 1 2 3"
        # A script that calls a script; PATH finds both.
        write_file(m, "outer", "echo outer; args x y; echo $?")
        assert m.run("outer") == "outer\n2 x y\n5"
        m.run("mkdir bin; mv args bin/args")
        assert m.run("args", status=127) == "sh: args: not found"
        assert m.run("PATH=/:/bin; args q", status=5) == "1 q "
        # What is no program and no script is neither run nor believed.
        m.run("hexdump README > data; cp fs-none data2 2> data3", status=1)
        m.run("head -n 1 wc > binary")
        m.run("binary", status=126)


@test()
def test_jobs():
    """Commands in the background: they run, are told of, and leave no trace."""
    with Machine() as m:
        out = m.run("sleep 0.3 & echo $!")
        number, pid = re.fullmatch(r"\[(\d+)\]\n(\d+)", out).groups()
        assert number == pid
        m.run("wait")
        assert not re.search(rf"^ *{pid} ", m.run("ps"), re.M)
        # They do not take what the person types.
        m.run("cat > stolen & true")
        assert m.run("echo mine") == "mine"
        m.run("wait")
        assert m.run("wc -c < stolen") == "0"
        # Many at once, and pipelines among them.
        m.run("for i in 1 2 3 4 5 6 7 8 9 10; do echo $i | cat > b$i & done")
        m.run("wait")
        assert m.run("cat b1 b2 b3 b4 b5 b6 b7 b8 b9 b10 | wc -l") == "10"
        # Descriptors do not run out, nor processes.
        m.run("for i in 1 2 3 4 5 6 7; do for j in 1 2 3 4 5 6 7; do "
              "echo $i$j | cat | cat >> all; { pwd; } < all > g; done; done",
              timeout=60)
        assert m.run("wc -l < all") == "49"
        assert "zombie" not in m.run("ps")


@test()
def test_end_of_input():
    """Ctrl-D at the prompt ends the shell; init starts another."""
    with Machine() as m:
        before = m.run("x=set; echo $$")
        m.send("\x04")
        m.expect(PROMPT)
        assert m.run("echo [$x]") == "[]"
        assert m.run("echo $$") != before
        m.start("exit 3")
        m.expect(rb"exit 3\r*\n(?:[^$]*)\$ ")
        m.run("true")
