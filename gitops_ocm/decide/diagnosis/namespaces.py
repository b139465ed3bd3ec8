"""What clusters have on the hub beside themselves: namespaces, rights; and what refuses writes there."""

from __future__ import annotations

from collections.abc import Iterator

from gitops_ocm.api.cluster import HUB_ACCEPTED
from gitops_ocm.decide import access
from gitops_ocm.decide.diagnosis.evidence import Evidence, Hub, Refusal
from gitops_ocm.decide.diagnosis.finding import Fact, Finding, condition_fact, cut
from gitops_ocm.decide.diagnosis.standing import Standing, since, standings
from gitops_ocm.decide.kinds import CLUSTER_ROLE, CLUSTER_ROLE_BINDING, NAMESPACE, ROLE_BINDING
from gitops_ocm.decide.writes import conditions_of, is_deleting
from gitops_ocm.objects.ref import Object, Ref


def findings(evidence: Evidence) -> Iterator[Finding]:
    """What is missing, and what refuses."""
    hub = evidence.hub
    if hub is None:
        return
    for standing in standings(evidence):
        if standing.wanted and not standing.leaving:
            yield from _namespace(standing, hub, evidence)
            yield from _rights(standing, hub, evidence)
    for refusal in hub.refusals:
        yield from _refusal(refusal)


def _namespace(standing: Standing, hub: Hub, evidence: Evidence) -> Iterator[Finding]:
    if not hub.objects.seen(NAMESPACE):
        return
    name, subject = standing.name, f"Namespace {standing.name}"
    found = hub.objects.get(Ref(*NAMESPACE, "", name))
    if found is None:
        if standing.accepted and evidence.settled(since(standing.condition(HUB_ACCEPTED) or {})):
            sentence = f"The namespace of the accepted cluster {name} is gone."
            facts: tuple[Fact, ...] = (Fact(subject, "", "not found"),)
            yield Finding(
                "namespace-missing", subject, sentence, facts, f"kubectl create namespace {name}", name
            )
    elif is_deleting(found):
        sentence = f"The namespace of the cluster {name} is being deleted, so nothing can be made in it."
        facts = (
            Fact(subject, "metadata.deletionTimestamp", str(found["metadata"]["deletionTimestamp"])),
            *_left(found),
        )
        mend = f"kubectl get manifestworks,managedclusteraddons,leases -n {name}"
        yield Finding("namespace-terminating", subject, sentence, facts, mend, name)


def _left(namespace: Object) -> tuple[Fact, ...]:
    """What holds it up, in the words of the namespace controller."""
    return tuple(condition_fact(namespace, c) for c in conditions_of(namespace) if c.get("status") == "True")


def _rights(standing: Standing, hub: Hub, evidence: Evidence) -> Iterator[Finding]:
    """Roles and bindings that an accepted cluster's agents have, by the hub's own shapes."""
    if not standing.accepted or not evidence.settled(since(standing.condition(HUB_ACCEPTED) or {})):
        return
    name = standing.name
    role = access.cluster_role(name, accepted=True, labels={})["metadata"]["name"]
    bindings = access.role_bindings(name, labels={})
    wanted = (
        Ref(*CLUSTER_ROLE, "", role),
        Ref(*CLUSTER_ROLE_BINDING, "", role),
        *(Ref(*CLUSTER_ROLE, "", binding["roleRef"]["name"]) for binding in bindings),
        *(Ref(*ROLE_BINDING, name, binding["metadata"]["name"]) for binding in bindings),
    )
    lacking = [ref for ref in wanted if hub.objects.seen(ref.of) and hub.objects.get(ref) is None]
    if lacking:
        facts = tuple(
            Fact(f"{ref.kind} {ref.namespace}/{ref.name}".replace(" /", " "), "", "not found")
            for ref in lacking
        )
        sentence = f"The agents of {name} lack rights on the hub: {facts[0].subject} is gone."
        yield Finding("rights-missing", facts[0].subject, sentence, facts, "gitops-ocm get hub-info", name)


def _refusal(refusal: Refusal) -> Iterator[Finding]:
    """A rehearsed write that was refused.

    A webhook that says no to a person may say yes to the hub and its agents. So its no counts for the lease
    alone, which is rehearsed as the hub makes it; that a webhook does not answer counts for all.
    """
    text = cut(refusal.message)
    lowered = text.lower()
    where = f" in the namespace {refusal.namespace}" if refusal.namespace else ""
    fact = Fact(refusal.what, "create --dry-run=server", f"{refusal.reason}: {text}")
    denied = refusal.what == "Lease" and "denied the request" in lowered
    if "exceeded quota" in lowered or "must specify" in lowered:
        sentence = f"A quota refuses what the hub has to make{where}: {text}"
        mend = f"kubectl describe resourcequota -n {refusal.namespace}"
        yield Finding("quota-exceeded", refusal.what, sentence, (fact,), mend, refusal.namespace)
    elif "failed calling webhook" in lowered or denied:
        sentence = f"A webhook keeps any {refusal.what} from being made{where}: {text}"
        mend = "kubectl get validatingwebhookconfigurations,mutatingwebhookconfigurations"
        yield Finding("webhook-refusing", refusal.what, sentence, (fact,), mend, refusal.namespace)
