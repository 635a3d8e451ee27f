"""Helpers that assert say what differed, as test modules do: so it is asked for before any of them is imported."""

import pytest

pytest.register_assert_rewrite(
    *(f"tests.{each}" for each in ("e2e", "integration", "labs", "lifecycle", "soak", "store_contract"))
)
