import numpy as np

from catalog.importing.origins import Origins


def test_rows_are_counted_by_the_file_that_they_came_from_and_told_with_their_lines() -> None:
    origins = Origins()
    for line, file in enumerate("abac", 7):
        origins.add(file, None if file == "c" else line)

    told = [(file, n, list(lines)) for file, n, lines in origins.by_file(np.array([0, 2, 3]))]

    assert told == [("a", 2, [7, 9]), ("c", 1, [])]
