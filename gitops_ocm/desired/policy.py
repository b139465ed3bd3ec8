"""`policy:` of `gitops-ocm.yaml`: what a change of the repository may not do, as the repository itself says.

    policy:
      rules:
        - name: deletions
          maxDeletions: 10%
          message: Ask on the fleet's channel first.

Each rule has a name, by which a commit's trailer overrides it, and says one thing. What is wrong with one is
`policy_checks`'; what rules say of a change, and which commit's policy counts, is `preview.policy`'s.
"""

from __future__ import annotations

import re
from typing import Annotated, Any

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, PrivateAttr, WithJsonSchema
from pydantic.alias_generators import to_camel

from gitops_ocm.errors import Location

OWN_RULE = "policy"
"""The name under which a change of the policy itself is judged."""
_AMOUNT = re.compile(r"(100|[0-9]{1,2})%|[0-9]{1,9}", re.ASCII)


def _amount(value: Any) -> str:
    if isinstance(value, bool) or not _AMOUNT.fullmatch(str(value)):
        raise ValueError("must be a count, or a share like 25%")
    return str(value)


Amount = Annotated[
    str,
    BeforeValidator(_amount),
    WithJsonSchema(
        {
            "anyOf": [
                {"type": "integer", "minimum": 0},
                {"type": "string", "pattern": f"^({_AMOUNT.pattern})$"},
            ]
        }
    ),
]
"""A count, or a share like `25%`."""
Duration = Annotated[str, Field(min_length=1, max_length=32)]


class Strict(BaseModel):
    """A part of the file: what it does not know is an error, and it never changes."""

    model_config = ConfigDict(extra="forbid", frozen=True, alias_generator=to_camel, defer_build=True)


class Protected(Strict):
    """Objects that may not be deleted: those that all of it is true of. Names are globs."""

    kinds: tuple[str, ...] = ()
    namespaces: tuple[str, ...] = ()
    names: tuple[str, ...] = ()
    selector: dict[str, Any] | None = None


class RequiredRollout(Strict):
    """How anything must spread that rolls out over one of these placements (`NAMESPACE/NAME`, globs)."""

    placements: tuple[str, ...] = Field(min_length=1)
    min_success_time: Duration | None = None
    mandatory_groups: tuple[str, ...] = ()
    max_concurrency: Amount | None = None
    max_failures: Amount | None = None


class Freeze(Strict):
    """When nothing may change: of everything, or of some cluster sets' clusters and some kinds of objects."""

    from_: str = Field("", alias="from")
    to: str = ""
    days: tuple[str, ...] = ()
    time_zone: str = "UTC"
    cluster_sets: tuple[str, ...] = ()
    kinds: tuple[str, ...] = ()


class Rule(Strict):
    """One rule. It says exactly one of `CHECKS`."""

    name: str = Field(min_length=1, max_length=63, pattern="^[a-z0-9]([-a-z0-9]*[a-z0-9])?$")
    message: str = Field("", max_length=1000)
    overridable: bool = True
    max_deletions: Amount | None = None
    max_clusters_at_once: Amount | None = None
    max_clusters_losing: Amount | None = None
    max_cluster_sets: int | None = Field(None, ge=0, strict=True)
    protected: tuple[Protected, ...] | None = None
    required_rollout: RequiredRollout | None = None
    freeze: Freeze | None = None
    expression: str | None = None
    message_expression: str | None = None
    _where: Location = PrivateAttr(default=Location())

    @property
    def where(self) -> Location:
        """Where it is written."""
        return self._where

    def written_at(self, where: Location) -> Rule:
        """The same rule, which knows where it is written."""
        rule = self.model_copy()
        rule._where = where
        return rule

    @property
    def says(self) -> tuple[str, ...]:
        """Which of `CHECKS` it says, as they are written."""
        return tuple(name for field, name in CHECKS.items() if getattr(self, field) is not None)


CHECKS = {
    field: to_camel(field)
    for field in (
        "max_deletions",
        "max_clusters_at_once",
        "max_clusters_losing",
        "max_cluster_sets",
        "protected",
        "required_rollout",
        "freeze",
        "expression",
    )
}
"""What a rule may say: its field, and how that is written."""


class PolicySection(Strict):
    """`policy:` the rules, in the order in which they are told."""

    rules: tuple[Rule, ...] = ()
