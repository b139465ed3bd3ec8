"""What an operator wants on its clusters: objects in stages, each marked with what it was made of.

A stage that fails has a reason of its own in the condition `Applied`. An object carries the digest of what
was applied of it, so that a field no longer wanted is noticed too: server-side apply then removes it.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from gitops_ocm.decide.agent.drift import as_wished
from gitops_ocm.decide.contract import Apply, Side, View, Want, Write
from gitops_ocm.decide.writes import annotations_of, is_deleting, namespace_of
from gitops_ocm.objects.canonical import digest
from gitops_ocm.objects.ref import Kind, Object, Ref, kind_of, ref_of

DIGEST = "operator.gitops-ocm.io/digest"
VERSION = "operator.open-cluster-management.io/version"
CRD = Kind("apiextensions.k8s.io", "CustomResourceDefinition")
SECRET, CONFIG_MAP = Kind("", "Secret"), Kind("", "ConfigMap")
DEPLOYMENT = Kind("apps", "Deployment")
BY_NAME = (CRD, SECRET, CONFIG_MAP)
"""Kinds of which an operator looks at single objects only: many are large, or none of its business."""


@dataclass(frozen=True)
class Stage:
    """Objects that are applied together; `reason` and `what` are for when that fails.

    With `if_missing` they are made, but those that are there are left as they are.
    """

    reason: str
    what: str
    objects: tuple[Object, ...]
    side: Side = Side.HUB
    if_missing: bool = False


@dataclass(frozen=True)
class Plan:
    """Everything wanted, in order, and how to ask about it."""

    stages: tuple[Stage, ...]
    deployments: tuple[str, ...] = ()
    namespace: str = ""

    def objects(self) -> list[tuple[Side, Object]]:
        """All objects with where they are."""
        return [(stage.side, obj) for stage in self.stages for obj in stage.objects]


def want(ref: Ref) -> Want:
    """What has to be watched to see an object."""
    return Want(ref.of, ref.namespace, name=ref.name if ref.of in BY_NAME else "")


def require(view: View, refs: Iterable[tuple[Side, Ref]]) -> None:
    """Have all of these watched, in one step for a side."""
    sides: dict[Side, set[Want]] = {}
    for side, ref in refs:
        sides.setdefault(side, set()).add(want(ref))
    for side in sorted(sides):
        view.require(sorted(sides[side]), side)


def marked(obj: Object) -> Object:
    """The object with the digest of itself."""
    meta = {**obj["metadata"]}
    meta["annotations"] = {**(meta.get("annotations") or {}), DIGEST: digest(obj)}
    return {**obj, "metadata": meta}


def missing(view: View, stage: Stage) -> tuple[Write, ...]:
    """The writes that a stage still needs; nothing is put into a namespace that is going."""
    writes: list[Write] = []
    for obj in stage.objects:
        wanted = marked(obj)
        live = view.get(ref_of(obj), stage.side)
        if live is not None and _leave(stage, obj, live):
            continue
        if live is None or not as_wished(_content(wanted), _content(live)):
            writes.append(Apply(wanted, stage.side))
    return tuple(writes)


def _leave(stage: Stage, obj: Object, live: Object) -> bool:
    return stage.if_missing or is_deleting(live) or (kind_of(obj) == CRD and newer(live, obj))


def going(view: View, plan: Plan) -> Ref | None:
    """A namespace, or an object, of the plan that is being deleted and has to be gone first."""
    for side, obj in plan.objects():
        live = view.get(ref_of(obj), side)
        if live is not None and is_deleting(live):
            return ref_of(live)
    return None


def newer(live: Object, wanted: Object) -> bool:
    """Whether a live CustomResourceDefinition is of a later version than ours: never downgraded."""
    return version_key(annotations_of(live).get(VERSION, "")) > version_key(
        annotations_of(wanted).get(VERSION, "")
    )


def version_key(text: str) -> tuple[int, ...]:
    """A version (`v1.2.3`, `1.2.3-rc.1`) to compare by; what is none comes first."""
    core, _, pre = text.strip().lstrip("v").partition("-")
    numbers = core.partition("+")[0].split(".")
    if not all(n.isdigit() for n in numbers):
        return ()
    return (*(int(n) for n in numbers), *[0] * (3 - len(numbers)), 0 if pre else 1)


def stamped(crds: Iterable[Object], version: str) -> tuple[Object, ...]:
    """CustomResourceDefinitions with the version they come from."""
    return tuple(
        {
            **crd,
            "metadata": {
                **crd["metadata"],
                "annotations": {**(crd["metadata"].get("annotations") or {}), VERSION: version},
            },
        }
        for crd in crds
    )


def related(objects: Iterable[Object], plurals: Mapping[str, str]) -> list[Object]:
    """`status.relatedResources` of objects; `plurals` names resources by kind."""
    found = []
    for obj in objects:
        group, _, version = obj["apiVersion"].rpartition("/")
        entry = {
            "group": group,
            "version": version,
            "resource": plurals[obj["kind"]],
            "name": obj["metadata"]["name"],
        }
        if namespace := namespace_of(obj):
            entry["namespace"] = namespace
        found.append(entry)
    return sorted(found, key=lambda e: (e["group"], e["resource"], e.get("namespace", ""), e["name"]))


def generations(deployments: Sequence[Object]) -> list[Object]:
    """`status.generations` of live Deployments."""
    return [
        {
            "group": "apps",
            "version": "v1",
            "resource": "deployments",
            "namespace": namespace_of(obj),
            "name": obj["metadata"]["name"],
            "lastGeneration": obj["metadata"].get("generation", 0),
        }
        for obj in deployments
    ]


PLURALS = {
    "ClusterRole": "clusterroles",
    "ClusterRoleBinding": "clusterrolebindings",
    "ConfigMap": "configmaps",
    "CustomResourceDefinition": "customresourcedefinitions",
    "Deployment": "deployments",
    "EndpointSlice": "endpointslices",
    "MutatingWebhookConfiguration": "mutatingwebhookconfigurations",
    "Namespace": "namespaces",
    "NetworkPolicy": "networkpolicies",
    "Role": "roles",
    "RoleBinding": "rolebindings",
    "Secret": "secrets",
    "Service": "services",
    "ServiceAccount": "serviceaccounts",
    "ValidatingWebhookConfiguration": "validatingwebhookconfigurations",
}


def _content(obj: Object) -> Object:
    meta = obj["metadata"]
    kept = {key: meta.get(key) for key in ("labels", "annotations", "ownerReferences") if meta.get(key)}
    return {**{k: v for k, v in obj.items() if k not in ("metadata", "status")}, "metadata": kept}
