"""What is logged: readable, structured, and without secrets."""

from __future__ import annotations

import io
import json
from collections.abc import Iterator

import pytest
import structlog
from hypothesis import given, settings
from hypothesis import strategies as st

from gitops_ocm.errors import GitopsError
from gitops_ocm.objects.ref import Ref
from gitops_ocm.runtime.log import configure, get_logger
from gitops_ocm.runtime.redact import MASK, Secret, redacted, redacted_text


@pytest.fixture
def lines() -> Iterator[io.StringIO]:
    """What is logged, as JSON lines."""
    stream = io.StringIO()
    configure(level="info", json=True, stream=stream)
    yield stream
    structlog.reset_defaults()


def test_a_line_is_a_message_and_values(lines: io.StringIO) -> None:
    """Refs and errors become text, the level and the component are there, debug is left out."""
    log = get_logger("test")
    log.debug("not shown")
    log.warning(
        "apply failed", object=Ref("apps", "Deployment", "d", "web"), error=GitopsError("no", hint="Do it.")
    )
    (line,) = [json.loads(text) for text in lines.getvalue().splitlines()]
    assert line.pop("timestamp")
    assert line == {
        "level": "warning",
        "event": "apply failed",
        "component": "test",
        "object": "Deployment.apps d/web",
        "error": "no",
        "hint": "Do it.",
    }


def test_no_secret_is_logged(lines: io.StringIO) -> None:
    """Secrets by type, by key, by form and in tracebacks are masked."""
    log = get_logger("test")
    try:
        raise ValueError("Authorization: Bearer abcdefgh.s3cr3t")
    except ValueError:
        log.exception(
            "failed Bearer abcdefgh.s3cr3t",
            token="s3cr3t",
            header=Secret("s3cr3t"),
            url="https://me:s3cr3t@host/repo.git",
            body={"nested": [{"password": "s3cr3t"}], "data": b"s3cr3t"},
            object={"kind": "Secret", "data": {"a": "s3cr3t"}},
        )
    assert "s3cr3t" not in lines.getvalue()
    assert "host/repo.git" in lines.getvalue()


@settings(derandomize=True, deadline=None)
@given(st.text("abcXYZ0189._~+/=-", min_size=8))
def test_secret_never_prints(value: str) -> None:
    """Whatever a `Secret` holds, no way of printing shows it."""
    secret = Secret(value)
    assert {str(secret), repr(secret), f"{secret}", str([secret])} == {MASK, f"[{MASK}]"}
    assert secret.reveal() == value
    assert redacted_text(f"x bearer {value} y") == f"x bearer {MASK} y"


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        ({"a": 1, "b": None}, {"a": 1, "b": None}),
        ({"apiKey": "x", "token": ""}, {"apiKey": MASK, "token": ""}),
        ({"kind": "ConfigMap", "data": {"a": "b"}}, {"kind": "ConfigMap", "data": {"a": "b"}}),
        ("-----BEGIN PRIVATE KEY-----\nabc\n-----END PRIVATE KEY-----", MASK),
        (("a", b"bc"), ["a", "<2 bytes>"]),
    ],
)
def test_redaction_leaves_the_rest_alone(value: object, expected: object) -> None:
    """Only what looks like a secret is masked."""
    assert redacted(value) == expected
