"""Writes the dashboards: `python deploy/grafana/build.py`. A test compares the files with what this makes."""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

FOLDER: Final = Path(__file__).parent / "dashboards"
COLUMNS: Final = 24
"""Of Grafana's grid; a panel is a third of it wide."""
WIDTH, HEIGHT = 8, 8
FIRST: Final = '{place="first"}'


@dataclass(frozen=True)
class Panel:
    """One panel; `queries` are pairs of an expression and what its lines are called."""

    title: str
    queries: Sequence[tuple[str, str]]
    unit: str = "short"
    kind: str = "timeseries"
    text: str = ""


def ratio(part: str, whole: str, by: str, window: str = "5m") -> str:
    """Share of one counter's growth in another's, by labels."""
    return f"sum by ({by}) (rate({part}[{window}])) / sum by ({by}) (rate({whole}[{window}]))"


def quantile(share: float, histogram: str, by: str) -> str:
    """Of a histogram's last five minutes, by labels."""
    return f"histogram_quantile({share}, sum by (le, {by}) (rate({histogram}_bucket[5m])))"


def mean(histogram: str, by: str, window: str = "5m", where: str = "") -> str:
    """Of what a histogram has observed lately, by labels."""
    return ratio(f"{histogram}_sum{where}", f"{histogram}_count{where}", by, window)


def rate(counter: str, by: str, window: str = "5m") -> str:
    """Growth a second, by labels; 0 before the first."""
    return f"sum by ({by}) (rate({counter}[{window}])) or vector(0)"


ERRORS: Final = (
    '(sum by (process) (rate(bookmesh_requests_total{status=~"5.."}[5m]))'
    " or sum by (process) (rate(bookmesh_requests_total[5m])) * 0)"
    " / sum by (process) (rate(bookmesh_requests_total[5m]))"
)
SHARE_OF_MODES: Final = (
    'sum by (mode) (rate(bookmesh_list_books_count{surface="recommendations"}[5m]))'
    " / ignoring (mode) group_left"
    ' sum(rate(bookmesh_list_books_count{surface="recommendations"}[5m]))'
)
ABOVE_THRESHOLD: Final = (
    'bookmesh_training_check{figure="value",check=~".*_over_(popularity|current).*"} - ignoring (figure)'
    ' bookmesh_training_check{figure="threshold"}'
)
HOUR_TO_DAY: Final = (
    f"{mean('bookmesh_list_scores', 'mode', '1h', FIRST)}"
    f" / ({mean('bookmesh_list_scores', 'mode', '1d', FIRST)})"
)

MESH: Final = (
    Panel("Processes that answer", [('up{job="bookmesh"}', "{{service}} {{instance}}")]),
    Panel(
        "Requests a second",
        [("sum by (process) (rate(bookmesh_requests_total[5m]))", "{{process}}")],
        "reqps",
    ),
    Panel(
        "Errors, of all requests",
        [(ERRORS, "{{process}}")],
        "percentunit",
    ),
    Panel(
        "Latency of lists",
        [
            (quantile(0.5, "bookmesh_list_seconds", "surface"), "{{surface}} p50"),
            (quantile(0.99, "bookmesh_list_seconds", "surface"), "{{surface}} p99"),
        ],
        "s",
    ),
    Panel(
        "Latency of requests, p99",
        [(quantile(0.99, "bookmesh_request_seconds", "process"), "{{process}}")],
        "s",
    ),
    Panel(
        "Latency of calls to servers, p99",
        [(quantile(0.99, "bookmesh_upstream_seconds", "server"), "{{server}}")],
        "s",
    ),
    Panel(
        "Latency of SQL and Redis, p99",
        [
            (quantile(0.99, "bookmesh_catalog_seconds", "kind"), "SQL {{kind}}"),
            (quantile(0.99, "bookmesh_redis_seconds", "job"), "Redis"),
        ],
        "s",
    ),
    Panel(
        "Errors by code, a second",
        [(rate("bookmesh_problems_total", "process, code"), "{{process}} {{code}}")],
    ),
    Panel(
        "Load shed, a second",
        [
            (
                rate('bookmesh_problems_total{code=~"overloaded|rate_limited"}', "process, code"),
                "{{process}} {{code}}",
            ),
            (rate("bookmesh_limited_alone_total", "job"), "limited without Redis"),
        ],
    ),
    Panel(
        "Degraded lists a second, by cause",
        [(rate("bookmesh_degraded_total", "dependency"), "{{dependency}}")],
    ),
    Panel("Open breakers", [("bookmesh_breaker_open", "{{dependency}} {{instance}}")]),
    Panel(
        "Found in the cache, of all look-ups",
        [
            (
                ratio('bookmesh_cache_lookups_total{outcome="hit"}', "bookmesh_cache_lookups_total", "job"),
                "found",
            )
        ],
        "percentunit",
    ),
    Panel(
        "Version, by the time of its sealing",
        [("bookmesh_version_sealed_timestamp_seconds * 1000", "{{process}} {{instance}}")],
        "dateTimeAsIso",
    ),
    Panel(
        "Versions: refused now; loads, damaged objects, requests begun anew, a second",
        [
            ("max by (process) (bookmesh_version_refused)", "{{process}} refuses"),
            (rate("bookmesh_version_loads_total", "process, outcome"), "{{process}} {{outcome}}"),
            (rate("bookmesh_damaged_objects_total", "process"), "{{process}} damaged"),
            (rate("bookmesh_version_retries_total", "job"), "begun anew"),
        ],
    ),
    Panel("Releases", [("count by (release) (bookmesh_release_info)", "{{release}}")]),
    Panel("Memory", [('process_resident_memory_bytes{job="bookmesh"}', "{{service}} {{instance}}")], "bytes"),
    Panel(
        "CPU",
        [('rate(process_cpu_seconds_total{job="bookmesh"}[5m])', "{{service}} {{instance}}")],
        "percentunit",
    ),
    Panel("Requests being answered", [("bookmesh_requests_in_progress", "{{process}} {{instance}}")]),
)

RECOMMENDATIONS: Final = (
    Panel(
        "Click-through, by where the list was shown and how it was found",
        [
            (
                ratio(
                    'bookmesh_events_total{kind="click"}',
                    'bookmesh_events_total{kind="impression"}',
                    "surface, mode",
                    "1h",
                ),
                "{{surface}} {{mode}}",
            )
        ],
        "percentunit",
    ),
    Panel("What readers do, a second", [(rate("bookmesh_events_total", "kind", "1h"), "{{kind}}")]),
    Panel(
        "Quality of the version last trained",
        [
            (
                'bookmesh_training_metric{metric=~"(cold_|popularity_)?recall@.*|ndcg@.*",figure="mean"}',
                "{{metric}}",
            )
        ],
    ),
    Panel(
        "Warm and cold: modes of recommendations, of all",
        [(SHARE_OF_MODES, "{{mode}}")],
        "percentunit",
        text="collaborative is for readers with a history; subjects and popular for those without",
    ),
    Panel(
        "Lists a second, made and from the cache",
        [
            (
                "sum by (surface, cached) (rate(bookmesh_list_seconds_count[5m]))",
                "{{surface}}, cached: {{cached}}",
            )
        ],
    ),
    Panel(
        "Empty lists, of all",
        [
            (
                ratio('bookmesh_list_books_bucket{le="0.0"}', "bookmesh_list_books_count", "surface, mode"),
                "{{surface}} {{mode}}",
            )
        ],
        "percentunit",
    ),
    Panel("Books of a list, mean", [(mean("bookmesh_list_books", "surface, mode"), "{{surface}} {{mode}}")]),
    Panel(
        "Scores of the first and the last book, mean",
        [(mean("bookmesh_list_scores", "mode, place", where='{mode!="keyword"}'), "{{mode}} {{place}}")],
        text="Scores of keyword search are of another size",
    ),
    Panel(
        "Score of the first book, this hour to this day",
        [(HOUR_TO_DAY, "{{mode}}")],
        text="1 is no drift; BookmeshScoreDrift compares with the day before",
    ),
    Panel(
        "Scores of the first book of collaborative lists",
        [
            (
                'sum by (le) (increase(bookmesh_list_scores_bucket{mode="collaborative",place="first"}[5m]))',
                "{{le}}",
            )
        ],
        kind="heatmap",
    ),
)

PIPELINE: Final = (
    Panel(
        "What became of the last training",
        [("bookmesh_training_outcome == 1", "{{outcome}}")],
        kind="state-timeline",
    ),
    Panel(
        "Age of what is served",
        [("time() - bookmesh_current_version_trained_timestamp_seconds", "since it was trained")],
        "s",
    ),
    Panel(
        "Time of a training",
        [
            (
                "bookmesh_training_ended_timestamp_seconds - bookmesh_training_started_timestamp_seconds",
                "all steps",
            )
        ],
        "s",
    ),
    Panel("Time of each step", [("sum by (step) (bookmesh_training_step_seconds)", "{{step}}")], "s"),
    Panel("Ratings", [("bookmesh_training_rows", "{{what}}")]),
    Panel(
        "Gate: what it measured",
        [('bookmesh_training_check{figure="value",check=~".*_over_(popularity|current).*"}', "{{check}}")],
        text="Checks of whole models are in the panel of checks that passed",
    ),
    Panel(
        "Gate: what it measured above what it asked for",
        [(ABOVE_THRESHOLD, "{{check}}")],
    ),
    Panel("Gate: checks passed", [("bookmesh_training_check_passed", "{{check}}")], kind="state-timeline"),
    Panel(
        "Figures of quality, with their intervals",
        [('bookmesh_training_metric{metric=~"recall@[0-9]+|ndcg@[0-9]+"}', "{{metric}} {{figure}}")],
    ),
    Panel(
        "Jobs that ended, a day",
        [("sum by (kind, outcome) (increase(bookmesh_jobs_total[1d]))", "{{kind}} {{outcome}}")],
    ),
    Panel("Jobs that run", [("bookmesh_running_jobs", "{{kind}}")]),
    Panel(
        "Disk of the home, free",
        [("bookmesh_home_free_bytes / bookmesh_home_size_bytes", "{{instance}}")],
        "percentunit",
    ),
)

DASHBOARDS: Final = {"Mesh": MESH, "Recommendations": RECOMMENDATIONS, "Pipeline": PIPELINE}


def build_dashboard(title: str, panels: Sequence[Panel]) -> dict[str, Any]:
    """What Grafana reads."""
    return {
        "uid": f"bookmesh-{title.lower()}",
        "title": title,
        "tags": ["bookmesh"],
        "schemaVersion": 39,
        "refresh": "30s",
        "time": {"from": "now-6h", "to": "now"},
        "panels": [build_panel(number, panel) for number, panel in enumerate(panels)],
    }


def build_panel(number: int, panel: Panel) -> dict[str, Any]:
    """One panel, in rows of three."""
    source = {"type": "prometheus", "uid": "prometheus"}
    row, column = divmod(number, COLUMNS // WIDTH)
    return {
        "id": number + 1,
        "title": panel.title,
        "description": panel.text,
        "type": panel.kind,
        "datasource": source,
        "gridPos": {"h": HEIGHT, "w": WIDTH, "x": column * WIDTH, "y": row * HEIGHT},
        "fieldConfig": {"defaults": {"unit": panel.unit}, "overrides": []},
        "targets": [
            {
                "refId": chr(ord("A") + place),
                "datasource": source,
                "expr": expression,
                "legendFormat": legend,
                "format": "heatmap" if panel.kind == "heatmap" else "time_series",
            }
            for place, (expression, legend) in enumerate(panel.queries)
        ],
    }


def render(title: str) -> str:
    """The file of a dashboard."""
    return json.dumps(build_dashboard(title, DASHBOARDS[title]), indent=1) + "\n"


if __name__ == "__main__":
    FOLDER.mkdir(exist_ok=True)
    for title in DASHBOARDS:
        (FOLDER / f"{title.lower()}.json").write_text(render(title))
