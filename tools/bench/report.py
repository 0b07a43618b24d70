"""What was measured, as text for docs/performance.md."""
import math
import statistics

from guests import BOARDS, CLASSES, class_name


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
            out.append((class_name(result["board"], name), geometric([r[3] for r in rows]), rows))
    return out


def everything(groups):
    return geometric([r[3] for _, _, rows in groups for r in rows])


def boot_ratio(result):
    boot = result["runs"]["boot"]
    return median(boot["qemu"], "cpu", "total") / median(boot["ours"], "cpu", "total")


def summary(results):
    """One line a board."""
    lines = ["| board | boot | " + " | ".join(CLASSES) + " | all tests | slowest test |", "|---|" + "--:|" * (len(CLASSES) + 3)]
    for board, result in results.items():
        groups = classes(result)
        means = {name: mean for name, mean, _ in groups}
        cells = [f"{means[n]:.2f}" if (n := class_name(board, c)) in means else "" for c in CLASSES]
        test, _, _, least = min((row for _, _, rows in groups for row in rows), key=lambda row: row[3])
        lines.append(f"| {board} | {boot_ratio(result):.2f} | " + " | ".join(cells) + f" | **{everything(groups):.2f}** | {test} {least:.2f} |")
    return "\n".join(lines) + "\n"


def section(result, chart=None):
    """A board's tables."""
    board, groups = result["board"], classes(result)
    lines = [f"## {board}", "", *([f"![bar chart]({chart})", ""] if chart else []),
             f"`-accel {result['accel'] or 'jit'}`, beside {result['qemu']}. {result['machine']}; {result['pairs']} pairs of runs, "
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
    lines += [f"| program without symbols, MB | {o:.1f} | {q:.1f} | |", ""]
    lines += [f"Of the boot: {BOARDS[board]['boot']}.", ""]
    lines += ["| class | times as fast (geometric mean) |", "|---|--:|"]
    lines += [f"| {name} | **{mean:.2f}** |" for name, mean, _ in groups]
    if groups:
        lines += [f"| all tests | **{everything(groups):.2f}** |", ""]
    lines += ["| test | class | ours, CPU s | QEMU, CPU s | times as fast |", "|---|---|--:|--:|--:|"]
    lines += [f"| {t} | {name} | {o:.3f} | {q:.3f} | {ratio:.2f} |" for name, _, rows in groups for t, o, q, ratio in rows]
    return "\n".join(lines) + "\n"
