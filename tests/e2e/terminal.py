#!/usr/bin/env python3
"""The tool at a terminal: the live display, bars, questions. A pseudo-terminal stands in for a person's.

Each function named test_* is one test. Usage: terminal.py BUILD_FOLDER [TEST ...]
"""

import fcntl
import os
import pty
import re
import select
import signal
import smtplib
import struct
import subprocess
import sys
import termios
import time

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "fault"))
import service_life  # noqa: E402
from gateway import Gateway  # noqa: E402
from service_life import check, cli, submit  # noqa: E402

BUILD = ""
MAIL = "Subject: x\r\n\r\nx\r\n"
LIMIT = 30.0


class Terminal:
    """A command at a terminal of its own."""

    def __init__(self, gateway, *arguments, columns=100, rows=24, environment=None):
        self.main, inner = pty.openpty()
        self.resize(columns, rows)
        self.before = termios.tcgetattr(inner)
        self.inner = inner  # kept open, so that the settings can be read when the command is gone
        environment = {**os.environ, "TERM": "xterm", **(environment or {})}
        self.process = subprocess.Popen([gateway.postern, "--config", gateway.config, *arguments], stdin=inner, stdout=inner,
                                        stderr=inner, start_new_session=True, env=environment,
                                        preexec_fn=lambda: fcntl.ioctl(0, termios.TIOCSCTTY, 0))
        self.seen = b""

    def resize(self, columns, rows):
        fcntl.ioctl(self.main, termios.TIOCSWINSZ, struct.pack("HHHH", rows, columns, 0, 0))

    def type(self, keys):
        os.write(self.main, keys)

    def read(self, limit):
        ready, _, _ = select.select([self.main], [], [], limit)
        if ready:
            self.seen += os.read(self.main, 65536)
        return bool(ready)

    def forget(self):
        self.seen = b""

    def until(self, text, limit=LIMIT):
        """Reads until `text` (a bytes pattern) was written."""
        deadline = time.monotonic() + limit
        while not re.search(text, self.seen):
            left = deadline - time.monotonic()
            check(left > 0, f"no {text} in {self.seen[-2000:]}")
            self.read(min(left, 1.0))

    def end(self, limit=LIMIT):
        """Reads on until the command ends; its exit status."""
        deadline = time.monotonic() + limit
        while self.process.poll() is None:
            check(time.monotonic() < deadline, f"it does not end: {self.seen[-2000:]}")
            self.read(0.05)
        while self.read(0):
            pass
        return self.process.returncode

    def given_back(self):
        check(termios.tcgetattr(self.inner) == self.before, "the terminal has other settings than before")
        check(self.seen.endswith(b"\x1b[?25h\x1b[?1049l"), self.seen[-100:])

    def __enter__(self):
        return self

    def __exit__(self, *_):
        if self.process.poll() is None:
            self.process.kill()
        self.process.wait(10)
        os.close(self.main)
        os.close(self.inner)


def last_page(terminal):
    return terminal.seen.split(b"\x1b[H")[-1].decode("utf-8", "replace")


def widest(page):
    plain = re.sub(r"\x1b\[[0-9;?]*[A-Za-z]", "", page)
    return max(len(line.rstrip("\r")) for line in plain.split("\n"))


def test_top_shows_takes_keys_and_gives_the_terminal_back():
    with service_life.Running() as gateway:
        submit(gateway, ["u@legacy.example"], MAIL)
        check(gateway.wait_until_settled(), "not settled")
        with Terminal(gateway, "top", "--interval", "200ms") as top:
            top.until(rb"running for .*\r\n")
            top.until(rb"> out +drop +running")
            check(b"\x1b[?1049h" in top.seen, "not on a page of its own")
            top.type(b"\t")
            top.until(rb"by ready")
            top.type(b"\x1b[D")
            top.until(rb"by adapter")
            top.type(b" ")
            top.until(rb"PAUSED")
            top.type(b"q")
            check(top.end() == 0, "exit status")
            top.given_back()


def test_top_follows_the_size_of_the_terminal():
    with service_life.Running() as gateway, Terminal(gateway, "top", "--interval", "1h") as top:
        top.until(rb"> out")
        top.forget()
        top.resize(50, 10)
        top.until(rb"(?s)\x1b\[H.*> out.*\x1b\[J")
        check(widest(last_page(top)) <= 50, last_page(top))
        check(last_page(top).count("\n") < 10, last_page(top))
        top.type(b"q")
        check(top.end() == 0, "exit status")


def test_top_gives_the_terminal_back_on_ctrl_c_and_signals():
    with service_life.Running() as gateway:
        for end in (b"\x03", signal.SIGTERM, signal.SIGHUP, signal.SIGINT):
            with Terminal(gateway, "top", "--interval", "1h") as top:
                top.until(rb"> out")
                if isinstance(end, bytes):
                    top.type(end)
                else:
                    top.process.send_signal(end)
                check(top.end() == 0, f"{end}: exit status")
                top.given_back()


def test_top_outlives_the_service():
    with service_life.Running() as gateway:
        with Terminal(gateway, "top", "--interval", "100ms") as top:
            top.until(rb"running for ")
            gateway.kill()
            top.until(rb"no service[^\n]*\r\n(.*\n)*.*trying again")
            top.forget()
            gateway.start()
            top.until(rb"running for ")
            top.type(b"q")
            check(top.end() == 0, "exit status")
            top.given_back()


def test_top_without_colours():
    with service_life.Running() as gateway:
        with Terminal(gateway, "top", "--count", "1", environment={"NO_COLOR": "1"}) as top:
            check(top.end() == 0, "exit status")
            check(not re.search(rb"\x1b\[[0-9;]*m", top.seen), top.seen)
            top.given_back()
        with Terminal(gateway, "top", environment={"TERM": "dumb"}) as top:
            check(top.end() == 0, "one frame and an end")
            check(b"\x1b" not in top.seen, top.seen)


def test_top_counts_frames_in_a_pipe():
    with service_life.Running() as gateway:
        frames = cli(gateway, "top", "--json", "--count", "3", "--interval", "100ms").splitlines()
        check(len(frames) == 3 and all(frame.startswith('{"service":{"type":"service","state":"running"') for frame in frames), frames)


def many_items(gateway, count=300):
    for first in range(0, count, 50):
        with smtplib.SMTP("127.0.0.1", gateway.port, local_hostname="client.example.org", timeout=60) as client:
            for serial in range(first, first + 50):
                client.sendmail("a@example.org", [f"u{serial}@legacy.example"], MAIL)


def test_long_work_draws_a_bar_that_is_gone_at_the_end():
    with service_life.Running() as gateway:
        cli(gateway, "adapter", "suspend", "out", "--reason", "test")
        many_items(gateway)
        with Terminal(gateway, "queue", "hold", "--all") as change:
            check(change.end() == 0, "exit status")
            check(re.search(rb"\r\x1b\[Kchanging  \d+", change.seen), "no bar")
            check(change.seen.rstrip().endswith(b"held") or change.seen.endswith(b"\r\x1b[K"), change.seen[-200:])
        exported = os.path.join(gateway.folder, "exported")
        os.mkdir(exported)
        with Terminal(gateway, "queue", "export", "1-300", "--folder", exported) as export:
            check(export.end() == 0, "exit status")
            check(re.search(rb"exporting \[[#.]+\] +\d+ %  \d+ of 300", export.seen), "no bar")
            check(export.seen.count(b"exporting [") < 300, "drawn for each one")
        check(len(os.listdir(exported)) == 300, "files")
        with Terminal(gateway, "--json", "queue", "release", "--all") as change:
            check(change.end() == 0 and b"\x1b" not in change.seen, change.seen[-200:])
        check("\x1b" not in cli(gateway, "queue", "hold", "--all"), "a bar in a pipe")


def test_replay_asks_a_person_and_refuses_a_program():
    with service_life.Running() as gateway:
        submit(gateway, ["u@legacy.example"], MAIL)
        check(gateway.wait_until_settled(), "not settled")
        with Terminal(gateway, "queue", "replay", "1") as replay:
            replay.until(rb"The legacy side has 1 already\. Export it a second time\? \[y/N\] ")
            replay.type(b"n\n")
            check(replay.end() == 64 and b"nothing was done" in replay.seen, replay.seen)
        with Terminal(gateway, "queue", "replay", "1") as replay:
            replay.until(rb"\[y/N\] ")
            replay.type(b"\n")
            check(replay.end() == 64 and b"nothing was done" in replay.seen, "Enter alone is no")
        check(gateway.states() == {"exported": 1}, gateway.states())
        done = subprocess.run([gateway.postern, "--config", gateway.config, "queue", "replay", "1"], input=b"y\n", capture_output=True, timeout=60)
        check(done.returncode == 64 and b"say --yes" in done.stderr and not done.stdout, done)
        check(gateway.states() == {"exported": 1}, gateway.states())
        with Terminal(gateway, "queue", "replay", "1") as replay:
            replay.until(rb"\[y/N\] ")
            replay.type(b"y\n")
            check(replay.end() == 0, replay.seen)
        check(gateway.wait_until_settled() and gateway.states() == {"exported": 2}, gateway.states())
        cli(gateway, "queue", "replay", "1", "--yes")
        check(gateway.wait_until_settled() and gateway.states() == {"exported": 3}, gateway.states())


def test_settings_keep_who_may_read_their_file():
    with service_life.Running() as gateway:
        folder = os.path.join(gateway.folder, "adapters.d")
        os.chmod(gateway.config, 0o640)
        cli(gateway, "adapter", "add", "more", "drop", f"folder={gateway.folder}/more")
        path = os.path.join(folder, "more.toml")
        check(os.stat(path).st_mode & 0o777 == 0o640, f"not for the readers of the main file: {oct(os.stat(path).st_mode)}")
        for mode in (0o600, 0o664):
            os.chmod(path, mode)
            cli(gateway, "adapter", "set", "more", f"most_recipients={mode}")
            check(os.stat(path).st_mode & 0o777 == mode, oct(os.stat(path).st_mode))


def main():
    global BUILD
    BUILD = sys.argv[1]
    service_life.BUILD = BUILD
    return service_life.run({name: test for name, test in globals().items() if name.startswith("test_")}, sys.argv[2:])


if __name__ == "__main__":
    sys.exit(main())
