"""Findings in the order of causality: what follows from another is folded under it.

A finding goes under the most fundamental one that explains it: of the same cluster, of the same object, or of
the whole hub. What concerns clusters only through others goes under theirs where each of them has one.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace

from gitops_ocm.decide.diagnosis.causes import BY_CODE, RANK
from gitops_ocm.decide.diagnosis.finding import Finding


def ranked(findings: Iterable[Finding]) -> list[Finding]:
    """Roots, each with everything that follows from it, the most fundamental first."""
    order = sorted(set(findings), key=_key)
    hub = [f for f in order if not f.cluster]
    of_cluster: dict[str, list[Finding]] = {}
    for finding in order:
        if finding.cluster:
            of_cluster.setdefault(finding.cluster, []).append(finding)
    under: dict[Finding, list[Finding]] = {}
    roots: list[Finding] = []
    for finding in order:
        nearby = [*hub, *(of_cluster.get(finding.cluster, ()) if finding.cluster else ())]
        root = _root(finding, nearby) or _through(finding, of_cluster)
        if root is None:
            roots.append(finding)
        else:
            under.setdefault(root, []).append(finding)
    return [_folded(root, under) for root in roots]


def _root(finding: Finding, nearby: Iterable[Finding]) -> Finding | None:
    return min((other for other in nearby if _explains(other, finding)), key=_key, default=None)


def _through(finding: Finding, of_cluster: Mapping[str, Sequence[Finding]]) -> Finding | None:
    """The first of those that explain it, where each of its clusters has one."""
    found = [_root(finding, of_cluster.get(cluster, ())) for cluster in finding.through]
    roots = [root for root in found if root is not None]
    return min(roots, key=_key) if roots and len(roots) == len(found) else None


def _explains(root: Finding, finding: Finding) -> bool:
    """Causes before one in the table explain it; that keeps the folding free of circles."""
    cause = BY_CODE[root.cause]
    explained = cause.explains if root.only is None else cause.explains.intersection(root.only)
    if RANK[root.cause] >= RANK[finding.cause] or finding.cause not in explained:
        return False
    return bool(root.cluster) or cause.wide or root.subject == finding.subject


def _folded(root: Finding, under: Mapping[Finding, Sequence[Finding]]) -> Finding:
    return replace(root, follows=tuple(_folded(finding, under) for finding in under.get(root, ())))


def _key(finding: Finding) -> tuple[int, str, str, str]:
    return RANK[finding.cause], finding.cluster, finding.subject, finding.sentence


@dataclass(frozen=True)
class Group:
    """Findings of one cause; many clusters with the same trouble are one line."""

    cause: str
    findings: tuple[Finding, ...]

    @property
    def title(self) -> str:
        """What they have in common."""
        return BY_CODE[self.cause].title

    @property
    def notice(self) -> bool:
        """Whether it is told only, and no fault."""
        return BY_CODE[self.cause].notice

    @property
    def clusters(self) -> tuple[str, ...]:
        """The clusters it is about, sorted."""
        return tuple(sorted({f.cluster for f in self.findings if f.cluster}))


def grouped(findings: Iterable[Finding]) -> list[Group]:
    """Root findings by their cause, in the order of the table."""
    found: dict[str, list[Finding]] = {}
    for finding in findings:
        found.setdefault(finding.cause, []).append(finding)
    return [Group(cause, tuple(found[cause])) for cause in sorted(found, key=RANK.__getitem__)]
