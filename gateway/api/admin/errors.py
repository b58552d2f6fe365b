"""Why something that an admin asks for is not done.

AdminError
├── EditInvalid           what no book, author or subject can have
├── EditConflict          a change that contradicts what the catalog holds
├── JobNotFound           no job has this id, or it is not kept any more
├── JobEnded              a job that is over cannot be cancelled
├── VersionNotFound       the store has no such version
├── ReportNotFound        no report of an import has this id
├── KeyNotFound           no key of this name is good
├── KeyNameTaken          a key has this name, or had it
├── AccountTaken          the reader has an account already
└── AccountMissing        the reader has none
"""

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any, Final

from catalog import errors as catalog
from catalog.errors import CatalogError
from contracts.errors import ClientCode
from gateway.errors import AuthorNotFound, BookNotFound, GatewayError, NotAnIsbn, UnknownSubjects


class AdminError(GatewayError):
    """Base of all."""


class EditInvalid(AdminError):
    """The change would write what no book can have."""

    code = ClientCode.INVALID_REQUEST


class EditConflict(AdminError):
    """The change contradicts what the catalog holds."""

    code = ClientCode.EDIT_CONFLICT


class JobNotFound(AdminError):
    """There is no such job."""

    code = ClientCode.JOB_NOT_FOUND


class JobEnded(AdminError):
    """The job is over."""

    code = ClientCode.JOB_ENDED


class VersionNotFound(AdminError):
    """The artifact store has no such version."""

    code = ClientCode.VERSION_NOT_FOUND

    def __init__(self, version: str) -> None:
        super().__init__(f"no version {version}; GET /v1/admin/versions lists those that are kept")
        self.version = version


class ReportNotFound(AdminError):
    """No import has left a report of this id."""

    code = ClientCode.REPORT_NOT_FOUND

    def __init__(self, report_id: int) -> None:
        super().__init__(f"no report {report_id}; GET /v1/admin/imports lists them")
        self.report_id = report_id


class KeyNotFound(AdminError):
    """No key of this name is good."""

    code = ClientCode.KEY_NOT_FOUND


class KeyNameTaken(AdminError):
    """A key has this name, or had it."""

    code = ClientCode.KEY_NAME_TAKEN


class AccountTaken(AdminError):
    """The reader has an account already."""

    code = ClientCode.ACCOUNT_TAKEN


class AccountMissing(AdminError):
    """The reader has no account."""

    code = ClientCode.ACCOUNT_MISSING

    def __init__(self, user_id: int) -> None:
        super().__init__(f"user {user_id} has no account; a claim link gives an imported reader one")
        self.user_id = user_id


_OURS: Final[Mapping[type[CatalogError], Callable[[Any], GatewayError]]] = {
    catalog.EditInvalid: lambda error: EditInvalid(str(error)),
    catalog.EditConflict: lambda error: EditConflict(str(error)),
    catalog.BookNotMerged: lambda error: EditConflict(str(error)),
    catalog.IsbnInvalid: lambda error: NotAnIsbn(error.text, error.reason),
    catalog.EditionUnknown: lambda error: BookNotFound(f"with ISBN {error.isbn}"),
    catalog.AuthorUnknown: lambda error: AuthorNotFound(error.author_id),
    catalog.SubjectUnknown: lambda error: UnknownSubjects([error.name], {}),
    catalog.JobUnknown: lambda error: JobNotFound(str(error)),
    catalog.JobStateWrong: lambda error: JobEnded(str(error)),
    catalog.KeyUnknown: lambda error: KeyNotFound(str(error)),
    catalog.KeyNameTaken: lambda error: KeyNameTaken(str(error)),
    catalog.AccountTaken: lambda error: AccountTaken(str(error)),
}


@contextmanager
def as_ours() -> Iterator[None]:
    """Raise what the catalog refuses as clients are told it."""
    try:
        yield
    except tuple(_OURS) as error:
        raise _OURS[type(error)](error) from error
