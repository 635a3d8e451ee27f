"""Ranges in the notations that people have (specification section 1); what PEP 440 has in test_versions.py, too."""

from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st
from univers.version_range import MavenVersionRange, NpmVersionRange
from univers.versions import MavenVersion, SemverVersion

from upgrade_orchestrator.domain.registry.ranges import VersionRange

# each: a range, versions inside, versions outside
NOTATIONS = [
    # npm, Cargo, Helm
    ("^1.2.3", "1.2.3 1.9.0 1.2.3-eks-1", "1.2.2 2.0.0 2.0.0-rc.1 1.2.3-rc.1"),
    ("^0.2.3", "0.2.3 0.2.9", "0.3.0 0.2.2"),
    ("^0.0.3", "0.0.3", "0.0.4 0.0.2"),
    ("^0.0", "0.0.0 0.0.9", "0.1.0"),
    ("^0", "0.0.0 0.9.9", "1.0.0"),
    ("^1.x", "1.0.0 1.9.0", "2.0.0 0.9.0"),
    ("~1.2", "1.2.0 1.2.9", "1.3.0 1.1.9"),
    ("~1.2.3", "1.2.3 1.2.9", "1.3.0 1.2.2"),
    ("~1", "1.0.0 1.9.0", "2.0.0"),
    ("1.x", "1.0.0 1.9.9", "2.0.0 0.9.9"),
    ("1.2.X", "1.2.0 1.2.9", "1.3.0"),
    ("1.*", "1.0.0 1.9.9", "2.0.0"),
    (">=1.2 <2", "1.2 1.99", "2 2.0-rc1 1.1"),
    (">= 1.25.0-0", "1.25.0 1.25.0-alpha.1 1.26.1 1.25.0-gke.1", "1.24.9"),
    ("^1 || ^3", "1.5 3.2", "2.0 4.0"),
    ("~1.2 | ~1.4", "1.2.1 1.4.9", "1.3.0"),
    ("1.2 - 1.5", "1.2 1.5.9", "1.6 1.1"),
    ("1.2.3 - 2.3.4", "1.2.3 2.3.4", "2.3.5 1.2.2"),
    (">1.x", "2.0.0", "1.9.9 0.5.0"),
    ("<=1.x", "1.9.9 0.5.0", "2.0.0"),
    (">=1.x", "1.0.0 7.0.0", "0.9.9"),
    ("=1.2.3", "1.2.3", "1.2.4"),
    # Ruby, Terraform
    ("~> 1.2", "1.2 1.9", "2.0 1.1"),
    ("~> 1.2.3", "1.2.3 1.2.9", "1.3.0"),
    # PEP 440
    ("~=3.6", "3.6 3.9", "4.0 3.5"),
    ("==1.2.*", "1.2 1.2.9", "1.3"),
    ("!=1.5.*", "1.4 1.6", "1.5 1.5.1"),
    ("===1.2", "1.2", "1.3"),
    # Maven
    ("[1.0,2.0)", "1.0 1.9", "2.0 0.9"),
    ("(1.0,2.0]", "1.1 2.0", "1.0 2.1"),
    ("[1.0]", "1.0", "1.1"),
    ("(,1.0]", "0.5 1.0", "1.1"),
    ("[1.5,)", "1.5 9", "1.4"),
    ("[1,2),[3,4)", "1 1.9 3.5", "2 2.5 4"),
    # Debian
    ("(>= 1.2)", "1.2 2", "1.1"),
    ("(>= 1.2), (<< 2)", "1.2 1.9", "2 1.1"),
    ("<< 2", "1.9", "2"),
    (">> 1", "1.1 2", "1"),
    ("<< 2~", "1.9", "2 2.0"),
    (">= 1:2.0", "1:2.3~rc1-4 1:2.0-1", "2.3 1:1.9"),
    (">= 2.36-9+deb12u4", "2.36-9+deb12u7 2.36-10 2.37", "2.36-8 2.35"),
    ("*", "0 1.0-rc1 99", ""),
]


# fault 43
@pytest.mark.parametrize(("text", "inside", "outside"), NOTATIONS)
def test_range_is_read_in_the_notation_that_people_have(text: str, inside: str, outside: str) -> None:
    allowed = VersionRange.parse(text)
    assert [each for each in inside.split() if not allowed.allows(each)] == []
    assert [each for each in outside.split() if allowed.allows(each)] == []


# fault 42
@pytest.mark.parametrize(
    ("installed", "text"),
    [
        ("v1.29.4-eks-036c24b", ">=1.25"),
        ("v1.29.4-eks-036c24b", ">=1.29.4,<=1.29.4"),
        ("v1.29.4-eks-036c24b", "1.29.4"),
        ("1.30.2-gke.1587003", "^1.30.2"),
        ("v1.28.9+rke2r1", ">=1.28.9"),
        ("16.4 (Debian 16.4-1.pgdg120+1)", ">=15,<18"),
        ("8.0.36-28.1", ">=8.0.36"),
        ("1.8.0_392-b08", ">=1.8.0"),
        ("17.0.9+9-LTS", "17.*"),
        ("1.1.1w", ">=1.1.1"),
        ("1.1.1a", ">=1.1.1"),
        ("5.6.15.Final", "5.6.15"),
        ("RELEASE.2024-10-13T13-34-11Z", ">=2024.10"),
    ],
)
def test_vendors_suffix_is_no_prerelease(installed: str, text: str) -> None:
    assert VersionRange.parse(text).allows(installed)


STAGES = ["-alpha", "-beta.1", "a1", "b2", "c1", "rc1", "-RC1", ".CR1", "-M2", "-milestone1", "-pre1", "-preview.3"]
STAGES += [".dev4", "-SNAPSHOT", "-nightly", "-0", "~rc1"]


@pytest.mark.parametrize("stage", STAGES)
def test_prerelease_is_below_its_release(stage: str) -> None:
    assert not VersionRange.parse(">=1.25.0").allows(f"1.25.0{stage}")
    assert not VersionRange.parse("<1.25.0").allows(f"1.25.0{stage}")
    assert VersionRange.parse(">=1.24.9").allows(f"1.25.0{stage}")


def test_vendors_suffix_in_a_range_counts() -> None:
    assert VersionRange.parse(">=1.29.4-eks-2").allows("1.29.4-eks-10")
    assert not VersionRange.parse(">=1.29.4-eks-2").allows("1.29.4-eks-1")


# fault 43
@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("16", ["16 means exactly 16: write ==16 if that is meant, or >=16 or ^16"]),
        ("16 || 17", ["16 means exactly 16", "17 means exactly 17"]),
        ("~> 1.2", ["~> 1.2 is read as Ruby and Terraform read it"]),
        ("==16", []),
        ("16.*", []),
        ("[16]", []),
        (">=15,<18", []),
        ("1.2 - 1.5", []),
        ("*", []),
    ],
)
def test_bare_version_is_warned_of(text: str, said: list[str]) -> None:
    warnings = VersionRange.parse(text).warnings
    assert len(warnings) == len(said)
    assert all(each.startswith(start) for each, start in zip(warnings, said, strict=True))


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("", "'' is not a version range: there is nothing to read"),
        ("newer than 16", "'newer than 16' is not a version range: 'newer' does not begin with a number"),
        (">=15,", "'>=15,' is not a version range: it cannot be read from '>=15,' on"),
        (">=15,,<18", "it cannot be read from ',<18' on"),
        (">=1 ||", "there is nothing to read"),
        ("1.2 1.3", "'1.2' has no operator"),
        ("~=3", "~=3 needs two numbers, such as ~=3.0"),
        ("~=3.*", "~= does not go with the series 3.*"),
        ("==3.6rc1.*", "'3.6rc1.*': .* goes behind numbers only"),
        ("3..6", "'3..6' has a dot or hyphen too many"),
        ("[1,2", "'[1,2' is not a version range"),
        ("[1,2)x", "from 'x' on it is no union of intervals"),
        ("[1,2),", "it is no union of intervals"),
        ("(1)", "'(1)' has one version, which goes into [ ]"),
        ("[,]", "'[,]' names no version"),
        ("=>3", "it cannot be read from '=>3' on"),
        ("?" * 300, "(300 characters) is not a version range"),
    ],
)
def test_unreadable_range_is_quoted_with_what_to_write(text: str, said: str) -> None:
    with pytest.raises(ValueError, match="write a range such as >=15,<18 or \\^1.2.3") as refusal:
        VersionRange.parse(text)
    assert said in str(refusal.value)


# Small numbers, so that the search often meets equal and neighbouring versions; npm takes releases only.
numbers = st.integers(0, 3).map(str)
versions = st.lists(numbers, min_size=3, max_size=3).map(".".join)
npm = st.builds("{}{}".format, st.sampled_from(["^", "~", ">=", "<", ">", "<="]), versions)
maven = st.builds("{}{},{}{}".format, st.sampled_from("[("), versions, versions, st.sampled_from("])"))


@given(npm, versions)
def test_npm_range_allows_the_same_versions_as_univers(text: str, version: str) -> None:
    theirs = SemverVersion(version) in NpmVersionRange.from_native(text)  # type: ignore[no-untyped-call]
    assert VersionRange.parse(text).allows(version) is theirs


@given(maven, versions)
def test_maven_range_allows_the_same_versions_as_univers(text: str, version: str) -> None:
    low, high = text[1:-1].split(",")
    if MavenVersion(low) < MavenVersion(high):
        theirs = MavenVersion(version) in MavenVersionRange.from_native(text)  # type: ignore[no-untyped-call]
        assert VersionRange.parse(text).allows(version) is theirs


@given(st.text("0123456789.*xX-+,<>=!~^|()[] abcrv\n", max_size=14), versions)
def test_any_text_is_read_or_refused_with_value_error(text: str, version: str) -> None:
    with suppress(ValueError):
        assert VersionRange.parse(text).allows(version) in (True, False)
