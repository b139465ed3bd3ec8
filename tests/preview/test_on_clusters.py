"""What of a cluster's own object is a change for a reviewer."""

from __future__ import annotations

from collections.abc import Mapping

import pytest

from gitops_ocm.objects.ref import ref_of
from gitops_ocm.preview.hub import Hub, Moment
from gitops_ocm.preview.on_clusters import on_clusters
from gitops_ocm.preview.origins import Origins
from gitops_ocm.testing import objects as make
from tests.preview.fleets import repository
from tests.preview.merged import NOW

FEATURE = "feature.open-cluster-management.io/addon-logs"


def _moment(labels: Mapping[str, str]) -> Moment:
    cluster = make.managed_cluster("c1", labels=labels)
    return Moment({ref_of(cluster): cluster}, NOW)


@pytest.mark.parametrize(
    ("before", "after", "paths"),
    [
        ({FEATURE: "available"}, {FEATURE: "unhealthy"}, []),
        ({}, {FEATURE: "available"}, []),
        ({FEATURE: "available"}, {}, []),
        ({FEATURE: "available", "env": "test"}, {"env": "prod"}, ["metadata.labels.env"]),
        ({}, {"feature.example.com/addon-logs": "on"}, ["metadata.labels[feature.example.com/addon-logs]"]),
    ],
    ids=["ill", "installed", "gone", "beside another", "of another group"],
)
def test_labels(before: Mapping[str, str], after: Mapping[str, str], paths: list[str]) -> None:
    """Labels in which the hub reports how add-ons are change nothing; all others do."""
    nothing = Origins(repository({}), repository({}))
    found = on_clusters(Hub(_moment(before), _moment(after)), nothing)
    assert [str(field.path) for one in found for effect in one.effects for field in effect.fields] == paths
