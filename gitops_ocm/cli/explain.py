"""`gitops-ocm explain`: why the hub decided as it did, and where from things are as they are."""

from __future__ import annotations

import click

from gitops_ocm.cli.main import LazyGroup


@click.group(
    cls=LazyGroup,
    lazy={
        "placement": ("gitops_ocm.cli.explain_placement:placement", "Why a placement chooses as it does."),
        "config": ("gitops_ocm.cli.explain_config:config", "Where an add-on's configuration comes from."),
        "field": ("gitops_ocm.cli.explain_field:field", "Who owns a field, and where in Git it is written."),
        "commit": ("gitops_ocm.cli.explain_commit:commit", "Which commit set an object, or a field of it."),
        "rollout": ("gitops_ocm.cli.explain_rollout:rollout", "Where a rollout stands, and what is next."),
    },
)
def explain() -> None:
    """Say why the hub decided as it did, or would at any commit, and where from things are as they are."""
