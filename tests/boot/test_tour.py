"""The programs of docs/tour: each step comes after Enter, and shows what it says."""

import re

from pagewise import Machine, cases, test
from test_gdb import Gdb, attached

# Program; what it says, step by step: Enter is typed at each "(Enter)".
TOUR = {
    "tour_fork": ["now fork", "child: its page", "child: a frame",
                  "parent reads 'p'", "alone again"],
    "tour_heap": ["64 pages", "no page of it", "it reads 0", "page of zeros",
                  "a frame of its own", "64 frames came"],
    "tour_stack": ["calls without end", "met the guard"],
    "tour_shared": ["child writes 2", "one frame, two", "parent reads 2"],
    "tour_super": ["nothing is there", "a level higher", "without W",
                   "a table of pages"],
    "tour_exec": ["now exec", "same pid"],
}
STATEMENTS = ("parent reads", "it reads")  # that wait for nothing


@test()
@cases(*TOUR)
def test_tour(name):
    with Machine(cpus=1) as m:
        m.start(name)
        for said in TOUR[name]:
            m.expect(said.encode())
            if not said.startswith(STATEMENTS):
                m.expect(rb"\(Enter\)")
                m.send("\n")
        m.wait_prompt()


@test()
def test_tour_without_a_person():
    """At the end of the input it goes on."""
    with Machine(cpus=1) as m:
        assert m.run("echo | tour_heap | grep -c Enter") == "5"


@test()
def test_trace_of_the_tour_of_fork():
    """The child's write makes a copy, the parent's none: by the trace ring."""
    m, port = attached()
    with m:
        where = re.search(r"\[(\d+)\] a page of data is at (0x\w+)",
                          m.run("echo | tour_fork"))
        g = Gdb(m, port)
        events = [(int(pid), kind) for pid, kind in re.findall(
            rf"pid +(\d+) (\w+) +{int(where[2], 16):#x} ", g.do("events 1000"))]
        g.leave()
    parent = int(where[1])
    assert [kind for pid, kind in events if pid == parent][-1] == "fault_reuse"
    assert any(kind == "fault_copy" and pid > parent for pid, kind in events)
