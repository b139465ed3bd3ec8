"""The worked examples of rollouts, written as tables write them.

States: `x1 S60, x2 F5, x3 P9, x4 T` (succeeded, failed, progressing for so many seconds, to apply; `skip`
and `out` for Skip and TimeOut told back). Groups: bars between them, `g: x1,x2` names one, `3# x1` gives
it an index of its own. The expectation is OCM's; `ours` says what differs here.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

from gitops_ocm.decide.rollout import ClusterState, Group, State, Step
from gitops_ocm.objects.ref import Object

NOW = datetime(2026, 1, 1, 12, tzinfo=UTC)
LETTERS = {"S": State.SUCCEEDED, "F": State.FAILED, "P": State.PROGRESSING, "T": State.TO_APPLY}
WORDS = {"skip": State.SKIP, "out": State.TIME_OUT}


def groups(text: str) -> tuple[Group, ...]:
    """Groups from their notation."""
    found = []
    for place, part in enumerate(text.split("|")):
        match = re.fullmatch(r"\s*(?:(\d+)#)?\s*(?:(\w+):)?([\w\s,]*)", part)
        assert match, part
        index, name, clusters = match[1] or place, match[2] or "", tuple(re.findall(r"\w+", match[3]))
        found.append(Group(int(index), name, clusters))
    return tuple(found)


def states(text: str) -> list[ClusterState]:
    """States from their notation."""
    found = []
    for part in filter(None, (p.strip() for p in text.split(","))):
        cluster, how = part.split()
        if how in WORDS:
            found.append(ClusterState(cluster, WORDS[how], NOW))
        elif how == "T":
            found.append(ClusterState(cluster, State.TO_APPLY))
        else:
            since = NOW - timedelta(seconds=int(how[1:])) if how[1:] else None
            found.append(ClusterState(cluster, LETTERS[how[0]], since))
    return found


def told(step: Step) -> dict[str, object]:
    """A step as the tables have it."""
    return {
        "roll_out": ",".join(s.cluster for s in step.roll_out),
        "timed_out": ",".join(s.cluster for s in step.timed_out),
        "removed": ",".join(s.cluster for s in step.removed),
        "breach": step.breach,
        "recheck": (step.recheck - NOW).total_seconds() if step.recheck else None,
    }


@dataclass(frozen=True)
class Example:
    """One row: what goes in, what OCM answers, what is different here."""

    name: str
    strategy: Object
    groups: str
    states: str
    roll_out: str
    timed_out: str = ""
    removed: str = ""
    breach: bool = False
    recheck: float | None = None
    ours: Mapping[str, object] = field(default_factory=dict)

    def expected(self, *, compat: bool) -> dict[str, object]:
        """What a step is to tell."""
        fields = ("roll_out", "timed_out", "removed", "breach", "recheck")
        return {f: getattr(self, f) for f in fields} | ({} if compat else dict(self.ours))


def every(**options: object) -> Object:
    """Strategy All."""
    return {"type": "All", "all": options}


def progressive(concurrency: object = 0, *mandatory: Object, **options: object) -> Object:
    """Strategy Progressive."""
    block = {"maxConcurrency": concurrency, "mandatoryDecisionGroups": list(mandatory), **options}
    return {"type": "Progressive", "progressive": block}


def per_group(*mandatory: Object, **options: object) -> Object:
    """Strategy ProgressivePerGroup."""
    block = {"mandatoryDecisionGroups": list(mandatory), **options}
    return {"type": "ProgressivePerGroup", "progressivePerGroup": block}


G: Object = {"groupName": "g"}
D60, D90 = {"progressDeadline": "60s"}, {"progressDeadline": "90s"}
FIVE, EIGHT = "x1,x2,x3,x4,x5", "g: x1,x2 | x3,x4,x5,x6,x7,x8"
DOCUMENTED = progressive(
    "25%",
    {"groupName": "west"},
    {"groupName": "east"},
    minSuccessTime="5m",
    progressDeadline="10m",
    maxFailures=2,
)
"""The published example: two canary groups, then a quarter of the others at a time."""
FLEET = "west: w1,w2 | east: e1,e2 | a,b,c,d,e,f,g,h"
CANARIES = "w1 S400, w2 S400, e1 S400, e2 S400"

ALL = [
    Example("1", every(**D90), "x1,x2 | x3", "", "x1,x2,x3"),
    Example("2", every(**D90), "x1,x2 | x3,x4", "x1 S5,x2 F100,x3 P30", "x3,x4", "x2", recheck=60),
    Example(
        "3",
        every(**D90, minSuccessTime="5m"),
        "x1,x2 | x3,x4",
        "x1 S5,x2 F100,x3 P30",
        "x3,x4",
        "x2",
        recheck=60,
    ),
    Example("4", every(**D90), "x1", "x1 P10,x9 S5", "x1", removed="x9", recheck=80),
    Example("5", every(progressDeadline="None"), "x1,x2", "x1 F999,x2 P999", "x1,x2"),
]
PROGRESSIVE = [
    Example("6", progressive(2), FIVE, "", "x1,x2"),
    Example("7", progressive(2), FIVE, "x1 S1,x2 P9", "x2,x3"),
    Example("8", progressive(2, **D60), FIVE, "x1 P61,x2 P10", "x2", "x1", breach=True, recheck=50),
    Example("9", progressive(2, **D60, maxFailures=1), FIVE, "x1 P61,x2 P10", "x2,x3", "x1", recheck=50),
    Example("10", progressive(2, maxFailures=1), FIVE, "x1 F10,x2 P10", "x1,x2"),
    Example("11", progressive(1, minSuccessTime="5m"), "x1,x2,x3", "x1 S60", "x1", recheck=240),
    Example("12", progressive(1, minSuccessTime="5m"), "x1,x2,x3", "x1 S300", "x2"),
    Example("13", progressive("50%"), FIVE, "", "x1,x2,x3"),
    Example("14", progressive(3, G), EIGHT, "x1 S9", "x2"),
    Example("15", progressive(3, G), EIGHT, "x1 S9,x2 S9", "x3,x4,x5"),
    Example("16", progressive(3, G), EIGHT, "x1 S9,x2 S9,x3 S1,x4 P1,x5 S1", "x4"),
    Example(
        "17",
        progressive(3, G, **D60, maxFailures=5),
        EIGHT,
        "x1 S9,x2 S9,x3 P61",
        "",
        "x3",
        ours={"roll_out": "x4,x5,x6"},
    ),
    Example("18", progressive(1), "x2,x3", "x1 F5,x2 S5", "x3", removed="x1"),
    Example("19", progressive(2, maxFailures=1), "x1,x2,x3,x4", "x1 skip,x2 out", "x3,x4"),
    Example("20", progressive(4, maxFailures=9), FIVE, "x1 F5", "x1", breach=True),
]
PER_GROUP = [
    Example("21", per_group(), "x1,x2 | x3", "", "x1,x2"),
    Example("22", per_group(), "x1,x2 | x3", "x1 S1,x2 P5", "x2"),
    Example("23", per_group(), "x1,x2 | x3", "x1 S1,x2 S1", "x3"),
    Example("24", per_group(), "x1,x2 | x3", "x1 F5,x2 T", "x1,x2", breach=True),
    Example("25", per_group(maxFailures=1), "x1,x2 | x3,x4 | x5", "x1 F5,x2 S5", "x1,x3,x4"),
    Example("26", per_group(maxFailures=1), "x1,x2 | x3,x4 | x5", "x1 F5,x2 S5,x3 P1,x4 S1", "x1,x3"),
    Example(
        "27",
        per_group(maxFailures=1, **D90),
        "x1,x2 | x3,x4 | x5",
        "x1 F500,x2 S5,x3 P1,x4 S1",
        "x3,x5",
        "x1",
        recheck=89,
        ours={"roll_out": "x3"},
    ),
    Example("28", per_group(minSuccessTime="5m"), "x1,x2 | x3", "x1 S60,x2 S400", "x1", recheck=240),
    Example("29", per_group({"groupIndex": 1}), "x1 | x2,x3 | x4", "", "x2,x3"),
    Example("30", per_group({"groupIndex": 2}, {"groupIndex": 1}), "x1 | x2 | x3", "", "x2"),
    Example("31", per_group(G, maxFailures=1, **D60), "g: x1,x2 | x3", "x1 F61,x2 S5", "", "x1", breach=True),
    Example("32", per_group(), "g: x0,x1,x2 | x3", "x1 S5,x2 S5,x3 P1", "x3,x0"),
]
DOCUMENTATION = [
    Example("start", DOCUMENTED, FLEET, "", "w1,w2"),
    Example("west soaking", DOCUMENTED, FLEET, "w1 S400,w2 S60", "w2", recheck=240),
    Example("west done", DOCUMENTED, FLEET, "w1 S400,w2 S400", "e1,e2"),
    Example("canaries done", DOCUMENTED, FLEET, CANARIES, "a,b"),
    Example("batch", DOCUMENTED, FLEET, f"{CANARIES},a S60,b P120", "a,b", recheck=240),
    Example("no top-up", DOCUMENTED, FLEET, f"{CANARIES},a S400,b P500", "b", recheck=100),
    Example("batch done", DOCUMENTED, FLEET, f"{CANARIES},a S400,b S400", "c,d"),
    Example(
        "one times out",
        DOCUMENTED,
        FLEET,
        f"{CANARIES},a S400,b P601",
        "",
        "b",
        ours={"roll_out": "c,d"},
    ),
]
TRAPS = [
    Example(
        "failures behind a full window",
        progressive(2),
        "a,b,c,d,e",
        "a T,b T,c F,d F,e F",
        "a,b",
        ours={"roll_out": "c,d,e", "breach": True},
    ),
    Example(
        "due, and before the failure by name",
        progressive(4),
        "a,b,c,d,e",
        "a T,b F,c T,d P,e T",
        "a,b,d",
        breach=True,
        ours={"roll_out": "b,d"},
    ),
    Example("a failure holds a place", progressive(2, maxFailures="100%"), "c1,c2,c3", "c2 F,c3 P", "c2,c3"),
    Example(
        "by name over all groups",
        progressive(3),
        "cluster2 | cluster10,cluster1,cluster11",
        "",
        "cluster1,cluster10,cluster11",
    ),
    Example(
        "a time-out pays for one that is open",
        per_group(maxFailures=1, **D90),
        "a,b | c,d",
        "a P100,b P10",
        "b,c,d",
        "a",
        recheck=80,
        ours={"roll_out": "b"},
    ),
    Example(
        "not for two",
        per_group(maxFailures=1, **D90),
        "a,b,b2 | c,d",
        "a P100,b P10,b2 P10",
        "b,b2",
        "a",
        recheck=80,
    ),
    Example("top-up without canaries", progressive(3), "a,b | c,d,e,f,g,h", "a S9,b S9,c P1", "c,d,e"),
    Example(
        "no top-up behind them", progressive(3, {"groupIndex": 0}), "a,b | c,d,e,f,g,h", "a S9,b S9,c P1", "c"
    ),
    Example(
        "a tolerated failure freezes",
        progressive(3, {"groupIndex": 0}, maxFailures=2),
        "a,b | c,d,e,f,g,h",
        "a S9,b S9,c F5",
        "c",
        ours={"roll_out": "c,d,e"},
    ),
    Example(
        "and freezes the groups behind canaries",
        per_group({"groupIndex": 0}, maxFailures=1),
        "x1 | x2,x3 | x4",
        "x1 S9,x2 F5,x3 S5",
        "x2",
        ours={"roll_out": "x2,x4"},
    ),
    Example(
        "a tolerated failure behind the first group freezes",
        per_group(maxFailures=1),
        "x1 | x2,x3 | x4",
        "x1 S9,x2 F5,x3 S5",
        "x2",
        ours={"roll_out": "x2,x4"},
    ),
    Example(
        "a late member of a group that is under way",
        per_group(),
        "x1 | x2,x3",
        "x1 S9,x2 P5",
        "x2",
        ours={"roll_out": "x2,x3"},
    ),
    Example("a failed canary", progressive(3, G), EIGHT, "x1 S9,x2 F5", "x2", breach=True),
    Example(
        "a canary that was told to have timed out",
        progressive(3, G),
        EIGHT,
        "x1 S9,x2 out",
        "",
        breach=True,
    ),
    Example("a misspelt canary", progressive(1, {"groupName": "gg"}), "g: x2 | x1", "", "x1"),
    Example("none named is index 0", progressive(1, {}), "x2 | x1", "", "x2"),
    Example("the name wins", progressive(1, {"groupName": "g", "groupIndex": 1}), "g: x2 | x1", "", "x2"),
    Example("a name of two groups", per_group(G), "x0 | g: x1 | g: x2", "x1 S1", "x2"),
    Example(
        "a gap in the indexes",
        per_group(),
        "0# x1 | 2# x2",
        "x1 S5,x2 P5",
        "",
        removed="x2",
        ours={"roll_out": "x2", "removed": ""},
    ),
    Example("new in a canary group", progressive(2, G), "g: x0,x1 | x2,x3", "x1 S5,x2 P1", "x2,x0"),
    Example("without a time it never ends", progressive(1, **D60), "x1,x2", "x1 P", "x1", recheck=60),
    Example("nor soaks", progressive(1, minSuccessTime="60s"), "x1,x2", "x1 S", "x1", recheck=60),
    Example("no time at all", progressive(1, progressDeadline="0s"), "x1,x2", "x1 P", "", "x1", breach=True),
    Example("the boundary of both", every(**D90), "x1", "x1 P90", "", "x1"),
    Example("more than there are", progressive(6), FIVE, "", FIVE),
    Example("nothing of a hundred", progressive("0%"), FIVE, "", FIVE),
    Example("of the others only", progressive("25%", G), EIGHT, "x1 S9,x2 S9", "x3,x4"),
    Example("of everyone", progressive(2, G, maxFailures="20%"), EIGHT, "x1 S9,x2 S9,x3 out,x4 out", "x5,x6"),
    Example("half of one is one", per_group(maxFailures="50%"), "x1 | x2", "x1 F1", "x1,x2"),
    Example("two of one are none", per_group(maxFailures=2), "x1 | x2", "x1 F1", "x1", breach=True),
    Example(
        "seven of a hundred are eight",
        progressive("7%"),
        ",".join(f"c{i}" for i in range(100)),
        "",
        "c0,c1,c10,c11,c12,c13,c14,c15",
    ),
    Example("no clusters", progressive(2, G), "g: |", "", ""),
]
EXAMPLES = {
    f"{kind} {e.name}": e
    for kind, rows in (
        ("All", ALL),
        ("Progressive", PROGRESSIVE),
        ("PerGroup", PER_GROUP),
        ("documented", DOCUMENTATION),
        ("trap", TRAPS),
    )
    for e in rows
}
