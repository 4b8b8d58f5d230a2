#!/usr/bin/env python3
"""Operators by HTTP, from outside: every command, accounts and roles, events, metrics, the examples of docs/API.md.

Each function named test_* is one test. Usage: operators_http.py BUILD_FOLDER [TEST ...]
"""

import base64
import contextlib
import http.client
import json
import os
import re
import smtplib
import socket
import subprocess
import sys
import tempfile
import traceback
import urllib.parse

HERE = os.path.dirname(os.path.abspath(__file__))
ROOT = os.path.join(HERE, "..", "..")
sys.path.insert(0, os.path.join(HERE, "..", "fault"))
from gateway import Gateway  # noqa: E402

BUILD = ""
PASSWORD = "long enough 1"


def check(condition, text):
    if not condition:
        raise AssertionError(text)


def account(gateway, name, role):
    subprocess.run([gateway.postern, "--config", gateway.config, "account", "add", name, "--role", role], input=PASSWORD.encode() + b"\n",
                   check=True, capture_output=True, timeout=60)


def submit(gateway, count):
    with smtplib.SMTP("127.0.0.1", gateway.port, local_hostname="client.example.org", timeout=30) as client:
        for serial in range(count):
            client.sendmail("sender@example.org", ["user@legacy.example"], f"Subject: serial {serial}\r\n\r\nbody {serial}\r\n")


class Site:
    """A started gateway with HTTP, accounts of every role, and three mails that wait."""

    def __init__(self, settings='address = "127.0.0.1:0"'):
        self.gateway = Gateway(BUILD, f"[http]\n{settings}\n")

    def __enter__(self):
        self.gateway.start()
        for name, role in (("vera", "viewer"), ("olaf", "operator"), ("ada", "admin"), ("prn", "send")):
            account(self.gateway, name, role)
        for line in self.gateway.log:
            found = re.search(r"listener\.opened listener=http address=(\S+)", line)
            self.address = found.group(1) if found else getattr(self, "address", "")
        return self

    def __exit__(self, *_):
        self.gateway.close()

    def connect(self):
        host, port = self.address.rsplit(":", 1)
        return http.client.HTTPConnection(host, int(port), timeout=30)

    def ask(self, method, path, who="", body=None, headers=None):
        """The status and the body; who: an account's name."""
        headers = dict(headers or {})
        if who:
            headers["Authorization"] = "Basic " + base64.b64encode(f"{who}:{PASSWORD}".encode()).decode()
        if body is not None:
            headers.setdefault("Content-Type", "application/json")
            body = json.dumps(body)
        connection = self.connect()
        with contextlib.closing(connection):
            connection.request(method, path, body, headers)
            answer = connection.getresponse()
            self.headers = dict(answer.getheaders())
            return answer.status, answer.read().decode()

    def run(self, verb, who="ada", **fields):
        status, text = self.ask("POST", f"/api/run/{verb}", who, fields)
        check(status == 200, f"{verb} {fields}: {status} {text}")
        return json.loads(text)["rows"]

    def waiting(self, count):
        self.run("adapter.suspend", name="out", reason="for the test")
        submit(self.gateway, count)
        return [row["id"] for row in self.run("queue.list")]


def test_every_command_answers_by_http():
    with Site() as site:
        first, second, third = site.waiting(3)
        asked = {}

        def run(verb, **fields):
            asked[verb] = site.run(verb, **fields)
            return asked[verb]

        check(run("status")[0]["state"] == "running", "status")
        check([row["id"] for row in run("queue.list", limit="2")] == [first, second], "queue.list")
        check([row["id"] for row in run("queue.list", after=str(second))] == [third], "the next page")
        check(run("queue.summary", by="adapter")[0]["items"] == 3, "queue.summary")
        check({row["type"] for row in run("queue.show", ids=str(first))} == {"item", "recipient", "history"}, "queue.show")
        check(run("queue.log", ids=str(first))[0]["what"] == "queued", "queue.log")
        check(any(row["type"] == "line" and row["text"] == "body 0" for row in run("item.preview", ids=str(first))), "item.preview")
        check(run("adapter.test", name="out")[0]["ok"], "adapter.test")
        rows = run("operate", change="hold", ids=f"{first}-{second}", dry_run="true")
        check(all(row["dry_run"] for row in rows) and site.gateway.states() == {"ready": 3}, rows)
        run("operate", change="hold", ids=f"{first}-{second}", reason="by test")
        check(site.gateway.states() == {"ready": 1, "held": 2}, site.gateway.states())
        run("operate", change="delete", state="held", limit="1")
        check(site.gateway.states() == {"ready": 1, "held": 1, "deleted": 1}, site.gateway.states())
        check(any(row["who"] == "ada" and row["detail"] == "by test" for row in site.run("queue.log", ids=str(first))), "who did it")
        run("operate", change="release", all="true")
        run("adapter.resume", name="out")
        check(site.gateway.wait_until_settled(), site.gateway.states())
        run("account", change="remove", name="prn")
        run("reload")
        described = {path.removeprefix("/api/run/") for path in json.loads(site.ask("GET", "/openapi.json")[1])["paths"]}
        for verb in sorted(described - set(asked)):
            status, text = site.ask("POST", f"/api/run/{verb}", "ada", {})
            check(status in (200, 400, 404), f"{verb} without fields: {status} {text}")
        check(set(asked) <= described, f"not described: {set(asked) - described}")


def test_who_may_what():
    with Site() as site:
        submit(site.gateway, 1)
        check(site.gateway.wait_until_settled(), "not settled")
        for path in ("/", "/app.js", "/healthz", "/readyz", "/openapi.json"):
            check(site.ask("GET", path)[0] == 200, path)
        for path in ("/metrics", "/events", "/api/run/status", "/api/mail/1"):
            check(site.ask("GET", path)[0] == 401, path)
        check(site.ask("GET", "/api/mail/1", "vera")[1].endswith("body 0\r\n"), "the original")
        check(site.headers["Content-Disposition"].startswith("attachment"), site.headers)
        check(site.ask("POST", "/api/run/operate", "vera", {"change": "hold", "all": "true"})[0] == 403, "a viewer may not")
        check(site.ask("POST", "/api/run/operate", "olaf", {"change": "hold", "all": "true"})[0] == 200, "an operator may")
        check(site.ask("POST", "/api/run/reload", "olaf", {})[0] == 403, "not the administrator's")
        check(site.ask("GET", "/api/run/status", "prn")[0] == 403, "an account that only sends")
        check(site.ask("GET", "/api/run/operate?change=hold&all=true", "olaf")[0] == 405, "a change by GET")
        check(site.ask("GET", "/healthz", headers={"Host": "evil.example"})[0] == 421, "a foreign name")
        check(site.ask("POST", "/api/run/operate", "olaf", {"change": "hold", "all": "true"}, {"Origin": "https://evil.example"})[0] == 403, "CSRF")


def test_anonymous_looks_and_no_more():
    with Site('address = "127.0.0.1:0"\nanonymous = "look"') as site:
        check(site.ask("GET", "/api/run/queue.list")[0] == 200, "look")
        check(site.ask("POST", "/api/run/operate", body={"change": "hold", "all": "true"})[0] == 403, "but not change")


def test_a_login_is_a_cookie_until_the_logout():
    with Site() as site:
        check(site.ask("POST", "/api/login", body={"name": "olaf", "password": "wrong"})[0] == 401, "wrong password")
        check(site.ask("POST", "/api/login", body={"name": "olaf", "password": PASSWORD})[0] == 200, "right password")
        cookie = {"Cookie": site.headers["Set-Cookie"].split(";")[0]}
        check(json.loads(site.ask("GET", "/api/me", headers=cookie)[1]) == {"name": "olaf", "role": "operator"}, "me")
        check(site.ask("POST", "/api/logout", body={}, headers=cookie)[0] == 200, "logout")
        check(site.ask("GET", "/api/run/status", headers=cookie)[0] == 401, "gone")


def lines_until(answer, pattern):
    """Reads a stream until a line matches; the connection's timeout is the deadline."""
    while True:
        line = answer.readline()
        check(line, f"the stream ended before {pattern}")
        if re.search(pattern, line.decode()):
            return line.decode()


def test_events_come_as_they_happen_and_end_with_the_service():
    with Site() as site:
        connection = site.connect()
        token = base64.b64encode(f"vera:{PASSWORD}".encode()).decode()
        connection.request("GET", "/events?event=item", headers={"Authorization": "Basic " + token})
        answer = connection.getresponse()
        check(answer.status == 200 and answer.getheader("Content-Type") == "text/event-stream", answer.status)
        lines_until(answer, "hello")
        submit(site.gateway, 1)
        event = json.loads(lines_until(answer, "item.exported").removeprefix("data: "))
        check(event["adapter"] == "out" and event["item"] == 1, event)
        check(site.gateway.stop() == 0, "a stream does not delay the end")
        with contextlib.suppress(http.client.IncompleteRead):
            answer.read()
        connection.close()


def test_metrics_and_alert_rules_pass_promtool():
    with Site() as site:
        submit(site.gateway, 3)
        check(site.gateway.wait_until_settled(), "not settled")
        status, text = site.ask("GET", "/metrics", "vera")
        check(status == 200 and 'postern_attempts_total{adapter="out",result="exported"} 3' in text, text)
        judged = subprocess.run(["promtool", "check", "metrics"], input=text.encode(), capture_output=True, timeout=60)
        check(judged.returncode == 0, judged.stdout.decode() + judged.stderr.decode())
        families = set(re.findall(r"^# TYPE (\S+)", text, re.M))
    folder = os.path.join(ROOT, "packaging", "monitoring")
    rules = os.path.join(folder, "postern-alerts.yml")
    judged = subprocess.run(["promtool", "check", "rules", rules], capture_output=True, timeout=60)
    check(judged.returncode == 0, judged.stdout.decode() + judged.stderr.decode())
    with open(os.path.join(folder, "postern-dashboard.json"), encoding="utf-8") as file:
        dashboard = file.read()
    json.loads(dashboard)
    with open(rules, encoding="utf-8") as file:
        used = set(re.findall(r"\bpostern_[a-z_]+", dashboard + "".join(line for line in file if "expr:" in line)))
    unknown = {name for name in used if re.sub(r"_(bucket|sum|count)$", "", name) not in families}
    check(not unknown, f"nobody measures {unknown}")


def test_the_examples_of_the_documentation_work():
    with open(os.path.join(ROOT, "docs", "API.md"), encoding="utf-8") as file:
        examples = re.findall(r"```sh\n(.*?)```", file.read(), re.S)
    check(len(examples) >= 4, "no examples")
    with Site() as site, tempfile.TemporaryDirectory() as home:
        with open(os.path.join(home, ".netrc"), "w", encoding="utf-8") as file:
            os.fchmod(file.fileno(), 0o600)
            file.write(f'machine 127.0.0.1 login ada password "{PASSWORD}"\n')
        site.waiting(2)
        for example in examples:
            done = subprocess.run(["bash", "-euc", example], env={"PATH": os.environ["PATH"], "HOME": home, "POSTERN": f"http://{site.address}"},
                                  capture_output=True, timeout=60, check=False)
            check(done.returncode == 0, f"{example}\n{done.stdout.decode()}{done.stderr.decode()}")


def test_a_unix_socket_serves_the_same():
    folder = tempfile.mkdtemp(prefix="postern-http-")
    path = os.path.join(folder, "http.sock")
    try:
        with Site(f'address = "unix:{path}"') as site, socket.socket(socket.AF_UNIX) as client:
            client.settimeout(30)
            client.connect(path)
            client.sendall(b"GET /healthz HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n")
            check(client.recv(4096).startswith(b"HTTP/1.1 200"), "no 200")
            check(urllib.parse.unquote(site.address) == path, site.address)
            check(site.gateway.stop() == 0 and not os.path.exists(path), "the socket is left")
    finally:
        os.rmdir(folder)


def main():
    global BUILD
    BUILD = sys.argv[1]
    tests = {name: run for name, run in globals().items() if name.startswith("test_")}
    chosen = sys.argv[2:] or list(tests)
    failed = 0
    for name in chosen:
        try:
            tests[name]()
            print(f"ok    {name}", flush=True)
        except Exception:
            failed += 1
            print(f"FAIL  {name}", flush=True)
            traceback.print_exc(file=sys.stdout)
    print(f"{len(chosen) - failed} passed, {failed} failed")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
