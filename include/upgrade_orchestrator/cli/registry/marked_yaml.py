"""Reads YAML and keeps the line of each value, so that every problem can be reported with its line."""

from __future__ import annotations

from collections.abc import Hashable
from dataclasses import dataclass, field
from typing import Any

import yaml

MAX_VALUES = 100_000
"Limit on values, since aliases can expand a small file to a huge document."

_TAG = "tag:yaml.org,2002:"
_NULL = f"{_TAG}null"


@dataclass(frozen=True, slots=True)
class Flaw:
    """A problem and its line, counted from 1; ``field`` is empty for errors of syntax."""

    line: int
    field: str
    message: str


class NotReadable(Exception):
    """The text is not acceptable YAML; has every flaw."""

    def __init__(self, *flaws: Flaw) -> None:
        super().__init__(*flaws)
        self.flaws = flaws


@dataclass(slots=True)
class Marked:
    """The document, and the line of each path in it, such as ``versions[2].status``."""

    value: Any = None
    lines: dict[str, int] = field(default_factory=dict)

    def line_of(self, path: str) -> int:
        """The line of ``path``, or of the nearest enclosing value if it is missing."""
        while path and path not in self.lines:
            path = path[: max(path.rfind("."), path.rfind("["), 0)]
        return self.lines.get(path, 1)


class _Loader(yaml.SafeLoader):
    """Reads all scalars but null as text, so that ``3.10`` stays 3.10; the fields' types decide what they mean."""

    yaml_implicit_resolvers: dict[str, Any] = {
        first: [each for each in resolvers if each[0] == _NULL]
        for first, resolvers in yaml.SafeLoader.yaml_implicit_resolvers.items()
    }


def read_yaml(text: str) -> Marked:
    """Parse the text.

    :raises NotReadable: not YAML, several documents, a duplicate key, a tag, or an alias of itself.
    """
    try:
        node = yaml.compose(text, _Loader)
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        raise NotReadable(Flaw(mark.line + 1 if mark else 1, "", f"not YAML: {error.problem}")) from None
    except yaml.YAMLError as error:
        raise NotReadable(Flaw(1, "", f"not YAML: {' '.join(str(error).split())}")) from None
    except RecursionError:
        raise NotReadable(Flaw(1, "", "not YAML: nested too deeply")) from None
    reading = _Reading()
    if node is not None:
        reading.marked.value = reading.value(node, "")
    if reading.flaws:
        raise NotReadable(*reading.flaws)
    return reading.marked


class _Reading:
    def __init__(self) -> None:
        self.marked = Marked()
        self.flaws: list[Flaw] = []
        self._within: list[yaml.Node] = []
        self._count = 0

    def value(self, node: yaml.Node, path: str) -> Any:
        """The node as text, list or dictionary; records its line."""
        line = node.start_mark.line + 1
        self.marked.lines.setdefault(path, line)
        self._count += 1
        if any(node is each for each in self._within) or self._count > MAX_VALUES:
            raise NotReadable(Flaw(line, path, f"an alias of itself, or more than {MAX_VALUES} values"))
        if node.tag.removeprefix(_TAG) not in ("null", "str", "seq", "map"):
            self.flaws.append(Flaw(line, path, f"the tag {node.tag.replace(_TAG, '!!')} is not supported"))
        self._within.append(node)
        try:
            return self._content(node, path)
        finally:
            self._within.pop()

    def _content(self, node: yaml.Node, path: str) -> Any:
        match node:
            case yaml.SequenceNode():
                return [self.value(each, f"{path}[{index}]") for index, each in enumerate(node.value)]
            case yaml.MappingNode():
                return self._mapping(node, path)
            case _:
                return None if node.tag == _NULL else node.value

    def _mapping(self, node: yaml.MappingNode, path: str) -> dict[Hashable, Any]:
        found: dict[Hashable, Any] = {}
        for key, each in node.value:
            line, name = key.start_mark.line + 1, key.value
            if not isinstance(key, yaml.ScalarNode):
                self.flaws.append(Flaw(line, path, "a key must be a plain text"))
                continue
            inner = f"{path}.{name}" if path else str(name)
            if name in found:
                self.flaws.append(Flaw(line, inner, f"is given twice, first in line {self.marked.lines[inner]}"))
                continue
            self.marked.lines[inner] = line
            found[name] = self.value(each, inner)
        return found
