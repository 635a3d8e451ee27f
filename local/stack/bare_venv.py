"""A virtual environment with every installed package except the product: a bare Airflow, without installing it
again.
"""

import sysconfig
import venv
from pathlib import Path

_PRODUCT = ("airflow_upgrade_orchestrator", "_airflow_upgrade_orchestrator")
"Prefixes of the product's entries among the installed packages: its metadata, and the path of an editable install."


def make_bare_venv(folder: Path) -> Path:
    """Create it in ``folder`` unless it exists; returns the path of its Python.

    The packages are links to this environment's: they take neither time nor space, and stay compiled.
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
    """The site-packages folder of the environment in ``folder``."""
    return Path(sysconfig.get_path("purelib", vars={"base": str(folder), "platbase": str(folder)}))
