"""Has certificates signed by a hub: files a request once, waits for the answer, checks what comes.

A request that waits is kept with its key (`notes`) until the certificate is there. So an agent that is
killed goes on waiting for the one it made, and never makes a second.
"""

from __future__ import annotations

from collections.abc import Callable
from contextlib import aclosing
from dataclasses import dataclass, field
from hashlib import sha256
from typing import Any

from gitops_ocm.api.registration import CERTIFICATES_GROUP
from gitops_ocm.decide.agent.certificates import (
    Answer,
    Certificate,
    Wanted,
    answer_of,
    certificate_in,
    own_request,
    request_object,
    too_many,
)
from gitops_ocm.errors import GitopsError
from gitops_ocm.klusterlet.kept import Kept
from gitops_ocm.klusterlet.keys import KeyRequest, kept_request, new_request, read_certificate
from gitops_ocm.kube.cluster import Cluster
from gitops_ocm.kube.reading import find
from gitops_ocm.objects.faults import ApiError
from gitops_ocm.objects.ref import Kind, Object, Resource
from gitops_ocm.runtime.log import get_logger

_log = get_logger("registration")

CSR = Kind(CERTIFICATES_GROUP, "CertificateSigningRequest")
_PLURAL = "certificatesigningrequests"
_BETA = "v1beta1"
_WATCH = 300.0


class NotIssued(GitopsError):
    """The hub has not given the certificate."""

    code = "certificate-not-issued"


@dataclass(frozen=True)
class Issued:
    """A certificate with its key, both in PEM, and what it says."""

    chain: bytes
    key: bytes = field(repr=False)
    certificate: Certificate


@dataclass(frozen=True)
class Enrollment:
    """Certificates of one hub. `beta`: ask at v1beta1 where the hub serves nothing newer."""

    hub: Cluster
    notes: Kept
    beta: bool = False

    async def obtain(self, wanted: Wanted, told: Callable[[str], None] = lambda why: None) -> Issued:
        """A certificate as wanted; waits as long as it takes. `told` hears why the hub refuses, once.

        The key is forgotten by `settle`, once the certificate is where it belongs.
        """
        resource = await self._resource()
        while True:
            pending = await self._pending(wanted)
            request = await self._filed(resource, wanted, pending)
            answered = await self._answered(resource, request, told)
            if answered is not None:
                chain = certificate_in(answered)
                found = read_certificate(chain, pending.key)
                if found is not None:
                    return Issued(chain, pending.key, found)
                _log.warning("the certificate does not belong to the key", request=_name(answered))
            await self.settle(wanted)

    async def settle(self, wanted: Wanted) -> None:
        """Forget the request: its certificate is kept, or it came to nothing."""
        await self.notes.write({_entry(wanted): None})

    async def _resource(self) -> Resource:
        version = "v1"
        if self.beta:
            served = {r.version for r in await self.hub.discover() if r.of == CSR}
            version = _BETA if _BETA in served and "v1" not in served else version
        return Resource(CSR.group, version, CSR.kind, _PLURAL, namespaced=False)

    async def _pending(self, wanted: Wanted) -> KeyRequest:
        """The request that was made already, or a new one, kept before anybody hears of it."""
        entry = _entry(wanted)
        kept = (await self.notes.read()).get(entry)
        if kept is not None and (pending := kept_request(kept, wanted)) is not None:
            return pending
        pending = new_request(wanted)
        await self.notes.write({entry: pending.text})
        return pending

    async def _filed(self, resource: Resource, wanted: Wanted, pending: KeyRequest) -> Object:
        """The request as it is on the hub; created where it is not."""
        there = (await self.hub.list(resource, label_selector=wanted.selector)).items
        if (own := own_request(there, pending.request)) is not None:
            return own
        if why := too_many(wanted, there):
            raise NotIssued(
                why, hint="delete or answer those that wait: kubectl get csr -l " + wanted.selector
            )
        made = await self.hub.create(resource, request_object(wanted, pending.request, resource.version))
        _log.info("certificate requested", request=_name(made), subject=wanted.subject.common_name)
        return made

    async def _answered(
        self, resource: Resource, request: Object, told: Callable[[str], None]
    ) -> Object | None:
        """The request once it has its certificate; None once it is gone from the hub."""
        name, said = _name(request), ""
        while True:
            answer, why = answer_of(request)
            if answer is Answer.ISSUED:
                return request
            if why and why != said:
                said = why
                told(why)
                _log.warning(why, hint=f"delete it to have the agent ask again: kubectl delete csr {name}")
            newer = await self._change(resource, request)
            if newer is None:
                return None
            request = newer

    async def _change(self, resource: Resource, request: Object) -> Object | None:
        """The next state of a request; None where it was deleted."""
        name, version = _name(request), str(request["metadata"]["resourceVersion"])
        try:
            watch: Any = self.hub.watch(
                resource, resource_version=version, field_selector=f"metadata.name={name}", timeout=_WATCH
            )
            async with aclosing(watch) as events:
                async for event in events:
                    if event.type == "DELETED":
                        return None
                    if event.type != "BOOKMARK":
                        changed: Object = event.object
                        return changed
        except ApiError as error:
            if error.reason not in ("Expired", "Gone"):
                raise
        # The server ended the watch, or has forgotten that far back.
        return await find(self.hub, resource, name)


async def forget_taken(notes: Kept, wanted: Wanted, key: bytes) -> None:
    """Forget a request whose certificate is kept already, with its `key`.

    Whoever was killed between the two would at its next renewal be given the old certificate again.
    """
    entry = _entry(wanted)
    noted = (await notes.read()).get(entry)
    if noted is not None and (pending := kept_request(noted, wanted)) is not None and pending.key == key:
        await notes.write({entry: None})


def _entry(wanted: Wanted) -> str:
    """Under which name the request for a certificate is kept."""
    which = sha256(f"{wanted.prefix}\0{wanted.signer}".encode()).hexdigest()[:10]
    return f"pending-{which}"


def _name(request: Object) -> str:
    return str(request["metadata"]["name"])
