from foundation.text import split_words, strip_accents, to_ascii


def test_accents_go_and_other_letters_stay() -> None:
    assert strip_accents("Brontë, Søren, Война, №7") == "Bronte, Søren, Воина, No7"


def test_ascii_keeps_what_it_has_letters_for() -> None:
    assert to_ascii("Brontë, Søren №7") == "Bronte, Sren No7"


def test_words_of_other_scripts_are_words() -> None:
    assert split_words("Война и мир, №7 — L'Été_2") == ["воина", "и", "мир", "no7", "lete", "2"]
    assert split_words("U.S.A., Mr. X. and C.S. Lewis's T.") == ["usa", "mr", "x", "and", "cs", "lewiss", "t"]
