"""Accounts in every database: who gets one, what happens to log-ins, what is left of who leaves."""

import threading
from dataclasses import replace

import pytest
from sqlalchemy import insert, select, update
from sqlalchemy.exc import IntegrityError

from catalog import accounts, tokens
from catalog.accounts import Credentials
from catalog.database import Database
from catalog.editing import authors
from catalog.emails import fold_email
from catalog.errors import (
    AccountTaken,
    AuthorsUnknown,
    EmailInvalid,
    EmailTaken,
    SourceOptionInvalid,
    UserUnknown,
)
from catalog.importing import import_source
from catalog.personal import erase, list_personal_tables, read_everything
from catalog.preferences import read_preferences, write_preferences
from catalog.ratings import put_rating
from catalog.sources.mapping import build_mapping
from catalog.tables import (
    FIRST_OWN_ID,
    Account,
    Base,
    Purpose,
    Role,
    TokenFamily,
    User,
)
from catalog.tokens import LogIn, Refusal
from catalog.users import find_user, read_profile
from tests.catalog.importing.test_meanwhile import Watched
from tests.catalog.shelf import ListSource, edition, event, rating, user, work

ADA = Credentials("ada@example.org", "Ada Lovelace", "$argon2id$…")
MANY = 6


def sign_up(db: Database, credentials: Credentials = ADA) -> int:
    with db.session(write=True) as session:
        return accounts.create_reader(session, credentials)


def log_in(db: Database, user_id: int) -> LogIn:
    with db.session(write=True) as session:
        return tokens.log_in(session, user_id, Role.READER)


def refresh(db: Database, token: str) -> LogIn | Refusal:
    with db.session(write=True) as session:
        return tokens.refresh(session, token)


def issue(db: Database, user_id: int, purpose: Purpose, good_for_s: int = 60) -> str:
    with db.session(write=True) as session:
        return tokens.issue(session, user_id, purpose, good_for_s=good_for_s)


def import_library(db: Database) -> ListSource:
    source = ListSource(
        [work("w", "Ash", "Ada Lovelace", "Trees")],
        [edition(1, "Ash", of="w"), edition(2, "Birch", "Mary Shelley")],
        [user("1"), user("2")],
        [rating("1", 1, "9"), rating("2", 2, "3")],
        event_list=[event("1", 2)],
    )
    import_source(db, source)
    return source


def imported(db: Database, external_id: str = "1") -> int:
    with db.session() as session:
        return find_user(session, "lists", external_id) or 0


def claim(db: Database, external_id: str = "1") -> int:
    with db.session(write=True) as session:
        token = accounts.issue_claim(session, imported(db, external_id))
    with db.session(write=True) as session:
        return accounts.claim(session, token, ADA) or 0


def test_a_reader_who_signs_up_is_found_by_their_email(db: Database) -> None:
    user_id = sign_up(db)

    with db.session() as session:
        account = accounts.find_by_email(session, fold_email("Ada@Example.org "))
    assert account is not None
    assert (account.user_id, account.name, account.role) == (user_id, "Ada Lovelace", Role.READER)
    assert user_id >= FIRST_OWN_ID


def test_of_those_who_sign_up_with_one_email_at_once_one_gets_the_account(db: Database) -> None:
    outcomes: list[object] = []
    barrier = threading.Barrier(MANY)

    def try_it() -> None:
        barrier.wait()
        try:
            outcomes.append(sign_up(db))
        except EmailTaken as error:
            outcomes.append(error)

    run_together(try_it)

    with db.session() as session:
        assert len(session.scalars(select(User.user_id)).all()) == 1
    assert [type(each) for each in outcomes].count(EmailTaken) == MANY - 1


def run_together(work: object) -> None:
    threads = [threading.Thread(target=work) for _ in range(MANY)]  # type: ignore[arg-type]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()


def test_the_error_of_a_taken_email_does_not_tell_it(db: Database) -> None:
    sign_up(db)

    with pytest.raises(EmailTaken) as refused:
        sign_up(db)

    assert "ada" not in str(refused.value)
    assert refused.value.__cause__ is None


@pytest.mark.parametrize("text", ["ada", "@example.org", "ada@", "a da@example.org", "ada\0@example.org", ""])
def test_what_is_no_email_is_refused(text: str) -> None:
    with pytest.raises(EmailInvalid):
        fold_email(text)


def test_an_intranet_has_addresses_too() -> None:
    assert fold_email("root@mailhost") == "root@mailhost"
    assert fold_email("Jürgen@Bücher.example") == "jürgen@bücher.example"


@pytest.fixture
def no_grace(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tokens, "GRACE_S", 0)


@pytest.fixture
def long_grace(monkeypatch: pytest.MonkeyPatch) -> None:
    """Longer than a busy machine may stand still."""
    monkeypatch.setattr(tokens, "GRACE_S", 3600)


def test_a_refresh_token_is_good_once_and_a_second_time_ends_the_log_in(db: Database, no_grace: None) -> None:
    first = log_in(db, sign_up(db))

    second = refresh(db, first.refresh_token)

    assert isinstance(second, LogIn)
    assert refresh(db, first.refresh_token) is Refusal.REUSED
    assert refresh(db, second.refresh_token) is Refusal.UNKNOWN


def test_of_those_who_refresh_with_one_token_at_once_all_get_the_same_next_one(
    db: Database, long_grace: None
) -> None:
    token = log_in(db, sign_up(db)).refresh_token
    outcomes: list[LogIn | Refusal] = []
    run_together(lambda: outcomes.append(refresh(db, token)))

    following = outcomes[0]

    assert isinstance(following, LogIn)
    assert outcomes == [following] * MANY
    assert isinstance(refresh(db, following.refresh_token), LogIn)


def test_only_the_token_before_the_newest_has_a_grace(db: Database, long_grace: None) -> None:
    first = log_in(db, sign_up(db)).refresh_token
    second = refresh(db, first)
    assert isinstance(second, LogIn)
    third = refresh(db, second.refresh_token)
    assert isinstance(third, LogIn)

    assert refresh(db, second.refresh_token) == third
    assert refresh(db, first) is Refusal.REUSED
    assert refresh(db, third.refresh_token) is Refusal.UNKNOWN


def test_who_has_logged_out_has_no_grace(db: Database, long_grace: None) -> None:
    here = log_in(db, sign_up(db))
    refresh(db, here.refresh_token)

    with db.session(write=True) as session:
        tokens.log_out(session, here.family_id)

    assert refresh(db, here.refresh_token) is Refusal.UNKNOWN


def test_a_log_in_keeps_no_token_that_could_be_used(db: Database, long_grace: None) -> None:
    first = log_in(db, sign_up(db)).refresh_token
    second = refresh(db, first)
    assert isinstance(second, LogIn)

    with db.session() as session:
        stored = repr(session.execute(select(TokenFamily.__table__)).all())

    assert not any(token.partition(".")[2] in stored for token in (first, second.refresh_token))


def test_a_log_in_that_was_not_used_for_long_has_expired(db: Database) -> None:
    token = log_in(db, sign_up(db)).refresh_token
    with db.session(write=True) as session:
        session.execute(update(TokenFamily).values(expires_at=1))

    assert refresh(db, token) is Refusal.EXPIRED


@pytest.mark.parametrize("token", ["", "x", "x.y", "." * 200, "'; DROP TABLE users; --", "\0"])
def test_what_is_no_refresh_token_is_refused(sqlite: Database, token: str) -> None:
    assert refresh(sqlite, token) is Refusal.UNKNOWN


def test_who_logs_out_is_logged_out_there_and_nowhere_else(db: Database) -> None:
    user_id = sign_up(db)
    here, there = log_in(db, user_id), log_in(db, user_id)

    with db.session(write=True) as session:
        tokens.log_out(session, here.family_id)

    with db.session() as session:
        assert tokens.read_role(session, user_id, here.family_id) is None
        assert tokens.read_role(session, user_id, there.family_id) == Role.READER
        assert tokens.read_role(session, user_id + 1, there.family_id) is None


def test_a_new_password_ends_all_log_ins_and_mailed_tokens(db: Database) -> None:
    user_id = sign_up(db)
    token, mailed = log_in(db, user_id).refresh_token, issue(db, user_id, Purpose.RESET)

    with db.session(write=True) as session:
        accounts.set_password(session, user_id, "another hash")

    assert refresh(db, token) is Refusal.UNKNOWN
    with db.session(write=True) as session:
        assert tokens.spend(session, mailed, Purpose.RESET) is None


def test_a_one_time_token_is_good_once_and_for_its_purpose(db: Database) -> None:
    user_id = sign_up(db)
    token, expired = issue(db, user_id, Purpose.RESET), issue(db, user_id, Purpose.CLAIM, good_for_s=-1)

    with db.session(write=True) as session:
        spent = [tokens.spend(session, token, purpose) for purpose in (Purpose.CLAIM, Purpose.RESET)]
        again = tokens.spend(session, token, Purpose.RESET)
        late = tokens.spend(session, expired, Purpose.CLAIM)

    assert spent == [None, user_id]
    assert (again, late) == (None, None)


def test_an_imported_reader_is_claimed_once(db: Database) -> None:
    import_library(db)
    user_id = imported(db)
    with db.session(write=True) as session:
        token = accounts.issue_claim(session, user_id)

    for expected in (user_id, None):
        with db.session(write=True) as session:
            assert accounts.claim(session, token, ADA) == expected

    with pytest.raises(AccountTaken), db.session(write=True) as session:
        accounts.issue_claim(session, user_id)
    with pytest.raises(UserUnknown), db.session(write=True) as session:
        accounts.issue_claim(session, 999)


def test_a_link_is_not_used_up_by_an_email_that_is_taken(db: Database) -> None:
    import_library(db)
    sign_up(db)
    with db.session(write=True) as session:
        token = accounts.issue_claim(session, imported(db))

    with pytest.raises(EmailTaken), db.session(write=True) as session:
        accounts.claim(session, token, ADA)
    with db.session(write=True) as session:
        assert accounts.claim(session, token, replace(ADA, email="a@example.org")) == imported(db)


def test_what_readers_tell_of_themselves_replaces_what_was_there(db: Database) -> None:
    import_library(db)
    user_id = sign_up(db)

    with db.session(write=True) as session:
        write_preferences(
            session,
            user_id,
            {"country": "France", "favourite_subjects": ["Trees"], "favourite_authors": ["shelley, MARY"]},
        )
        write_preferences(session, user_id, {"gender": "female"})

    with db.session() as session:
        told = read_preferences(session, user_id)
    assert (told.country, told.gender, told.age_group) == ("France", "female", None)
    assert (told.favourite_subjects, told.favourite_authors) == (("Trees",), ("Mary Shelley",))


def test_authors_whom_the_catalog_does_not_know_are_named(db: Database) -> None:
    user_id = sign_up(db)

    with pytest.raises(AuthorsUnknown, match="Nobody") as refused, db.session(write=True) as session:
        write_preferences(session, user_id, {"favourite_authors": ["Nobody"]})

    assert refused.value.names == ["Nobody"]


def test_a_favourite_author_who_becomes_another_one_stays_a_favourite(db: Database) -> None:
    import_library(db)
    user_id = sign_up(db)
    with db.session(write=True) as session:
        write_preferences(session, user_id, {"favourite_authors": ["Mary Shelley", "Ada Lovelace"]})
        [mary] = authors.list_authors(session, name="shelley", limit=1)
        [ada] = authors.list_authors(session, name="lovelace", limit=1)

    with db.session(write=True) as session:
        authors.merge_authors(session, mary.author_id, ada.author_id)

    with db.session() as session:
        assert read_preferences(session, user_id).favourite_authors == ("Ada Lovelace",)


def test_no_import_takes_the_name_of_those_who_signed_up() -> None:
    with pytest.raises(SourceOptionInvalid, match="expected another name"):
        build_mapping(name="bookmesh")


def test_imports_leave_what_readers_have_told(db: Database) -> None:
    source = import_library(db)
    user_id = claim(db)
    with db.session(write=True) as session:
        write_preferences(session, user_id, {"country": "Chile", "favourite_subjects": []})

    import_source(db, replace(source, user_list=[user("1", "50"), user("2", "50")]))

    with db.session() as session:
        told, other = (read_preferences(session, each) for each in (user_id, imported(db, "2")))
    assert (told.country, told.age_group, told.favourite_subjects) == ("Chile", "25-34", ())
    assert other.age_group == "45-54"


def test_imports_go_on_below_the_ids_of_those_who_signed_up(db: Database) -> None:
    sign_up(db)

    import_library(db)

    assert 0 < imported(db, "1") < imported(db, "2") < 10


def test_everything_about_a_reader_is_handed_out_without_secrets(db: Database) -> None:
    import_library(db)
    user_id = claim(db)
    log_in(db, user_id)

    with db.session() as session:
        everything = read_everything(session, user_id)

    assert everything["accounts"][0]["email"] == "ada@example.org"
    assert [row["rating"] for row in everything["ratings"]] == [9.0]
    assert [row["title"] for row in everything["books"]] == ["Ash", "Birch"]
    assert len(everything["events"]) == len(everything["token_families"]) == 1
    assert "argon2" not in repr(everything)
    assert not {"password_hash", "current_hash", "family_id"} & {
        name for rows in everything.values() for row in rows for name in row
    }


def test_nothing_is_left_of_a_reader_who_leaves_and_no_import_brings_it_back(db: Database) -> None:
    source = import_library(db)
    user_id = claim(db)
    log_in(db, user_id)
    issue(db, user_id, Purpose.RESET)

    with db.session(write=True) as session:
        erase(session, user_id)
    report = import_source(db, source)

    assert imported(db) == 0
    with db.session() as session:
        for table in list_personal_tables():
            left = session.execute(select(table.__table__).where(table.__table__.c.user_id == user_id))
            assert left.all() == []
    dropped = {file.name: dict(file.dropped) for file in report.files}
    assert dropped["users"] == dropped["ratings"] == {"reader who had everything deleted": 1}
    assert imported(db, "2")


def test_a_reader_who_leaves_while_an_import_reads_stays_away(db: Database) -> None:
    source = import_library(db)
    user_id = imported(db)

    def leave() -> None:
        with db.session(write=True) as session:
            erase(session, user_id)

    import_source(db, Watched(**vars(source), meanwhile=[leave]))

    assert imported(db) == 0


def test_tables_of_readers_are_found_by_their_column() -> None:
    names = {table.__tablename__ for table in list_personal_tables()}

    assert names >= {"users", "accounts", "ratings", "events", "merged_ratings", "library_rows"}
    assert Base.metadata.tables["jobs"].columns.get("user_id") is None


def test_a_rating_of_an_own_reader_is_theirs(db: Database) -> None:
    import_library(db)
    user_id = sign_up(db)

    with db.session(write=True) as session:
        put_rating(session, user_id, 1, 8.0)

    with db.session() as session:
        profile = read_profile(session, user_id)
    assert profile is not None
    assert profile.history == ((1, 8.0),)


def test_no_error_of_a_database_quotes_an_email(db: Database) -> None:
    user_id = sign_up(db)
    values = {"name": "A", "created_at": 1, "email": "quagmire@example.org"}

    with pytest.raises(IntegrityError) as refused, db.session(write=True) as session:
        session.execute(insert(Account).values(user_id=user_id, **values))

    assert "quagmire" not in str(refused.value)
