"""Where expressions look for the scores of clusters: a `scoreboard.Scoreboard`, or nowhere."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Protocol

from gitops_ocm.objects.ref import Object


class Scores(Protocol):
    """Where the AddOnPlacementScores of clusters are (`scoreboard.Scoreboard`)."""

    def find(self, cluster: str, resource: str, /) -> Object | None:
        """The one of that name."""
        ...

    def changed_since(self, mark: int, /) -> tuple[Iterable[str], int]:
        """The clusters any of whose scores have changed since `mark`, and the mark now."""
        ...


class _NoScores:
    """There are no scores to look into."""

    def find(self, cluster: str, resource: str, /) -> None:
        return None

    def changed_since(self, mark: int, /) -> tuple[Iterable[str], int]:
        return (), mark


NO_SCORES: Scores = _NoScores()
