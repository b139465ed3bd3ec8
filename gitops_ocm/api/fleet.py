"""HubSync: what keeps a hub in step with a Git repository. The one kind that is our own.

Group `sync.gitops-ocm.io`. Conditions follow kstatus: Ready sums up, Reconciling and Stalled are
there only while they are true, DriftDetected says that the hub is not as Git has it.
"""

from __future__ import annotations

from hashlib import sha256
from typing import Annotated, Literal

from pydantic import Field

from gitops_ocm.api.base import LIST_ATOMIC, DurationText, Int32, Int64, Model, NonEmpty, Rule, TimeText
from gitops_ocm.api.meta import Conditions, KubeObject

COMMIT_PATTERN = "^([0-9a-f]{40}|[0-9a-f]{64})$"
DEFAULT_BRANCH = "main"
MAX_PROBLEMS = 50


class GitRef(Model):
    """What of the repository is followed; nothing means the branch main."""

    rules = (
        Rule(
            "[has(self.branch), has(self.tag), has(self.commit)].filter(given, given).size() <= 1",
            "give at most one of branch, tag and commit",
        ),
    )

    branch: NonEmpty | None = Field(None, max_length=255, description="A branch, followed as it moves.")
    tag: NonEmpty | None = Field(None, max_length=255, description="A tag, followed as it moves.")
    commit: str | None = Field(None, pattern=COMMIT_PATTERN, description="One commit, in full.")


class Repository(Model):
    """Where desired state comes from."""

    url: str = Field(min_length=1, max_length=2048, description="URL or path of the Git repository.")
    ref: GitRef | None = Field(None, description="What of it is followed; the branch main if empty.")
    path: str = Field(
        ".", min_length=1, max_length=1024, description="The folder in it that holds desired state."
    )


class Prune(Model):
    """What becomes of objects that left the repository."""

    mode: Literal["Enabled", "Disabled"] = Field("Enabled", description="Delete them, or leave them.")
    max_percent: Int32 = Field(
        50,
        ge=0,
        le=100,
        description="A commit that would delete more than this share of what is on the hub deletes nothing, "
        "nor does a later one, until allowCommit names it or no object is missing any more.",
    )
    allow_commit: str | None = Field(
        None, pattern=COMMIT_PATTERN, description="The commit that may delete more than maxPercent."
    )


class Drift(Model):
    """What becomes of changes made on the hub."""

    mode: Literal["Correct", "Report", "Ignore"] = Field(
        "Correct", description="Put them back, only report them, or do not look."
    )


class StatusBranch(Model):
    """Where the fleet's state is committed."""

    enabled: bool = Field(True, description="Whether it is committed at all.")
    branch: str = Field("status", min_length=1, max_length=255, description="The branch.")


class HubSyncSpec(Model):
    """What is kept in step, and how strictly."""

    repository: Repository = Field(description="Where desired state comes from.")
    interval: DurationText = Field(
        "1m", description="How often the repository is looked at, as a Go duration."
    )
    timeout: DurationText = Field("5m", description="How long one pass may take, as a Go duration.")
    suspend: bool = Field(False, description="Leave everything as it is for the time being.")
    prune: Prune = Field(
        default_factory=lambda: Prune(mode="Enabled"), description="What becomes of objects that left Git."
    )
    drift: Drift = Field(
        default_factory=lambda: Drift(mode="Correct"), description="What becomes of changes made on the hub."
    )
    conflicts: Literal["Fail", "Overwrite"] = Field(
        "Fail",
        description="What to do about fields of an object not yet ours that another manager holds.",
    )
    status: StatusBranch = Field(
        default_factory=lambda: StatusBranch(enabled=True),
        description="Where the fleet's state is committed.",
    )


class InventoryKind(Model):
    """A kind this HubSync has objects of."""

    group: str = Field(description="API group; empty for the core group.")
    kind: NonEmpty = Field(description="The kind.")
    version: str = Field(description="API version its objects were last applied at, without the group.")
    count: Int32 = Field(ge=0, description="How many objects of it there were after the last pass.")


class Inventory(Model):
    """Where to look for what this HubSync has put on the hub.

    Which objects these are, the objects say themselves: the label with this HubSync's name is held by
    its field manager.
    """

    kinds: Annotated[list[InventoryKind], LIST_ATOMIC] | None = Field(None, description="Their kinds.")


class PruneGuard(Model):
    """A deletion that was stopped because it was too large."""

    commit: str = Field(pattern=COMMIT_PATTERN, description="The commit that wanted it.")
    count: Int32 = Field(ge=0, description="How many objects are not in Git and were kept.")


class Problem(Model):
    """Something in the way of a commit."""

    code: str = Field(description="What kind of problem, for machines.")
    message: str = Field(max_length=32768, description="What is wrong and what to do.")
    path: str | None = Field(None, description="File in the repository.")
    line: Int32 | None = Field(None, ge=0, description="Line in the file, from 1.")


class SyncSummary(Model):
    """What the last pass came to."""

    objects: Int32 | None = Field(None, description="Objects in the commit.")
    created: Int32 | None = Field(None, description="Made.")
    configured: Int32 | None = Field(None, description="Changed.")
    pruned: Int32 | None = Field(None, description="Deleted.")
    drifted: Int32 | None = Field(None, description="Found changed on the hub.")


class PolicyRuling(Model):
    """A rule of the policy that refuses a commit, or would but for a commit's word."""

    rule: str = Field(description="The rule's name.")
    verdict: Literal["refused", "overridden"] = Field(description="Whether it refuses.")
    message: str = Field(max_length=32768, description="What it found.")
    path: str | None = Field(None, description="File in the repository that holds the rule.")
    line: Int32 | None = Field(None, ge=0, description="Line in the file, from 1.")
    override: str | None = Field(None, description="The reason a commit's trailer gives.")
    by: str | None = Field(None, description="That commit.")


class PolicyStatus(Model):
    """What the repository's policy says of the commit it last judged."""

    rules_in_force: Int32 = Field(ge=0, description="How many rules there are in force.")
    commit: str = Field(pattern=COMMIT_PATTERN, description="The commit that was judged.")
    allowed: bool = Field(description="Whether it may come in force; once it may, it is not judged again.")
    until: TimeText | None = Field(None, description="When a refusal ends by itself.")
    rulings: list[PolicyRuling] | None = Field(
        None, max_length=MAX_PROBLEMS, description="The rules that refuse, or are overridden."
    )


class HubSyncStatus(Model):
    """How far the hub is."""

    observed_generation: Int64 | None = Field(None, description="The metadata.generation acted on.")
    conditions: Conditions | None = Field(None, description="Ready, Reconciling, Stalled and DriftDetected.")
    last_attempted_commit: str | None = Field(None, description="The commit last tried.")
    last_applied_commit: str | None = Field(None, description="The commit that is in force.")
    last_applied_time: TimeText | None = Field(None, description="Since when it is in force.")
    last_applied_generation: Int64 | None = Field(
        None, description="The metadata.generation under which that commit came in force."
    )
    last_handled_at: str | None = Field(None, description="The last request for a pass that was answered.")
    inventory: Inventory | None = Field(None, description="The kinds of what came from the repository.")
    prune_guard: PruneGuard | None = Field(None, description="A deletion that waits to be allowed.")
    policy: PolicyStatus | None = Field(
        None, description="What the repository's policy says; absent where it has none."
    )
    problems: list[Problem] | None = Field(
        None, max_length=MAX_PROBLEMS, description="What is in the way of the commit last tried."
    )
    summary: SyncSummary | None = Field(None, description="What the last pass came to.")


class HubSync(KubeObject):
    """Keeps this hub in step with a Git repository."""

    api_version: Literal["sync.gitops-ocm.io/v1alpha1"] = "sync.gitops-ocm.io/v1alpha1"
    kind: Literal["HubSync"] = "HubSync"
    spec: HubSyncSpec = Field(description="What is kept in step, and how strictly.")
    status: HubSyncStatus | None = Field(None, description="How far the hub is.")


# --- our own words ------------------------------------------------------------------------------

SYNC_NAME_LABEL = "sync.gitops-ocm.io/name"
"""On an object: the HubSync it belongs to, if that one's field manager holds the label."""
PATH_ANNOTATION = "sync.gitops-ocm.io/path"
COMMIT_ANNOTATION = "sync.gitops-ocm.io/commit"
DIGEST_ANNOTATION = "sync.gitops-ocm.io/digest"
"""The start of the SHA-256 of an object as Git had it when it was applied."""
DIGEST_CHARS = 16
"""Hex characters of a digest in the annotation: 64 bits tell two versions of one object apart."""
SPEC_ANNOTATION = "status.gitops-ocm.io/spec"
"""In a work's status file alone: the start of the SHA-256 of its spec, values of Secrets masked."""
WAVE_ANNOTATION = "sync.gitops-ocm.io/wave"
PRUNE_ANNOTATION = "sync.gitops-ocm.io/prune"
PRUNE_DISABLED = "disabled"
REQUESTED_AT_ANNOTATION = "sync.gitops-ocm.io/requested-at"
"""On a HubSync: asks for a pass now; the value comes back in `status.lastHandledAt`."""
SYNC_FIELD_MANAGER_PREFIX = "gitops-ocm-sync-"
_LONGEST_MANAGER = 128


def sync_field_manager(name: str) -> str:
    """The field manager of the HubSync `name`: its own, so that what it holds is told from what others hold.

    An API server takes at most 128 characters; a longer one ends in a digest of the whole name.
    """
    manager = SYNC_FIELD_MANAGER_PREFIX + name
    if len(manager) <= _LONGEST_MANAGER:
        return manager
    suffix = "-" + sha256(name.encode()).hexdigest()[:16]
    return manager[: _LONGEST_MANAGER - len(suffix)] + suffix


READY = "Ready"
RECONCILING = "Reconciling"
STALLED = "Stalled"
DRIFT_DETECTED = "DriftDetected"
