"""docs/adopt.md lists the options that the provider brings, and the image is made as it says."""

import re

from tests.architecture.sources import ROOT
from tests.guides import code_blocks
from tests.unit.docs.pages import page, rows, section
from upgrade_orchestrator.provider import get_provider_info

PAGE = page("adopt.md")
IMAGE = (ROOT / "Dockerfile").read_text(encoding="utf-8")


def test_settings_of_the_page_are_the_providers_options_with_default_and_description() -> None:
    options = get_provider_info()["config"]["upgrades"]["options"]
    expected = [
        [f"`{name}`", "none" if option["default"] is None else f"`{option['default']}`", option["description"]]
        for name, option in options.items()
    ]
    listed = rows(section(PAGE, "## Settings"))
    assert [[cell.removesuffix(" |") for cell in row] for row in listed] == expected


def test_image_is_based_on_the_pinned_airflow() -> None:
    (pinned,) = re.findall(r"^apache-airflow==(\S+)", (ROOT / "requirements.lock").read_text(), re.MULTILINE)
    assert re.findall(r"^ARG BASE_IMAGE=(.+)$", IMAGE, re.MULTILINE) == [f"apache/airflow:{pinned}-python3.11"]


def test_image_copies_existing_files_and_all_that_the_wheel_needs() -> None:
    copied = {name for line in re.findall(r"^COPY (?!--from)(.+) \S+$", IMAGE, re.MULTILINE) for name in line.split()}
    assert copied == {"pyproject.toml", "README.md", "LICENSE", "include", "requirements.txt", "requirements.lock"}
    assert all((ROOT / name).exists() for name in copied)


def test_image_has_the_configuration_line_of_the_page() -> None:
    (line,) = (text for kind, text in code_blocks(PAGE) if kind == "ini")
    (given,) = re.findall(r"^ENV AIRFLOW__DAG_PROCESSOR__DAG_BUNDLE_CONFIG_LIST='(.+)'$", IMAGE, re.MULTILINE)
    assert line.splitlines()[1] == f"dag_bundle_config_list = {given}"
