"""Every history of `semantics_cases` comes out as a real kube-apiserver recorded it, on every hub."""

from __future__ import annotations

from pathlib import Path

import orjson
import pytest

from gitops_ocm.kube.cluster import Cluster
from gitops_ocm.testing.clusters import install
from tests.hubs.semantics import run
from tests.hubs.semantics_cases import CASES
from tests.hubs.semantics_steps import WIDGETS

RECORDED = orjson.loads(Path(__file__).with_name("semantics.json").read_bytes())


@pytest.mark.parametrize("name", CASES)
async def test_a_history_comes_out_as_recorded(cluster: Cluster, namespace: str, name: str) -> None:
    """The same calls have the same answers: objects, errors, owners, versions."""
    await install(cluster, [WIDGETS])
    outcomes = await run(cluster, namespace, CASES[name])
    for step, outcome, recorded in zip(CASES[name], outcomes, RECORDED[name], strict=True):
        assert outcome == recorded, step


def test_every_history_is_recorded() -> None:
    """The recording is of exactly these cases."""
    assert RECORDED.keys() == CASES.keys()
