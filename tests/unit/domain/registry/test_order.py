"""The order of each scheme, against the libraries that implement it: univers and packaging (decision record 27)."""

from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from packaging.version import Version as Pep440
from univers.versions import (
    DebianVersion,
    LegacyOpensslVersion,
    MavenVersion,
    RpmVersion,
    SemverVersion,
)

from upgrade_orchestrator.domain.registry.schemes import Scheme, compare


def joined(*parts: st.SearchStrategy[str]) -> st.SearchStrategy[str]:
    return st.tuples(*parts).map("".join)


def listed(parts: st.SearchStrategy[str], by: str, least: int, most: int) -> st.SearchStrategy[str]:
    return st.lists(parts, min_size=least, max_size=most).map(by.join)


def maybe(part: st.SearchStrategy[str]) -> st.SearchStrategy[str]:
    return st.just("") | part


# Small numbers, so that the search often meets equal and neighbouring versions.
numbers = st.sampled_from(["0", "1", "2", "10"])
release = listed(numbers, ".", 1, 4)
words = st.sampled_from(["a", "b", "rc", "x", "z"])

semver_parts = st.sampled_from(["0", "1", "2", "10", "beta", "x", "alpha-1"])
semver_stage = joined(
    st.sampled_from(["-alpha", "-beta", "-rc", "-rc1", "-dev"]),
    maybe(joined(st.just("."), listed(semver_parts, ".", 1, 2))),
)
semver = joined(listed(numbers, ".", 3, 3), maybe(semver_stage))

pep440 = joined(
    maybe(st.just("1!")),
    release,
    maybe(joined(st.sampled_from(["a", "-beta.", "rc", "_c"]), maybe(numbers))),
    maybe(joined(st.sampled_from([".post", "-r", "-"]), numbers)),
    maybe(joined(st.just(".dev"), numbers)),
)

package_part = st.text("012.az+~", max_size=4)
debian = joined(
    maybe(st.just("1:")), numbers, package_part, maybe(joined(st.just("-"), st.text("01.a+~", min_size=1, max_size=3)))
)
rpm = joined(
    maybe(st.just("1:")),
    numbers,
    st.text("012.azZ_+~^", max_size=5),
    maybe(joined(st.just("-"), st.text("01.a^~", min_size=1, max_size=3))),
)

# univers follows Maven 3.8, which differs in what nobody writes: ".rc" beside "-rc", and "-0-" in the middle.
maven_word = st.sampled_from(["alpha", "a", "a1", "b2", "m", "rc", "cr", "snapshot", "sp", "foo"])
maven_part = st.sampled_from([".0", ".1", ".2", ".10", "-1", "-2"]) | joined(st.just("-"), maven_word)
maven = joined(
    st.sampled_from(["1", "2"]),
    st.lists(maven_part, max_size=4).map("".join),
    maybe(st.sampled_from(["-final", "-ga"])),
)

openssl = joined(
    st.sampled_from(["0.9.8", "1.0.1", "1.0.2", "1.1.1"]), maybe(st.sampled_from(["a", "b", "y", "z", "za", "zb"]))
)

ORACLES: dict[Scheme, tuple[st.SearchStrategy[str], Callable[[str], Any]]] = {
    Scheme.SEMVER: (semver, SemverVersion),
    Scheme.PEP440: (pep440, Pep440),
    Scheme.DEBIAN: (debian, DebianVersion),
    Scheme.RPM: (rpm, RpmVersion),
    Scheme.MAVEN: (maven, MavenVersion),
    Scheme.OPENSSL: (openssl, LegacyOpensslVersion),
}


def theirs(oracle: Callable[[str], Any], left: str, right: str) -> int:
    one, other = oracle(left), oracle(right)
    return -1 if one < other else 1 if one > other else 0


@pytest.mark.parametrize("scheme", ORACLES)
@given(data=st.data())
def test_versions_of_a_scheme_compare_as_its_library_compares_them(scheme: Scheme, data: st.DataObject) -> None:
    versions, oracle = ORACLES[scheme]
    left, right = data.draw(versions), data.draw(versions)
    assert compare(scheme, left, right) == theirs(oracle, left, right), (left, right)
