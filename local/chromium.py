"""The browser that the tests and measurements of the pages use, and how it is started."""

import os
import shutil

NAMES = ("chromium-headless-shell", "chromium", "google-chrome")
"The headless shell first: it is the same engine without windows, and takes less than half the CPU."
ARGUMENTS = (
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
)
MISSING = f"no browser here: install {' or '.join(NAMES)}, or name one in CHROMIUM"


def find_chromium() -> str | None:
    """The browser's path: the one in CHROMIUM, else an installed one."""
    wanted = os.environ.get("CHROMIUM")
    return next(filter(None, map(shutil.which, [wanted] if wanted else NAMES)), None)
