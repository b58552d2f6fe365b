from foundation.text import strip_accents, to_ascii


def test_accents_go_and_other_letters_stay() -> None:
    assert strip_accents("Brontë, Søren, Война, №7") == "Bronte, Søren, Воина, No7"


def test_ascii_keeps_what_it_has_letters_for() -> None:
    assert to_ascii("Brontë, Søren №7") == "Bronte, Sren No7"
