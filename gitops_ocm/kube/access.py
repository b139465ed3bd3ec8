"""What an identity may do, asked of the API server it is one of (SelfSubjectAccessReview).

    await may(cluster, Right("create", "cluster.open-cluster-management.io", "managedclusters"))

`Callers` judges those who call a server of ours by what they may do on a cluster, with their own token:
that needs no right of ours.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from hashlib import sha256

from gitops_ocm.kube.client import HttpCluster
from gitops_ocm.kube.cluster import Cluster, Unreachable
from gitops_ocm.kube.credentials import Identity, Static, bearer
from gitops_ocm.kube.identity import Connection, Pem
from gitops_ocm.objects.faults import ApiError
from gitops_ocm.objects.ref import Object
from gitops_ocm.objects.rights import Right
from gitops_ocm.objects.served import SELF_ACCESS_REVIEWS
from gitops_ocm.runtime.clock import Clock, SystemClock
from gitops_ocm.runtime.observing import Refused

_REMEMBERED = 10.0
"""Seconds for which an answer counts, as on a kube-apiserver."""
_MANY = 256


async def may(cluster: Cluster, right: Right) -> bool:
    """Whether who asks may do that."""
    return await _allowed(cluster, {"resourceAttributes": right.attributes()})


async def _allowed(cluster: Cluster, spec: Object) -> bool:
    review: Object = {
        "apiVersion": SELF_ACCESS_REVIEWS.api_version,
        "kind": SELF_ACCESS_REVIEWS.kind,
        "metadata": {},
        "spec": spec,
    }
    return bool(((await cluster.create(SELF_ACCESS_REVIEWS, review)).get("status") or {}).get("allowed"))


@dataclass
class Callers:
    """Who may GET a path of a server of ours: whoever may do so on the cluster at `connection`."""

    connection: Connection
    clock: Clock = field(default_factory=SystemClock)
    _known: dict[tuple[bytes, str], tuple[float, Refused | None]] = field(default_factory=dict)

    async def __call__(self, token: str, path: str) -> Refused | None:
        """None, or why not."""
        if not token:
            return Refused(401, "a bearer token of the cluster is needed")
        key, now = (sha256(token.encode()).digest(), path), self.clock.monotonic()
        if (held := self._known.get(key)) is not None and now < held[0]:
            return held[1]
        asked = {"nonResourceAttributes": {"path": path, "verb": "get"}}
        answer = await self._asked(token, asked, f"get {path}")
        if answer is None or answer.status != 503:
            if len(self._known) >= _MANY:
                self._known.clear()
            self._known[key] = (now + _REMEMBERED, answer)
        return answer

    async def to(self, token: str, right: Right) -> Refused | None:
        """The same of a right to resources, asked each time."""
        if not token:
            return Refused(401, "a bearer token of the cluster is needed")
        return await self._asked(token, {"resourceAttributes": right.attributes()}, str(right))

    async def _asked(self, token: str, spec: Object, what: str) -> Refused | None:
        credentials = Static(Identity(bearer(token)))
        own = replace(
            self.connection, credentials=credentials, certificate=Pem(), key=Pem(), impersonation=()
        )
        cluster = HttpCluster(own, timeout=10.0)
        try:
            allowed = await _allowed(cluster, spec)
        except ApiError as error:
            if error.http_code == 401:
                return Refused(401, "the cluster does not know this token")
            return Refused(403, "the cluster does not say what this token may do")
        except Unreachable:
            return Refused(503, "the cluster cannot be asked what this token may do")
        finally:
            await cluster.close()
        return None if allowed else Refused(403, f"this token's holder may not {what} on the cluster")
