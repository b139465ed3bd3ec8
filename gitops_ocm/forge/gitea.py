"""Gitea's and Forgejo's API: GitHub's paths and bodies, with a user to ask for and statuses of their own."""

from __future__ import annotations

from collections.abc import Mapping

from gitops_ocm.forge.github import GitHub, found
from gitops_ocm.forge.model import Answer, Call, Request, Status


class Gitea(GitHub):
    """Pull request `number` of `repository` (`owner/name`)."""

    limit = 1_000_000
    line = 255
    rights = "a token with the scopes write:issue, write:repository and read:user"

    def __init__(self, repository: str, number: int) -> None:
        super().__init__(repository, number, graphql="")

    def headers(self, token: str) -> Mapping[str, str]:
        """Tokens of people and of Actions alike."""
        return {"Authorization": f"token {token}", "Accept": "application/json"}

    def me(self) -> Call[frozenset[str]]:
        """Who we are."""
        return Call(Request("GET", "/user"), _login)

    def standing(self, commit: str, context: str) -> Call[Status | None]:
        """All statuses of a commit; the newest of a context counts."""
        asked = Request(
            "GET", f"{self._repo}/commits/{commit}/statuses", {"limit": "50", "sort": "recentupdate"}
        )
        return Call(asked, lambda answer: found(answer.body or [], context, "status"), absent=True)


def _login(answer: Answer) -> frozenset[str]:
    return frozenset({answer.body["login"]})
