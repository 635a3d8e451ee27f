"""The code examples of the guides: what is between the fences of a Markdown page."""

from collections.abc import Iterator

FENCE = "```"


def code_blocks(page: str) -> Iterator[tuple[str, str]]:
    """The language (which may be left out) and the text of each block, in the page's order."""
    language: str | None = None
    lines: list[str] = []
    for line in page.splitlines(keepends=True):
        if language is not None and line.strip() == FENCE:
            yield language, "".join(lines)
            language, lines = None, []
        elif language is not None:
            lines.append(line)
        elif line.startswith(FENCE):
            language = line.removeprefix(FENCE).strip()
