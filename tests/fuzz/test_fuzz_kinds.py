"""An object of every built-in kind, with anything in it exchanged: taken or refused, and never more than that."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import orjson
import pytest
import yaml
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from gitops_ocm.apiserver.bodies import meta_problem
from gitops_ocm.apiserver.handlers_body import check_kind
from gitops_ocm.apiserver.protobuf_encode import encode_protobuf
from gitops_ocm.apiserver.yaml_answers import to_yaml
from gitops_ocm.objects.faults import ApiError
from gitops_ocm.objects.ref import Object
from tests.fuzz.strategies import mutated
from tests.fuzz.targets import WHOLE, api

_TEXT = (Path(__file__).parent.parent / "builtin" / "objects.yaml").read_text("utf-8")
KINDS: list[Object] = [
    obj for obj in yaml.safe_load_all(_TEXT.replace("CSR", "QUJD").replace("UNIQUE", "u")) if obj
]


@pytest.mark.parametrize("obj", KINDS, ids=lambda obj: f"{obj['kind']}-{obj['metadata']['name']}")
@given(data=st.data())
@settings(derandomize=True, deadline=None, max_examples=12, suppress_health_check=[HealthCheck.too_slow])
def test_any_object_of_a_kind(obj: Object, data: st.DataObject) -> None:
    """Created and changed without effect; what is taken can be shown in every form."""
    served = api().catalog.served(obj["apiVersion"], obj["kind"])
    if served is None:
        pytest.skip("served by others")
    namespace = "default" if served.resource.namespaced else ""
    # As it comes out of a request: JSON, of a kind that can be read.
    sent: Any = orjson.loads(orjson.dumps(data.draw(mutated(obj))))
    sent = sent if isinstance(sent, dict) else {}
    sent = {**sent, "apiVersion": obj["apiVersion"], "kind": obj["kind"]}
    assert not meta_problem(sent)
    if isinstance(sent.get("metadata"), dict):
        sent["metadata"] = {**sent["metadata"], "namespace": namespace or None}
    try:
        check_kind(sent, served, api().catalog)
        made = api().create(served, namespace, sent, WHOLE).obj
    except ApiError:
        return
    assert orjson.loads(orjson.dumps(made)) == made
    assert to_yaml(made)
    assert encode_protobuf(made)
