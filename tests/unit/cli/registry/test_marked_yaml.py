"""YAML with the line of every value, and the parts of YAML that are refused."""

import pytest

from upgrade_orchestrator.cli.registry.marked_yaml import NotReadable, read_yaml

TEXT = """\
# a comment
components:
  - id: kafka
    name: 3.10

  - id: zk
versions: [{id: v1,
  dependencies: {kafka: 16}}]
"""


def test_every_path_of_a_document_has_its_line() -> None:
    lines = read_yaml(TEXT).lines
    assert lines["components"] == 2
    assert (lines["components[0]"], lines["components[0].name"], lines["components[1].id"]) == (3, 4, 6)
    assert (lines["versions[0].id"], lines["versions[0].dependencies.kafka"]) == (7, 8)


@pytest.mark.parametrize(
    ("place", "line"),
    [
        ("components[1].name", 6),
        ("components[1].name.inner[7]", 6),
        ("components[9].id", 2),
        ("nothing", 2),
        ("", 2),
        ("versions[0].dependencies.zk", 8),
    ],
)
def test_missing_path_has_the_line_of_the_enclosing_value(place: str, line: int) -> None:
    assert read_yaml(TEXT).line_of(place) == line


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("3.10", "3.10"),
        ("3", "3"),
        ("yes", "yes"),
        ("2026-01-31", "2026-01-31"),
        ("550e8400", "550e8400"),
        ("0x1F", "0x1F"),
        ("~", None),
        ("null", None),
        ("'null'", "null"),
        ('"~"', "~"),
        ("", None),
        ("|-\n  two\n  lines", "two\nlines"),
        ("[]", []),
        ("{a: [1]}", {"a": ["1"]}),
    ],
)
def test_plain_scalars_are_read_as_text(text: str, value: object) -> None:
    assert read_yaml(f"key: {text}\n").value == {"key": value}


def test_alias_is_read_as_a_copy_of_its_anchor() -> None:
    assert read_yaml("a: &x [1]\nb: *x\n").value == {"a": ["1"], "b": ["1"]}


@pytest.mark.parametrize("text", ["", "# nothing\n", "---\n"])
def test_empty_text_has_no_value(text: str) -> None:
    assert read_yaml(text).value is None


@pytest.mark.parametrize(
    ("text", "line", "said"),
    [
        ("a: 1\nb: [", 2, "not YAML"),
        ("a: 1\n\tb: 2", 2, "not YAML"),
        ("a: 1\n---\nb: 2\n", 2, "another document"),
        ("a: 1\nb:\n  c: 1\n  c: 2\n", 4, "is given twice, first in line 3"),
        ("a: 1\nb: !!python/object:os.system x\n", 2, "the tag !!python/object:os.system is not supported"),
        ("a: 1\nb: !other x\n", 2, "the tag !other is not supported"),
        ("a: 1\nb: *nowhere\n", 2, "undefined alias"),
        ("a: 1\nb: &x [*x]\n", 2, "an alias of itself"),
        ("? [a]\n: 1\n", 1, "a key must be a plain text"),
        ("[" * 700, 1, "nested too deeply"),
        ("a: \x00", 1, "special characters are not allowed"),
    ],
)
def test_invalid_text_is_refused_with_its_line(text: str, line: int, said: str) -> None:
    with pytest.raises(NotReadable) as refusal:
        read_yaml(text)
    assert [each.line for each in refusal.value.flaws] == [line]
    assert said in refusal.value.flaws[0].message


def test_every_syntax_error_is_reported_at_once() -> None:
    with pytest.raises(NotReadable) as refusal:
        read_yaml("a: !x 1\na: 2\nb: !y 3\n")
    assert [(each.line, each.field) for each in refusal.value.flaws] == [(1, "a"), (2, "a"), (3, "b")]


def test_file_that_expands_to_a_huge_one_is_refused() -> None:
    lines = ["a0: &a0 [1, 1, 1, 1, 1, 1, 1, 1, 1, 1]"]
    lines += [f"a{n}: &a{n} [{', '.join([f'*a{n - 1}'] * 10)}]" for n in range(1, 9)]
    with pytest.raises(NotReadable, match="more than 100000 values"):
        read_yaml("\n".join(lines))
