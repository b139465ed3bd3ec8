"""Client certificates from the hub: what to ask for, when, and what an answer means.

Pure: private keys, files and waiting are `klusterlet.enrollment`'s. A request that an agent has made is
known by the bytes in it, not by its name: so an agent that was killed finds its own again.
"""

from __future__ import annotations

import base64
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any

from gitops_ocm.api.addon_words import ADDON_NAME_LABEL
from gitops_ocm.api.cluster import CLUSTER_NAME_LABEL, GROUP_PREFIX
from gitops_ocm.api.meta import KnownCondition
from gitops_ocm.api.registration import (
    CERTIFICATE_NOT_UPDATED,
    CERTIFICATE_UPDATED,
    CERTIFICATES_GROUP,
    CLIENT_SIGNER,
    CLIENT_USAGES,
)
from gitops_ocm.decide.access import agent_identity
from gitops_ocm.decide.agent.pacing import spread
from gitops_ocm.decide.writes import conditions_of
from gitops_ocm.objects.conditions import timestamp
from gitops_ocm.objects.ref import Object

OUTSTANDING_LIMIT = 10
"""With so many requests of one cluster (or add-on) on the hub, no more are made."""
REMAINING = 0.2
REMAINING_SPREAD = 0.25
"""A certificate is renewed when 0.2 to 0.25 of its life is left: many agents do not come at once."""


@dataclass(frozen=True)
class Subject:
    """Whom a certificate is for. The order of groups and units does not matter."""

    common_name: str
    groups: frozenset[str]
    units: frozenset[str] = frozenset()


@dataclass(frozen=True)
class Wanted:
    """A client certificate that is to be held, and how it is asked for."""

    prefix: str
    subject: Subject
    labels: Mapping[str, str] = field(hash=False)
    dns_names: tuple[str, ...] = ()
    signer: str = CLIENT_SIGNER
    lifetime: int = 0
    """Seconds asked for; 0 leaves it to the signer."""

    @property
    def selector(self) -> str:
        """Finds every request for this certificate, and none of another one of the cluster."""
        labels = ",".join(f"{key}={value}" for key, value in sorted(self.labels.items()))
        return labels if ADDON_NAME_LABEL in self.labels else f"{labels},!{ADDON_NAME_LABEL}"


@dataclass(frozen=True)
class Certificate:
    """What a certificate says, as far as it matters here."""

    subject: Subject
    not_before: datetime
    not_after: datetime


def for_cluster(cluster: str, agent: str, lifetime: int = 0) -> Wanted:
    """The certificate of a cluster's agent."""
    user, groups = agent_identity(cluster, agent)
    return Wanted(
        f"{cluster}-", Subject(user, frozenset(groups)), {CLUSTER_NAME_LABEL: cluster}, lifetime=lifetime
    )


def for_addon(
    cluster: str,
    addon: str,
    subject: Mapping[str, Any],
    *,
    signer: str = CLIENT_SIGNER,
    lifetime: int = 0,
) -> Wanted:
    """The certificate of an add-on's agent; `subject` is what its registration asks for."""
    group = f"{GROUP_PREFIX}cluster:{cluster}:addon:{addon}"
    return Wanted(
        f"addon-{cluster}-{addon}-",
        Subject(
            str(subject.get("user") or f"{group}:agent:{addon}"),
            # Only for the hub's own API does an agent without a group have one.
            frozenset(subject.get("groups") or ((group,) if signer == CLIENT_SIGNER else ())),
            frozenset(subject.get("organizationUnits") or ()),
        ),
        {CLUSTER_NAME_LABEL: cluster, ADDON_NAME_LABEL: addon},
        (f"{addon}.addon.open-cluster-management.io",),
        signer,
        lifetime,
    )


def renew_at(wanted: Wanted, held: Certificate | None, now: datetime) -> datetime:
    """When the next certificate is to be asked for; `now` where what is held does not do."""
    if held is None or held.subject != wanted.subject or held.not_after <= now:
        return now
    life = (held.not_after - held.not_before).total_seconds()
    left = spread(REMAINING, REMAINING_SPREAD, wanted.subject.common_name, timestamp(held.not_after))
    return held.not_after - timedelta(seconds=life * left)


def request_object(wanted: Wanted, request: bytes, version: str = "v1") -> Object:
    """The CertificateSigningRequest to create; `request` is PKCS#10 in PEM."""
    spec: Object = {
        "request": base64.b64encode(request).decode(),
        "signerName": wanted.signer,
        "usages": list(CLIENT_USAGES),
    }
    if wanted.lifetime:
        spec["expirationSeconds"] = wanted.lifetime
    return {
        "apiVersion": f"{CERTIFICATES_GROUP}/{version}",
        "kind": "CertificateSigningRequest",
        "metadata": {"generateName": wanted.prefix, "labels": dict(wanted.labels)},
        "spec": spec,
    }


def own_request(requests: Iterable[Object], request: bytes) -> Object | None:
    """The one that carries these very bytes; of several (a create whose answer was lost) the first."""
    carried = base64.b64encode(request).decode()
    own = [r for r in requests if (r.get("spec") or {}).get("request") == carried]
    return min(own, key=lambda r: str(r["metadata"]["name"]), default=None)


def too_many(wanted: Wanted, requests: Sequence[Object]) -> str:
    """Why no further request is made; `""`: one may be."""
    if len(requests) < OUTSTANDING_LIMIT:
        return ""
    return (
        f"{len(requests)} certificate requests of {wanted.prefix.removesuffix('-')} are on the hub already; "
        f"no more are made from {OUTSTANDING_LIMIT} on"
    )


class Answer(StrEnum):
    """What a signing request has come to."""

    PENDING = "pending"
    ISSUED = "issued"
    REFUSED = "refused"


def answer_of(request: Object) -> tuple[Answer, str]:
    """What has become of a request, and for REFUSED who said what."""
    for condition in conditions_of(request):
        if condition.get("type") in ("Denied", "Failed") and condition.get("status", "True") == "True":
            said = " ".join(str(condition[k]) for k in ("reason", "message") if condition.get(k))
            verdict = "denied" if condition["type"] == "Denied" else "given up by the signer"
            return Answer.REFUSED, f"certificate request {request['metadata']['name']} was {verdict}: {said}"
    issued = (request.get("status") or {}).get("certificate")
    return (Answer.ISSUED if issued else Answer.PENDING), ""


def certificate_in(request: Object) -> bytes:
    """The certificate chain (PEM) that was issued; empty if none was."""
    return base64.b64decode((request.get("status") or {}).get("certificate") or "")


def rotated(held: Certificate) -> KnownCondition:
    """The condition once a certificate was renewed."""
    return CERTIFICATE_UPDATED.saying(start=timestamp(held.not_before), end=timestamp(held.not_after))


def not_rotated(why: str) -> KnownCondition:
    """The condition while one cannot be."""
    return CERTIFICATE_NOT_UPDATED.saying(error=why)
