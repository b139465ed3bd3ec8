"""`get hub-info|klusterlet-info`: what OCM's operators installed, as lines of text. Only reads."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

from gitops_ocm.kube.cluster import Cluster
from gitops_ocm.kube.reading import find
from gitops_ocm.objects.ref import Object
from gitops_ocm.objects.served import CRDS, DEPLOYMENTS
from gitops_ocm.verbs.targets import listed, ocm

MANAGERS = ocm("operator.open-cluster-management.io/v1", "ClusterManager")
KLUSTERLETS = ocm("operator.open-cluster-management.io/v1", "Klusterlet")
OPERATOR_NAMESPACE = "open-cluster-management"
_HUB = "cluster-manager"
_KLUSTERLET = "klusterlet"
_HEADS = {"agent": "Agent:", "controller": "Controller:", "webhook": "Webhook:"}


async def hub_info(cluster: Cluster) -> str:
    """The hub's operator, its components and its CRDs."""
    crds = await listed(cluster, CRDS)
    lines = [*await _operator(cluster, _HUB, "registration-operator", crds)]
    manager = await find(cluster, MANAGERS, _HUB)
    if manager is None:
        return "\n".join([*lines, "Components:\t<uninstalled>"]) + "\n"
    spec, lines = manager.get("spec") or {}, [*lines, "Components:"]
    parts: list[tuple[str, list[str]]] = []
    if _gate(spec.get("addOnManagerConfiguration"), "AddonManagement", unset=True):
        parts.append(("AddOn Manager", ["addon-manager-controller"]))
    parts.append(("Registration", ["registration-controller", "registration-webhook"]))
    replica_sets = _gate(spec.get("workConfiguration"), "ManifestWorkReplicaSet", unset=False)
    parts.append(("Work", [*(["work-controller"] if replica_sets else []), "work-webhook"]))
    parts.append(("Placement", ["placement-controller"]))
    for title, components in parts:
        lines.append(f"  {title}:")
        for component in components:
            lines += await _deployment(cluster, manager, f"{_HUB}-{component}")
    return "\n".join([*lines, *_related_crds(manager, crds)]) + "\n"


async def klusterlet_info(cluster: Cluster) -> str:
    """The agent's conditions, operator, components and CRDs."""
    klusterlet = await find(cluster, KLUSTERLETS, _KLUSTERLET)
    if klusterlet is None:
        return "No klusterlet detected! Please make sure you're using the correct context!\n"
    lines = ["Klusterlet Conditions:"]
    for one in (klusterlet.get("status") or {}).get("conditions") or ():
        lines += [f"  Type:\t\t\t{one.get('type')}", f"  Status:\t\t{one.get('status')}"]
        lines += [f"  LastTransitionTime:\t{one.get('lastTransitionTime')}"]
        lines += [f"  Reason:\t\t{one.get('reason')}", f"  Message:\t\t{one.get('message')}", ""]
    crds = await listed(cluster, CRDS)
    lines += await _operator(cluster, _KLUSTERLET, "klusterlet", crds)
    lines.append("Components:")
    mode = ((klusterlet.get("spec") or {}).get("deployOption") or {}).get("mode", "")
    parts = [("Registration", "registration-agent"), ("Work", "work-agent")]
    for title, component in [("Controller", "agent")] if mode.startswith("Singleton") else parts:
        lines.append(f"  {title}:")
        lines += await _deployment(cluster, klusterlet, f"{_KLUSTERLET}-{component}")
    return "\n".join([*lines, *_related_crds(klusterlet, crds)]) + "\n"


def _gate(configuration: Any, name: str, *, unset: bool) -> bool:
    """Whether a feature is on; `unset` where there is no configuration at all."""
    if configuration is None:
        return unset
    gates = configuration.get("featureGates") or ()
    return any(g.get("feature") == name and g.get("mode") == "Enable" for g in gates)


async def _operator(cluster: Cluster, name: str, container: str, crds: Sequence[Object]) -> list[str]:
    found = await find(cluster, DEPLOYMENTS, name, OPERATOR_NAMESPACE)
    if found is None:
        return ["Registration Operator:\t<none>"]
    images = {c["name"]: c.get("image", "") for c in _containers(found)}
    available = (found.get("status") or {}).get("availableReplicas", 0)
    crd = f"{'clustermanagers' if name == _HUB else 'klusterlets'}.operator.open-cluster-management.io"
    return [
        "Registration Operator:",
        f"  Controller:\t({available}/{found['spec'].get('replicas', 1)}) {images.get(container, '<none>')}",
        "  CustomResourceDefinition:",
        *_crd_lines([crd], crds, versions=name == _HUB),
    ]


async def _deployment(cluster: Cluster, owner: Object, name: str) -> list[str]:
    """Replicas wanted and available, and the image; nothing where it is not there."""
    related = (owner.get("status") or {}).get("relatedResources") or ()
    namespace = next((r.get("namespace", "") for r in related if r.get("name") == name), "")
    found = await find(cluster, DEPLOYMENTS, name, namespace) if namespace else None
    if found is None:
        return []
    containers = _containers(found)
    image = containers[-1].get("image", "") if containers else "<none>"
    available = (found.get("status") or {}).get("availableReplicas", 0)
    head = _HEADS[name.rpartition("-")[2]]
    return [f"    {head}\t({found['spec'].get('replicas', 1)}/{available}) {image}"]


def _containers(deployment: Object) -> Sequence[Object]:
    containers: Sequence[Object] = deployment["spec"]["template"]["spec"].get("containers") or ()
    return containers


def _related_crds(owner: Object, crds: Sequence[Object]) -> list[str]:
    related = (owner.get("status") or {}).get("relatedResources") or ()
    names = {r["name"] for r in related if r.get("resource") == "customresourcedefinitions"}
    return ["  CustomResourceDefinition:", *_crd_lines(sorted(names), crds)]


def _crd_lines(names: Sequence[str], crds: Sequence[Object], *, versions: bool = True) -> Iterator[str]:
    """Each CRD with the versions it is served at, the stored one with a star."""
    known = {crd["metadata"]["name"]: crd["spec"]["versions"] for crd in crds}
    for name in names:
        there = known.get(name, ())
        served = sorted(("*" if v.get("storage") else "") + v["name"] for v in there if v.get("served"))
        shown = f" [{'|'.join(served)}]" if versions else ""
        yield f"    ({'installed' if name in known else 'absent'}) {name}{shown}"
