"""What every process that opens the catalog reads from the environment."""

from foundation.settings import Options, ProcessSettings
from foundation.urls import SecretUrl


class CatalogOptions(Options):
    """Where the catalog is."""

    database_url: SecretUrl | None = None
    """SQLAlchemy URL of the catalog (SQLite, MariaDB, MySQL, PostgreSQL); without it, SQLite under `home`."""


class CatalogSettings(ProcessSettings):
    """Settings of a process that opens the catalog; a command that does no more needs no others."""

    catalog: CatalogOptions = CatalogOptions()

    @property
    def catalog_url(self) -> str:
        """The database to use, with its password: never log it."""
        if self.catalog.database_url is not None:
            return self.catalog.database_url.get_secret_value()
        return f"sqlite:///{(self.home / 'catalog.db').resolve()}"
