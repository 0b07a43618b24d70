"""What was measured, as text for docs/performance.md."""
import math
import statistics

from guests import BOARDS, CLASSES, class_name

MIB = 1 << 20


def median(runs, what, name):
    values = [r[what][name] for r in runs if name in r[what]]
    return statistics.median(values) if values else None


def geometric(values):
    return math.exp(statistics.fmean(math.log(v) for v in values))


def classes(result, ours="ours", other=None):
    """[(class, geometric mean, [(test, ours, other, ratio)])] of the tests that both ran."""
    runs, other = result["runs"]["bench"], other or result["other"]
    out = []
    for name, tests in CLASSES.items():
        rows = []
        for t in tests.split():
            o, q = median(runs[ours], "cpu", t), median(runs[other], "cpu", t)
            if o and q:
                rows.append((t, o, q, q / o))
        if rows:
            out.append((class_name(result["board"], name), geometric([r[3] for r in rows]), rows))
    return out


def everything(groups):
    return geometric([r[3] for _, _, rows in groups for r in rows])


def summary(results):
    """One line a board."""
    lines = ["| board | boot | " + " | ".join(CLASSES) + " | all tests | slowest test |", "|---|" + "--:|" * (len(CLASSES) + 3)]
    for board, result in results.items():
        groups, boot = classes(result), result["runs"]["boot"]
        if not groups:
            continue
        means = {name: mean for name, mean, _ in groups}
        cells = [f"{means[n]:.2f}" if (n := class_name(board, c)) in means else "" for c in CLASSES]
        test, _, _, least = min((row for _, _, rows in groups for row in rows), key=lambda row: row[3])
        ratio = median(boot[result["other"]], "cpu", "total") / median(boot["ours"], "cpu", "total")
        lines.append(f"| {board} | {ratio:.2f} | " + " | ".join(cells) + f" | **{everything(groups):.2f}** | {test} {least:.2f} |")
    return "\n".join(lines) + "\n"


def above_guest(runs):
    values = [(r["memory"]["resident"] - r["memory"]["guest"]) / MIB for r in runs if r["memory"]]
    return statistics.median(values) if values else None


def facts(result):
    """[(what, {emulator's name: figure}, digits, smaller is better)] beside the tests."""
    runs = result["runs"]
    rows = [(f"Linux boot to the shell, {unit}", {who: median(r, what, "total") for who, r in runs["boot"].items()}, 2)
            for what, unit in (("cpu", "CPU s"), ("wall", "s"))]
    for kind, words in (("whole", "start and end of an empty guest"), ("first", "start to the guest's first character")):
        for what, unit in (("cpu", "CPU ms"), ("wall", "ms")):
            if result.get("startup"):
                rows.append((f"{words}, {unit}", {who: statistics.median(r[what] for r in v) * 1000 for who, v in result["startup"][kind].items()}, 1))
    for kind, times in (result.get("mmio") or {}).items():
        rows.append((f"device register, {kind.replace('-', ' ')}, CPU ns", times, 1))
    for kind, words in (("boot", "after the boot"), ("bench", "after all tests")):
        rows.append((f"memory beside the guest's RAM, {words}, MiB", {who: above_guest(r) for who, r in runs[kind].items()}, 1))
    return rows + [("program without symbols, MB", {who: v / 1e6 for who, v in result["size"].items()}, 1)]


def fact_table(result):
    other = result["other"]
    lines = [f"| | ours | {other} | times as good |", "|---|--:|--:|--:|"] if other else ["| | ours |", "|---|--:|"]
    for what, by, digits in facts(result):
        o, q = by.get("ours"), by.get(other)
        if o is None:
            continue
        cell = lambda v: "" if v is None or math.isnan(v) else f"{v:.{digits}f}"
        lines.append(f"| {what} | {cell(o)} |" + (f" {cell(q)} | " + (f"**{q / o:.1f}**" if q and o else "") + " |" if other else ""))
    return lines


def translator(result):
    """Our counters: after the boot, and after all tests."""
    lines = ["| translator, ours | boot | all tests |", "|---|--:|--:|"]
    runs = result["runs"]
    for name, digits, factor, words in (("guest instructions", 0, 1e-3, "guest instructions translated, thousands"),
                                        ("code bytes per guest instruction", 1, 1, "host code, bytes per guest instruction"),
                                        ("translation ns per guest instruction", 0, 1, "translation, ns per guest instruction"),
                                        ("translation share", 1, 1, "translation, % of the processor thread's CPU time"),
                                        ("engine KiB", 1, 1 / 1024, "code and tables, MiB")):
        values = [median(runs[k]["ours"], "stats", name) for k in ("boot", "bench")]
        if all(v is not None for v in values):
            lines.append(f"| {words} | " + " | ".join(f"{v * factor:.{digits}f}" for v in values) + " |")
    return lines if len(lines) > 2 else []


def test_table(result):
    other = result["other"]
    if not other:
        runs = result["runs"]["bench"]["ours"]
        return ["| test | CPU s |", "|---|--:|", *(f"| {t} | {median(runs, 'cpu', t):.3f} |" for tests in CLASSES.values()
                                                    for t in tests.split() if median(runs, "cpu", t) is not None)]
    groups = classes(result)
    lines = ["| class | times as fast (geometric mean) |", "|---|--:|", *(f"| {name} | **{mean:.2f}** |" for name, mean, _ in groups)]
    lines += [f"| all tests | **{everything(groups):.2f}** |", ""] if groups else [""]
    lines += [f"| test | class | ours, CPU s | {other}, CPU s | times as fast |", "|---|---|--:|--:|--:|"]
    return lines + [f"| {t} | {name} | {o:.3f} | {q:.3f} | {ratio:.2f} |" for name, _, rows in groups for t, o, q, ratio in rows]


def section(result, chart=None):
    """A board's tables."""
    other = result["other"]
    beside = f", beside {result['version']}" if other else ""
    scale = result.get("scale", 100)
    work = "" if scale == 100 else f" with the tests at {scale} % of their work, where the start of each counts for more"
    lines = [f"## {result['board']}", "", *([f"![bar chart]({chart})", ""] if chart else []),
             f"`-accel {result['accel'] or 'jit'}`{beside}. {result['machine']}; {result['pairs']} {'pairs of ' if other else ''}runs{work}, load {result['load']:.1f}.",
             "", *fact_table(result), ""]
    lines += [f"Of the boot: {BOARDS[result['board']]['boot']}.", "", *translator(result), "", *test_table(result)]
    return "\n".join(lines) + "\n"


METHOD = """\
## How it is measured

CPU time (user and system, all threads of the emulator's process), not wall time: on a machine that others use as well, wall
time says more about them. Both emulators run the same kernel and initramfs with the same options, in turn, the first of
each pair changing; figures are medians. *Times as fast* is the other's time divided by ours; a class is the geometric mean of its
tests. Each test checks what it computed, and a wrong result fails the whole comparison. A device register is read or
written ten times a turn by a bare-metal program. Memory beside the guest's RAM is the process's resident memory without
the pages of guest RAM it has touched.
"""
