"""Which locations of backups are allowed (specification section 7)."""

import pytest

from upgrade_orchestrator.domain.checks.locations import Roots, path_of

ROOTS = Roots(("file:///mnt/my%20backups", "s3://bucket/nightly", "gs://"))


# fault 47
@pytest.mark.parametrize(
    "location",
    [
        "file:///mnt/my%20backups/a",
        "file:///mnt/my backups/b/c",
        "file:////mnt//my%20backups/./a",
        "s3://bucket/nightly/a",
        "gs://any/thing",
        "gs://conn@any/thing",
    ],
)
def test_location_below_a_root_is_allowed(location: str) -> None:
    assert ROOTS.problem(location) is None


# fault 47
@pytest.mark.parametrize(
    "location",
    [
        "file:///proc/self/environ",
        "file:///mnt/my%20backups",
        "file:///mnt/my%20backups-evil/a",
        "file:///mnt/my%20backups%2F..%2F..%2Fetc/passwd",
        "file:///mnt/my%20backups/../../etc/passwd",
        "file://mnt/my%20backups/a",
        "file://localhost/mnt/my%20backups/a",
        "s3://bucket/nightly-evil/a",
        "s3://bucket/nightly/../a",
        "s3://bucket/nightly/%2e%2e/a",
        "s3://other/a",
        "s3a://bucket/nightly/a",
        "gs://a::file:///etc/passwd",
        "memory://a",
        "http://169.254.169.254/latest",
        "",
    ],
)
def test_location_outside_of_the_roots_is_not_allowed(location: str) -> None:
    assert ROOTS.problem(location)


def test_root_folder_allows_all_files() -> None:
    assert Roots(("file:///",)).problem("file:///a/b") is None


def test_percent_encoding_is_undone_once() -> None:
    assert path_of("file:///a%2520b") == "/a%20b"


def test_setting_is_read_with_commas_and_spaces() -> None:
    assert Roots.parse(" file:///a , s3://b/c,") == Roots(("file:///a", "s3://b/c"))


def test_root_may_have_spaces_as_a_configuration_file_cannot_have_percent_signs() -> None:
    assert Roots.parse("file:///a b").problem("file:///a%20b/c") is None


@pytest.mark.parametrize(
    "text", ["", ",", "/a", "file:///a, b", "file://a", "file:///a/../b", "FILE:///a", "file:///a s3://b"]
)
def test_setting_that_is_not_a_list_of_prefixes_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="must "):
        Roots.parse(text)
