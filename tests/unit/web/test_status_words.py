"""Texts of the API in the words of the pages."""

import pytest

from upgrade_orchestrator.web.view.words import sentence, with_words


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("DRAINING → UPGRADING, try 2", "Draining → Upgrading, try 2"),
        ("HEALTH_CHECKING → FAILED", "Health checking → Failed"),
        ("rollback: ROLLED_BACK", "rollback: Rolled back"),
        ("CANARY_MONITORING → IN_PROGRESS", "Canary monitoring → In progress"),
        ("gone", "gone"),
        ("NOT_FAILED, FAILED_TWICE", "NOT_FAILED, FAILED_TWICE"),
    ],
)
def test_names_of_statuses_are_shown_in_words_and_others_stay(text: str, expected: str) -> None:
    assert with_words(text) == expected


def test_sentence_begins_with_a_capital_letter_and_keeps_the_others() -> None:
    assert sentence("the DAG is paused in Airflow") == "The DAG is paused in Airflow"
    assert sentence("") == ""
