"""`POST .../serviceaccounts/NAME/token`: a token for a ServiceAccount, as a TokenRequest asks for it.

What a token claims and when it ends to hold is in `tokens`; here the request is checked, in the order
and the words of a kube-apiserver, and what the token is to be bound to is looked up.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from gitops_ocm.apiserver.authentication import ISSUER
from gitops_ocm.apiserver.naming import new_uid
from gitops_ocm.apiserver.signing_key import SigningKey
from gitops_ocm.apiserver.store import Store
from gitops_ocm.apiserver.tokens import claims_for
from gitops_ocm.apiserver.watch_history import Key
from gitops_ocm.objects.catalog import Served
from gitops_ocm.objects.conditions import timestamp
from gitops_ocm.objects.faults import ApiError, Cause, bad_request, invalid, not_found
from gitops_ocm.objects.ref import Object, Resource, split_api_version
from gitops_ocm.objects.schema import Definitions

GROUP, KIND = "authentication.k8s.io", "TokenRequest"
API_VERSION = f"{GROUP}/v1"
DEFAULT_SECONDS = 3600
_SHORTEST, _LONGEST = 600, 1 << 32
_WARNED = 3607
"""The lifetime kubelets ask for: of a pod's token it is a warning, and the end comes a year later."""
_EXTENDED = 365 * 24 * 3600
_API = "io.k8s.api.authentication.v1"
_TEXT = {"type": "string"}
_REFERENCE = ("apiVersion", "kind", "name", "uid")
_OPEN = {"type": "object", "x-kubernetes-preserve-unknown-fields": True}
_DEFINITIONS: Mapping[str, Mapping[str, Any]] = {
    f"{_API}.TokenRequest": {
        "type": "object",
        "properties": {
            "apiVersion": _TEXT,
            "kind": _TEXT,
            "metadata": _OPEN,
            "spec": {"allOf": [{"$ref": f"{_API}.TokenRequestSpec"}], "default": {}},
            "status": _OPEN,
        },
    },
    f"{_API}.TokenRequestSpec": {
        "type": "object",
        "properties": {
            "audiences": {"type": "array", "items": _TEXT, "x-kubernetes-list-type": "atomic"},
            "expirationSeconds": {"type": "integer", "format": "int64", "default": DEFAULT_SECONDS},
            "boundObjectRef": {"type": "object", "properties": dict.fromkeys(_REFERENCE, _TEXT)},
        },
    },
}
_LETTERS = {f"{_API}.{KIND}": {"spec": "o"}}
SERVED = Served(
    Resource(GROUP, "v1", KIND, "tokenrequests", namespaced=True),
    load=lambda: Definitions(lambda name: _DEFINITIONS[name], lambda name: _LETTERS.get(name, {})).node(
        f"{_API}.{KIND}"
    ),
)
"""The kind of what is sent and answered: it is served as a subresource, so no list of kinds has it."""
_BINDABLE = {"Pod": "pods", "Node": "nodes", "Secret": "secrets"}


@dataclass(frozen=True)
class TokenRequests:
    """Answers TokenRequests from what is stored."""

    store: Store
    key: SigningKey
    now: Callable[[], datetime]

    def answer(self, namespace: str, name: str, request: Object) -> Object:
        """The request with its status filled in; raises what is wrong with it."""
        _check_identity(namespace, name, request)
        account = self.store.get(Key("", "serviceaccounts", namespace, name))
        if account is None:
            raise not_found("", "serviceaccounts", name)
        uid = account["metadata"]["uid"]
        sent = (request.get("metadata") or {}).get("uid")
        if sent and sent != uid:
            text = f"the UID in the token request ({sent}) does not match the UID of the service account"
            raise _conflict(KIND, GROUP, name, f"{text} ({uid})")
        spec = request["spec"]
        audiences = spec.get("audiences") or [ISSUER]
        seconds = spec["expirationSeconds"]
        _check_duration(seconds)
        bound = self._bound(namespace, name, spec.get("boundObjectRef"))
        lasting = _EXTENDED if "pod" in bound and seconds == _WARNED and audiences == [ISSUER] else seconds
        now = self.now()
        claims = claims_for(
            account, now=now, seconds=lasting, audiences=audiences, jti=new_uid(), bound=bound
        )
        if lasting != seconds:
            claims["kubernetes.io"]["warnafter"] = int(now.timestamp()) + seconds
        return {
            "kind": KIND,
            "apiVersion": API_VERSION,
            "metadata": {
                **request["metadata"],
                "name": name, "namespace": namespace, "uid": uid, "creationTimestamp": timestamp(now),
            },
            "spec": {
                "audiences": audiences,
                "expirationSeconds": seconds,
                "boundObjectRef": spec.get("boundObjectRef"),
            },
            "status": {
                "token": self.key.sign(claims),
                "expirationTimestamp": timestamp(now + timedelta(seconds=seconds)),
            },
        }  # fmt: skip

    def _bound(self, namespace: str, account: str, ref: Mapping[str, Any] | None) -> Object:
        """The claims about what the token is to die with."""
        if not ref:
            return {}
        group, version = split_api_version(str(ref.get("apiVersion") or ""))
        kind, name = str(ref.get("kind") or ""), str(ref.get("name") or "")
        if group or kind not in _BINDABLE:
            shown = f"{group}/{version}, Kind={kind}"
            raise bad_request(f"cannot bind token to object of type {shown}")
        plural = _BINDABLE[kind]
        found = self.store.get(Key("", plural, "" if kind == "Node" else namespace, name))
        if found is None:
            raise not_found("", plural, name)
        spec = found.get("spec") or {}
        if kind == "Pod" and spec.get("serviceAccountName") != account:
            raise bad_request(
                f'cannot bind token for serviceaccount "{account}" to pod running with different '
                "serviceaccount name."
            )
        uid = found["metadata"]["uid"]
        if ref.get("uid") and ref["uid"] != uid:
            why = f"the UID in the bound object reference ({ref['uid']}) does not match the UID in record."
            raise _conflict(kind, "", name, f"{why} The object might have been deleted and then recreated")
        bound: Object = {kind.lower(): {"name": name, "uid": uid}}
        if kind == "Pod" and spec.get("nodeName"):
            node = self.store.get(Key("", "nodes", "", spec["nodeName"]))
            known = {"uid": node["metadata"]["uid"]} if node is not None else {}
            bound["node"] = {"name": spec["nodeName"], **known}
        return bound


def _check_identity(namespace: str, name: str, request: Object) -> None:
    meta = request.get("metadata") or {}
    for field, wanted in (("name", name), ("namespace", namespace)):
        sent = meta.get(field)
        if sent and sent != wanted:
            text = f'Invalid value: "{sent}": must match the service account {field} if specified'
            raise invalid(GROUP, KIND, name, [Cause("FieldValueInvalid", text, f"metadata.{field}")])


def _check_duration(seconds: int) -> None:
    why = ""
    if seconds < _SHORTEST:
        why = "may not specify a duration less than 10 minutes"
    elif seconds > _LONGEST:
        why = "may not specify a duration larger than 2^32 seconds"
    if why:
        cause = Cause("FieldValueInvalid", f"Invalid value: {seconds}: {why}", "spec.expirationSeconds")
        raise invalid(GROUP, KIND, "", [cause])


def _conflict(kind: str, group: str, name: str, why: str) -> ApiError:
    qualified = f"{kind}.{group}" if group else kind
    text = f'Operation cannot be fulfilled on {qualified} "{name}": {why}'
    details = {"name": name, "group": group, "kind": kind}
    return ApiError("Conflict", text, details={k: v for k, v in details.items() if v})
