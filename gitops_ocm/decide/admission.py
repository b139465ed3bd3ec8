"""What a hub's admission does to a write before it is stored: OCM's webhooks, as functions.

`admit` answers with the object to store and with the reviews (SubjectAccessReviews) whoever asks has to
pass; it raises `ApiError` for what is refused. A server without webhooks and a preview call it, so both
refuse what a hub with OCM's webhooks would.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from gitops_ocm.api.cluster import CLUSTER_SET_LABEL
from gitops_ocm.decide.kinds import CLUSTER_SET_BINDING, MANAGED_CLUSTER, MANIFEST_WORK
from gitops_ocm.decide.settings import HubSettings
from gitops_ocm.decide.writes import labels_of, name_of
from gitops_ocm.objects.canonical import canonical_json
from gitops_ocm.objects.conditions import timestamp
from gitops_ocm.objects.faults import bad_request
from gitops_ocm.objects.ref import Kind, Object, kind_of

_DNS_LABEL = re.compile(r"[a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?")


@dataclass(frozen=True)
class Review:
    """One access the requester must have; `subresource` may be empty."""

    group: str
    resource: str
    subresource: str
    verb: str
    name: str
    namespace: str = ""


@dataclass(frozen=True)
class Admitted:
    """The object as it is to be stored, and what the requester has to be allowed."""

    obj: Object
    reviews: tuple[Review, ...] = ()


def admit(obj: Object, old: Object | None, now: datetime, settings: HubSettings) -> Admitted:
    """Judge a creation (`old` None) or an update; kinds without rules pass as they are."""
    rule = _RULES.get(kind_of(obj))
    return rule(obj, old, now, settings) if rule is not None else Admitted(obj)


def _managed_cluster(obj: Object, old: Object | None, now: datetime, settings: HubSettings) -> Admitted:
    name, spec = name_of(obj), dict(obj.get("spec") or {})
    if old is None and not _DNS_LABEL.fullmatch(name):
        raise bad_request(
            f'metadata.name: Invalid value: "{name}": must be a DNS label, for it names a namespace'
        )
    for client in spec.get("managedClusterClientConfigs") or ():
        if not str(client.get("url", "")).startswith("https://"):
            raise bad_request(f'url "{client.get("url", "")}" is invalid in client configs')
    if "taints" in spec:
        spec["taints"] = _timed(spec["taints"] or [], old, now)
    labels = dict(labels_of(obj))
    if settings.default_cluster_set and not labels.get(CLUSTER_SET_LABEL):
        labels[CLUSTER_SET_LABEL] = "default"
    result = {**obj, "metadata": {**obj["metadata"], "labels": labels}, "spec": spec}
    if not labels and "labels" not in obj["metadata"]:
        del result["metadata"]["labels"]
    return Admitted(result, _cluster_reviews(result, old))


def _timed(taints: list[Mapping[str, Any]], old: Object | None, now: datetime) -> list[Object]:
    """Taints with the time they came: kept while they stay, ours for new ones, nobody else's."""
    held = {(t.get("key"), t.get("value"), t.get("effect")): t for t in _taints_of(old)}
    forged, result = [], []
    for taint in taints:
        before = held.get((taint.get("key"), taint.get("value"), taint.get("effect")))
        sent = taint.get("timeAdded")
        if old is not None and sent and (before is None or sent != before.get("timeAdded")):
            forged.append(str(taint.get("key")))
        added = before.get("timeAdded") if before is not None else None
        result.append({**taint, "timeAdded": added or timestamp(now)})
    if forged:
        raise bad_request(f'It is not allowed to set TimeAdded of Taint "{",".join(forged)}".')
    return result


def _taints_of(cluster: Object | None) -> list[Mapping[str, Any]]:
    found: list[Mapping[str, Any]] = ((cluster or {}).get("spec") or {}).get("taints") or []
    return found


def _cluster_reviews(obj: Object, old: Object | None) -> tuple[Review, ...]:
    """Accepting a cluster, and moving it between sets, take more than the right to write it."""
    reviews = []
    was = bool(((old or {}).get("spec") or {}).get("hubAcceptsClient"))
    if obj["spec"].get("hubAcceptsClient") and not was:
        group = "register.open-cluster-management.io"
        reviews.append(Review(group, "managedclusters", "accept", "update", name_of(obj)))
    before = labels_of(old).get(CLUSTER_SET_LABEL, "") if old is not None else ""
    after = labels_of(obj).get(CLUSTER_SET_LABEL, "")
    if before != after:
        reviews += [_of_set("join", name) for name in (before, after) if name]
    return tuple(reviews)


def _of_set(subresource: str, name: str) -> Review:
    return Review("cluster.open-cluster-management.io", "managedclustersets", subresource, "create", name)


def _binding(obj: Object, old: Object | None, now: datetime, settings: HubSettings) -> Admitted:
    wanted = (obj.get("spec") or {}).get("clusterSet")
    if name_of(obj) != wanted:
        raise bad_request(
            "The ManagedClusterSetBinding must have the same name as the target ManagedClusterSet"
        )
    return Admitted(obj, (_of_set("bind", wanted),) if old is None else ())


def _manifest_work(obj: Object, old: Object | None, now: datetime, settings: HubSettings) -> Admitted:
    spec = obj.get("spec") or {}
    _check_manifests((spec.get("workload") or {}).get("manifests") or [], settings.work_limit)
    executor = spec.get("executor")
    before = ((old or {}).get("spec") or {}).get("executor")
    if not executor or (old is not None and executor == before):
        return Admitted(obj)
    account = (executor.get("subject") or {}).get("serviceAccount")
    if not account:
        raise bad_request("executor service account can not be nil")
    user = f"system:serviceaccount:{account.get('namespace', '')}:{account.get('name', '')}"
    namespace = obj["metadata"].get("namespace", "")
    group = "work.open-cluster-management.io"
    return Admitted(obj, (Review(group, "manifestworks", "", "execute-as", user, namespace),))


def _check_manifests(manifests: list[Mapping[str, Any]], limit: int) -> None:
    if not manifests:
        raise bad_request("manifests should not be empty")
    sizes = [len(canonical_json(manifest)) for manifest in manifests]
    total = sum(size + 1 + _varint(size) for size in sizes)
    if total > limit:
        raise bad_request(f"the size of manifests is {total} bytes which exceeds the {limit} limit")
    seen = set()
    for manifest in manifests:
        meta = manifest.get("metadata") or {}
        if meta.get("generateName"):
            raise bad_request("generateName must not be set in manifest")
        if not meta.get("name"):
            raise bad_request("name must be set in manifest")
        place = meta.get("namespace") or "", meta["name"]
        what = manifest.get("apiVersion", ""), manifest.get("kind", "")
        if (*what, *place) in seen:
            shown = f"{what[0]}.{what[1]}"
            raise bad_request(f"duplicate manifest for resource {'/'.join(place)} with resource type {shown}")
        seen.add((*what, *place))


def _varint(number: int) -> int:
    """How many bytes a length takes in the wire format whose sizes are counted."""
    return max(1, (number.bit_length() + 6) // 7)


Rule = Callable[[Object, Object | None, datetime, HubSettings], Admitted]
_RULES: Mapping[Kind, Rule] = {
    MANAGED_CLUSTER: _managed_cluster,
    CLUSTER_SET_BINDING: _binding,
    MANIFEST_WORK: _manifest_work,
}
