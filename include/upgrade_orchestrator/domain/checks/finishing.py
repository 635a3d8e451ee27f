"""What is found while an upgrade is under way and does not keep it from being finished (specification section 3)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from upgrade_orchestrator.domain.execution.execution import Execution


def warned(execution: Execution, warnings: Sequence[str]) -> Execution:
    """The execution with the warnings that it does not have yet."""
    new = tuple(each for each in dict.fromkeys(warnings) if each not in execution.warnings)
    return replace(execution, warnings=execution.warnings + new) if new else execution
