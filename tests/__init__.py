"""The test suite. pytest rewrites the asserts of these helper modules too, which must be requested before they are
imported.
"""

import pytest

pytest.register_assert_rewrite(
    *(f"tests.{each}" for each in ("e2e", "integration", "labs", "lifecycle", "soak", "store_contract"))
)
