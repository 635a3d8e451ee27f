"""Reads HTML as a browser would, so that tests check what is on a page and not how it is written.

`read_html(text).one("#counts b").text`: selectors are words with descendants between blanks, each of a tag, `#id`,
`.class`, `[name]`, `[name=value]` or `[name^=begin]`, or several of them together.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from html.parser import HTMLParser

_VOID = {"area", "base", "br", "col", "embed", "hr", "img", "input", "link", "meta", "source", "track", "wbr"}
_TEST = re.compile(
    r"(?P<tag>^[\w-]+)|#(?P<id>[\w-]+)|\.(?P<cls>[\w-]+)|\[(?P<name>[\w-]+)(?:(?P<how>\^?=)(?P<value>.*?))?]"
)


@dataclass(eq=False)
class Element:
    """An element: its tag, attributes and content."""

    tag: str
    attributes: dict[str, str]
    parent: "Element | None" = None
    children: "list[Element | str]" = field(default_factory=list)

    def __getitem__(self, attribute: str) -> str:
        return self.attributes[attribute]

    @property
    def classes(self) -> list[str]:
        return self.attributes.get("class", "").split()

    @property
    def text(self) -> str:
        """The text that a person reads, with single blanks between the words."""
        return " ".join("".join(each if isinstance(each, str) else each._raw() for each in self.children).split())

    def all(self, selector: str) -> "list[Element]":
        """The matching elements within, in the page's order."""
        *above, last = [_Tests(word) for word in selector.split()]
        return [each for each in self.elements() if last.fit(each) and _fits_above(each.parent, above)]

    def one(self, selector: str) -> "Element":
        """The only matching element; fails when there is none or more than one."""
        found = self.all(selector)
        assert len(found) == 1, f"{len(found)} elements are {selector}"
        return found[0]

    def has(self, selector: str) -> bool:
        return bool(self.all(selector))

    def elements(self) -> "Iterator[Element]":
        """Every element within."""
        for each in self.children:
            if isinstance(each, Element):
                yield each
                yield from each.elements()

    def _raw(self) -> str:
        return "".join(each if isinstance(each, str) else each._raw() for each in self.children)


def read_html(text: str) -> Element:
    """The whole document; its tag has no name."""
    reader = _Reader()
    reader.feed(text)
    reader.close()
    return reader.root


class _Reader(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.root = self._open = Element("", {})

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.handle_startendtag(tag, attrs)
        if tag not in _VOID:
            (*_, self._open) = (each for each in self._open.children if isinstance(each, Element))

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = {name: value or "" for name, value in attrs}
        self._open.children.append(Element(tag, given, self._open))

    def handle_endtag(self, tag: str) -> None:
        ended: Element | None = self._open
        while ended is not None and ended.tag != tag:
            ended = ended.parent
        if ended is not None and ended.parent is not None:
            self._open = ended.parent

    def handle_data(self, data: str) -> None:
        self._open.children.append(data)


class _Tests:
    """The conditions of one word of a selector."""

    def __init__(self, word: str) -> None:
        self._found = [each.groupdict() for each in _TEST.finditer(word)]
        assert "".join(each.group() for each in _TEST.finditer(word)) == word, f"no selector: {word}"

    def fit(self, element: Element) -> bool:
        return all(self._fits(element, each) for each in self._found)

    @staticmethod
    def _fits(element: Element, test: dict[str, str | None]) -> bool:
        if test["tag"]:
            return element.tag == test["tag"]
        if test["cls"]:
            return test["cls"] in element.classes
        name, value, given = test["name"] or "id", test["value"] or test["id"] or "", element.attributes
        if test["how"] == "^=":
            return given.get(name, "").startswith(value)
        return name in given if test["how"] is None and not test["id"] else given.get(name) == value


def _fits_above(element: Element | None, above: list[_Tests]) -> bool:
    """Whether the enclosing elements match, the nearest last."""
    while above and element is not None:
        if above[-1].fit(element):
            above = above[:-1]
        element = element.parent
    return not above
