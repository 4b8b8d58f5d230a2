#!/usr/bin/env python3
"""Two services on one store. The first is stopped (SIGSTOP) at every call that it makes while it starts, and while it stops; then the
second is started, and the first goes on. Never are both at work: one of them ends with 75 and says that the store is in use, whoever comes
later finds what was accepted, and the outside ledger is even. Between, with mail on its way, commands that change the store by themselves
are refused too, and those that look are not.

Usage: two_services.py BUILD_FOLDER [--runs N]   (N: so many calls, spread over all there are)
"""

import argparse
import collections
import contextlib
import glob
import os
import signal
import subprocess
import sys
import threading
import time

from error_sweep import spread
from gateway import breathe
from kill_scenes import UNSEEN
from kill_sweep import Tracer, thread_ids
from scenes import Mail, Rig
from sweeping import ordinals

EX_TEMPFAIL = 75
IN_USE = "the store is in use"
STOP_IT_FIRST = "stop it first"


class Second:
    """Another posternd with the same configuration."""

    def __init__(self, rig):
        self.process = subprocess.Popen([rig.gateway.posternd, "--config", rig.gateway.config], stdin=subprocess.DEVNULL,
                                        stdout=subprocess.DEVNULL, stderr=subprocess.PIPE)
        self.text, self.ready, self.over = "", threading.Event(), threading.Event()
        self.reader = threading.Thread(target=self.read, daemon=True)
        self.reader.start()

    def read(self):
        for raw in self.process.stderr:
            self.text += raw.decode("utf-8", "replace")
            if b" service.ready " in raw:
                self.ready.set()
                self.over.set()
        self.over.set()

    def came_in(self):
        """Whether it is at work; otherwise it has ended."""
        if not self.over.wait(60):
            self.process.kill()
            raise RuntimeError("the second service neither starts nor ends:\n" + self.text)
        return self.ready.is_set()

    def end(self):
        self.process.send_signal(signal.SIGTERM)
        status = self.process.wait(30)
        self.reader.join(10)
        self.process.stderr.close()
        return status


def refusal(text, status, who):
    """What is wrong with how a service was refused."""
    if status != EX_TEMPFAIL or IN_USE not in text:
        return [f"the {who} service ended with {status}: {text[-300:]}"]
    return []


class Pair:
    """A store with one mail that waits, and whoever wants it."""

    def __init__(self, build):
        self.rig = Rig(build, "drop", "", "watchers = 1\n")
        self.serial = 0
        self.rig.gateway.start()
        self.mail([])
        self.rig.gateway.stop()

    def mail(self, problems):
        """One mail by the first, which is at work."""
        self.serial += 1
        if not self.rig.send(self.serial):
            problems.append("no mail was taken")

    def calls(self):
        """[(call, ordinal)] of the first's main thread at its start, and of two of its threads at a stop."""
        rig = self.rig
        rig.options = []
        rig.begin()
        rig.let_go()
        starting = ordinals(rig.traces()[0], UNSEEN | {"rt_sigtimedwait"})  # in that one it has started
        stopping = []
        for thread in ("posternd", "store-writer"):
            if not rig.alive():
                rig.gateway.start()
            os.unlink(rig.trace) if os.path.exists(rig.trace) else None
            tracer = self.attached(thread, [])
            rig.gateway.stop()
            tracer.finish()
            stopping += [(thread, *each) for each in ordinals(rig.traces()[0], UNSEEN)]
        return [("", *each) for each in starting] + stopping

    def attached(self, thread, options):
        return Tracer(thread_ids(self.rig.gateway, thread)[0], ["-o", self.rig.trace, *options])

    def stopped(self):
        with contextlib.suppress(OSError, AttributeError), open(f"/proc/{self.rig.gateway.process.pid}/stat", encoding="utf-8") as file:
            return file.read().rsplit(")", 1)[1].split()[0] in "tT" and any("stopped by SIGSTOP" in line for line in self.rig.traces()[0])
        return False

    def second_comes(self, problems):
        """While the first stands still. Whether the second came in; the first goes on then."""
        try:
            second = Second(self.rig)
            came_in = second.came_in()
        finally:
            os.kill(self.rig.gateway.process.pid, signal.SIGCONT)
        if not came_in:
            problems += refusal(second.text, second.end(), "second")
        return second if came_in else None

    def at_a_start(self, call, ordinal):
        """(problems, whether the first stood still, whether the second came in)"""
        rig, problems = self.rig, []
        rig.options = stop_at(call, ordinal)
        rig.gateway.process = None
        launched = threading.Thread(target=rig.begin, daemon=True)
        launched.start()
        deadline = time.monotonic() + 10
        while launched.is_alive() and not self.stopped() and time.monotonic() < deadline:
            breathe()
        second, met = None, self.stopped()
        if met:
            second = self.second_comes(problems)
        launched.join()
        if second and rig.alive():
            problems.append("both are at work")
        if second:
            problems += refusal("\n".join(rig.gateway.log), rig.gateway.wait_for_end(5), "first")
            if second.end() != 0:
                problems.append("the second did not stop well")
            rig.gateway.start()
        elif not rig.alive():
            problems.append("neither is at work:\n" + "\n".join(rig.gateway.log[-3:]))
            rig.gateway.start()
        rig.let_go()
        self.mail(problems)
        return problems + self.rest(), met, second is not None

    def at_a_stop(self, thread, call, ordinal):
        rig, problems = self.rig, []
        rig.gateway.start()
        self.mail(problems)
        tracer = self.attached(thread, stop_at(call, ordinal))
        rig.gateway.process.send_signal(signal.SIGTERM)
        rig.until(self.stopped, 3)
        met, second = self.stopped(), None
        if met:
            second = self.second_comes(problems)
        if rig.gateway.wait_for_end(25) != 0:
            problems.append(f"the first ended with {rig.gateway.process.returncode}")
        tracer.finish()
        if second and second.end() != 0:
            problems.append("the second did not stop well")
        rig.gateway.start()
        return problems + self.rest(), met, second is not None

    def rest(self):
        rig = self.rig
        problems = [] if rig.gateway.wait_until_settled() else ["not settled"]
        if rig.gateway.stop() != 0:
            problems.append("no good stop")
        rig.ledger.take(rig.gateway.out)
        for path in glob.glob(rig.trace + "*"):
            os.unlink(path)
        found, rig.problems = problems + rig.problems + rig.ledger.verdict(), []
        return found


def stop_at(call, ordinal):
    return ["-e", f"trace={call}", "-e", f"inject={call}:signal=STOP:when={ordinal}"]


def while_it_works(build):
    """Mail flows; a second service and commands come, again and again."""
    rig, problems = Rig(build, "drop", "", "watchers = 1\n"), []
    try:
        Mail().before(rig)
        ended = threading.Event()

        def flow():
            for serial in range(1, 10_000):
                if ended.is_set():
                    return
                rig.send(serial)

        sender = threading.Thread(target=flow)
        sender.start()
        try:
            for _ in range(5):
                second = Second(rig)
                if second.came_in():
                    problems.append("both were at work")
                problems += refusal(second.text, second.end(), "second")
                for words, statuses in ((("queue", "list"), (0,)), (("status",), (0,)), (("db", "check"), (0,)),
                                        (("db", "backup", rig.path("copy.db")), (0, 73)), (("db", "vacuum"), (EX_TEMPFAIL,)),
                                        (("db", "restore", rig.path("copy.db")), (EX_TEMPFAIL, 73))):
                    done = rig.postern(*words)
                    if done.returncode not in statuses or done.returncode == EX_TEMPFAIL and STOP_IT_FIRST not in done.stderr.decode():
                        problems.append(f"{words}: {done.returncode} {done.stderr.decode()}")
        finally:
            ended.set()
            sender.join()
        if not rig.gateway.wait_until_settled():
            problems.append("not settled")
        if rig.gateway.stop() != 0:
            problems.append("the first did not stop well")
        rig.ledger.take(rig.gateway.out)
        problems += rig.problems + rig.ledger.verdict()
        if len(rig.ledger.accepted) < 20:
            problems.append(f"only {len(rig.ledger.accepted)} mails were taken meanwhile")
        return problems, len(rig.ledger.accepted)
    finally:
        rig.close()


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("build")
    parser.add_argument("--runs", type=int, default=0)
    options = parser.parse_args()
    problems, mails = while_it_works(os.path.abspath(options.build))
    print(f"two services while mail flows: {mails} mails, {problems or 'refused each time'}", flush=True)
    failed, counted = bool(problems), collections.Counter()
    pair = Pair(os.path.abspath(options.build))
    try:
        for thread, call, ordinal in spread(pair.calls(), options.runs):
            found, met, came_in = pair.at_a_stop(thread, call, ordinal) if thread else pair.at_a_start(call, ordinal)
            counted.update(runs=1, met=met, came_in=came_in, failed=bool(found))
            if found:
                print(f"FAILED at a {'stop, ' + thread if thread else 'start'}: {call} #{ordinal}: {found}", flush=True)
    finally:
        pair.rig.close()
    print(f"two services: {counted['runs']} calls, at {counted['met']} the first stood still, at {counted['came_in']} of them the second came in "
          f"instead; {counted['failed'] + failed} times both, neither, lost or doubled")
    if counted["met"] * 2 < counted["runs"] or not 0 < counted["came_in"] < counted["met"]:
        print("the sweep does not reach its points")
        return 1
    return 1 if failed or counted["failed"] else 0


if __name__ == "__main__":
    sys.exit(main())
