"""`gitops-ocm history` of a recorded night: what came in force, what did not, and what befell whom."""

from __future__ import annotations

import json
from pathlib import Path
from subprocess import run
from typing import Any

import pytest
from click.testing import CliRunner, Result

from gitops_ocm.cli.history import history
from tests.history.night import Night

WEB = "ManifestWorkReplicaSet.work.open-cluster-management.io fleet/web"
pytestmark = [pytest.mark.slow, pytest.mark.usefixtures("in_utc")]


def ran(night: Night, *args: str) -> Result:
    """The command in the clone."""
    return CliRunner().invoke(history, ["--repo", str(night.clone), *args], standalone_mode=False)


def document(night: Night, *args: str) -> dict[str, Any]:
    """What it tells programs."""
    result = ran(night, *args, "-o", "json")
    assert result.exception is None, result.exception
    found: dict[str, Any] = json.loads(result.stdout)
    return found


def entries(night: Night) -> dict[str, dict[str, Any]]:
    """What it tells of each commit, by subject."""
    return {entry["subject"]: entry for entry in document(night)["entries"]}


def test_every_attempt_newest_first(night: Night) -> None:
    """Each commit that was tried is there once, with what came of it."""
    told = [(entry["subject"], entry["outcome"]) for entry in document(night)["entries"]]
    assert told == [
        ("Meant", "in force"),
        ("Cut", "refused"),
        ("Web 1 again", "in force"),
        ("A slip", "refused"),
        ("Web 2", "in force"),
        ("Start", "in force"),
    ]


@pytest.mark.parametrize(
    ("subject", "created", "changed", "clusters"),
    [
        (
            "Start",
            ["Namespace fleet", "ManifestWorkReplicaSet.work.open-cluster-management.io fleet/web"],
            [],
            3,
        ),
        ("Web 2", [], ["ManifestWorkReplicaSet.work.open-cluster-management.io fleet/web"], 3),
        ("Meant", ["Namespace more"], [], 1),
    ],
)
def test_what_a_commit_did(
    night: Night, subject: str, created: list[str], changed: list[str], clusters: int
) -> None:
    """The objects it made and changed, and on how many clusters a work changed while it was in force."""
    entry = entries(night)[subject]
    assert entry["objects"] == {"created": created, "changed": changed, "deleted": []}
    assert len(entry["clusters"]["changed"]) == clusters
    assert entry["author"] == "Ann"


def test_when_all_had_it(night: Night) -> None:
    """A commit is done when the last cluster has applied it, and not while one cannot run it."""
    found = entries(night)
    assert found["Web 1 again"]["clusters"]["done"] == "2026-03-01T22:02:00+00:00"
    assert found["Web 2"]["clusters"]["done"] is None
    assert found["Web 2"]["clusters"]["failing"] == ["c3"]
    assert found["Web 2"]["clusters"]["waiting"] == []


def test_what_was_refused(night: Night) -> None:
    """A slip is told at its line, a rule by its words, and which commit stayed in force."""
    found = entries(night)
    assert found["A slip"]["problems"] == ["works/web.yaml:9: unknown field 'sepc'"]
    assert found["A slip"]["inForceBefore"] == night.commits["Web 2"]
    assert found["Cut"]["why"] == "RefusedByPolicy: Cut"


def test_what_was_overridden_and_what_was_rolled_back(night: Night) -> None:
    """Who let a commit past which rule and why; which commit a later one is again; what came along."""
    found = entries(night)
    by = night.commits["Meant"]
    assert found["Meant"]["overridden"] == [{"rule": "weekend", "reason": "urgent", "by": by}]
    assert [one["subject"] for one in found["Meant"]["with"]] == ["Cut"]
    assert found["Web 1 again"]["backTo"] == night.commits["Start"]


def test_what_happened_to_a_cluster_last_night(night: Night) -> None:
    """One page: what the cluster was given under which commit, its silence, and that it came back."""
    lines = ran(night, "--cluster", "c2").stdout.splitlines()
    short = {name: commit[:12] for name, commit in night.commits.items()}
    lost = "Registration agent stopped updating its lease."
    assert lines == [
        f"{short['Meant']} Meant (Ann)",
        "    2026-03-02 02:45:00  cluster: ManagedClusterConditionAvailable Unknown → True: Fine.",
        f"    2026-03-02 02:00:00  cluster: ManagedClusterConditionAvailable True → Unknown: {lost}",
        f"{short['Web 1 again']} Web 1 again (Ann)",
        "    2026-03-01 22:02:00  work of fleet/web: was given new content",
        f"{short['Web 2']} Web 2 (Ann)",
        "    2026-03-01 21:01:00  work of fleet/web: was given new content",
        f"{short['Start']} Start (Ann)",
        "    2026-03-01 20:01:00  cluster: is new",
        "    2026-03-01 20:01:00  work of fleet/web: is new",
        "    2026-03-01 20:01:00  placement fleet/all: selects it",
    ]


def test_what_happened_to_the_other_cluster(night: Night) -> None:
    """A failing work, a taint, and the placement that leaves it with its work."""
    told = [
        (event["subject"], event["text"], event["tone"])
        for event in document(night, "--cluster", "c3")["events"]
    ]
    assert told[:3] == [
        ("cluster", "tainted broken=:NoSelect", "bad"),
        ("work of fleet/web", "is gone", "bad"),
        ("placement fleet/all", "selects it no more", "bad"),
    ]
    assert ("work of fleet/web", "Available True → False: crashes", "bad") in told
    assert ("work of fleet/web", "Available False → True: Told", "good") in told


VALUE = "spec.manifestWorkTemplate.workload.manifests[ConfigMap default/web].data.v"


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (
            "ManifestWorkReplicaSet/fleet/web",
            [
                f"changed in works/web.yaml:1: {VALUE} 2 → 1",
                f"changed in works/web.yaml:1: {VALUE} 1 → 2",
                "written in works/web.yaml:1",
            ],
        ),
        ("placement/fleet/all", ["no longer selects c3", "is new", "selects c1, c2, c3"]),
        ("namespace/more", ["written in hub/more.yaml:1"]),
    ],
)
def test_what_happened_to_an_object(night: Night, words: str, told: list[str]) -> None:
    """What Git said of it, field by field, and what the hub made of it."""
    assert [event["text"] for event in document(night, "--object", words)["events"]] == told


def test_not_before_and_not_more(night: Night) -> None:
    """`--since` and `-n` leave older ones out, and say that there are some."""
    late = document(night, "--since", "2026-03-01T22:30")
    assert [entry["subject"] for entry in late["entries"]] == ["Meant", "Cut"]
    two = document(night, "-n", "2")
    assert [entry["subject"] for entry in two["entries"]] == ["Meant", "Cut"]
    assert two["more"]
    assert two["entries"] == document(night)["entries"][:2]
    assert "older ones are not shown" in ran(night, "-n", "1").stdout
    assert "older ones are not shown" in ran(night, "--cluster", "c1", "-n", "1").stdout
    assert ran(night, "--cluster", "c2", "--since", "2026-03-03").stdout == "nothing happened since then\n"


def test_the_page(night: Night) -> None:
    """A person reads, of each commit, a paragraph: what, by whom, how far, and what was wrong."""
    text, did = ran(night).stdout, "1 changed (ManifestWorkReplicaSet fleet/web)"
    for line in (
        f"2026-03-01 21:01:00  {night.commits['Web 2'][:12]}  in force  Web 2 (Ann)",
        f"    60 s after it was committed; {did}; 3 of 3 clusters changed (c1, c2, c3)",
        "    failing on c3",
        f"    back to what {night.commits['Start'][:12]} had",
        "    works/web.yaml:9: unknown field 'sepc'",
        f"    {night.commits['Web 2'][:12]} stayed in force",
        f"    let past the rule weekend: urgent ({night.commits['Meant'][:12]})",
    ):
        assert line in text.splitlines()


@pytest.mark.parametrize(
    ("args", "said"),
    [
        (["--cluster", "c9"], "nothing was ever told of a cluster c9"),
        (["--object", "Placement/fleet/none"], "the history tells nothing of Placement/fleet/none"),
        (["--object", "web"], "'web' names no object"),
        (["--status-ref", "gone"], "has no gone that would tell of the fleet"),
        (["--since", "soon"], "neither a span like 2h"),
        (["--cluster", "c1", "--object", "a/b"], "either --cluster or --object"),
    ],
)
def test_what_cannot_be_told(night: Night, args: list[str], said: str) -> None:
    """A name nobody knows, a branch that is not there, a moment that is none: said, with what to do."""
    result = ran(night, *args)
    assert result.exception is not None
    assert said in str(result.exception)


def test_commits_that_are_gone_from_the_clone(night: Night, tmp_path: Path) -> None:
    """After a rewritten history the status branch still tells; of commits that are gone, only their ids."""
    clone = tmp_path / "clone"
    run(["git", "clone", "-q", "--no-local", str(night.bare), str(clone)], check=True)
    run(["git", "-C", str(clone), "checkout", "-q", "--detach", "origin/status"], check=True)
    run(["git", "-C", str(clone), "branch", "-q", "-D", "main"], check=True)
    run(["git", "-C", str(clone), "update-ref", "-d", "refs/remotes/origin/main"], check=True)
    run(["git", "-C", str(clone), "symbolic-ref", "-d", "refs/remotes/origin/HEAD"], check=True)
    run(["git", "-C", str(clone), "reflog", "expire", "--all", "--expire=now"], check=True)
    run(["git", "-C", str(clone), "gc", "-q", "--prune=now"], check=True)
    gone = Night(night.bare, clone, night.commits)
    text = ran(gone).stdout
    assert f"{night.commits['Web 2'][:12]}  in force  (not in this clone)" in text
    assert "3 of 3 clusters changed (c1, c2, c3)" in text


def test_a_clone_that_was_cut_off(night: Night, tmp_path: Path) -> None:
    """What a shallow clone cannot know is not made up: its oldest commits bring nothing in force."""
    clone = tmp_path / "clone"
    source = f"file://{night.bare}"
    run(["git", "clone", "-q", "--depth=5", "--no-single-branch", source, str(clone)], check=True)
    shallow = Night(night.bare, clone, night.commits)
    assert [entry["subject"] for entry in document(shallow)["entries"]] == ["Meant"]
    assert "older history is not in this clone (git fetch --unshallow)" in ran(shallow).stdout
    (entry,) = document(shallow)["entries"]
    assert entry == document(night)["entries"][0]
    told = [event["subject"] for event in document(shallow, "--cluster", "c2")["events"]]
    assert told == ["cluster", "cluster"]
