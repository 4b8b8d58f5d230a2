"""The rows of the proof: what each of R1 to R22 asks, what runs it in its sampled and its whole size, and what it lacks.

A step is a command; {build} is the build's folder, {sanitized} that of a build with sanitizers (preset "fuzz"), {tests} this tree's. A row without steps is not built, and never counts as passed;
one that lacks something is passed in part. `seconds` is the time budget of the whole size."""

import os
import sys
from dataclasses import dataclass, field

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "fault"))
from other_sides import FILES  # noqa: E402

MINUTE = 60
CONTROLS = {"--lying", "--leaky"}  # steps that must lose or leak: what they say counts for no figure


@dataclass
class Row:
    name: str
    asks: str
    full: list = field(default_factory=list)
    sampled: list = None  # none: as the whole
    seconds: int = 5 * MINUTE
    lacks: str = ""
    targets: list = field(default_factory=list)  # what has to be built, besides the programs

    def steps(self, whole):
        return self.full if whole or self.sampled is None else self.sampled


def script(path, *arguments):
    return ["python3", "{tests}/" + path, "{build}", *arguments]


def cases(program, which, **environment):
    """Cases of a GoogleTest program."""
    return ["env", *(f"{name}={value}" for name, value in environment.items()), "{build}/tests/" + program, "--gtest_brief=1",
            "--gtest_filter=" + which]


def by_ctest(names, jobs=2):
    return ["ctest", "--test-dir", "{build}", "--no-tests=error", "-j", str(jobs), "--output-on-failure", "-R", f"^({names})$"]


RACES = "race/export_race_tests"
STORE = "unit/store/store_tests"
KINDS = [kind for kind in FILES if kind != "drop"]

ROWS = [
    Row("R1", "kill -9 at every system call: intake, export of each kind, recovery", seconds=180 * MINUTE,
        full=[script("fault/kill_sweep.py"), *(script("fault/kill_sweep.py", "--kind", kind) for kind in KINDS),
              script("fault/kill_command.py"), script("fault/kill_import.py"), script("fault/kill_wire.py"),
              by_ctest("pickup_kills|crash_steps_full"), script("fault/kill_scenes.py"), script("fault/kill_scenes.py", "--twice", "--runs", "4000")],
        sampled=[by_ctest("kill_sweep(_[a-z0-9]+)?_sampled|kill_command_sampled|kill_import_sampled"),
                 by_ctest("kill_wire|pickup_kills|kill_scenes_sampled|second_kills_sampled")],
        targets=["adapter_conformance_tests", "stopped_first"],
        lacks="of about 10,000 second kills a spread of 4,000; scenes beside a mail's way are those of drop; uucp and nncp, which are commands as pipe "
              "is, and webhook"),
    Row("R2", "a worker stalls, another takes over, the first goes on", [cases(RACES, "Stall*"), script("fault/kill_scenes.py", "--stall", "--runs", "800")],
        sampled=[cases(RACES, "Stall*"), by_ctest("stalls_sampled")], targets=["export_race_tests"], seconds=90 * MINUTE,
        lacks="of some 2,700 stops at a call a spread of 800; kinds that hand over to somebody else: commands and other hosts"),
    Row("R3", "errors of the system at every call, once and for good", [by_ctest("store_fault_tests"), script("fault/disk_full.py"),
                                                                        script("fault/error_sweep.py", "--runs", "8000")],
        sampled=[by_ctest("store_fault_tests|error_sweep_sampled"), script("fault/disk_full.py")], seconds=180 * MINUTE, targets=["store_fault_tests", "stopped_first"],
        lacks="of more than 40,000 runs a spread of 8,000: without --runs it does them all; scenes beside a mail's way are those of drop; uucp, "
              "nncp and webhook"),
    Row("R4", "power cuts under the whole stack on a device that records, synchronous renames; one that lies must lose mail",
        [script("proof/power_cuts.py", "--images", "10000"), script("proof/power_cuts.py", "--lying"),
         script("proof/power_cuts.py", "--images", "1000", "--file-system", "xfs"),
         script("proof/power_cuts.py", "--images", "1000", "--eventful"),
         *(script("proof/power_cuts.py", "--images", "400", "--kind", kind) for kind in KINDS)], seconds=180 * MINUTE,
        sampled=[script("proof/power_cuts.py", "--images", "30"), script("proof/power_cuts.py", "--lying")],
        targets=["recorded_volume"]),
    Row("R5", "the same with ordinary renames: what is doubled is counted",
        [script("proof/power_cuts.py", "--images", "5000", "--renames", "ordinary"),
         script("proof/power_cuts.py", "--images", "500", "--renames", "ordinary", "--file-system", "xfs")], seconds=60 * MINUTE,
        sampled=[script("proof/power_cuts.py", "--images", "30", "--renames", "ordinary")], targets=["recorded_volume"]),
    Row("R6", "power cuts of the database alone, at every step of a store's life, and of its recovery",
        [cases("proof/store_power_tests", "*", POSTERN_POWER_IMAGES=50000, TMPDIR="/dev/shm")], seconds=15 * MINUTE,
        sampled=[cases("proof/store_power_tests", "*")], targets=["store_power_tests"]),
    Row("R7", "a storm of kills with senders and a consumer at work; and everything else that can come between, by chance",
        [script("fault/kill_storm.py", "--kills", "1000"), cases("proof/storm_tests", "*", POSTERN_STORM_KILLS=10000, TMPDIR="/dev/shm"),
         script("proof/torture.py", "--steps", "2000"), script("fault/two_services.py")],
        sampled=[script("fault/kill_storm.py", "--kills", "30"), cases("proof/storm_tests", "*"), script("proof/torture.py", "--steps", "40"),
                 by_ctest("two_services_sampled")],
        targets=["storm_tests"], seconds=120 * MINUTE, lacks="other kinds than drop, mbox and maildir"),
    Row("R8", "many threads claim 1,000,000 items from one queue", [cases(RACES, "ClaimRace.Q184524_claim_race*", POSTERN_RACE_SCALE=5000, TMPDIR="/dev/shm"),
                                                                   cases(RACES, "ClaimRace.Q184524_single*", POSTERN_RACE_SCALE=500)],
        sampled=[cases(RACES, "ClaimRace.Q184524_claim_race*:ClaimRace.Q184524_single*")], targets=["export_race_tests"], seconds=45 * MINUTE),
    Row("R9", "Q184524, the race of the first claims; without its guards it must be found",
        [cases(RACES, "ClaimRace.Q184524_many_starts*", POSTERN_RACE_SCALE=3334, POSTERN_RACE_ROWS=10000, TMPDIR="/dev/shm"),
         cases(RACES, "StallMutation.*", POSTERN_RACE_SCALE=500)],
        sampled=[cases(RACES, "ClaimRace.Q184524_many_starts*:StallMutation.*")], targets=["export_race_tests"], seconds=180 * MINUTE),
    Row("R10", "a full disk", [script("fault/disk_full.py"), cases(STORE, "Failure.*Full*:Failure.*NoSpace*:Ballast*"),
                               script("fault/error_sweep.py", "--error", "ENOSPC")], seconds=120 * MINUTE, targets=["store_tests", "stopped_first"],
        sampled=[script("fault/disk_full.py"), cases(STORE, "Failure.*Full*:Failure.*NoSpace*:Ballast*")]),
    Row("R11", "a sync that fails: in the database, and under everything on a block device, with a restart and a power cut behind it",
        [cases(STORE, "*Breaking.*:Failure.AnError*:Failure.AReadError*:Failure.AStop*"), script("proof/failed_syncs.py", "--rounds", "100")],
        sampled=[cases(STORE, "*Breaking.*:Failure.AnError*:Failure.AReadError*:Failure.AStop*"), script("proof/failed_syncs.py", "--rounds", "8")],
        targets=["store_tests", "recorded_volume"], seconds=20 * MINUTE),
    Row("R12", "SQLite's WAL-reset fault with our way of checkpointing, and a control that must corrupt",
        [cases("proof/log_reset_tests", "*", POSTERN_RESET_SECONDS=600)], sampled=[cases("proof/log_reset_tests", "*")], seconds=15 * MINUTE,
        targets=["log_reset_tests"]),
    Row("R13", "damaged, truncated, empty, missing, foreign and newer stores, a stray -wal: refused, and left as they are",
        [cases(STORE, "*/Refused.*:Opening.*")], targets=["store_tests"], seconds=MINUTE),
    Row("R14", "group commit: 24 clients, 10 kB, 10,000 a second, none waits for 200 ms", [["{build}/tests/bench/commit", "30"]],
        sampled=[["{build}/tests/bench/commit", "5"]], targets=["commit_bench"]),
    Row("R15", "RFC 1047: the answer is lost at every byte and call, and the client comes again", [script("proof/cut_answers.py")],
        sampled=[script("proof/cut_answers.py", "--every", "40")], seconds=15 * MINUTE),
    Row("R16", "SMTP smuggling, at every split", [cases("unit/intake/intake_tests", "*muggl*")], targets=["intake_tests"]),
    Row("R17", "hostile bytes for every reader, and half an hour of search in each", seconds=240 * MINUTE, targets=["fuzzers"],
        full=[by_ctest("fuzz_.*"), ["python3", "{tests}/fuzz/search.py", "{sanitized}", "--minutes", "30"]], sampled=[by_ctest("fuzz_.*")]),
    Row("R18", "every mail of the corpora, converted and exported", [by_ctest("conversion_golden_tests|regress_tests|regress_gateway_tests")],
        targets=["conversion_golden_tests", "regress_tests", "regress_gateway_tests"], lacks="other people's mail is at hand only to who has some: tests/fuzz/foreign.py takes a folder of it"),
    Row("R19", "hours of everything at once, with flat memory, descriptors and database; unit, conformance and race suites with sanitizers",
        [["ctest", "--test-dir", "{sanitized}", "--no-tests=error", "-j", "2", "-L", "^(unit|conformance|regress|race)$"],
         script("proof/soak.py", "--minutes", "1", "--rate", "20", "--leaky", "1"), script("proof/soak.py", "--minutes", "120"),
         ["env", "ASAN_OPTIONS=quarantine_size_mb=8", "python3", "{tests}/proof/soak.py", "{sanitized}", "--sanitized", "--minutes", "120", "--rate", "10"]],
        sampled=[script("proof/soak.py", "--minutes", "1", "--rate", "20")], seconds=290 * MINUTE, lacks="hours under ThreadSanitizer, which runs "
                                                                                                         "the threaded suites alone (./check --full)"),
    Row("R20", "1,000 connections, half of them slow, and ten times more offered than is taken", [script("proof/overload.py")],
        sampled=[script("proof/overload.py", "--connections", "300", "--clients", "30", "--seconds", "3")], targets=["slow_disk"]),
    Row("R21", "the claim protocol searched, planted faults found", [["python3", "{tests}/proof/model/check_model.py"]],
        sampled=[["python3", "{tests}/proof/model/check_model.py", "--small"]], seconds=15 * MINUTE),
    Row("R22", "the clock jumps by an hour, and 2038 begins", [script("proof/clock_jumps.py", "--rounds", "3")],
        sampled=[script("proof/clock_jumps.py", "--short")], seconds=10 * MINUTE),
]
