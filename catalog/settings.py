"""What every process that opens the catalog reads from the environment."""

from pathlib import Path

from pydantic import SecretStr
from pydantic_settings import BaseSettings, SettingsConfigDict


class CatalogSettings(BaseSettings):
    """Where the catalog is."""

    model_config = SettingsConfigDict(env_prefix="BOOKMESH_", frozen=True, extra="ignore")

    home: Path = Path(".bookmesh")
    """Folder of everything that bookmesh keeps, the embedded catalog among it."""
    database_url: SecretStr | None = None
    """SQLAlchemy URL of the catalog; without it, SQLite under `home`."""

    @property
    def catalog_url(self) -> str:
        """The database to use, with its password: never log it."""
        if self.database_url is not None:
            return self.database_url.get_secret_value()
        return f"sqlite:///{(self.home / 'catalog.db').resolve()}"
