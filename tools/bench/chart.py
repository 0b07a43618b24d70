"""A bar chart as SVG: how many times as fast as the other, test by test, in classes."""
import math
from xml.sax.saxutils import escape

WIDTH, LABEL, NUMBER, ROW, GAP, TOP = 760, 118, 56, 18, 14, 84
COLOURS = ["#3b6fb6", "#b65d3b", "#8a6fb0", "#4f9463", "#b08a2e", "#5b8a9a"]
INK, SOFT, LINE = "#1c2126", "#5c6670", "#d5dae0"


def text(x, y, words, size=12, anchor="start", colour=INK, weight="normal", more=""):
    return (f'<text x="{x:.1f}" y="{y:.1f}" font-size="{size}" text-anchor="{anchor}" fill="{colour}" '
            f'font-weight="{weight}"{more}>{escape(words)}</text>')


def bar(y, name, ratio, scale, colour, bold=False):
    """(name and bar, number): the number is drawn last, with a rim that keeps the lines behind it off."""
    height, weight = ROW - 5, "bold" if bold else "normal"
    rim = ' stroke="#ffffff" stroke-width="4" stroke-linejoin="round" paint-order="stroke"'
    return ([text(LABEL - 8, y + height - 2, name, 12, "end", INK, weight),
             f'<rect x="{LABEL}" y="{y}" width="{max(1.0, ratio * scale):.1f}" height="{height}" rx="1.5" '
             f'fill="{colour}" fill-opacity="{1 if bold else 0.7}"/>'],
            text(LABEL + ratio * scale + 6, y + height - 2, f"{ratio:.2f}", 11, "start", SOFT, weight, rim))


def steps(most):
    """Round numbers for the scale: 0, s, 2s … with at most nine of them."""
    step = next(s for s in (0.25, 0.5, 1, 2, 5, 10, 20, 50) if most / s <= 8)
    return [i * step for i in range(math.ceil(most / step) + 1)]


def chart(title, subtitle, classes):
    """`classes`: [(class name, geometric mean, [(test, ratio), …]), …] -> the text of an SVG file."""
    ratios = [r for _, mean, rows in classes for r in (mean, *(v for _, v in rows))]
    marks = steps(max(ratios + [1.0]))
    scale = (WIDTH - LABEL - NUMBER) / marks[-1]
    bottom = TOP + sum(ROW * (1 + len(rows)) + GAP for _, _, rows in classes)
    out = [f'<svg xmlns="http://www.w3.org/2000/svg" width="{WIDTH}" height="{bottom + 12}" viewBox="0 0 {WIDTH} {bottom + 12}" '
           'font-family="system-ui, \'DejaVu Sans\', sans-serif">',
           f'<rect width="{WIDTH}" height="{bottom + 12}" fill="#ffffff"/>',
           text(16, 28, title, 16, weight="bold"), text(16, 48, subtitle, 12, colour=SOFT)]
    for v in marks:
        x = LABEL + v * scale
        out += [f'<line x1="{x:.1f}" y1="{TOP - 8}" x2="{x:.1f}" y2="{bottom - 6}" stroke="{LINE}"/>',
                text(x, TOP - 13, f"{v:g}", 11, "middle", SOFT)]
    y, numbers = TOP, []
    for i, (name, mean, rows) in enumerate(classes):
        for j, (test, ratio) in enumerate([(name, mean), *rows]):
            drawn, number = bar(y + ROW * j, test, ratio, scale, COLOURS[i % len(COLOURS)], j == 0)
            out, numbers = out + drawn, [*numbers, number]
        y += ROW * (1 + len(rows)) + GAP
    x = LABEL + scale  # where both are equally fast
    out.append(f'<line x1="{x:.1f}" y1="{TOP - 8}" x2="{x:.1f}" y2="{bottom - 6}" stroke="{INK}" stroke-width="1.2" stroke-dasharray="4 3"/>')
    return "\n".join([*out, *numbers, "</svg>"]) + "\n"
