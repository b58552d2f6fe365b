"""What the commands on the catalog and the artifact store read from the environment."""

from pathlib import Path

from catalog.settings import CatalogSettings


class CliSettings(CatalogSettings):
    """Where the data are; the processes that the commands start have settings of their own."""

    @property
    def artifacts_root(self) -> Path:
        """Root folder of the artifact store."""
        return self.home / "artifacts"
