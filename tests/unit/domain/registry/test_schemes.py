"""Schemes of versions: which one a component has, downgrades, types of upgrades and same versions (sections 1, 4)."""

from itertools import pairwise, permutations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from upgrade_orchestrator.domain.registry.schemes import (
    Scheme,
    compare,
    is_downgrade,
    same_version,
    scheme_of,
    upgrade_type,
)

S = Scheme

RISING: list[tuple[Scheme, list[str]]] = [
    (S.SEMVER, ["1.0.0-0", "1.0.0-alpha", "1.0.0-alpha.1", "1.0.0-alpha.beta", "1.0.0-rc.2", "1.0.0", "1.0.0-ee.0"]),
    (S.PEP440, ["1.0.dev1", "1.0a1.dev2", "1.0a1", "1.0b2", "1.0rc1", "1.0", "1.0.post1", "1.1", "1!0.1"]),
    (S.DEBIAN, ["2.3~rc1-4", "2.3-1", "2.3-1+deb12u1", "2.3-1+deb12u2", "2.3-2", "2.10-1", "1:2.3~rc1-4"]),
    (S.RPM, ["9.2.0~rc1-1.el9", "9.2.0-9.el9", "9.2.0-10.el9", "9.2.0^git1-1.el9", "9.10.0-1.el9", "1:1.0-1.el9"]),
    (S.MAVEN, ["8.0.0-alpha1", "8.0.0-beta2", "8.0.0-rc1", "8.0.0-rc10", "8.0.0-SNAPSHOT", "8.0.0", "8.0.0-sp1"]),
    (
        S.OPENSSL,
        ["1.0.2u", "1.1.0-pre1", "1.1.0", "1.1.1", "1.1.1a", "1.1.1w", "1.1.1za", "3.0.0-beta1", "3.0.0", "3.0.15"],
    ),
    (S.CALVER, ["RELEASE.2024-10-02T17-50-41Z", "RELEASE.2024-10-13T13-34-11Z", "RELEASE.2025-01-01T00-00-00Z"]),
    (S.CALVER, ["2023.10.1", "2024.1-rc1", "2024.1", "2024.10"]),
]


@pytest.mark.parametrize(("scheme", "rising"), RISING)
def test_version_is_lower_than_the_next_under_its_scheme(scheme: Scheme, rising: list[str]) -> None:
    assert [compare(scheme, low, high) for low, high in pairwise(rising)] == [-1] * (len(rising) - 1)
    assert [compare(scheme, high, low) for low, high in pairwise(rising)] == [1] * (len(rising) - 1)


@pytest.mark.parametrize(("scheme", "versions"), RISING)
def test_scheme_is_found_out_by_the_versions_of_a_component(scheme: Scheme, versions: list[str]) -> None:
    assert scheme_of(S.AUTO, versions) is scheme
    assert scheme_of(S.AUTO, reversed([*versions, "latest"])) is scheme


@pytest.mark.parametrize(
    ("versions", "scheme"),
    [
        ([], S.TEXT),
        (["jammy", "noble"], S.TEXT),
        (["3.6.0", "3.7"], S.SEMVER),
        (["16.8.7-ee.0", "17.1.0-ee.0"], S.SEMVER),
        (["19c", "21c", "23ai"], S.SEMVER),
        (["24.04", "24.10"], S.SEMVER),
        (["3.6.0", "jammy"], S.SEMVER),
        (["8.15.0", "8.16.0-rc1"], S.PEP440),
        (["8.15.0", "8.16.0-rc1", "8.16.0-SNAPSHOT"], S.MAVEN),
        (["5.6.15.Final", "6.0.0.CR1"], S.MAVEN),
        (["1.1.1", "1.1.1a"], S.OPENSSL),
        (["1.0.0a1", "1.0.0"], S.PEP440),
        (["16.4-1.pgdg120+1"], S.DEBIAN),
    ],
)
def test_scheme_is_found_out_by_signs_of_the_versions(versions: list[str], scheme: Scheme) -> None:
    assert {scheme_of(S.AUTO, each) for each in permutations(versions)} == {scheme}


@pytest.mark.parametrize("declared", [each for each in S if each is not S.AUTO])
def test_declared_scheme_is_used_whatever_the_versions_are(declared: Scheme) -> None:
    assert scheme_of(declared, ["1.1.1", "1.1.1a"]) is declared


# fault 41
@pytest.mark.parametrize("scheme", [S.AUTO, S.OPENSSL])
def test_letter_after_three_numbers_is_an_upgrade(scheme: Scheme) -> None:
    assert (is_downgrade(scheme, "1.1.1", "1.1.1a"), upgrade_type(scheme, "1.1.1", "1.1.1a")) == (False, "PATCH")
    assert is_downgrade(scheme, "1.1.1a", "1.1.1")


def test_letter_after_three_numbers_is_an_alpha_where_pep440_is_declared() -> None:
    assert is_downgrade(S.PEP440, "1.1.1", "1.1.1a")


@pytest.mark.parametrize(
    ("scheme", "old", "new"),
    [
        (S.AUTO, "noble", "jammy"),
        (S.SEMVER, "3.6.0", "jammy"),
        (S.TEXT, "3.6.0", "3.5.0"),
        (S.DEBIAN, "v3.6", "3.6"),
        (S.RPM, "9 2", "9.1"),
        (S.PEP440, "3.6.0-eks", "3.5"),
        (S.SEMVER, "3.6.0", "3." + "5" * 400),
    ],
)
def test_versions_without_an_order_are_no_downgrade_and_have_no_type(scheme: Scheme, old: str, new: str) -> None:
    assert (compare(scheme, old, new), is_downgrade(scheme, old, new)) == (None, False)
    assert (is_downgrade(scheme, new, old), upgrade_type(scheme, old, new)) == (False, None)


@pytest.mark.parametrize(
    ("scheme", "old", "new", "kind"),
    [
        (S.DEBIAN, "2.36-9+deb12u3", "2.36-9+deb12u4", "PATCH"),
        (S.DEBIAN, "2.36-9", "1:2.36-9", "MAJOR"),
        (S.RPM, "9.2.0-9.el9", "9.3.0-1.el9", "MINOR"),
        (S.MAVEN, "8.15.0-SNAPSHOT", "8.15.0", "PATCH"),
        (S.CALVER, "RELEASE.2024-10-02T17-50-41Z", "RELEASE.2024-10-13T13-34-11Z", "PATCH"),
        (S.CALVER, "2023-12-1", "2024-01-1", "MAJOR"),
        (S.AUTO, "19c", "21c", "MAJOR"),
        (S.AUTO, "16.8.7-ee.0", "16.9.1-ee.0", "MINOR"),
    ],
)
def test_upgrade_has_the_type_of_the_first_number_that_differs(scheme: Scheme, old: str, new: str, kind: str) -> None:
    assert upgrade_type(scheme, old, new) == kind


@pytest.mark.parametrize("scheme", [each for each in S if each is not S.TEXT])
@pytest.mark.parametrize("text", ["v3.7.0", "3.7", "3.7.0+b5", "3.7.0"])
def test_same_version_is_found_in_another_spelling(scheme: Scheme, text: str) -> None:
    assert same_version(scheme, text, "3.7.0")
    assert same_version(scheme, "3.7.0", text)


@pytest.mark.parametrize("text", ["v3.7.0", "3.7", "3.7.0+b5"])
def test_same_version_is_only_the_same_text_without_an_order(text: str) -> None:
    assert not same_version(S.TEXT, text, "3.7.0")
    assert same_version(S.TEXT, text, text)


@pytest.mark.parametrize(
    ("scheme", "left", "right"),
    [
        (S.AUTO, "3.7.0", "3.7.1"),
        (S.AUTO, "3.7.0", "3.7.0-rc.1"),
        (S.AUTO, "3.7.0+b4", "3.7.0+b5"),
        (S.AUTO, "16.8.7-ee.0", "16.8.7-ce.0"),
        (S.AUTO, "1.1.1", "1.1.1a"),
        (S.AUTO, "2.36-9+deb12u3", "2.36-9+deb12u4"),
        (S.DEBIAN, "2.36-9", "2.36-9+deb12u4"),
        (S.RPM, "9.2.0-9.el9", "9.2.0-10.el9"),
        (S.MAVEN, "8.15.0-SNAPSHOT", "8.15.0"),
        (S.AUTO, "", "3.7.0"),
        (S.AUTO, "3." + "7" * 5000, "3.7"),
    ],
)
def test_other_version_is_not_the_same(scheme: Scheme, left: str, right: str) -> None:
    assert not same_version(scheme, left, right)
    assert not same_version(scheme, right, left)


def test_comment_behind_a_version_does_not_matter() -> None:
    assert same_version(S.AUTO, "16.4 (Debian 16.4-1.pgdg120+1)", "16.4")
    assert not same_version(S.AUTO, "16.4 (Debian 1)", "16.4 (Debian 2)")


texts = st.text("0123456789.-+~^:!_ abcrvzSNAPHOT²٣\n", max_size=14)


@given(st.sampled_from(S), texts, texts)
def test_comparing_any_texts_raises_nothing_and_is_the_same_the_other_way_round(
    scheme: Scheme, left: str, right: str
) -> None:
    found, back = compare(scheme, left, right), compare(scheme, right, left)
    assert found == (None if back is None else -back)
    assert same_version(scheme, left, right) is same_version(scheme, right, left)
    assert same_version(scheme, left, left)
    assert (upgrade_type(scheme, left, right) is None) or found is not None
