"""What readers do with their accounts: sign up, log in and out, claim one, change and reset a password."""

from collections.abc import Callable, Collection, Mapping
from dataclasses import asdict, dataclass
from typing import Any, Final, TypeVar

from sqlalchemy.orm import Session

from catalog import accounts, personal, preferences, ratings, tokens
from catalog.accounts import Credentials, StoredAccount
from catalog.errors import AccountTaken, AuthorsUnknown, UserBrought
from catalog.errors import EmailTaken as EmailInUse
from catalog.tables import Purpose, Role
from catalog.tokens import LogIn, Refusal
from gateway.accounts.callers import Reader
from gateway.accounts.errors import (
    EmailTaken,
    ExternalIdTaken,
    LinkInvalid,
    TokenExpired,
    TokenReused,
    Unauthenticated,
    WrongCredentials,
)
from gateway.accounts.mails import Mails
from gateway.accounts.passwords import Passwords
from gateway.accounts.sessions import Sessions
from gateway.catalog import Catalog
from gateway.deadline import Deadline
from gateway.errors import UnknownAuthors

ResultT = TypeVar("ResultT")

LOVED: Final = 10.0
"""What a reader rates a book that they name as loved when they sign up."""
_NO_SUCH_ACCOUNT: Final = "no account has this e-mail and password"


@dataclass(frozen=True, slots=True)
class SignUp:
    """What somebody who signs up tells, already checked."""

    email: str
    name: str
    password: str
    preferences: Mapping[str, Any]
    """By the names of `catalog.preferences.Preferences`."""
    loved_books: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class FormHashes:
    """By what a service's form is recognised when it is sent again."""

    external_id: str
    """Of the id by which the service knows the reader."""
    form: str
    """Of all else."""


@dataclass(frozen=True, slots=True)
class ProfileChange:
    """What a reader changes; None, and what the preferences do not name, stays as it is."""

    email: str | None
    name: str | None
    preferences: Mapping[str, Any]


class Accounts:
    """All methods raise CatalogUnavailable, and Overloaded while too many passwords are being compared."""

    def __init__(self, catalog: Catalog, sessions: Sessions, mails: Mails) -> None:
        self._catalog = catalog
        self._sessions = sessions
        self._mails = mails
        self._passwords = Passwords()

    async def sign_up(self, form: SignUp) -> LogIn:
        """A new reader, logged in. Raises EmailTaken, UnknownAuthors, UnknownBooks."""
        credentials = Credentials(form.email, form.name, await self._passwords.hash(form.password))

        def create(session: Session) -> LogIn:
            user_id = accounts.create_reader(session, credentials)
            _fill(session, user_id, form.preferences, form.loved_books)
            return tokens.log_in(session, user_id, Role.READER)

        return await self._write(create)

    async def create_user(
        self, preferences: Mapping[str, Any], loved_books: Collection[int], hashes: FormHashes | None
    ) -> tuple[int, bool]:
        """The user_id of a reader without an account, and whether they are new: with hashes, once for all.

        Raises ExternalIdTaken, UnknownAuthors, UnknownBooks.
        """

        def create(session: Session) -> tuple[int, bool]:
            if hashes and (user_id := _find_brought(session, hashes)):
                return user_id, False
            user_id = accounts.create_user(session)
            if hashes:
                accounts.note_brought(session, user_id, hashes.external_id, hashes.form)
            _fill(session, user_id, preferences, loved_books)
            return user_id, True

        try:
            return await self._write(create)
        except UserBrought:  # somebody was quicker, and is found now
            return await self._write(create)

    async def log_in(self, email: str, password: str, deadline: Deadline) -> LogIn:
        """A new log-in. Raises WrongCredentials, as late for an unknown e-mail as for a wrong password."""
        account = await self._catalog.read(lambda session: accounts.find_by_email(session, email), deadline)
        stored = None if account is None else account.password_hash
        is_right = await self._passwords.is_right(password, stored)
        if account is None or not is_right:
            raise WrongCredentials(_NO_SUCH_ACCOUNT)
        user_id = account.user_id

        def begin(session: Session) -> LogIn:
            # While the password was compared a new one may have been set, which ends all log-ins.
            now = accounts.lock_account(session, user_id)
            if now is None or now.password_hash != stored:
                raise WrongCredentials(_NO_SUCH_ACCOUNT)
            return tokens.log_in(session, user_id, now.role)

        return await self._catalog.write(begin)

    async def refresh(self, refresh_token: str) -> LogIn:
        """The log-in with its next refresh token. Raises Unauthenticated, TokenExpired, TokenReused."""
        refreshed = await self._catalog.write(lambda session: tokens.refresh(session, refresh_token))
        match refreshed:
            case Refusal.REUSED:
                self._sessions.forget_log_in(tokens.read_family(refresh_token))
                raise TokenReused
            case Refusal.EXPIRED:
                raise TokenExpired("log in again")
            case Refusal.UNKNOWN:
                raise Unauthenticated("the refresh token is not good, or not any more; log in again")
        return refreshed

    async def log_out(self, reader: Reader) -> None:
        """End the log-in that a token came of."""
        await self._catalog.write(lambda session: tokens.log_out(session, reader.family_id))
        self._sessions.forget_log_in(reader.family_id)

    async def log_out_everywhere(self, reader: Reader) -> None:
        """End all log-ins of a reader."""
        await self._catalog.write(lambda session: tokens.log_out_everywhere(session, reader.user_id))
        self._sessions.forget(reader.user_id)

    async def change_password(self, reader: Reader, current: str, new: str, deadline: Deadline) -> LogIn:
        """End all log-ins and begin a new one. Raises WrongCredentials."""
        await self.check_password(reader, current, deadline)
        password_hash = await self._passwords.hash(new)
        log_in = await self._catalog.write(
            lambda session: _begin_anew(session, reader.user_id, password_hash)
        )
        self._sessions.forget(reader.user_id)
        return log_in

    async def check_password(self, reader: Reader, password: str, deadline: Deadline) -> StoredAccount:
        """The account of whoever knows its password. Raises WrongCredentials."""
        account = await self.read(reader, deadline)
        if not await self._passwords.is_right(password, account.password_hash):
            raise WrongCredentials("the current password is another one")
        return account

    async def read(self, reader: Reader, deadline: Deadline) -> StoredAccount:
        """The account of a reader. Raises Unauthenticated if it is gone."""
        account = await self._catalog.read(
            lambda session: accounts.find_account(session, reader.user_id), deadline
        )
        if account is None:
            raise Unauthenticated("this account is no more")
        return account

    async def read_profile(self, reader: Reader, deadline: Deadline) -> dict[str, Any]:
        """All that a reader may change, and what goes with it. Raises Unauthenticated if they are gone."""

        def read(session: Session) -> dict[str, Any] | None:
            account = accounts.find_account(session, reader.user_id)
            if account is None:
                return None
            told = preferences.read_preferences(session, reader.user_id)
            return {
                **asdict(account),
                **asdict(told),
                "n_books": ratings.count_books(session, reader.user_id),
            }

        profile = await self._catalog.read(read, deadline)
        if profile is None:
            raise Unauthenticated("this account is no more")
        return profile

    async def request_reset(self, email: str, deadline: Deadline) -> None:
        """Mail a token to set a new password with; who asks does not learn whether the account is there."""
        account = await self._catalog.read(lambda session: accounts.find_by_email(session, email), deadline)
        if account is not None:
            self._mails.send_reset(account)

    async def reset(self, token: str, password: str) -> LogIn:
        """A new password for whom the token was mailed to; logged in. Raises LinkInvalid."""
        password_hash = await self._passwords.hash(password)

        def set_new(session: Session) -> LogIn:
            user_id = tokens.spend(session, token, Purpose.RESET)
            if user_id is None:
                raise LinkInvalid
            return _begin_anew(session, user_id, password_hash)

        log_in = await self._catalog.write(set_new)
        self._sessions.forget(log_in.user_id)
        return log_in

    async def claim(self, token: str, *, email: str, name: str, password: str) -> LogIn:
        """An account for the imported reader whom a link is of; logged in. Raises LinkInvalid, EmailTaken."""
        credentials = Credentials(email, name, await self._passwords.hash(password))

        def create(session: Session) -> LogIn:
            user_id = accounts.claim(session, token, credentials)
            if user_id is None:
                raise LinkInvalid
            return tokens.log_in(session, user_id, Role.READER)

        return await self._write(create)

    def build_claim_link(self, token: str) -> str:
        """What an admin hands to an imported reader."""
        return self._mails.build_claim_link(token)

    def forget(self, user_id: int) -> None:
        """Look a reader's role and log-ins up again, at the next request."""
        self._sessions.forget(user_id)

    async def change(self, reader: Reader, change: ProfileChange) -> None:
        """Change what is given of an account and its reader. Raises EmailTaken, UnknownAuthors."""

        def write(session: Session) -> None:
            accounts.rename(session, reader.user_id, email=change.email, name=change.name)
            if change.preferences:
                preferences.write_preferences(session, reader.user_id, change.preferences)

        await self._write(write)

    async def export(self, reader: Reader, deadline: Deadline) -> dict[str, list[dict[str, Any]]]:
        """Everything that is stored about a reader, without secrets."""
        return await self._catalog.read(
            lambda session: personal.read_everything(session, reader.user_id), deadline
        )

    async def erase(self, reader: Reader) -> None:
        """Delete everything about a reader, for ever."""
        await self._catalog.write(lambda session: personal.erase(session, reader.user_id))
        self._sessions.forget(reader.user_id)

    async def _write(self, change: Callable[[Session], ResultT]) -> ResultT:
        try:
            return await self._catalog.write(change)
        except EmailInUse:
            raise EmailTaken from None
        except AccountTaken:
            raise LinkInvalid from None
        except AuthorsUnknown as error:
            raise UnknownAuthors(error.names) from None


def _fill(session: Session, user_id: int, given: Mapping[str, Any], loved_books: Collection[int]) -> None:
    """Note what a new reader tells, or a service of them."""
    preferences.write_preferences(session, user_id, given)
    ratings.put_ratings(session, user_id, dict.fromkeys(loved_books, LOVED))


def _find_brought(session: Session, hashes: FormHashes) -> int | None:
    brought = accounts.find_brought(session, hashes.external_id)
    if brought is None:
        return None
    user_id, form = brought
    if form != hashes.form:
        raise ExternalIdTaken(user_id)
    return user_id


def _begin_anew(session: Session, user_id: int, password_hash: str) -> LogIn:
    """A new password, and the only log-in that knows it."""
    account = accounts.find_account(session, user_id)
    if account is None:
        raise Unauthenticated("this account is no more")
    accounts.set_password(session, user_id, password_hash)
    return tokens.log_in(session, user_id, account.role)
