"""Places the block diagram of a board: devices by row on the bus, interrupt controllers as columns, the
processor at the right, and below them what raises no interrupt.  Pixels; the template draws."""
from boardmodel import frequency_text, size_text

ROW, BOX, TOP = 26, 20, 96           # row pitch, box height, first row
BUS_X, BOX_X, BOX_W = 36, 130, 196   # the bus bar, the device boxes
COLUMN_W, COLUMN_GAP = 104, 104      # a controller, and the room for wires before it
TILE_W, TILE_GAP = 300, 18           # boxes below the bus
COLOURS = {"uart": "#dbe9f6", "timer": "#e5e0f1", "rtc": "#e5e0f1", "intc": "#f9e0c8", "gpio": "#dcefd9", "dma": "#f6dde3",
           "video": "#fdf0c4", "audio": "#fdf0c4", "storage": "#e9e2d6", "flash": "#e9e2d6", "net": "#d5efec", "input": "#f3e3ee"}
PLAIN, MEMORY, UNKNOWN = "#ececec", "#cfe3d4", "#ffffff"


def address(v, space="mem"):
    return f"{v:#010x}" if space == "mem" else f"{space} {v:#x}"


def ranges(numbers):
    """[21, 22, 23, 31] -> '21-23, 31'"""
    out = []
    for n in numbers:
        if out and n == out[-1][1] + 1:
            out[-1][1] = n
        else:
            out.append([n, n])
    return ", ".join(f"{a}-{b}" if b > a else str(a) for a, b in out)


def depths(board):
    """Wires from each interrupt controller to the processor: 1 drives it, 2 drives a 1, …; loops stop growing."""
    depth = {"cpu": 0}
    for _ in board.devices:
        for e in board.edges:
            if e.to in depth and any(x.to == e.source for x in board.edges) and e.source not in depth:
                depth[e.source] = depth[e.to] + 1
    return depth


def layout(board):
    depth = depths(board)
    most = max(depth.values())
    column = {n: BOX_X + BOX_W + COLUMN_GAP + (most - d) * (COLUMN_W + COLUMN_GAP) for n, d in depth.items()}

    def first_target(d):
        return next((e.to for e in d.edges if e.to in depth), None)

    wired = [d for d in board.devices if d.name not in depth and first_target(d)]
    wired.sort(key=lambda d: (-depth[first_target(d)], first_target(d), d.region.at))
    boxes, wires, notes, rows, y = [], [], [], {}, TOP
    for i, d in enumerate(wired):
        if i and first_target(d) != first_target(wired[i - 1]):
            y += ROW // 2
        rows[d.name] = y
        boxes.append({"x": BOX_X, "y": y, "w": BOX_W, "h": BOX, "fill": COLOURS.get(d.group, PLAIN), "title": d.name, "text": d.kind,
                      "at": address(d.region.at, d.region.space)})
        y += ROW
    bottom = max(y, TOP + 5 * ROW)

    # A column box spans the rows that end at it and the controllers before it.
    span = {}
    for name in sorted(depth, key=depth.get, reverse=True):
        ys = [rows[d.name] for d in wired if first_target(d) == name]
        ys += [v for s, (a, b) in span.items() for v in (a, b - BOX) if any(e.source == s and e.to == name for e in board.edges)]
        span[name] = (min(ys), max(ys) + BOX) if ys else (TOP, TOP + 3 * ROW)
    middle = sum(span["cpu"]) // 2
    span["cpu"] = (middle - 2 * ROW, middle + 2 * ROW)
    devices = {d.name: d for d in board.devices}
    for name, (a, b) in span.items():
        d = devices.get(name)
        lines = [d.kind, address(d.region.at)] if d else [board.cpu["kind"], frequency_text(board.cpu["hz"])]
        boxes.append({"x": column[name], "y": a, "w": COLUMN_W, "h": b - a, "fill": COLOURS["intc"] if d else "#c9d8ee", "title": name, "lines": lines, "at": ""})

    for d in wired:
        for n, to in enumerate(dict.fromkeys(e.to for e in d.edges)):
            numbers, y = [e.line for e in d.edges if e.to == to], rows[d.name] + BOX // 2
            if to == first_target(d):
                wires.append({"x1": BOX_X + BOX_W, "x2": column[to], "y": y, "label": ranges(numbers)})
            else:
                notes.append({"x": BOX_X + BOX_W + 6, "y": y - 3, "text": f"also {to}.{ranges(numbers)}"})
    for name in (n for n in depth if n != "cpu"):
        out = [e for e in devices[name].edges if e.to in depth]
        groups = []
        for e in out:
            if groups and groups[-1][-1].to == e.to and e.line == groups[-1][-1].line + 1 and e.to != "cpu":
                groups[-1].append(e)
            else:
                groups.append([e])
        for i, g in enumerate(groups):
            low, high = max(span[name][0], span[g[0].to][0]), min(span[name][1], span[g[0].to][1])
            y = low + (high - low) * (i + 1) // (len(groups) + 1)
            pins = g[0].pin if len(g) == 1 else f"{g[0].pin}-{g[-1].pin}"
            wires.append({"x1": column[name] + COLUMN_W, "x2": column[g[0].to], "y": y, "label": ranges([e.line for e in g]), "pins": pins, "wide": len(g) > 1})

    width = max(column["cpu"] + COLUMN_W, BOX_X + 3 * (TILE_W + TILE_GAP)) + 24
    sections = tiles(board, rows, depth, bottom + 44, width)
    return {"width": width, "height": sections["height"] + 16, "bus": {"x": BUS_X, "top": TOP - 12, "bottom": bottom + 8, "box_x": BOX_X},
            "boxes": boxes, "wires": wires, "notes": notes, "sections": sections["sections"],
            "clocks": ", ".join(f"{k} {frequency_text(v)}" for k, v in board.clocks.items())}


def tiles(board, rows, depth, y, width):
    """Memory, devices without an interrupt, and ranges that are only known, in rows of boxes."""
    tied = {d.memory: d for d in board.devices if d.memory}
    memories = [(r.name, f"{'ROM' if r.rom else 'RAM'} {size_text(r.size)}" + (f", {tied[r.name].kind}" if r.name in tied else ""), r.at, MEMORY) for r in board.memories()]
    quiet = [(d.name, d.kind, d.region.at, COLOURS.get(d.group, PLAIN)) for d in board.devices if d.name not in rows and d.name not in depth and not d.memory]
    known = [(r.name, size_text(r.size), r.at, UNKNOWN) for r in board.known()]
    sections = []
    per_row = max(1, (width - BUS_X - 24 + TILE_GAP) // (TILE_W + TILE_GAP))
    for title, items in (("Memory", memories), ("Devices without an interrupt", quiet), ("Decoded, not modelled", known)):
        if not items:
            continue
        items.sort(key=lambda i: i[2])
        boxes = [{"x": BUS_X + i % per_row * (TILE_W + TILE_GAP), "y": y + 10 + i // per_row * ROW, "w": TILE_W, "h": BOX, "fill": f,
                  "title": n, "text": t, "at": address(a), "dashed": f == UNKNOWN} for i, (n, t, a, f) in enumerate(items)]
        sections.append({"title": title, "x": BUS_X, "y": y, "boxes": boxes})
        y = boxes[-1]["y"] + ROW + 28
    return {"sections": sections, "height": y - 28}
