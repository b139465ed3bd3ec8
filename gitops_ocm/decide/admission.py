"""What a hub's admission does to a write before it is stored: OCM's webhooks, as functions.

`admit` answers with the object to store and with the reviews (SubjectAccessReviews) whoever asks has to
pass; it raises `ApiError` for what is refused. `Webhooks` puts both to use, as an API server does that has
OCM's webhooks installed: the embedded server and the simulator call it, so that they refuse what such a
server would, in its words. What a schema refuses has been refused before.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from gitops_ocm.api.cluster import CLUSTER_SET_LABEL
from gitops_ocm.decide.kinds import CLUSTER_SET_BINDING, MANAGED_CLUSTER, MANIFEST_WORK
from gitops_ocm.decide.settings import HubSettings
from gitops_ocm.decide.writes import labels_of, name_of
from gitops_ocm.objects.canonical import canonical_json
from gitops_ocm.objects.conditions import timestamp
from gitops_ocm.objects.faults import ApiError, bad_request, forbidden
from gitops_ocm.objects.names import name_problems
from gitops_ocm.objects.ref import Kind, Object, kind_of

_HTTPS = re.compile(r"https:(?!//[^/?#]*[ \\^`{}|])", re.IGNORECASE)
"""A URL whose scheme is https. Of the rest OCM reads only that its host can be one."""

CLUSTERS, WORKS = "cluster.open-cluster-management.io", "work.open-cluster-management.io"
CLUSTER_MUTATOR = f"managedclustermutators.admission.{CLUSTERS}"
WEBHOOKS: Mapping[Kind, str] = {
    MANAGED_CLUSTER: f"managedclustervalidators.admission.{CLUSTERS}",
    CLUSTER_SET_BINDING: f"managedclustersetbindingvalidators.admission.{CLUSTERS}",
    MANIFEST_WORK: f"manifestworkvalidators.admission.{WORKS}",
}
"""The kinds that are judged, each with the name of the webhook that does."""
_SERVICE_ACCOUNT = "system:serviceaccount:"
_AGENT_EXECUTOR = {"subject": {"serviceAccount": {"namespace": "", "name": "klusterlet-work-sa"}}}
"""Who executes a work that names nobody: its agent, under OCM's default name for it."""


@dataclass(frozen=True)
class Review:
    """One access the requester must have; `subresource` may be empty."""

    group: str
    resource: str
    subresource: str
    verb: str
    name: str
    namespace: str = ""

    @property
    def of_acceptance(self) -> bool:
        """Whether it is about letting a cluster in, which takes a namespace that can hold it."""
        return self.subresource == "accept"


@dataclass(frozen=True)
class Admitted:
    """The object as it is to be stored, and what the requester has to be allowed."""

    obj: Object
    reviews: tuple[Review, ...] = ()


@dataclass(frozen=True)
class Requester:
    """Who writes: the name in refusals, and whether a review goes well."""

    name: str
    allows: Callable[[Review], bool]


ADMIN = Requester("system:admin", lambda review: True)
"""One who may do anything: a caller in the same process."""


class Webhooks:
    """OCM's webhooks as one API server has them."""

    def __init__(self, settings: HubSettings | None = None) -> None:
        self._settings = settings or HubSettings()

    def judges(self, kind: Kind, subresource: str = "") -> bool:
        """Whether writes of the kind are judged at all; those of a subresource never are."""
        return not subresource and kind in WEBHOOKS

    def admit(
        self,
        obj: Object,
        old: Object | None,
        now: datetime,
        *,
        namespace: Callable[[str], Object | None],
        requester: Requester = ADMIN,
    ) -> Object:
        """The object to store; raises what a webhook denies. `namespace` finds one by its name."""
        admitted = admit(obj, old, now, self._settings)
        with _denied_by(WEBHOOKS[kind_of(obj)]):
            for review in admitted.reviews:
                if review.of_acceptance:
                    require_open(review, namespace(review.name))
                if not requester.allows(review):
                    raise refusal(review, requester.name)
        return admitted.obj


def admit(obj: Object, old: Object | None, now: datetime, settings: HubSettings) -> Admitted:
    """Judge a creation (`old` None) or an update; kinds without rules pass as they are."""
    if kind_of(obj) not in WEBHOOKS:
        return Admitted(obj)
    with _denied_by(CLUSTER_MUTATOR):
        obj = mutated(obj, old, now, settings)
    with _denied_by(WEBHOOKS[kind_of(obj)]):
        return Admitted(obj, reviews_of(obj, old, settings))


def mutated(obj: Object, old: Object | None, now: datetime, settings: HubSettings) -> Object:
    """What the mutating webhook makes of an object, the same one where nothing is to be filled in."""
    return _filled(obj, old, now, settings) if kind_of(obj) == MANAGED_CLUSTER else obj


def reviews_of(obj: Object, old: Object | None, settings: HubSettings) -> tuple[Review, ...]:
    """What a validating webhook has to ask about an object; raises what it denies without asking."""
    return _RULES[kind_of(obj)](obj, old, settings)


@contextmanager
def _denied_by(webhook: str) -> Iterator[None]:
    """Word refusals as an API server passes them on."""
    try:
        yield
    except ApiError as error:
        text = f'admission webhook "{webhook}" denied the request: {error.message}'
        raise ApiError(error.reason, text, http_code=error.http_code, details=error.details) from None


def require_open(review: Review, namespace: Object | None) -> None:
    """Raise unless the cluster of a review can be let in: its namespace must not be going."""
    if ((namespace or {}).get("status") or {}).get("phase") == "Terminating":
        why = f'cluster namespace "{review.name}" is terminating'
        raise forbidden(CLUSTERS, "managedclusters/accept", review.name, why)


def refusal(review: Review, user: str) -> ApiError:
    """Why a user who lacks what a review asks for is denied."""
    name = review.name
    if review.verb == "execute-as":
        executor = "/".join(name.removeprefix(_SERVICE_ACCOUNT).split(":"))
        return bad_request(
            f"user {user} cannot manipulate the Manifestwork with executor {executor} "
            f"in namespace {review.namespace}"
        )
    why = {
        "accept": f'user "{user}" cannot update the HubAcceptsClient field',
        "join": f'user "{user}" cannot add/remove a ManagedCluster to/from ManagedClusterSet "{name}"',
        "bind": f'user "{user}" is not allowed to bind cluster set "{name}"',
    }[review.subresource]
    return forbidden(CLUSTERS, f"{review.resource}/{review.subresource}", name, why)


def _filled(obj: Object, old: Object | None, now: datetime, settings: HubSettings) -> Object:
    """A ManagedCluster with the times of its taints and, where it names no set, in the default one."""
    spec, labels = obj.get("spec") or {}, labels_of(obj)
    result = obj
    if spec.get("taints"):
        result = {**result, "spec": {**spec, "taints": _timed(spec["taints"], old, now)}}
    if settings.default_cluster_set and not labels.get(CLUSTER_SET_LABEL):
        labels = {**labels, CLUSTER_SET_LABEL: "default"}
        result = {**result, "metadata": {**obj["metadata"], "labels": labels}}
    return result


def _check_cluster(obj: Object, old: Object | None, settings: HubSettings) -> tuple[Review, ...]:
    if old is None and (problems := name_problems(name_of(obj), "Namespace")):
        raise bad_request(f"metadata.name format is not correct: {','.join(problems)}")
    clients = (obj.get("spec") or {}).get("managedClusterClientConfigs") or ()
    if wrong := [url for client in clients if not _HTTPS.match(url := str(client.get("url", "")))]:
        raise bad_request("\n".join(f'url "{url}" is invalid in client configs' for url in wrong))
    return _cluster_reviews(obj, old)


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
    if (obj.get("spec") or {}).get("hubAcceptsClient") and not was:
        group = "register.open-cluster-management.io"
        reviews.append(Review(group, "managedclusters", "accept", "update", name_of(obj)))
    before = labels_of(old).get(CLUSTER_SET_LABEL, "") if old is not None else ""
    after = labels_of(obj).get(CLUSTER_SET_LABEL, "")
    if before != after:
        reviews += [_of_set("join", name) for name in (before, after) if name]
    return tuple(reviews)


def _of_set(subresource: str, name: str) -> Review:
    return Review(CLUSTERS, "managedclustersets", subresource, "create", name)


def _check_binding(obj: Object, old: Object | None, settings: HubSettings) -> tuple[Review, ...]:
    wanted = (obj.get("spec") or {}).get("clusterSet")
    if name_of(obj) != wanted:
        raise bad_request(
            "The ManagedClusterSetBinding must have the same name as the target ManagedClusterSet"
        )
    return (_of_set("bind", wanted),) if old is None else ()


def _check_work(obj: Object, old: Object | None, settings: HubSettings) -> tuple[Review, ...]:
    spec = obj.get("spec") or {}
    _check_manifests((spec.get("workload") or {}).get("manifests") or [], settings.work_limit)
    executor = spec.get("executor")
    before = ((old or {}).get("spec") or {}).get("executor")
    if old is not None and executor == before:
        return ()
    if not executor:
        if not settings.nil_executor_validating:
            return ()
        executor = _AGENT_EXECUTOR
    account = (executor.get("subject") or {}).get("serviceAccount")
    if not account:
        raise bad_request("executor service account can not be nil")
    user = f"{_SERVICE_ACCOUNT}{account.get('namespace', '')}:{account.get('name', '')}"
    namespace = obj["metadata"].get("namespace", "")
    return (Review(WORKS, "manifestworks", "", "execute-as", user, namespace),)


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


Rule = Callable[[Object, Object | None, HubSettings], tuple[Review, ...]]
_RULES: Mapping[Kind, Rule] = {
    MANAGED_CLUSTER: _check_cluster,
    CLUSTER_SET_BINDING: _check_binding,
    MANIFEST_WORK: _check_work,
}
