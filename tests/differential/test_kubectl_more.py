"""kubectl as the judge of more sessions: the same commands on both servers, the same answers."""

from __future__ import annotations

import asyncio
import re
from dataclasses import replace

import pytest

from tests.differential.kubectl_sessions import SESSIONS
from tests.differential.kubectl_sessions_people import PEOPLE
from tests.hubs.kubectl_cases import Step
from tests.hubs.test_kubectl import Answer, Kubectl, judges

__all__ = ["judges"]
pytestmark = [pytest.mark.controlplane, pytest.mark.slow]


ALL = {**SESSIONS, **PEOPLE}


@pytest.mark.parametrize("session", ALL.values(), ids=[name.replace(" ", "-") for name in ALL])
async def test_kubectl_cannot_tell_them_apart(judges: tuple[Kubectl, Kubectl], session: list[Step]) -> None:
    """Exit status, output and errors of every command of a session are the same on both servers."""
    embedded, real = judges
    differences = []
    for step in session:
        filled = step._replace(stdin=step.stdin.replace("{ns}", embedded.namespace))
        ours, theirs = map(_undated, await asyncio.gather(embedded.run(filled), real.run(filled)))
        if ours != theirs:
            differences.append(f"$ kubectl {step.args}\n--- real\n{theirs}\n--- embedded\n{ours}")
    assert not differences, "\n\n".join(d.replace("\\n", "\n") for d in differences)


def _undated(answer: Answer) -> Answer:
    """The answer without the time and process that kubectl puts before its own log lines."""
    return replace(answer, err=re.sub(r"^[IWE]\d{4} \S+ +\d+ ", "", answer.err, flags=re.MULTILINE))
