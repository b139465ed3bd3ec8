"""Previews made by hand, for the page alone: a fleet of any size, and one whose every text is hostile."""

from __future__ import annotations

from dataclasses import fields, is_dataclass, replace
from datetime import UTC, datetime, timedelta
from typing import Any

from gitops_ocm.errors import Diagnostic, Location, Severity
from gitops_ocm.objects.diff import ABSENT, Difference
from gitops_ocm.objects.ref import Ref
from gitops_ocm.preview.model import (
    Act,
    AddOnConfig,
    Effect,
    OnCluster,
    Preview,
    Rollout,
    Ruling,
    Selection,
    Share,
    Turn,
    Value,
    Verdict,
    Wave,
)

NOW = datetime(2026, 1, 5, 9, 30, tzinfo=UTC)
REGIONS = ("eu-central", "eu-west", "us-east", "us-west", "ap-south")
WORK_GROUP = "work.open-cluster-management.io"
ADDON_GROUP = "addon.open-cluster-management.io"


def fleet(clusters: int, rollouts: int = 2, objects: int = 12) -> Preview:
    """A change that touches a whole fleet of so many clusters, with all there is to say of it."""
    names = [f"{REGIONS[number % len(REGIONS)]}-{number // len(REGIONS) + 1}" for number in range(clusters)]
    names.sort()
    rolled = tuple(_rollout(number, names) for number in range(rollouts))
    return Preview(
        base="b" * 40,
        head="a" * 40,
        state="5" * 40,
        now=NOW,
        fleet=clusters,
        effects=tuple(map(_object, range(objects))),
        selections=(_selection(names),),
        clusters=tuple(_on_cluster(number, name) for number, name in enumerate(names)),
        rollouts=rolled,
        diagnostics=(
            Diagnostic(
                "unbound-set",
                "no binding lets this namespace use the cluster set",
                Location("hub/placements.yaml", 18),
                "Placement apps/prod",
                hint="bind it: hub/bindings.yaml",
                severity=Severity.WARNING,
            ),
        ),
        notes=("assumed: all clusters apply what they are given at once, and it goes well",),
        shares=(
            Share("", clusters, clusters, max(1, clusters // 10)),
            *(
                Share(region, sum(n.startswith(region) for n in names), clusters // 5 + 1)
                for region in REGIONS
            ),
        ),
        rulings=(
            Ruling("deletions", Verdict.ALLOWED, "0 of 400 objects deleted", Location("gitops-ocm.yaml", 12)),
            Ruling("weekend", Verdict.OVERRIDDEN, "frozen", Location("gitops-ocm.yaml", 20), "#12", "c" * 40),
        ),
        state_at=NOW - timedelta(minutes=4),
    )


def _object(number: int) -> Effect:
    acts = (Act.CHANGE, Act.CREATE, Act.DELETE, Act.MOVE)
    changed = (
        Difference("spec.manifestWorkTemplate.spec.replicas", number, number + 1),
        Difference("spec.manifestWorkTemplate.data[nginx.conf]", "a\nb\nc\nd\n", "a\nb\nx\nd\n"),
    )
    act = acts[number % len(acts)]
    ref = Ref(WORK_GROUP, "ManifestWorkReplicaSet", "apps", f"web-{number}")
    return Effect(ref, act, Location(f"works/web-{number}.yaml", 1), changed if act is Act.CHANGE else ())


def _selection(names: list[str]) -> Selection:
    ref = Ref("cluster.open-cluster-management.io", "Placement", "apps", "prod")
    new = names[::7]
    turns = tuple(Turn(n, True, "label env=prod is new", Location("clusters.yaml", 7)) for n in new)
    kept = tuple(name for name in names if name not in set(new))
    return Selection(ref, kept, tuple(names), turns=turns, origin=Location("hub/placements.yaml", 18))


def _on_cluster(number: int, name: str) -> OnCluster:
    owner = Ref(WORK_GROUP, "ManifestWorkReplicaSet", "apps", "web")
    image = Difference("spec.workload.manifests[Deployment shop/web].image", "web:1.27", "web:1.28")
    own = Difference("metadata.labels[rack]", ABSENT, f"rack-{number}")
    effects = [
        Effect(
            Ref(WORK_GROUP, "ManifestWork", name, f"web-{number}"), Act.CHANGE, fields=(image,), owner=owner
        )
    ]
    if number % 9 == 0:
        effects.append(Effect(Ref(WORK_GROUP, "ManifestWork", name, "old"), Act.DELETE))
    if number % 5 == 0:
        ref = Ref("cluster.open-cluster-management.io", "ManagedCluster", "", name)
        effects.append(Effect(ref, Act.CHANGE, Location(f"clusters/{name}.yaml", 1), (own,)))
    config = AddOnConfig(
        "logs",
        (
            Value(
                Ref(ADDON_GROUP, "AddOnDeploymentConfig", "apps", "logs"),
                "customizedVariables[LEVEL]",
                "info",
                "debug",
                "default",
                "placement apps/prod",
                Location("addons/logs.yaml", 4),
                Location("addons/logs.yaml", 9),
            ),
        ),
    )
    return OnCluster(name, tuple(effects), (config,) if number % 7 == 0 else (), (name.rsplit("-", 1)[0],))


def _rollout(number: int, names: list[str]) -> Rollout:
    """Ten waves or fewer; every third rollout stops in the middle."""
    size = max(1, len(names) // 10)
    stops = number % 3 == 1
    soak = timedelta(minutes=5 * (number % 4 + 1))
    chunks = [names[at : at + size] for at in range(0, len(names), size)]
    reached = chunks[: len(chunks) // 2] if stops else chunks
    waves = tuple(
        Wave(
            NOW + soak * at,
            tuple(chunk),
            ("canary",) if at == 0 else (),
            NOW + soak * (at + 1),
            NOW + soak * (at + 3),
        )
        for at, chunk in enumerate(reached)
    )
    waiting = tuple(name for chunk in chunks[len(reached) :] for name in chunk)
    return Rollout(
        Ref(WORK_GROUP, "ManifestWorkReplicaSet", "apps", f"web-{number}"),
        waves,
        waiting,
        "stopped: 2 clusters failed, at most 1 may" if stops else "",
        f"Progressive, {size} at once, soak {soak.seconds // 60}m",
        failed=tuple(reached[-1][:2]) if stops and reached else (),
        end=None if stops else NOW + soak * len(waves),
        origin=Location("works/web.yaml", 1),
        placement="apps/prod",
        kind="Progressive",
        soak=soak,
    )


# Hostile

HOSTILE = (
    "</script><script>window.hacked=1</script><img src=x onerror=window.hacked=1>"
    "\"'><svg onload=window.hacked=1><!--<script>{{7*7}}${7*7}`\u2028\u202ereversed\u0000"
    "<style>*{display:none}</style><a href=javascript:window.hacked=1>"
    "<link rel=stylesheet href=http://127.0.0.1:9/x><iframe src=http://127.0.0.1:9/y></iframe>&lt;"
)


def hostile() -> Preview:
    """A preview of three clusters in which every text that a stranger may write is an attack."""
    found: Preview = _poisoned(fleet(3, rollouts=3, objects=9))
    return replace(found, base="b" * 40, head="a" * 40, state="5" * 40)


def _poisoned(value: Any) -> Any:
    """The same, with an attack behind every text; values stay unequal where they were."""
    if isinstance(value, (Act, Verdict, Severity)) or value is ABSENT:
        return value
    if isinstance(value, str):
        return value + HOSTILE if value else value
    if isinstance(value, Ref):
        return Ref(*(_poisoned(part) for part in value))
    if isinstance(value, tuple):
        return tuple(map(_poisoned, value))
    if is_dataclass(value) and not isinstance(value, type):
        return replace(value, **{f.name: _poisoned(getattr(value, f.name)) for f in fields(value)})
    return value
