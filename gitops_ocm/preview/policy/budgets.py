"""Budgets: how many objects a change may delete, how many clusters and cluster sets it may reach."""

from __future__ import annotations

from gitops_ocm.api.scalars import scaled
from gitops_ocm.preview.model import Act
from gitops_ocm.preview.policy.case import Case, Finding, listed, named


def deletions(limit: str, case: Case) -> Finding:
    """`maxDeletions`: of the objects that Git has."""
    gone = [named(effect.ref) for effect in case.deletions]
    return _counted(gone, limit, len(case.base.objects), "object", "deleted")


def losing(limit: str, case: Case) -> Finding:
    """`maxClustersLosing`: clusters that lose a work or an add-on, or leave the fleet."""
    names = [c.name for c in case.found.clusters if any(e.act is Act.DELETE for e in c.effects)]
    return _counted(names, limit, case.found.fleet, "cluster", "left with less")


def at_once(limit: str, case: Case) -> Finding:
    """`maxClustersAtOnce`: clusters that are given something at one moment."""
    whole = next((share for share in case.found.shares if not share.name), None)
    count, total = (whole.at_once, whole.clusters) if whole else (0, case.found.fleet)
    most = _most(limit, total)
    text = f"{count} of {_many(total, 'cluster')} given something at once; {_limit(limit, most)}"
    return Finding(count <= most, text)


def cluster_sets(limit: int, case: Case) -> Finding:
    """`maxClusterSets`: sets of which a cluster is touched."""
    names = sorted(case.touched_sets)
    shown = f" ({listed(names)})" if names else ""
    return Finding(
        len(names) <= limit, f"{_many(len(names), 'cluster set')} touched{shown}; at most {limit} may"
    )


def _counted(names: list[str], limit: str, total: int, noun: str, what: str) -> Finding:
    most = _most(limit, total)
    shown = f" ({listed(names)})" if names else ""
    text = f"{len(names)} of {_many(total, noun)} {what}{shown}; {_limit(limit, most)}"
    return Finding(len(names) <= most, text)


def _most(limit: str, total: int) -> int:
    """The number an amount comes to; a share is rounded up, as rollouts do."""
    return scaled(limit if limit.endswith("%") else int(limit), total)


def _limit(limit: str, most: int) -> str:
    return f"at most {most}{f' ({limit})' if limit.endswith('%') else ''} may be"


def _many(count: int, noun: str) -> str:
    return f"{count} {noun}{'' if count == 1 else 's'}"
