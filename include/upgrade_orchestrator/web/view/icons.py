"""Icons of the pages as inline SVG, so that they look alike whatever fonts a computer has; words stand beside each."""

from __future__ import annotations

from collections.abc import Mapping

from markupsafe import Markup

_RING = '<circle cx="12" cy="12" r="8"/>'
_SOLID = 'fill="currentColor"'

SHAPES: Mapping[str, str] = {
    "circle": _RING,
    "clock": f'{_RING}<path d="M12 7.5V12l3 2"/>',
    "play": f'<path {_SOLID} d="M8 5.5v13l10-6.5z"/>',
    "play-outline": '<path d="M8 5.5v13l10-6.5z"/>',
    "eye": '<path d="M2.5 12S6 5.5 12 5.5s9.5 6.5 9.5 6.5S18 18.5 12 18.5 2.5 12 2.5 12z"/>'
    '<circle cx="12" cy="12" r="2.6"/>',
    "pause": '<path d="M9 5.5v13M15 5.5v13"/>',
    "undo": '<path d="M8 4.5 3.5 9 8 13.5"/><path d="M3.5 9H15a5 5 0 0 1 0 10h-4"/>',
    "undone": f'<path {_SOLID} d="M19 5.5v13L8.5 12z"/><path d="M5 5.5v13"/>',
    "check": '<path d="m4.5 12.5 5 5 10-11"/>',
    "minus": '<path d="M6 12h12"/>',
    "cross": '<path d="m6 6 12 12M18 6 6 18"/>',
    "ban": f'{_RING}<path d="m6.4 6.4 11.2 11.2"/>',
    "up": '<path d="M12 19.5V5.5M6 11.5l6-6 6 6"/>',
    "down": '<path d="M12 4v11M6.5 10 12 15.5 17.5 10M5 20h14"/>',
    "pulse": '<path d="M2.5 12.5H7l3-7.5 4 14 3-6.5h4.5"/>',
    "alert": '<path d="M12 4 2.5 20h19z"/><path d="M12 10v4.5M12 17.2v.1"/>',
    "person": '<circle cx="12" cy="8" r="4"/><path d="M4.5 20.5a7.5 7.5 0 0 1 15 0"/>',
    "question": '<path d="M8.5 9a3.5 3.5 0 1 1 5.5 2.9c-1.3.9-2 1.5-2 3.1M12 19v.1"/>',
    "gone": '<circle cx="12" cy="12" r="8" stroke-dasharray="3.2 3.08"/>',
    "chevron": '<path d="m9 6 6 6-6 6"/>',
    "stop": f'<rect {_SOLID} x="7" y="7" width="10" height="10" rx="1"/>',
    "dot": f'<circle {_SOLID} cx="12" cy="12" r="5"/>',
}
"The shapes by name, on a grid of 24 by 24, drawn in the colour of the text."


def icon(name: str) -> Markup:
    """The icon of that name; hidden from screen readers, which read the words beside it.

    :raises KeyError: there is no such icon.
    """
    assert SHAPES[name]
    return Markup('<svg class="icon" aria-hidden="true"><use href="#icon-{}"></use></svg>').format(name)


def sprite() -> Markup:
    """All icons, once on each page; ``icon`` refers to them."""
    symbols = "".join(
        f'<symbol id="icon-{name}" viewBox="0 0 24 24">{shape}</symbol>' for name, shape in SHAPES.items()
    )
    return Markup(f'<svg class="sprite" aria-hidden="true" width="0" height="0">{symbols}</svg>')  # noqa: S704 - only shapes from this file
