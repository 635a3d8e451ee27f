"""Versions and ranges by examples, and against PyPA's `packaging` by search (specification section 1, dependencies)."""

from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st
from packaging.specifiers import SpecifierSet
from packaging.version import Version as Reference

from upgrade_orchestrator.domain.registry.ranges import VersionRange
from upgrade_orchestrator.domain.registry.schemes import Scheme, is_downgrade, upgrade_type
from upgrade_orchestrator.domain.registry.versions import Version

RISING = [
    "0.9",
    "1.0.0-alpha",
    "1.0.0-alpha.1",
    "1.0.0-beta.2",
    "1.0.0-rc.1",
    "1.0.0-rc.10",
    "1.0.0",
    "1.0.1",
    "1.2",
    "1.10",
    "2",
]


@pytest.mark.parametrize(("lower", "higher"), list(zip(RISING, RISING[1:], strict=False)))
def test_version_is_lower_than_the_next(lower: str, higher: str) -> None:
    assert Version.parse(lower) < Version.parse(higher)
    assert not Version.parse(higher) <= Version.parse(lower)


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("16.1", "16.1.0"),
        ("3", "3.0.0.0"),
        ("v3.6.0", "3.6.0"),
        ("3.6.0RC1", "3.6.0-rc.1"),
        ("1.0a2", "1.0-alpha.2"),
        ("1.0rc", "1.0rc0"),
        ("3.6.0+build.7", "3.6.0"),
        (" 3.6.0 ", "3.6.0"),
    ],
)
def test_version_equals_another_spelling(one: str, other: str) -> None:
    assert Version.parse(one) == Version.parse(other)
    assert hash(Version.parse(one)) == hash(Version.parse(other))


def test_version_differs_from_text_and_from_its_candidate() -> None:
    assert Version.parse("3.6.0") != "3.6.0"
    assert Version.parse("3.6.0") != Version.parse("3.6.0-rc.1")


@pytest.mark.parametrize("text", ["", "latest", ".3", "-1", "x" * 99, "9" * 301])
def test_version_without_a_number_at_its_beginning_is_refused_and_named(text: str) -> None:
    with pytest.raises(ValueError, match="has no order: write a version that begins with a number") as refusal:
        Version.parse(text)
    assert repr(text)[:150] in str(refusal.value)


@pytest.mark.parametrize(("text", "prerelease"), [("3.6.0", False), ("3.6.0-rc.1", True), ("3.6a1", True)])
def test_version_is_a_prerelease_when_its_text_says_so(text: str, prerelease: bool) -> None:
    assert Version.parse(text).is_prerelease is prerelease


@pytest.mark.parametrize(
    ("old", "new", "kind"),
    [
        ("3.6.0", "3.6.1", "PATCH"),
        ("3.6.0", "3.7.0", "MINOR"),
        ("3.6.0", "4.0", "MAJOR"),
        ("4.0.0", "3.9.9", "MAJOR"),
        ("3.6", "3.6.0", "PATCH"),
        ("16", "16.1", "MINOR"),
        ("3.6.0-rc.1", "3.6.0", "PATCH"),
    ],
)
def test_upgrade_type_is_the_first_number_that_differs(old: str, new: str, kind: str) -> None:
    assert upgrade_type(Scheme.AUTO, old, new) == kind


@pytest.mark.parametrize(
    ("old", "new", "down"),
    [
        ("3.6.0", "3.5.9", True),
        ("3.10", "3.9", True),
        ("3.6.0", "3.6.0-rc.1", True),
        ("3.6.0", "3.7.0", False),
        ("3.6", "3.6.0", False),
        ("noble", "jammy", False),
        ("3.6.0", "jammy", False),
    ],
)
def test_downgrade_is_to_a_lower_version_and_names_are_not_ordered(old: str, new: str, down: bool) -> None:
    assert is_downgrade(Scheme.AUTO, old, new) is down


@pytest.mark.parametrize(
    ("wanted", "inside", "outside"),
    [
        (">=15,<18", ["15", "15.0", "17.9.9"], ["14.9", "18", "18.0.1", "18.0.0-rc.1"]),
        ("3.6.0", ["3.6", "3.6.0"], ["3.6.1", "3.6.0-rc.1"]),
        ("==3.6.*", ["3.6", "3.6.9", "3.6.0-rc.1"], ["3.60", "3.7", "3.5.9"]),
        ("!=3.6.*", ["3.7"], ["3.6.2"]),
        ("~=3.6", ["3.6", "3.9"], ["3.5", "4.0"]),
        ("~=3.6.2", ["3.6.2", "3.6.9"], ["3.6.1", "3.7.0"]),
        (">3.6", ["3.6.1"], ["3.6.0", "3.6.0-rc.1"]),
        ("<=3.6", ["3.6.0", "3.6.0-rc.1"], ["3.6.1"]),
        ("<3.6.0-rc.2", ["3.6.0-rc.1"], ["3.6.0-rc.2", "3.6.0"]),
        ("!=3.6.0", ["3.6.1"], ["3.6"]),
        ("*", ["0", "99.0.0-rc.1"], []),
        (" >= 15 , < 18 ", ["16"], ["18"]),
    ],
)
def test_range_allows_exactly_the_versions_inside(wanted: str, inside: list[str], outside: list[str]) -> None:
    allowed = VersionRange.parse(wanted)
    assert [each for each in inside if not allowed.allows(each)] == []
    assert [each for each in outside if allowed.allows(each)] == []


@pytest.mark.parametrize(
    "text",
    ["", ">=", "newer", ">=15,", ">=15,,<18", "~=3", "==3.6rc1.*", "=>3", "*.*", "3..6", "3.", "1.2 1.3", "[1,2"],
)
def test_invalid_range_is_refused(text: str) -> None:
    """Stricter than `packaging` on purpose: an empty text or a stray comma is a typing error, "*" means any."""
    with pytest.raises(ValueError):
        VersionRange.parse(text)


def test_range_refuses_to_compare_an_invalid_version() -> None:
    with pytest.raises(ValueError, match="'latest' has no order"):
        VersionRange.parse(">=15").allows("latest")


# Small numbers, so that the search often meets equal and neighbouring versions.
releases = st.lists(st.integers(0, 3), min_size=1, max_size=4).map(lambda parts: ".".join(map(str, parts)))
stages = st.sampled_from(["", "a0", "-alpha.1", "b1", "-beta.2", "rc1", "-rc.2", ".rc3"])
versions = st.builds("{}{}".format, releases, stages)
compared = st.builds("{}{}".format, st.sampled_from(["==", "!=", ">=", "<=", ">", "<"]), versions)
series = st.builds("{}{}.*".format, st.sampled_from(["==", "!="]), releases)
compatible = st.builds("~={}.{}{}".format, st.integers(0, 3), releases, stages)
clauses = st.lists(compared | series | compatible, min_size=1, max_size=3).map(",".join)


@given(versions, versions)
def test_versions_compare_as_packaging_compares_them(one: str, other: str) -> None:
    ours, theirs = (Version.parse(one), Version.parse(other)), (Reference(one), Reference(other))
    assert (ours[0] < ours[1], ours[0] == ours[1]) == (theirs[0] < theirs[1], theirs[0] == theirs[1])
    assert ours[0].is_prerelease is theirs[0].is_prerelease
    assert ours[0] != ours[1] or hash(ours[0]) == hash(ours[1])


@given(clauses, versions)
def test_ranges_allow_the_same_versions_as_packaging(wanted: str, version: str) -> None:
    theirs = SpecifierSet(wanted, prereleases=True).contains(version)
    assert VersionRange.parse(wanted).allows(version) is theirs


@given(versions)
def test_bare_version_means_exactly_that_one(version: str) -> None:
    """`packaging` refuses a bare version; a registry's reader expects it to mean ==."""
    assert VersionRange.parse(version).allows(version)
    assert not VersionRange.parse(version).allows(f"9.{version}")


@given(versions, st.sampled_from(["+7", "+build.3"]))
def test_build_suffix_of_a_version_is_ignored(version: str, mark: str) -> None:
    """`packaging` orders local versions; for a fleet "3.6.0+vendor.2" is 3.6.0, as semantic versioning has it."""
    assert Version.parse(version + mark) == Version.parse(version)


@given(st.text("0123456789.*-+,<>=!~ abrcv\n", max_size=12))
def test_any_text_is_parsed_or_raises_value_error(text: str) -> None:
    for parse in (Version.parse, VersionRange.parse):
        with suppress(ValueError):
            assert parse(text).text == text
