"""Shows what the catalog holds."""

from catalog.survey import Survey
from cli.charts import draw_counts, draw_numbers
from cli.console import out


def print_survey(survey: Survey) -> None:
    """Print counts and charts."""
    n_books = survey.rows["books"]
    sources = {name: (each["books"], each["readers"]) for name, each in survey.sources.items()}
    quantiles = {"a reader": survey.ratings_of_reader, "a book": survey.ratings_of_book}
    rows = {name: tuple(each.values()) for name, each in quantiles.items()}
    out.print(draw_numbers("The catalog", ("rows",), {name: (n,) for name, n in survey.rows.items()}))
    out.print(draw_numbers("from", ("books", "readers"), sources))
    if survey.hidden_books:
        out.print(draw_counts("books that are evidence only", survey.hidden_books))
    if survey.rows["books"]:
        out.print(draw_counts("books whose … is known", survey.known, of=n_books))
        out.print(draw_counts("first published", survey.years))
        out.print(draw_counts("pages", survey.pages))
        out.print(draw_counts("language", survey.languages))
        out.print(draw_counts("subject", {each.name: each.n_books for each in survey.subjects}, of=n_books))
    if survey.rows["ratings"]:
        out.print(draw_counts("rating, rounded", survey.ratings))
        out.print(draw_numbers("ratings of", tuple(survey.ratings_of_book), rows))
    if survey.events:
        out.print(draw_counts("event", survey.events))
