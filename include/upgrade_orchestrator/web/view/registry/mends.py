"""Where a blocker of an upgrade is mended: the part of a page, or the field of the form."""

from __future__ import annotations

import re
from typing import NamedTuple


class Mend(NamedTuple):
    """Blockers that ``pattern`` finds are mended at ``address``, which ``words`` name.

    The pattern is read by Python and by the form's script alike. In an address ``{component}`` is the one of the form,
    ``{1}`` what the pattern has found; an address that begins with ``#`` is a field of the form.
    """

    pattern: str
    address: str
    words: str


_PATHS, _VERSIONS = "components/{component}#paths", "components/{component}#versions"
_DEPLOYMENTS, _BACKUPS = "components/{component}#deployments", "components/{component}#backups"
MENDS = (
    Mend(r"^execution (\S+) is not finished", "upgrades/{1}", "The active upgrade"),
    Mend(r"^no (?:upgrade|downgrade) path |^the path .* is closed", _PATHS, "Upgrade paths"),
    Mend(r"^version .* (?:only STABLE versions|is past its end of life|requires platform)", _VERSIONS, "Versions"),
    Mend(r"PUT \.\.\./deployment|has no deployment", _DEPLOYMENTS, "Deployments"),
    Mend(r"^(?:no |the look at )?backup |older ones were not tried", _BACKUPS, "Backups"),
    Mend(r" is needed(?: and|,) .*installed", "#installedComponents", "Installed components"),
    Mend(r"^totalInstances is", "#totalInstances", "Total instances"),
    Mend(r"^\d+ stages need", "#batchSize", "Batch size"),
    Mend(r"^BLUE_GREEN needs room", "#strategy", "Strategy"),
    Mend(r"^fleet |^the fleet |health endpoints do not answer", _DEPLOYMENTS, "Deployments"),
)
"The first that fits counts."


def mend_of(blocker: str) -> Mend | None:
    """Where the blocker is mended; None: the text says all that there is."""
    return next((each for each in MENDS if re.search(each.pattern, blocker)), None)
