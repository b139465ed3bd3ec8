"""Why an agent does not get to its hub: what its kubeconfigs say, and what came of trying them.

While the hub kubeconfig is good, nothing is said of the bootstrap kubeconfig: its token lives an hour, and is
not needed any more.
"""

from __future__ import annotations

from collections.abc import Iterator

from gitops_ocm.api.cluster import GROUP_PREFIX
from gitops_ocm.api.scalars import format_time
from gitops_ocm.decide.agent.bootstrap import Held, why_bootstrap
from gitops_ocm.decide.agent.certificates import for_cluster, renew_at
from gitops_ocm.decide.diagnosis.evidence import Evidence, Fault, Hub, Spoke, Way
from gitops_ocm.decide.diagnosis.finding import Fact, Finding, cut
from gitops_ocm.decide.diagnosis.klusterlets import KLUSTERLET
from gitops_ocm.decide.diagnosis.standing import standing
from gitops_ocm.decide.operators.agent_spec import AgentSpec

_NETWORK = {
    Fault.DNS: ("hub-name-unknown", "The name of the hub in {source} is not known: {said}"),
    Fault.REFUSED: ("hub-unreachable", "Nothing answers where {source} has the hub: {said}"),
    Fault.TIMEOUT: ("hub-unreachable", "The hub in {source} does not answer: {said}"),
    Fault.OTHER: ("hub-unreachable", "The hub in {source} cannot be reached: {said}"),
    Fault.PROXY: ("hub-proxy", "The proxy to the hub in {source} does not let through: {said}"),
    Fault.CERTIFICATE: (
        "hub-ca-changed",
        "The hub's certificate is not signed by the authority that {source} names: {said}",
    ),
    Fault.SERVER_EXPIRED: (
        "hub-certificate-expired",
        "The hub in {source} shows an expired certificate: {said}",
    ),
}
REJOIN = "gitops-ocm get token"
"""Prints, on the hub, the command to join by: it writes a new bootstrap kubeconfig, whatever was there."""


def findings(evidence: Evidence) -> Iterator[Finding]:
    """What is wrong with the ways of the managed cluster's agents to their hub."""
    spoke = evidence.spoke
    if spoke is None:
        return
    way = spoke.hub_way
    if way is not None and (other := _another(way, spoke)):
        yield other
        return
    if way is not None and _good(way, spoke, evidence):
        yield from _joined(way, spoke, evidence)
        return
    if way is not None:
        yield from _hub_way(way, spoke, evidence)
    elif spoke.namespace and not spoke.hidden and _expected(spoke, evidence):
        lack = f"The agents of {spoke.cluster} have no hub kubeconfig in {spoke.namespace}"
        sentence = f"{lack}: they have not joined."
        fact = Fact("Secret hub-kubeconfig-secret", "", "not found")
        yield _finding("hub-kubeconfig-missing", spoke, sentence, (fact,), REJOIN)
    yield from _bootstrap_way(spoke, evidence)


def _another(way: Way, spoke: Spoke) -> Finding | None:
    """What was given is the kubeconfig of another managed cluster than the one asked for."""
    declared = {AgentSpec(k).cluster_name for k in spoke.objects.list(KLUSTERLET)}
    if not way.cluster or way.cluster == spoke.cluster or spoke.cluster in declared:
        return None
    facts = (Fact(way.source, "cluster-name", way.cluster),)
    sentence = f"The managed cluster looked at is {way.cluster}, not {spoke.cluster}."
    mend = f"gitops-ocm doctor {way.cluster} --spoke-kubeconfig FILE"
    return _finding("another-cluster", spoke, sentence, facts, mend)


def _expected(spoke: Spoke, evidence: Evidence) -> bool:
    return bool(spoke.cluster) and (evidence.hub is None or not standing(evidence.hub, spoke.cluster).leaving)


def _good(way: Way, spoke: Spoke, evidence: Evidence) -> bool:
    """Whether the agents get in by it."""
    if way.unusable or way.fault is not None or way.certificate is None:
        return False
    return way.certificate.not_after > evidence.now and not _other_cluster(way, spoke)


def _other_cluster(way: Way, spoke: Spoke) -> bool:
    """Whether the certificate is for another cluster than the one it is kept for."""
    held = way.certificate
    return bool(
        held and spoke.cluster and not held.subject.common_name.startswith(f"{GROUP_PREFIX}{spoke.cluster}:")
    )


def _joined(way: Way, spoke: Spoke, evidence: Evidence) -> Iterator[Finding]:
    """The hub is reached: is it this one, may they do what they have to, is the certificate renewed?"""
    hub, address = evidence.hub, way.address
    if hub is not None and address is not None and _elsewhere(hub, address.ca, spoke, evidence):
        facts: tuple[Fact, ...] = (
            Fact(way.source, "clusters[0].cluster.server", address.server),
            Fact("the hub's kubeconfig", "clusters[0].cluster.server", hub.server),
        )
        sentence = f"The agents of {spoke.cluster} are with another hub: {address.server}, not {hub.server}."
        yield _finding("wrong-hub", spoke, sentence, facts, REJOIN)
    if way.lacks:
        facts = tuple(Fact(way.source, "may not", right) for right in way.lacks)
        sentence = f"The hub does not let the agents of {spoke.cluster} {way.lacks[0]}."
        mend = f"gitops-ocm accept --clusters {spoke.cluster}"
        yield _finding("hub-rights-missing", spoke, sentence, facts, mend)
    held = way.certificate
    if held is not None and way.agent:
        due = renew_at(for_cluster(spoke.cluster, way.agent), held, evidence.now)
        # Agents look every five minutes: OCM's have no exact timer.
        late = (evidence.now - due).total_seconds() > max(evidence.settle, 300.0)
        if held.not_after > evidence.now and late:
            end = format_time(held.not_after)
            facts = (Fact(way.source, "tls.crt: not after", end), Fact(way.source, "due", format_time(due)))
            what = f"The certificate of the agent of {spoke.cluster} ends at {end}"
            sentence = f"{what}, and was not renewed when due."
            yield _finding(
                "certificate-not-renewed", spoke, sentence, facts, f"kubectl get csr -l {_label(spoke)}"
            )


def _label(spoke: Spoke) -> str:
    return f"open-cluster-management.io/cluster-name={spoke.cluster}"


def _elsewhere(hub: Hub, trusted: bytes, spoke: Spoke, evidence: Evidence) -> bool:
    """Whether agents that are well with their hub are with another one than this.

    One hub may have several addresses, and bundles of more authorities than one. So it is another one only if
    the two have no authority in common, and nothing is heard of the agents here.
    """
    heard = standing(hub, spoke.cluster).heard(evidence.now)
    return not heard and bool(hub.ca and trusted) and not _pems(hub.ca) & _pems(trusted)


def _pems(bundle: bytes) -> frozenset[bytes]:
    """The certificates of a bundle, each without the white space between its lines."""
    blocks = bundle.split(b"-----END CERTIFICATE-----")
    return frozenset(b"".join(block.split()) for block in blocks if block.strip())


def _hub_way(way: Way, spoke: Spoke, evidence: Evidence) -> Iterator[Finding]:
    held = way.certificate
    if way.unusable:
        fact = Fact(way.source, "", cut(way.unusable))
        sentence = f"The hub kubeconfig of {spoke.cluster} cannot be used: {cut(way.unusable)}"
        yield _finding("certificate-missing", spoke, sentence, (fact,), REJOIN)
        return
    if held is None:
        sentence = f"The agents of {spoke.cluster} have no certificate that belongs to its key."
        fact = Fact(way.source, "tls.crt", "absent, or of another key")
        yield _finding("certificate-missing", spoke, sentence, (fact,), REJOIN)
        return
    said = Fact(way.source, "tls.crt: subject", held.subject.common_name)
    if _other_cluster(way, spoke):
        sentence = (
            f"The certificate in {way.source} is for {held.subject.common_name}, not for {spoke.cluster}."
        )
        yield _finding("wrong-cluster", spoke, sentence, (said,), _forget(spoke))
    if held.not_after <= evidence.now:
        end = format_time(held.not_after)
        facts = (said, Fact(way.source, "tls.crt: not after", end, end))
        sentence = f"The client certificate of the agents of {spoke.cluster} expired at {end}."
        yield _finding("certificate-expired", spoke, sentence, facts, REJOIN)
        return
    yield from _attempt(way, spoke, "hub-credentials-refused")
    bootstrap = spoke.bootstrap_way
    if bootstrap is not None and bootstrap.address is not None and way.agent:
        wanted = for_cluster(spoke.cluster, way.agent)
        kept = Held(way.address, held, way.cluster or spoke.cluster, way.agent)
        why = why_bootstrap(kept, wanted, spoke.cluster, bootstrap.address, evidence.now)
        if why.startswith("the bootstrap kubeconfig") and way.address is not None:
            facts = (
                Fact(way.source, "clusters[0].cluster.server", way.address.server),
                Fact(bootstrap.source, "clusters[0].cluster.server", bootstrap.address.server),
            )
            sentence = f"The agents of {spoke.cluster} are to join anew, for {why}."
            yield _finding(
                "hub-moved", spoke, sentence, facts, f"gitops-ocm accept --clusters {spoke.cluster}"
            )


def _bootstrap_way(spoke: Spoke, evidence: Evidence) -> Iterator[Finding]:
    way = spoke.bootstrap_way
    if way is None:
        if spoke.namespace and not spoke.hidden:
            sentence = (
                f"There is nothing to join a hub with: no Secret {spoke.namespace}/bootstrap-hub-kubeconfig."
            )
            fact = Fact(f"Secret {spoke.namespace}/bootstrap-hub-kubeconfig", "", "not found")
            yield _finding("bootstrap-missing", spoke, sentence, (fact,), REJOIN)
        return
    if way.unusable:
        sentence = f"The bootstrap kubeconfig in {way.source} cannot be used: {cut(way.unusable)}"
        yield _finding(
            "bootstrap-unusable", spoke, sentence, (Fact(way.source, "", cut(way.unusable)),), REJOIN
        )
        return
    if way.expires is not None and way.expires <= evidence.now:
        end = format_time(way.expires)
        sentence = f"The token in {way.source} expired at {end}: with it no cluster can join any more."
        yield _finding(
            "bootstrap-expired", spoke, sentence, (Fact(way.source, "token: exp", end, end),), REJOIN
        )
    yield from _attempt(way, spoke, "bootstrap-refused")
    if way.lacks:
        sentence = f"The hub does not let who joins with {way.source} {way.lacks[0]}."
        facts = tuple(Fact(way.source, "may not", right) for right in way.lacks)
        yield _finding("bootstrap-refused", spoke, sentence, facts, "gitops-ocm init")


def _attempt(way: Way, spoke: Spoke, refused: str) -> Iterator[Finding]:
    """What the attempt to get to the hub met."""
    server = way.address.server if way.address else ""
    facts = (
        Fact(way.source, "clusters[0].cluster.server", server),
        Fact(server or "the hub", "tried from here", cut(way.said)),
        *([Fact(server, "certificate: issuer", way.shown)] if way.shown else []),
        *([Fact(way.source, "certificate-authority-data: subject", way.trusted)] if way.trusted else []),
    )
    if way.fault is Fault.UNAUTHORIZED:
        sentence = (
            f"The hub does not take the credentials in {way.source}: they were revoked, or are another hub's."
        )
        mend = REJOIN if refused == "bootstrap-refused" else _forget(spoke)
        yield _finding(refused, spoke, sentence, facts, mend)
    elif way.fault is not None:
        cause, sentence = _NETWORK[way.fault]
        said = cut(way.said).rstrip(".") + "."
        yield _finding(cause, spoke, sentence.format(source=way.source, said=said), facts, REJOIN)


def _forget(spoke: Spoke) -> str:
    """What has agents register anew: the Secret goes, the bootstrap kubeconfig stays."""
    return f"kubectl -n {spoke.namespace or 'NAMESPACE'} delete secret hub-kubeconfig-secret"


def _finding(cause: str, spoke: Spoke, sentence: str, facts: tuple[Fact, ...], mend: str) -> Finding:
    subject = facts[0].subject if facts else f"ManagedCluster {spoke.cluster}"
    return Finding(cause, subject, sentence, facts, mend, spoke.cluster)
