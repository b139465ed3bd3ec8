"""From what a client sent to what may be stored: decoding, pruning, defaults, validation.

The stages every write passes on its way in, in the order of kube-apiserver; the embedded server and the
simulator both send their writes through here. Metadata and what a subresource may change is `lifecycle`;
who owns what is `ownership`; the rules of single kinds are `rules`, `native` and `crd_rules`.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any

from gitops_ocm.objects import crd_rules, decoding, native, native_values
from gitops_ocm.objects.canonical import canonical_json
from gitops_ocm.objects.catalog import Served
from gitops_ocm.objects.faults import ApiError, Cause, bad_request, invalid
from gitops_ocm.objects.lifecycle import recounted, update_causes
from gitops_ocm.objects.names import metadata_causes
from gitops_ocm.objects.paths import get
from gitops_ocm.objects.ref import Object, split_api_version
from gitops_ocm.objects.rules.table import PARTS, RULES

MAX_WARNINGS = 64
_MOST_REPLICAS = 2**31 - 1
_TEXT_MAPS = ("labels", "annotations")
_LISTS: Mapping[str, Any] = {"finalizers": "", "ownerReferences": {}, "managedFields": {}}
_JUDGED_LATER = frozenset({"CertificateSigningRequest", "CustomResourceDefinition"})
"""Native kinds whose server finds every fault of theirs at once, by rules of its own."""


def check_identity(obj: Object, served: Served, namespace: str) -> None:
    """Raise where the object is of another kind or in another namespace than its URL says."""
    resource = served.resource
    if not obj.get("kind"):
        raise bad_request(
            f"the object provided is unrecognized (must be of type {resource.kind}): Object 'Kind' is missing"
        )
    if obj.get("apiVersion") != resource.api_version:
        raise _other_version(obj, served)
    if obj["kind"] != resource.kind:
        raise _other_kind(obj, served)
    sent = (obj.get("metadata") or {}).get("namespace") if isinstance(obj.get("metadata"), dict) else None
    if sent and isinstance(sent, str) and sent != namespace and resource.namespaced:
        raise bad_request(
            "the namespace of the provided object does not match the namespace sent on the request"
        )


def _other_version(obj: Object, served: Served) -> ApiError:
    found = obj.get("apiVersion") or ""
    return bad_request(
        f"the API version in the data ({found}) does not match the expected API version "
        f"({served.resource.api_version})"
    )


def _other_kind(obj: Object, served: Served) -> ApiError:
    meta = obj.get("metadata")
    name = str(meta.get("name") or "") if isinstance(meta, dict) else ""
    if served.custom:
        text = f'Invalid value: "{obj["kind"]}": must be {served.resource.kind}'
        return invalid(served.resource.group, obj["kind"], name, (Cause("FieldValueInvalid", text, "kind"),))
    _, version = split_api_version(served.resource.api_version)
    expected = served.resource.kind
    return bad_request(
        f'{obj["kind"]} in version "{version}" cannot be handled as a {expected}: unknown conversion'
    )


def decoded(
    obj: Object, served: Served, field_validation: str = "", duplicates: Sequence[str] = ()
) -> tuple[Object, tuple[str, ...]]:
    """The object pruned and with defaults, and warnings; raises BadRequest for what does not decode.

    `field_validation` says what an unknown field is, or one of `duplicates`: refused (`Strict`), passed
    over (`Ignore`), or warned of.
    """
    schema = served.schema
    decoding.check_decodes(obj, schema)
    warnings: tuple[str, ...] = tuple(duplicates)
    if schema is None:
        return obj, warnings
    pruned = schema.prune(obj)
    if pruned != obj:
        unknown = schema.unknown_fields(obj)
        warnings += tuple(f'unknown field "{path}"' for path in unknown)
    warnings = _strictly(obj, warnings[:MAX_WARNINGS], field_validation)
    obj = schema.default(pruned)
    obj["metadata"], doubled = _single_owners(_zeros_for_nulls(obj.get("metadata") or {}))
    return obj, (*doubled, *warnings)


def _single_owners(meta: Object) -> tuple[Object, tuple[str, ...]]:
    """Metadata with each owner once, and what is said where one was given twice."""
    owners = meta.get("ownerReferences") or ()
    if len(owners) < 2:
        return meta, ()
    once: dict[bytes, Any] = {}
    again = (owner for owner in owners if once.setdefault(canonical_json(owner), owner) is not owner)
    uids = [str(owner.get("uid")) for owner in again]
    if not uids:
        return meta, ()
    text = (
        ".metadata.ownerReferences contains duplicate entries; API server dedups owner references in 1.20+, "
        "and may reject such requests as early as 1.24; please fix your requests; duplicate UID(s) observed: "
    )
    return {**meta, "ownerReferences": list(once.values())}, (text + ", ".join(dict.fromkeys(uids)),)


@contextmanager
def telling(warnings: tuple[str, ...]) -> Iterator[None]:
    """What was warned of is told beside an error too."""
    try:
        yield
    except ApiError as error:
        error.warnings = (*warnings, *error.warnings)
        raise


def _zeros_for_nulls(meta: Object) -> Object:
    """Metadata with a zero value for each null in its maps and lists, as Go's types have them."""
    zeros: dict[str, Any] = {}
    for name in _TEXT_MAPS:
        if None in (meta.get(name) or {}).values():
            zeros[name] = {k: "" if v is None else v for k, v in meta[name].items()}
    for name, zero in _LISTS.items():
        if None in (meta.get(name) or ()):
            zeros[name] = [zero if item is None else item for item in meta[name]]
    return {**meta, **zeros} if zeros else meta


def _strictly(obj: Object, texts: tuple[str, ...], field_validation: str) -> tuple[str, ...]:
    if field_validation == "Strict" and texts:
        # A line is only told by the YAML decoder, which has a heading of its own.
        heading = "yaml: unmarshal errors:\n  " if texts[0].startswith("line ") else ""
        raise decoding.cannot_handle(obj, f"strict decoding error: {heading}{', '.join(texts)}")
    return () if field_validation == "Ignore" else texts


def prepared(obj: Object, served: Served, old: Object | None = None) -> Object:
    """The object with what the server fills in for its kind; `old` is what it is written over."""
    if served.custom:
        return obj
    ready = _filled(obj, old, served)
    return ready if old is None else recounted(old, ready, served.resource)


def _filled(obj: Object, old: Object | None, served: Served) -> Object:
    schema = served.schema
    status = schema.field("status") if schema is not None else None
    if "status" not in obj and status is not None and status.struct:
        obj = {**obj, "status": status.default({})}
    if served.resource.kind == "CustomResourceDefinition":
        obj = crd_rules.prepared(obj, old)
    else:
        obj = native.prepared(obj, served.resource.of, old)
    shown: Object = native_values.encoded(obj, schema)
    if served.resource.kind == "CustomResourceDefinition" and get(obj, "spec", "versions") == []:
        # Refused, in words that tell it from none at all.
        return {**shown, "spec": {**shown["spec"], "versions": []}}
    return shown


def validate(obj: Object, old: Object | None, served: Served, subresource: str = "") -> None:
    """Raise Invalid with every field at fault."""
    schema, resource = served.schema, served.resource
    meta = obj["metadata"]
    if old is None:
        causes = metadata_causes(meta, resource)
    else:
        causes = update_causes(old["metadata"], meta, resource)
        if not served.custom:
            causes += _again(causes, resource.kind)
    whole = None if served.custom else RULES.get(resource.of)
    part = PARTS.get((resource.of, subresource)) if subresource else None
    if part is not None and old is not None:
        causes += part(obj, old)
    elif whole is not None:
        causes += whole(obj, old)
    elif schema is not None and resource.kind not in _JUDGED_LATER:
        causes += schema.validate(obj, old)
        causes += _replicas(obj, served) if served.scale else ()
    if not served.custom and whole is None:
        causes += native.causes(obj, old, resource.of)
        if resource.kind == "CustomResourceDefinition":
            from gitops_ocm.objects.crd_checks import definition_causes  # with all that reads expressions

            causes += definition_causes(obj, old)
    if causes:
        name = (old or obj)["metadata"].get("name", "")
        group = "" if resource.group == "events.k8s.io" else resource.group
        raise invalid(group, resource.kind, name, causes)


def _replicas(obj: Object, served: Served) -> Iterator[Cause]:
    """What a definition says are replicas of its objects must be able to be that."""
    for name in ("specReplicasPath", "statusReplicasPath"):
        path = served.scale.get(name) or ""
        found = get(obj, *path.lstrip(".").split("."))
        if not isinstance(found, int) or 0 <= found <= _MOST_REPLICAS:
            continue
        why = "should be a non-negative integer"
        if found > 0:
            why = f"should be less than or equal to {_MOST_REPLICAS}"
        yield Cause("FieldValueInvalid", f"Invalid value: {found}: {why}", path)


def _again(causes: list[Cause], kind: str) -> list[Cause]:
    """The metadata of a built-in kind is judged by what updates any kind, then by the kind itself.

    The latter leaves finalizers alone, and some kinds judge metadata once more as they do at a creation.
    """
    frozen = [cause for cause in causes if "immutable" in cause.message or "no new final" in cause.message]
    others = [cause for cause in causes if cause not in frozen]
    return frozen + others * (3 if kind in ("ConfigMap", "Secret", "Pod") else 1)
