#!/usr/bin/python3
"""What compiling costs: CPU seconds and peak memory of each translation unit.

Compiles each one again, alone, with the flags of the build, and fails when one is above its limit.  The limits are
those of a quiet machine on which the reference below takes REFERENCE seconds; a slower or busier one has more.
"""
import argparse
import json
import os
import pathlib
import shlex
import subprocess
import sys
import tempfile

REFERENCE = 2.5  # CPU seconds
REFERENCE_SOURCE = "#include <algorithm>\n#include <functional>\n#include <map>\n#include <regex>\n#include <string>\nstd::regex pattern(const std::string& s) { return std::regex(s); }\n"
BOARD = (8.0, 450)  # CPU seconds, MB: a translation unit that instantiates a board
OTHER = (5.0, None)


def is_board(entry):
    return "PINSTRAP_BOARD_HEADER" in entry["command"] and not entry["file"].endswith("_dtb.cpp")


def compiler_words(entry, output):
    """The command without ccache, without dependency files, writing to `output`."""
    words = shlex.split(entry["command"])
    if os.path.basename(words[0]) == "ccache":
        words = words[1:]
    kept, skip = [], False
    for w in words:
        if skip:
            skip = False
        elif w in ("-MQ", "-MF", "-o"):
            skip = True
        elif w not in ("-MD", "-c"):
            kept.append(w)
    return [kept[0], "-c", "-o", output, *kept[1:]]


def measure(command, folder):
    """(CPU seconds, peak MB, exit status) of the compiler and what it started."""
    pid = os.fork()
    if pid == 0:
        # The process in between collects the usage of the compiler's own children.
        done = subprocess.run(command, cwd=folder, stdout=subprocess.DEVNULL)
        os._exit(done.returncode != 0)
    _, status, usage = os.wait4(pid, 0)
    return usage.ru_utime + usage.ru_stime, usage.ru_maxrss / 1024, os.waitstatus_to_exitcode(status)


def slowness(entry, scratch):
    """How much longer the compiler takes on this machine, now, than on a quiet one; at least 1."""
    source = pathlib.Path(scratch, "reference.cpp")
    source.write_text(REFERENCE_SOURCE)
    seconds, _, failed = measure([compiler_words(entry, "")[0], "-std=c++20", "-O2", "-g", "-c", "-o", f"{scratch}/reference.o", str(source)], scratch)
    return max(1.0, seconds / REFERENCE) if not failed else 1.0


def slowest(build, entries, n):
    """The boards, and the n others that took longest when they were last built."""
    took = {}
    log = build / ".ninja_log"
    for line in log.read_text().splitlines()[1:] if log.is_file() else []:
        begin, end, _, output, _ = line.split("\t")
        took[output] = int(end) - int(begin)
    boards = [e for e in entries if is_board(e)]
    rest = sorted((e for e in entries if not is_board(e)), key=lambda e: -took.get(e["output"], 0))
    return boards + rest[:n]


def main():
    p = argparse.ArgumentParser(description=__doc__.split("\n")[0],
                                epilog="PINSTRAP_BUDGET_SCALE=2 doubles the limits in seconds.")
    p.add_argument("build", nargs="?", type=pathlib.Path, default=pathlib.Path("build"), help="the build folder (build)")
    p.add_argument("--only", metavar="TEXT", action="append", help="only outputs or sources with TEXT in their name; may be repeated")
    p.add_argument("--slowest", metavar="N", type=int, help="only the boards and the N others that were slowest to build")
    p.add_argument("--worst", metavar="N", type=int, default=15, help="rows of the table (15)")
    p.add_argument("--repeat", metavar="N", type=int, default=1, help="compile each N times and take the best")
    a = p.parse_args()

    database = a.build / "compile_commands.json"
    if not database.is_file():
        p.error(f"there is no {database}; './pinstrap build' makes it")
    scale = float(os.environ.get("PINSTRAP_BUDGET_SCALE", "1"))
    entries = [e for e in json.loads(database.read_text()) if e["file"].endswith(".cpp")]
    if a.only:
        entries = [e for e in entries if any(t in e["output"] or t in e["file"] for t in a.only)]
    elif a.slowest is not None:
        entries = slowest(a.build, entries, a.slowest)

    rows, over = [], []
    with tempfile.TemporaryDirectory() as scratch:
        measured = scale * slowness(entries[0], scratch) if entries else scale
        for i, e in enumerate(entries):
            if sys.stderr.isatty():
                print(f"\r\033[K{i + 1}/{len(entries)} {os.path.basename(e['output'])}", end="", file=sys.stderr, flush=True)
            command = compiler_words(e, f"{scratch}/out.o")
            tries = [measure(command, e["directory"]) for _ in range(a.repeat)]
            seconds, megabytes, failed = min(tries)
            if failed:
                over.append(f"{e['output']} does not compile")
            limit, memory = BOARD if is_board(e) else OTHER
            allowed = limit * measured
            if seconds > allowed:
                # A busy machine inflates CPU time too: a unit is over only if it is so again, beside a new reference.
                measured = scale * slowness(e, scratch)
                seconds, allowed = min(seconds, measure(command, e["directory"])[0]), limit * measured
            rows.append((seconds / allowed, seconds, megabytes, allowed, memory, e["output"]))
            if seconds > allowed:
                over.append(f"{e['output']} takes {seconds:.1f} CPU seconds, the limit is {allowed:.1f}")
            if memory and megabytes > memory:
                over.append(f"{e['output']} takes {megabytes:.0f} MB, the limit is {memory}")
    if sys.stderr.isatty():
        print("\r\033[K", end="", file=sys.stderr)

    print(f"{'CPU s':>6} {'limit':>6} {'MB':>5} {'limit':>6}  translation unit")
    for _, seconds, megabytes, limit, memory, name in sorted(rows, reverse=True)[: a.worst]:
        print(f"{seconds:6.2f} {limit:6.1f} {megabytes:5.0f} {memory or '':>6}  {name}")
    print(f"this machine, now: {measured / scale:.1f} times the CPU seconds of a quiet one")
    print(f"compile budget: {len(rows)} measured, {sum(r[1] for r in rows):.0f} CPU seconds, {len(over)} over")
    for sentence in over:
        print(f"over budget: {sentence}")
    return bool(over)


if __name__ == "__main__":
    sys.exit(main())
