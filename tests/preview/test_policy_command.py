"""A policy in a clone: `gitops-ocm preview` refuses, is overridden by a commit, and is read from the base."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import pytest

from gitops_ocm.objects.ref import Object
from gitops_ocm.report.yaml_text import to_yaml
from gitops_ocm.testing import objects as make
from tests.preview.clones import Clone, account, cloned, texts
from tests.preview.fleets import ordinary
from tests.preview.test_command import shown

POLICY = """\
policy:
  rules:
    - name: losing
      maxClustersLosing: 1
      message: Ask on the fleet's channel first.
    - name: keep-clusters
      protected: [{kinds: [ManagedCluster]}]
"""
FILES: dict[str, Sequence[Object]] = ordinary()


@pytest.fixture(scope="module")
def told() -> dict[str, bytes]:
    """The status branch of a fleet that runs the ordinary repository."""
    return account(FILES)


@pytest.fixture
def clone(tmp_path: Path, told: dict[str, bytes]) -> Clone:
    """A clone whose main has a policy."""
    return cloned(tmp_path / "fleet", {**texts(FILES), "gitops-ocm.yaml": POLICY}, told)


TYPO = {"requiredClusterSelector": {"labelSelector": {"matchLabels": {"region": "ue"}}}}


def mistyped() -> dict[str, str]:
    """A placement that selects nobody any more, for two letters changed places."""
    objects = [o for o in FILES["hub/fleet.yaml"] if o["metadata"]["name"] != "eu"]
    objects.append(make.placement("eu", "fleet", predicates=[TYPO]))
    return {"hub/fleet.yaml": "---\n".join(map(to_yaml, objects))}


def test_a_slip_that_takes_everything_away_is_refused(clone: Clone) -> None:
    """Two letters in a selector would take three clusters' works: status 3, and why, at file and line."""
    clone.git("checkout", "--quiet", "-b", "topic")
    clone.commit(mistyped(), "Select Europe")
    result = shown(clone.path, "topic")
    assert result.return_value == 3
    words = " ".join(result.stdout.split())
    assert "3 of 6 clusters left with less (c2, c4, c6); at most 1 may be" in words
    clone.commit({}, "Mean it\n\nGitops-Override: losing: Europe moves to the other hub")
    result = shown(clone.path, "topic")
    assert result.return_value == 1
    assert "Europe moves to the other hub" in result.stdout


def test_a_branch_cannot_do_without_the_policy(clone: Clone) -> None:
    """The rules of main judge a branch that takes them away, and the taking away as well."""
    clone.git("checkout", "--quiet", "-b", "topic")
    clone.commit({"gitops-ocm.yaml": None, **mistyped()}, "Select Europe, quietly")
    result = shown(clone.path, "topic", "-o", "json")
    assert result.return_value == 3
    assert '"losing"' in result.stdout
    assert "loses the rule 'keep-clusters'" in result.stdout
