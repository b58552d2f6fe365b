"""Gives every reader of a source their user_id, and writes what the source tells of them."""

import time
from typing import NamedTuple

from sqlalchemy import Connection, select

from catalog.accounts import select_of_themselves
from catalog.bulk import RowWriter
from catalog.cleaning import parse_age_group, repair_text
from catalog.countries import parse_country
from catalog.importing.changes import Changes
from catalog.importing.ids import is_usable_id, read_ids
from catalog.personal import digest_reader, read_erased
from catalog.sources.records import RawUser
from catalog.sources.row_log import RowLog
from catalog.tables import FIRST_OWN_ID, User

ERASED = "reader who had everything deleted"
"""Why their rows are dropped."""
_LENGTHS = {"gender": 10, "occupation": 40, "postal_code": 12}
"""Most characters of what is kept as its source has it."""


class Profile(NamedTuple):
    """What is written of a reader."""

    age_group: str | None = None
    country: str | None = None
    gender: str | None = None
    occupation: str | None = None
    postal_code: str | None = None


class UserImporter:
    """Takes the readers that a source describes, then those that only its ratings and events name."""

    def __init__(self, connection: Connection, source: str, log: RowLog) -> None:
        self._source, self._log = source, log
        own = User.source == source
        ids = select(User.external_id, User.user_id).where(own)
        self._ids = read_ids(connection, ids, User.user_id, below=FIRST_OWN_ID)
        columns = (User.__table__.columns[name] for name in Profile._fields)
        stored = connection.execute(select(User.user_id, *columns).where(own))
        self._stored = {row[0]: Profile(*row[1:]) for row in stored}
        self._of_themselves = frozenset(connection.scalars(select_of_themselves(source)))
        self._erased = read_erased(connection)
        self._seen: set[str] = set()
        self.n_undescribed = 0
        self.changes = Changes()
        new = ("user_id", "source", "external_id", *Profile._fields, "revision")
        self._new = RowWriter.inserting(connection, User, *new, created_at=int(time.time()))
        self._changed = RowWriter.updating(connection, User, *Profile._fields, where=["user_id"])

    def add(self, raw: RawUser) -> None:
        """Write a reader that the source describes."""
        external_id = raw.external_id.strip()
        if not is_usable_id(external_id):
            self._log.drop(raw.file, "no usable id")
        elif external_id in self._seen:
            self._log.drop(raw.file, "duplicate id")
        elif self.is_erased(external_id):
            self._log.drop(raw.file, ERASED)
        else:
            self._log.keep(raw.file)
            self._seen.add(external_id)
            self._write(external_id, self._clean(raw))

    def is_erased(self, external_id: str) -> bool:
        """Whether a reader has had everything about them deleted here."""
        return bool(self._erased) and digest_reader(self._source, external_id) in self._erased

    def find_or_create(self, external_id: str) -> int:
        """user_id of the reader of a rating or an event, who may not have been described."""
        user_id = self._ids.get(external_id)
        if user_id is None:
            self.n_undescribed += 1
            user_id = self._write(external_id, Profile())
        return user_id

    def flush(self) -> None:
        """Write what is queued."""
        self._new.flush()
        self._changed.flush()

    def _clean(self, raw: RawUser) -> Profile:
        age_group = parse_age_group(raw.age)
        if raw.age and age_group is None:
            self._log.repairs["ages outside 5-100 left unknown"] += 1
        texts = {field: self._fit(field, getattr(raw, field)) for field in _LENGTHS}
        return Profile(age_group, parse_country(raw.location), **texts)

    def _fit(self, field: str, text: str) -> str | None:
        clean = text and repair_text(text)
        if len(clean) > _LENGTHS[field]:
            self._log.repairs["texts about readers too long, left unknown"] += 1
            return None
        return clean or None

    def _write(self, external_id: str, profile: Profile) -> int:
        user_id, is_new = self._ids.get_or_create(external_id)
        if is_new:
            self.changes.new += 1
            self._new.add(user_id, self._source, external_id, *profile, 0)
        elif self._stored[user_id] == profile or user_id in self._of_themselves:
            self.changes.unchanged += 1
        else:
            self.changes.changed += 1
            self._changed.add(*profile, user_id)
        return user_id
