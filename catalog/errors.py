"""Everything that can go wrong with the catalog, each with what to do about it.

CatalogError
├── DatabaseNotMigrated     the tables are not those that this program needs
│   ├── SchemaMissing
│   ├── SchemaOutdated
│   └── SchemaTooNew
├── DatabaseFileGone        an SQLite file was deleted or renamed while it was open
├── DatabaseFileReplaced    another file took its place during a write
├── DatabaseUrlInvalid      the URL names no database that can be opened
├── IsbnInvalid             a text is no ISBN
├── UserUnknown             no such user_id
├── BookUnknown             no such book_id
├── BooksUnknown            several such
├── LibraryRowUnknown       no row of a library waits under this row_id
├── BookRated               a reader would put on their shelf what they have read
├── BookNotMerged           a book that is no other one's edition
├── JobUnknown              no such job
├── JobStateWrong           a job is too far for what was asked
├── EmailInvalid            a text is no e-mail address
├── EmailTaken              another account has this e-mail
├── AccountTaken            a reader has an account already
├── UserBrought             a service has brought a reader under an id in the meantime
├── AccountUnknown          nobody has signed up with an e-mail
├── KeyNameTaken            a key has this name, or had it
├── KeyUnknown              no key of this name that is good
├── ExportError             the catalog cannot be written out, or what was written cannot be read back
│   ├── ExportFolderTaken
│   ├── ExportDamaged
│   └── ExportTooNew
├── CatalogNotEmpty         an export of another catalog would replace this one
├── EditionUnknown          no book has this ISBN
├── AuthorUnknown           no such author_id
├── AuthorsUnknown          no authors of these names
├── SubjectUnknown          no subject of this name
├── EditInvalid             a change would write what no book can have
├── EditConflict            a change contradicts what the catalog holds
├── SourceOptionInvalid     an import was told something that it cannot mean
├── ScaleChanged            an import has another rating scale than the source's stored ratings
└── SourceError             a file of an import cannot be used
    ├── SourceFileMissing
    ├── SourceFileUnreadable
    ├── SourceFileEmpty
    ├── MappingInvalid
    ├── SourceFormatWrong
    └── SourceFileTruncated
"""

from collections.abc import Sequence
from pathlib import Path

from foundation.settings import find_variable


class CatalogError(Exception):
    """Base of all errors of this package."""


class DatabaseNotMigrated(CatalogError):
    """The tables are not those that this program needs."""


class SchemaMissing(DatabaseNotMigrated):
    """The database has none of our tables."""

    def __init__(self, url: str) -> None:
        super().__init__(
            f"{url} has no tables yet; if it is the right database, `bookmesh import` makes and fills them "
            "(`bookmesh import demo` to try things out)"
        )
        self.url = url


class SchemaOutdated(DatabaseNotMigrated):
    """The tables are those of an earlier release."""

    def __init__(self, url: str, *, found: str, expected: str) -> None:
        super().__init__(
            f"{url} is at schema {found}, this program needs {expected}; make a backup, then run "
            "`bookmesh migrate` (docs/upgrading.md)"
        )
        self.url, self.found, self.expected = url, found, expected


class SchemaTooNew(DatabaseNotMigrated):
    """A later release has removed what this program needs."""

    def __init__(self, url: str, *, found: str, expected: str) -> None:
        super().__init__(
            f"{url} is at schema {found}, which this program, made for {expected}, cannot work with; "
            "run the release that migrated it, or restore a backup from before"
        )
        self.url, self.found, self.expected = url, found, expected


class DatabaseFileGone(CatalogError):
    """An SQLite file was deleted or renamed while it was open; nothing was written."""

    def __init__(self, path: Path) -> None:
        super().__init__(f"{path} is gone; put it back, or a backup of it")
        self.path = path


class DatabaseFileReplaced(CatalogError):
    """Another file took its place during a write, which is not in that one."""

    def __init__(self, path: Path) -> None:
        super().__init__(f"{path} was replaced or deleted during a write; do it again")
        self.path = path


class DatabaseUrlInvalid(CatalogError):
    """The URL names no database that can be opened."""

    def __init__(self, reason: str) -> None:
        variable = find_variable("catalog", "database_url")
        super().__init__(f"{variable}: {reason}; an example: sqlite:///.bookmesh/catalog.db")


class IsbnInvalid(CatalogError):
    """A text is no ISBN; `reason` is one of a few fixed phrases, fit for counting."""

    def __init__(self, text: str, reason: str) -> None:
        super().__init__(f"{text!r} is not an ISBN: {reason}")
        self.text, self.reason = text, reason


class UserUnknown(CatalogError):
    """The catalog has no user of this id."""

    def __init__(self, user_id: int) -> None:
        super().__init__(f"no user {user_id}; `bookmesh users find` looks one up")
        self.user_id = user_id


class BookUnknown(CatalogError):
    """The catalog has no book of this id."""

    def __init__(self, book_id: int) -> None:
        super().__init__(f"no book {book_id}; `bookmesh search` looks one up")
        self.book_id = book_id


class BooksUnknown(CatalogError):
    """The catalog has no such books."""

    def __init__(self, book_ids: Sequence[int]) -> None:
        super().__init__(f"no such book: {', '.join(map(str, book_ids))}")
        self.book_ids = book_ids


class LibraryRowUnknown(CatalogError):
    """No row of the reader's library of this row_id waits to be settled."""

    def __init__(self, row_id: int) -> None:
        super().__init__(f"no row {row_id} of the library waits to be settled")
        self.row_id = row_id


class BookRated(CatalogError):
    """A reader would put on their shelf of books to read what they have rated."""

    def __init__(self, user_id: int, book_id: int) -> None:
        super().__init__(f"user {user_id} has rated book {book_id}")
        self.user_id, self.book_id = user_id, book_id


class BookNotMerged(CatalogError):
    """The book is no other one's edition, so that there is nothing to undo."""

    def __init__(self, book_id: int) -> None:
        super().__init__(
            f"book {book_id} was not merged into another; `bookmesh books merges` lists those that were"
        )
        self.book_id = book_id


class JobUnknown(CatalogError):
    """The catalog has no job of this id."""

    def __init__(self, job_id: int) -> None:
        super().__init__(f"no job {job_id}; `bookmesh jobs list` shows them, old ones are not kept")
        self.job_id = job_id


class JobStateWrong(CatalogError):
    """A job is too far, or not far enough, for what was asked."""

    def __init__(self, job_id: int, state: str, *, wanted: str) -> None:
        super().__init__(f"job {job_id} is {state}, not {wanted}; `bookmesh jobs show {job_id}` tells more")
        self.job_id, self.state = job_id, state


class EmailInvalid(CatalogError):
    """A text is no e-mail address."""

    def __init__(self, reason: str) -> None:
        super().__init__(f"not an e-mail address: {reason}")
        self.reason = reason


class EmailTaken(CatalogError):
    """Another account has this e-mail."""

    def __init__(self) -> None:
        super().__init__("an account has this e-mail already")


class AccountTaken(CatalogError):
    """A reader has an account already."""

    def __init__(self, user_id: int) -> None:
        super().__init__(f"user {user_id} has an account already; they reset its password by mail")
        self.user_id = user_id


class UserBrought(CatalogError):
    """A service has brought a reader under this id in the meantime."""

    def __init__(self) -> None:
        super().__init__("a reader was brought under this id just now; look for them")


class AccountUnknown(CatalogError):
    """Nobody has signed up with this e-mail."""

    def __init__(self) -> None:
        super().__init__("no account has this e-mail; `bookmesh users create-admin` makes one")


class KeyNameTaken(CatalogError):
    """A key has this name, or had it until it was revoked."""

    def __init__(self, name: str) -> None:
        super().__init__(f"a key named {name!r} is there, or was; `bookmesh keys list` shows all")
        self.name = name


class KeyUnknown(CatalogError):
    """No key of this name is good."""

    def __init__(self, name: str) -> None:
        super().__init__(f"no key named {name!r} is good; `bookmesh keys list` shows all")
        self.name = name


class ExportError(CatalogError):
    """The catalog cannot be written out, or what was written cannot be read back."""


class ExportFolderTaken(ExportError):
    """The folder to write to holds something else."""

    def __init__(self, folder: Path) -> None:
        super().__init__(f"{folder} is there already and is no export; name a folder that is not")
        self.folder = folder


class ExportDamaged(ExportError):
    """A file is not as the export wrote it; nothing was changed."""

    def __init__(self, path: Path, found: str) -> None:
        super().__init__(
            f"{path}: {found}; nothing was imported: copy the whole folder again, or export anew"
        )
        self.path, self.found = path, found


class ExportTooNew(ExportError):
    """The export has tables or columns that this program does not know; nothing was changed."""

    def __init__(self, folder: Path, *, made_by: str, program: str) -> None:
        super().__init__(
            f"{folder} was made by bookmesh {made_by}; this is {program}: import it with that one"
        )
        self.folder, self.made_by, self.program = folder, made_by, program


class CatalogNotEmpty(CatalogError):
    """An export of another catalog would replace this one; nothing was changed."""

    def __init__(self, url: str) -> None:
        super().__init__(
            f"{url} holds another catalog than the export; name an empty database, which this command fills, "
            "or the one that was exported, which it restores"
        )
        self.url = url


class EditionUnknown(CatalogError):
    """No book has this ISBN."""

    def __init__(self, isbn: str) -> None:
        super().__init__(f"no book has ISBN {isbn}; `bookmesh editions add` gives it to one")
        self.isbn = isbn


class AuthorUnknown(CatalogError):
    """The catalog has no author of this id."""

    def __init__(self, author_id: int) -> None:
        super().__init__(f"no author {author_id}; `bookmesh authors list` looks one up")
        self.author_id = author_id


class AuthorsUnknown(CatalogError):
    """The catalog has no authors of these names."""

    def __init__(self, names: Sequence[str]) -> None:
        super().__init__(f"no such author: {', '.join(names)}")
        self.names = names


class SubjectUnknown(CatalogError):
    """The catalog has no subject of this name."""

    def __init__(self, name: str) -> None:
        super().__init__(f"no subject {name!r}; `bookmesh subjects list` lists them")
        self.name = name


class EditInvalid(CatalogError):
    """A change would write what no book can have; nothing was changed."""

    def __init__(self, field: str, value: object, *, expected: str) -> None:
        super().__init__(f"{field} {value!r}: expected {expected}")
        self.field, self.value, self.expected = field, value, expected


class EditConflict(CatalogError):
    """A change contradicts what the catalog holds; nothing was changed."""

    def __init__(self, message: str, *, book_id: int | None = None) -> None:
        super().__init__(message)
        self.book_id = book_id
        """The book that is in the way, if one is."""


class SourceOptionInvalid(CatalogError):
    """An import was told something that it cannot mean."""

    def __init__(self, option: str, value: str, *, expected: str) -> None:
        super().__init__(f"{option} {value!r}: expected {expected}")
        self.option, self.value, self.expected = option, value, expected


class ScaleChanged(CatalogError):
    """An import has another rating scale than what is stored of the same source."""

    def __init__(self, source: str, *, stored: str, found: str) -> None:
        super().__init__(
            f"the ratings of {source} are stored as on a scale of {stored}, this import has {found}; "
            f"import it with the scale {stored}, or under another name"
        )
        self.source, self.stored, self.found = source, stored, found


class SourceError(CatalogError):
    """A file of an import cannot be used; nothing was written."""

    def __init__(self, path: Path, message: str, *, line: int | None = None) -> None:
        super().__init__(f"{path}: {message}" if line is None else f"{path}, line {line:,}: {message}")
        self.path, self.line = path, line


class SourceFileMissing(SourceError):
    """A file that the source needs is not there."""

    def __init__(self, path: Path, *, expected: str) -> None:
        super().__init__(path, f"no such file; the folder must hold {expected}")


class SourceFileUnreadable(SourceError):
    """What stands in a file's place is none, or the system does not let us read it."""


class SourceFileEmpty(SourceError):
    """A file has no byte, or no row after its header."""

    def __init__(self, path: Path) -> None:
        super().__init__(path, "holds no rows; download it again")


class MappingInvalid(SourceError):
    """A mapping file is none, has keys that mean nothing, or names columns that a file lacks."""


class OverridesInvalid(SourceError):
    """A file of overrides has a line that cannot be meant."""


class SourceFormatWrong(SourceError):
    """A file is not of the format that the source reads."""

    def __init__(
        self,
        path: Path,
        *,
        expected: str,
        found: str,
        remedy: str = "is it the original, unchanged dump file?",
        line: int | None = None,
    ) -> None:
        super().__init__(path, f"expected {expected}, found {found}; {remedy}", line=line)
        self.expected, self.found = expected, found


class SourceFileTruncated(SourceError):
    """A file stops in the middle of a row or of its compressed stream."""

    def __init__(self, path: Path, *, line: int | None = None) -> None:
        super().__init__(path, "cut off in the middle; download it again", line=line)
