"""Changes modules right after their import, in whichever code that happens."""

import sys
from collections.abc import Callable, Mapping, Sequence
from importlib.machinery import ModuleSpec, PathFinder, SourceFileLoader
from importlib.util import spec_from_file_location
from types import ModuleType
from typing import Any

Change = Callable[[Any], None]
"Called with the module."


class _Loader(SourceFileLoader):
    """Python's own loader, followed by the change."""

    def __init__(self, name: str, path: str, change: Change) -> None:
        super().__init__(name, path)
        self._change = change

    def exec_module(self, module: ModuleType) -> None:
        """Run the module, then change it."""
        super().exec_module(module)
        self._change(module)


class _Finder:
    def __init__(self, changes: Mapping[str, Change]) -> None:
        self._changes = changes

    def find_spec(
        self, name: str, path: Sequence[str] | None = None, target: ModuleType | None = None
    ) -> ModuleSpec | None:
        """Finds only the named modules; all others are left to the finders behind this one."""
        change = self._changes.get(name)
        found = PathFinder.find_spec(name, path, target) if change else None
        if change is None or found is None or found.origin is None:
            return None
        inside = found.submodule_search_locations
        loader = _Loader(name, found.origin, change)
        return spec_from_file_location(name, found.origin, loader=loader, submodule_search_locations=inside)


def after_import(changes: Mapping[str, Change]) -> None:
    """Call each change with its module once that has been imported."""
    sys.meta_path.insert(0, _Finder(changes))
