"""What commands and the worker tell operators, to a real mail server and a real receiver of webhooks."""

import json
from collections.abc import Iterator
from typing import Any

import pytest

from tests.homes import Home
from tests.loopback.twin import seal_twin
from tests.mail.smtp import mail_server
from tests.notifications.hooks import Receiver, receiver


@pytest.fixture
def hook() -> Iterator[Receiver]:
    with receiver() as running:
        yield running


def told(hook: Receiver) -> list[dict[str, Any]]:
    return [json.loads(body) for _, body in hook.posts]


def listening(home: Home, hook: Receiver) -> Home:
    home.settings["BOOKMESH_NOTIFY__WEBHOOK_URL"] = hook.url
    return home


def test_promotion_refusal_and_rollback_are_told_with_figures(copied_home: Home, hook: Receiver) -> None:
    home, first = listening(copied_home, hook), copied_home.store.current()

    home.succeed("train", BOOKMESH_TRAIN__GATE__MAX_LOSS="1")
    second = home.store.current()
    refused = home.run("train", BOOKMESH_TRAIN__GATE__FLOOR_MARGIN="50")
    home.succeed("versions", "rollback", "--why", "complaints")
    home.succeed("versions", "promote", str(second))

    assert refused.returncode == 3
    promoted, refusal, rolled_back, again = told(hook)
    assert [promoted["kind"], again["kind"]] == ["version_promoted"] * 2
    assert (promoted["facts"]["version"], promoted["facts"]["former"]) == (second, first)
    assert "recall@30" in promoted["text"]
    assert refusal["kind"] == "gate_refused"
    assert refusal["facts"]["failed"][0]["name"] == "recall_over_popularity"
    assert rolled_back["kind"] == "version_rolled_back"
    assert (rolled_back["facts"]["version"], rolled_back["facts"]["why"]) == (first, "complaints")


def test_a_training_that_fails_is_told_with_its_step_by_mail(copied_home: Home) -> None:
    with mail_server() as mailbox:
        message = copied_home.fail(
            "train",
            BOOKMESH_TRAIN__SPLIT__MIN_USERS="100000",
            BOOKMESH_MAIL__SMTP_URL=mailbox.url,
            BOOKMESH_NOTIFY__EMAILS="ops@example.org",
        )

    [mail] = mailbox.messages
    assert "training failed at step 3, split (all)" in mail["Subject"]
    assert "TooFewRatings" in mail.get_content()
    assert "training needs 100000" in message


def test_who_cannot_be_told_keeps_no_version_from_being_served(copied_home: Home, hook: Receiver) -> None:
    hook.answers = [404, 404]
    twin = seal_twin(copied_home.store).version

    done = listening(copied_home, hook).run("versions", "promote", twin)

    assert done.returncode == 0
    assert "the webhook answered 404" in done.stderr
    assert "the webhook" not in done.stdout
    assert copied_home.store.current() == twin


def test_operators_and_services_can_send_one_of_their_own(empty_home: Home, hook: Receiver) -> None:
    nobody = empty_home.fail("notify", "bookmesh-train.service failed", code=2)
    listening(empty_home, hook).succeed("notify", "bookmesh-train.service failed")
    hook.answers = [404]
    lost = empty_home.fail("notify", "again")

    assert "BOOKMESH_NOTIFY__WEBHOOK_URL" in nobody
    sent, _ = told(hook)
    assert (sent["kind"], sent["text"]) == ("message", "bookmesh-train.service failed")
    assert "the webhook answered 404" in lost
