"""`python -m local.every_module`: imports every module of the product, and says how many there are.

DAG files are left out, because they read the database, and migrations, because only Alembic can run them.
"""

import importlib
import pkgutil
from collections.abc import Iterator

import upgrade_orchestrator

_NOT_IMPORTED = (".dag_files", ".migrations.")


def modules() -> Iterator[str]:
    """Their names, importing the packages on the way."""
    for each in pkgutil.walk_packages(upgrade_orchestrator.__path__, f"{upgrade_orchestrator.__name__}."):
        if not any(part in each.name for part in _NOT_IMPORTED):
            yield each.name


def main() -> None:
    """Import them all; the first that cannot be imported ends it with its traceback."""
    names = [importlib.import_module(name).__name__ for name in modules()]
    print(f"{len(names)} modules imported")


if __name__ == "__main__":
    main()
