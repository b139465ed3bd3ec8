"""Parts of objects as a person cares for them: conditions, metadata, feedback, without noise.

The parts that `status_files` and `agent_files` make their files of. A trimmed object keeps the API's
own shape and field names, so a tool that reads the object can read the file.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from gitops_ocm.api.fleet import COMMIT_ANNOTATION, DIGEST_CHARS, PATH_ANNOTATION, SPEC_ANNOTATION
from gitops_ocm.api.work import CONFIG_HASH_ANNOTATION
from gitops_ocm.api.work_replicaset import STARTED_ANNOTATION
from gitops_ocm.decide.work_template import normalised
from gitops_ocm.objects.canonical import digest
from gitops_ocm.objects.diff import masked
from gitops_ocm.objects.ref import Object
from gitops_ocm.report.redaction import MASK, redacted_text

RAW_LIMIT = 256
"""Characters kept of a JsonRaw feedback value."""

_KEPT = (COMMIT_ANNOTATION, PATH_ANNOTATION, SPEC_ANNOTATION, STARTED_ANNOTATION, CONFIG_HASH_ANNOTATION)


def header(obj: Object, *, labels: bool = True, born: bool = False) -> dict[str, Any]:
    """`apiVersion`, `kind` and the metadata that says which object, of which desired state, this is.

    With `born`, also since when it is there.
    """
    meta = obj.get("metadata") or {}
    notes = meta.get("annotations") or {}
    kept: dict[str, Any] = {"name": meta.get("name", "")}
    if meta.get("namespace"):
        kept["namespace"] = meta["namespace"]
    if labels and meta.get("labels"):
        kept["labels"] = dict(meta["labels"])
    if born and meta.get("creationTimestamp"):
        kept["creationTimestamp"] = meta["creationTimestamp"]
    if meta.get("deletionTimestamp"):
        kept["deletionTimestamp"] = meta["deletionTimestamp"]
    source = {key: notes[key] for key in _KEPT if notes.get(key)}
    if source:
        kept["annotations"] = source
    return {"apiVersion": obj.get("apiVersion", ""), "kind": obj.get("kind", ""), "metadata": kept}


def conditions(items: Iterable[Mapping[str, Any]] | None, *, times: bool = True) -> list[dict[str, Any]]:
    """Conditions by type, without heartbeat times; `times` keeps when the status last flipped."""
    keys = ("type", "status", "reason") + (("lastTransitionTime",) if times else ())
    kept = []
    for item in sorted(items or (), key=lambda c: str(c.get("type", ""))):
        condition = {key: item[key] for key in keys if item.get(key) not in (None, "")}
        if item.get("message"):
            condition["message"] = redacted_text(str(item["message"]))
        kept.append(condition)
    return kept


def observed_generation(obj: Object) -> int:
    """The generation of the spec that the status speaks of; 0 where it does not say."""
    status = obj.get("status") or {}
    seen = [int(status.get("observedGeneration") or 0)]
    seen += [int(c.get("observedGeneration") or 0) for c in status.get("conditions") or ()]
    return max(seen)


def spec_digest(spec: Mapping[str, Any]) -> str:
    """Tells two specs of a work apart, secrets left out: a file that people read has no trace of them."""
    return digest(masked(normalised(spec)))[:DIGEST_CHARS]


def without_spec(work: Object) -> Object:
    """A work with the digest of its spec in its place; as it is where it has none any more."""
    if "spec" not in work:
        return work
    meta = work.get("metadata") or {}
    notes = {**(meta.get("annotations") or {}), SPEC_ANNOTATION: spec_digest(work["spec"] or {})}
    kept = {key: value for key, value in work.items() if key != "spec"}
    return {**kept, "metadata": {**meta, "annotations": notes}}


def manifest_states(obj: Object) -> list[dict[str, Any]]:
    """`status.resourceStatus.manifests` in spec order: which object, its conditions, its feedback."""
    manifests = ((obj.get("status") or {}).get("resourceStatus") or {}).get("manifests") or ()
    ordered = sorted(manifests, key=lambda m: int((m.get("resourceMeta") or {}).get("ordinal") or 0))
    return [_manifest_state(item) for item in ordered]


def _manifest_state(item: Mapping[str, Any]) -> dict[str, Any]:
    meta = item.get("resourceMeta") or {}
    state: dict[str, Any] = {
        "resourceMeta": {
            key: meta[key] for key in ("group", "version", "kind", "namespace", "name") if meta.get(key)
        }
    }
    if item.get("conditions"):
        state["conditions"] = conditions(item["conditions"], times=False)
    values = (item.get("statusFeedback") or {}).get("values") or ()
    secret = meta.get("kind") == "Secret"
    if values:
        state["feedback"] = {str(v.get("name", "")): _feedback(v, secret=secret) for v in values}
    return state


def _feedback(value: Mapping[str, Any], *, secret: bool) -> Any:
    """The one value that is set; what a rule reads out of a Secret is one."""
    field = value.get("fieldValue") or {}
    match field.get("type"):
        case "Integer":
            return field.get("integer")
        case "Boolean":
            return field.get("boolean")
        case "String":
            return MASK if secret else redacted_text(str(field.get("string", "")))
        case _:
            return MASK if secret else redacted_text(str(field.get("jsonRaw", "")), RAW_LIMIT)


def counted(manifests: Iterable[Mapping[str, Any]]) -> dict[str, int]:
    """How many manifests there are, and for how many Applied and Available are true."""
    states = [
        {c["type"]: c.get("status") for c in manifest.get("conditions") or ()} for manifest in manifests
    ]
    return {
        "total": len(states),
        "applied": sum(state.get("Applied") == "True" for state in states),
        "available": sum(state.get("Available") == "True" for state in states),
    }
