"""Images of add-ons where registries are mirrored."""

from __future__ import annotations

from collections.abc import Mapping

import pytest

from gitops_ocm.decide.addons.images import mirrored, registries_of_cluster

IMAGE = "quay.io/x/agent:1"
KEY = "open-cluster-management.io/image-registries"
CASES: Mapping[str, tuple[list[tuple[str | None, str]], str]] = {
    "none": ([], IMAGE),
    "a registry": ([("quay.io", "local")], "local/x/agent:1"),
    "a path": ([("quay.io/x", "local/y")], "local/y/agent:1"),
    "slashes at the end": ([("quay.io/x/", "local/y/")], "local/y/agent:1"),
    "another registry": ([("docker.io", "local")], IMAGE),
    "a part of a name": ([("quay.io/x/ag", "local/b")], "local/bent:1"),
    "every registry": ([("", "local/y")], "local/y/agent:1"),
    "no source": ([(None, "local")], "local/agent:1"),
    "nothing for everything": ([("", "")], "agent:1"),
    "the last that fits": ([("quay.io", "one"), ("quay.io/x", "two"), ("docker.io", "three")], "two/agent:1"),
    "the last that changes it": ([("quay.io", "one"), ("quay.io/x", "quay.io/x")], "one/x/agent:1"),
}


@pytest.mark.parametrize("case", CASES)
def test_mirrors(case: str) -> None:
    """By prefix; of several the last that makes a difference."""
    registries, expected = CASES[case]
    given = [{"mirror": m, **({} if s is None else {"source": s})} for s, m in registries]
    assert mirrored(IMAGE, given) == expected


def test_the_annotation_of_a_cluster() -> None:
    """A list under `registries`; none is none."""
    assert registries_of_cluster({}) == ()
    assert registries_of_cluster({KEY: '{"registries": [{"mirror": "m"}]}'}) == [{"mirror": "m"}]
    assert list(registries_of_cluster({KEY: "{}"})) == []


@pytest.mark.parametrize("text", ["{", "[]", '{"registries": ["m"]}', '{"registries": 1}'])
def test_an_annotation_that_is_none(text: str) -> None:
    """Is told, and not taken for no annotation."""
    with pytest.raises(ValueError, match=r"."):
        registries_of_cluster({KEY: text})
