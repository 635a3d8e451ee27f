"""axe-core on a page: nothing serious or critical may be found."""

from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Page

GRAVE = ("serious", "critical")


def problems(page: Page) -> list[str]:
    """What is wrong and where, as it is told when a test fails."""
    found = Axe().run(page).response["violations"]
    return [
        f"{each['impact']} {each['id']}: {each['help']} at {node['target']} ({node['html'][:120]})"
        for each in found
        if each["impact"] in GRAVE
        for node in each["nodes"]
    ]
