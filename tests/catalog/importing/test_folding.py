import pytest

from catalog.cleaning import subject_key
from catalog.importing.folding import MAX_SUBJECTS, choose_names, fold_key, merge_variants
from catalog.importing.subject_words import read_subject_words, read_synonyms


@pytest.mark.parametrize(
    ("raw", "name"),
    [
        ("science-fiction", "Science fiction"),
        ("Sci-Fi", "Science fiction"),
        ("Fiction, science fiction, general", "Science fiction"),
        ("American Science fiction", "Science fiction"),
        ("Science fiction -- History and criticism", "Science fiction"),
        ("FICTION / Thrillers / General", "Thrillers"),
        ("Fantasy,Magic", "Magic"),
        ("Magic, fiction", "Magic"),
        ("England in fiction", "England"),
        ("England, fiction", "England"),
        ("World war, 1939-1945", "World War II"),
        ("Vampires in literature", "Vampires"),
        ("children-s-books", "Children's books"),
        ("Children's fiction", "Children's books"),
        ("Fiction, mystery & detective, police procedural", "Detectives"),
        ("Large type books", "Large type books"),
        ("Fiction, general", "Fiction"),
        ("Children's literature, English", "Children's books"),
        ("Children's poetry, American", "Poetry"),
        ("Young adult fiction, English", "Young adult"),
        ("Fiction, fantasy, urban", "Urban fantasy"),
        ("Novela policíaca", "Mystery"),
        ("Guerre mondiale, 1939-1945", "World War II"),
        ("Great Britain -- Social life and customs -- Fiction", "Great Britain"),
        ("Spain, description and travel", "Spain"),
        ("African American women", "African Americans"),
        ("Linguistics", "Language"),
    ],
)
def test_spellings_of_one_subject_fold_to_one_name(raw: str, name: str) -> None:
    assert read_subject_words().names[str(fold_key(raw))] == name


@pytest.mark.parametrize(
    "raw",
    [
        "Open Library Staff Picks",
        "to-read",
        "Damali Richards (Fictitious character)",
        "series:Discworld",
        "2012",
        "مقالات",
        "Faulkner, william, 1897-1962",
        "Translations into French",
        "Protected DAISY",
        "Spanish language books",
        "New York Times bestseller",
        "Newbery Honor",
        "nyt:paperback=2010-01-01",
        "",
    ],
)
def test_tags_that_tell_nothing_of_a_book_fold_to_nothing(raw: str) -> None:
    assert fold_key(raw) is None


def test_other_forms_of_a_word_are_merged_into_the_commonest() -> None:
    merged = merge_variants(
        {"orphan": 2, "orphans": 9, "orphans stories": 1, "glass": 3, "lighthouses": 1, "lighthouse": 1}
    )

    assert merged == {"orphan": "orphans", "orphans stories": "orphans", "lighthouses": "lighthouse"}


def test_what_is_said_of_a_thing_is_no_form_of_a_word_that_says_nothing() -> None:
    assert merge_variants({"general": 9, "generals": 2}) == {}


def test_only_frequent_subjects_of_a_large_catalog_are_kept_and_no_more_than_the_most() -> None:
    counts = {f"subject{n}": 1 + n for n in range(2 * MAX_SUBJECTS)}

    names = choose_names(counts, {key: key for key in counts}, known={}, n_books=20_000)

    assert len(names) == MAX_SUBJECTS
    assert min(counts[key] for key in names) == MAX_SUBJECTS + 1
    assert set(choose_names({"rare": 4, "common": 5}, {"common": "common"}, known={}, n_books=20_000)) == {
        "common"
    }


def test_a_subject_keeps_the_name_that_the_catalog_knows() -> None:
    names = choose_names(
        {"lighthouse": 3}, {"lighthouse": "light-house"}, known={"lighthouse": "Lighthouse!"}, n_books=9
    )

    assert names == {"lighthouse": "Lighthouse!"}


def test_the_word_lists_do_not_contradict_each_other() -> None:
    words, synonyms = read_subject_words(), read_synonyms()
    variants = [variant for keys in synonyms.values() for variant in keys]

    assert len(variants) == len(set(variants)) > 1_000
    assert [variant for variant in variants if subject_key(variant) != variant] == []
    assert not set(variants) & {subject_key(name) for name in synonyms}
    assert synonyms.keys() >= words.generic
    assert not words.noise & words.names.keys()
