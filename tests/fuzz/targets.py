"""Where bytes from outside are first made sense of: one function each, that takes any bytes and fails on none.

`test_corpus` calls them with the saved inputs, `explore` (`make fuzz`) with what atheris thinks of. A refusal
in the API's own terms is fine; any other exception is a find.
"""

from __future__ import annotations

import base64
from collections.abc import Callable, Mapping
from functools import cache
from typing import Any

import orjson
from cryptography.hazmat.primitives.asymmetric import ec

from gitops_ocm.apiserver.authentication import Authenticator
from gitops_ocm.apiserver.bodies import Unreadable
from gitops_ocm.apiserver.negotiation import check_accept, decode, decode_patch, negotiate, patch_type
from gitops_ocm.apiserver.protobuf import MAGIC, MEDIA
from gitops_ocm.apiserver.request_info import read
from gitops_ocm.apiserver.signing_key import SigningKey
from gitops_ocm.apiserver.tokens import ServiceAccountTokens
from gitops_ocm.apiserver.tokens_bootstrap import BootstrapTokens
from gitops_ocm.apiserver.values import WriteOptions
from gitops_ocm.apiserver.verbs import Api
from gitops_ocm.errors import GitopsError
from gitops_ocm.kube.cluster import PatchType
from gitops_ocm.objects.faults import ApiError
from gitops_ocm.objects.selectors import parse, parse_fields
from gitops_ocm.runtime.catalog import load_catalog
from gitops_ocm.runtime.clock import SystemClock
from tests.fuzz.strategies import DEPLOYMENT, WIDGET, WIDGETS
from tests.fuzz.targets_beside import BESIDE

Target = Callable[[bytes], None]
WHOLE = WriteOptions(field_manager="fuzz", dry_run=True, force=True)
"""Without effect, and with force."""
_KINDS = (("apps/v1", "Deployment", "d"), ("fuzz.example.com/v1", "Widget", "w"))


@cache
def api() -> Api:
    """A store with an object of a built-in and one of a custom kind."""
    made = Api(load_catalog())
    for obj in (WIDGETS, DEPLOYMENT, WIDGET):
        served = made.catalog.served(obj["apiVersion"], obj["kind"])
        assert served is not None
        made.create(served, "default" if served.resource.namespaced else "", obj)
    return made


@cache
def authenticator() -> Authenticator:
    """Who says who somebody is, by any token."""
    now, store = SystemClock().now, api().store
    key = SigningKey(ec.generate_private_key(ec.SECP256R1()))
    return Authenticator({}, (ServiceAccountTokens(store, key, now), BootstrapTokens(store, now)))


def _body(media: str, before: bytes = b"") -> Target:
    def target(data: bytes) -> None:
        decode(before + data, media)

    return target


def _patch(kind: PatchType) -> Target:
    def target(data: bytes) -> None:
        patch = decode_patch(data, kind)
        for api_version, name, obj in _KINDS:
            served = api().catalog.served(api_version, name)
            assert served is not None
            try:
                api().patch(served, "default", obj, kind, patch, WHOLE)
            except ApiError:
                continue

    return target


def _object(api_version: str, kind: str) -> Target:
    def target(data: bytes) -> None:
        obj: Any = decode(data, "application/json").value
        if isinstance(obj, dict):
            served = api().catalog.served(api_version, kind)
            assert served is not None
            meta = {"name": "new"}
            api().create(
                served, "", {**obj, "apiVersion": api_version, "kind": kind, "metadata": meta}, WHOLE
            )

    return target


def _text(use: Callable[[str], object]) -> Target:
    def target(data: bytes) -> None:
        use(data.decode("utf-8", "replace"))

    return target


def _list(option: str) -> Callable[[str], object]:
    def use(text: str) -> object:
        served = api().catalog.served("apps/v1", "Deployment")
        assert served is not None
        return api().list(served, "default", **{option: text})  # type: ignore[arg-type]

    return use


def _request(text: str) -> object:
    method, _, rest = text.partition(" ")
    path, _, selector = rest.partition("?")
    return read(method, path, {"fieldSelector": selector, "watch": selector})


def _token(text: str) -> object:
    return authenticator().user(None, f"Bearer {text}", SystemClock().now())


def _csr(data: bytes) -> None:
    signer, request = "kubernetes.io/kube-apiserver-client", base64.b64encode(data).decode()
    spec = {"signerName": signer, "usages": ["client auth"], "request": request}
    _object("certificates.k8s.io/v1", "CertificateSigningRequest")(orjson.dumps({"spec": spec}))


TARGETS: Mapping[str, Target] = {
    "json": _body("application/json"),
    "yaml": _body("application/yaml"),
    "protobuf": _body(MEDIA, MAGIC),
    "json patch": _patch(PatchType.JSON),
    "merge patch": _patch(PatchType.MERGE),
    "strategic merge patch": _patch(PatchType.STRATEGIC),
    "apply": _patch(PatchType.APPLY),
    "definition": _object("apiextensions.k8s.io/v1", "CustomResourceDefinition"),
    "certificate request": _csr,
    "label selector": _text(parse),
    "field selector": _text(parse_fields),
    "accept": _text(lambda text: negotiate(text, protobuf=True)),
    "accepted": _text(check_accept),
    "content type": _text(patch_type),
    "request": _text(_request),
    "continue": _text(_list("continue_token")),
    "resource version": _text(_list("resource_version")),
    "token": _text(_token),
    **BESIDE,
}


def run(name: str, data: bytes) -> None:
    """Feed a target; what it refuses in the API's terms, or in words for people, is passed over."""
    try:
        TARGETS[name](data)
    except (ApiError, Unreadable, GitopsError):
        return
