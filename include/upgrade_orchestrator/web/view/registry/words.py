"""The words of versions and paths on the registry's pages, and sizes of backups."""

from __future__ import annotations

from datetime import date

from upgrade_orchestrator.domain.registry.entries import ComponentVersion, RiskLevel, UpgradePath, VersionStatus
from upgrade_orchestrator.web.view.icons import icon
from upgrade_orchestrator.web.view.words import StatusStyle, plural, span

VERSION: dict[str, StatusStyle] = {
    VersionStatus.DRAFT: StatusStyle("Draft", "watch", icon("circle")),
    VersionStatus.STABLE: StatusStyle("Stable", "good", icon("check")),
    VersionStatus.DEPRECATED: StatusStyle("Deprecated", "warn", icon("alert")),
    VersionStatus.EOL: StatusStyle("End of life", "idle", icon("ban")),
}
_RISK = {RiskLevel.LOW: "low risk", RiskLevel.MEDIUM: "medium risk", RiskLevel.HIGH: "high risk"}


def style_of_version(version: ComponentVersion, today: date) -> StatusStyle:
    """The words, colour and sign of its status today."""
    return VERSION[version.effective_status(today)]


def marks_of(version: ComponentVersion) -> list[str]:
    """What it is beside its status."""
    return ["recommended"] * version.recommended + ["LTS"] * version.lts


def words_of_path(path: UpgradePath) -> list[str]:
    """The facts of a path, each in words; why it is closed comes first."""
    closed = [f"closed: {'; '.join(path.blockers)}"] if path.blockers else []
    minutes = path.estimated_duration_minutes
    return [
        *closed,
        _RISK[path.risk_level],
        "tested" if path.tested else "not tested",
        *(["needs downtime"] if path.requires_downtime else []),
        *([f"about {span(minutes * 60.0)}"] if minutes else []),
    ]


def steps_of(path: UpgradePath) -> list[tuple[str, tuple[str, ...]]]:
    """The steps that people registered, under the titles of when they are done."""
    steps = (
        ("Before", path.pre_upgrade_steps),
        ("During", path.upgrade_steps),
        ("After", path.post_upgrade_steps),
        ("To validate", path.validation_steps),
        ("To roll back", path.rollback_steps),
    )
    return [(title, each) for title, each in steps if each]


def size(count: int) -> str:
    """A number of bytes: 999 bytes, 25.4 KiB, 1.0 TiB."""
    if count < 1024:
        return plural(count, "byte")
    value = float(count)
    for unit in ("KiB", "MiB", "GiB", "TiB"):
        value /= 1024
        if value < 1024:
            return f"{value:.1f} {unit}"
    return f"{value / 1024:.1f} PiB"
