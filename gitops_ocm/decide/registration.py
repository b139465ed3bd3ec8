"""What the hub makes of a ManagedCluster: accepted, denied, deleted.

Rows of the table: `acceptance` (namespace, rights, the HubAccepted condition) keyed by the cluster and
`shared_roles` keyed by the two ClusterRoles all clusters share. Shapes of the rights are in
`decide.access`, what becomes of leases in `decide.health`, the emptying of the namespace of a deleted
cluster in `decide.cleanup`.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from gitops_ocm.api.cluster import (
    AUTO_ACCEPTED_ANNOTATION,
    CLUSTER_ACCEPT_ERROR,
    CLUSTER_ACCEPTED,
    CLUSTER_DENIED,
    CLUSTER_FINALIZER,
    CLUSTER_NAME_LABEL,
    HUB_ACCEPTED,
)
from gitops_ocm.api.registration import HUB_REPORTER
from gitops_ocm.api.work import WORK_FINALIZER
from gitops_ocm.decide import access
from gitops_ocm.decide.contract import DONE, Emit, Outcome, Result, View, Write
from gitops_ocm.decide.kinds import (
    CLUSTER_ROLE,
    CLUSTER_ROLE_BINDING,
    MANAGED_CLUSTER,
    MANIFEST_WORK,
    ROLE_BINDING,
)
from gitops_ocm.decide.settings import HubSettings
from gitops_ocm.decide.writes import (
    add_finalizer,
    after_failure,
    annotations_of,
    conditions_of,
    delete,
    drop_finalizer,
    ensure,
    errors,
    is_deleting,
    is_stale,
    locked_patch,
    name_of,
    report,
)
from gitops_ocm.objects import conditions
from gitops_ocm.objects.ref import Object, Ref, ref_of

AGENTS = ("registration", "work")


@dataclass(frozen=True)
class Acceptance:
    """Gives a cluster its namespace and rights when it is accepted, and takes the rights away again."""

    settings: HubSettings

    def __call__(self, view: View, key: Ref, now: datetime) -> Outcome:
        """Reconcile one ManagedCluster."""
        cluster = view.get(key)
        if cluster is None:
            return DONE
        if is_deleting(cluster):
            return self._deleted(view, cluster)
        if self.settings.auto_approval and AUTO_ACCEPTED_ANNOTATION not in annotations_of(cluster):
            return Outcome((_accepting(cluster, now),))
        if (cluster.get("spec") or {}).get("hubAcceptsClient"):
            return self._accepted(view, cluster, now)
        if conditions.find(conditions_of(cluster), HUB_ACCEPTED) is None and not self._has_rights(view, key):
            return DONE  # never accepted: a cluster that only asked leaves no trace
        return self._denied(view, cluster, now)

    def _accepted(self, view: View, cluster: Object, now: datetime) -> Outcome:
        """The finalizer first: what was made for a cluster that is gone already would stay for ever."""
        marks = add_finalizer(cluster, CLUSTER_FINALIZER)
        if not marks:
            return self._granted(view, cluster, now)

        def then(results: Sequence[Result]) -> Outcome:
            if faults := errors(results):
                return after_failure(faults)
            return self._granted(view, results[0].obj or cluster, now)

        return Outcome(marks, then=then)

    def _granted(self, view: View, cluster: Object, now: datetime) -> Outcome:
        """Namespace, roles and bindings; the condition once they are all there."""
        name, labels = name_of(cluster), self.settings.cluster_labels
        namespace = {
            "apiVersion": "v1",
            "kind": "Namespace",
            "metadata": {"name": name, "labels": {**labels, CLUSTER_NAME_LABEL: name}},
        }
        rights = (
            access.cluster_role(name, accepted=True, labels=labels),
            access.cluster_role_binding(name, labels=labels),
            *access.role_bindings(name, labels=labels),
        )
        going = view.get(ref_of(rights[-1]))
        if going is not None and is_deleting(going):  # denied before: let it go, its end wakes us
            return Outcome(drop_finalizer(going, WORK_FINALIZER))
        made = (*ensure(view, namespace), *(w for right in rights for w in ensure(view, right)))
        if not made:
            return Outcome(self._verdict(cluster, now, accepted=True))

        def then(results: Sequence[Result]) -> Outcome:
            faults = errors(results)
            if faults and all(map(is_stale, faults)):
                return after_failure(faults)
            if text := "\n".join(fault.message for fault in faults):
                return Outcome(self._failure(cluster, text, now), retry=text)
            return Outcome(self._verdict(cluster, now, accepted=True))

        return Outcome(made, then=then, keep_going=True)

    def _has_rights(self, view: View, key: Ref) -> bool:
        """Whether an acceptance got so far: whoever was at it may have been killed before saying so."""
        right = access.PREFIX + key.name
        bindings = (Ref(*ROLE_BINDING, key.name, f"{right}:{agent}") for agent in AGENTS)
        made = (Ref(*CLUSTER_ROLE, "", right), Ref(*CLUSTER_ROLE_BINDING, "", right), *bindings)
        return any(view.get(ref) is not None for ref in made)

    def _denied(self, view: View, cluster: Object, now: datetime) -> Outcome:
        """Shrink the role, take the bindings away; the work agent keeps its own until its works are gone."""
        name, labels = name_of(cluster), self.settings.cluster_labels
        role = access.cluster_role(name, accepted=False, labels=labels)
        writes = (*ensure(view, role), *self._without_bindings(view, name))
        if view.list(MANIFEST_WORK, name):
            return Outcome(writes, notes=(f"{name} is denied once its ManifestWorks are gone",))
        return Outcome((*writes, *self._verdict(cluster, now, accepted=False)))

    def _deleted(self, view: View, cluster: Object) -> Outcome:
        """Take all rights away; let the cluster go once its works are gone."""
        name = name_of(cluster)
        right = access.PREFIX + name
        writes: tuple[Write, ...] = (
            *delete(view.get(Ref(*CLUSTER_ROLE, "", right))),
            *delete(view.get(Ref(*CLUSTER_ROLE_BINDING, "", right))),
            *self._without_bindings(view, name),
        )
        if view.list(MANIFEST_WORK, name):
            return Outcome(writes, notes=(f"{name} goes once its ManifestWorks are gone",))
        return Outcome((*writes, *drop_finalizer(cluster, CLUSTER_FINALIZER)))

    def _without_bindings(self, view: View, name: str) -> tuple[Write, ...]:
        registration, work = (
            view.get(Ref(*ROLE_BINDING, name, f"{access.PREFIX}{name}:{agent}")) for agent in AGENTS
        )
        writes: list[Write] = [*delete(registration)]
        if work is not None and not view.list(MANIFEST_WORK, name):
            # Before the deletion: that would change the version the finalizer patch is locked to.
            writes += drop_finalizer(work, WORK_FINALIZER)
        return (*writes, *delete(work))

    def _verdict(self, cluster: Object, now: datetime, *, accepted: bool) -> tuple[Write, ...]:
        name = name_of(cluster)
        wanted = conditions.with_condition(
            conditions_of(cluster),
            **(CLUSTER_ACCEPTED if accepted else CLUSTER_DENIED)._asdict(),
            now=now,
        )
        patch = report(cluster, {"conditions": wanted})
        if not patch:
            return ()
        verb = "accepted" if accepted else "denied"
        reason = f"ManagedCluster{verb.capitalize()}"
        text = f"managed cluster {name} is {verb} by hub cluster admin"
        event = Emit(cluster, reason, text, action=reason, namespace=name, component=HUB_REPORTER)
        return (*patch, event)

    def _failure(self, cluster: Object, text: str, now: datetime) -> tuple[Write, ...]:
        wanted = conditions.with_condition(
            conditions_of(cluster), **CLUSTER_ACCEPT_ERROR.saying(error=text)._asdict(), now=now
        )
        return report(cluster, {"conditions": wanted})


def _accepting(cluster: Object, now: datetime) -> Write:
    """Accept a cluster once; the mark it leaves lets a person deny the cluster afterwards."""
    mark = {"metadata": {"annotations": {AUTO_ACCEPTED_ANNOTATION: conditions.timestamp(now)}}}
    if (cluster.get("spec") or {}).get("hubAcceptsClient"):
        return locked_patch(cluster, mark)
    return locked_patch(cluster, {**mark, "spec": {"hubAcceptsClient": True}})


SHARED_ROLES = tuple(Ref(*CLUSTER_ROLE, "", name) for name in (access.REGISTRATION_ROLE, access.WORK_ROLE))


@dataclass(frozen=True)
class SharedRoles:
    """Keeps the two ClusterRoles of all clusters there for as long as there is any cluster."""

    settings: HubSettings

    def __call__(self, view: View, key: Ref, now: datetime) -> Outcome:
        """Reconcile one of the two roles."""
        for role in access.shared_roles(labels=self.settings.cluster_labels):
            if role["metadata"]["name"] == key.name:
                if view.list(MANAGED_CLUSTER):
                    return Outcome(ensure(view, role))
                return Outcome(delete(view.get(key)))
        return DONE
