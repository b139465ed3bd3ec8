"""Which names, labels, annotations, finalizers and owner references an object may have.

The texts are those of apimachinery's validation; whether a name is free is the store's to say.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from functools import lru_cache
from typing import Any

import orjson

from gitops_ocm.objects.canonical import canonical_json
from gitops_ocm.objects.faults import Cause
from gitops_ocm.objects.ref import Resource

_LABEL = "[a-z0-9]([-a-z0-9]*[a-z0-9])?"
_SUBDOMAIN = rf"{_LABEL}(\.{_LABEL})*"
_QUALIFIED = "([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9]"
_VALUE = f"({_QUALIFIED})?"
_DNS1035 = "[a-z]([-a-z0-9]*[a-z0-9])?"

MAX_ANNOTATIONS = 256 * 1024
"""All annotations of an object together: keys and values, in bytes."""

_SUBDOMAIN_TEXT = (
    "a lowercase RFC 1123 subdomain must consist of lower case alphanumeric characters, '-' or '.', "
    "and must start and end with an alphanumeric character (e.g. 'example.com', regex used for "
    f"validation is '{_SUBDOMAIN}')"
)
_LABEL_TEXT = (
    "a lowercase RFC 1123 label must consist of lower case alphanumeric characters or '-', and must "
    "start and end with an alphanumeric character (e.g. 'my-name',  or '123-abc', regex used for "
    f"validation is '{_LABEL}')"
)
_DNS1035_TEXT = (
    "a DNS-1035 label must consist of lower case alphanumeric characters or '-', start with an "
    "alphabetic character, and end with an alphanumeric character (e.g. 'my-name',  or 'abc-123', "
    f"regex used for validation is '{_DNS1035}')"
)
_QUALIFIED_TEXT = (
    "name part must consist of alphanumeric characters, '-', '_' or '.', and must start and end with "
    "an alphanumeric character (e.g. 'MyName',  or 'my.name',  or '123-abc', regex used for "
    f"validation is '{_QUALIFIED}')"
)
_KEY_TEXT = (
    "a valid label key must consist of alphanumeric characters, '-', '_' or '.', and must start and "
    "end with an alphanumeric character (e.g. 'MyName',  or 'my.name',  or '123-abc', regex used for "
    f"validation is '{_QUALIFIED}') with an optional DNS subdomain prefix and '/' (e.g. "
    "'example.com/MyName')"
)
_VALUE_TEXT = (
    "a valid label must be an empty string or consist of alphanumeric characters, '-', '_' or '.', "
    "and must start and end with an alphanumeric character (e.g. 'MyValue',  or 'my_value',  or "
    f"'12345', regex used for validation is '{_VALUE}')"
)

_OWNER_FIELDS = ("apiVersion", "kind", "name", "uid", "controller", "blockOwnerDeletion")
_STANDARD_FINALIZERS = frozenset({"kubernetes", "foregroundDeletion", "orphan"})
_PATH_NAMED = frozenset({"APIService", "ClusterRole", "ClusterRoleBinding", "Role", "RoleBinding"})
"""Kinds whose names only have to fit into a URL path."""
_LAXER = frozenset({"apiextensions.k8s.io", "coordination.k8s.io"})
"""Groups of built-in kinds whose finalizers may have any name."""
_LABEL_NAMED = frozenset({"Namespace"})
_DNS1035_NAMED = frozenset({"Service"})

_subdomain = re.compile(_SUBDOMAIN).fullmatch
_label = re.compile(_LABEL).fullmatch
_dns1035 = re.compile(_DNS1035).fullmatch
_qualified = re.compile(_QUALIFIED).fullmatch
_value = re.compile(_VALUE).fullmatch


def name_problems(name: str, kind: str = "") -> list[str]:
    """What is wrong with an object's name, in sentences; empty where nothing is."""
    if kind in _PATH_NAMED:
        return path_problems(name)
    if kind in _LABEL_NAMED:
        return label_problems(name)
    if kind in _DNS1035_NAMED:
        return dns1035_problems(name)
    return subdomain_problems(name)


def label_problems(name: str) -> list[str]:
    """What is wrong with a name that has to be an RFC 1123 label."""
    if "." in name:
        return ["must not contain dots"]
    problems = ["must be no more than 63 characters"] if len(name) > 63 else []
    return problems + ([] if _label(name) else [_LABEL_TEXT])


def dns1035_problems(name: str) -> list[str]:
    """What is wrong with a name that has to be an RFC 1035 label."""
    long = ["must be no more than 63 characters"] if len(name) > 63 else []
    return long + ([] if _dns1035(name) else [_DNS1035_TEXT])


def subdomain_problems(name: str) -> list[str]:
    """What is wrong with a name that has to be an RFC 1123 subdomain."""
    problems = ["must be no more than 253 characters"] if len(name) > 253 else []
    return problems + ([] if _subdomain(name) else [_SUBDOMAIN_TEXT])


def path_problems(name: str) -> list[str]:
    """What keeps a name from being a segment of a URL's path."""
    if name in (".", ".."):
        return [f"may not be '{name}'"]
    return [f"may not contain '{char}'" for char in "/%" if char in name]


@lru_cache(maxsize=4096)
def key_problems(key: str) -> Sequence[str]:
    """What is wrong with a label's or annotation's key (a qualified name)."""
    prefix, slash, name = key.rpartition("/")
    if "/" in prefix:
        return (_KEY_TEXT,)
    problems = []
    if slash and not prefix:
        problems.append("prefix part must be non-empty")
    elif slash:
        problems += [f"prefix part {text}" for text in subdomain_problems(prefix)]
    if not name:
        problems.append("name part must be non-empty")
    elif len(name) > 63:
        problems.append("name part must be no more than 63 bytes")
    if not _qualified(name):
        problems.append(_QUALIFIED_TEXT)
    return tuple(problems)


@lru_cache(maxsize=4096)
def label_value_problems(value: str) -> Sequence[str]:
    """What is wrong with a label's value."""
    problems = ("must be no more than 63 bytes",) if len(value.encode()) > 63 else ()
    return problems if _value(value) else (*problems, _VALUE_TEXT)


def metadata_causes(meta: Mapping[str, Any], resource: Resource) -> list[Cause]:
    """Every field of `metadata` at fault."""
    return list(_metadata(meta, resource))


def _metadata(meta: Mapping[str, Any], resource: Resource) -> Iterator[Cause]:
    name, prefix = meta.get("name") or "", meta.get("generateName") or ""
    if not name and not prefix:
        yield Cause("FieldValueRequired", "Required value: name or generateName is required", "metadata.name")
    for field, text in (("generateName", prefix.rstrip("-")), ("name", name)):
        if text:
            yield from _invalid(field, meta[field], name_problems(text, resource.kind))
    if resource.namespaced:
        namespace = meta.get("namespace") or ""
        if not namespace:
            yield Cause("FieldValueRequired", "Required value", "metadata.namespace")
        else:
            yield from _invalid("namespace", namespace, label_problems(namespace))
    elif meta.get("namespace"):
        text = "Forbidden: not allowed on this type"
        yield Cause("FieldValueForbidden", text, "metadata.namespace")
    for key, value in (meta.get("labels") or {}).items():
        yield from _invalid("labels", key, key_problems(key))
        yield from _invalid("labels", value, label_value_problems(value))
    yield from _annotations(meta.get("annotations") or {})
    yield from _owners(meta.get("ownerReferences") or ())
    yield from _finalizers(meta.get("finalizers") or (), strict=_is_kubes_own(resource.group))


def _annotations(annotations: Mapping[str, str]) -> Iterator[Cause]:
    for key in annotations:
        yield from _invalid("annotations", key, key_problems(key.lower()))
    size = sum(len(k.encode()) + len(v.encode()) for k, v in annotations.items())
    if size > MAX_ANNOTATIONS:
        text = f"Too long: may not be more than {MAX_ANNOTATIONS} bytes"
        yield Cause("FieldValueTooLong", text, "metadata.annotations")


def _owners(owners: Any) -> Iterator[Cause]:
    controllers = []
    for owner in owners:
        for field in ("apiVersion", "kind", "name", "uid"):
            if not owner.get(field):
                why = "version must not be empty" if field == "apiVersion" else "must not be empty"
                yield from _invalid(f"ownerReferences.{field}", owner.get(field) or "", [why])
        if (owner.get("apiVersion"), owner.get("kind")) == ("v1", "Event"):
            why = "/v1, Kind=Event is disallowed from being an owner"
            yield _owners_fault(_in_order(owner), why)
        if owner.get("controller"):
            controllers.append(f"{owner.get('kind')}/{owner.get('name')}")
    if len(controllers) > 1:
        text = 'Only one reference can have Controller set to true. Found "true" in references for '
        yield _owners_fault([_in_order(owner) for owner in owners], text + " and ".join(controllers[:2]))


def _owners_fault(shown: Any, why: str) -> Cause:
    text = f"Invalid value: {orjson.dumps(shown).decode()}: {why}"
    return Cause("FieldValueInvalid", text, "metadata.ownerReferences")


def _in_order(owner: Mapping[str, Any]) -> dict[str, Any]:
    """The reference as the server prints it: its fields in their declared order."""
    return {name: owner[name] for name in _OWNER_FIELDS if name in owner}


def _is_kubes_own(group: str) -> bool:
    """Whether kube-apiserver itself validates the kind; definitions and custom resources have laxer rules."""
    return "." not in group or (group.endswith(".k8s.io") and group not in _LAXER)


def _finalizers(finalizers: Any, *, strict: bool) -> Iterator[Cause]:
    """`strict`: a name without a slash must be one that Kubernetes knows."""
    for at, finalizer in enumerate(finalizers):
        yield from _invalid("finalizers", finalizer, key_problems(finalizer))
        if strict and "/" not in finalizer and finalizer not in _STANDARD_FINALIZERS:
            why = "name is neither a standard finalizer name nor is it fully qualified"
            yield from _invalid(f"finalizers[{at}]", finalizer, [why])
    if "orphan" in finalizers and "foregroundDeletion" in finalizers:
        why = "finalizer orphan and foregroundDeletion cannot be both set"
        yield from _invalid("finalizers", finalizers, [why])


def _invalid(field: str, value: Any, problems: Sequence[str]) -> Iterator[Cause]:
    for problem in problems:
        text = f"Invalid value: {canonical_json(value).decode()}: {problem}"
        yield Cause("FieldValueInvalid", text, f"metadata.{field}")
