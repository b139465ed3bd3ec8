"""How people edit a fleet's repository: each function makes one edit, and says in words what it did.

`drawn(seed)` puts a fleet and a few of them together.
"""

from __future__ import annotations

import copy
from collections.abc import Callable
from random import Random

from gitops_ocm.desired.compile import compile_tree
from gitops_ocm.desired.tree import memory_tree
from gitops_ocm.objects.ref import Object
from gitops_ocm.report.yaml_text import to_yaml
from gitops_ocm.testing import objects as make
from tests.preview import drawn as draw
from tests.preview.drawn import Case, Files
from tests.preview.fleets import CATALOG

SET_LABEL = f"{draw.CLUSTER}/clusterset"
Edit = Callable[[Random, Files], str]


def _objects(files: Files, kind: str) -> list[Object]:
    return [obj for path in sorted(files) for obj in files[path] if obj["kind"] == kind]


def _one(pick: Random, files: Files, kind: str) -> Object | None:
    found = _objects(files, kind)
    return pick.choice(found) if found else None


def _drop(files: Files, obj: Object) -> None:
    for path in list(files):
        files[path] = [other for other in files[path] if other is not obj]
        if not files[path]:
            del files[path]


def relabel(pick: Random, files: Files) -> str:
    """A cluster's label, set, taints or acceptance."""
    if (found := _one(pick, files, "ManagedCluster")) is None:
        return "nothing"
    labels, name = found["metadata"]["labels"], found["metadata"]["name"]
    match pick.choice(("label", "label", "set", "taint", "accept")):
        case "label":
            key = pick.choice(sorted(draw.LABELS))
            labels[key] = pick.choice(draw.LABELS[key])
            return f"{name}: {key}={labels[key]}"
        case "set":
            labels[SET_LABEL] = pick.choice(("default", "blue"))
            return f"{name}: set {labels[SET_LABEL]}"
        case "taint":
            if found["spec"].get("taints") and pick.random() < 0.5:
                del found["spec"]["taints"]
                return f"{name}: no taints"
            effect = pick.choice(("NoSelect", "NoSelectIfNew", "PreferNoSelect"))
            taints = [{"key": "old", "value": "x", "effect": effect}]
            found["spec"]["taints"] = taints
            return f"{name}: taints {taints}"
    found["spec"]["hubAcceptsClient"] = not found["spec"]["hubAcceptsClient"]
    return f"{name}: accepted {found['spec']['hubAcceptsClient']}"


def cluster_comes(pick: Random, files: Files) -> str:
    """A cluster that was not there."""
    there = {obj["metadata"]["name"] for obj in _objects(files, "ManagedCluster")}
    free = [name for name in draw.NAMES if name > max(there, default="")]
    if not free:
        return "nothing"
    files[f"clusters/{free[0]}/cluster.yaml"] = [draw.cluster(pick, free[0])]
    return f"{free[0]} comes"


def cluster_goes(pick: Random, files: Files) -> str:
    """A cluster with what is in Git for it."""
    if len(there := _objects(files, "ManagedCluster")) < 2:
        return "nothing"
    found = pick.choice(there[:-1])
    name = found["metadata"]["name"]
    for obj in [o for kind in ("ManifestWork", "ManagedClusterAddOn") for o in _objects(files, kind)]:
        if obj["metadata"].get("namespace") == name:
            _drop(files, obj)
    _drop(files, found)
    return f"{name} goes"


def placement_edited(pick: Random, files: Files) -> str:
    """Another spec for a placement."""
    if (found := _one(pick, files, "Placement")) is None:
        return "nothing"
    found["spec"] = draw.placement(pick, "p")["spec"]
    return f"placement {found['metadata']['name']}: {found['spec']}"


def placement_comes_or_goes(pick: Random, files: Files) -> str:
    """A placement more, or one less."""
    found = _one(pick, files, "Placement")
    if found is not None and pick.random() < 0.5:
        _drop(files, found)
        return f"placement {found['metadata']['name']} goes"
    files["hub/p9.yaml"] = [draw.placement(pick, "p9")]
    return "placement p9 comes"


def template_edited(pick: Random, files: Files) -> str:
    """Another template for a replica set."""
    if (found := _one(pick, files, "ManifestWorkReplicaSet")) is None:
        return "nothing"
    found["spec"]["manifestWorkTemplate"] = draw.template(pick)
    return f"replica set {found['metadata']['name']}: template"


def references_edited(pick: Random, files: Files) -> str:
    """Other placements, or another strategy, for a replica set."""
    known = draw.placements(files)
    if (found := _one(pick, files, "ManifestWorkReplicaSet")) is None or not known:
        return "nothing"
    found["spec"]["placementRefs"] = draw.replica_set(pick, "w", known)["spec"]["placementRefs"]
    return f"replica set {found['metadata']['name']}: {found['spec']['placementRefs']}"


def replica_set_comes_or_goes(pick: Random, files: Files) -> str:
    """A replica set more, or one less."""
    found = _one(pick, files, "ManifestWorkReplicaSet")
    if found is not None and pick.random() < 0.5:
        _drop(files, found)
        return f"replica set {found['metadata']['name']} goes"
    if not (known := draw.placements(files)):
        return "nothing"
    files["works/w9.yaml"] = [draw.replica_set(pick, "w9", known)]
    return "replica set w9 comes"


def work_edited(pick: Random, files: Files) -> str:
    """A work by hand: another one, a new one, or none."""
    found = _one(pick, files, "ManifestWork")
    if found is not None and pick.random() < 0.4:
        _drop(files, found)
        return f"work of {found['metadata']['namespace']} goes"
    if found is not None and pick.random() < 0.6:
        found["spec"] = draw.template(pick)
        return f"work of {found['metadata']['namespace']} edited"
    if (cluster := _one(pick, files, "ManagedCluster")) is None:
        return "nothing"
    name = cluster["metadata"]["name"]
    files[f"works/{name}-more.yaml"] = [draw.work(pick, "more", name)]
    return f"work for {name} comes"


def sets_edited(pick: Random, files: Files) -> str:
    """A binding comes or goes, or a set has another selector."""
    if pick.random() < 0.4 and (found := _green(files)) is not None:
        selector = {"matchLabels": {"region": pick.choice(draw.REGIONS)}}
        found["spec"]["clusterSelector"]["labelSelector"] = selector
        return f"set green: {selector}"
    if (bound := _one(pick, files, "ManagedClusterSetBinding")) is not None and pick.random() < 0.6:
        _drop(files, bound)
        return f"binding {bound['metadata']['name']} goes"
    there = {obj["metadata"]["name"] for obj in _objects(files, "ManagedClusterSetBinding")}
    free = [name for name in draw.SETS if name not in there]
    if not free:
        return "nothing"
    files["hub/binding.yaml"] = [make.binding(free[0], draw.HOME)]
    return f"binding {free[0]} comes"


def _green(files: Files) -> Object | None:
    found = [o for o in _objects(files, "ManagedClusterSet") if o["metadata"]["name"] == "green"]
    return found[0] if found else None


def config_edited(pick: Random, files: Files) -> str:
    """An add-on's configuration or template has other content, or goes."""
    kind = pick.choice(("AddOnDeploymentConfig", "AddOnDeploymentConfig", "AddOnTemplate"))
    if (found := _one(pick, files, kind)) is None:
        return "nothing"
    name = found["metadata"]["name"]
    if kind == "AddOnTemplate":
        found["spec"] = draw.add_on_template(pick, found["spec"]["addonName"])["spec"]
    elif pick.random() < 0.2:
        _drop(files, found)
        return f"{kind} {name} goes"
    else:
        found["spec"] = draw.deployment_config(pick, name)["spec"]
    return f"{kind} {name} edited"


def add_on_edited(pick: Random, files: Files) -> str:
    """An add-on is installed or configured otherwise, comes or goes."""
    found = _one(pick, files, "ClusterManagementAddOn")
    if found is None:
        files["hub/addons/a3.yaml"] = draw.add_on(pick, "a3", draw.placements(files))
        return "add-on a3 comes"
    name = found["metadata"]["name"]
    if pick.random() < 0.15:
        _drop(files, found)
        return f"add-on {name} goes"
    templated = any(o["spec"]["addonName"] == name for o in _objects(files, "AddOnTemplate"))
    new = draw.add_on(pick, name, draw.placements(files))[-1]["spec"]
    if not templated:
        new["supportedConfigs"] = [c for c in new["supportedConfigs"] if c["resource"] != "addontemplates"]
    found["spec"] = new
    return f"add-on {name}: {new}"


def add_on_by_hand(pick: Random, files: Files) -> str:
    """A ManagedClusterAddOn in Git comes, changes or goes."""
    found = _one(pick, files, "ManagedClusterAddOn")
    if found is not None and pick.random() < 0.5:
        _drop(files, found)
        return f"add-on {found['metadata']['namespace']} by hand goes"
    cluster = _one(pick, files, "ManagedCluster")
    if cluster is None or _one(pick, files, "ClusterManagementAddOn") is None:
        return "nothing"
    name = cluster["metadata"]["name"]
    files[f"hub/addons/{name}.yaml"] = [draw.add_on_by_hand(pick, "a1", name)]
    return f"add-on on {name} by hand"


EDITS: tuple[tuple[Edit, int], ...] = (
    (relabel, 5),
    (cluster_comes, 2),
    (cluster_goes, 2),
    (placement_edited, 4),
    (placement_comes_or_goes, 2),
    (template_edited, 5),
    (references_edited, 3),
    (replica_set_comes_or_goes, 2),
    (work_edited, 3),
    (sets_edited, 2),
    (config_edited, 3),
    (add_on_edited, 2),
    (add_on_by_hand, 2),
)


def edited(pick: Random, files: Files, count: int) -> tuple[Files, list[str]]:
    """The files after so many edits that the sync would take, and what these were."""
    edits, weights = zip(*EDITS, strict=True)
    while True:
        changed = copy.deepcopy(files)
        done = [edit(pick, changed) for edit in pick.choices(edits, weights, k=count)]
        if sound(changed):
            return changed, done


def sound(files: Files) -> bool:
    """Whether the sync would take it: else there is nothing to follow."""
    texts = {path: "---\n".join(map(to_yaml, objects)) for path, objects in files.items()}
    return compile_tree(memory_tree(texts), CATALOG).ok


def drawn(seed: int) -> Case:
    """The case of that number."""
    pick = Random(seed)
    while not sound(files := draw.fleet_of(pick)):
        pass
    claims = {  # Of a cluster that is still to come nobody knows what it will claim: nothing.
        name: {"id.k8s.io": f"id-{name}", **({"zone": pick.choice("ab")} if pick.random() < 0.7 else {})}
        for name in draw.NAMES
        if f"clusters/{name}/cluster.yaml" in files
    }
    silent = frozenset(name for name in claims if pick.random() < 0.12)
    said: list[str] = []
    meanwhile = None
    if pick.random() < 0.4:
        meanwhile, said = edited(pick, files, pick.randint(1, 2))
        said = [*said, "meanwhile"]
    head, more = edited(pick, meanwhile or files, pick.choice((1, 1, 2, 3)))
    return Case(
        seed,
        files,
        head,
        meanwhile,
        pick.choice((30, 90, 400)),
        claims,
        silent,
        guarded=pick.random() < 0.3,
        edits=[*said, *more],
    )
