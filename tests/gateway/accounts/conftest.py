"""A gateway before five servers and a mail server, shared by tests of accounts: each has its own readers."""

from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import httpx
import pytest
from argon2 import PasswordHasher

from catalog.database import Database, open_database
from foundation.urls import SecretUrl
from gateway.accounts import passwords
from mail.settings import MailOptions
from tests.gateway import running
from tests.mail.smtp import Mailbox, mail_server


@pytest.fixture(scope="package", autouse=True)
def cheap_passwords() -> Iterator[None]:
    """As strong as a test needs them: two cores hash seven a second of the real ones."""
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(passwords, "_HASHER", PasswordHasher(time_cost=1, memory_cost=64, parallelism=1))
        yield


@pytest.fixture(scope="package")
def accounts_home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return running.build_home(tmp_path_factory.mktemp("accounts"))


@pytest.fixture(scope="package")
def mailbox() -> Iterator[Mailbox]:
    with mail_server() as mailbox:
        yield mailbox


@pytest.fixture(scope="package")
def client(accounts_home: Path, urls: dict[str, str], mailbox: Mailbox) -> Iterator[httpx.Client]:
    accounts = {"page_url": "https://books.example/account"}
    settings = running.settings_for(accounts_home, urls, accounts=accounts)
    settings = settings.model_copy(update={"mail": MailOptions(smtp_url=SecretUrl(mailbox.url))})
    with running.gateway(settings) as client:
        del client.headers["Authorization"]
        yield client


@pytest.fixture(scope="package")
def db(accounts_home: Path) -> Iterator[Database]:
    """The catalog of that gateway."""
    with closing(open_database(f"sqlite:///{accounts_home / 'catalog.db'}")) as db:
        yield db
