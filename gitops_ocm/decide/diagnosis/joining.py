"""Why a cluster is not in the fleet: requests for certificates, acceptance, two agents of one name."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import datetime

from gitops_ocm.api.cluster import CLUSTER_NAME_LABEL, HUB_ACCEPTED
from gitops_ocm.api.scalars import format_time
from gitops_ocm.decide.agent.certificates import OUTSTANDING_LIMIT
from gitops_ocm.decide.diagnosis.evidence import Evidence, Request, RequestState
from gitops_ocm.decide.diagnosis.finding import Fact, Finding, condition_fact, cut
from gitops_ocm.decide.diagnosis.standing import Standing, changed_at, standings
from gitops_ocm.decide.kinds import CSR
from gitops_ocm.decide.writes import time_at


def findings(evidence: Evidence) -> Iterator[Finding]:
    """What keeps clusters from joining."""
    for standing in standings(evidence):
        if standing.leaving:
            continue
        if standing.cluster is None and not standing.requests:
            yield from _unknown(standing.name, evidence)
            continue
        clash = name_clash(standing)
        if clash is not None:
            yield clash
        yield from _requests(standing, evidence)
        if standing.cluster is not None:
            yield from _acceptance(standing, evidence)


def _unknown(name: str, evidence: Evidence) -> Iterator[Finding]:
    assert evidence.hub is not None
    facts = [Fact(f"ManagedCluster {name}", "", "not found")]
    if not evidence.hub.objects.unseen.get(CSR):
        facts.append(Fact("CertificateSigningRequests", f"label {CLUSTER_NAME_LABEL}={name}", "none"))
    sentence = f"Nothing on the hub is of the cluster {name}: no agent of that name has ever asked to join."
    # The token's command prints the whole command to join by.
    yield Finding(
        "cluster-unknown", f"ManagedCluster {name}", sentence, (*facts,), "gitops-ocm get token", name
    )


def _requests(standing: Standing, evidence: Evidence) -> Iterator[Finding]:
    """The last request of each agent; what came before it is history."""
    name = standing.name
    latest = {request.agent: request for request in standing.requests}
    for agent in sorted(latest):
        request = latest[agent]
        if _overtaken(request, standing):
            continue
        finding = _request(request, name, evidence)
        if finding is not None:
            yield finding
    if len(standing.requests) >= OUTSTANDING_LIMIT and standing.requests[-1].state is not RequestState.ISSUED:
        facts = (
            Fact(
                "CertificateSigningRequests",
                f"label {CLUSTER_NAME_LABEL}={name}",
                f"{len(standing.requests)}",
            ),
        )
        sentence = (
            f"{len(standing.requests)} certificate requests of {name} are on the hub, and from "
            f"{OUTSTANDING_LIMIT} on its agent makes no more."
        )
        mend = f"kubectl delete csr -l {CLUSTER_NAME_LABEL}={name}"
        yield Finding("csr-flood", f"ManagedCluster {name}", sentence, facts, mend, name)


def _overtaken(request: Request, standing: Standing) -> bool:
    """Whether the cluster came in without this request: another agent's was issued later."""
    later = (r for r in standing.requests if r.created > request.created and r.agent != request.agent)
    return any(r.state is RequestState.ISSUED for r in later)


def _request(request: Request, name: str, evidence: Evidence) -> Finding | None:
    subject = f"CertificateSigningRequest {request.name}"
    made = Fact(subject, "spec.username", request.requester, format_time(request.created))
    told = Fact(
        subject, "status.conditions", cut(f"{request.state}{f': {request.said}' if request.said else ''}")
    )
    facts = (made, told)
    match request.state:
        case RequestState.DENIED:
            sentence = (
                f"The certificate request {request.name} of {name} was denied, and the agent makes no other."
            )
            return Finding("csr-denied", subject, sentence, facts, f"kubectl delete csr {request.name}", name)
        case RequestState.FAILED:
            sentence = (
                f"The signer gave the certificate request {request.name} of {name} up: {cut(request.said)}"
            )
            return Finding("csr-failed", subject, sentence, facts, f"kubectl delete csr {request.name}", name)
        case RequestState.APPROVED if evidence.settled(request.decided or request.created):
            sentence = (
                f"The certificate request {request.name} of {name} was approved, but nobody has signed it: "
                "kube-controller-manager's signer does not work on the hub."
            )
            mend = "kubectl -n kube-system logs -l component=kube-controller-manager"
            return Finding("csr-unsigned", subject, sentence, facts, mend, name)
        case RequestState.PENDING if not request.renewal:
            sentence = f"The certificate request {request.name} of {name} waits for somebody to approve it."
            mend = f"gitops-ocm accept --clusters {name}"
            return Finding("csr-pending", subject, sentence, facts, mend, name)
        case RequestState.PENDING if evidence.settled(request.created):
            sentence = f"The renewal {request.name} of the certificate of {name} was not approved by the hub."
            return Finding(
                "csr-pending", subject, sentence, facts, f"kubectl certificate approve {request.name}", name
            )
    return None


def name_clash(standing: Standing) -> Finding | None:
    """Two agents that are there at the same time: one comes back, or renews, after the other came."""
    newcomer = _newcomer(standing) or _second(standing.requests) or _taking_turns(standing.requests)
    if newcomer is None:
        return None
    agents = sorted({r.agent.rpartition(":")[2] for r in standing.requests if r.agent})
    facts = [
        Fact(f"CertificateSigningRequest {r.name}", "the name asked for", r.agent, format_time(r.created))
        for r in {r.agent: r for r in standing.requests if r.agent}.values()
    ]
    if standing.renewed is not None:
        lease = f"Lease {standing.name}/managed-cluster-lease"
        facts.append(Fact(lease, "spec.renewTime", format_time(standing.renewed)))
    others = " and ".join(agents) if len(agents) > 1 else f"{agents[0]} and one that has joined already"
    sentence = f"Two agents go by the cluster name {standing.name}: {others}."
    mend = f"kubectl certificate deny {newcomer.name}"
    if newcomer.state is not RequestState.PENDING:
        mend = f"gitops-ocm unjoin --cluster-name {standing.name}"  # where the one too many runs
    return Finding("name-clash", f"ManagedCluster {standing.name}", sentence, (*facts,), mend, standing.name)


def _newcomer(standing: Standing) -> Request | None:
    """Somebody asks to join, and somebody else goes on renewing the lease long after."""
    renewed, made = standing.renewed, _made(standing)
    if not standing.joined or renewed is None or made is None or renewed <= made:
        return None
    for request in standing.requests:
        asks = request.state is RequestState.PENDING and not request.renewal and request.agent
        if asks and renewed > request.created + standing.duration:
            return request
    return None


def _second(requests: Sequence[Request]) -> Request | None:
    """Two ask to join by different names, and nobody has decided."""
    asking = [r for r in requests if r.state is RequestState.PENDING and not r.renewal and r.agent]
    return asking[-1] if len({r.agent for r in asking}) > 1 else None


def _taking_turns(requests: Sequence[Request]) -> Request | None:
    """One has got a certificate after the other, and the other one renews its own all the same."""
    issued = [r for r in requests if r.state is RequestState.ISSUED and r.agent]
    for at, request in enumerate(issued):
        before = {r.agent for r in issued[:at]} - {request.agent}
        if any(r.agent in before and r.renewal for r in issued[at + 1 :]):
            return request
    return None


def _made(standing: Standing) -> datetime | None:
    return time_at((standing.lease or {"metadata": {}})["metadata"].get("creationTimestamp"))


def _acceptance(standing: Standing, evidence: Evidence) -> Iterator[Finding]:
    cluster, name = standing.cluster, standing.name
    assert cluster is not None
    subject = f"ManagedCluster {name}"
    condition = standing.condition(HUB_ACCEPTED)
    said = [condition_fact(cluster, condition)] if condition else []
    changed = changed_at(cluster)
    when = format_time(changed) if changed else ""
    wanted = Fact(subject, "spec.hubAcceptsClient", "true" if standing.wanted else "false", when)
    facts = (wanted, *said)
    accept = f"gitops-ocm accept --clusters {name}"
    if not standing.wanted and condition is None:
        sentence = f"The hub has not accepted the cluster {name} yet."
        yield Finding("cluster-not-accepted", subject, sentence, facts, accept, name)
    elif not standing.wanted:
        sentence = (
            f"The cluster {name} was denied after it had been accepted: its agents have no rights any more."
        )
        yield Finding("cluster-denied", subject, sentence, facts, accept, name)
    elif condition is not None and condition.get("reason") == "Error":
        text = cut(str(condition.get("message") or "no reason is given"))
        sentence = f"The hub could not make what the accepted cluster {name} needs: {text}"
        mend = f"kubectl get managedcluster {name} -o yaml"
        yield Finding("acceptance-failed", subject, sentence, facts, mend, name)
    elif not standing.accepted and evidence.settled(changed):
        sentence = (
            f"The cluster {name} is to be accepted, and the hub's registration controller has not done so."
        )
        yield Finding("acceptance-not-handled", subject, sentence, facts, "gitops-ocm get hub-info", name)
