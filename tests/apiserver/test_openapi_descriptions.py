"""What `kubectl explain` says of built-in fields comes from a file, where there is one."""

from __future__ import annotations

import gzip
from pathlib import Path
from typing import Any

import orjson
import pytest

from gitops_ocm.apiserver.discovery import Discovery
from gitops_ocm.apiserver.openapi import OpenApi
from gitops_ocm.errors import GitopsError
from gitops_ocm.runtime.catalog import descriptions, load_catalog

POD = "io.k8s.api.core.v1.Pod"
TOLD = {POD: {"": "What runs together.", "spec": "What is wanted.", "kind": ""}}


def schema_of(path: Path | None) -> dict[str, Any]:
    """The Pod's schema as `/openapi/v3/api/v1` has it."""
    document = OpenApi(Discovery(load_catalog()), path).v3("api/v1")
    assert document is not None
    schema: dict[str, Any] = orjson.loads(document)["components"]["schemas"][POD]
    return schema


def test_what_the_file_tells_is_published(tmp_path: Path) -> None:
    """A definition and its fields get their text; what the file does not tell has none."""
    file = tmp_path / "told.json.gz"
    file.write_bytes(gzip.compress(orjson.dumps(TOLD)))
    schema = schema_of(file)
    assert schema["description"] == "What runs together."
    assert schema["properties"]["spec"]["description"] == "What is wanted."
    assert [name for name, field in schema["properties"].items() if "description" in field] == ["spec"]


def test_without_a_file_nothing_is_told() -> None:
    """The schema is whole, and silent."""
    schema = schema_of(None)
    assert "description" not in schema
    assert set(schema["properties"]) == {"apiVersion", "kind", "metadata", "spec", "status"}


@pytest.mark.parametrize(
    "content",
    [b"", b"text", gzip.compress(b"{")[:-9], gzip.compress(b"nothing")],
    ids=["empty", "text", "cut off", "no JSON"],
)
def test_another_file_is_refused_by_name(tmp_path: Path, content: bytes) -> None:
    """What is no such file is said to be none, with what to do."""
    file = tmp_path / "other"
    file.write_bytes(content)
    with pytest.raises(GitopsError, match="other has no descriptions") as refused:
        descriptions(file)
    assert "builtin_schemas" in refused.value.hint
