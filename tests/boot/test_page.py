"""The explorer's page in a browser, with a live machine behind it: tests/explore/
has what is done there. Screenshots are kept beside the logs.
"""

import os
import shutil
import subprocess
from xml.etree import ElementTree

from pages import Server, Terminal
from pagewise import (ARCH, BUILD, PATIENCE, TOP, Failure, environment, log_path, make,
                      once, path, qemu_command, test)

EXPLORE = os.path.join(TOP, BUILD, "host", "explore", "explore")
MODULES = os.path.join(TOP, BUILD, "host", "explore", "tests")
BROWSERS = ("chromium", "chromium-browser", "google-chrome")
LIMIT = 100
SVG = "{http://www.w3.org/2000/svg}"


def browser():
    for name in BROWSERS:
        if shutil.which(name):
            return shutil.which(name)
    raise Failure("there is no chromium on this computer: apt-get install chromium")


def explorer(mem="128M", **options):
    """The explorer, with a machine that it started."""
    make("-s", "explorer")
    disk = path("fs.img") + ",snapshot=on"
    return Server([EXPLORE, "--qemu", path("kernel.elf"), mem, *qemu_command(
        BUILD, options.get("cpus", 3), mem, disk, options.get("append", ""), [])])


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


@test(timeout=200)
def test_page_views():
    with explorer() as server:
        node("views.mjs", address(server), shots())
    # What the page saved opens again, without a machine.
    kept = os.path.join(shots(), "pagewise.snap")
    with Server([EXPLORE, kept]) as server:
        node("kept.mjs", address(server), shots())


@test(timeout=200)
def test_page_tour():
    with explorer() as server:
        node("tour.mjs", address(server), shots())


@test(timeout=200)
def test_page_under_load():
    with explorer() as server:
        with Terminal(server) as terminal:
            terminal.expect(r"\$ ")
            for _ in range(58):
                terminal.run("sleep 1000 &")
        node("load.mjs", address(server), shots())


@test()
def test_figures():
    """The figures of the documents can be drawn anew, and show what they tell of."""
    make("-s", "explorer")
    folder = shots()
    disk = path("fs.img") + ",snapshot=on"
    subprocess.run(
        ["node", os.path.join(TOP, "tools", "explore", "figures.mjs"), folder, EXPLORE,
         "--qemu", path("kernel.elf"), "128M",
         *qemu_command(BUILD, 1, "128M", disk, "", [])],
        cwd=TOP, check=True, env=environment(), timeout=LIMIT * PATIENCE)
    drawn = {}
    for name in os.listdir(folder):
        if name.endswith(".svg"):
            root = ElementTree.parse(os.path.join(folder, name)).getroot()
            drawn[name.rsplit("-", 1)[0]] = [  # behind the title, if it has one
                t[-1].tail if len(t) else t.text for t in root.iter(SVG + "text")]
    assert set(drawn) == {"spaces", "table", "walk", "frames", "fork",
                          "fork-spaces"}, drawn.keys()
    said = [t for t in drawn["fork"] if t in ("W", "no W", "1 holder", "2 holders")]
    assert said == ["W", "1 holder", "no W", "no W", "2 holders", "no W", "W",
                    "1 holder", "1 holder", "W", "1 holder"], said
    kept = os.listdir(os.path.join(TOP, "docs", "figures"))
    assert {name + "-" + ARCH + ".svg" for name in drawn} <= set(kept), kept


@once
@test(quick=True)
def test_page_layouts():
    """What needs no browser: numbers, differences, shapes."""
    subprocess.run(["node", os.path.join(TOP, "tests", "explore", "layouts.mjs")],
                   cwd=TOP, check=True, timeout=60)
