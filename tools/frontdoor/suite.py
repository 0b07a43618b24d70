"""./pinstrap test: stages, counted case by case, and one closing line."""
import dataclasses
import json
import os
import re
import subprocess
import sys
import time

import build
import packages
from screen import Progress, clock, say

HELP = """\
usage: ./pinstrap test                everything: g++ build, all tests, clang build with sanitizers, compile budget
       ./pinstrap test SUITE...       g++ build and these: unit, codegen, isa, fuzz, board
       ./pinstrap test --quick        g++ build and the tests that are not slow
       ./pinstrap test --asan         the unit tests under AddressSanitizer and UBSan only

Tests that boot Linux need a guests folder: PINSTRAP_GUESTS, build/guests (./pinstrap guest versatilepb-linux), or one
beside the project. What is skipped is said by name.
"""
SUITES = ("unit", "codegen", "isa", "fuzz", "board")
CLANG = {"CC": "clang", "CXX": "clang++"}
SANITIZERS = ("-Db_sanitize=address,undefined", "-Db_lundef=false", "-Dbuildtype=debugoptimized", "-Doptimization=1")


@dataclasses.dataclass
class Tally:
    passed: int = 0
    failed: int = 0
    skipped: int = 0
    notes: list = dataclasses.field(default_factory=list)

    def stage(self, good, name):
        """A stage counts as one case."""
        self.passed += bool(good)
        self.failed += not good
        if not good:
            self.notes.append(f"failed: {name}")
        return good


# What test programs say at their end: doctest, pytest, unittest.
DOCTEST = re.compile(r"test cases: *(\d+) *\| *(\d+) passed *\| *(\d+) failed *(?:\| *(\d+) skipped)?")
PYTEST = re.compile(r"(\d+) (passed|failed|errors?|skipped|xfailed|xpassed)\b")


def count(result, text):
    """(passed, failed, skipped) cases of one test program."""
    if found := DOCTEST.findall(text):
        passed, failed = (sum(int(row[i]) for row in found) for i in (1, 2))
        if result == "OK":
            return max(passed, 1), 0, 0
        return passed, max(failed, 1), 0
    last = next((line for line in reversed(text.splitlines()) if re.search(r" in [0-9.]+s", line)), "")
    numbers = {word.rstrip("s") if word.startswith("error") else word: int(n) for n, word in PYTEST.findall(last)}
    if numbers:
        failed = numbers.get("failed", 0) + numbers.get("error", 0)
        good = numbers.get("passed", 0) + numbers.get("xfailed", 0)
        return good, max(failed, result not in ("OK", "SKIP", "EXPECTEDFAIL")), numbers.get("skipped", 0)
    return int(result in ("OK", "EXPECTEDFAIL")), int(result not in ("OK", "SKIP", "EXPECTEDFAIL")), int(result == "SKIP")


def run_tests(tally, folder, suites, environment=None):
    """Runs meson's tests of these suites."""
    log = folder / "meson-logs/testlog.json"
    log.unlink(missing_ok=True)
    progress = Progress(f"testing {folder.name}: {', '.join(suites)}")
    process = subprocess.Popen(["meson", "test", "-C", str(folder), "--no-rebuild", "--print-errorlogs", "--timeout-multiplier", "3",
                                *(w for s in suites for w in ("--suite", s))], env={**os.environ, **(environment or {})},
                               stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, errors="replace")
    lines = []
    for line in process.stdout:
        lines.append(line)
        if m := re.match(r" *(\d+)/(\d+) (\S+(?: [:/] \S+)*) +(\w+) ", line):
            progress.show(f"{m[1]}/{m[2]}  {m[3]}")
    process.wait()
    results = [json.loads(line) for line in log.read_text().splitlines()] if log.is_file() else []
    before = tally.failed
    for r in results:
        passed, failed, skipped = count(r["result"], r.get("stdout", "") + "\n" + r.get("stderr", ""))
        tally.passed, tally.failed, tally.skipped = tally.passed + passed, tally.failed + failed, tally.skipped + skipped
        if failed:
            tally.notes.append(f"failed: {r['name']} ({r['result'].lower()})")
        skips = re.findall(r"^skipped: .*", r.get("stdout", ""), re.M)
        tally.notes += skips or [f"skipped: {r['name']}"] * (skipped > 0)
    ran = {s for r in results for s in r["name"].split(" / ")[0].split(":")[-1].split("+")}  # project:suite / name
    for absent in [s for s in suites if s not in ran]:
        tally.skipped += 1
        tally.notes.append(f"skipped: the suite {absent}: this build has no tests of it")
    if process.returncode and tally.failed == before:
        tally.stage(False, f"the tests of {folder.name} did not run")
    if tally.failed > before:
        progress.clear()
        print("".join(lines), flush=True)
    progress.done("done" if tally.failed == before else "failed")


def main(words):
    began = time.monotonic()
    known = {"--asan", "--quick", *SUITES}
    if wrong := [w for w in words if w not in known]:
        say(f"pinstrap: there is no test suite '{wrong[0]}'; there are {', '.join(SUITES)}, and --quick and --asan")
        return 1
    tally = Tally()
    packages.need("testing", "build", "hello", "test")
    chosen = [w for w in words if w in SUITES]
    try:
        if "--asan" in words:
            sanitized(tally)
        else:
            native(tally, chosen or SUITES, {"PINSTRAP_QUICK": "1"} if "--quick" in words else {})
        if not words:
            sanitized(tally, all_targets=True)
            budget(tally)
    except SystemExit as e:  # a stage that could not begin, and said why
        tally.stage(e.code in (0, None), "a stage that could not begin")
    for note in dict.fromkeys(tally.notes):
        say(note)
    sys.stderr.flush()
    say(f"pinstrap test: {tally.passed} passed, {tally.failed} failed, {tally.skipped} skipped ({minutes(time.monotonic() - began)})")
    return int(tally.failed > 0)


def minutes(seconds):
    return clock(seconds).zfill(5)


def native(tally, suites, environment):
    build.configure()
    build.add_extra_boards([build.ROOT / "examples/new-board/pocket.yaml"])
    if tally.stage(build.compile(what="building with g++"), "the build with g++"):
        run_tests(tally, build.NATIVE, suites, {"PINSTRAP_BUILD": str(build.NATIVE), "PINSTRAP_PATIENCE": "3", **environment})


def sanitized(tally, all_targets=False):
    """AddressSanitizer and UBSan over the unit tests.  By clang, which takes a quarter of g++'s time for that; and each
    compiler refuses template code the other lets through, so `all_targets` builds everything."""
    folder = build.folder("clang")
    build.configure(folder, SANITIZERS, CLANG)
    targets = [] if all_targets else unit_tests(folder)
    if tally.stage(build.compile(folder, targets, what="building with clang and sanitizers", all_errors=True), "the build with clang and sanitizers"):
        run_tests(tally, folder, ["unit"], {"ASAN_OPTIONS": "detect_leaks=0", "UBSAN_OPTIONS": "halt_on_error=1:print_stacktrace=1"})


def unit_tests(folder):
    """The programs of the suite `unit`, so that the boards need not be built again."""
    tests = json.loads((folder / "meson-info/intro-tests.json").read_text())
    programs = {c for t in tests if any(s.split(":")[-1] == "unit" for s in t["suite"]) for c in t["cmd"] if c.startswith(str(folder))}
    return sorted(os.path.relpath(p, folder) for p in programs)


def budget(tally):
    """What compiling costs: the boards and the slowest of the rest; with room for slower and busier machines."""
    done = subprocess.run(["/usr/bin/python3", str(build.ROOT / "tools/budget.py"), str(build.NATIVE), "--slowest", "6"],
                          env={"PINSTRAP_BUDGET_SCALE": "1.33", **os.environ}, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
    say(done.stdout.rstrip())
    tally.stage(done.returncode == 0, "the compile budget")
