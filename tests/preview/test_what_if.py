"""`gitops-ocm preview`: labels that are assumed, a moment before the end, and a state told elsewhere."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import click
import pytest
from click.testing import CliRunner, Result

from gitops_ocm.apiserver.serve import serve
from gitops_ocm.cli.preview import preview
from gitops_ocm.errors import GitopsError
from gitops_ocm.kube.cluster import Cluster, PatchType
from gitops_ocm.kube.discovery import Mapper
from gitops_ocm.objects.ref import Object, kind_of, ref_of
from gitops_ocm.preview.state import LIVE, read_state
from gitops_ocm.preview.told import needed
from gitops_ocm.report.status_files import path_of
from gitops_ocm.report.yaml_text import to_yaml
from gitops_ocm.testing import objects as make
from gitops_ocm.testing.clusters import connected, memory
from gitops_ocm.testing.simulated import Fleet
from gitops_ocm.verbs.fleet_state import state_of
from gitops_ocm.verbs.preview import Reviewer
from tests.preview.clones import Clone, cloned, texts
from tests.preview.fleets import ordinary, repository, running, told

pytestmark = pytest.mark.slow

WEB = "works/web.yaml"
SLOWLY = {
    "type": "Progressive",
    "progressive": {"maxConcurrency": 2, "minSuccessTime": "5m", "progressDeadline": "10m"},
}


@pytest.fixture(scope="module")
def fleet() -> Fleet:
    """A fleet that runs the ordinary repository."""
    return running(repository(ordinary()))


@pytest.fixture(scope="module")
def status(fleet: Fleet) -> dict[str, bytes]:
    """Its status branch."""
    tree = told(fleet)
    return {path: tree.read(path) for path in tree.entries}


@pytest.fixture
def clone(tmp_path: Path, status: dict[str, bytes]) -> Clone:
    """A clone of it."""
    return cloned(tmp_path / "fleet", texts(ordinary()), status)


def shown(clone: Clone, *args: str) -> Result:
    """What the command prints, and how it ends."""
    result = CliRunner().invoke(preview, ["--repo", str(clone.path), *args], standalone_mode=False)
    if result.exception is not None:
        raise result.exception
    return result


def document(clone: Clone, *args: str) -> dict[str, Any]:
    """The preview as JSON."""
    found: dict[str, Any] = json.loads(shown(clone, "-o", "json", *args).stdout)
    return found


def _selected(found: dict[str, Any]) -> dict[str, tuple[list[str], list[str]]]:
    """Whom each placement gains and loses."""
    return {
        s["ref"]["name"]: (
            sorted(set(s["after"]) - set(s["before"])),
            sorted(set(s["before"]) - set(s["after"])),
        )
        for s in found["selections"]
    }


@pytest.mark.parametrize(
    ("words", "selected"),
    [
        (["c1:region=eu"], {"eu": (["c1"], [])}),
        (["c2:region-"], {"eu": ([], ["c2"])}),
        (["label=region=eu:region=us"], {"eu": ([], ["c2", "c4", "c6"])}),
        (["set=default:region=eu"], {"eu": (["c1", "c3", "c5"], [])}),
        (["c1:region=eu", "c2:region=us"], {"eu": (["c1"], ["c2"])}),
        (["c1:cluster.open-cluster-management.io/clusterset=other"], {"all": ([], ["c1"])}),
        (["c1:tier=t9"], {}),
    ],
    ids=lambda value: value[0] if isinstance(value, list) else "",
)
def test_labels(clone: Clone, words: list[str], selected: dict[str, tuple[list[str], list[str]]]) -> None:
    """Placements choose as if clusters had the labels: new ones, others, none, by name, label or set."""
    options = [part for word in words for part in ("--assume-label", word)]
    result = shown(clone, "-o", "json", *options)
    assert _selected(json.loads(result.stdout)) == selected
    assert result.return_value == 1
    assert any(words[0] in note for note in json.loads(result.stdout)["notes"])


def test_labels_come_first(clone: Clone) -> None:
    """Who fails may be said by a label that is assumed, of a cluster that comes with the change."""
    new = make.managed_cluster("c7", labels={"region": "ap"})
    clone.write({"clusters/c7/cluster.yaml": to_yaml(new), WEB: _slowly()})
    options = ("--assume-label", "c7:ring=0", "--assume-fail", "label=ring=0", "--assume-down", "c6")
    found = document(clone, *options)
    assert "c7" in [name for rollout in found["rollouts"] for name in rollout["failed"]]


def _slowly() -> str:
    found = make.replica_set("web", "fleet", ["all"], [make.config_map("web"), make.config_map("more")])
    found["spec"]["placementRefs"][0]["rolloutStrategy"] = SLOWLY
    return to_yaml(found)


@pytest.mark.parametrize(
    ("at", "reached", "waiting"),
    [("0s", 2, 4), ("4m", 2, 4), ("5m", 4, 2), ("9m59s", 4, 2), ("1h", 6, 0), ("1d", 6, 0)],
)
def test_at(clone: Clone, at: str, reached: int, waiting: int) -> None:
    """After some time a rollout has come as far as its waves say; who has not been reached is told."""
    clone.write({WEB: _slowly()})
    found = document(clone, "--at", at)
    (rollout,) = (r for r in found["rollouts"] if r["owner"]["name"] == "web")
    assert sum(len(wave["clusters"]) for wave in rollout["waves"]) == reached
    assert len(rollout["waiting"]) == waiting
    span = datetime.fromisoformat(found["until"]) - datetime.fromisoformat(found["now"])
    amount = {"s": "seconds", "m": "minutes", "h": "hours", "d": "days"}
    if at != "9m59s":
        assert span == timedelta(**{amount[at[-1]]: int(at[:-1])})


def test_at_with_clusters_under_way(clone: Clone) -> None:
    """Who takes time is under way, who fails has failed, and the others are not reached."""
    clone.write({WEB: _slowly()})
    found = document(clone, "--at", "2m", "--assume-takes", "3m", "--assume-fail", "c1")
    (rollout,) = (r for r in found["rollouts"] if r["owner"]["name"] == "web")
    assert (rollout["underWay"], rollout["failed"]) == (["c1", "c2"], [])
    later = document(clone, "--at", "4m", "--assume-takes", "3m", "--assume-fail", "c1")
    (rollout,) = (r for r in later["rollouts"] if r["owner"]["name"] == "web")
    assert rollout["failed"] == ["c1"]
    assert rollout["waiting"] == ["c3", "c4", "c5", "c6"]


LAYOUT = "apiVersion: config.gitops-ocm.io/v1alpha1\nkind: FleetRepository\npreview: {{assumeTakes: {}}}\n"


@pytest.mark.parametrize(
    ("committed", "changed", "options", "soaked"),
    [
        ("3m", "3m", (), 8),
        ("3m", "0s", (), 8),
        ("0s", "3m", (), 5),
        ("3m", "3m", ("--assume-takes", "0s"), 5),
        ("1m", "1m", ("--assume-takes", "3m"), 8),
    ],
)
def test_what_the_repository_says_of_its_clusters(
    clone: Clone, committed: str, changed: str, options: tuple[str, ...], soaked: int
) -> None:
    """How long clusters take is said by the commit in force, not by the change; an option goes first."""
    clone.commit({"gitops-ocm.yaml": LAYOUT.format(committed)})
    clone.write({WEB: _slowly(), "gitops-ocm.yaml": LAYOUT.format(changed)})
    found = document(clone, *options)
    (rollout,) = (r for r in found["rollouts"] if r["owner"]["name"] == "web")
    span = datetime.fromisoformat(rollout["waves"][0]["soaked"]) - datetime.fromisoformat(found["now"])
    assert span == timedelta(minutes=soaked)


@pytest.mark.parametrize(
    "options",
    [
        ("--at", "soon"),
        ("--at", "-5m"),
        ("--at", "8d"),
        ("--at", ""),
        ("--assume-takes", "-1s"),
        ("--assume-takes", "5"),
        ("--state", ".", "--live"),
        ("--status-ref", "status", "--state", "."),
        ("--kubeconfig", "hub.kubeconfig"),
        ("--context", "hub"),
        ("--cluster", "c1", "-o", "html"),
    ],
    ids=" ".join,
)
def test_options_that_cannot_be(clone: Clone, options: tuple[str, ...]) -> None:
    """Malformed times, two sources of state, and options without their sense are refused as such."""
    with pytest.raises(click.UsageError):
        shown(clone, *options)


@pytest.mark.parametrize(
    ("option", "word", "message"),
    [
        ("--assume-label", "c1", "does not say who has which label"),
        ("--assume-label", "c1:", "does not say who has which label"),
        ("--assume-label", ":env=prod", "does not say who has which label"),
        ("--assume-label", "c1:env=not a value", "is no label: a valid label must be"),
        ("--assume-label", "c1:-", "is no label: name part must be non-empty"),
        ("--assume-label", "c9:env=prod", "'c9' is none of the fleet's clusters"),
        ("--assume-down", "set=nowhere", "'set=nowhere' is none of the fleet's clusters"),
        ("--assume-fail", "label=region=ap", "'label=region=ap' is none of the fleet's clusters"),
        ("--status-ref", "nowhere", "has no nowhere that would tell of the fleet"),
        ("--status-ref", "main", "main holds what the fleet is to be, not what it is"),
        ("--state", "/nowhere", "there is no folder /nowhere"),
        ("--kubeconfig", "/nowhere", "/nowhere"),
    ],
)
def test_what_is_not_there(clone: Clone, option: str, word: str, message: str) -> None:
    """Words that name nothing are told with what to do; nothing is previewed instead."""
    options = ("--live",) if option == "--kubeconfig" else ()
    with pytest.raises(GitopsError, match=message) as refused:
        shown(clone, option, word, *options)
    assert refused.value.hint


def test_files_of_a_state(clone: Clone, status: dict[str, bytes], tmp_path: Path) -> None:
    """The files of the status branch on disk tell the same as the branch; other folders tell nothing."""
    for path, data in status.items():
        (tmp_path / "state" / path).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / "state" / path).write_bytes(data)
    clone.write({WEB: _slowly()})
    branch, files = document(clone), document(clone, "--state", str(tmp_path / "state"))
    assert (files["state"], files["notes"][0]) == (
        "files",
        f"the fleet's state is what files in {tmp_path / 'state'} tell",
    )
    for part in ("effects", "selections", "clusters", "verdict", "exitStatus"):
        assert files[part] == branch[part]
    (tmp_path / "empty").mkdir()
    with pytest.raises(GitopsError, match="holds no file of a status branch"):
        shown(clone, "--state", str(tmp_path / "empty"))


async def _put(hub: Cluster, objects: list[Object]) -> None:
    """Make objects as they are, their status included."""
    mapper = Mapper(hub)
    for obj in objects:
        resource = await mapper.resource_of(kind_of(obj), obj["apiVersion"].rpartition("/")[2])
        assert resource is not None
        meta = {key: obj["metadata"][key] for key in _KEPT if key in obj["metadata"]}
        made = await hub.create(resource, {**obj, "metadata": meta}, field_manager="test")
        if obj.get("status"):
            where = (made["metadata"].get("namespace", ""), made["metadata"]["name"])
            body = {"status": obj["status"]}
            await hub.patch(
                resource, *where, body, type=PatchType.MERGE, subresource="status", field_manager="test"
            )


_KEPT = ("name", "namespace", "labels", "annotations")


def _objects(fleet: Fleet) -> list[Object]:
    """What a hub has to hold for its state to be told, namespaces first."""
    spaces = {obj["metadata"].get("namespace", "") for obj in fleet.hub.all()} - {"", "default"}
    return [make.namespace(name) for name in sorted(spaces)] + [
        obj for obj in fleet.hub.all() if path_of(ref_of(obj)) or kind_of(obj).kind == "PlacementDecision"
    ]


@pytest.fixture
async def hub(fleet: Fleet) -> AsyncIterator[Cluster]:
    """A hub with the fleet's objects, and nobody who works on it."""
    async with memory() as cluster:
        await _put(cluster, _objects(fleet))
        yield cluster


async def test_a_hub_tells_what_its_status_branch_tells(hub: Cluster, fleet: Fleet) -> None:
    """The state read from a hub is that of the branch, and works made on the hub have their manifests."""
    branch, live = read_state(told(fleet)), await state_of(hub)
    assert live.commit == LIVE
    assert live.objects.keys() == branch.objects.keys()
    assert any("spec" in obj for ref, obj in live.objects.items() if ref.kind == "ManifestWork")
    for ref, obj in branch.objects.items():
        assert _comparable(needed(live.objects[ref])) == _comparable(obj), str(ref)


def _comparable(told: Object) -> Object:
    """Without when it was made, which was another time here, and without what works hold."""
    meta = {key: value for key, value in told["metadata"].items() if key != "creationTimestamp"}
    spec = {} if told["kind"] == "ManifestWork" else {"spec": told.get("spec")}
    return {**{key: value for key, value in told.items() if key != "spec"}, "metadata": meta, **spec}


async def test_live(clone: Clone, fleet: Fleet, tmp_path: Path) -> None:
    """`--live` asks a hub, by whose state the same change comes to the same; nothing is written."""
    clone.write({WEB: _slowly()})
    async with serve(tmp_path / "hub") as server, connected(server.kubeconfig_path) as cluster:
        await _put(cluster, _objects(fleet))
        before = await state_of(cluster)
        options = ("--live", "--kubeconfig", str(server.kubeconfig_path))
        live = await asyncio.to_thread(document, clone, *options)
        assert await state_of(cluster) == before
    branch = document(clone)
    assert live["notes"][0] == "the fleet's state is what the hub has now"
    assert live["state"] == "live"
    for part in ("effects", "selections", "clusters", "verdict", "exitStatus"):
        assert live[part] == branch[part]


def test_a_preview_is_repeatable(clone: Clone) -> None:
    """The same commits at the same time give the same preview, whatever was previewed before."""
    clone.write({WEB: _slowly()})
    now = datetime(2026, 1, 1, tzinfo=UTC)
    with Reviewer(clone.path) as reviewer:
        first = reviewer.review("", now=now)
        assert reviewer.review("", now=now) == first
    with Reviewer(clone.path) as reviewer:
        assert reviewer.review("", now=now) == first
