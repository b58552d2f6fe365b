"""Notifications reach a real mail server and a real receiver of webhooks; what does not is logged."""

import hashlib
import hmac
import json
from collections.abc import Iterator
from pathlib import Path

import pytest
from pydantic import ValidationError
from structlog.testing import capture_logs

from mail.settings import MailOptions
from notifications import notifier as module
from notifications.notice import Notice
from notifications.notifier import SIGNATURE, Notifier
from notifications.settings import NotifyOptions, NotifySettings
from tests.mail.smtp import Mailbox, mail_server
from tests.notifications.hooks import Receiver, receiver
from tests.services import free_port

NOTICE = Notice("gate_refused", "the gate refused it", "By how much.\nWhat to do.", {"version": "v"})
SECRET = "a secret of its own"


@pytest.fixture
def mailbox() -> Iterator[Mailbox]:
    with mail_server() as running:
        yield running


@pytest.fixture
def hook(monkeypatch: pytest.MonkeyPatch) -> Iterator[Receiver]:
    monkeypatch.setattr(module, "PAUSES_S", (0.01, 0.01))
    with receiver() as running:
        yield running


def build(
    home: Path, environment: pytest.MonkeyPatch, *, smtp_url: str | None = None, **options: object
) -> Notifier:
    mail = MailOptions.model_validate({"smtp_url": smtp_url})
    return Notifier(NotifySettings(home=home, mail=mail, notify=NotifyOptions.model_validate(options)))


def test_every_address_gets_a_mail(mailbox: Mailbox, tmp_path: Path, environment: pytest.MonkeyPatch) -> None:
    both = build(tmp_path, environment, smtp_url=mailbox.url, emails="ops@example.org, night@example.org")

    assert both.send(NOTICE)

    assert [message["To"] for message in mailbox.messages] == ["ops@example.org", "night@example.org"]
    assert mailbox.messages[0]["Subject"].startswith("[bookmesh ")
    assert mailbox.messages[0]["Subject"].endswith("] the gate refused it")
    assert mailbox.messages[0].get_content().splitlines() == ["By how much.", "What to do."]


def test_a_receiver_knows_posts_for_ours_and_knows_which_it_has(
    hook: Receiver, tmp_path: Path, environment: pytest.MonkeyPatch
) -> None:
    hook.answers = [503, 429]

    assert build(tmp_path, environment, webhook_url=hook.url, webhook_secret=SECRET).send(NOTICE)

    assert len(hook.posts) == 3
    assert len({body for _, body in hook.posts}) == 1
    headers, body = hook.posts[-1]
    expected = hmac.new(SECRET.encode(), body, hashlib.sha256).hexdigest()
    assert headers[SIGNATURE] == f"sha256={expected}"
    told = json.loads(body)
    assert (told["kind"], told["subject"], told["facts"]) == (NOTICE.kind, NOTICE.subject, {"version": "v"})
    assert told["text"] == NOTICE.text


def test_without_a_secret_posts_are_not_signed(
    hook: Receiver, tmp_path: Path, environment: pytest.MonkeyPatch
) -> None:
    build(tmp_path, environment, webhook_url=hook.url).send(NOTICE)

    [(headers, _)] = hook.posts
    assert SIGNATURE not in headers


def test_what_is_refused_for_good_is_not_tried_again(
    hook: Receiver, tmp_path: Path, environment: pytest.MonkeyPatch
) -> None:
    hook.answers = [404]

    assert not build(tmp_path, environment, webhook_url=hook.url).send(NOTICE)

    assert len(hook.posts) == 1


def test_who_cannot_be_reached_keeps_nobody_else_from_being_told(
    hook: Receiver, tmp_path: Path, environment: pytest.MonkeyPatch
) -> None:
    nowhere = f"smtp://127.0.0.1:{free_port()}"
    one = build(tmp_path, environment, smtp_url=nowhere, emails="ops@example.org", webhook_url=hook.url)

    with capture_logs() as lines:
        assert not one.send(NOTICE)

    assert len(hook.posts) == 1
    assert {line["event"] for line in lines} == {"notification not sent"}
    assert "ops@example.org" not in str(lines)


def test_a_receiver_that_is_away_is_named_without_its_path(
    tmp_path: Path, environment: pytest.MonkeyPatch, hook: Receiver
) -> None:
    away = build(tmp_path, environment, webhook_url=f"http://127.0.0.1:{free_port()}/hooks/sesame")

    with capture_logs() as lines:
        assert not away.send(NOTICE)

    assert lines[-1]["reason"] == "the webhook did not take it: ConnectError"
    assert "sesame" not in f"{lines} {NotifyOptions(webhook_url=hook.url)!r}"  # type: ignore[arg-type]


def test_nobody_to_tell_is_no_failure(tmp_path: Path, environment: pytest.MonkeyPatch) -> None:
    assert build(tmp_path, environment).send(NOTICE)


@pytest.mark.parametrize("emails", ["ops", "smtp://me:password@example.org", "a@b@c"])
def test_what_is_no_address_is_refused(emails: str) -> None:
    with pytest.raises(ValidationError):
        NotifyOptions.model_validate({"emails": emails})
