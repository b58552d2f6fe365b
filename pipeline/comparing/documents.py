"""A comparison as people and programs read it: JSON with every figure, Markdown, and one page with plots."""

import json
from collections.abc import Iterable, Sequence
from dataclasses import asdict
from html import escape
from importlib.resources import files
from pathlib import Path
from string import Template
from typing import Any, Final

from pipeline.comparing.comparison import Comparison, Model
from pipeline.comparing.contestants import SERVED
from pipeline.comparing.figures import TOP
from pipeline.comparing.plots import draw_plots
from pipeline.evaluation.intervals import Interval

DIGITS: Final = 6
"""Of every number in the JSON file: what comes after them may differ from processor to processor."""

Row = Sequence[str]
Section = tuple[str, str, list[Row]]
"""A title, a sentence, and a table, whose first row is its head."""


def write_documents(found: Comparison, folder: Path) -> list[Path]:
    """Write all three, whole or not at all, and tell where."""
    folder.mkdir(parents=True, exist_ok=True)
    written = []
    for suffix, write in ((".json", write_json), (".md", write_markdown), (".html", write_page)):
        path = folder / f"evaluation-{found.protocol}{suffix}"
        unfinished = path.with_name(path.name + ".unfinished")
        unfinished.write_text(write(found), "utf-8")
        unfinished.replace(path)
        written.append(path)
    return written


def write_json(found: Comparison) -> str:
    """Every figure."""
    return json.dumps(_round(asdict(found)), indent=1, ensure_ascii=False) + "\n"


def write_markdown(found: Comparison) -> str:
    """Tables, for a terminal and for a repository."""
    parts = [f"# {_title(found)}", _describe(found)]
    for title, sentence, rows in _list_sections(found):
        head, *body = [f"| {' | '.join(row)} |" for row in rows]
        rule = "|---|" + "--:|" * (len(rows[0]) - 1)
        parts += [f"## {title}", sentence, "\n".join([head, rule, *body])]
    return "\n\n".join(filter(None, parts)) + "\n"


def write_page(found: Comparison) -> str:
    """One HTML file that loads nothing."""
    page = Template((files("pipeline.comparing") / "page.html").read_text("utf-8"))
    plots = [f"<figure><h2>{escape(title)}</h2>{svg}</figure>" for title, svg in draw_plots(found).items()]
    tables = [
        f"<section><h2>{escape(title)}</h2><p>{escape(sentence)}</p>{_write_table(rows)}</section>"
        for title, sentence, rows in _list_sections(found)
    ]
    return page.substitute(
        title=escape(_title(found)),
        description=escape(_describe(found)),
        verdict=escape(_tell_verdict(found)),
        plots="\n".join(plots),
        tables="\n".join(tables),
    )


def _title(found: Comparison) -> str:
    return f"Evaluation: {found.protocol}"


def _describe(found: Comparison) -> str:
    counts = ", ".join(f"{n:,} {name}" for name, n in found.data.items())
    source = f" of the source {found.source}" if found.source else ""
    seeds = f", mean of {found.seeds} splits and trainings" if found.seeds > 1 else ""
    return (
        f"{found.n_users:,} {found.unit}{source}, split {found.split_id}{seeds}; {counts}. "
        f"In brackets 95 % intervals of a bootstrap over {found.unit}; differences and ratios are paired, "
        f"to {found.baseline}. bookmesh {found.release}, catalog {found.fingerprint[:12]}."
    )


def _tell_verdict(found: Comparison) -> str:
    """The one sentence that most look for."""
    served = next((model for model in found.models if model.name == SERVED), None)
    recall = f"recall@{found.k}"
    if served is None or found.baseline == SERVED or recall not in served.figures.ratios:
        return ""
    ratio = served.figures.ratios[recall]
    told = "better" if ratio.low > 1 else "worse" if ratio.high < 1 else "not told apart"
    return f"{recall} of what is served is {_write(ratio, 2)} × that of {found.baseline}: {told}."


def _list_sections(found: Comparison) -> Iterable[Section]:
    names = list(found.models[0].figures.means)
    yield (
        "Models",
        "",
        [
            ["model", *names, f"coverage@{found.k}"],
            *([model.name, *_row(model, names), f"{model.coverage:.3f}"] for model in found.models),
        ],
    )
    main = [f"recall@{found.k}", f"NDCG@{TOP}"]
    yield (
        f"Beside {found.baseline}",
        "Differences and ratios of each model to it, for the same readers.",
        [
            ["model", *(f"{name}, {what}" for name in main for what in ("difference", "ratio"))],
            *([model.name, *_compare(model, main)] for model in found.models),
        ],
    )
    yield from _list_parts(found, main[0])
    yield from _list_ratings(found)
    yield from _list_curve(found)
    if found.seeds > 1:
        yield (
            "Splits and trainings",
            f"Mean {main[0]} of each.",
            [
                ["model", *(f"seed {seed}" for seed in range(found.seeds))],
                *([model.name, *(f"{each:.4f}" for each in model.recall_by_seed)] for model in found.models),
            ],
        )


def _list_parts(found: Comparison, figure: str) -> Iterable[Section]:
    for group in dict.fromkeys(part.group for part in found.parts):
        parts = [part for part in found.parts if part.group == group]
        rows = [
            [model.name, *(_write(part.models[model.name].means[figure]) for part in parts)]
            for model in found.models
        ]
        heads = [f"{part.name} ({part.n_users:,})" for part in parts]
        yield (
            f"By {group}",
            f"{figure}; in brackets of the head how many are measured.",
            [["model", *heads], *rows],
        )


def _list_ratings(found: Comparison) -> Iterable[Section]:
    if (ratings := found.ratings) is None:
        return
    errors = [[name, _write(each)] for name, each in ratings.rmse.items()]
    yield (
        "Ratings foretold",
        f"Root mean squared error over {ratings.n_ratings:,} ratings held out, of 1 to 10.",
        [["foretold by", "RMSE"], *errors],
    )
    if ratings.auc_gain is not None:
        orders = [[name, _write(each)] for name, each in ratings.auc.items()]
        told = (
            "The share of pairs of a held-out book rated 8 or more and one of 5 or less in which the first "
            f"ranks higher, of {ratings.n_users_with_pairs:,} readers with such a pair."
        )
        yield (
            "Loved before disliked",
            told,
            [["lists", "AUC"], *orders, ["gained by ratings", _write(ratings.auc_gain, sign="+")]],
        )


def _list_curve(found: Comparison) -> Iterable[Section]:
    if not found.curve:
        return
    names = list(found.curve[0].recall)
    rows = [
        [f"{point.share:.0%}", f"{point.n_users:,}", *(_write(point.recall[name]) for name in names)]
        for point in found.curve
    ]
    yield (
        "Learning curve",
        f"recall@{found.k} of models that learned from a share of the readers.",
        [["share", "readers", *names], *rows],
    )


def _row(model: Model, names: Sequence[str]) -> list[str]:
    return [_write(model.figures.means[name]) for name in names]


def _compare(model: Model, names: Sequence[str]) -> Iterable[str]:
    for name in names:
        yield _write(model.figures.gains[name], sign="+")
        ratio = model.figures.ratios.get(name)
        yield _write(ratio, 2) if ratio else "-"


def _write(each: Interval, digits: int = 4, *, sign: str = "") -> str:
    mean, low, high = (f"{value:{sign}.{digits}f}" for value in (each.mean, each.low, each.high))
    return f"{mean} [{low}, {high}]"


def _write_table(rows: Sequence[Row]) -> str:
    head, *body = rows
    lines = ["<tr>" + "".join(f"<th>{escape(cell)}</th>" for cell in head) + "</tr>"]
    for row in body:
        mark = ' class="ours"' if row[0] == SERVED else ""
        lines.append(f"<tr{mark}>" + "".join(f"<td>{_write_cell(cell)}</td>" for cell in row) + "</tr>")
    return f"<div><table>{''.join(lines)}</table></div>"


def _write_cell(cell: str) -> str:
    """The interval small, below its mean."""
    mean, bracket, interval = cell.partition(" [")
    return escape(mean) + (f"<small>[{escape(interval)}</small>" if bracket else "")


def _round(value: Any) -> Any:
    match value:
        case float():
            return round(value, DIGITS)
        case dict():
            return {name: _round(each) for name, each in value.items()}
        case list() | tuple():
            return [_round(each) for each in value]
    return value
