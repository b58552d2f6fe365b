"""The bench of serving, for a second: what it starts answers, and what it counts is right."""

import asyncio
import json
from contextlib import ExitStack
from itertools import cycle, islice
from pathlib import Path

from tests.bench.serving import plots, report
from tests.bench.serving.homes import read_asked
from tests.bench.serving.load import build_request, drive
from tests.bench.serving.measuring import measure, overload
from tests.bench.serving.targets import Targets
from tests.gateway.stubs import build_response, misbehaving, read_request
from tests.meshes import Mesh

DEGRADED = build_response(b'{"degraded":["als"],"items":[]}')
REFUSED = build_response(b"{}", "503 Service Unavailable\r\nRetry-After: 1")


def test_a_short_run_writes_tables_and_plots(mesh: Mesh, tmp_path: Path) -> None:
    with ExitStack() as stack:
        targets = Targets(stack, tmp_path, read_asked(mesh.home.path, seed=0))
        series = [*targets.mesh(mesh), targets.layers(mesh), *targets.floor()]
        measured = measure(series, connections=(1, 4), rounds=1, seconds=0.1, tell=print)
        overloaded = overload(series[0], 1, seconds=0.2, tell=print)
    results = report.Results(report.describe_machine(), (1, 4), measured, overloaded)
    report.write(results, tmp_path)
    plots.draw(results, tmp_path)

    written = json.loads((tmp_path / "bench.json").read_text())
    assert set(written["series"]) == {each.name for each in series}
    bursts = [each for one in measured.values() for each in one.bursts]
    assert all(each.rate > 0 and each.total_cpu_us > 0 for each in bursts)
    assert not any(each.refused or each.lost for each in bursts)
    assert min(measured["bookmesh"].pss_mib.values()) > 0
    assert all(f"| {each.name} |" in (tmp_path / "bench.md").read_text() for each in series)
    assert len(list(tmp_path.glob("*.png"))) == 4


async def test_answers_are_counted_by_what_they_are() -> None:
    failed = build_response(b"{}", "500 Internal Server Error")
    of_connections = [[build_response(b"{}"), DEGRADED, b""], [failed]]

    async def answer_in_turn(
        reader: asyncio.StreamReader, writer: asyncio.StreamWriter, n_before: int
    ) -> None:
        for each in of_connections[n_before]:
            await read_request(reader)
            writer.write(each)

    async with misbehaving(answer_in_turn) as url:
        requests = islice(cycle([build_request(url, "/", {})]), 4)
        outcome = await asyncio.to_thread(drive, url, requests, connections=1, seconds=60)

    assert len(outcome.seconds) == 2
    assert (outcome.degraded, outcome.refused, outcome.lost) == (1, {500: 1}, 1)


async def test_who_is_refused_comes_back_as_told() -> None:
    n_requests = 0

    async def refuse(reader: asyncio.StreamReader, writer: asyncio.StreamWriter, _: int) -> None:
        nonlocal n_requests
        while True:
            await read_request(reader)
            n_requests += 1
            writer.write(REFUSED)

    async with misbehaving(refuse) as url:
        requests = cycle([build_request(url, "/", {})])
        patient, hasty = [
            await asyncio.to_thread(drive, url, requests, connections=1, seconds=0.3, waits=waits)
            for waits in (True, False)
        ]

    assert patient.refused == {503: 1}
    assert n_requests == 1 + hasty.refused[503] > 2
