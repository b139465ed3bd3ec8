"""One cluster's manifests as a diff: lines for a terminal, or a JSON document. Secrets are masked."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterator
from difflib import unified_diff
from typing import Any

from gitops_ocm.objects.ref import Object, Ref
from gitops_ocm.objects.reviewed import shown as without_secrets
from gitops_ocm.objects.reviewed import told_apart
from gitops_ocm.preview.formats.words import SIGNS, WORDS
from gitops_ocm.preview.manifests import ManifestChange
from gitops_ocm.preview.model import Act
from gitops_ocm.preview.one_cluster import OneCluster
from gitops_ocm.report.plan_text import Line, Span
from gitops_ocm.report.redaction import redacted
from gitops_ocm.report.yaml_text import to_yaml

API_VERSION, KIND = "preview.gitops-ocm.io/v1alpha1", "ClusterPreview"
AROUND = 3
"""Lines shown around those that differ."""
_WHOLE = 1_000_000_000
_STYLES = {"+": "green", "-": "red", "@": "cyan"}
_ACTS = {
    Act.CREATE: "green",
    Act.CHANGE: "yellow",
    Act.DELETE: "red",
    Act.MOVE: "cyan",
    Act.KEEP: "magenta",
}


def one_cluster_lines(found: OneCluster, *, whole: bool = False) -> Iterator[Line]:
    """The cluster's diff, object by object; `whole` shows the lines that stay, too."""
    counts = Counter(change.act for change in found.found.changes)
    changed = ", ".join(f"{counts[act]} {word}" for act, word in WORDS.items() if counts[act])
    same = f"{found.found.unchanged} unchanged"
    yield (Span(f"{found.cluster}: {changed or 'nothing changes'}; {same}", "bold"),)
    if found.preview.until is not None:
        yield (Span(f"as of {found.preview.until:%Y-%m-%d %H:%M:%S} UTC, not of the end", "dim"),)
    for change in found.found.changes:
        yield ()
        yield _head(change, found)
        yield from _diff(change, AROUND if not whole else _WHOLE)
    yield from _untold(found)
    for note in found.preview.notes:
        yield (Span(f"note: {note}", "dim"),)


def _head(change: ManifestChange, found: OneCluster) -> Line:
    origin = found.origins.get(change.owner)
    made = f" for {_short(change.owner)}" if change.owner != change.work else ""
    return (
        Span(f"{SIGNS[change.act]} {change.act.value:<7}", _ACTS[change.act]),
        Span(f" {change.ref}", "bold"),
        Span(f"  {_short(change.work)}{made}", "dim"),
        Span(f"  {origin.path}:{origin.line}" if origin else ""),
        Span(f"  {change.why}" if change.why else "", "yellow"),
    )


def _short(ref: Ref) -> str:
    return f"{ref.kind} {ref.name}"


def _diff(change: ManifestChange, around: int) -> Iterator[Line]:
    before, after = (to_yaml(side).splitlines() if side else [] for side in shown(change))
    lines = list(unified_diff(before, after, lineterm="", n=around))[2:]  # the first two name files
    for line in lines:
        yield (Span(f"    {line}", _STYLES.get(line[:1], "")),)
    if not lines:
        yield (Span("    (only what is secret differs)", "dim"),)


def _untold(found: OneCluster) -> Iterator[Line]:
    if found.found.untold:
        yield ()
    for work in found.found.untold:
        yield (Span(f"? {work}  what it holds is told neither by Git nor by the fleet's state", "yellow"),)


def shown(change: ManifestChange) -> tuple[Object | None, Object | None]:
    """Both sides without what is secret; what differs in there still differs."""
    was, now = (redacted(without_secrets(side), _WHOLE) for side in (change.before, change.after))
    before, after = told_apart(change.before, change.after, was, now)
    return before, after


def one_cluster_document(found: OneCluster) -> str:
    """The same as JSON, in the same bytes for the same preview."""
    whole: dict[str, Any] = {
        "apiVersion": API_VERSION,
        "kind": KIND,
        "cluster": found.cluster,
        "exitStatus": found.exit_status,
        "base": found.preview.base,
        "head": found.preview.head,
        "state": found.preview.state,
        "now": f"{found.preview.now:%Y-%m-%dT%H:%M:%SZ}",
        **({"until": f"{found.preview.until:%Y-%m-%dT%H:%M:%SZ}"} if found.preview.until else {}),
        "changes": [_change(change, found) for change in found.found.changes],
        "unchanged": found.found.unchanged,
        "untold": [_ref(work) for work in found.found.untold],
        "notes": list(found.preview.notes),
    }
    return json.dumps(whole, indent=2, ensure_ascii=False, sort_keys=False) + "\n"


def _change(change: ManifestChange, found: OneCluster) -> dict[str, Any]:
    before, after = shown(change)
    origin = found.origins.get(change.owner)
    return {
        "act": change.act.value,
        "object": _ref(change.ref),
        "work": _ref(change.work),
        "owner": _ref(change.owner),
        **({"origin": {"path": origin.path, "line": origin.line}} if origin else {}),
        **({"why": change.why} if change.why else {}),
        **({"before": before} if before is not None else {}),
        **({"after": after} if after is not None else {}),
    }


def _ref(ref: Ref) -> dict[str, str]:
    parts = {"group": ref.group, "kind": ref.kind, "namespace": ref.namespace, "name": ref.name}
    return {key: value for key, value in parts.items() if value}
