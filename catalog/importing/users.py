"""Gives every reader of a source their user_id, and writes what the source tells of them."""

from functools import cache

from sqlalchemy import Connection, select

from catalog.bulk import RowWriter
from catalog.cleaning import parse_age_group
from catalog.importing.ids import is_usable_id, read_ids
from catalog.sources.records import RawUser
from catalog.sources.row_log import RowLog
from catalog.tables import User
from catalog.word_lists import read_word_lists


class UserImporter:
    """Takes the readers that a source describes, then those that only its ratings name."""

    def __init__(self, connection: Connection, source: str, log: RowLog) -> None:
        self._source, self._log = source, log
        own = User.source == source
        self._ids = read_ids(connection, select(User.external_id, User.user_id).where(own), User.user_id)
        profiles = connection.execute(select(User.user_id, User.age_group, User.country).where(own))
        self._stored = {user_id: (age_group, country) for user_id, age_group, country in profiles}
        self._seen: set[str] = set()
        self.n_created_for_ratings = 0
        columns = ("age_group", "country")
        self._new = RowWriter.inserting(
            connection, User, "user_id", "source", "external_id", *columns, "revision"
        )
        self._changed = RowWriter.updating(connection, User, *columns, where=["user_id"])

    def add(self, raw: RawUser) -> None:
        """Write a reader that the source describes."""
        external_id = raw.external_id.strip()
        if not is_usable_id(external_id):
            self._log.drop(raw.file, "no usable id")
        elif external_id in self._seen:
            self._log.drop(raw.file, "duplicate id")
        else:
            self._log.keep(raw.file)
            self._seen.add(external_id)
            age_group, country = parse_age_group(raw.age), parse_country(raw.location)
            if raw.age and age_group is None:
                self._log.repairs["ages outside 5-100 left unknown"] += 1
            self._write(external_id, age_group, country)

    def find_or_create(self, external_id: str) -> int:
        """user_id of a rating's reader, who may not have been described."""
        user_id = self._ids.get(external_id)
        if user_id is None:
            self.n_created_for_ratings += 1
            user_id = self._write(external_id, None, None)
        return user_id

    def flush(self) -> None:
        """Write what is queued."""
        self._new.flush()
        self._changed.flush()

    def _write(self, external_id: str, age_group: str | None, country: str | None) -> int:
        user_id, is_new = self._ids.get_or_create(external_id)
        if is_new:
            self._new.add(user_id, self._source, external_id, age_group, country, 0)
        elif self._stored[user_id] != (age_group, country):
            self._changed.add(age_group, country, user_id)
        if self._new.is_full or self._changed.is_full:
            self.flush()
        return user_id


def parse_country(location: str) -> str | None:
    """The English name of the country that ends a text such as "porto, , portugal"; None if none does."""
    last = location.rpartition(",")[2].strip().strip('."').lower()
    return _read_countries().get(last)


@cache
def _read_countries() -> dict[str, str]:
    countries = read_word_lists("catalog.importing", "countries.txt")
    names = {name.lower(): name for name in countries}
    return names | {alias: name for name, aliases in countries.items() for alias in aliases}
