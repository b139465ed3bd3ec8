"""Looks at a hub for `doctor`: its lists, its time, and what it would refuse to write."""

from __future__ import annotations

import base64
import binascii
from collections.abc import Iterable, Sequence
from datetime import datetime

from cryptography import x509
from cryptography.x509.oid import NameOID

from gitops_ocm.api.addon_words import ADDON_NAME_LABEL
from gitops_ocm.api.cluster import CLUSTER_LEASE, CLUSTER_NAME_LABEL, HUB_ACCEPTED
from gitops_ocm.api.operator import HUB_NAMESPACE, OPERATOR_NAMESPACE
from gitops_ocm.decide.agent.certificates import certificate_in
from gitops_ocm.decide.controllers import LOCKS
from gitops_ocm.decide.diagnosis import works
from gitops_ocm.decide.diagnosis.events import EVENT, is_warning
from gitops_ocm.decide.diagnosis.evidence import Hub, Objects, Refusal, Request, RequestState
from gitops_ocm.decide.diagnosis.hub import CLUSTER_MANAGER, CRD
from gitops_ocm.decide.diagnosis.pods import POD
from gitops_ocm.decide.diagnosis.syncs import HUB_SYNC
from gitops_ocm.decide.kinds import (
    CLUSTER_ADDON,
    CLUSTER_ROLE,
    CLUSTER_ROLE_BINDING,
    CLUSTER_SET,
    CLUSTER_SET_BINDING,
    CSR,
    LEASE,
    MANAGED_CLUSTER,
    MANAGEMENT_ADDON,
    MANIFEST_WORK,
    NAMESPACE,
    PLACEMENT,
    PLACEMENT_DECISION,
    PLACEMENT_SCORE,
    REPLICA_SET,
    ROLE_BINDING,
)
from gitops_ocm.decide.writes import conditions_of, labels_of, name_of, namespace_of, status_of, time_at
from gitops_ocm.kube.client import HttpCluster
from gitops_ocm.kube.cluster import Cluster, Unreachable
from gitops_ocm.objects.conditions import is_true
from gitops_ocm.objects.faults import ApiError
from gitops_ocm.objects.ref import Object, kind_of
from gitops_ocm.runtime.clock import Clock
from gitops_ocm.verbs.doctor_reading import Ask, Reader, trimmed, without_addresses, without_spec
from gitops_ocm.verbs.doctor_rollouts import rollouts_seen
from gitops_ocm.verbs.doctor_ways import clock_ahead
from gitops_ocm.verbs.hub_checks import is_embedded

REHEARSED = 20
"""In so many clusters' namespaces at most the hub is asked to rehearse what it would make there."""
REHEARSAL = "gitops-ocm-doctor"
_NOT_REHEARSED = ("cannot create resource", "does not support dry run")
"""In the messages of a server that does not let us rehearse: that is no verdict on what others may write."""
_OF_CLUSTER = f"{CLUSTER_NAME_LABEL},!{ADDON_NAME_LABEL}"


async def look_at_hub(cluster: Cluster, reader: Reader, clusters: Sequence[str], clock: Clock) -> Hub:
    """Everything `doctor` judges of a hub; of a few clusters, or of all of them.

    Its time is that of the beginning: nothing seems older than it was when it was read.
    """
    now, ahead, ca = clock.now(), None, b""
    if isinstance(cluster, HttpCluster):
        ahead, ca = await clock_ahead(cluster.connection, clock), cluster.connection.ca.read()
    requests = await reader.objects(request_asks(clusters))
    objects = await reader.objects([*_fleet_asks(clusters), *_hub_asks()])
    kinds = {**objects.kinds, **({CSR: ()} if requests.seen(CSR) else {})}
    seen = Objects(kinds, {**objects.unseen, **requests.unseen})
    refusals = await rehearsed(cluster, reader, seen, clusters)
    at = now + ahead if ahead is not None else None
    asked = [request_of(r) for r in requests.list(CSR)]
    rollouts = [] if clusters else await rollouts_seen(reader, seen, at or now)
    return Hub(cluster.server, seen, asked, refusals, ca, at, await is_embedded(cluster), rollouts)


def request_asks(clusters: Sequence[str]) -> Iterable[Ask]:
    """The certificate requests of clusters; those of add-ons are left out."""
    if not clusters:
        return [Ask(CSR, labels=_OF_CLUSTER)]
    return [Ask(CSR, labels=f"{CLUSTER_NAME_LABEL}={name},!{ADDON_NAME_LABEL}") for name in clusters]


def _fleet_asks(clusters: Sequence[str]) -> Iterable[Ask]:
    """What belongs to clusters; what does well is not kept where nothing else refers to it."""
    if not clusters:
        yield Ask(MANAGED_CLUSTER, trim=without_addresses)
        yield Ask(NAMESPACE)
        yield Ask(LEASE, name=CLUSTER_LEASE)
        yield from _of_namespace("")
        for kind in (CLUSTER_ROLE, CLUSTER_ROLE_BINDING, ROLE_BINDING):
            yield Ask(kind, labels=CLUSTER_NAME_LABEL, trim=_identity)
        for kind in (CLUSTER_SET_BINDING, PLACEMENT, PLACEMENT_DECISION, PLACEMENT_SCORE):
            yield Ask(kind)
        yield Ask(REPLICA_SET, trim=without_spec)
    for name in clusters:
        yield Ask(MANAGED_CLUSTER, name=name, trim=without_addresses)
        yield Ask(NAMESPACE, name=name)
        yield Ask(LEASE, name, name=CLUSTER_LEASE)
        yield from _of_namespace(name)
        for kind in (CLUSTER_ROLE, CLUSTER_ROLE_BINDING):
            yield Ask(kind, labels=f"{CLUSTER_NAME_LABEL} in ({name},)", trim=_identity)
        yield Ask(ROLE_BINDING, name, labels=CLUSTER_NAME_LABEL, trim=_identity)


def _of_namespace(namespace: str) -> Iterable[Ask]:
    yield Ask(MANIFEST_WORK, namespace, keep=works.troubled, trim=without_spec)
    yield Ask(CLUSTER_ADDON, namespace)


def _hub_asks() -> Iterable[Ask]:
    """What concerns every cluster."""
    yield Ask(CRD, keep=lambda crd: "open-cluster-management.io" in name_of(crd), trim=_definition)
    for kind in (CLUSTER_MANAGER, CLUSTER_SET, MANAGEMENT_ADDON, HUB_SYNC):
        yield Ask(kind)
    for lock in LOCKS.values():
        yield Ask(LEASE, HUB_NAMESPACE, name=lock)
    for namespace in (HUB_NAMESPACE, OPERATOR_NAMESPACE):
        yield Ask(POD, namespace)
        yield Ask(EVENT, namespace, keep=is_warning)


def _identity(obj: Object) -> Object:
    """That it is there is all that counts."""
    meta = {key: obj["metadata"][key] for key in ("name", "namespace") if key in obj["metadata"]}
    return {"apiVersion": obj["apiVersion"], "kind": obj["kind"], "metadata": meta}


def _definition(crd: Object) -> Object:
    """A definition without its schemas."""
    found = trimmed(crd)
    spec = found.get("spec") or {}
    versions = [{"name": v["name"], "served": v.get("served")} for v in spec.get("versions") or ()]
    return {**found, "spec": {"versions": versions}}


# --- certificate requests ---------------------------------------------------------------------------


def request_of(csr: Object) -> Request:
    """A certificate request as `decide.diagnosis` judges it."""
    state, said, decided = _state(csr)
    spec = csr.get("spec") or {}
    created = time_at(csr["metadata"].get("creationTimestamp"))
    assert created is not None, "an API server dates what it keeps"
    return Request(
        name_of(csr),
        labels_of(csr)[CLUSTER_NAME_LABEL],
        _common_name(str(spec.get("request") or "")),
        str(spec.get("username") or ""),
        created,
        state,
        said,
        decided,
        _end(certificate_in(csr)),
    )


def _state(csr: Object) -> tuple[RequestState, str, datetime | None]:
    found = {str(c.get("type")): c for c in conditions_of(csr) if c.get("status", "True") == "True"}
    for type_, state in (("Denied", RequestState.DENIED), ("Failed", RequestState.FAILED)):
        if type_ in found:
            told = found[type_]
            said = ": ".join(str(told[key]) for key in ("reason", "message") if told.get(key))
            return state, said, time_at(told.get("lastUpdateTime"))
    if "Approved" not in found:
        return RequestState.PENDING, "", None
    issued = bool(status_of(csr).get("certificate"))
    decided = time_at(found["Approved"].get("lastUpdateTime"))
    return RequestState.ISSUED if issued else RequestState.APPROVED, "", decided


def _common_name(text: str) -> str:
    try:
        request = x509.load_pem_x509_csr(base64.b64decode(text, validate=True))
        names = request.subject.get_attributes_for_oid(NameOID.COMMON_NAME)
    except (ValueError, binascii.Error):
        return ""
    return str(names[0].value) if names else ""


def _end(certificate: bytes) -> datetime | None:
    try:
        return x509.load_pem_x509_certificate(certificate).not_valid_after_utc if certificate else None
    except ValueError:
        return None


# --- rehearsed writes -------------------------------------------------------------------------------


async def rehearsed(
    cluster: Cluster, reader: Reader, objects: Objects, clusters: Sequence[str]
) -> list[Refusal]:
    """Have the server say what it would refuse: nothing is written (`dryRun=All`)."""
    accepted = [name_of(c) for c in objects.list(MANAGED_CLUSTER) if is_true(c, HUB_ACCEPTED)]
    chosen = [name for name in accepted if not clusters or name in clusters][:REHEARSED]
    trials = [_cluster(), *(trial for name in chosen for trial in (_work(name), _lease(name)))]
    found: list[Refusal] = []
    given_up: set[str] = set()
    for trial in trials:
        resource, kind = await reader.served.resource_of(kind_of(trial)), str(trial["kind"])
        if resource is None or kind in given_up:
            continue
        try:
            await cluster.create(resource, trial, dry_run=True)
        except ApiError as error:
            if any(text in error.message for text in _NOT_REHEARSED):
                reader.unseen[f"rehearsed writes of {kind}s ({reader.side})"] = error.message
                given_up.add(kind)
            elif error.reason != "AlreadyExists":
                found.append(Refusal(kind, namespace_of(trial), error.reason, error.message))
                if error.http_code >= 500:
                    given_up.add(kind)  # whoever does not answer is not waited for in each namespace
        except Unreachable as error:
            reader.unseen[f"rehearsed writes of {kind}s ({reader.side})"] = error.message
            break
    return found


def _cluster() -> Object:
    return {
        "apiVersion": "cluster.open-cluster-management.io/v1",
        "kind": "ManagedCluster",
        "metadata": {"name": REHEARSAL},
        "spec": {"hubAcceptsClient": False},
    }


def _work(namespace: str) -> Object:
    manifest = {
        "apiVersion": "v1",
        "kind": "ConfigMap",
        "metadata": {"name": REHEARSAL, "namespace": "default"},
    }
    return {
        "apiVersion": "work.open-cluster-management.io/v1",
        "kind": "ManifestWork",
        "metadata": {"name": REHEARSAL, "namespace": namespace},
        "spec": {"workload": {"manifests": [manifest]}},
    }


def _lease(namespace: str) -> Object:
    return {
        "apiVersion": "coordination.k8s.io/v1",
        "kind": "Lease",
        "metadata": {
            "name": REHEARSAL,
            "namespace": namespace,
            "labels": {CLUSTER_NAME_LABEL: namespace},
        },
        "spec": {"holderIdentity": CLUSTER_LEASE},
    }
