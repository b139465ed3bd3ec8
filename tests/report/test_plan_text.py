"""Plans, differences and tables as lines for people."""

from __future__ import annotations

from gitops_ocm.errors import Location
from gitops_ocm.objects.diff import differences
from gitops_ocm.objects.ref import Ref
from gitops_ocm.plan.changes import Action, Change, ChangeSet, Reason
from gitops_ocm.plan.wanted import Wanted
from gitops_ocm.report.plan_text import field_lines, plain, plan_lines
from gitops_ocm.report.tables import table

A, B = Ref("", "ConfigMap", "n", "a"), Ref("", "ConfigMap", "n", "longer")
PLAN = ChangeSet(
    "c" * 40,
    (
        Change(A, Action.CREATE, Reason.NEW, Wanted(A, {}, "", 0, Location("hub/a.yaml", 3))),
        Change(B, Action.PRUNE, Reason.REMOVED),
        *(Change(Ref("", "ConfigMap", "o", str(i)), Action.UNCHANGED, Reason.SAME) for i in range(1500)),
    ),
)


def test_a_plan_as_text() -> None:
    """Each change with its place and reason; what stays is counted."""
    assert plain(plan_lines(PLAN)) == (
        "+ create     ConfigMap n/a       hub/a.yaml:3  new in Git\n"
        "- prune      ConfigMap n/longer  removed from Git\n"
        "= 1,500 unchanged\n"
    )


def test_unchanged_objects_on_request() -> None:
    """All objects are listed when asked for."""
    assert len(list(plan_lines(PLAN, unchanged=True))) == 1502


def test_an_empty_plan_says_so() -> None:
    """No line would be no answer."""
    assert plain(plan_lines(ChangeSet("c"))) == "nothing is wanted and nothing is there\n"


def test_fields_as_text() -> None:
    """Before and after of each field, long values cut."""
    lines = plain(field_lines(differences({"a": 1, "b": "x"}, {"a": 2, "c": "y" * 500})))
    assert "    - a: 1\n    + a: 2\n" in lines
    assert '    - b: "x"\n' in lines
    assert "(502 characters)" in lines


def test_a_table_is_aligned_and_harmless() -> None:
    """Columns align by width on screen; control characters of foreign names do nothing to a terminal."""
    assert table(["name", "ready"], [["a", True], ["日本", None], ["x\x1b[31m", "no"]]) == (
        "NAME     READY\na        True\n日本     -\nx [31m   no\n"
    )
