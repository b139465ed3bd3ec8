"""What is never right, whatever was asked: a failure of the server itself, or an answer that says nothing."""

from __future__ import annotations

import re

from tests.fuzz.wire import Answer

AS_THERE = (
    re.compile(r"request did not complete within requested timeout"),
    re.compile(r'resourceVersion: Invalid value: ".*": strconv\.ParseUint: parsing', re.DOTALL),
    re.compile(r"^failed to create typed patch object \("),
    re.compile(r"^strconv\.ParseUint: parsing "),
    re.compile(r"^expected a \[\]interface \{\}, but received a "),
    re.compile(r" does not contain declared merge key: "),
    re.compile(r"^unknown patch type: "),
    re.compile(r"^Timeout: Too large resource version: \d+, current: \d+$"),
)
"""What a kube-apiserver answers with a 5xx as well, though the client is to blame."""


def judged(answer: Answer, about: object = "") -> Answer:
    """The answer, once it is known to be one that a server in order gives."""
    if answer.status >= 500 and answer.status != 505:
        found = answer.document or {}
        message = str(found.get("message", ""))
        assert any(pattern.search(message) for pattern in AS_THERE), (
            f"{answer.status} {message!r} to {about!r}"
        )
    if answer.status >= 400 and answer.document is not None:
        found = answer.document
        assert (found["kind"], found["status"], found["code"]) == ("Status", "Failure", answer.status), found
    return answer
