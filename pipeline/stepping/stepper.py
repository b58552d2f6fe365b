"""Runs one step: looks for a kept result first, reports to progress and log, and remembers what was used."""

import time
from collections.abc import Callable
from typing import Final, ParamSpec, TypeVar, get_type_hints

import structlog

from catalog.database import Database
from pipeline.records import Export
from pipeline.stepping.cache import StepCache
from pipeline.stepping.keys import Keys
from pipeline.stepping.progress import Progress, StepRun
from telemetry.tracing import span

P = ParamSpec("P")
R = TypeVar("R")
log = structlog.get_logger()

STEPS: Final = ("export", "clean", "split", "aggregate", "subjects", "als", "ranker", "index", "gate")
"""The nine steps, in order; step i is `pipeline/steps/s<i>_<name>.py`."""


class Stepper:
    """Runs steps over one cache; `first_repeated` and all after it run even if a result is kept."""

    def __init__(self, cache: StepCache, progress: Progress, *, first_repeated: str | None) -> None:
        self.progress = progress
        self.runs: list[StepRun] = []
        self.keys = Keys()
        self._cache = cache
        self._repeated = STEPS[STEPS.index(first_repeated) :] if first_repeated else ()
        self._used: set[str] = set()

    def run(self, name: str, data: str, step: Callable[P, R], /, *inputs: P.args, **options: P.kwargs) -> R:
        """`step(*inputs, **options)`, or what it returned before; inputs are results of this stepper.

        Inputs, options and code make the key, tools excepted. Raises ValueWithoutKey for any other input.
        """
        key = f"{name}-{self.keys.build(step, inputs, options)}"
        kind: type[R] = get_type_hints(step)["return"]
        started = self._start(name, data)
        with span(f"step {name}", {"data": data}):
            found = None if name in self._repeated else self._cache.find(key, kind)
            result = self._cache.keep(key, step(*inputs, **options)) if found is None else found
        return self._finish(name, data, started, key, result, reused=found is not None)

    def export(self, step: Callable[[Database], Export], db: Database) -> Export:
        """Step 1, whose input is the live database: it always runs, unless a later step is to be repeated.

        Its key is what it found, so that the steps after it run only if that has changed.
        """
        started = self._start("export", "all")
        with span("step export", {"data": "all"}):
            key, found = self._find_last_export()
            if found is None:
                exported = step(db)
                key = f"export-{self.keys.build(step, [exported.fingerprint], {})}"
                found = self._cache.find(key, Export)
            result = self._cache.keep(key, exported) if found is None else found
        return self._finish("export", "all", started, key, result, reused=found is not None)

    def derive(self, function: Callable[P, R], /, *inputs: P.args, **options: P.kwargs) -> R:
        """`function(*inputs, **options)`, too quick to be worth keeping, as an input of steps."""
        result = function(*inputs, **options)
        self.keys.remember(result, self.keys.build(function, inputs, options))
        return result

    def forget_unused(self) -> None:
        """Remove the kept results that this run did not use."""
        self._cache.forget_others(self._used)

    def _find_last_export(self) -> tuple[str, Export | None]:
        if not self._repeated or "export" in self._repeated:
            return "", None
        key = self._cache.newest("export") or ""
        return key, self._cache.find(key, Export)

    def _start(self, name: str, data: str) -> float:
        self.progress.step_started(STEPS.index(name) + 1, name, data)
        return time.monotonic()

    def _finish(self, name: str, data: str, started: float, key: str, result: R, *, reused: bool) -> R:
        seconds = round(time.monotonic() - started, 3)
        run = StepRun(STEPS.index(name) + 1, name, data, seconds, reused)
        self.runs.append(run)
        self.keys.remember(result, key)
        self._used.add(key)
        self.progress.step_finished(run)
        log.info("step finished", step=name, data=data, seconds=run.seconds, reused=run.reused)
        return result
