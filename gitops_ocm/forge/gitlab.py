"""GitLab's API: notes of a merge request, external statuses of a commit."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any
from urllib.parse import quote

from gitops_ocm.forge.github import created
from gitops_ocm.forge.model import Answer, Call, Change, Comment, Page, Request, State, Status, nothing

_STATES = {
    State.PENDING: "pending",
    State.SUCCESS: "success",
    State.FAILURE: "failed",
    State.ERROR: "failed",
}
_READ = {"success": State.SUCCESS, "failed": State.FAILURE}


class GitLab:
    """Merge request `number` (the one of its project, `iid`) of `project`, an id or a path.

    `pipeline` is the pipeline the status belongs to; without one GitLab makes another of its own.
    """

    limit = 1_000_000
    line = 255
    rights = "a project access token with the scope api and the role Developer in the variable GITLAB_TOKEN"
    plain = False

    def __init__(self, project: str, number: int, *, pipeline: str = "") -> None:
        self._pipeline = pipeline
        self._project = f"/projects/{quote(project, safe='')}"
        self._request = f"{self._project}/merge_requests/{number}"

    def headers(self, token: str) -> Mapping[str, str]:
        """A token of a person, a project or a group; a job's own may not write notes."""
        return {"PRIVATE-TOKEN": token, "Accept": "application/json"}

    def me(self) -> Call[frozenset[str]]:
        """Who we are."""
        return Call(Request("GET", "/user"), lambda answer: frozenset({answer.body["username"]}))

    def change(self) -> Call[Change]:
        """The merge request."""
        return Call(Request("GET", self._request), _change)

    def comments(self) -> Call[Page]:
        """A hundred notes at a time, oldest first."""
        query = {"per_page": "100", "sort": "asc", "order_by": "created_at"}
        return self.more(Request("GET", f"{self._request}/notes", query))

    def more(self, request: Request) -> Call[Page]:
        """A page of notes; the header `X-Next-Page` tells of the next."""

        def read(answer: Answer) -> Page:
            following = answer.headers.get("x-next-page", "")
            further = replace(request, query={**request.query, "page": following}) if following else None
            return Page(_comments(answer.body), further)

        return Call(request, read)

    def create(self, body: str) -> Call[int]:
        """Write a note."""
        return Call(Request("POST", f"{self._request}/notes", body={"body": body}), created)

    def edit(self, comment: Comment, body: str) -> Call[None]:
        """Write it anew."""
        return Call(Request("PUT", f"{self._request}/notes/{comment.id}", body={"body": body}), nothing)

    def delete(self, comment: Comment) -> Call[None]:
        """Take it away."""
        return Call(Request("DELETE", f"{self._request}/notes/{comment.id}"), nothing)

    def standing(self, commit: str, context: str) -> Call[Status | None]:
        """The newest status of a name; `success` on `success` would be refused as no transition."""
        path = f"{self._project}/repository/commits/{commit}/statuses"
        query = {"name": context, "per_page": "100"}
        return Call(Request("GET", path, query), lambda answer: _found(answer.body, context), absent=True)

    def say(self, commit: str, status: Status) -> Call[None]:
        """Set the status."""
        body = {
            "state": _STATES[status.state],
            "name": status.context,
            "description": status.description,
        }
        if status.url:
            body["target_url"] = status.url
        if self._pipeline:
            body["pipeline_id"] = self._pipeline
        return Call(Request("POST", f"{self._project}/statuses/{commit}", body=body), nothing)


def _change(answer: Answer) -> Change:
    return Change(answer.body["sha"], answer.body["state"] == "opened")


def _comments(values: list[Any]) -> tuple[Comment, ...]:
    return tuple(
        Comment(int(v["id"]), frozenset({v["author"]["username"]}), v["body"])
        for v in values
        if not v.get("system")
    )


def _found(statuses: list[Any], context: str) -> Status | None:
    mine = [status for status in statuses if status["name"] == context]
    if not mine:
        return None
    newest = max(mine, key=lambda status: int(status["id"]))
    state = _READ.get(newest["status"], State.PENDING)
    return Status(context, state, newest["description"] or "", newest["target_url"] or "")
