"""What each layer of the translator is worth: ours with one left out, in turn with all of them."""
import dataclasses

import measure
import report


TOP = "regions"  # made only with all the others, so what each of those is worth shows without it


def emulators(ours, board):
    """All layers first, then each left out."""
    accel = ours.accel or "jit"
    layers = ours.layers(board)
    lists = {"all": "all"} | {f"-{layer}": f"-{layer}" if layer == TOP or TOP not in layers else f"-{TOP}:-{layer}" for layer in layers} | {"none": "none"}
    return [dataclasses.replace(ours, name=name, accel=f"{accel},opt={what}") for name, what in lists.items()]


def beside(runs, who):
    """The name of what it is compared with."""
    return f"-{TOP}" if f"-{TOP}" in runs and who not in (f"-{TOP}", "none") else "all"


def run(ours, board, files, a):
    everyone = emulators(ours, board)
    runs = measure.linux_runs(everyone, board, files, a)
    return {"board": board, "pairs": a.n, "scale": a.scale, "runs": runs, "wrong": measure.wrong_results(runs, board, a.scale)}


def table(result):
    """How many times as long without: the boot, and geometric means of the classes."""
    runs, groups = result["runs"], []
    rows = []
    for who in runs["boot"]:
        if who == "all":
            continue
        base = beside(runs["boot"], who)
        groups = report.classes(result, base, who)
        boot = report.median(runs["boot"][who], "cpu", "total") / report.median(runs["boot"][base], "cpu", "total")
        rows.append((who, boot, [mean for _, mean, _ in groups], report.everything(groups)))
    if not rows:
        return ""
    names = [name for name, _, _ in groups]
    lines = ["| without | boot | " + " | ".join(names) + " | all tests |", "|---|" + "--:|" * (len(names) + 2)]
    for who, boot, means, total in rows:
        what = "any of them" if who == "none" else f"`{who[1:]}`"
        lines.append(f"| {what} | {boot:.2f} | " + " | ".join(f"{m:.2f}" for m in means) + f" | **{total:.2f}** |")
    return "\n".join(lines) + "\n"
