"""Kinds of which a part is somebody else's, or cannot be changed: what stays, and what is made anew."""

from __future__ import annotations

from typing import Any

from gitops_ocm.objects.ref import Object
from tests.wire.agent.cases import Case
from tests.wire.agent.expected import ABSENT, Entry
from tests.wire.agent.kinds import config_map, obj
from tests.wire.agent.moves import Change, End, Ended, Expect, There, Work

_DEFAULT_CLASS = "storageclass.kubernetes.io/is-default-class"


def _cluster(api_version: str, kind: str, **fields: Any) -> Object:
    return obj(api_version, kind, "$me", None, **fields)


def _kept(name: str, one: Object, body: Object, two: Object, live: Object, differs: str = "") -> Case:
    """Somebody puts something there, then the manifest changes; `live` is what comes of it."""
    return Case(
        name,
        [
            Work([one]),
            Expect([Entry(one)]),
            Change(one, body),
            Work([two]),
            Expect([Entry(two, live=live)]),
            End(),
            Ended(gone=[two]),
        ],
        differs,
    )


def _injected(mark: Object, data: Object) -> Object:
    return config_map(data=data, **mark)


_TRUSTED = {"labels": {"config.openshift.io/inject-trusted-cabundle": "true"}}
_SERVED = {"annotations": {"service.beta.openshift.io/inject-cabundle": "true"}}
_TOKEN_OF = {"annotations": {"kubernetes.io/service-account.name": "$me"}}


def _token(data: Object, **labels: str) -> Object:
    meta = {**_TOKEN_OF, **({"labels": labels} if labels else {})}
    return obj("v1", "Secret", type="kubernetes.io/service-account-token", data=data, metadata=meta)


def _class(**annotations: str) -> Object:
    return _cluster(
        "storage.k8s.io/v1",
        "StorageClass",
        provisioner="example.com/disk",
        metadata={"annotations": annotations} if annotations else {},
    )


def _driver(**spec: Any) -> Object:
    return _cluster("storage.k8s.io/v1", "CSIDriver", spec=spec)


TYPED = [
    _kept(
        "an injected bundle of trusted authorities",
        _injected(_TRUSTED, {"a": "1"}),
        {"data": {"ca-bundle.crt": "theirs"}},
        _injected(_TRUSTED, {"a": "2"}),
        _injected(_TRUSTED, {"a": "2", "ca-bundle.crt": "theirs"}),
    ),
    _kept(
        "an injected bundle of the service authority",
        _injected(_SERVED, {"a": "1"}),
        {"data": {"service-ca.crt": "theirs"}},
        _injected(_SERVED, {"a": "2"}),
        _injected(_SERVED, {"a": "2", "service-ca.crt": "theirs"}),
        differs="OCM's agent drops it whenever something else changes, until it is injected again",
    ),
    _kept(
        "a bundle that nobody asked for",
        config_map(data={"a": "1"}),
        {"data": {"ca-bundle.crt": "theirs"}},
        config_map(data={"a": "2"}),
        config_map(data={"a": "2", "ca-bundle.crt": ABSENT}),
    ),
    _kept(
        "the default class that somebody chose",
        _class(**{_DEFAULT_CLASS: "true"}),
        {"metadata": {"annotations": {_DEFAULT_CLASS: "false"}}},
        _class(**{_DEFAULT_CLASS: "true", "example.com/a": "1"}),
        _class(**{_DEFAULT_CLASS: "false", "example.com/a": "1"}),
    ),
    Case(
        "a driver with few fields",
        [Work([_driver(attachRequired=False)]), Expect([Entry(_driver(attachRequired=False))])],
    ),
    Case(
        "a driver made anew",
        [
            Work([_driver(attachRequired=False)]),
            Expect([Entry(_driver(attachRequired=False))]),
            Work([_driver(attachRequired=True)]),
            Expect([Entry(_driver(attachRequired=True))]),
            End(),
            Ended(gone=[_driver()]),
        ],
    ),
    Case(
        "the token of a service account",
        [
            There(obj("v1", "ServiceAccount")),
            Work([_token({})]),
            Expect([Entry(_token({}), live=obj("v1", "Secret", metadata=_TOKEN_OF))]),
            Change(_token({}), {"data": {"more": "Yg=="}}),
            Work([_token({}, a="1")]),
            Expect(
                [
                    Entry(
                        _token({}, a="1"),
                        live=obj("v1", "Secret", metadata={"labels": {"a": "1"}}, data={"more": "Yg=="}),
                    )
                ]
            ),
        ],
    ),
]
