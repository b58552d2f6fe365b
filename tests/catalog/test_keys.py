"""Keys of services, in every database."""

import pytest

from catalog import keys
from catalog.database import Database
from catalog.errors import KeyNameTaken, KeyUnknown
from catalog.tokens import hash_token


def create(db: Database, name: str) -> str:
    with db.session(write=True) as session:
        return keys.create_key(session, name, ["readers"], rate_per_minute=60)


def test_a_key_is_found_until_it_is_revoked(db: Database) -> None:
    key = create(db, "shop")
    with db.session() as session:
        [(digest, _, *what)] = keys.read_good_keys(session)
        assert (digest, what) == (hash_token(key), ["shop", "readers", 60])
        assert keys.is_good(session, key)
        assert not keys.is_good(session, key[:-1])

    with db.session(write=True) as session:
        keys.revoke_key(session, "shop")

    with db.session() as session:
        assert keys.read_good_keys(session) == []
        assert not keys.is_good(session, key)
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


def test_the_latest_use_of_a_key_is_kept(db: Database) -> None:
    create(db, "shop")
    with db.session(write=True) as session:
        [(_, key_id, *_)] = keys.read_good_keys(session)
        for at in (50, 70, 60):
            keys.note_used(session, {key_id: at})

    with db.session() as session:
        assert [key.used_at for key in keys.list_keys(session)] == [70]
