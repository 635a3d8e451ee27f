"""How much of the code one batch passes: exact, so that a detour that is added is seen in a review."""

from tests.exact_counts import hold
from tests.labs.main_path import MainPath
from tests.labs.memory.lab import MakeLab
from upgrade_orchestrator.service.rollout.batch import run_batch
from upgrade_orchestrator.service.runner.outcome import Ending


async def test_batch_runs_through_the_documented_functions_and_files(make_lab: MakeLab) -> None:
    lab = await make_lab(size=4)
    execution_id = await lab.admitted(batch_size=4, max_unavailable_percentage=100)
    context = await lab.context(execution_id)
    with MainPath() as path:
        outcome = await run_batch(lab.world.ports, context, 1, None)
    assert outcome.ending is Ending.DONE
    counted = {
        "functions": (str(len(path.functions)),),
        "files": (str(len(path.files)),),
        "changes from file to file": (str(path.changes),),
    }
    hold("one batch passes", counted)
