"""A mail server of the test's own, which keeps what it is sent."""

import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from email import message_from_bytes
from email.message import EmailMessage
from email.policy import default


@dataclass
class Mailbox:
    """What a mail server was sent, and how it behaves."""

    port: int
    messages: list[EmailMessage] = field(default_factory=list)
    refuses: str | None = None
    """The command that it answers with 550."""
    extensions: tuple[str, ...] = ("8BITMIME", "SMTPUTF8")

    @property
    def url(self) -> str:
        return f"smtp://127.0.0.1:{self.port}"


@contextmanager
def mail_server() -> Iterator[Mailbox]:
    """A server on a free port of loopback."""
    with socket.create_server(("127.0.0.1", 0)) as listening:
        mailbox = Mailbox(listening.getsockname()[1])
        thread = threading.Thread(target=_accept, args=(listening, mailbox), daemon=True)
        thread.start()
        yield mailbox
        listening.shutdown(socket.SHUT_RDWR)
        thread.join()


def _accept(listening: socket.socket, mailbox: Mailbox) -> None:
    while True:
        try:
            connection, _ = listening.accept()
        except OSError:
            return
        with connection:
            _talk(connection, mailbox)


def _talk(connection: socket.socket, mailbox: Mailbox) -> None:
    lines = connection.makefile("rb")
    connection.sendall(b"220 tests\r\n")
    while line := lines.readline():
        command = line.split(b" ")[0].strip().decode().upper()
        if command == mailbox.refuses:
            connection.sendall(b"550 not here\r\n")
        elif command == "EHLO":
            rows = ["tests", *mailbox.extensions]
            answer = [f"250{'-' if row is not rows[-1] else ' '}{row}\r\n" for row in rows]
            connection.sendall("".join(answer).encode())
        elif command == "DATA":
            connection.sendall(b"354 go on\r\n")
            body = b""
            while (line := lines.readline()) not in (b".\r\n", b""):
                body += line.removeprefix(b".")
            mailbox.messages.append(message_from_bytes(body, EmailMessage, policy=default))
            connection.sendall(b"250 kept\r\n")
        elif command == "QUIT":
            connection.sendall(b"221 bye\r\n")
            return
        else:
            connection.sendall(b"250 fine\r\n")
