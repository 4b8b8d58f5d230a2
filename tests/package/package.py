#!/usr/bin/env python3
"""The Debian package: made of a build, looked at, and installed, upgraded, removed and purged on a machine of its own.

Each function named test_* in making.py, life.py and boot.py is one test; those of the last two follow on each other, in their order.
Usage: package.py BUILD_FOLDER [TEST ...]
"""

import os
import signal
import sys
import time
import traceback

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
import boot  # noqa: E402
import life  # noqa: E402
import making  # noqa: E402
from making import Skipped  # noqa: E402


def run(tests, wanted):
    passed = failed = skipped = 0
    for name, test in tests.items():
        if wanted and name not in wanted:
            continue
        started = time.monotonic()
        try:
            test()
            passed += 1
            print(f"  ok      {name} ({time.monotonic() - started:.1f} s)", flush=True)
        except Skipped as reason:
            skipped += 1
            print(f"  skipped {name}: {reason}", flush=True)
        except Exception:  # whatever it is, it must not keep the others from running
            failed += 1
            print(f"  FAILED  {name}", flush=True)
            traceback.print_exc()
    print(f"{passed} passed, {failed} failed" + (f", {skipped} skipped" if skipped else ""))
    return 1 if failed or not passed else 0


def main():
    signal.signal(signal.SIGTERM, lambda number, _: sys.exit(128 + number))  # nothing stays then either
    work = making.begin(os.path.abspath(sys.argv[1]))
    try:
        tests = {}
        for module in (making, life, boot):
            tests.update({name: test for name, test in vars(module).items() if name.startswith("test_")})
        return run(tests, sys.argv[2:])
    finally:
        boot.end()
        life.end()
        making.end(work)


if __name__ == "__main__":
    sys.exit(main())
