from pipeline.comparing.plots import LINES, MAX_LINES


def test_there_are_colours_where_what_is_served_is_not_among_the_lines() -> None:
    assert len(set(LINES)) >= MAX_LINES
