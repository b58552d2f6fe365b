"""Progress bars on a terminal for imports and trainings; silent where nobody watches."""

from collections.abc import Iterator
from contextlib import contextmanager

from rich.progress import (
    BarColumn,
    MofNCompleteColumn,
    Progress,
    ProgressColumn,
    SpinnerColumn,
    TaskID,
    TaskProgressColumn,
    TextColumn,
    TimeElapsedColumn,
)

from cli.console import err
from pipeline.stepping import progress as steps


class Bars:
    """A bar for each named stage; totals may be unknown, and may become known late."""

    def __init__(self, progress: Progress) -> None:
        self._progress = progress
        self._tasks: dict[str, TaskID] = {}

    def update(self, stage: str, done: int, total: int | None) -> None:
        """Show that `done` of `total` of this stage is behind us; make the bar at the first call."""
        if stage not in self._tasks:
            self._tasks[stage] = self._progress.add_task(stage, total=total)
        self._progress.update(self._tasks[stage], completed=done, total=total)


class StepBars(steps.Progress):
    """Draws the running step of a training as a bar and leaves a line for each finished one."""

    def __init__(self, progress: Progress) -> None:
        self._progress = progress
        self._tasks: list[TaskID] = []
        """Of the running step, and of those that wait for it."""
        self.where = "before its first step"
        """How far the training is, to be told if it fails."""

    def step_started(self, number: int, name: str, data: str) -> None:
        """Draw the bar of a step."""
        self.where = f"at step {number}, {name} ({data})"
        self._tasks.append(self._progress.add_task(f"{number} {name} ({data})", total=1.0))

    def step_advanced(self, share: float) -> None:
        """Move the bar."""
        self._progress.update(self._tasks[-1], completed=share)

    def step_finished(self, run: steps.StepRun) -> None:
        """Leave a line in place of the bar."""
        self.where = f"after step {run.number}, {run.name} ({run.data})"
        self._progress.remove_task(self._tasks.pop())
        took = "kept from an earlier run" if run.reused else f"{run.seconds:.1f} s"
        if self._progress.console.is_terminal:
            line = f"  {run.number} {run.name:<10} {run.data:<6} {took}"
            self._progress.console.print(line, highlight=False)


@contextmanager
def bars() -> Iterator[Bars]:
    """Bars on standard error while the block runs."""
    with _draw(MofNCompleteColumn()) as progress:
        yield Bars(progress)


@contextmanager
def step_bars() -> Iterator[StepBars]:
    """A training's bars on standard error while the block runs."""
    with _draw(TaskProgressColumn(), transient=True) as progress:
        yield StepBars(progress)


def _draw(amount: ProgressColumn, *, transient: bool = False) -> Progress:
    columns = (SpinnerColumn(), TextColumn("{task.description}"), BarColumn(), amount, TimeElapsedColumn())
    return Progress(*columns, console=err, transient=transient, disable=not err.is_terminal)
