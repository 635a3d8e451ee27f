"""What the form's lists offer: names and versions, each with its id, and what cannot be chosen with the reason."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from upgrade_orchestrator.domain.registry.entries import ComponentVersion
from upgrade_orchestrator.service.views.choices import Choices, Target
from upgrade_orchestrator.web.view.registry.words import marks_of
from upgrade_orchestrator.web.view.words import plural


@dataclass(frozen=True, slots=True)
class Option:
    """An option; ``disabled``: it is shown, but cannot be chosen."""

    value: str
    text: str
    selected: bool = False
    disabled: bool = False


@dataclass(frozen=True, slots=True)
class OptionGroup:
    """Options under a title; None: without one."""

    title: str | None
    options: Sequence[Option]


@dataclass(frozen=True, slots=True)
class Note:
    """What is said below a list, and the address below the view's root at which it is mended."""

    text: str
    address: str
    place: str


@dataclass(frozen=True, slots=True)
class Offer:
    """The content of a list."""

    groups: Sequence[OptionGroup]
    notes: Sequence[Note] = ()


@dataclass(frozen=True, slots=True)
class Chosen:
    """What a link or the script has filled in."""

    tenant: str | None = None
    component: str | None = None
    source: str | None = None
    target: str | None = None


def offers(tenants: Sequence[str], choices: Choices, chosen: Chosen) -> dict[str, Offer]:
    """The content of each list, by the name of its field."""
    return {
        "tenantId": Offer(_begun("Choose a tenant", [Option(each, each, each == chosen.tenant) for each in tenants])),
        "componentId": _components(choices, chosen),
        "fromVersionId": _sources(choices, chosen),
        "toVersionId": _targets(choices, chosen),
    }


def _begun(words: str, options: Sequence[Option], *more: OptionGroup) -> list[OptionGroup]:
    """The options after an empty one, which is chosen until a person chooses another."""
    return [OptionGroup(None, [Option("", words), *options]), *(each for each in more if each.options)]


def _components(choices: Choices, chosen: Chosen) -> Offer:
    found = [(each.component, each.deployments > 0) for each in choices.components]
    options = [
        (Option(one.id, f"{one.name} · {one.id}", one.id == chosen.component, bool(chosen.tenant) and not there), there)
        for one, there in found
    ]
    if not chosen.tenant:
        return Offer(_begun("Choose a component", [each for each, _ in options]))
    others = OptionGroup(f"Without a deployment of {chosen.tenant}", [each for each, there in options if not there])
    return Offer(
        _begun("Choose a component", [each for each, there in options if there], others), _missing(chosen, choices)
    )


def _missing(chosen: Chosen, choices: Choices) -> list[Note]:
    """That the tenant has no deployment of the component that is chosen."""
    if not chosen.tenant or not chosen.component or choices.deployment is not None:
        return []
    text = f"{chosen.tenant} has no deployment of it: nothing can be upgraded."
    return [Note(text, f"components/{chosen.component}#deployments", "Deployments")]


def _sources(choices: Choices, chosen: Chosen) -> Offer:
    if choices.deployment is None or choices.source is None:
        return Offer(_begun(_first(chosen), []))
    mixed = choices.deployment.mixed or {}
    options = []
    for each in choices.sources:
        runs = [f"on {plural(mixed[each.version], 'instance')}"] if each.version in mixed else []
        now = ["runs now"] if each.id == choices.deployment.current_version_id else []
        options.append(Option(each.id, _named(each, [*now, *runs]), each == choices.source))
    return Offer([OptionGroup(None, options)])


def _first(chosen: Chosen) -> str:
    return "No deployment" if chosen.tenant and chosen.component else "Choose tenant and component first"


def _targets(choices: Choices, chosen: Chosen) -> Offer:
    if choices.deployment is None or choices.source is None:
        return Offer(_begun(_first(chosen), []))
    free = [_target(each, chosen) for each in choices.targets if not each.reasons]
    barred = OptionGroup("Cannot be chosen now", [_target(each, chosen) for each in choices.targets if each.reasons])
    words = "Choose a version" if free else "There is no version to go to"
    return Offer(_begun(words, free, barred), _notes(choices, choices.source))


def _target(target: Target, chosen: Chosen) -> Option:
    version = target.version
    marks = [*(["downgrade"] if target.downgrade else []), *marks_of(version)]
    if target.reasons:
        closed = [f"closed: {each}" for each in target.path_reasons]
        marks += [_short(each) for each in (*closed, *target.version_reasons)]
        return Option(version.id, _named(version, marks), disabled=True)
    return Option(version.id, _named(version, marks), version.id == chosen.target)


def _notes(choices: Choices, source: ComponentVersion) -> list[Note]:
    page = f"components/{source.component_id}"
    notes = []
    for each in choices.targets:
        name = each.version.version
        notes += [
            Note(f"{name}: the path is closed: {why}.", f"{page}#paths", "Upgrade paths") for why in each.path_reasons
        ]
        notes += [Note(f"{name} {why}.", f"{page}#versions", "Versions") for why in each.version_reasons]
    if choices.without_path:
        versions = "version has" if choices.without_path == 1 else "versions have"
        text = f"{choices.without_path} other {versions} no path from {source.version}."
        notes.append(Note(text, f"{page}#paths", "Upgrade paths"))
    return notes


def _named(version: ComponentVersion, marks: Iterable[str]) -> str:
    return " · ".join([version.version, *marks, version.id])


def _short(text: str) -> str:
    return text if len(text) <= 60 else f"{text[:59]}…"
