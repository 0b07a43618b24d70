#!/usr/bin/env python3
"""Board page (YAML) -> C++ header, memory map, Markdown, block diagram and device tree source.

Every complaint is `file:line:col: error: …`.
"""
import argparse
import os
import pathlib
import re

import jinja2
import yaml

import boarddraw
from boardcheck import Checker
from boardmodel import camel, frequency_text, size_text
from boardsource import Complaints, Page

HERE = pathlib.Path(__file__).resolve().parent
MANY_PAGES = 16  # a larger window is compared, not enumerated


def address(v):
    return f"{v:#010x}"


def cases(board):
    """Per address space: the switch cases of small windows, and the large ones."""
    small, large = {}, {}
    for space in board.spaces.values():
        by_page, small[space.name], large[space.name] = {}, [], []
        for w in (w for d in board.devices if d.placed for w in d.windows if w.space == space.name):
            pages = range(w.at // space.grain, w.last // space.grain + 1)
            if len(pages) > MANY_PAGES:
                large[space.name].append(w)
            else:
                for p in pages:
                    by_page.setdefault(p, []).append(w)
        groups = {}
        for p, ws in sorted(by_page.items()):
            groups.setdefault(tuple((w.name, w.number) for w in ws), (ws, []))[1].append(p)
        for ws, pages in groups.values():
            whole = len(ws) == 1 and ws[0].size == len(pages) * space.grain and not board.device(ws[0].name).fitted
            small[space.name].append({"windows": ws, "pages": pages, "whole": whole})
    return small, large


def rows(board):
    """The map, a row per range: (space, first, last, name, what it is)."""
    kinds = {d.name: d for d in board.devices}
    out = []
    for r in (r for r in board.regions if r.size):
        tied = next((d for d in board.devices if d.memory == r.name), None)
        if r.what == "device":
            what = kinds[r.name].kind
        elif r.what == "known":
            what = "not modelled"
        else:
            what = f"{'ROM' if r.rom else 'RAM'}, {size_text(r.size)}"
            what += f", -m up to {size_text(board.ram_max())}" if r.option else f", what -m asks beyond {r.rest}" if r.rest else f", {tied.kind} {tied.name}" if tied else ""
        out.append((r.space, r.at, r.at + r.size - 1, r.name, what))
    return out


def map_text(board):
    lines = [f"{board.name}: {board.title}"]
    for space in board.spaces.values():
        where = f" (window {space.window[1]} of {space.window[0]})" if space.window else ""
        lines.append(f"{'memory' if space.name == 'mem' else space.name}{where}")
        lines += [f"  {address(a)}-{address(b)}  {name:<14} {what}" for s, a, b, name, what in rows(board) if s == space.name]
    for bridge in board.bridges():
        lines.append(f"PCI bus of {bridge}")
        lines += [f"  {d.pci[1]:>2}.{d.pci[2]}                  {d.name:<14} {d.kind}" for d in sorted(board.devices, key=lambda d: d.pci or ()) if d.pci and d.pci[0] == bridge]
    return "\n".join(lines) + "\n"


def wiring_text(board):
    return "".join(f"{e.source}.{e.pin} -> {e.to}.{e.line}{' (joined)' if e.gate >= 0 else ''}\n" for e in board.edges)


def ram_reason(board):
    """Why RAM cannot be larger: what stands behind it."""
    ram = board.rest() or board.ram()
    if not ram:
        return ""
    above = min((r for r in board.regions if r.space == "mem" and r.at > ram.last), key=lambda r: r.at, default=None)
    if above and above.at == ram.last + 1:
        return f"'{above.name}' begins at {above.at:#x}"
    return f"the memory controller of {board.name} decodes no more"


def device_tree(board, facts, fragment):
    """The devices Linux is told of, as (device, facts, interrupts) with the board's own names filled in."""
    controllers = {d.name for d in board.devices if facts.get(d.kind, {}).get("controller")}
    nodes = []
    for d in board.devices:
        f = facts.get(d.kind)
        if f is None or not d.placed or d.region.space != "mem":
            continue
        pins = f.get("pins", d.pins)
        lines = [next(e for e in d.edges if e.pin == p and e.to in controllers) for p in pins if any(e.pin == p and e.to in controllers for e in d.edges)]
        clocks = [(name, d.clock if key == "own" else key) for name, key in f.get("clocks", {}).items()]
        properties = {k: str(v).format(**{n: hex(x) for n, x in d.constants.items() if isinstance(x, int)}) if v else v for k, v in f.get("properties", {}).items()}
        nodes.append({"device": d, "facts": f, "lines": lines, "properties": properties, "clocks": [(n, c) for n, c in clocks if c in board.clocks]})
    labels = set(re.findall(r"\b([a-z_0-9]+)\s*:", fragment))
    return {"nodes": nodes, "roots": [d.name for d in board.devices if d.name in controllers and any(e.to == "cpu" for e in d.edges)],
            "fragment": fragment, "fixed_clocks": {k: hz for k, hz in board.clocks.items() if k not in labels}}


def environment():
    env = jinja2.Environment(loader=jinja2.FileSystemLoader(HERE / "templates"), trim_blocks=True, lstrip_blocks=True,
                             keep_trailing_newline=True, undefined=jinja2.StrictUndefined)
    env.filters |= {"hex": lambda v: "{" + ", ".join(f"{x:#x}" for x in v) + "}" if isinstance(v, list) else f"{v:#x}", "address": address, "size": size_text, "frequency": frequency_text,
                    "camel": camel, "quoted": lambda v: f'"{v}"'}
    return env


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("page", type=pathlib.Path)
    parser.add_argument("--root", type=pathlib.Path, action="append", default=[], help="another tree with boards/, cpus/ or peripherals/")
    for flag, what in (("-o", "C++ header"), ("--map", "memory map"), ("--markdown", "reference page"), ("--svg", "block diagram"),
                       ("--dts", "device tree source"), ("--depfile", "what the outputs depend on, for ninja")):
        parser.add_argument(flag, type=pathlib.Path, metavar="FILE", help=what)
    a = parser.parse_args()

    complaints = Complaints()
    roots = [HERE.parent, *(r.resolve() for r in a.root)]
    page = Page(a.page, [r / "boards" for r in roots], complaints)
    complaints.stop_if_any()
    board = Checker(page, roots).board(yaml.safe_load((HERE / "board.schema.yaml").read_text()))
    fragments = page.linux_fragments()
    complaints.stop_if_any()

    facts = {}
    fact_files = [f for f in (r / "peripherals/dt.yaml" for r in roots) if f.is_file()]
    for f in fact_files:
        facts |= yaml.safe_load(f.read_text())
    small, large = cases(board)
    values = {
        "b": board, "ram": board.ram(), "rest": board.rest(), "ram_reason": ram_reason(board), "map": map_text(board), "wiring": wiring_text(board),
        "headers": sorted({board.cpu["header"]} | {d.header for d in board.devices}), "rows": rows(board),
        "cases": small, "large": large, "cpu_edges": [e for e in board.edges if e.to == "cpu"],
        "tree": device_tree(board, facts, "\n".join(f.read_text() for f in fragments)), "drawing": boarddraw.layout(board),
    }
    env = environment()
    outputs = {"o": "board.hpp.j2", "markdown": "board.md.j2", "svg": "board.svg.j2", "dts": "board.dts.j2"}
    for flag, template in outputs.items():
        if path := getattr(a, flag):
            values["here"] = path
            path.write_text(back_to_file(env.get_template(template).render(**values), path))
    if a.map:
        a.map.write_text(values["map"])
    if a.depfile:
        inputs = page.files + fact_files + sorted(HERE.glob("board*.py")) + [HERE / "board.schema.yaml"] + sorted((HERE / "templates").glob("board*"))
        targets = [getattr(a, f) for f in (*outputs, "map") if getattr(a, f)]
        names = [str(p).replace(" ", "\\ ") for p in inputs + fragments]
        a.depfile.write_text(f"{' '.join(map(str, targets))}: {' '.join(names)}\n")


def back_to_file(text, path):
    """Resolves `#line __LINE__`: from here on the text is blamed on the generated file again."""
    lines = text.split("\n")
    name = os.path.relpath(path)
    return "\n".join(f'#line {i + 2} "{name}"' if line == "#line __LINE__" else line for i, line in enumerate(lines))


if __name__ == "__main__":
    main()
