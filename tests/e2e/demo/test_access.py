"""docs/access.md: its commands get a token and register a backup."""

import json

from local.stack.stack import Stack
from tests.e2e.demo.typed import run
from tests.guides import code_blocks
from tests.shared_stack import ROOT

PAGE = (ROOT / "docs" / "access.md").read_text(encoding="utf-8")
STEPS = [text for language, text in code_blocks(PAGE) if language == "sh"]


def test_commands_of_the_guide_get_a_token_and_register_a_backup(stack: Stack) -> None:
    """For a tenant of this test: the backup stays registered. The local stack lets backups be anywhere in its state."""
    folder = stack.layout.state / "guide"
    folder.mkdir(exist_ok=True)
    instead = {".local/secrets": str(stack.layout.state / "secrets"), "back_up 550e8400": "back_up guide"}
    listed, registered = run(stack, folder, STEPS, instead)
    assert len(json.loads(listed)["items"]) <= 1
    backup = json.loads(registered)
    assert (backup["versionId"], backup["sizeBytes"]) == ("bbb-222", 7)
