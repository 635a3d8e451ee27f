"""Real notifiers for the tests: one appends to the file that NOTICES_FILE names, one always fails."""

import os
from pathlib import Path
from typing import Any

from airflow.sdk.bases.notifier import BaseNotifier


class FileNotifier(BaseNotifier):  # type: ignore[misc]
    """Its text is a template, as in the notifiers for Slack, mail and others."""

    template_fields = ("text",)

    def __init__(self, text: str) -> None:
        super().__init__()
        self.text = text

    def notify(self, context: Any) -> None:
        with Path(os.environ["NOTICES_FILE"]).open("a", encoding="utf-8") as file:
            file.write(f"{self.text}\n")


class BrokenNotifier(BaseNotifier):  # type: ignore[misc]
    """Fails like a notifier whose service is down."""

    def notify(self, context: Any) -> None:
        raise ConnectionError("no connection")


FAILED = FileNotifier("{{ upgrade.executionId }} of {{ upgrade.tenantId }} {{ upgrade.notice }}: {{ upgrade.reason }}")
ASKED = FileNotifier("{{ upgrade.executionId }} waits before stage {{ upgrade.stage }}")
BACK = FileNotifier("{{ upgrade.executionId }} is back at {{ upgrade.fromVersion }}")
NOTIFIERS = {"failed": [BrokenNotifier(), FAILED], "approval-requested": [ASKED]}
UNKNOWN_NAME = {"failure": [FAILED]}
NO_LIST = {"failed": FAILED}
NO_NOTIFIER = {"failed": [print]}
NO_MAPPING = [FAILED]
WORKING = {"failed": [FAILED]}
ALL = {"failed": [FAILED], "approval-requested": [ASKED], "rolled-back": [BACK]}
