"""A GitLab of one project and one merge request: keeps notes and statuses, refuses every other request."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import orjson
from aiohttp import web

PROJECT = "/api/v4/projects/77"
WE = {"id": 9, "username": "project_77_bot"}


@dataclass
class GitLabLike:
    """`head` is the commit the merge request is at; `refused` are requests that we are not known to make."""

    head: str
    token: str = "s3cret"
    notes: list[str] = field(default_factory=list)
    statuses: list[dict[str, Any]] = field(default_factory=list)
    refused: list[str] = field(default_factory=list)

    async def handle(self, request: web.Request) -> web.Response:
        """The answer to one request."""
        if request.headers.get("PRIVATE-TOKEN") != self.token:
            return web.json_response({"message": "401 Unauthorized"}, status=401)
        data = await request.read()
        body = orjson.loads(data) if data else {}
        asked = f"{request.method} {request.path.replace('acme/fleet', '77').removeprefix(PROJECT)}"
        match asked:
            case "GET /api/v4/user":
                told: Any = WE
            case "GET /merge_requests/5":
                told = {"iid": 5, "state": "opened", "sha": self.head}
            case "GET /merge_requests/5/notes":
                told = [
                    {"id": number, "system": False, "author": WE, "body": note}
                    for number, note in enumerate(self.notes, 1)
                ]
            case "POST /merge_requests/5/notes":
                self.notes.append(body["body"])
                told = {"id": len(self.notes), "author": WE, "body": body["body"]}
            case _ if asked == f"GET /repository/commits/{self.head}/statuses":
                told = []
            case _ if asked == f"POST /statuses/{self.head}":
                self.statuses.append(body)
                told = {"id": len(self.statuses), **body}
            case _:
                self.refused.append(asked)
                return web.json_response({"message": asked}, status=501)
        return web.json_response(told, status=201 if request.method == "POST" else 200)
