"""Installs the hooks of `repo-template/hooks`: they refuse what the sync would not apply.

The hook that tells a sync of a push (`git.hook`) is another one, and both go together.
"""

from __future__ import annotations

from pathlib import Path

from gitops_ocm.errors import GitopsError
from gitops_ocm.git.clone import about
from gitops_ocm.git.command import Git
from gitops_ocm.git.errors import RepositoryNotFound
from gitops_ocm.git.source import common_dir
from gitops_ocm.hub.template import template_root


class HookTaken(GitopsError):
    """Somebody else's hook is in the way."""

    code = "hook-taken"


BARE = ("pre-receive",)
CLONE = ("pre-commit", "pre-merge-commit")


def install_hooks(folder: Path) -> tuple[Path, ...]:
    """Put the hooks of a bare repository or of a clone in their place; where they are now.

    A hook of somebody else is left alone, and so is a folder of hooks that is itself under version control.
    """
    here = folder.resolve()
    told = about(folder, "--is-bare-repository", "--absolute-git-dir")
    if told.code != 0:
        raise RepositoryNotFound(f"{folder} is in no Git repository", hint="name a clone, or a bare one")
    bare, _, git_dir = told.text.partition("\n")
    names = BARE if bare == "true" else CLONE
    local = ("config", "--local", "--get", "core.hooksPath")
    configured = Git(Path(git_dir)).run(*local, cwd=here, check=False).text
    if configured:
        raise HookTaken(
            f"hooks of {folder} are taken from {configured} (core.hooksPath)",
            hint=f"call `gitops-ocm validate` from {configured}/{names[0]}, or "
            "git config --unset core.hooksPath",
        )
    home, ours = common_dir(Path(git_dir)) / "hooks", template_root() / "hooks"
    texts = {home / name: (ours / name).read_text() for name in names}
    for hook, text in texts.items():
        _check(hook, text)
    for hook, text in texts.items():
        _put(hook, text)
    return tuple(texts)


def _check(hook: Path, text: str) -> None:
    if hook.exists() and hook.read_text(errors="replace") != text:
        raise HookTaken(
            f"{hook} exists and is not ours",
            hint=f"call `{text.rstrip().splitlines()[-1].removeprefix('exec ')}` from it",
        )


def _put(hook: Path, text: str) -> None:
    hook.parent.mkdir(parents=True, exist_ok=True)
    hook.write_text(text)
    hook.chmod(0o755)
