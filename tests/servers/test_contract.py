"""What all five servers promise, asked of the real ones."""

import json
import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import httpx

from artifacts.store import ArtifactStore
from contracts.errors import PROBLEM_MEDIA_TYPE, Problem
from contracts.shell import SERVER_NAMES, Info, ModelResponse, Ready, ServerName
from servers.shell.serve import find_server
from tests.servers import tiny
from tests.servers.requests import REQUESTS
from tests.servers.running import serving, settings_for, wait_until

ABSENT = "20000101T000000Z-000000"


def check_problem(response: httpx.Response, status: int, code: str) -> Problem:
    assert response.status_code == status, response.text
    assert response.headers["content-type"] == PROBLEM_MEDIA_TYPE
    problem = Problem.model_validate_json(response.content)
    assert (problem.status, problem.code, problem.type) == (status, code, f"urn:bookmesh:error:{code}")
    assert problem.request_id == response.headers["x-request-id"]
    assert problem.detail
    return problem


def ask(client: httpx.Client, name: ServerName, version: str | None = None) -> httpx.Response:
    path, body = next(iter(REQUESTS[name].items()))
    return client.post(path, json=body, headers={"X-Artifact-Version": version} if version else {})


def info_of(client: httpx.Client) -> Info:
    return Info.model_validate_json(client.get("/info").content)


def test_every_server_has_a_sample_request_for_each_of_its_routes(name: ServerName) -> None:
    assert {route.path for route in find_server(name).routes} == set(REQUESTS[name])


def test_a_server_with_a_version_is_live_and_ready(client: httpx.Client, published: tuple[Path, str]) -> None:
    for path in ("/health/live", "/health/ready"):
        response = client.get(path)

        assert response.status_code == 200
        assert Ready.model_validate_json(response.content) == Ready(ready=True, version=published[1])


def test_model_tells_where_the_version_came_from(client: httpx.Client, published: tuple[Path, str]) -> None:
    response = client.post("/model", json={})

    model = ModelResponse.model_validate_json(response.content)
    assert response.headers["x-artifact-version"] == model.version == published[1]
    assert (model.passed, model.counts["books"], model.counts["subjects"]) == (True, tiny.N, 2)
    check_problem(client.post("/model", headers={"X-Artifact-Version": ABSENT}), 409, "version_not_held")


def test_info_tells_the_version_its_arrays_and_the_limits(
    client: httpx.Client, name: ServerName, published: tuple[Path, str]
) -> None:
    info = info_of(client)

    assert (info.server, info.version, info.held) == (name, published[1], [published[1]])
    assert info.shapes
    assert all(key.startswith(f"{name}/") for key in info.shapes)
    assert info.rss_bytes > 0
    assert info.limits == {"max_body_bytes": 1 << 20, "max_books": 10_000, "max_concurrent_requests": 64}
    assert info.last_reload_error is None


def test_every_route_names_the_version_that_answered(
    client: httpx.Client, name: ServerName, published: tuple[Path, str]
) -> None:
    for path, body in REQUESTS[name].items():
        for headers in ({}, {"X-Artifact-Version": published[1]}):
            response = client.post(path, json=body, headers=headers)

            assert response.status_code == 200, response.text
            assert response.json()["version"] == published[1]
            assert response.headers["x-artifact-version"] == published[1]


def test_every_route_refuses_a_version_it_lacks_and_names_those_it_holds(
    client: httpx.Client, name: ServerName, published: tuple[Path, str]
) -> None:
    for path, body in REQUESTS[name].items():
        response = client.post(path, json=body, headers={"X-Artifact-Version": ABSENT})

        assert check_problem(response, 409, "version_not_held").held == [published[1]]


def malformed(body: dict[str, object]) -> Iterator[bytes]:
    yield b""
    yield b"[]"
    yield b'{"'
    yield json.dumps({**body, "surprise": 1}).encode()
    yield json.dumps({**body, next(iter(body)): None}).encode()
    if "k" in body:
        for k in (0, -1, 10_001, "many", 2.5):
            yield json.dumps({**body, "k": k}).encode()
    if "vector" in body:
        for number in ("NaN", "Infinity", "1e300", '"1"x'):
            yield json.dumps({**body, "vector": [0]}).replace("[0]", f"[{number}]").encode()
        yield json.dumps({**body, "vector": [1.0] * 3}).encode()
    if "book_ids" in body:
        for book_ids in ([], [-1], [2**63], ["x"]):
            yield json.dumps({**body, "book_ids": book_ids}).encode()


def test_every_route_refuses_a_malformed_body(client: httpx.Client, name: ServerName) -> None:
    for path, body in REQUESTS[name].items():
        for content in malformed(body):
            check_problem(client.post(path, content=content), 422, "invalid_request")


def test_every_path_refuses_the_wrong_method_and_names_the_right_one(
    client: httpx.Client, name: ServerName
) -> None:
    allowed = dict.fromkeys((*REQUESTS[name], "/model", "/reload"), "POST")
    allowed |= dict.fromkeys(("/health/live", "/health/ready", "/info", "/metrics"), "GET")
    for path, method in allowed.items():
        response = client.request("GET" if method == "POST" else "POST", path)

        check_problem(response, 405, "method_not_allowed")
        assert response.headers["allow"] == ("GET, HEAD" if method == "GET" else method)


def test_head_has_the_headers_of_get_and_no_body(client: httpx.Client) -> None:
    for path in ("/health/live", "/health/ready"):
        got, asked = client.get(path), client.head(path)

        assert (asked.status_code, asked.content) == (200, b"")
        assert asked.headers["content-length"] == got.headers["content-length"]
        assert asked.headers.keys() == got.headers.keys()


def test_an_unknown_path_is_not_found(client: httpx.Client) -> None:
    for path in ("/", "/nothing", "/info/", "/docs"):
        check_problem(client.get(path), 404, "not_found")


def test_every_route_refuses_a_body_over_the_limit_announced_or_not(
    client: httpx.Client, name: ServerName
) -> None:
    chunk = b" " * 65_536
    for path in REQUESTS[name]:
        check_problem(client.post(path, content=chunk * 17), 413, "body_too_large")
        check_problem(client.post(path, content=iter([chunk] * 17)), 413, "body_too_large")


def test_a_late_request_is_refused_and_a_nonsense_deadline_too(
    client: httpx.Client, name: ServerName
) -> None:
    for path, body in REQUESTS[name].items():
        late = client.post(path, json=body, headers={"X-Deadline-Ms": "0"})
        in_time = client.post(path, json=body, headers={"X-Deadline-Ms": "60000"})

        check_problem(late, 503, "overloaded")
        assert late.headers["retry-after"] == "1"
        assert in_time.status_code == 200
        for nonsense in ("soon", "-5", "1.5", "", "9" * 400, "9" * 5000):
            response = client.post(path, json=body, headers={"X-Deadline-Ms": nonsense})
            check_problem(response, 422, "invalid_request")


def test_the_callers_request_id_comes_back_unless_it_is_unfit_for_a_log(client: httpx.Client) -> None:
    kept = client.get("/health/live", headers={"X-Request-ID": "abc-123"}).headers["x-request-id"]
    replaced = client.get("/health/live", headers={"X-Request-ID": "a b\t{c}"}).headers["x-request-id"]

    assert kept == "abc-123"
    assert replaced.isalnum()


def test_metrics_count_requests_by_route_and_status(client: httpx.Client, name: ServerName) -> None:
    path = next(iter(REQUESTS[name]))
    sample = f'bookmesh_requests_total{{process="{name}",route="{path}",status="200"}}'

    before = read_metric(client, sample)

    ask(client, name)

    assert read_metric(client, sample) == before + 1
    text = client.get("/metrics").text
    assert f'bookmesh_request_seconds_bucket{{le="0.001",process="{name}",route="{path}"}}' in text
    assert f'bookmesh_held_versions{{process="{name}"}} 1.0' in text
    assert "process_resident_memory_bytes" in text


def read_metric(client: httpx.Client, sample: str) -> float:
    lines = client.get("/metrics").text.splitlines()
    return next((float(line.split()[-1]) for line in lines if line.startswith(sample)), 0.0)


def test_a_start_without_a_version_is_live_and_becomes_ready_when_one_appears(
    name: ServerName, tmp_path: Path, store: ArtifactStore
) -> None:
    with serving(name, settings_for(tmp_path), ready=False) as client:
        assert client.get("/health/live").json() == {"ready": False, "version": None}
        check_problem(client.get("/health/ready"), 503, "not_loaded")
        check_problem(ask(client, name), 503, "not_loaded")
        assert info_of(client).version is None
        assert client.post("/reload").status_code == 200

        version = tiny.publish(store, tmp_path)

        wait_until(lambda: client.get("/health/ready").status_code == 200)
        assert ask(client, name).json()["version"] == version


def test_a_new_version_and_its_rollback_drop_no_request(
    name: ServerName, tmp_path: Path, store: ArtifactStore
) -> None:
    first = tiny.publish(store, tmp_path)
    second = tiny.publish(store, tmp_path, seed=2, promote=False)
    stop = threading.Event()
    pinned: list[tuple[int, str]] = []
    unpinned: list[tuple[int, str]] = []

    def load(pinned: str | None, answers: list[tuple[int, str]]) -> None:
        with httpx.Client(base_url=server.base_url) as client:
            while not stop.is_set():
                response = ask(client, name, pinned)
                answers.append((response.status_code, response.json().get("version")))

    with serving(name, settings_for(tmp_path)) as server, ThreadPoolExecutor(4) as pool:
        loads = [pool.submit(load, None, unpinned) for _ in range(2)]
        loads += [pool.submit(load, first, pinned) for _ in range(2)]
        store.promote(second, by="tests", why="newer")
        wait_until(lambda: info_of(server).version == second)
        assert info_of(server).held == [second, first]
        wait_until(lambda: (200, second) in unpinned)
        store.rollback(by="tests", why="back")
        assert server.post("/reload").json()["version"] == first
        n_before = len(unpinned)
        wait_until(lambda: len(unpinned) > n_before + 4)  # what was under way has been answered
        stop.set()
        for each in loads:
            each.result()

        assert set(pinned) == {(200, first)}
        assert set(unpinned) == {(200, first), (200, second)}
        assert unpinned[-1] == (200, first)


def test_a_replaced_version_goes_once_it_is_neither_young_nor_asked_for(
    name: ServerName, tmp_path: Path, store: ArtifactStore
) -> None:
    first = tiny.publish(store, tmp_path)
    with serving(name, settings_for(tmp_path, keep_previous_s=0.8)) as client:
        second = tiny.publish(store, tmp_path, seed=2)
        wait_until(lambda: info_of(client).version == second)
        for _ in range(9):  # longer than it would stay unasked
            time.sleep(0.1)
            assert ask(client, name, first).status_code == 200

        wait_until(lambda: info_of(client).held == [second])

        assert check_problem(ask(client, name, first), 409, "version_not_held").held == [second]


def test_a_damaged_new_version_leaves_the_old_one_serving_and_says_so(
    name: ServerName, tmp_path: Path, store: ArtifactStore
) -> None:
    first = tiny.publish(store, tmp_path)
    second = tiny.publish(store, tmp_path, seed=2, promote=False)
    with serving(name, settings_for(tmp_path, pointer_poll_s=60)) as client:
        store.promote(second, by="tests", why="newer")
        damaged = tiny.damage(store, second, name, not_in=first)

        refusal = check_problem(client.post("/reload"), 500, "reload_failed")

        assert damaged in refusal.detail
        assert ask(client, name).json()["version"] == first
        assert client.get("/health/ready").status_code == 200
        info = info_of(client)
        assert (info.version, info.held) == (first, [first])
        assert damaged in (info.last_reload_error or "")
        assert (
            read_metric(client, f'bookmesh_damaged_objects_total{{object="{damaged}",process="{name}"}}') == 1
        )
        assert read_metric(client, f'bookmesh_version_loads_total{{outcome="failed",process="{name}"}}') == 1

        store.rollback(by="tests", why="damaged")
        assert client.post("/reload").json()["last_reload_error"] is None


def test_als_names_the_books_that_it_does_not_know(five: dict[ServerName, httpx.Client]) -> None:
    response = five["als"].post("/rank", json={"history": [{"book_id": 5, "rating": None}], "k": 3})

    assert check_problem(response, 422, "unknown_books").unknown == ["5"]


def test_embedder_names_the_subjects_that_it_does_not_know(five: dict[ServerName, httpx.Client]) -> None:
    response = five["embedder"].post("/embed", json={"subjects": ["Chess"]})

    assert check_problem(response, 422, "unknown_subjects").unknown == ["Chess"]


def test_similarity_refuses_an_unknown_book(five: dict[ServerName, httpx.Client]) -> None:
    check_problem(five["similarity"].post("/similar", json={"book_id": 5, "k": 3}), 404, "book_not_found")


def test_metadata_refuses_an_unknown_subject(five: dict[ServerName, httpx.Client]) -> None:
    response = five["metadata"].post("/popular", json={"k": 3, "subject": "Chess"})

    assert check_problem(response, 422, "unknown_subjects").unknown == ["Chess"]


def test_the_samples_cover_all_servers() -> None:
    assert set(REQUESTS) == set(SERVER_NAMES)
