"""docs/access.md: its commands get a token and register a backup."""

import json
from pathlib import Path

from local.stack.stack import Stack
from tests.e2e.demo.typed import run
from tests.guides import code_blocks
from tests.shared_stack import ROOT

PAGE = (ROOT / "docs" / "access.md").read_text(encoding="utf-8")
STEPS = [text for language, text in code_blocks(PAGE) if language == "sh"]


def test_commands_of_the_guide_get_a_token_and_register_a_backup(stack: Stack, tmp_path: Path) -> None:
    """A backup of the local stack may be anywhere in the project; this one stays registered and does no harm."""
    folder = stack.layout.state / "guide"
    folder.mkdir(exist_ok=True)
    secret = {".local/secrets": str(stack.layout.state / "secrets")}
    listed, registered = run(stack, folder, STEPS, secret)
    assert len(json.loads(listed)["items"]) <= 1
    backup = json.loads(registered)
    assert (backup["versionId"], backup["sizeBytes"]) == ("bbb-222", 7)
