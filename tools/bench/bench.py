#!/usr/bin/python3
"""Speed beside QEMU: the same Linux guest on both, in turn, in CPU seconds of the emulator's process.

Wall time on a shared machine says more about its other users; CPU time (user + system, all threads) is what is compared,
as the median over the pairs.  A guest whose results are wrong is said, and makes the exit status 1.
"""
import argparse
import dataclasses
import json
import os
import pathlib
import platform
import shutil
import subprocess
import sys
import tempfile

import chart
import emulator
import guests
import report

HERE = pathlib.Path(__file__).resolve().parent


def one(command, until, seconds, who):
    run = emulator.watch(command, until, seconds, lambda line: live(f"{who}: {line}") if line.startswith("BENCH") else None)
    if run.ended != "matched":
        sys.exit(f"bench: {who} did not reach '{until}' ({run.ended}); the end of its console:\n{run.text[-1500:]}")
    return run


def live(text):
    if sys.stderr.isatty():
        print(f"\r\033[K{text[:100]}", end="", file=sys.stderr, flush=True)


def say(text):
    live("")
    print(text, file=sys.stderr, flush=True)


def compare(ours, qemu, board, files, a):
    """Alternating runs; {"boot"/"bench": {"ours"/"qemu": [Run, …]}}."""
    words = "quiet guest.run=bench" + (f" guest.scale={a.scale}" if a.scale != 100 else "") + (f" guest.only={a.only}" if a.only else "")
    kinds = {"boot": ("", "GUEST-READY"), "bench": (words, "BENCH-END|GUEST-DONE")}
    runs = {k: {"ours": [], "qemu": []} for k in kinds}
    for i in range(a.n):
        for kind, (append, until) in kinds.items():
            order = ["ours", "qemu"] if i % 2 == 0 else ["qemu", "ours"]
            for who in order:
                program, accel = (ours, a.accel) if who == "ours" else (qemu, "tcg")
                name = f"{board}: {who} {kind} {i + 1}/{a.n}"
                run = one(guests.linux(program, board, files, append, accel, who == "qemu"), until, a.timeout, name)
                runs[kind][who].append(dataclasses.asdict(run) | {"text": ""})
                say(f"{name}: {run.cpu['total']:.2f} CPU s, {run.wall['total']:.2f} s")
    return runs


def wrong_results(runs, board, scale):
    """Sentences about CHECK values that are not what they must be."""
    right = json.loads((HERE / "checks.json").read_text())
    right = right["all"] | right[board]
    if scale != 100:  # the table is for all of the work; then QEMU's values count
        right = {t: v for r in runs["bench"]["qemu"] for t, v in r["check"].items()}
    out = []
    for who in ("ours", "qemu"):
        for run in runs["bench"][who]:
            out += [f"{board}: {who}: {t} gave {v}, not {right[t]}" for t, v in run["check"].items() if t in right and v != right[t]]
            out += [f"{board}: {who}: {t} gave no result" for t in run["cpu"] if t in right and t not in run["check"]]
    return sorted(set(out))


def startup(ours, qemu, board, n, accel):
    """Wall and CPU seconds from exec to the end of a guest that ends at once."""
    b = guests.BOARDS[board]
    (architecture, at), assembler, linker = b["exit"], b["tools"] + "as", b["tools"] + "ld"
    if not shutil.which(assembler):
        return None
    with tempfile.TemporaryDirectory() as scratch:
        elf = f"{scratch}/exit.elf"
        subprocess.run([assembler, str(HERE / f"exit-{architecture}.s"), "-o", f"{scratch}/exit.o"], check=True)
        subprocess.run([linker, "-e", "_start", f"-Ttext={at}", f"{scratch}/exit.o", "-o", elf], check=True)
        runs = {"ours": [], "qemu": []}
        for _ in range(n):
            for who, program in (("ours", ours), ("qemu", qemu)):
                command = [program, "-M", b["machine"], "-kernel", elf, *(["-semihosting"] if architecture == "arm" else ["-no-reboot"]),
                           "-display", "none", "-serial", "null", "-monitor", "none", *((["-accel", accel] if accel else []) if who == "ours" else b.get("qemu_words", []))]
                wall, cpu, status = emulator.whole(command)
                if status != 0:
                    sys.exit(f"bench: {who} ended the start-up guest with {status}, not 0: {' '.join(command)}")
                runs[who].append({"wall": wall, "cpu": cpu})
    return runs


def binary_size(program):
    """Bytes of the program without symbols."""
    with tempfile.TemporaryDirectory() as scratch:
        out = f"{scratch}/stripped"
        if shutil.which("strip") and subprocess.run(["strip", "-o", out, program], stderr=subprocess.DEVNULL).returncode == 0:
            return os.path.getsize(out)
    return os.path.getsize(program)


def machine():
    model = next((line.split(":", 1)[1].strip() for line in open("/proc/cpuinfo") if line.startswith("model name")), platform.machine())
    return f"{model}, {os.cpu_count()} processors"


def measure(board, a):
    files, name = guests.find(board, a.guests), a.qemu or guests.BOARDS[board]["qemu"]
    ours = a.ours or str(guests.ROOT / "build/boards" / f"pinstrap-{board}")
    qemu = shutil.which(name)
    if not files:
        sys.exit(f"bench: there is no Linux guest for the board {board}; --guests names the folder of guests")
    if not os.access(ours, os.X_OK):
        sys.exit(f"bench: there is no {ours}; './pinstrap build' makes it")
    if not qemu:
        sys.exit(f"bench: there is no {name} to compare with")
    version = subprocess.run([qemu, "--version"], capture_output=True, text=True).stdout.split("\n")[0].replace("emulator version ", "").strip()
    result = {"board": board, "accel": a.accel, "pairs": a.n, "scale": a.scale, "machine": machine(), "qemu": version, "load": os.getloadavg()[0],
              "size": {"ours": binary_size(ours), "qemu": binary_size(os.path.realpath(qemu))},
              "startup": startup(ours, qemu, board, a.startups, a.accel), "runs": compare(ours, qemu, board, files, a)}
    result["wrong"] = wrong_results(result["runs"], board, a.scale)
    return result


def write_docs(folder, results):
    """performance.md and a chart per board."""
    sections = []
    for board, result in results.items():
        picture = f"performance-{board}.svg"
        groups = [(name, mean, [(t, ratio) for t, _, _, ratio in rows]) for name, mean, rows in report.classes(result)]
        title = f"Linux on {board}: times as fast as {result['qemu'].split(' (')[0]}"
        (folder / picture).write_text(chart.chart(title, "CPU time of the emulator, medians; right of the dashed line is faster; bold: geometric means", groups))
        sections.append(report.section(result, picture))
    text = ["# Performance\n", "How many times as fast as QEMU, geometric means of the tests of each class (on Arm, floating point without VFP "
            "is a library's: soft float):\n", report.summary(results), *sections,
            "Made by `./pinstrap bench --docs docs`; run it for figures of your machine.\n"]
    (folder / "performance.md").write_text("\n".join(text))


def main():
    p = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    p.add_argument("board", nargs="*", help=f"of {', '.join(guests.BOARDS)} (those that there is a guest for)")
    p.add_argument("-n", metavar="PAIRS", type=int, default=3, help="pairs of runs (3)")
    p.add_argument("--accel", help="our accelerator: jit, interp, or with properties as for -accel")
    p.add_argument("--only", metavar="TEST,...", help="only these tests")
    p.add_argument("--scale", metavar="PERCENT", type=int, default=100, help="work of each test (100)")
    p.add_argument("--guests", metavar="FOLDER", help="where the Linux guests are (PINSTRAP_GUESTS, build/guests, one beside the project)")
    p.add_argument("--ours", metavar="PROGRAM", help="our emulator (build/boards/pinstrap-BOARD)")
    p.add_argument("--qemu", metavar="PROGRAM", help="theirs (qemu-system-arm, …)")
    p.add_argument("--startups", metavar="N", type=int, default=15, help="runs of the start-up test (15)")
    p.add_argument("--timeout", metavar="SECONDS", type=float, default=900, help="for one run (900)")
    p.add_argument("--json", metavar="FILE", help="write all figures")
    p.add_argument("--docs", metavar="FOLDER", help="write performance.md and charts there, not to standard output")
    p.add_argument("--from", dest="source", metavar="FILE.json", help="take the figures of an earlier --json; boards named are measured again")
    p.add_argument("--list", action="store_true", help="the boards that there is a guest for")
    a = p.parse_args()
    if unknown := [b for b in a.board if b not in guests.BOARDS]:
        sys.exit(f"bench: there is no guest for a board '{unknown[0]}'; there are {', '.join(guests.BOARDS)}")
    if a.list:
        print("\n".join(guests.available(a.guests)))
        return 0

    results = json.loads(pathlib.Path(a.source).read_text()) if a.source else {}
    for board in a.board or ([] if a.source else guests.available(a.guests)):
        results[board] = measure(board, a)
        if a.json:
            pathlib.Path(a.json).write_text(json.dumps(results, indent=1) + "\n")
    if a.docs:
        write_docs(pathlib.Path(a.docs), results)
    else:
        print("\n".join(report.section(r) for r in results.values()))
        print(report.summary(results))
    wrong = [sentence for r in results.values() for sentence in r["wrong"]]
    for sentence in wrong:
        print(f"bench: wrong result: {sentence}", file=sys.stderr)
    return bool(wrong)


if __name__ == "__main__":
    sys.exit(main())
