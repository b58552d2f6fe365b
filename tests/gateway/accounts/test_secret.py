"""The secret that tokens are signed with, and passwords under load."""

import asyncio
import stat
import threading
from pathlib import Path

import pytest
from pydantic import SecretStr, ValidationError

from gateway.accounts import passwords
from gateway.accounts.passwords import Passwords
from gateway.accounts.secret import read_signing_secret
from gateway.errors import Overloaded
from gateway.settings import AccountOptions


def test_a_secret_is_made_once_and_for_its_owner_alone(tmp_path: Path) -> None:
    file, found = tmp_path / "secrets" / "signing", list[bytes]()
    threads = [
        threading.Thread(target=lambda: found.append(read_signing_secret(None, file))) for _ in range(8)
    ]

    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert len(found) == 8
    assert set(found) == {read_signing_secret(None, file)}
    assert len(found[0]) == 32
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    assert [each.name for each in file.parent.iterdir()] == ["signing"]


def test_the_secret_of_the_settings_counts(tmp_path: Path) -> None:
    given = AccountOptions(secret=SecretStr("s" * 32)).secret

    assert read_signing_secret(given, tmp_path / "signing") == b"s" * 32
    assert not (tmp_path / "signing").exists()
    with pytest.raises(ValidationError):
        AccountOptions(secret=SecretStr("too short"))


@pytest.mark.parametrize("content", [b"", b"abc", b"\xff" * 64])
def test_a_file_without_a_secret_is_refused_with_the_remedy(tmp_path: Path, content: bytes) -> None:
    file = tmp_path / "signing"
    file.write_bytes(content)

    with pytest.raises(OSError, match="delete it"):
        read_signing_secret(None, file)


async def test_one_password_more_than_the_queue_holds_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(passwords, "MOST_WAITING", 1)
    compared = Passwords()

    outcomes = await asyncio.gather(
        *(compared.is_right("password", None) for _ in range(passwords.MOST_AT_ONCE + 3)),
        return_exceptions=True,
    )

    assert [type(each) for each in outcomes].count(Overloaded) == 2
    assert outcomes.count(False) == passwords.MOST_AT_ONCE + 1
