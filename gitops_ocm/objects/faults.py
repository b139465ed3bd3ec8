"""What an API says when it says no: the errors of the Kubernetes API machinery, as values.

    GitopsError
    └── ApiError                a `Status` object with `status: Failure`

One class with a closed set of reasons, as the wire has it, so that the embedded server, the
simulator and a client of a real server all speak of the same thing. Source of codes, reasons and
texts: the Kubernetes API conventions, "Response Status Kind", and apimachinery's `errors` package.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any, NamedTuple

from gitops_ocm.errors import GitopsError


class Cause(NamedTuple):
    """One cause inside a Status: machine reason, text, and the JSON path of the field."""

    reason: str
    message: str
    field: str = ""


CODES: Mapping[str, int] = {
    "BadRequest": 400,
    "Unauthorized": 401,
    "Forbidden": 403,
    "NotFound": 404,
    "MethodNotAllowed": 405,
    "NotAcceptable": 406,
    "AlreadyExists": 409,
    "Conflict": 409,
    "Gone": 410,
    "Expired": 410,
    "RequestEntityTooLarge": 413,
    "UnsupportedMediaType": 415,
    "Invalid": 422,
    "TooManyRequests": 429,
    "InternalError": 500,
    "ServiceUnavailable": 503,
    "Timeout": 504,
}
"""Reason → HTTP status code."""


class ApiError(GitopsError):
    """An API request that failed with a Status.

    `reason` is one of `CODES` (or what a foreign server sent), `code` the HTTP status, `causes`
    the fields at fault, `retry_after` seconds the server asks to wait (0: not said). `details` that are
    given are sent, empty ones too. A `bare` one is sent without its reason: the server has errors that it
    never classified.
    """

    def __init__(
        self,
        reason: str,
        message: str,
        *,
        http_code: int | None = None,
        causes: Iterable[Cause] = (),
        details: Mapping[str, Any] | None = None,
        retry_after: float = 0,
        hint: str = "",
        bare: bool = False,
    ) -> None:
        super().__init__(message, hint=hint)
        self.reason = reason
        self.http_code = http_code if http_code is not None else CODES.get(reason, 500)
        self.causes = tuple(causes)
        self.details = dict(details or {})
        self._detailed = details is not None
        self._bare = bare
        self.retry_after = retry_after
        self.warnings: tuple[str, ...] = ()
        """What was already found odd about the request, to be told beside the error."""

    @property
    def transient(self) -> bool:
        """Whether the same request may succeed later without anybody changing anything."""
        return self.http_code in (408, 429, 500, 502, 503, 504)

    def status(self) -> dict[str, Any]:
        """The `Status` object a server sends for this error."""
        details = dict(self.details)
        if self.causes:
            details["causes"] = [
                {"reason": c.reason, "message": c.message, **({"field": c.field} if c.field else {})}
                for c in self.causes
            ]
        if self.retry_after:
            details["retryAfterSeconds"] = int(self.retry_after)
        body: dict[str, Any] = {
            "kind": "Status",
            "apiVersion": "v1",
            "metadata": {},
            "status": "Failure",
            "message": self.message,
        }
        if not self._bare:
            body["reason"] = self.reason
        if details or self._detailed:
            body["details"] = details
        body["code"] = self.http_code
        return body

    @classmethod
    def from_status(cls, body: Mapping[str, Any], *, http_code: int, retry_after: float = 0) -> ApiError:
        """The error a server's `Status` body stands for; tolerates a body that is not one."""
        given = body.get("details")
        details: Mapping[str, Any] = given if isinstance(given, Mapping) else {}
        causes = tuple(
            Cause(str(c.get("reason", "")), str(c.get("message", "")), str(c.get("field", "")))
            for c in details.get("causes") or ()
            if isinstance(c, Mapping)
        )
        return cls(
            str(body.get("reason") or _reason_for(http_code)),
            str(body.get("message") or f"the server answered {http_code}"),
            http_code=int(body.get("code") or http_code),
            causes=causes,
            details={k: v for k, v in details.items() if k not in ("causes", "retryAfterSeconds")} or None,
            retry_after=retry_after or float(details.get("retryAfterSeconds") or 0),
        )


def _reason_for(http_code: int) -> str:
    for reason, code in CODES.items():
        if code == http_code:
            return reason
    return "InternalError" if http_code >= 500 else "Unknown"


def _qualified(resource: str, group: str) -> str:
    return f"{resource}.{group}" if group else resource


def _quoted(name: str) -> str:
    """The name in quotes, as Go escapes what cannot be printed."""
    return '"' + "".join(c if c.isprintable() else f"\\x{ord(c):02x}" for c in name) + '"'


def _details(group: str, resource: str, name: str) -> dict[str, Any]:
    return {k: v for k, v in (("name", name), ("group", group), ("kind", resource)) if v}


def not_found(group: str, resource: str, name: str) -> ApiError:
    """404: `pods "web" not found`. `resource` is the plural."""
    return ApiError(
        "NotFound",
        f"{_qualified(resource, group)} {_quoted(name)} not found",
        details=_details(group, resource, name),
    )


def already_exists(group: str, resource: str, name: str) -> ApiError:
    """409: `pods "web" already exists`."""
    return ApiError(
        "AlreadyExists",
        f'{_qualified(resource, group)} "{name}" already exists',
        details=_details(group, resource, name),
    )


def conflict(group: str, resource: str, name: str, why: str) -> ApiError:
    """409: optimistic locking or a precondition failed; `why` completes the sentence."""
    return ApiError(
        "Conflict",
        f'Operation cannot be fulfilled on {_qualified(resource, group)} "{name}": {why}',
        details=_details(group, resource, name),
    )


MODIFIED = "the object has been modified; please apply your changes to the latest version and try again"


def invalid(group: str, kind: str, name: str, causes: Iterable[Cause]) -> ApiError:
    """422 with one line per field: `Kind.group "name" is invalid: spec.x: Required value`."""
    causes = tuple(causes)
    # What is found twice is told once.
    lines = [*dict.fromkeys(f"{c.field}: {c.message}" if c.field else c.message for c in causes)]
    text = lines[0] if len(lines) == 1 else "[" + ", ".join(lines) + "]"
    return ApiError(
        "Invalid",
        f'{_qualified(kind, group)} "{name}" is invalid: {text}',
        causes=causes,
        details=_details(group, kind, name),
    )


def bad_request(message: str) -> ApiError:
    """400."""
    return ApiError("BadRequest", message)


def unclassified(message: str) -> ApiError:
    """500 without a reason: an error of the server's machinery that has no place among the API's."""
    return ApiError("InternalError", message, bare=True)


def expired(message: str = "The resourceVersion for the provided watch is too old.") -> ApiError:
    """410: the version asked for is no longer in the history; list again."""
    return ApiError("Expired", message)


def forbidden(group: str, resource: str, name: str, why: str) -> ApiError:
    """403; `why` completes `pods "web" is forbidden: …`."""
    subject = f' "{name}"' if name else ""
    return ApiError(
        "Forbidden",
        f"{_qualified(resource, group)}{subject} is forbidden: {why}",
        details=_details(group, resource, name),
    )
