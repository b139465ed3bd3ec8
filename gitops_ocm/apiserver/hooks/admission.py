"""The stages of a write at which what is registered in the server has its say.

`mutated` comes once a write is decoded: webhooks change it, one after the other, and again where a later one
has changed what they saw (`reinvocationPolicy`). `judge` comes once it is valid: policies, then webhooks, all
asked at once, refuse it or let it pass. Nothing registered costs two look-ups.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Any, NamedTuple

from gitops_ocm.apiserver.hooks import policies
from gitops_ocm.apiserver.hooks.consultation import Consultation, Question
from gitops_ocm.apiserver.hooks.matching import GROUP, Surroundings, Write, selected, shown_as
from gitops_ocm.apiserver.hooks.reviews import VERSIONS, Verdict, review
from gitops_ocm.apiserver.namespaces import namespace_key
from gitops_ocm.apiserver.naming import new_uid
from gitops_ocm.apiserver.registry import Registry
from gitops_ocm.apiserver.store import Store
from gitops_ocm.objects import cel_conditions, intake
from gitops_ocm.objects.canonical import canonical_json
from gitops_ocm.objects.catalog import Served
from gitops_ocm.objects.faults import ApiError, bad_request, forbidden
from gitops_ocm.objects.patch import json_patch
from gitops_ocm.objects.ref import Object

MUTATING, VALIDATING = (GROUP, "mutatingwebhookconfigurations"), (GROUP, "validatingwebhookconfigurations")
_HARMLESS = ("None", "NoneOnDryRun")


class _Hook(NamedTuple):
    """One webhook and the name of its configuration."""

    configuration: str
    webhook: Mapping[str, Any]

    @property
    def reinvocable(self) -> bool:
        """Whether it wants to see what those after it have made of the object."""
        return self.webhook.get("reinvocationPolicy") == "IfNeeded"


class Hooks:
    """The webhooks and policies registered in one store, put to its writes."""

    def __init__(self, store: Store, registry: Registry) -> None:
        self._store = store
        self._registry = registry
        self._around = Surroundings(self._namespace, registry.versions)

    def mutated(
        self, write: Write, consultation: Consultation | None
    ) -> tuple[Object | None, tuple[str, ...]]:
        """The object as webhooks want it (the same one where they want nothing), and their warnings."""
        if consultation is None or write.exempt or not self._store.has(MUTATING):
            return write.obj, ()
        rounds = _Rounds(self, write, consultation)
        for hook in self._hooks(MUTATING):
            rounds.invoke(hook, 0)
        for hook in rounds.to_be_repeated():
            rounds.invoke(hook, 1)
        return rounds.obj, tuple(rounds.warnings)

    def judge(self, write: Write, consultation: Consultation | None) -> tuple[str, ...]:
        """Raise what a policy or webhook refuses; else their warnings."""
        if consultation is None or write.exempt:
            return ()
        warnings = policies.judged(write, self._store, self._registry, self._around, consultation)
        if not self._store.has(VALIDATING):
            return warnings
        questions = [q for hook in self._hooks(VALIDATING) if (q := self.question(hook, write, consultation))]
        with intake.telling(warnings):
            verdicts = consultation.verdicts(questions)
        refusals = []
        for question, answer in zip(questions, verdicts, strict=True):
            told = _settled(question, answer)
            warnings += told.warnings
            refusals += [told.refusal] if told.refusal else []
        with intake.telling(warnings):
            for refused in refusals:
                raise refused
        return warnings

    def question(
        self, hook: _Hook, write: Write, consultation: Consultation, *, mutating: bool = False, round: int = 0
    ) -> Question | None:
        """What to ask a webhook about the write; None where it is not concerned."""
        webhook = hook.webhook
        if not selected(write, webhook, self._around):
            return None
        policy = webhook.get("matchPolicy") or "Equivalent"
        shown = shown_as(write, webhook.get("rules") or (), policy, self._around)
        if shown is None or not _meets_conditions(webhook, write, consultation):
            return None
        name = str(webhook.get("name"))
        if write.dry_run and webhook.get("sideEffects") not in _HARMLESS:
            raise bad_request(f'admission webhook "{name}" does not support dry run')
        version = next((v for v in webhook.get("admissionReviewVersions") or () if v in VERSIONS), "v1")
        presented = replace(write, old=self._in_version(write.old, shown))
        obj = self._in_version(write.obj, shown)
        asked = review(presented, shown, version, new_uid(), obj, consultation.user)
        return Question(hook.configuration, webhook, asked, mutating, round)

    def redecoded(self, obj: Object, served: Served) -> Object:
        """An object that a patch came to, in the version of the write, with defaults."""
        back = self._registry.presented(obj, served)
        again, _ = intake.decoded(back, served, "Ignore")
        return again

    def _in_version(self, obj: Object | None, shown: Served) -> Object | None:
        return None if obj is None else self._registry.presented(obj, shown)

    def _namespace(self, name: str) -> Object | None:
        return self._store.get(namespace_key(name))

    def _hooks(self, resource: tuple[str, str]) -> Iterator[_Hook]:
        for key, configuration in self._store.objects(resource).items():
            for webhook in configuration.get("webhooks") or ():
                yield _Hook(key.name, webhook)


class _Rounds:
    """The mutating webhooks' turns with one object."""

    def __init__(self, hooks: Hooks, write: Write, consultation: Consultation) -> None:
        self._hooks = hooks
        self._write = write
        self._consultation = consultation
        self._changed_at = -1
        self._invoked: list[_Hook] = []
        self.obj = write.obj
        self.warnings: list[str] = []

    def invoke(self, hook: _Hook, round: int) -> None:
        """Ask one webhook, and change the object as it says."""
        write = replace(self._write, obj=self.obj)
        question = self._hooks.question(hook, write, self._consultation, mutating=True, round=round)
        if question is None:
            return
        told = _settled(question, self._consultation.verdicts([question])[0])
        self.warnings += told.warnings
        self._invoked.append(hook)
        if told.refusal is not None:
            with intake.telling(tuple(self.warnings)):
                raise told.refusal
        if told.patch:
            self._patch(question, told.patch)

    def to_be_repeated(self) -> Sequence[_Hook]:
        """Those that asked to see the object again, and after which another has changed it."""
        return [h for at, h in enumerate(self._invoked) if h.reinvocable and at < self._changed_at]

    def _patch(self, question: Question, operations: Sequence[Mapping[str, Any]]) -> None:
        shown = question.review["request"]["object"]
        name = question.webhook.get("name")
        if shown is None:
            text = (
                f'admission webhook "{name}" attempted to modify the object, which is not supported for '
                "this operation"
            )
            raise _internal(text)
        try:
            result = json_patch(shown, [dict(operation) for operation in operations])
        except ApiError as error:
            raise _internal(error.message) from None
        for field, called in (("kind", "Kind"), ("apiVersion", "apiVersion")):
            if not isinstance(result, dict) or result.get(field) != shown[field]:
                raise _internal(f"Object '{called}' is missing in '{canonical_json(result).decode()}'")
        changed = self._hooks.redecoded(result, self._write.served)
        if changed != self.obj:
            self.obj = changed
            self._changed_at = len(self._invoked) - 1


def _settled(question: Question, answer: Verdict | ApiError) -> Verdict:
    """A verdict; where none was to be had, what the failure policy makes of that."""
    if isinstance(answer, Verdict):
        return answer
    if question.webhook.get("failurePolicy") == "Ignore":
        return Verdict()
    return Verdict(answer)


def _meets_conditions(webhook: Mapping[str, Any], write: Write, consultation: Consultation) -> bool:
    conditions = webhook.get("matchConditions")
    if not conditions:
        return True
    outcome = cel_conditions.all_hold(conditions, policies.variables(write, consultation, None, None))
    if outcome.error and webhook.get("failurePolicy") == "Ignore":
        return False
    if outcome.error:
        resource = write.served.resource
        raise forbidden(resource.group, resource.plural, write.name, outcome.error)
    return outcome.holds


def _internal(text: str) -> ApiError:
    return ApiError(
        "InternalError", f"Internal error occurred: {text}", details={"causes": [{"message": text}]}
    )
