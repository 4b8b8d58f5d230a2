"""Other people's mail servers as hosts that we deliver to, and a wire between that keeps what we said.

A host that took a mail proves nothing: Exim stores raw 8-bit and endless lines without complaint. So every test
looks at the bytes that left us.
"""

import contextlib
import hashlib
import os
import socket
import ssl
import subprocess
import threading
import time

from peers import Missing, Postfix, Room, USERS, end_group, free_port, unpacked


class Wire:
    """Forwards connections to a host on loopback; `said` is what our side sent, connection by connection."""

    def __init__(self, target):
        self.target = target  # a port, or the path of a Unix socket
        self.said = []
        self.heard = []
        self.pieces = []  # of what our side sent, as it was written: on loopback a short write arrives as one
        self.ear = socket.create_server(("127.0.0.1", 0))
        self.port = self.ear.getsockname()[1]
        self.threads = [threading.Thread(target=self._listen, daemon=True)]
        self.threads[0].start()

    def _listen(self):
        with contextlib.suppress(OSError):
            while True:
                ours, _ = self.ear.accept()
                theirs = socket.socket(socket.AF_UNIX) if isinstance(self.target, str) else socket.socket()
                theirs.connect(self.target if isinstance(self.target, str) else ("127.0.0.1", self.target))
                said, heard = bytearray(), bytearray()
                self.said.append(said)
                self.heard.append(heard)
                for source, target, kept, pieces in ((ours, theirs, said, self.pieces), (theirs, ours, heard, None)):
                    thread = threading.Thread(target=self._pump, args=(source, target, kept, pieces), daemon=True)
                    self.threads.append(thread)
                    thread.start()

    @staticmethod
    def _pump(source, target, kept, pieces):
        with contextlib.suppress(OSError):
            while chunk := source.recv(65536):
                kept.extend(chunk)
                if pieces is not None:
                    pieces.append(chunk)
                target.sendall(chunk)
        with contextlib.suppress(OSError):
            target.shutdown(socket.SHUT_WR)

    def all(self):
        return b"".join(bytes(each) for each in self.said)

    def with_mail(self):
        """The connections that carried mail: a probe says EHLO and QUIT."""
        return [bytes(each) for each in self.said if b"MAIL FROM" in each]

    def close(self):
        # A socket that another thread waits in is woken by its shutdown, not by its close.
        with contextlib.suppress(OSError):
            self.ear.shutdown(socket.SHUT_RDWR)
        self.ear.close()


class Daemon:
    """A server in a Room, started and ended by us."""

    def __init__(self):
        self.room = Room()
        self.port = free_port()
        self.process = None

    def launch(self, arguments, limit=20.0):
        log = self.room.path("out")
        self.process = self.room.start(arguments, log)
        deadline = time.monotonic() + limit
        while time.monotonic() < deadline and self.process.poll() is None:
            with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", self.port), timeout=1):
                return
            threading.Event().wait(0.05)
        with open(log, encoding="utf-8", errors="replace") as file:
            raise AssertionError(f"{arguments[0]} does not listen: " + file.read()[-800:])

    def close(self):
        end_group(self.process)
        self.room.close()


class OldExim(Daemon):
    """Exim made old: no 8BITMIME, SMTPUTF8, PIPELINING, CHUNKING or TLS; 64 KiB a mail. It keeps what it takes in its queue."""

    CONFIG = """primary_hostname = exim.old.example
spool_directory = {folder}/spool
log_file_path = {folder}/log-%s
exim_path = {program}
keep_environment =
local_interfaces = 127.0.0.1
daemon_smtp_ports = {port}
accept_8bitmime = false
smtputf8_advertise_hosts =
chunking_advertise_hosts =
pipelining_advertise_hosts =
{tls}
message_size_limit = 64K
queue_only
acl_smtp_rcpt = acl_rcpt
begin acl
acl_rcpt:
  deny local_parts = nobody
       message = no such user here
  accept {whom}
{end}
"""

    def __init__(self, build, tls="tls_advertise_hosts =", whom="", end=""):
        super().__init__()
        self.program = os.path.join(unpacked(build, "exim4-daemon-light"), "usr/sbin/exim4")
        self.room.write("exim.conf", self.CONFIG.format(folder=self.room.folder, program=self.program, port=self.port,
                                                        tls=tls.format(folder=self.room.folder), whom=whom, end=end), 0o640)
        for name in ("exim.conf", "."):
            os.chown(self.room.path(name), 0, USERS["Debian-exim"])
        os.chmod(self.room.folder, 0o775)
        self.prepare()
        self.begin()

    def prepare(self):
        """Makes what the configuration names."""

    def begin(self):
        self.launch([self.program, "-C", self.room.path("exim.conf"), "-bdf", "-oX", f"127.0.0.1.{self.port}"])

    def end(self):
        """Away, with its queue left as it is: begin() brings it back."""
        end_group(self.process)
        self.process = None

    def log(self):
        with open(self.room.path("log-main"), encoding="utf-8", errors="replace") as file:
            return file.read()

    def kept(self):
        """The texts that it holds."""
        texts = []
        for folder, _, names in os.walk(self.room.path("spool/input")):
            for name in names:
                if name.endswith("-D"):
                    with open(os.path.join(folder, name), "rb") as file:
                        texts.append(file.read())
        return texts


class GuardedExim(OldExim):
    """Exim that takes mail from who logs on, and lets nobody log on but under TLS. Its certificate is its own."""

    TLS = """tls_advertise_hosts = *
tls_certificate = {folder}/cert.pem
tls_privatekey = {folder}/key.pem"""
    AUTH = """begin authenticators
plain:
  driver = plaintext
  public_name = PLAIN
  server_prompts = :
  server_condition = ${if and{{eq{$auth2}{gateway}}{eq{$auth3}{secret}}}}
  server_set_id = $auth2
  server_advertise_condition = ${if def:tls_in_cipher}"""

    def __init__(self, build):
        super().__init__(build, self.TLS, "authenticated = *", self.AUTH)

    def prepare(self):
        subprocess.run(["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "3650", "-subj", "/CN=old.example",
                        "-addext", "subjectAltName=DNS:old.example", "-keyout", self.room.path("key.pem"),
                        "-out", self.room.path("cert.pem")], check=True, capture_output=True, timeout=60)
        os.chmod(self.room.path("key.pem"), 0o644)
        self.certificate = self.room.path("cert.pem")
        with open(self.certificate, encoding="ascii") as file:
            self.fingerprint = hashlib.sha256(ssl.PEM_cert_to_DER_cert(file.read())).hexdigest()


class OldOpenSmtpd(Daemon):
    """OpenSMTPD taking mail into its queue; where it would send it, nobody is."""

    CONFIG = """listen on 127.0.0.1 port {listen}
action "on" relay host smtp+notls://127.0.0.1:{nobody}
match from any for any action "on"
"""

    def __init__(self, build):
        super().__init__()
        program = os.path.join(unpacked(build, "opensmtpd"), "usr/sbin/smtpd")
        self.room.write("smtpd.conf", self.CONFIG.format(listen=self.port, nobody=free_port()))
        self.launch([program, "-d", "-f", self.room.path("smtpd.conf")])


def taking_postfix(build, settings):
    """Postfix that takes mail and can not send it on."""
    postfix = Postfix(build, f"[127.0.0.1]:{free_port()}", settings)
    postfix.start()
    return postfix


class DovecotLmtp(Daemon):
    """Dovecot's LMTP with two mailboxes, bob and carol."""

    CONFIG = """protocols = lmtp
base_dir = {folder}/run
state_dir = {folder}/run
log_path = {folder}/dovecot.log
ssl = no
mail_location = maildir:{folder}/mail/%n
first_valid_uid = 1
passdb {{
  driver = passwd-file
  args = username_format=%n {folder}/users
}}
userdb {{
  driver = passwd-file
  args = username_format=%n {folder}/users
}}
service lmtp {{
  unix_listener {folder}/lmtp {{
    mode = 0666
  }}
  inet_listener lmtp {{
    address = 127.0.0.1
    port = {port}
  }}
}}
"""

    def __init__(self):
        super().__init__()
        program = "/usr/sbin/dovecot"
        if not os.path.exists(program):
            raise Missing("dovecot is not installed")
        folder = self.room.folder
        os.mkdir(self.room.path("mail"))
        os.chown(self.room.path("mail"), 8, 8)
        self.room.write("users", "".join(f"{name}:{{PLAIN}}x:8:8::{folder}/mail/{name}::\n" for name in ("bob", "carol")))
        self.room.write("dovecot.conf", self.CONFIG.format(folder=folder, port=self.port))
        os.chmod(folder, 0o755)
        self.socket = self.room.path("lmtp")
        self.launch([program, "-F", "-c", self.room.path("dovecot.conf")])

    def mails(self, name):
        texts = []
        for folder, _, names in os.walk(self.room.path(f"mail/{name}")):
            if os.path.basename(folder) in ("new", "cur"):
                for each in names:
                    with open(os.path.join(folder, each), "rb") as file:
                        texts.append(file.read())
        return texts
