"""The explorer's page in a browser, with a live machine behind it: tests/explore/
has what is done there. Screenshots are kept beside the logs.
"""

import os
import shutil
import subprocess
from xml.etree import ElementTree

from pages import Server, Terminal, built
from pagewise import (ARCH, BUILD, PATIENCE, TOP, Failure, environment, log_path, make,
                      facts, needs, once, only, path, qemu_command, test)
from test_explore import EXPLORE, KERNEL
from test_explore_server import served

MODULES = os.path.join(TOP, BUILD, "host", "explore", "tests")
BROWSERS = ("chromium", "chromium-browser", "google-chrome")
LIMIT = 100
BROWSED = ("explorer", "explorer-tests")
SVG = "{http://www.w3.org/2000/svg}"


def browser():
    for name in BROWSERS:
        if shutil.which(name):
            return shutil.which(name)
    raise Failure("there is no chromium on this computer: apt-get install chromium")


def address(server):
    return f"http://127.0.0.1:{server.port}/{server.token}/"


def node(script, *arguments):
    """Run a script of tests/explore; what it printed."""
    make("-s", "explorer-tests")
    done = subprocess.run(
        ["node", os.path.join(TOP, "tests", "explore", script), *arguments],
        cwd=TOP, env={**environment(), "MODULES": MODULES, "CHROMIUM": browser(),
                      "PATIENCE": str(PATIENCE)},
        text=True, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT, timeout=LIMIT * PATIENCE)
    print(done.stdout)
    if done.returncode != 0:
        raise Failure(done.stdout)
    return done.stdout


def shots():
    """A folder for screenshots."""
    folder = log_path(".shots")
    os.makedirs(folder, exist_ok=True)
    return folder


@needs(*BROWSED)
@test(timeout=200)
def test_page_views():
    with served() as server:
        node("views.mjs", address(server), shots())
    # What the page saved opens again, without a machine.
    kept = os.path.join(shots(), "pagewise.snap")
    with Server([EXPLORE, kept]) as server:
        node("kept.mjs", address(server), shots())


@only("modes")
@needs(*BROWSED)
@test(timeout=200)
def test_page_levels():
    """Page tables of more levels: each is a table in the tree and a step of the walk."""
    for append, levels in facts.MODES[1:]:
        with served(cpus=1, append=append) as server:
            node("views.mjs", address(server), shots(), str(levels))


@needs(*BROWSED)
@test(timeout=200)
def test_page_without_a_kernel():
    """Of memory in which that kernel does not run the page says so."""
    built()
    ram = log_path(".ram")
    with open(ram, "wb") as f:
        f.truncate(16 << 20)
    with Server([EXPLORE, "--live", KERNEL, ram]) as server:
        node("unseen.mjs", address(server), shots())
    os.unlink(ram)


@needs(*BROWSED)
@test(timeout=200)
def test_page_reach():
    """By keyboard, in a narrow window, after the end of a process and a reboot."""
    with served() as server:
        node("reach.mjs", address(server), shots())


@needs(*BROWSED)
@test()
def test_page_panic():
    with served(append="selftest=panic") as server:
        node("panic.mjs", address(server), shots())


@needs(*BROWSED)
@test(timeout=200)
def test_page_tour():
    with served() as server:
        node("tour.mjs", address(server), shots())


@needs(*BROWSED, "beside")
@test(timeout=200)
def test_page_beside():
    """Two machines next to each other, and one that overflows a kernel stack."""
    built("beside")
    with served(cpus=1, beside=path("beside")) as server:
        said = node("beside.mjs", address(server), shots())
    offered = os.listdir(path("beside"))
    assert "stack" in offered and "beside: " + ", ".join(sorted(offered)) in said, said
    for name in sorted(offered):
        with open(path("beside", name)) as f:
            assert path("fs.img") not in f.read(), "the disk of the first"


@needs(*BROWSED)
@test(timeout=200)
def test_page_under_load():
    """What it costs is kept with the logs; MEM=4G and UPDATES=n in the environment
    are for a larger machine, and a longer measurement."""
    with served(mem=os.environ.get("MEM") or "128M") as server:
        with Terminal(server) as terminal:
            terminal.expect(r"\$ ")
            for _ in range(6):
                terminal.run("sleep 1000 & " * 10)
            said = node("load.mjs", address(server), shots(), str(server.child.pid))
    with open(log_path(".costs"), "w") as f:
        f.write(said)


def draw_figures(folder, *qemu):
    """What came of it, from a machine that is started so."""
    return subprocess.run(
        ["node", os.path.join(TOP, "tools", "explore", "figures.mjs"), folder, EXPLORE,
         "--qemu", KERNEL, "128M", *qemu],
        cwd=TOP, env=environment(), text=True, capture_output=True,
        timeout=LIMIT * PATIENCE)


@needs("explorer")
@test()
def test_figures():
    """The figures of the documents can be drawn anew, and show what they tell of."""
    built()
    folder = shots()
    disk = path("fs.img") + ",snapshot=on"
    done = draw_figures(folder, *qemu_command(BUILD, 1, "128M", disk, "", []))
    assert done.returncode == 0, done.stderr
    drawn = {}
    for name in os.listdir(folder):
        if name.endswith(".svg"):
            root = ElementTree.parse(os.path.join(folder, name)).getroot()
            drawn[name.rsplit("-", 1)[0]] = [  # behind the title, if it has one
                t[-1].tail if len(t) else t.text for t in root.iter(SVG + "text")]
    assert set(drawn) == {"spaces", "table", "walk", "frames", "fork",
                          "fork-spaces"}, drawn.keys()
    said = [t for t in drawn["fork"]
            if t in ("W", "no W") or (t or "").startswith("mapped ")]
    assert said == ["W", "mapped 1 time", "no W", "no W", "mapped 2 times", "no W", "W",
                    "mapped 1 time", "mapped 1 time", "W", "mapped 1 time"], said
    kept = os.listdir(os.path.join(TOP, "docs", "figures"))
    assert {name + "-" + ARCH + ".svg" for name in drawn} <= set(kept), kept
    # A machine that does not start is a sentence, not a program that breaks.
    done = draw_figures(folder, "no-such-qemu")
    *why, last = done.stderr.splitlines()
    assert done.returncode == 1 and last == "figures: the machine was not started", \
        done.stderr
    assert "no-such-qemu" in why[0] and all(w.startswith("explore: ") for w in why), why


@once
@test(quick=True)
def test_page_layouts():
    """What needs no browser: numbers, differences, shapes."""
    subprocess.run(["node", os.path.join(TOP, "tests", "explore", "layouts.mjs")],
                   cwd=TOP, check=True, timeout=60 * PATIENCE)
