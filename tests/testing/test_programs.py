"""`testing.programs`: where a control plane's programs come from."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from gitops_ocm.testing.programs import (
    KUBERNETES_VERSION,
    PACKAGES,
    NoControlPlane,
    Programs,
    cache_directory,
    ensure,
    find,
)

MODULE = Path(__file__).parents[1] / "controlplane"


def fill(directory: Path, *names: str) -> Path:
    """Put empty programs there."""
    directory.mkdir(parents=True)
    for name in names or PACKAGES:
        program = directory / name
        program.touch()
        program.chmod(0o755)
    return directory


@pytest.mark.parametrize(
    ("present", "wins"),
    [
        (("assets", "path", "cache"), "assets"),
        (("path", "cache"), "path"),
        (("cache",), "cache"),
        ((), None),
    ],
)
def test_the_order_of_places(tmp_path: Path, present: tuple[str, ...], wins: str | None) -> None:
    """KUBEBUILDER_ASSETS before PATH before the cache."""
    environ = {"XDG_CACHE_HOME": str(tmp_path / "xdg"), "PATH": str(tmp_path / "nothing")}
    places = {"assets": tmp_path / "assets", "path": tmp_path / "bin", "cache": cache_directory(environ)}
    for name in present:
        fill(places[name])
    if "assets" in present:
        environ["KUBEBUILDER_ASSETS"] = str(places["assets"])
    if "path" in present:
        environ["PATH"] = str(places["path"])
    assert find(environ) == (Programs.in_directory(places[wins]) if wins else None)


def test_an_incomplete_set_does_not_count(tmp_path: Path) -> None:
    """A kubectl alone on PATH is no control plane."""
    environ = {"XDG_CACHE_HOME": str(tmp_path), "PATH": str(fill(tmp_path / "bin", "kubectl"))}
    assert find(environ) is None


def test_incomplete_assets_are_an_error(tmp_path: Path) -> None:
    """Who names a directory is told what it lacks, instead of being given something else."""
    environ = {"KUBEBUILDER_ASSETS": str(fill(tmp_path / "assets", "etcd"))}
    with pytest.raises(NoControlPlane, match="does not hold all of") as refused:
        find(environ)
    assert "unset KUBEBUILDER_ASSETS" in refused.value.hint


def test_nothing_and_no_module_says_what_to_do(tmp_path: Path) -> None:
    """Without programs and without a module to build from, the error names the ways out."""
    with pytest.raises(NoControlPlane) as refused:
        ensure({"XDG_CACHE_HOME": str(tmp_path), "PATH": ""})
    assert "KUBEBUILDER_ASSETS" in refused.value.hint


def test_the_module_is_of_the_version_it_is_cached_under() -> None:
    """go.mod requires the Kubernetes the cache is named after, and its staging modules."""
    text = (MODULE / "go.mod").read_text()
    assert f"k8s.io/kubernetes {KUBERNETES_VERSION}" in text
    staging = set(re.findall(r"^replace k8s\.io/\S+ => k8s\.io/\S+ (v\S+)$", text, re.MULTILINE))
    assert staging == {KUBERNETES_VERSION.replace("v1.", "v0.")}


def test_every_program_is_named_by_the_module() -> None:
    """tools.go imports what is built, so that go.sum covers it."""
    imported = re.findall(r'_ "(\S+)"', (MODULE / "tools.go").read_text())
    assert sorted(imported) == sorted(PACKAGES.values())
