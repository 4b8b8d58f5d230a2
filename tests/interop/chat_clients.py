#!/usr/bin/env python3
"""Operators with the IRC clients that people have: irssi and WeeChat, from Debian's packages, without a screen.

Each function named test_* is one test. Usage: chat_clients.py BUILD_FOLDER [TEST ...]
"""

import glob
import os
import subprocess
import sys
import tempfile
import time

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, os.path.join(HERE, "..", "e2e"))
import chat  # noqa: E402  (tests/e2e/chat.py: a service with accounts)
from chat import PASSWORD, House, TlsHouse, check, submit  # noqa: E402
from gateway import breathe  # noqa: E402

LIMIT = 60.0


class Screenless:
    """A client's process with a home of its own; what it wrote to its logs."""

    def __init__(self, home, words, pattern):
        self.home, self.pattern = home, pattern
        environment = dict(os.environ, HOME=home, TERM="xterm", LC_ALL="C.UTF-8")
        self.process = subprocess.Popen(words, stdin=subprocess.PIPE, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, env=environment)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.process.kill()
        self.process.wait()

    def text(self):
        found = ""
        for path in glob.glob(os.path.join(self.home, self.pattern), recursive=True):
            with open(path, encoding="utf-8", errors="replace") as file:
                found += file.read()
        return found

    def until(self, *words):
        deadline = time.monotonic() + LIMIT
        while time.monotonic() < deadline:
            text = self.text()
            if all(word in text for word in words):
                return
            check(self.process.poll() is None, f"the client ended; it wrote: {text}")
            breathe()
        raise AssertionError(f"waited for {words}; it wrote: {self.text()}")


def seen_by(client, house):
    """Mail through, a command by the client, and what came back."""
    submit(house.gateway, 1)
    client.until("1 exported: adapter=out")


def test_weechat_logs_on_with_scram_hears_events_and_gives_a_command():
    with House() as house, tempfile.TemporaryDirectory(prefix="postern-weechat-", ignore_cleanup_errors=True) as home:
        port = house.gateway.ports["chat"]
        commands = [f"/server add post 127.0.0.1/{port} -notls", "/set irc.server.post.sasl_mechanism scram-sha-256",
                    "/set irc.server.post.sasl_username olaf", f"/set irc.server.post.sasl_password {PASSWORD}",
                    "/set irc.server.post.nicks olaf", "/set irc.server.post.autojoin #queue", "/set logger.file.flush_delay 0",
                    "/set irc.server.post.command /msg postern suspend out for 1s by weechat", "/connect post"]
        words = ["weechat-headless", "--stdout", "-d", os.path.join(home, "w")]
        for command in commands:
            words += ["-r", command]
        with Screenless(home, words, "w/**/logs/*.weechatlog") as client:
            client.until("adapter suspended by a person", "by weechat")
            seen_by(client, house)


def test_irssi_logs_on_with_plain_hears_events_and_gives_a_command():
    with House() as house, tempfile.TemporaryDirectory(prefix="postern-irssi-", ignore_cleanup_errors=True) as home:
        port = house.gateway.ports["chat"]
        with open(os.path.join(home, "config"), "w", encoding="utf-8") as file:
            file.write(f"""
servers = ( {{ address = "127.0.0.1"; chatnet = "post"; port = "{port}"; autoconnect = "yes"; use_tls = "no"; }} );
chatnets = {{ post = {{ type = "IRC"; sasl_mechanism = "PLAIN"; sasl_username = "olaf"; sasl_password = "{PASSWORD}";
  autosendcmd = "/msg postern suspend out for 1h by irssi;/msg postern resume out"; }}; }};
channels = ( {{ name = "#queue"; chatnet = "post"; autojoin = "yes"; }} );
settings = {{ core = {{ nick = "olaf"; user_name = "olaf"; real_name = "olaf"; }};
  "fe-common/core" = {{ autolog = "yes"; autolog_path = "{home}/logs/$tag/$0.log"; }}; }};
""")
        words = ["script", "-qec", f"irssi --home={home} --config={home}/config", os.path.join(home, "screen")]
        with Screenless(home, words, "logs/**/*.log") as client:
            client.until("#queue", "adapter resumed by a person")
            seen_by(client, house)


def weechat(home, port, fingerprint):
    """WeeChat over TLS, which takes the certificate with that fingerprint and no other. The options' names are those of 3 and 4."""
    commands = [f"/server add post 127.0.0.1/{port}", "/set irc.server.post.ssl on", "/set irc.server.post.tls on",
                f"/set irc.server.post.ssl_fingerprint {fingerprint}", f"/set irc.server.post.tls_fingerprint {fingerprint}",
                "/set irc.server.post.autoreconnect off", "/set irc.server.post.sasl_mechanism plain", "/set irc.server.post.sasl_username olaf",
                f"/set irc.server.post.sasl_password {PASSWORD}", "/set irc.server.post.nicks olaf", "/set irc.server.post.autojoin #queue",
                "/set logger.file.flush_delay 0", "/set irc.server.post.command /msg postern suspend out for 1s by weechat", "/connect post"]
    words = ["weechat-headless", "--stdout", "-d", os.path.join(home, "w")]
    for command in commands:
        words += ["-r", command]
    return Screenless(home, words, "w/**/logs/*.weechatlog")


def test_weechat_over_tls_takes_the_certificate_that_it_knows():
    with TlsHouse() as house, tempfile.TemporaryDirectory(prefix="postern-weechat-", ignore_cleanup_errors=True) as home:
        shown = subprocess.run(["openssl", "x509", "-noout", "-fingerprint", "-sha256", "-in", house.paper], check=True, capture_output=True, timeout=60)
        right = shown.stdout.decode().strip().split("=")[1].replace(":", "").lower()
        with weechat(home, house.gateway.ports["chat-tls"], "0" * 64) as client:
            client.until("irc: TLS handshake failed")
        with weechat(home, house.gateway.ports["chat-tls"], right) as client:
            client.until("adapter suspended by a person", "by weechat")
            seen_by(client, house)


def irssi(home, port, trust):
    """irssi over TLS; `trust`: the settings that say which certificates it takes."""
    with open(os.path.join(home, "config"), "w", encoding="utf-8") as file:
        file.write(f"""
servers = ( {{ address = "localhost"; chatnet = "post"; port = "{port}"; autoconnect = "yes"; use_tls = "yes"; tls_verify = "yes"; {trust} }} );
chatnets = {{ post = {{ type = "IRC"; sasl_mechanism = "PLAIN"; sasl_username = "olaf"; sasl_password = "{PASSWORD}";
  autosendcmd = "/msg postern suspend out for 1h by irssi;/msg postern resume out"; }}; }};
channels = ( {{ name = "#queue"; chatnet = "post"; autojoin = "yes"; }} );
settings = {{ core = {{ nick = "olaf"; user_name = "olaf"; real_name = "olaf"; resolve_prefer_ipv6 = "no"; }};
  "fe-common/core" = {{ autolog = "yes"; autolog_level = "all"; autolog_path = "{home}/logs/$tag/$0.log"; }}; }};
""")
    return Screenless(home, ["script", "-qfec", f"irssi --home={home} --config={home}/config", os.path.join(home, "screen")], "logs/**/*.log")


def test_irssi_over_tls_takes_a_certificate_that_its_authority_vouches_for():
    with TlsHouse() as house:
        port = house.gateway.ports["chat-tls"]
        with tempfile.TemporaryDirectory(prefix="postern-irssi-", ignore_cleanup_errors=True) as home:
            with irssi(home, port, "") as client:
                client.pattern = "screen"
                client.until("Could not verify TLS servers certificate")
        check(not any("auth.ok" in line for line in house.gateway.log), "it gave its password to a stranger")
        with tempfile.TemporaryDirectory(prefix="postern-irssi-", ignore_cleanup_errors=True) as home:
            with irssi(home, port, f'tls_cafile = "{house.paper}";') as client:
                client.until("#queue", "adapter resumed by a person")
                seen_by(client, house)


if __name__ == "__main__":
    sys.exit(chat.main({name: test for name, test in list(globals().items()) if name.startswith("test_")}))
