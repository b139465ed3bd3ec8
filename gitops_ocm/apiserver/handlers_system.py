"""Answers to the paths that are no resources: version, health, discovery, OpenAPI, the root."""

from __future__ import annotations

import platform
from collections.abc import Mapping
from dataclasses import dataclass

import orjson

from gitops_ocm.apiserver.discovery import Discovery, paths
from gitops_ocm.apiserver.negotiation import (
    JSON_MEDIA,
    OF_DISCOVERY,
    PLAIN,
    Form,
    check_accept,
    negotiate,
)
from gitops_ocm.apiserver.openapi import OpenApi
from gitops_ocm.apiserver.openapi_protobuf import MEDIA as PROTOBUF_MEDIA
from gitops_ocm.apiserver.openapi_protobuf import NAMES as PROTOBUF_NAMES
from gitops_ocm.objects.faults import ApiError
from gitops_ocm.objects.ref import Object
from gitops_ocm.runtime.catalog import kubernetes_version

_FIXED = ["/healthz", "/livez", "/metrics", "/openapi/v2", "/openapi/v3", "/readyz", "/version"]
WHOLE_HEALTH = frozenset({"/healthz", "/livez", "/readyz"})
HEALTH = WHOLE_HEALTH | {f"{whole}/{part}" for whole in WHOLE_HEALTH for part in ("ping", "etcd")}
ANY_METHOD = HEALTH | {"/apis"}
"""Paths that answer every method as they answer GET."""


class NoSuchPath(Exception):
    """Nothing is served there: answered with plain text, not with a Status."""

    def __init__(self, text: str = "404 page not found\n") -> None:
        super().__init__(text)
        self.text = text


@dataclass(frozen=True, slots=True)
class Page:
    """One answer: a document, or bytes that are already encoded (then with their media type)."""

    document: Object | None = None
    body: bytes = b""
    media: str = ""
    etag: str = ""


def version() -> Object:
    """`GET /version`: the Kubernetes whose kinds are served, marked as ours."""
    known = kubernetes_version()
    return {
        "major": known["major"],
        "minor": known["minor"],
        "gitVersion": f"{known['gitVersion']}+gitops-ocm",
        "emulationMajor": known["major"],
        "emulationMinor": known["minor"],
        "minCompatibilityMajor": known["major"],
        "minCompatibilityMinor": str(int(known["minor"]) - 1),
        "gitCommit": "",
        "gitTreeState": "clean",
        "buildDate": "1970-01-01T00:00:00Z",
        "goVersion": f"python{platform.python_version()}",
        "compiler": platform.python_implementation().lower(),
        "platform": f"{platform.system().lower()}/{platform.machine()}",
    }


def form_of_page(path: str, accept: str) -> Form:
    """The form of what is no resource; only discovery and OpenAPI v2 come in more than one."""
    if path == "/version":
        check_accept(accept, JSON_MEDIA)
    if path.rstrip("/") == "/openapi/v2" and any(name in accept for name in PROTOBUF_NAMES):
        return Form(PROTOBUF_MEDIA)
    if not path.startswith("/api"):
        return PLAIN
    if path.rstrip("/") != "/apis":
        check_accept(accept)
    kinds = OF_DISCOVERY if path.rstrip("/") in ("/api", "/apis") else frozenset[str]()
    return negotiate(accept, protobuf=True, kinds=kinds)


def system_page(
    path: str,
    query: Mapping[str, str],
    form: Form,
    discovery: Discovery,
    openapi: OpenApi,
    *,
    address: str,
) -> Page:
    """The answer to a GET of a path that is no resource."""
    plain = path.rstrip("/") or "/"
    if plain == "/version":
        return Page(version())
    if path in HEALTH:
        return Page(body=_health(plain, query), media="text/plain; charset=utf-8")
    if plain == "/metrics":
        return Page(body=_metrics(), media="text/plain; version=0.0.4; charset=utf-8")
    if plain in ("/api", "/apis"):
        return _root(plain, form, discovery, address)
    if plain == "/openapi/v3":
        return Page(openapi.root())
    if plain == "/openapi/v2":
        if form.media == PROTOBUF_MEDIA:
            return Page(body=openapi.v2_protobuf(), media=PROTOBUF_MEDIA)
        return Page(body=openapi.v2(), media="application/json")
    if plain.startswith("/openapi/v3/"):
        document = openapi.v3(plain.removeprefix("/openapi/v3/"))
        if document is not None:
            return Page(body=document, media="application/json")
        raise NoSuchPath("")
    if plain == "/":
        return Page({"paths": sorted([*paths(discovery.groups.values()), *_FIXED])})
    return Page(_group_page(plain.strip("/").split("/"), discovery))


def _health(path: str, query: Mapping[str, str]) -> bytes:
    if "verbose" not in query:
        return b"ok"
    return f"[+]ping ok\n[+]store ok\n{path.strip('/')} check passed\n".encode()


def _metrics() -> bytes:
    """This process's: that of its controllers and its event loop, where it has them."""
    from gitops_ocm.runtime.metrics import render  # a MiB that who never asks need not have

    return render()


def _root(path: str, form: Form, discovery: Discovery, address: str) -> Page:
    core = path == "/api"
    if form.discovery():
        document, etag = discovery.aggregated(form.version, core=core)
        media = f"application/json;g=apidiscovery.k8s.io;v={form.version};as=APIGroupDiscoveryList"
        return Page(body=orjson.dumps(document), media=media, etag=etag)
    return Page(discovery.api_versions(address) if core else discovery.group_list())


def _group_page(parts: list[str], discovery: Discovery) -> Object:
    match parts:
        case ["api", version_name]:
            group = ""
        case ["apis", group, version_name] if group:
            pass
        case ["api", _, "", *_] | ["api", _, "namespaces", _, "", *_]:
            raise no_such_resource()
        case ["apis", group]:
            document = discovery.group(group)
            if document is None:
                raise NoSuchPath
            return document
        case _:
            raise NoSuchPath
    if group not in discovery.groups:
        raise NoSuchPath
    document = discovery.resource_list(group, version_name)
    if document is None:
        raise no_such_resource() if discovery.built_in(group) else NoSuchPath
    return document


def no_such_resource() -> ApiError:
    """404 for a resource, version or method path that a served group does not have."""
    return ApiError("NotFound", "the server could not find the requested resource", details={})
