"""What the options of a hub come to, without a hub."""

from __future__ import annotations

import click
import pytest
from click.testing import CliRunner

from gitops_ocm.cli.hub_options import hub_options, hub_settings
from gitops_ocm.decide.settings import HubSettings


def settings(*arguments: str) -> HubSettings:
    """The settings that a hub would get."""
    found: list[HubSettings] = []

    @click.command()
    @hub_options
    def command(**options: object) -> None:
        found.append(hub_settings(options))

    result = CliRunner().invoke(command, arguments, catch_exceptions=False)
    assert result.exit_code == 0, result.output
    return found[0]


@pytest.mark.parametrize(("arguments", "compat"), [((), False), (("--rollout-compat=ocm",), True)])
def test_rollouts_are_decided_as_ocm_does_only_where_that_is_asked_for(
    arguments: tuple[str, ...], compat: bool
) -> None:
    """The option reaches the settings that replica sets and add-ons are rolled out by."""
    assert settings(*arguments) == HubSettings(rollout_compat=compat)
