#!/usr/bin/env python3
"""A sender whose "250" was lost sends again (RFC 1047): one mail. A sender who read it and sends again: two.

Each function named test_* is one test. Usage: duplicates.py BUILD_FOLDER [TEST ...]
"""

import socket
import struct
import sys

import service_life
from service_life import Gateway, check, until

MAIL = b"Message-ID: <one@example.org>\r\nSubject: the same\r\n\r\nthe same bytes\r\n.\r\n"


class Client:
    """An SMTP client that can be cut off at any point."""

    def __init__(self, port):
        self.socket = socket.create_connection(("127.0.0.1", port), timeout=30)
        self.file = self.socket.makefile("rb")
        self.expect(b"220")

    def expect(self, code):
        line = self.file.readline()
        while line[3:4] == b"-":
            line = self.file.readline()
        check(line.startswith(code), f"got {line!r}, wanted {code!r}")
        return line

    def say(self, line, code):
        self.socket.sendall(line + b"\r\n")
        return self.expect(code)

    def offer(self):
        """Up to the final dot, whose answer is not read."""
        self.say(b"EHLO client.example.org", b"250")
        self.say(b"MAIL FROM:<s@example.org>", b"250")
        self.say(b"RCPT TO:<user@legacy.example>", b"250")
        self.say(b"DATA", b"354")
        self.socket.sendall(MAIL)

    def vanish(self):
        """The connection is reset: nobody knows whether the 250 was read."""
        self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self.file.close()
        self.socket.close()


def stored(gateway):
    return sum(gateway.states().values())


def resend_after(leave, wanted):
    gateway = Gateway(service_life.BUILD)
    try:
        gateway.start()
        first = Client(gateway.port)
        first.offer()
        until(lambda: stored(gateway) == 1, 30, "the first copy to be stored")
        leave(gateway, first)
        second = Client(gateway.port)
        second.offer()
        answer = second.expect(b"250")
        second.say(b"QUIT", b"221")
        check(stored(gateway) == wanted, f"{stored(gateway)} mails are stored, wanted {wanted}; {answer!r}")
        check((b"queued as m1" in answer) == (wanted == 1), answer)
        check(gateway.wait_until_settled(), "not settled")
        check(gateway.stop() == 0, "exit status")
    finally:
        gateway.close()


def test_a_lost_answer_makes_no_second_mail():
    resend_after(lambda gateway, client: client.vanish(), 1)


def test_a_lost_answer_makes_no_second_mail_after_a_kill():
    def leave(gateway, client):
        client.vanish()
        gateway.kill()
        gateway.start()

    resend_after(leave, 1)


def test_a_second_copy_after_a_read_answer_is_wanted():
    def leave(_, client):
        client.expect(b"250")
        client.say(b"QUIT", b"221")

    resend_after(leave, 2)


def test_a_second_copy_in_the_same_session_is_wanted():
    gateway = Gateway(service_life.BUILD)
    try:
        gateway.start()
        client = Client(gateway.port)
        for _ in range(3):
            client.offer()
            client.expect(b"250")
        client.say(b"QUIT", b"221")
        check(stored(gateway) == 3, stored(gateway))
    finally:
        gateway.close()


def test_who_hangs_up_without_quit_has_read_the_answer():
    def leave(gateway, client):
        client.expect(b"250")
        client.file.close()
        client.socket.close()
        until(lambda: any("session.closed" in line for line in gateway.log), 30, "the session's end")

    resend_after(leave, 2)


def test_a_window_takes_wanted_copies_too():
    gateway = Gateway(service_life.BUILD)
    try:
        with open(gateway.config, encoding="utf-8") as file:
            text = file.read()
        with open(gateway.config, "w", encoding="utf-8") as file:
            file.write(text.replace('address = "127.0.0.1:0"', 'address = "127.0.0.1:0"\nduplicates_within = "1h"', 1))
        gateway.start()
        for _ in range(3):
            client = Client(gateway.port)
            client.offer()
            check(b"queued as m1" in client.expect(b"250"), "another id")
            client.say(b"QUIT", b"221")
        check(stored(gateway) == 1, stored(gateway))
    finally:
        gateway.close()


def main():
    service_life.BUILD = sys.argv[1]
    tests = {name: test for name, test in globals().items() if name.startswith("test_")}
    return service_life.run(tests, sys.argv[2:])


if __name__ == "__main__":
    sys.exit(main())
