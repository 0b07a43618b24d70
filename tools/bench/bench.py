#!/usr/bin/python3
"""Speed beside QEMU: the same Linux guest on both, in turn, in CPU seconds of the emulator's process.

Wall time on a shared machine says more about its other users; CPU time (user + system, all threads) is what is compared,
as the median over the pairs.  A guest whose results are wrong is said, and makes the exit status 1.
"""
import argparse
import json
import os
import pathlib
import sys

import ablation
import chart
import emulators
import guests
import measure
import report


def one_board(board, a):
    ours = emulators.ours(a.ours, a.accel)
    other = emulators.other(a.vs, board, a.qemu, ours)
    everyone = [ours, other] if other else [ours]
    files = guests.find(board, a.guests)
    if not files:
        sys.exit(f"bench: there is no Linux guest for the board {board}; --guests names the folder of guests")
    for who in everyone:
        who.require(board)
    if a.ablation:
        return ablation.run(ours, board, files, a) | about(a)
    result = about(a) | {"board": board, "other": other.name if other else None, "version": other.version(board) if other else None,
                         "size": {who.name: who.size(board) for who in everyone}, "startup": measure.startup(everyone, board, a.startups),
                         "mmio": measure.mmio(everyone, board, a.n)}
    result["runs"] = measure.linux_runs(everyone, board, files, a)
    return result | {"wrong": measure.wrong_results(result["runs"], board, a.scale)}


def about(a):
    return {"accel": a.accel, "pairs": a.n, "scale": a.scale, "machine": measure.machine(), "load": os.getloadavg()[0]}


def draw(result, path):
    groups = [(name, mean, [(t, ratio) for t, _, _, ratio in rows]) for name, mean, rows in report.classes(result)]
    title = f"Linux on {result['board']}: times as fast as {result['version'].split(' (')[0]}"
    subtitle = "CPU time of the emulator, medians; right of the dashed line is faster; bold: geometric means"
    path.write_text(chart.chart(title, subtitle, groups))


def charts(path, results):
    """One board: that file; more: one beside it for each."""
    for board, result in results.items():
        draw(result, path if len(results) == 1 else path.with_name(f"{path.stem}-{board}{path.suffix}"))


def text_of(results, layers, picture=None):
    """performance.md."""
    parts = ["# Performance\n"]
    if compared := {b: r for b, r in results.items() if r["other"]}:
        parts += [f"How many times as fast as {next(iter(compared.values()))['other']}, geometric means of the tests of each class (on Arm, floating point "
                  "without VFP is a library's: soft float):\n", report.summary(compared)]
    parts += [report.METHOD, *(report.section(r, picture and picture(b, r)) for b, r in results.items())]
    if layers:
        parts.append("## What each layer bought\n\nHow many times as long it takes without one layer of the translator (`-accel jit,opt=-LAYER`; "
                     "`-accel help` says what they are), and without any; 1.00 is no difference. Regions need all the others, whose rows are beside `-regions`.\n")
        parts += [f"### {board}\n\n{r['machine']}; {r['pairs']} rounds, tests at {r['scale']} % of their work, load {r['load']:.1f}.\n\n{ablation.table(r)}"
                  for board, r in layers.items()]
    return "\n".join([*parts, "What is behind these figures: [performance-notes.md](performance-notes.md).\n",
                      "Made by `./pinstrap bench --docs docs`; run it for figures of your machine.\n"])


def write_docs(folder, results, layers):
    def picture(board, result):
        if not result["other"]:
            return None
        draw(result, folder / f"performance-{board}.svg")
        return f"performance-{board}.svg"
    (folder / "performance.md").write_text(text_of(results, layers, picture))


def arguments():
    p = argparse.ArgumentParser(prog="pinstrap bench", description=__doc__.split("\n")[0])
    p.add_argument("board", nargs="*", help=f"of {', '.join(guests.BOARDS)} (those that there is a guest for)")
    p.add_argument("-n", metavar="PAIRS", type=int, default=5, help="pairs of runs (5)")
    p.add_argument("--vs", metavar="WHAT", default="qemu",
                   help="compare with: qemu (default), none, a program that takes our options ({board} in its name stands for the board), or options for -accel, as jit,opt=-fp")
    p.add_argument("--ablation", action="store_true", help="instead: ours with each layer of the translator left out, in turn with all of them")
    p.add_argument("--accel", help="our accelerator: jit, interp, or with properties as for -accel")
    p.add_argument("--only", metavar="TEST,...", help="only these tests")
    p.add_argument("--scale", metavar="PERCENT", type=int, default=100, help="work of each test (100)")
    p.add_argument("--guests", metavar="FOLDER", help="where the Linux guests are (PINSTRAP_GUESTS, build/guests, one beside the project)")
    p.add_argument("--ours", metavar="PROGRAM", help="our emulator (build/boards/pinstrap-{board})")
    p.add_argument("--qemu", metavar="PROGRAM", help="theirs (qemu-system-arm, …)")
    p.add_argument("--startups", metavar="N", type=int, default=15, help="runs of the start-up tests (15)")
    p.add_argument("--timeout", metavar="SECONDS", type=float, default=900, help="for one run (900)")
    p.add_argument("--json", metavar="FILE", help="write all figures")
    p.add_argument("--chart", metavar="FILE.svg", help="write a bar chart, for several boards one each")
    p.add_argument("--docs", metavar="FOLDER", help="write performance.md and charts there, not to standard output")
    p.add_argument("--from", dest="source", metavar="FILE.json", help="take the figures of an earlier --json; boards named are measured again")
    p.add_argument("--list", action="store_true", help="the boards that there is a guest for")
    a = p.parse_args()
    if unknown := [b for b in a.board if b not in guests.BOARDS]:
        sys.exit(f"bench: there is no guest for a board '{unknown[0]}'; there are {', '.join(guests.BOARDS)}")
    for name in ("n", "scale", "startups"):
        if getattr(a, name) < 1:
            sys.exit(f"bench: -{'-' if name != 'n' else ''}{name} must be 1 or more")
    if a.chart and (a.vs == "none" or a.ablation):
        sys.exit("bench: --chart shows a comparison; leave --vs none and --ablation out, or --chart")
    return a


def load(path):
    try:
        saved = json.loads(pathlib.Path(path).read_text())
        return saved["boards"], saved["layers"]
    except (OSError, ValueError, KeyError, TypeError) as e:
        sys.exit(f"bench: --from: '{path}' holds no figures of this program ({e})")


def main():
    a = arguments()
    if a.list:
        print("\n".join(guests.available(a.guests)))
        return 0
    results, layers = load(a.source) if a.source else ({}, {})
    for board in a.board or ([] if a.source else guests.available(a.guests)):
        (layers if a.ablation else results)[board] = one_board(board, a)
        if a.json:
            pathlib.Path(a.json).write_text(json.dumps({"boards": results, "layers": layers}, indent=1) + "\n")
    if a.chart:
        charts(pathlib.Path(a.chart), results)
    if a.docs:
        write_docs(pathlib.Path(a.docs), results, layers)
    else:
        print(text_of(results, layers))
    wrong = [sentence for r in [*results.values(), *layers.values()] for sentence in r["wrong"]]
    for sentence in wrong:
        print(f"bench: wrong result: {sentence}", file=sys.stderr)
    return bool(wrong)


if __name__ == "__main__":
    sys.exit(main())
