"""What the commands on the catalogue and the artifact store read from the environment."""

from pathlib import Path

from pydantic import SecretStr
from pydantic_settings import BaseSettings, SettingsConfigDict


class CliSettings(BaseSettings):
    """Where the data are; the processes that the commands start have settings of their own."""

    model_config = SettingsConfigDict(env_prefix="BOOKMESH_", frozen=True, extra="ignore")

    home: Path = Path(".bookmesh")
    """Folder of artifacts, the embedded catalogue, reports and logs."""
    database_url: SecretStr | None = None
    """SQLAlchemy URL of the catalogue; without it, SQLite under `home`."""

    @property
    def catalogue_url(self) -> str:
        """The database to use, with its password: never log it."""
        if self.database_url is not None:
            return self.database_url.get_secret_value()
        return f"sqlite:///{(self.home / 'catalog.db').resolve()}"

    @property
    def artifacts_root(self) -> Path:
        """Root folder of the artifact store."""
        return self.home / "artifacts"
