"""`make docs`: writes docs/events.md and a JSON Schema for each type from the code, so that they cannot differ from
it.
"""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from local.docs.event_examples import EXAMPLES
from local.docs.event_schemas import Schema, envelope, schemas
from upgrade_orchestrator.domain.events.payloads import EVENT_CLASSES
from upgrade_orchestrator.service.events.cloud_event import cloud_event

DOCS = Path(__file__).resolve().parents[2] / "docs"
PAGE, FOLDER = DOCS / "events.md", DOCS / "events"
_HEAD = """# The events

Made by `make docs` from the code. Everything that happens to an upgrade is an event: a CloudEvent 1.0 in structured
JSON, written in the transaction of the change that it describes. The same document is

- published to [Kafka](kafka.md),
- on the JSON page `GET /api/v1/registry/upgrades/{executionId}/events`,
- the `data:` of the [live stream](live-stream.md) of the same path.

Each type has a JSON Schema (2020-12) of the whole document in [`events/`](events).

## Rules for changes

- Within `v1` fields and attributes may be added, and values to a list of values. Nothing is removed, renamed, made
  empty where it could not be, or given another meaning.
- So a reader takes what it knows, ignores fields that it does not know, and expects values that it does not know. The
  schemas allow more fields; their lists of values are those of this version.
- Anything else is a new type, `registry.upgrade.<what>.v2`. It is published in addition to `v1` for at least two
  releases, and the changelog says when `v1` ends.
- A new type may come at any time: ignore types that you do not know.
- `sequence` counts all events of an execution, whatever their type.

## Sizes

An event is smaller than 900,000 bytes, so that a broker with its default limit (1,048,588 bytes) accepts it,
whatever the size of the fleet. A list has at most 100 entries, and a field beside it counts all (`instanceCount` …);
`GET /upgrades/{executionId}/instances` has every instance. Texts are cut at 4,000 characters, problems in a list at
200.

"""


def page() -> str:
    """The text of docs/events.md."""
    found = schemas()
    rows = [f"| [`{kind}`](#{_anchor(kind)}) | {_first(schema['description'])} |" for kind, schema in found.items()]
    types = "\n".join(["## Types", "", "| type | when |", "|---|---|", *rows]) + "\n"
    attributes = "## Attributes\n\nOf every event.\n\n" + _fields(envelope())
    sections = "".join(_section(payload.what.cloud_type, found) for payload in EVENT_CLASSES)
    return f"{_HEAD}{attributes}\n{types}{sections}"


def files() -> dict[Path, str]:
    """Every generated file with its content."""
    made = {FOLDER / schema["$id"]: _json(schema) + "\n" for schema in schemas().values()}
    return {PAGE: page()} | made


def _section(kind: str, found: dict[str, Schema]) -> str:
    schema = found[kind]
    stored = next(each for each in EXAMPLES.values() if each.what.cloud_type == kind)
    example = f"\n```json\n{_json(cloud_event(stored))}\n```\n"
    link = f"Schema: [`{schema['$id']}`](events/{schema['$id']})"
    data = _fields(schema["properties"]["data"], schema.get("$defs", {}))
    return f"\n## {kind}\n\n{schema['description']}\n\n{data}\n{link}. An example:\n{example}"


def _first(description: str) -> str:
    """Its first paragraph on one line, as a row of a table needs it; the section of the type has all of it."""
    return " ".join(description.partition("\n\n")[0].split())


def _anchor(kind: str) -> str:
    return kind.replace(".", "")


def _fields(schema: Schema, definitions: Schema | None = None) -> str:
    return "\n".join(["| field | type | what |", "|---|---|---|", *_rows(schema, definitions or {})]) + "\n"


def _rows(schema: Schema, definitions: Schema, within: str = "") -> Iterator[str]:
    """A row for each field, those of the objects of a list behind the list."""
    for name, about in schema["properties"].items():
        yield f"| `{within}{name}` | {_type(about, definitions)} | {about.get('description', '')} |"
        listed = definitions.get(about.get("items", {}).get("$ref", "").rsplit("/", 1)[-1], {})
        if "properties" in listed:
            yield from _rows(listed, definitions, f"{within}{name}[].")


def _type(about: Schema, definitions: Schema) -> str:
    if "anyOf" in about:
        return " or ".join(_type(each, definitions) for each in about["anyOf"])
    if "$ref" in about:
        of = definitions[about["$ref"].rsplit("/", 1)[-1]]
        return ", ".join(f"`{each}`" for each in of["enum"]) if "enum" in of else _object(of, definitions)
    if about.get("type") == "array":
        of = _type(about["items"], definitions)
        return f"list of {'object' if of.startswith('object (') else of}"  # whose fields have rows of their own
    return f"`{about['const']}`" if _is_short(about) else str(about.get("type", "any"))


def _object(of: Schema, definitions: Schema) -> str:
    fields = (f"`{name}`: {_type(about, definitions)}" for name, about in of["properties"].items())
    return f"object ({', '.join(fields)})"


def _is_short(about: Schema) -> bool:
    return "const" in about and not str(about["const"]).startswith("registry.")


def _json(value: Any) -> str:
    return json.dumps(value, indent=2, ensure_ascii=False)


def main() -> None:
    """Write the files, and remove schemas of types that no longer exist."""
    made = files()
    FOLDER.mkdir(exist_ok=True)
    for stale in set(FOLDER.glob("*.json")) - set(made):
        stale.unlink()
    for path, content in made.items():
        path.write_text(content, encoding="utf-8")


if __name__ == "__main__":
    main()
