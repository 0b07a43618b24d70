"""Runs, in turn, of ours and the other, and what they used."""
import dataclasses
import os
import pathlib
import re
import statistics
import sys
import tempfile

import emulator
import guests

MIB = 1 << 20
MMIO_ACCESSES = 4_000_000  # of each kind, by mmio-*.s


def live(text):
    if sys.stderr.isatty():
        print(f"\r\033[K{text[:100]}", end="", file=sys.stderr, flush=True)


def say(text):
    live("")
    print(text, file=sys.stderr, flush=True)


def one(who, name, command, until, seconds, guest_ram=0):
    """A run that must reach `until`; of ours with the translator's counters."""
    with tempfile.TemporaryDirectory() as scratch:
        log = pathlib.Path(scratch) / "log"
        counted = [] if who.qemu else ["-d", "stats", "-D", str(log)]
        run = emulator.watch([*command, *counted], until, seconds, lambda line: live(f"{name}: {line}") if line.startswith("BENCH") else None, guest_ram)
        if run.ended != "matched":
            sys.exit(f"bench: {name} did not reach '{until}' ({run.ended}); the end of its console:\n{run.text[-1500:]}")
        if log.is_file():
            run.stats = counters(log.read_text())
    run.text = ""
    return run


def counters(text):
    """What info jit says, by name."""
    patterns = {
        "guest instructions": r"guest instructions +(\d+)",
        "code bytes per guest instruction": r"\(([\d.]+) made per guest instruction\)",
        "translation ns per guest instruction": r"\((\d+) ns per guest instruction",
        "translation share": r"([\d.]+) % of the vCPU",
        "engine KiB": r"memory +(\d+) KiB",
    }
    return {name: float(m[1]) for name, pattern in patterns.items() if (m := re.search(pattern, text))}


def in_turn(emulators, n):
    """(round, emulator), each round in the other order than the one before."""
    for i in range(n):
        yield from ((i, who) for who in (emulators if i % 2 == 0 else emulators[::-1]))


def linux_runs(emulators, board, files, a, kinds=("boot", "bench")):
    """{"boot"/"bench": {emulator's name: [Run as a dict, …]}}."""
    words = "quiet guest.run=bench" + (f" guest.scale={a.scale}" if a.scale != 100 else "") + (f" guest.only={a.only}" if a.only else "")
    how = {"boot": ("", "GUEST-READY"), "bench": (words, "BENCH-END|GUEST-DONE")}
    runs = {k: {who.name: [] for who in emulators} for k in kinds}
    for i, who in in_turn(emulators, a.n):
        for kind in kinds:
            append, until = how[kind]
            name = f"{board}: {who.name} {kind} {i + 1}/{a.n}"
            run = one(who, name, guests.linux(who, board, files, append), until, a.timeout, int(guests.BOARDS[board]["ram"]) * MIB)
            runs[kind][who.name].append(dataclasses.asdict(run))
            say(f"{name}: {run.cpu['total']:.2f} CPU s, {run.wall['total']:.2f} s")
    return runs


def wrong_results(runs, board, scale):
    """Sentences about CHECK values that are not what they must be."""
    right = guests.checks(board)
    if scale != 100:  # the table is for all of the work; then the others must agree
        right = {}
        for of_one in runs["bench"].values():
            for run in of_one:
                right = run["check"] | right
    out = []
    for who, of_one in runs["bench"].items():
        for run in of_one:
            out += [f"{board}: {who}: {t} gave {v}, not {right[t]}" for t, v in run["check"].items() if t in right and v != right[t]]
            out += [f"{board}: {who}: {t} gave no result" for t in run["cpu"] if t in right and t not in run["check"]]
    return sorted(set(out))


def startup(emulators, board, n):
    """Wall and CPU seconds: of a guest that ends at once, to its end; of one that writes a character at once, until that is here."""
    with tempfile.TemporaryDirectory() as scratch:
        ends, writes = guests.bare(board, "exit", scratch), guests.bare(board, "first", scratch)
        if not ends:
            return None
        out = {"whole": {who.name: [] for who in emulators}, "first": {who.name: [] for who in emulators}}
        for _, who in in_turn(emulators, n):
            command = guests.bare_command(who, board, ends, "null")
            wall, cpu, status = emulator.whole(command)
            if status != 0:
                sys.exit(f"bench: {who.name} ended the start-up guest with {status}, not 0: {' '.join(command)}")
            out["whole"][who.name].append({"wall": wall, "cpu": cpu})
            wall, cpu = emulator.first_byte(guests.bare_command(who, board, writes), b"!")
            out["first"][who.name].append({"wall": wall, "cpu": cpu})
    return out


def mmio(emulators, board, n):
    """CPU ns of one access: {kind: {emulator's name: median}}."""
    with tempfile.TemporaryDirectory() as scratch:
        elf = guests.bare(board, "mmio", scratch)
        if not elf:
            return None
        runs = {who.name: [] for who in emulators}
        for i, who in in_turn(emulators, n):
            name = f"{board}: {who.name} device accesses {i + 1}/{n}"
            runs[who.name].append(one(who, name, guests.bare_command(who, board, elf), "BENCH-END", 120).cpu)
        kinds = [k for k in runs[emulators[0].name][0] if k != "total"]
        return {kind: {who: statistics.median(r[kind] for r in of_one) / MMIO_ACCESSES * 1e9 for who, of_one in runs.items()} for kind in kinds}


def machine():
    model = next((line.split(":", 1)[1].strip() for line in open("/proc/cpuinfo") if line.startswith("model name")), os.uname().machine)
    return f"{model}, {os.cpu_count()} processors"
