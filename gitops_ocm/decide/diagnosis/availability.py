"""Why a cluster that is in the fleet is not available: its lease, its clock, its own API server."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

from gitops_ocm.api.cluster import AVAILABLE, CLOCK_SYNCED, CLUSTER_LEASE, HUB_ACCEPTED, JOINED
from gitops_ocm.api.registration import CERTIFICATE_ROTATED
from gitops_ocm.api.scalars import format_time
from gitops_ocm.decide.diagnosis.evidence import Evidence, RequestState
from gitops_ocm.decide.diagnosis.finding import Fact, Finding, condition_fact, cut
from gitops_ocm.decide.diagnosis.standing import GRACE, Standing, since, standing, standings
from gitops_ocm.decide.writes import time_at

_END = re.compile(r"to be expired at (\d{4}-\d\d-\d\d)[T ](\d\d:\d\d:\d\d)")


def findings(evidence: Evidence) -> Iterator[Finding]:
    """What keeps accepted clusters from being available."""
    for each in standings(evidence):
        if each.leaving or not each.accepted:
            continue
        yield from _certificate(each, evidence)
        yield from _clock(each, evidence)
        yield from _lease(each, evidence)
        yield from _available(each, evidence)
    yield from _unwell(evidence)


def _lease(each: Standing, evidence: Evidence) -> Iterator[Finding]:
    name, subject = each.name, f"Lease {each.name}/{CLUSTER_LEASE}"
    renewed = each.renewed
    if renewed is None or not each.silent(evidence.now):
        return
    fact = Fact(subject, "spec.renewTime", format_time(renewed), format_time(renewed))
    due = Fact(f"ManagedCluster {name}", "spec.leaseDurationSeconds", f"{each.duration.total_seconds():g}")
    ago = ago_text(evidence.now - renewed)
    told = each.condition(AVAILABLE)
    if each.joined:
        sentence = f"The registration agent of {name} has not renewed its lease for {ago}."
    else:
        sentence = (
            f"The cluster {name} was accepted {ago} ago, and its registration agent has not come since."
        )
    facts = (fact, due, *((condition_fact(each.cluster, told),) if told and each.cluster else ()))
    yield Finding("agent-silent", subject, sentence, facts, where_to_look(name, evidence), name)
    judged = renewed + GRACE * each.duration
    if told is not None and told.get("status") == "True" and evidence.settled(judged):
        sentence = f"The lease of {name} ran out, but the hub still calls the cluster available."
        yield Finding("lease-not-judged", subject, sentence, facts, "gitops-ocm get hub-info", name)


def where_to_look(name: str, evidence: Evidence) -> str:
    """The command that goes on from the hub's side to the cluster's."""
    spoke = evidence.spoke
    if spoke is None or spoke.cluster != name:
        return f"gitops-ocm doctor {name} --spoke-kubeconfig FILE"
    if spoke.namespace and not spoke.embedded:
        return f"kubectl -n {spoke.namespace} logs -l app=klusterlet-registration-agent --tail=50"
    return f"gitops-ocm klusterlet run --cluster-name {name}"


def _available(each: Standing, evidence: Evidence) -> Iterator[Finding]:
    assert each.cluster is not None
    subject, told = f"ManagedCluster {each.name}", each.condition(AVAILABLE)
    mend = where_to_look(each.name, evidence)
    if told is None:
        accepted = each.condition(HUB_ACCEPTED) or {}
        if evidence.settled(since(accepted)):
            sentence = (
                f"The cluster {each.name} is accepted, but its agent has not said that it is available."
            )
            facts: tuple[Fact, ...] = (
                condition_fact(each.cluster, accepted),
                Fact(subject, f"status.conditions[{JOINED}]", "absent"),
            )
            yield Finding("cluster-unavailable", subject, sentence, facts, mend, each.name)
        return
    facts = (condition_fact(each.cluster, told),)
    if told.get("status") == "False":
        text = cut(str(told.get("message") or ""))
        sentence = f"The API server of {each.name} is unwell: {text}"
        mend = "kubectl get --raw '/livez?verbose'"  # on that cluster
        yield Finding("cluster-api-unwell", subject, sentence, facts, mend, each.name)
    elif told.get("status") != "True" and _lasts(each, told, evidence):
        sentence = f"The hub does not know whether the cluster {each.name} is available."
        yield Finding("cluster-unavailable", subject, sentence, facts, mend, each.name)


def _lasts(each: Standing, told: Mapping[str, Any], evidence: Evidence) -> bool:
    """Once the lease is renewed again, the agent says at its next look how the cluster is."""
    known = [at for at in (since(told), _seen(each)) if at is not None]
    return each.silent(evidence.now) or evidence.settled(max(known, default=None))


def _seen(each: Standing) -> datetime | None:
    """When the lease was made: who joins anew begins there."""
    return time_at((each.lease or {"metadata": {}})["metadata"].get("creationTimestamp"))


def _clock(each: Standing, evidence: Evidence) -> Iterator[Finding]:
    told = each.condition(CLOCK_SYNCED)
    hub, spoke = evidence.hub, evidence.spoke
    facts: list[Fact] = []
    if told is not None and told.get("status") == "False" and each.cluster is not None:
        facts.append(condition_fact(each.cluster, told))
        if each.renewed:
            facts.append(
                Fact(f"Lease {each.name}/{CLUSTER_LEASE}", "spec.renewTime", format_time(each.renewed))
            )
    if spoke is not None and spoke.cluster == each.name and spoke.now and hub is not None and hub.now:
        apart = abs(spoke.now - hub.now)
        if facts or apart >= GRACE * each.duration:
            facts.append(Fact(f"the cluster's API server {spoke.server}", "Date", format_time(spoke.now)))
            facts.append(Fact(f"the hub's API server {hub.server}", "Date", format_time(hub.now)))
    if facts:
        sentence = f"The clocks of the hub and of the cluster {each.name} are not in step."
        mend = "chronyc makestep"  # on the nodes of the side that is wrong
        yield Finding("clock-skewed", f"ManagedCluster {each.name}", sentence, (*facts,), mend, each.name)


def _certificate(each: Standing, evidence: Evidence) -> Iterator[Finding]:
    """What the hub knows of the agent's certificate: what it said at its last renewal, what was issued."""
    told = each.condition(CERTIFICATE_ROTATED)
    subject, facts = f"ManagedCluster {each.name}", []
    ends = [r.not_after for r in each.requests if r.state is RequestState.ISSUED and r.not_after]
    if told is not None and each.cluster is not None:
        facts.append(condition_fact(each.cluster, told))
        if found := _END.search(str(told.get("message") or "")):
            ends.append(datetime.fromisoformat(f"{found[1]}T{found[2]}").replace(tzinfo=UTC))
    end = max(ends, default=None)
    mend = f"gitops-ocm doctor {each.name} --spoke-kubeconfig FILE"
    if end is not None and end <= evidence.now and each.silent(evidence.now):
        facts.append(Fact(subject, "the certificate's end", format_time(end)))
        sentence = f"The client certificate of the agent of {each.name} expired at {format_time(end)}."
        yield Finding("certificate-expired", subject, sentence, (*facts,), mend, each.name)
    elif told is not None and told.get("status") == "False":
        text = cut(str(told.get("message") or ""))
        sentence = f"The client certificate of the agent of {each.name} could not be renewed: {text}"
        yield Finding("certificate-not-renewed", subject, sentence, (*facts,), mend, each.name)


def _unwell(evidence: Evidence) -> Iterator[Finding]:
    """What the cluster's own API server says, asked now."""
    spoke = evidence.spoke
    if spoke is None or not spoke.unwell:
        return
    name = spoke.cluster
    if evidence.hub is not None:
        told = standing(evidence.hub, name).condition(AVAILABLE)
        if told is not None and told.get("status") == "False":
            return  # it was told already, in the hub's words
    sentence = f"The API server of {name or spoke.server} is unwell: {cut(spoke.unwell)}"
    facts = (Fact(f"API server {spoke.server}", "/livez", cut(spoke.unwell)),)
    yield Finding(
        "cluster-api-unwell",
        f"API server {spoke.server}",
        sentence,
        facts,
        "kubectl get --raw '/livez?verbose'",
        name,
    )


def ago_text(span: timedelta) -> str:
    """`3 minutes`: a span in its largest unit."""
    seconds = max(0, int(span.total_seconds()))
    for size, unit in ((86400, "day"), (3600, "hour"), (60, "minute")):
        if seconds >= size:
            count = seconds // size
            return f"{count} {unit}{'' if count == 1 else 's'}"
    return f"{seconds} second{'' if seconds == 1 else 's'}"
