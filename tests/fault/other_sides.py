"""Who is on the other side of an adapter of each kind: what the adapter is told of him, and how what he got comes into the ledger."""

import os

from kill_wire import Host


class Reader:
    """Of a folder or a mailbox file, as the ledger knows them."""

    settings, route, has_folder = "", "", True  # {out} in the settings stands for the adapter's folder

    def folder(self, rig):
        return rig.gateway.out

    def take(self, rig):
        if os.path.isdir(self.folder(rig)):
            rig.ledger.take(self.folder(rig))

    def close(self):
        pass


class MaildirReader(Reader):
    def folder(self, rig):
        return os.path.join(rig.gateway.out, "new")


class ChatReader(Reader):
    settings, route = 'channels = ["#log"]\n', 'legacy = "#log"'


class Command(Reader):
    """Keeps each mail in a file of its own, and nothing of one that it was not given whole."""

    settings = """command = ["/bin/sh", "-c", "mkdir -p {out}-taken && cat >{out}-taken/.$$ && mv {out}-taken/.$$ {out}-taken/$$"]\n"""

    def folder(self, rig):
        return rig.gateway.out + "-taken"


class OtherHost(Reader):
    """An SMTP host that takes everything."""

    has_folder = False

    def __init__(self):
        self.host = Host()
        self.settings = f'hosts = ["127.0.0.1:{self.host.port}"]\ntls = "none"\n'

    def take(self, rig):
        for serial, texts in self.host.taken.items():
            for text in texts:
                rig.ledger.take_one(text, "host")
        self.host.taken.clear()

    def close(self):
        self.host.ear.close()


def of(kind):
    return {"maildir": MaildirReader, "chat": ChatReader, "pipe": Command, "smtp": OtherHost}.get(kind, Reader)()
