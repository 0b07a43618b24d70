#!/usr/bin/python3
"""Speed beside QEMU: the same Linux guest on both, in turn, in CPU seconds of the emulator's process.

Wall time on a shared machine says more about its other users; CPU time (user + system, all threads) is what is compared,
as the median over the pairs.  A guest whose results are wrong stops the comparison.
"""
import argparse
import dataclasses
import json
import math
import os
import pathlib
import platform
import shutil
import statistics
import subprocess
import sys
import tempfile

import chart
import emulator

HERE = pathlib.Path(__file__).resolve().parent
ROOT = HERE.parents[1]
BOARDS = {"versatilepb": {"guest": "arm-versatilepb", "qemu": "qemu-system-arm", "ram": "128", "console": "ttyAMA0",
                          "unlike": "QEMU's board carries a SCSI controller, whose probe makes Linux wait for three seconds"}}
CLASSES = {
    "integer": "sieve qsort crc32 div64 bitops dhry strops interp",
    "VFP": "nbody_vfp mandel_vfp matmul_vfp fir32_vfp",
    "soft float": "nbody mandel matmul fir32",
    "memory": "memcpy memset stream ptrchase",
    "system": "syscall fork forkexec pipe mmap signal segv smc",
    "busybox": "bb-sha256 bb-md5 bb-awkgen bb-gzip bb-bzip2 bb-sort bb-grep sh-loop sh-fork fs-tmpfs",
}


def guests_folder(given):
    """Where the Linux guests are: as given, PINSTRAP_GUESTS, our own, or a guests folder beside the project."""
    beside = [ROOT.parent / "guests", *sorted(ROOT.parent.glob("*/guests"))]
    named = given or os.environ.get("PINSTRAP_GUESTS")
    for folder in [pathlib.Path(named)] if named else [ROOT / "build/guests", *beside]:
        if (folder / "arm-versatilepb/zImage").is_file():
            return folder
    sys.exit("bench: no guests folder; './pinstrap guest versatilepb-linux' makes one, or name it with --guests")


def linux(program, board, folder, words, accel):
    b, at = BOARDS[board], folder / BOARDS[board]["guest"]
    return [program, "-M", board, "-m", b["ram"], "-kernel", f"{at}/zImage", "-dtb", f"{at}/versatile-pb.dtb",
            "-initrd", f"{at}/initramfs.cpio.gz", "-display", "none", "-serial", "stdio", "-monitor", "none", "-no-reboot",
            "-append", f"console={b['console']} {words}", *(["-accel", accel] if accel else [])]


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


def compare(ours, qemu, board, folder, a):
    """Alternating runs; {"boot"/"bench": {"ours"/"qemu": [Run, …]}}."""
    words = "quiet guest.run=bench" + (f" guest.scale={a.scale}" if a.scale != 100 else "") + (f" guest.only={a.only}" if a.only else "")
    kinds = {"boot": ("", "GUEST-READY"), "bench": (words, "BENCH-END|GUEST-DONE")}
    runs = {k: {"ours": [], "qemu": []} for k in kinds}
    for i in range(a.n):
        for kind, (append, until) in kinds.items():
            order = ["ours", "qemu"] if i % 2 == 0 else ["qemu", "ours"]
            for who in order:
                program, accel = (ours, a.accel) if who == "ours" else (qemu, "tcg")
                run = one(linux(program, board, folder, append, accel), until, a.timeout, f"{who} {kind} {i + 1}/{a.n}")
                runs[kind][who].append(dataclasses.asdict(run) | {"text": ""})
                say(f"{who} {kind} {i + 1}/{a.n}: {run.cpu['total']:.2f} CPU s, {run.wall['total']:.2f} s")
    return runs


def wrong_results(runs, board, scale):
    """Sentences about CHECK values that are not what they must be."""
    right = json.loads((HERE / "checks.json").read_text())[board]
    if scale != 100:  # the table is for all of the work; then QEMU's values count
        right = {t: v for r in runs["bench"]["qemu"] for t, v in r["check"].items()}
    out = []
    for who in ("ours", "qemu"):
        for run in runs["bench"][who]:
            out += [f"{who}: {t} gave {v}, not {right[t]}" for t, v in run["check"].items() if t in right and v != right[t]]
            out += [f"{who}: {t} gave no result" for t in run["cpu"] if t in right and t not in run["check"]]
    return sorted(set(out))


def startup(ours, qemu, board, n, accel):
    """Wall and CPU seconds from exec to the end of a guest that ends at once."""
    if not shutil.which("arm-none-eabi-gcc"):
        return None
    with tempfile.TemporaryDirectory() as scratch:
        elf = f"{scratch}/exit.elf"
        subprocess.run(["arm-none-eabi-gcc", "-nostdlib", "-Wl,-Ttext=0x10000,--build-id=none", str(HERE / "exit.s"), "-o", elf], check=True)
        runs = {"ours": [], "qemu": []}
        for _ in range(n):
            for who, program in (("ours", ours), ("qemu", qemu)):
                command = [program, "-M", board, "-kernel", elf, "-semihosting", "-display", "none", "-serial", "null", "-monitor", "none",
                           *(["-accel", accel] if who == "ours" and accel else [])]
                wall, cpu, status = emulator.whole(command)
                if status != 0:
                    sys.exit(f"bench: {who} ended the start-up guest with {status}, not 0: {' '.join(command)}")
                runs[who].append({"wall": wall, "cpu": cpu})
    return runs


def binary_size(program):
    """Bytes of the program without symbols."""
    with tempfile.NamedTemporaryFile() as out:
        if shutil.which("strip") and subprocess.run(["strip", "-o", out.name, program], stderr=subprocess.DEVNULL).returncode == 0:
            return os.path.getsize(out.name)
    return os.path.getsize(program)


def machine():
    model = next((line.split(":", 1)[1].strip() for line in open("/proc/cpuinfo") if line.startswith("model name")), platform.machine())
    return f"{model}, {os.cpu_count()} processors"


def median(runs, what, name):
    values = [r[what][name] for r in runs if name in r[what]]
    return statistics.median(values) if values else None


def geometric(values):
    return math.exp(statistics.fmean(math.log(v) for v in values))


def classes(result):
    """[(class, geometric mean, [(test, ours, qemu, ratio)])] of the tests that both ran."""
    ours, qemu = result["runs"]["bench"]["ours"], result["runs"]["bench"]["qemu"]
    out = []
    for name, tests in CLASSES.items():
        rows = []
        for t in tests.split():
            o, q = median(ours, "cpu", t), median(qemu, "cpu", t)
            if o and q:
                rows.append((t, o, q, q / o))
        if rows:
            out.append((name, geometric([r[3] for r in rows]), rows))
    return out


def markdown(result):
    board, groups = result["board"], classes(result)
    lines = [f"Board {board}, `-accel {result['accel'] or 'jit'}`, beside {result['qemu']}. {result['machine']}; {result['pairs']} pairs of runs, "
             f"load {result['load']:.1f}. CPU seconds of the emulator's process, medians; *times as fast* is QEMU's time divided by ours.", "",
             "| | ours | QEMU | times as fast |", "|---|--:|--:|--:|"]
    boot = result["runs"]["boot"]
    for what, unit in (("cpu", "CPU s"), ("wall", "s")):
        o, q = median(boot["ours"], what, "total"), median(boot["qemu"], what, "total")
        lines.append(f"| Linux boot to the shell, {unit} | {o:.2f} | {q:.2f} | **{q / o:.2f}** |")
    if result.get("startup"):
        for what, unit in (("cpu", "CPU ms"), ("wall", "ms")):
            o, q = (statistics.median(r[what] for r in result["startup"][w]) * 1000 for w in ("ours", "qemu"))
            lines.append(f"| start and end of an empty guest, {unit} | {o:.0f} | {q:.0f} | **{q / max(o, 0.1):.1f}** |")
    o, q = result["size"]["ours"] / 1e6, result["size"]["qemu"] / 1e6
    lines += [f"| program without symbols, MB | {o:.1f} | {q:.1f} | |", "",
              f"Boot is not quite like for like: {BOARDS[board]['unlike']}.", "", "| class | times as fast (geometric mean) |", "|---|--:|"]
    lines += [f"| {name} | **{mean:.2f}** |" for name, mean, _ in groups]
    if groups:
        lines += [f"| all tests | **{geometric([r[3] for _, _, rows in groups for r in rows]):.2f}** |", ""]
    lines += ["| test | class | ours, CPU s | QEMU, CPU s | times as fast |", "|---|---|--:|--:|--:|"]
    lines += [f"| {t} | {name} | {o:.3f} | {q:.3f} | {ratio:.2f} |" for name, _, rows in groups for t, o, q, ratio in rows]
    return "\n".join(lines) + "\n"


def measure(a):
    folder, b = guests_folder(a.guests), BOARDS[a.board]
    ours = a.ours or str(ROOT / "build/boards" / f"pinstrap-{a.board}")
    qemu = shutil.which(a.qemu or b["qemu"])
    if not os.access(ours, os.X_OK):
        sys.exit(f"bench: there is no {ours}; './pinstrap build' makes it")
    if not qemu:
        sys.exit(f"bench: there is no {a.qemu or b['qemu']} to compare with; Debian has it as {b['qemu']}")
    version = subprocess.run([qemu, "--version"], capture_output=True, text=True).stdout.split("\n")[0].replace("emulator version ", "").strip()
    result = {"board": a.board, "accel": a.accel, "pairs": a.n, "scale": a.scale, "machine": machine(), "qemu": version, "load": os.getloadavg()[0],
              "size": {"ours": binary_size(ours), "qemu": binary_size(os.path.realpath(qemu))},
              "startup": startup(ours, qemu, a.board, a.startups, a.accel), "runs": compare(ours, qemu, a.board, folder, a)}
    result["wrong"] = wrong_results(result["runs"], a.board, a.scale)
    return result


def main():
    p = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    p.add_argument("-n", metavar="PAIRS", type=int, default=3, help="pairs of runs (3)")
    p.add_argument("--board", choices=BOARDS, default="versatilepb", help="(versatilepb)")
    p.add_argument("--accel", help="our accelerator: jit, interp, or with properties as for -accel")
    p.add_argument("--only", metavar="TEST,...", help="only these tests")
    p.add_argument("--scale", metavar="PERCENT", type=int, default=100, help="work of each test (100)")
    p.add_argument("--guests", metavar="FOLDER", help="where the Linux guests are (PINSTRAP_GUESTS, build/guests, one beside the project)")
    p.add_argument("--ours", metavar="PROGRAM", help="our emulator (build/boards/pinstrap-BOARD)")
    p.add_argument("--qemu", metavar="PROGRAM", help="theirs (qemu-system-arm)")
    p.add_argument("--startups", metavar="N", type=int, default=15, help="runs of the start-up test (15)")
    p.add_argument("--timeout", metavar="SECONDS", type=float, default=900, help="for one run (900)")
    p.add_argument("--json", metavar="FILE", help="write all figures")
    p.add_argument("--chart", metavar="FILE.svg", help="draw the ratios")
    p.add_argument("--markdown", metavar="FILE", help="write the tables there, not to standard output")
    p.add_argument("--from", dest="source", metavar="FILE.json", help="measure nothing, take the figures of an earlier --json")
    a = p.parse_args()

    result = json.loads(pathlib.Path(a.source).read_text()) if a.source else measure(a)
    if a.json:
        pathlib.Path(a.json).write_text(json.dumps(result, indent=1) + "\n")
    if a.chart:
        groups = [(name, mean, [(t, ratio) for t, _, _, ratio in rows]) for name, mean, rows in classes(result)]
        title = f"Linux on {result['board']}: times as fast as {result['qemu'].split(' (')[0]}"
        pathlib.Path(a.chart).write_text(chart.chart(title, "CPU time of the emulator, medians; right of the dashed line is faster; bold: geometric means", groups))
    text = markdown(result)
    if a.markdown:
        head = "# Performance\n\n" + (f"![bar chart]({os.path.relpath(a.chart, pathlib.Path(a.markdown).parent)})\n\n" if a.chart else "")
        tail = "\nMade by `./pinstrap bench --markdown docs/performance.md --chart docs/performance.svg`; run it for figures of your machine.\n"
        pathlib.Path(a.markdown).write_text(head + text + tail)
    else:
        print(text)
    for sentence in result["wrong"]:
        print(f"bench: wrong result: {sentence}", file=sys.stderr)
    return bool(result["wrong"])


if __name__ == "__main__":
    sys.exit(main())
