"""A small IRC client for tests: one blocking socket, lines with a deadline."""

import base64
import socket
import ssl
import time

LIMIT = 30.0


class IrcClient:
    """Connects; log_on() proves an account by SASL PLAIN and waits for 001."""

    def __init__(self, port, tls=False):
        self.socket = socket.create_connection(("127.0.0.1", port), timeout=LIMIT)
        if tls:
            context = ssl.create_default_context()
            context.check_hostname = False
            context.verify_mode = ssl.CERT_NONE
            self.socket = context.wrap_socket(self.socket)
        self.rest = b""
        self.heard = []

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.socket.close()

    def say(self, line):
        self.socket.sendall(line.encode() + b"\r\n")

    def line(self):
        """The next line; None when the connection ended. PING is answered on the way."""
        while b"\n" not in self.rest:
            try:
                got = self.socket.recv(65536)
            except ConnectionError:
                got = b""
            if not got:
                return None
            self.rest += got
        raw, self.rest = self.rest.split(b"\n", 1)
        text = raw.rstrip(b"\r").decode()
        if text.startswith("PING "):
            self.say("PONG " + text[5:])
        self.heard.append(text)
        return text

    def until(self, *words):
        """The next line that has all these words; what comes before it is passed over."""
        deadline = time.monotonic() + LIMIT
        seen = []
        while time.monotonic() < deadline:
            line = self.line()
            if line is None:
                break
            seen.append(line)
            if all(word in line for word in words):
                return line
        raise AssertionError(f"waited for {words}, heard {seen[-12:]}")

    def log_on(self, account, password, nick=None, caps="sasl"):
        self.say(f"CAP REQ :{caps}")
        self.say("AUTHENTICATE PLAIN")
        self.until("AUTHENTICATE +")
        self.say("AUTHENTICATE " + base64.b64encode(f"\0{account}\0{password}".encode()).decode())
        self.until(" 903 ")
        self.say(f"NICK {nick or account}")
        self.say(f"USER {account} 0 * :{account}")
        self.say("CAP END")
        self.until(" 001 ")
        return self

    def join(self, channel="#queue"):
        self.say(f"JOIN {channel}")
        self.until(" 366 ")
        return self

    def ask(self, text, *words):
        """Says it to the service; the first answer with these words."""
        self.say(f"PRIVMSG postern :{text}")
        return self.until("NOTICE", *words)
