"""Looks at a managed cluster for `doctor`: its agents, what they keep, and their ways to the hub.

Secrets are read where the kubeconfig may, for what their certificates and tokens say; they are told nobody.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from gitops_ocm.api.operator import OPERATOR_NAMESPACE
from gitops_ocm.api.operator_klusterlet import HUB_KUBECONFIG_SECRET
from gitops_ocm.api.registration import AGENT_NAMESPACE, BOOTSTRAP_SECRET, CLUSTER_NAME_KEY
from gitops_ocm.decide.diagnosis.events import EVENT, is_warning
from gitops_ocm.decide.diagnosis.evidence import Objects, Spoke, Way
from gitops_ocm.decide.diagnosis.hub import CRD
from gitops_ocm.decide.diagnosis.klusterlets import KLUSTERLET, SPOKE_DEFINITIONS
from gitops_ocm.decide.diagnosis.pods import POD
from gitops_ocm.decide.operators.agent_spec import AgentSpec
from gitops_ocm.decide.writes import name_of
from gitops_ocm.errors import GitopsError
from gitops_ocm.klusterlet.kept import Folder, SecretData
from gitops_ocm.kube.client import HttpCluster
from gitops_ocm.kube.cluster import Cluster, Probed, Unreachable
from gitops_ocm.objects.faults import ApiError
from gitops_ocm.objects.ref import Object
from gitops_ocm.runtime.clock import Clock
from gitops_ocm.verbs.doctor_reading import Ask, Reader
from gitops_ocm.verbs.doctor_ways import bootstrap_way, bootstrap_way_of, clock_ahead, hub_way
from gitops_ocm.verbs.hub_checks import is_embedded

Entries = Mapping[str, bytes]


@dataclass(frozen=True)
class SpokeOptions:
    """Where to look: the cluster's name if it was given, files in place of Secrets."""

    cluster: str = ""
    bootstrap: Path | None = None
    hub_folder: Path | None = None


async def look_at_spoke(
    cluster: Cluster | None, reader: Reader | None, options: SpokeOptions, *, at: datetime, clock: Clock
) -> Spoke:
    """What is to be seen of a managed cluster; without one only the files that were given.

    Its time is told as it was `at` that moment, when the hub's was taken.
    """
    folder = await _folder(options.hub_folder)
    given = await _file_way(options.bootstrap) if options.bootstrap is not None else None
    if cluster is None or reader is None:
        name = options.cluster or _name_in(folder)
        kept = await hub_way(str(options.hub_folder), folder, name) if folder else None
        return Spoke("", name, hub_way=kept, bootstrap_way=given)
    objects = await reader.objects([Ask(KLUSTERLET), Ask(CRD, keep=_counts)])
    klusterlet = _chosen(objects.list(KLUSTERLET), options.cluster)
    namespace = AgentSpec(klusterlet).agent_namespace if klusterlet is not None else AGENT_NAMESPACE
    places = sorted({namespace, OPERATOR_NAMESPACE})
    events = [Ask(EVENT, place, keep=is_warning) for place in places]
    pods = await reader.objects([*(Ask(POD, place) for place in places), *events])
    entries = folder or await _secret(reader, namespace, HUB_KUBECONFIG_SECRET)
    name = options.cluster or (AgentSpec(klusterlet).cluster_name if klusterlet else "") or _name_in(entries)
    source = str(options.hub_folder or f"Secret {namespace}/{HUB_KUBECONFIG_SECRET}")
    kept = await hub_way(source, entries, name) if entries else None
    start = given or await _bootstrap(reader, klusterlet, namespace)
    ahead = await clock_ahead(cluster.connection, clock) if isinstance(cluster, HttpCluster) else None
    return Spoke(
        cluster.server,
        name,
        Objects({**objects.kinds, **pods.kinds}, {**objects.unseen, **pods.unseen}),
        await _unwell(cluster),
        kept,
        start,
        namespace if klusterlet is not None or kept or start else "",
        at + ahead if ahead is not None else None,
        await is_embedded(cluster),
        any(what.startswith("Secret ") for what in reader.unseen),
    )


def _counts(crd: Object) -> bool:
    return name_of(crd) in SPOKE_DEFINITIONS


def _chosen(klusterlets: Iterable[Object], cluster: str) -> Object | None:
    """The Klusterlet of the cluster asked for; several can be where hosted ones run."""
    found = [k for k in klusterlets if not cluster or AgentSpec(k).cluster_name in ("", cluster)]
    return found[0] if found else None


def _name_in(entries: Entries | None) -> str:
    return (entries or {}).get(CLUSTER_NAME_KEY, b"").decode(errors="replace")


async def _bootstrap(reader: Reader, klusterlet: Object | None, namespace: str) -> Way | None:
    """The way of the bootstrap Secret; of several hubs' the first that is there."""
    names = AgentSpec(klusterlet).bootstrap_secrets if klusterlet is not None else (BOOTSTRAP_SECRET,)
    for name in names:
        if found := await _secret(reader, namespace, name):
            return await bootstrap_way(f"Secret {namespace}/{name}", found)
    return None


async def _secret(reader: Reader, namespace: str, name: str) -> Entries | None:
    try:
        return await SecretData(reader.cluster, namespace, name).read() or None
    except (ApiError, Unreachable) as error:
        reader.unseen[f"Secret {namespace}/{name} ({reader.side})"] = error.message
        return None


async def _folder(folder: Path | None) -> Entries | None:
    return (await Folder(folder).read() or None) if folder is not None else None


async def _file_way(path: Path) -> Way:
    try:
        return await bootstrap_way_of(path)
    except OSError as error:
        text = f"{path} cannot be read: {error.strerror}"
        raise GitopsError(text, hint="check --bootstrap-kubeconfig") from error


async def _unwell(cluster: Cluster) -> str:
    """What the API server says of its own health, where it is not well."""
    if not isinstance(cluster, Probed):
        return ""
    try:
        await cluster.probe()
    except (ApiError, Unreachable) as error:
        return error.message
    return ""
