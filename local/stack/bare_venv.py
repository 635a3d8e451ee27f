"""A virtual environment with all that is installed here except the product: a bare Airflow, without installing anew."""

import sysconfig
import venv
from pathlib import Path

_PRODUCT = ("airflow_upgrade_orchestrator", "_airflow_upgrade_orchestrator")
"What the product's entries among the installed packages begin with: its metadata, and the path of an editable install."


def make_bare_venv(folder: Path) -> Path:
    """Make it in ``folder`` unless it is there; its Python.

    The packages are links to this environment's: they cost neither time nor room, and stay compiled.
    """
    python = folder / "bin" / "python"
    if python.exists():
        return python
    venv.create(folder, symlinks=True)
    packages = folder / "packages"
    packages.mkdir()
    for each in Path(sysconfig.get_path("purelib")).iterdir():
        if not each.name.startswith(_PRODUCT) and each.name != "__pycache__":
            (packages / each.name).symlink_to(each)
    (own_packages(folder) / "packages.pth").write_text(f"{packages}\n")
    return python


def own_packages(folder: Path) -> Path:
    """Where the environment in ``folder`` has packages of its own."""
    return Path(sysconfig.get_path("purelib", vars={"base": str(folder), "platbase": str(folder)}))
