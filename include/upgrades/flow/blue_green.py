"""The tasks between two pools (contract section 4, BLUE_GREEN); the new one is brought up by a batch before them."""

from __future__ import annotations

from include.upgrades.flow.operators import WorkOperator
from include.upgrades.flow.work import Work


class CheckGreenOperator(WorkOperator):
    """Every instance of the new pool is at the target version and healthy, or the traffic stays where it is."""

    work = Work.CHECK_GREEN


class SwitchTrafficOperator(WorkOperator):
    """The one switch."""

    work = Work.SWITCH_TRAFFIC


class SoakOperator(WorkOperator):
    """The new pool has to stay healthy under the traffic."""

    work = Work.SOAK


class RetireBlueOperator(WorkOperator):
    """The old pool is removed: from here on the way back has to make it anew."""

    work = Work.RETIRE_BLUE
