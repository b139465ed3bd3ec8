"""The models: what comes in goes out, unknown fields included; what is wrong is named."""

from __future__ import annotations

import re
from copy import deepcopy
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from ruamel.yaml import YAML

from gitops_ocm.api.base import InvalidObject
from gitops_ocm.api.cluster import ManagedCluster, ManagedClusterSpec, Taint
from gitops_ocm.api.meta import KnownCondition, KubeObject, ObjectMeta, Status
from gitops_ocm.api.scheme import SCHEME
from gitops_ocm.objects.faults import ApiError, Cause

Object = dict[str, Any]

HERE = Path(__file__).parent
SAMPLES: list[Object] = list(YAML(typ="safe").load_all(HERE / "samples.yaml"))
REFUSED: list[Object] = YAML(typ="safe").load(HERE / "refused.yaml")
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=8,
)


def name_of(obj: Object) -> str:
    return f"{obj['kind']} {obj['apiVersion'].rpartition('/')[2]}"


def model_of(obj: Object) -> type[KubeObject]:
    model = SCHEME.model_for(obj["apiVersion"], obj["kind"])
    assert model is not None
    return model


def spoilt(case: Object) -> Object:
    """The sample a case names, with its changes made."""
    sample = next(s for s in SAMPLES if case["sample"] in (s["kind"], name_of(s)))
    obj = deepcopy(sample)
    for path, value in case.get("set", {}).items():
        parent, last = place(obj, path)
        parent[last] = value
    if "drop" in case:
        parent, last = place(obj, case["drop"])
        del parent[last]
    return obj


def place(obj: Any, path: str) -> tuple[Any, Any]:
    parts = [
        int(index) if index else name for name, index in re.findall(r"([^.\[\]]+(?!\]))|\[(\d+)\]", path)
    ]
    for part in parts[:-1]:
        obj = obj[part]
    return obj, parts[-1]


@pytest.mark.parametrize("obj", SAMPLES, ids=name_of)
def test_an_object_comes_out_as_it_went_in(obj: Object) -> None:
    """Reading and writing a full object of each kind changes nothing in it."""
    assert model_of(obj).parse(obj).to_dict() == obj


def test_every_kind_and_version_has_a_sample() -> None:
    """No kind is forgotten by the tests that go over the samples."""
    assert {(s["apiVersion"], s["kind"]) for s in SAMPLES} == {
        (r.api_version, r.kind) for r in SCHEME.resources()
    }


@pytest.mark.parametrize("obj", SAMPLES, ids=name_of)
def test_samples_use_every_field_of_their_model_s_spec(obj: Object) -> None:
    """What is tried on the samples is tried on each field at the top of a spec."""
    spec = model_of(obj).model_fields.get("spec")
    if spec is None or obj["metadata"]["name"] in ("edge-beta", "hello-2"):
        return
    parsed = model_of(obj).parse(obj)
    inner = getattr(parsed, "spec")  # noqa: B009 - not every kind has one
    assert set(type(inner).model_fields) == inner.model_fields_set


@settings(derandomize=True, deadline=None, max_examples=60)
@given(data=st.data())
def test_unknown_fields_survive_anywhere(data: st.DataObject) -> None:
    """A field that no model knows, at any depth, is still there after a round trip."""
    obj = deepcopy(data.draw(st.sampled_from(SAMPLES)))
    spots = list(mappings(obj))
    for _ in range(data.draw(st.integers(1, 4))):
        spot = data.draw(st.sampled_from(spots))
        spot["x" + data.draw(st.text("abcXYZ_-/.0", max_size=6))] = data.draw(JSON)
    model = model_of(obj)
    assert model.parse(obj).to_dict() == obj
    assert model.parse(model.parse(obj).to_dict()) == model.parse(obj)


def mappings(value: Any) -> list[Object]:
    """Every JSON object inside that a model reads (label maps hold only strings)."""
    if isinstance(value, list):
        return [m for item in value for m in mappings(item)]
    if not isinstance(value, dict):
        return []
    plain = {"labels", "annotations", "matchLabels", "nodeSelector", "capacity", "allocatable", "limits",
             "requests", "clusterAnnotations", "clusterLabels"}  # fmt: skip
    return [value, *(m for k, v in value.items() if k not in plain for m in mappings(v))]


def test_snake_case_on_the_wire_is_an_unknown_field() -> None:
    """The names of the code are not names of the wire: they are kept, but not read."""
    obj = {"metadata": {"name": "c"}, "spec": {"hub_accepts_client": True}}
    cluster = ManagedCluster.parse(obj)
    assert cluster.spec is not None
    assert cluster.spec.hub_accepts_client is None
    assert cluster.to_dict()["spec"] == {"hub_accepts_client": True}


@pytest.mark.parametrize("case", [c for c in REFUSED if c.get("model", True)], ids=lambda c: c["field"])
def test_what_is_wrong_is_named(case: Object) -> None:
    """A model refuses what the schema refuses, and says which field it is."""
    obj = spoilt(case)
    with pytest.raises(InvalidObject) as caught:
        model_of(obj).parse(obj)
    assert any(str(d).startswith(f"{case['field']}: ") for d in caught.value.diagnostics)


@pytest.mark.parametrize(
    "junk", [None, [], "text", 1, {"spec": []}, {"metadata": None}, {"metadata": {"name": 1}}]
)
def test_junk_is_refused_with_a_sentence(junk: Any) -> None:
    """Anything that is not such an object is refused by the package's own error."""
    with pytest.raises(InvalidObject, match="ManagedCluster"):
        ManagedCluster.parse(junk)


def test_every_problem_is_reported_at_once() -> None:
    """The message has the first problem and how many more there are; the list has all."""
    with pytest.raises(InvalidObject) as caught:
        ManagedCluster.parse({"spec": {"leaseDurationSeconds": "x", "hubAcceptsClient": 1}})
    assert len(caught.value.diagnostics) == 2
    assert str(caught.value).endswith("(and 1 more)")


def test_an_object_made_in_code_says_only_what_was_set() -> None:
    """Defaults are the API server's to write; apiVersion and kind are always there."""
    cluster = ManagedCluster.named(
        "c1", spec=ManagedClusterSpec(hub_accepts_client=True, taints=[Taint(key="gpu", effect="NoSelect")])
    )
    assert cluster.spec is not None
    assert cluster.spec.lease_duration_seconds == 60
    assert cluster.to_dict() == {
        "apiVersion": "cluster.open-cluster-management.io/v1",
        "kind": "ManagedCluster",
        "metadata": {"name": "c1"},
        "spec": {"hubAcceptsClient": True, "taints": [{"key": "gpu", "effect": "NoSelect"}]},
    }


def test_models_are_values() -> None:
    """A model cannot be changed in place, and equal content is equal."""
    meta = ObjectMeta(name="a")
    with pytest.raises(ValueError, match="frozen"):
        setattr(meta, "name", "b")  # noqa: B010 - mypy knows it too
    assert meta == ObjectMeta(name="a") != ObjectMeta(name="a", namespace="b")


def test_known_conditions_fill_in_their_message() -> None:
    """A condition of the protocol is worded in one place and completed where it is used."""
    known = KnownCondition("T", "True", "R", "{count} of {total}")
    assert known.saying(count=1, total=2) == ("T", "True", "R", "1 of 2")


def test_the_status_a_server_answers_with_is_read_whole() -> None:
    """The Status made of an API error fits the model, causes and delay included."""
    error = ApiError("Invalid", "no", causes=[Cause("FieldValueInvalid", "no", "spec.a")], retry_after=3)
    status = Status.parse(error.status())
    assert status.details is not None
    assert status.details.retry_after_seconds == 3
    assert status.to_dict() == error.status()
