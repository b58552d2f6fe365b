"""Keys of services, in every database."""

import pytest

from catalog import keys
from catalog.database import Database
from catalog.errors import KeyNameTaken, KeyUnknown


def create(db: Database, name: str) -> str:
    with db.session(write=True) as session:
        return keys.create_key(session, name, ["readers"], rate_per_minute=60)


def test_a_key_is_found_until_it_is_revoked(db: Database) -> None:
    key = create(db, "shop")
    with db.session() as session:
        found = keys.find_key(session, key)
        assert found is not None
        assert found[1:] == ("shop", "readers", 60)
        assert keys.find_key(session, key[:-1]) is None

    with db.session(write=True) as session:
        keys.revoke_key(session, "shop")

    with db.session() as session:
        assert keys.find_key(session, key) is None
        [listed] = keys.list_keys(session)
        assert listed.revoked_at is not None
        assert key not in repr(vars(listed))


def test_a_name_is_one_key_s_for_ever(db: Database) -> None:
    create(db, "shop")
    with db.session(write=True) as session:
        keys.revoke_key(session, "shop")

    with pytest.raises(KeyNameTaken):
        create(db, "shop")
    with pytest.raises(KeyUnknown), db.session(write=True) as session:
        keys.revoke_key(session, "shop")
