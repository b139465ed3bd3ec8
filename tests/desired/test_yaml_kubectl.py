"""kubectl is the judge: what it reads from awkward documents, we read too."""

from __future__ import annotations

import json
import os
import subprocess
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from gitops_ocm.desired.documents import parse
from gitops_ocm.testing.programs import ensure

HERE = Path(__file__).parent
CORPUS = sorted((HERE / "corpus").iterdir())
REFUSED = sorted((HERE / "refused").iterdir())
HEAD = "apiVersion: v1\nkind: Thing\nmetadata: {name: a}\nspec:\n"

pytestmark = pytest.mark.controlplane


@pytest.fixture(scope="module")
def kubectl() -> Path:
    """The kubectl that was built with the control plane."""
    return ensure(os.environ, HERE.parent / "controlplane").kubectl


def asked(kubectl: Path, data: bytes) -> list[Any] | None:
    """What kubectl makes of a file, without a server: an empty patch of it, printed. None: it refuses."""
    command = [str(kubectl), "--kubeconfig", os.devnull, "patch", "--local", "-f", "-", "-o", "json"]
    done = subprocess.run(
        [*command, "--type", "merge", "-p", "{}"], input=data, capture_output=True, check=False
    )
    return None if done.returncode else list(stream(done.stdout.decode()))


def stream(text: str) -> Any:
    """The values of concatenated JSON."""
    decoder = json.JSONDecoder()
    while text := text.strip():
        value, end = decoder.raw_decode(text)
        yield value
        text = text[end:]


def kinds(value: Any) -> Any:
    """A value with the types of its scalars, so that `1`, `True` and `"1"` differ."""
    if isinstance(value, dict):
        return {k: kinds(v) for k, v in value.items()}
    if isinstance(value, list):
        return [kinds(v) for v in value]
    if type(value) in (int, float):
        return ("number", value if abs(value) < 2**63 else float(value))
    return (type(value).__name__, value)


@pytest.mark.parametrize("path", CORPUS, ids=lambda p: p.stem)
def test_reads_as_kubectl_does(path: Path, kubectl: Path) -> None:
    """Every document of the corpus has the value kubectl gives it."""
    parsed = parse(path.read_bytes())
    assert parsed.problems == ()
    assert kinds([d.value for d in parsed.documents]) == kinds(asked(kubectl, path.read_bytes()))


@pytest.mark.parametrize("path", REFUSED, ids=lambda p: p.stem)
def test_refuses_what_kubectl_refuses(path: Path, kubectl: Path) -> None:
    """What kubectl cannot read is a problem with a line, not a guess."""
    parsed = parse(path.read_bytes())
    assert asked(kubectl, path.read_bytes()) is None
    assert parsed.problems
    assert all(problem.line > 0 for problem in parsed.problems)


PLAIN = st.text(st.sampled_from("0123456789abefnostuxyEFNOTY_+-.~:/%=,<> "), min_size=1, max_size=8)


@settings(
    derandomize=True,
    deadline=None,
    max_examples=12,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
@given(texts=st.lists(PLAIN, min_size=60, max_size=120))
def test_plain_scalars_mean_the_same(texts: list[str], kubectl: Path) -> None:
    """Random unquoted scalars, those we accept, resolve as kubectl resolves them."""
    lines = [f"  k{n}: {text}\n" for n, text in enumerate(texts)]
    readable = [line for line in lines if not parse((HEAD + line).encode()).problems]
    data = (HEAD + "".join(readable)).encode()
    parsed = parse(data)
    assert parsed.problems == ()
    assert kinds([d.value for d in parsed.documents]) == kinds(asked(kubectl, data))


JSON = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(2**63), 2**63 - 1)
    | st.text(st.characters(codec="utf-8"), max_size=20),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=8), inner, max_size=4),
    max_leaves=12,
)


@settings(
    derandomize=True,
    deadline=None,
    max_examples=30,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
@given(value=JSON)
def test_json_reads_as_kubectl_reads_it(value: Any, kubectl: Path) -> None:
    """Any JSON value comes back from a JSON file as it went in, and as kubectl has it."""
    data = json.dumps(
        {"apiVersion": "v1", "kind": "Thing", "metadata": {"name": "a"}, "spec": value}
    ).encode()
    parsed = parse(data)
    assert parsed.problems == ()
    assert parsed.documents[0].value["spec"] == value
    assert kinds([d.value for d in parsed.documents]) == kinds(asked(kubectl, data))
