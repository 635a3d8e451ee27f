"""`python -m tests.browser.screenshots OUT [NAME ...]`: pictures of these scenes, or of all, light, dark and narrow."""

import sys
from pathlib import Path

from tests.browser.browsing import Scheme
from tests.browser.screenshots.lab import chromium, take
from tests.browser.screenshots.scenes import SCENES

LOOKS: tuple[tuple[Scheme, int], ...] = (("light", 1280), ("dark", 1280), ("light", 360))


def main(out: Path, *wanted: str) -> None:
    """Write NAME-light.png, NAME-dark.png and NAME-light-360.png for each scene whose name begins with one wanted."""
    out.mkdir(parents=True, exist_ok=True)
    names = [each for each in SCENES if not wanted or each.startswith(wanted)]
    with chromium() as browser:
        for name in names:
            for scheme, width in LOOKS:
                narrow = "" if width == 1280 else f"-{width}"
                take(browser, SCENES[name], scheme, width, out / f"{name}-{scheme}{narrow}.png")
    print(f"{len(names)} scenes in {out}: {', '.join(names)}")


if __name__ == "__main__":
    main(Path(sys.argv[1] if len(sys.argv) > 1 else ".local/screenshots"), *sys.argv[2:])
