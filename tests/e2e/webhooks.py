#!/usr/bin/env python3
"""Webhooks from outside: mail in by SMTP, events at a receiver that verifies each signature, fails, hangs up and is
told again, while the service is killed. What it was told is compared with the histories in the database.

Usage: webhooks.py BUILD_FOLDER
"""

import base64
import contextlib
import hashlib
import hmac
import http.server
import json
import os
import sqlite3
import ssl
import sys
import threading
import time

import service_life
from front_door import make_certificate
from service_life import Gateway, check, cli, submit, until

KEY = b"the key that both sides know"
WORDS = {"queued": "item.queued", "exported": "item.exported", "hold": "item.held", "release": "item.released"}


class Receiver:
    """Takes each webhook-id once. `answer(nth, post)` says what the nth request is met with: a status, or "hang up"."""

    def __init__(self, answer=lambda nth, post: 200, port=0, paper=None):
        self.answer = answer
        self.lock = threading.Lock()
        self.taken = {}     # webhook-id: document, when it took effect
        self.requests = []  # webhook-id of each request
        self.wrongs = []
        receiver = self

        class Handler(http.server.BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_POST(self):
                receiver.serve(self)

            def log_message(self, *_):
                pass

        self.server = http.server.ThreadingHTTPServer(("127.0.0.1", port), Handler)
        self.server.daemon_threads = True
        self.server.handle_error = lambda *_: None  # a client that was killed takes no answer
        if paper:  # NAME of NAME.pem and NAME.key
            context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
            context.load_cert_chain(paper + ".pem", paper + ".key")
            # The handshake is the first thing that a connection's own thread does.
            self.server.socket = context.wrap_socket(self.server.socket, server_side=True, do_handshake_on_connect=False)
        self.thread = threading.Thread(target=self.server.serve_forever, args=(0.05,), daemon=True)
        self.thread.start()

    @property
    def port(self):
        return self.server.server_address[1]

    def serve(self, handler):
        body = handler.rfile.read(int(handler.headers["Content-Length"]))
        name = handler.headers["webhook-id"]
        stamp = handler.headers["webhook-timestamp"]
        made = hmac.new(KEY, f"{name}.{stamp}.".encode() + body, hashlib.sha256).digest()
        with self.lock:
            if handler.headers["webhook-signature"] != "v1," + base64.b64encode(made).decode():
                self.wrongs.append(f"{name}: its signature is wrong")
            if abs(time.time() - int(stamp)) > 60:
                self.wrongs.append(f"{name}: its time is {stamp}")
            if self.taken.get(name, body) != body:
                self.wrongs.append(f"{name}: came again with another text")
            self.requests.append(name)
            status = self.answer(len(self.requests), name)
            if status in (200, "hang up"):
                self.taken.setdefault(name, body)
        if status == "hang up":  # it took effect, and nobody is told
            handler.close_connection = True
            handler.connection.close()
            return
        text = b"the receiver says why\n" if status != 200 else b""
        handler.send_response(status)
        handler.send_header("Content-Length", str(len(text)))
        handler.end_headers()
        handler.wfile.write(text)

    def documents(self):
        with self.lock:
            return [json.loads(body) for body in self.taken.values()]

    def close(self):
        self.server.shutdown()
        self.server.server_close()
        self.thread.join(10)


def hook(receiver, folder, more="", scheme="http"):
    secret = os.path.join(folder, "hook.secret")
    with open(secret, "w", encoding="utf-8") as file:
        file.write("whsec_" + base64.b64encode(KEY).decode() + "\n")
    return f"""[adapter.hook]
kind = "webhook"
url = "{scheme}://127.0.0.1:{receiver.port}/in?token=hidden"
secret_file = "{secret}"
retry_first = "50ms"
retry_longest = "200ms"
answer_timeout = "5s"
watchers = 4
{more}
"""


def add(gateway, text):
    with open(gateway.config, "a", encoding="utf-8") as file:
        file.write(text)


def rows(gateway, query):
    path = os.path.join(gateway.folder, "store", "postern.db")
    with contextlib.closing(sqlite3.connect(f"file:{path}?mode=ro", uri=True, timeout=20)) as database:
        return database.execute(query).fetchall()


def happened(gateway):
    """What the histories of ordinary items say, as the receiver should know it."""
    found = rows(gateway, "SELECT item_id, what FROM history JOIN item ON item.id = item_id WHERE adapter <> 'hook'")
    return sorted((item, WORDS[what]) for item, what in found if what in WORDS)


def told(receiver):
    return sorted((each["data"]["id"], each["type"]) for each in receiver.documents())


def settled(gateway, receiver):
    return told(receiver) == happened(gateway) and not set(gateway.states()) & {"ready", "claimed", "publishing"}


def test_every_event_arrives_once_through_failures_hang_ups_and_kills():
    def answer(nth, _):
        if nth <= 5:
            return 500
        return "hang up" if nth % 7 == 0 else 503 if nth % 11 == 0 else 200

    receiver = Receiver(answer)
    gateway = Gateway(service_life.BUILD)
    try:
        add(gateway, hook(receiver, gateway.folder,
                          'events = ["item.queued", "item.exported", "item.held", "item.released"]'))
        for kill in range(3):
            gateway.start()
            for number in range(10):
                submit(gateway, ["bob@legacy.example"], f"Subject: {kill} {number}\r\n\r\ntext\r\n")
            until(lambda: len(receiver.requests) > 15 * (kill + 1), 60, "requests")
            gateway.kill()
        gateway.start()
        until(lambda: settled(gateway, receiver), 90, "the last event")
        check(len(told(receiver)) == 60, told(receiver))
        numbers = [each["data"]["event"] for each in receiver.documents()]
        check(len(set(numbers)) == len(numbers), "one event under two webhook-ids")
        check(not receiver.wrongs, receiver.wrongs)
        check(len(receiver.requests) > len(receiver.taken), "nothing was sent again: the test proves nothing")
        check(rows(gateway, "SELECT count(*) FROM event")[0][0] == 0, "the outbox is not empty")
        check(not [line for line in gateway.log if "hidden" in line], "the URL's token is in the log")
        check(gateway.stop() == 0, "exit status")
    finally:
        gateway.close()
        receiver.close()


def test_a_refused_event_shows_what_was_sent_and_what_came_back():
    receiver = Receiver(lambda nth, _: 422)
    gateway = Gateway(service_life.BUILD)
    try:
        add(gateway, hook(receiver, gateway.folder, 'events = ["item.exported"]'))
        gateway.start()
        submit(gateway, ["bob@legacy.example"], "Subject: x\r\n\r\ntext\r\n")
        until(lambda: gateway.states().get("failed") == 1, 30, "the refusal")
        check(gateway.wait_until_settled(), "not settled")
        item = rows(gateway, "SELECT id FROM item WHERE adapter = 'hook'")[0][0]
        log = cli(gateway, "queue", "log", str(item))
        for wanted in ("POST to 127.0.0.1", f"_{item}: HTTP/1.1 422", "the receiver says why"):
            check(wanted in log, f"{wanted!r} is missing in {log}")
        check("hidden" not in log, log)
        check(len(receiver.requests) == 1, receiver.requests)
        check(gateway.stop() == 0, "exit status")
    finally:
        gateway.close()
        receiver.close()


def test_events_of_the_command_line_without_the_service_are_told_later():
    receiver = Receiver()
    gateway = Gateway(service_life.BUILD)
    try:
        add(gateway, '[[rule]]\nname = "keep"\nrecipient = "*@legacy.example"\naction = "hold"\n')
        gateway.start()
        submit(gateway, ["bob@legacy.example"], "Subject: x\r\n\r\ntext\r\n")
        add(gateway, hook(receiver, gateway.folder, 'events = ["item.queued", "item.released", "item.exported"]'))
        cli(gateway, "reload")
        check(gateway.stop() == 0, "exit status")
        cli(gateway, "queue", "release", "1")
        gateway.start()
        until(lambda: len(told(receiver)) == 2, 30, "two events")
        check(gateway.wait_until_settled(), "not settled")
        check(told(receiver) == [(1, "item.exported"), (1, "item.released")], "a webhook begins with the present")
        check(gateway.stop() == 0, "exit status")
    finally:
        gateway.close()
        receiver.close()


def test_a_receiver_that_is_away_costs_no_attempt_and_no_event():
    receiver = Receiver()
    place = receiver.port
    receiver.close()
    gateway = Gateway(service_life.BUILD)
    try:
        add(gateway, hook(receiver, gateway.folder, 'events = ["item.exported", "adapter.suspended"]\nadapters = ["out"]'))
        gateway.start()
        submit(gateway, ["bob@legacy.example"], "Subject: x\r\n\r\ntext\r\n")
        until(lambda: gateway.states().get("exported") == 1 and gateway.states().get("ready") == 1, 30, "the event's item")
        cli(gateway, "adapter", "suspend", "out", "--reason", "new disk")
        until(lambda: gateway.states().get("ready") == 2, 30, "the adapter's event")
        check("suspended" in cli(gateway, "adapter", "list"), "the webhook is not suspended")
        back = Receiver(port=place)
        try:
            until(lambda: len(back.taken) == 2, 60, "both events")
            kinds = {each["type"]: each["data"] for each in back.documents()}
            check(set(kinds) == {"item.exported", "adapter.suspended"}, kinds)
            check(kinds["adapter.suspended"]["detail"] == "new disk" and kinds["adapter.suspended"]["item"] is None, kinds)
            check(gateway.wait_until_settled(), "not settled")
            check(rows(gateway, "SELECT max(attempts) FROM item WHERE adapter = 'hook'")[0][0] == 1, "an attempt was counted")
        finally:
            back.close()
        check(gateway.stop() == 0, "exit status")
    finally:
        gateway.close()


def test_a_receiver_whose_certificate_nobody_vouches_for_is_told_nothing():
    gateway = Gateway(service_life.BUILD)
    make_certificate(gateway.folder)
    receiver = Receiver(paper=os.path.join(gateway.folder, "server"))
    try:
        add(gateway, hook(receiver, gateway.folder, 'events = ["item.exported"]', "https"))
        gateway.start()
        submit(gateway, ["bob@legacy.example"], "Subject: x\r\n\r\ntext\r\n")
        until(lambda: any("adapter.suspended adapter=hook" in line and "not trusted" in line for line in gateway.log), 30,
              "the suspension")
        until(lambda: gateway.states().get("ready") == 1, 30, "the event's item")
        check(not receiver.requests, "it was told")
        cli(gateway, "adapter", "set", "hook", f"ca_file={gateway.folder}/server.pem")
        until(lambda: told(receiver) == [(1, "item.exported")], 60, "the event")
        check(gateway.wait_until_settled() and not receiver.wrongs, receiver.wrongs)
        check(gateway.stop() == 0, "exit status")
    finally:
        gateway.close()
        receiver.close()


def main():
    service_life.BUILD = sys.argv[1]
    tests = {name: test for name, test in globals().items() if name.startswith("test_")}
    return service_life.run(tests, sys.argv[2:])


if __name__ == "__main__":
    sys.exit(main())
