"""Registry files in the shape of catalogues that people have, `tests/data/catalogues`, with what is right of each."""

from dataclasses import dataclass
from pathlib import Path

from upgrade_orchestrator.domain.registry.schemes import Scheme

FOLDER = Path(__file__).parent / "data" / "catalogues"


@dataclass(frozen=True, slots=True)
class Catalogue:
    """A file, the scheme of its component, and its best route, as ids of versions."""

    file: str
    scheme: Scheme
    route: tuple[str, ...]

    @property
    def text(self) -> str:
        """The file's text."""
        return (FOLDER / self.file).read_text(encoding="utf-8")


CATALOGUES = (
    Catalogue("strimzi.yaml", Scheme.PEP440, ("kafka-3.6.2", "kafka-3.7.1", "kafka-3.9.0", "kafka-4.0.0")),
    Catalogue(
        "openshift.yaml", Scheme.SEMVER, ("ocp-4.14.30", "ocp-4.15.36", "ocp-4.16.21", "ocp-4.17.12", "ocp-4.18.1")
    ),
    Catalogue("gitlab.yaml", Scheme.SEMVER, ("gitlab-16.3.9", "gitlab-16.7.9", "gitlab-16.11.10", "gitlab-17.3.7")),
    Catalogue("openssl.yaml", Scheme.OPENSSL, ("ossl-1.0.2u", "ossl-1.1.1w", "ossl-3.0.15")),
    Catalogue("postgresql.yaml", Scheme.PEP440, ("pg-12.20", "pg-16.10", "pg-17.0")),
    Catalogue("elasticsearch.yaml", Scheme.MAVEN, ("es-7.10.2", "es-7.17.24", "es-8.15.0")),
    Catalogue("debian.yaml", Scheme.DEBIAN, ("m-10.3", "m-10.11-11", "m-11")),
    Catalogue("rpm.yaml", Scheme.RPM, ("g-9.2.0-9", "g-9.2.10-16", "g-10.2", "g-1-9.2")),
)
