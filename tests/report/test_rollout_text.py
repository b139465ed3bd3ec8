"""Where a rollout stands, as people and programs read it."""

from __future__ import annotations

from gitops_ocm.decide.rollout.explanation import document, explain
from gitops_ocm.report.rollout_text import text
from tests.decide.rollout.examples import CANARIES, DOCUMENTED, FLEET, NOW, groups, progressive, states

KNOWN = f"{CANARIES},a S240,b P9,c F30"


def test_a_rollout_under_way_as_text() -> None:
    """What holds it, each cluster by group, the waves to come with their limits."""
    found = explain("web", DOCUMENTED, groups(FLEET), states(KNOWN), NOW, failing=["d"])
    assert text(found) == (
        "Placement web: Progressive, maxConcurrency 25%, mandatoryDecisionGroups west, east, "
        "minSuccessTime 5m, progressDeadline 10m, maxFailures 2\n"
        "  4 of 12 clusters done, 2 under way, 1 failed, 5 held\n"
        "  held: behind mandatory groups nobody joins those that are under way: a, b\n"
        "\n"
        "CLUSTER   GROUP      STATE       SINCE                  UNTIL\n"
        "w1        west (0)   done        2026-01-01T11:53:20Z   -\n"
        "w2        west (0)   done        2026-01-01T11:53:20Z   -\n"
        "e1        east (1)   done        2026-01-01T11:53:20Z   -\n"
        "e2        east (1)   done        2026-01-01T11:53:20Z   -\n"
        "a         2          soaking     2026-01-01T11:56:00Z   2026-01-01T12:01:00Z (soaked)\n"
        "b         2          under way   2026-01-01T11:59:51Z   2026-01-01T12:09:51Z (late)\n"
        "c         2          failed      2026-01-01T11:59:30Z   2026-01-01T12:09:30Z (late)\n"
        "d         2          held        -                      -\n"
        "e         2          held        -                      -\n"
        "f         2          held        -                      -\n"
        "g         2          held        -                      -\n"
        "h         2          held        -                      -\n"
        "\n"
        "If all goes well from now on, but for d:\n"
        "WAVE   NOT BEFORE             CLUSTERS   GROUPS   LATE AFTER\n"
        "1      2026-01-01T12:05:00Z   d          2        2026-01-01T12:15:00Z\n"
        "2      2026-01-01T12:09:30Z   e          2        2026-01-01T12:19:30Z\n"
        "3      2026-01-01T12:14:30Z   f          2        2026-01-01T12:24:30Z\n"
        "4      2026-01-01T12:19:30Z   g, h       2        2026-01-01T12:29:30Z\n"
        "Done at 2026-01-01T12:24:30Z at the earliest.\n"
    )


def test_a_rollout_that_has_stopped_as_text() -> None:
    """A breach names the failed, a misspelt group is named, and who never starts is counted out."""
    strategy = progressive(1, {"groupName": "canry"})
    cut = "x1," + ",".join(f"y{i}" for i in range(1, 11))
    found = explain("web", strategy, groups(cut), states("x1 F5"), NOW)
    lines = text(found).splitlines()
    assert lines[1:4] == [
        "  0 of 11 clusters done, 0 under way, 1 failed, 10 held",
        "  held: more have failed than maxFailures tolerates: x1",
        "  no decision group is canry: what names it as mandatory has no effect",
    ]
    assert lines[-1] == "Not before something changes: y1, y10, y2, y3, y4, y5, y6, y7 and 2 more"


def test_a_rollout_as_data() -> None:
    """The same for programs: what does not apply is not there."""
    found = document(explain("web", DOCUMENTED, groups(FLEET), states("w1 S400,w2 S60"), NOW))
    assert found["hold"] == {"reason": "MandatoryDecisionGroups", "by": ["w2"]}
    assert found["clusters"][1] == {
        "name": "w2",
        "decisionGroup": "west (0)",
        "standing": "soaking",
        "since": "2026-01-01T11:59:00Z",
        "until": "2026-01-01T12:04:00Z",
    }
    assert found["clusters"][2] == {"name": "e1", "decisionGroup": "east (1)", "standing": "held"}
    assert found["next"]["waves"][0] == {
        "start": "2026-01-01T12:04:00Z",
        "clusters": ["e1", "e2"],
        "groups": ["east (1)"],
        "soaked": "2026-01-01T12:09:00Z",
        "deadline": "2026-01-01T12:14:00Z",
    }
    assert "neverStarting" not in found["next"]
    assert not {"unknownGroups"} & set(found)


def test_nothing_left_to_do() -> None:
    """A rollout that is done has no next wave."""
    found = explain("web", None, groups("a,b"), states("a S9,b S9"), NOW)
    assert text(found).splitlines()[:2] == [
        "Placement web: All",
        "  2 of 2 clusters done, 0 under way, 0 failed, 0 held",
    ]
    assert "WAVE" not in text(found)
    assert explain("web", None, (), (), NOW).rows == ()
