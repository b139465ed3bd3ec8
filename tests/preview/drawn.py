"""Random fleets and random changes of them, the same for the same number.

    case = drawn(7)
    case.files          what the repository has at first
    case.meanwhile      a commit that is still spreading when the change is reviewed (None: at rest)
    case.head           what the change makes of it

A fleet is a few clusters (in sets or not, tainted, not let in, gone silent, with claims), sets and bindings,
placements with all they can have, replica sets with every rollout strategy, add-ons configured on three
levels, works by hand. `changes` knows how people edit those.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from random import Random
from typing import Any

from gitops_ocm.objects.ref import Object
from gitops_ocm.testing import objects as make

ADDON, CLUSTER = make.ADDON, make.CLUSTER
HOME = "fleet"
NAMES = ("c1", "c2", "c3", "c4", "c5", "c6", "c7")
ENVIRONMENTS, TIERS, REGIONS = ("prod", "dev"), ("gold", "silver"), ("eu", "us")
SETS = ("default", "blue", "green")
Files = dict[str, list[Object]]


@dataclass
class Case:
    """One fleet, its repository, and a change. `silent` clusters have joined once, and do not answer."""

    seed: int
    files: Files
    head: Files
    meanwhile: Files | None
    pause: int
    claims: Mapping[str, Mapping[str, str]]
    silent: frozenset[str]
    guarded: bool
    edits: list[str] = field(default_factory=list)


def fleet_of(pick: Random) -> Files:
    """A repository."""
    names = NAMES[: pick.randint(2, len(NAMES) - 1)]
    files: Files = {f"clusters/{name}/cluster.yaml": [cluster(pick, name)] for name in names}
    files["hub/sets.yaml"] = [
        make.namespace(HOME),
        make.cluster_set("blue"),
        make.cluster_set("green", {"matchLabels": {"tier": pick.choice(TIERS)}}),
        *(make.binding(name, HOME) for name in SETS if pick.random() < 0.85),
    ]
    for number in range(1, pick.randint(2, 4)):
        files[f"hub/p{number}.yaml"] = [placement(pick, f"p{number}")]
    for number in range(1, pick.randint(2, 4)):
        files[f"works/w{number}.yaml"] = [replica_set(pick, f"w{number}", placements(files))]
    for name in names:
        if pick.random() < 0.3:
            files[f"works/{name}.yaml"] = [work(pick, "own", name)]
    if pick.random() < 0.7:
        files["hub/addons/configs.yaml"] = [deployment_config(pick, f"d{n}") for n in range(3)]
        files["hub/addons/a1.yaml"] = add_on(pick, "a1", placements(files))
        if pick.random() < 0.4:
            files["hub/addons/a2.yaml"] = add_on(pick, "a2", placements(files))
        for name in names:
            if pick.random() < 0.2:
                files[f"hub/addons/{name}.yaml"] = [add_on_by_hand(pick, "a1", name)]
    return files


def placements(files: Files) -> list[str]:
    """The names of a repository's placements."""
    return [o["metadata"]["name"] for objects in files.values() for o in objects if o["kind"] == "Placement"]


def cluster(pick: Random, name: str) -> Object:
    """A cluster with labels, in a set or in none, that may be tainted or not let in."""
    labels = {"env": pick.choice(ENVIRONMENTS), "region": pick.choice(REGIONS)}
    if pick.random() < 0.7:
        labels["tier"] = pick.choice(TIERS)
    effects = ("NoSelect", "NoSelectIfNew", "PreferNoSelect")
    taints = [{"key": "old", "value": "x", "effect": pick.choice(effects)}] if pick.random() < 0.15 else []
    made = make.managed_cluster(
        name,
        accepted=pick.random() < 0.93,
        cluster_set=pick.choice(("default", "default", "blue", "")),
        labels=labels,
        taints=taints,
    )
    made["spec"]["leaseDurationSeconds"] = 3600  # Hours pass; heartbeats are not what is looked at here.
    return made


def placement(pick: Random, name: str) -> Object:
    """A placement with predicates, limits, tolerations, prioritizers and groups, or without."""
    spec: dict[str, Any] = {}
    if pick.random() < 0.25:
        spec["clusterSets"] = pick.sample(SETS, pick.randint(1, 2))
    if pick.random() < 0.35:
        spec["numberOfClusters"] = pick.randint(0, 4)
    if pick.random() < 0.5:
        spec["predicates"] = [{"requiredClusterSelector": _selector(pick)}]
    if pick.random() < 0.4:
        spec["prioritizerPolicy"] = _policy(pick)
    if pick.random() < 0.4:
        spec["tolerations"] = [_toleration(pick)]
    if pick.random() < 0.5:
        spec["decisionStrategy"] = {"groupStrategy": _groups(pick)}
    return make.placement(name, HOME, **spec)


def _expression(pick: Random, values: Mapping[str, Sequence[str]]) -> Object:
    key = pick.choice(sorted(values))
    operator = pick.choice(("In", "NotIn", "Exists"))
    if operator == "Exists":
        return {"key": key, "operator": operator}
    return {"key": key, "operator": operator, "values": [pick.choice(values[key])]}


LABELS = {"env": ENVIRONMENTS, "tier": TIERS, "region": REGIONS}
CLAIMS = {"zone": ("a", "b"), "id.k8s.io": ("id-c1", "id-c3")}
CEL = (
    'managedCluster.metadata.labels["env"] == "prod"',
    'managedCluster.status.clusterClaims.exists(c, c.name == "zone" && c.value == "a")',
    "managedCluster.spec.?taints.orValue([]).size() == 0",
)


def _selector(pick: Random) -> Object:
    ways: list[Object] = [
        {"labelSelector": {"matchExpressions": [_expression(pick, LABELS)]}},
        {"claimSelector": {"matchExpressions": [_expression(pick, CLAIMS)]}},
        {"celSelector": {"celExpressions": [pick.choice(CEL)]}},
    ]
    return pick.choices(ways, (3, 1, 1))[0]


WEIGHTS: Mapping[str, Sequence[int]] = {
    # Who would rather have other clusters than those that are chosen never comes to rest.
    "Balance": (-2, 1, 3),
    "Steady": (1, 3),
    "ResourceAllocatableCPU": (-2, 1, 3),
    "ResourceAllocatableMemory": (-2, 1, 3),
}


def _policy(pick: Random) -> Object:
    chosen = pick.sample(sorted(WEIGHTS), pick.randint(1, 3))
    return {
        "mode": pick.choice(("Additive", "Exact")),
        "configurations": [
            {"scoreCoordinate": {"type": "BuiltIn", "builtIn": name}, "weight": pick.choice(WEIGHTS[name])}
            for name in chosen
        ],
    }


def _toleration(pick: Random) -> Object:
    if pick.random() < 0.5:
        return {"operator": "Exists"}
    return {"key": pick.choice(("old", f"{CLUSTER}/unreachable")), "operator": "Exists"}


def _groups(pick: Random) -> Object:
    made: Object = {}
    if pick.random() < 0.7:
        made["clustersPerDecisionGroup"] = pick.choice((1, 2, "34%", "50%"))
    if pick.random() < 0.6 or not made:
        selector = {"labelSelector": {"matchExpressions": [_expression(pick, LABELS)]}}
        made["decisionGroups"] = [{"groupName": "canary", "groupClusterSelector": selector}]
    return made


def strategy(pick: Random) -> Object | None:
    """A rollout strategy of any type, or none."""
    soak, limit = pick.choice(("0s", "1m", "5m")), pick.choice(("None", "10m", "3m"))
    common: dict[str, Any] = {"minSuccessTime": soak, "progressDeadline": limit}
    if pick.random() < 0.3:
        common["maxFailures"] = pick.choice((1, "50%"))
    if pick.random() < 0.3:
        common["mandatoryDecisionGroups"] = [pick.choice(({"groupName": "canary"}, {"groupIndex": 0}))]
    match pick.choice(("", "All", "Progressive", "Progressive", "ProgressivePerGroup")):
        case "":
            return None
        case "All":
            return {"type": "All", "all": {"progressDeadline": limit}}
        case "Progressive":
            size = pick.choice((1, 2, "40%", None))
            sized = common if size is None else {**common, "maxConcurrency": size}
            return {"type": "Progressive", "progressive": sized}
    return {"type": "ProgressivePerGroup", "progressivePerGroup": common}


def reference(pick: Random, name: str) -> Object:
    """A replica set's reference to a placement."""
    found = strategy(pick)
    return {"name": name} if found is None else {"name": name, "rolloutStrategy": found}


def template(pick: Random) -> Object:
    """What a work holds; every one its own."""
    value = str(pick.randrange(10**6))
    manifests = [make.config_map("app", data={"version": value})]
    if pick.random() < 0.4:
        manifests.append(make.deployment("web", image=f"example.com/web:{value}"))
    if pick.random() < 0.2:
        manifests.append(make.namespace(f"n{value}"))
    return {"workload": {"manifests": manifests}}


def replica_set(pick: Random, name: str, known: Sequence[str]) -> Object:
    """A replica set over one placement or two."""
    chosen = pick.sample(list(known), min(len(known), pick.choice((1, 1, 2))))
    made = make.replica_set(name, HOME, [], [])
    refs = [reference(pick, placement) for placement in chosen]
    made["spec"] = {"placementRefs": refs, "manifestWorkTemplate": template(pick)}
    if pick.random() < 0.2:
        made["spec"]["cascadeDeletionPolicy"] = pick.choice(("Background", "Foreground"))
    return made


def work(pick: Random, name: str, cluster: str) -> Object:
    """A work that a person wrote."""
    return make.manifest_work(name, cluster, template(pick)["workload"]["manifests"])


def deployment_config(pick: Random, name: str) -> Object:
    """An AddOnDeploymentConfig with a value of its own."""
    return {
        "apiVersion": f"{ADDON}/v1alpha1",
        "kind": "AddOnDeploymentConfig",
        "metadata": {"name": name, "namespace": HOME},
        "spec": {"customizedVariables": [{"name": "VERSION", "value": str(pick.randrange(10**6))}]},
    }


CONFIGS = {"group": ADDON, "resource": "addondeploymentconfigs"}
TEMPLATES = {"group": ADDON, "resource": "addontemplates"}


def _config(pick: Random) -> Object:
    names = ("d0", "d1", "d2", "d2", "missing")
    return {**CONFIGS, "namespace": HOME, "name": pick.choice(names)}


def _supported(config: Object) -> Object:
    """A kind of configuration that an add-on takes, with one of it for all clusters if that is named."""
    kind = {key: config[key] for key in CONFIGS}
    default = {key: value for key, value in config.items() if key not in kind}
    return {**kind, "defaultConfig": default} if default else kind


def add_on_template(pick: Random, name: str) -> Object:
    """An AddOnTemplate that deploys one ConfigMap."""
    inner = {"workload": {"manifests": [make.config_map(name, data={"version": "{{VERSION}}"})]}}
    inner["workload"]["manifests"][0]["data"]["own"] = str(pick.randrange(10**6))
    if pick.random() < 0.4:
        inner["workload"]["manifests"].append(make.deployment(name, image="example.com/agent:{{VERSION}}"))
    return {
        "apiVersion": f"{ADDON}/v1alpha1",
        "kind": "AddOnTemplate",
        "metadata": {"name": f"{name}-template"},
        "spec": {"addonName": name, "agentSpec": inner},
    }


def add_on(pick: Random, name: str, known: Sequence[str]) -> list[Object]:
    """An add-on made of a template, by placements or by hand."""
    supported = [_supported({**TEMPLATES, "name": f"{name}-template"})]
    if pick.random() < 0.9:
        supported.append(_supported(_config(pick) if pick.random() < 0.8 else CONFIGS))
    strategies: Object = {"type": "Manual"}
    if known and pick.random() < 0.8:
        chosen = pick.sample(list(known), min(len(known), pick.choice((1, 2))))
        strategies = {"type": "Placements", "placements": [_entry(pick, p) for p in chosen]}
    spec = {"supportedConfigs": supported, "installStrategy": strategies}
    cma = {
        "apiVersion": f"{ADDON}/v1alpha1",
        "kind": "ClusterManagementAddOn",
        "metadata": {"name": name},
        "spec": spec,
    }
    return [add_on_template(pick, name), cma]


def _entry(pick: Random, placement: str) -> Object:
    entry: Object = {"namespace": HOME, "name": placement}
    if pick.random() < 0.5:
        entry["configs"] = [_config(pick)]
    if (way := strategy(pick)) is not None:
        entry["rolloutStrategy"] = way
    return entry


def add_on_by_hand(pick: Random, name: str, cluster: str) -> Object:
    """A ManagedClusterAddOn in Git, with configuration of its own or without."""
    spec = {"configs": [_config(pick)]} if pick.random() < 0.5 else {}
    return {
        "apiVersion": f"{ADDON}/v1alpha1",
        "kind": "ManagedClusterAddOn",
        "metadata": {"name": name, "namespace": cluster},
        "spec": spec,
    }
