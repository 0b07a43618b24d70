"""A machine on a terminal of its own, with a picture of what stands on it."""
import fcntl
import html
import os
import pty
import re
import struct
import subprocess
import termios

import pytest

from conftest import BUILD, Machine

COLUMNS, ROWS = 80, 24
INK = {"default": "#d8d8d8", "black": "#000000", "red": "#c23030", "green": "#2f9e44", "brown": "#b08a2e", "blue": "#2b4bd0",
       "magenta": "#9c36b5", "cyan": "#1c93a8", "white": "#d8d8d8"}
PAPER = {**INK, "default": "#101418"}


class Terminal(Machine):
    """`screen` is what a person would see; `expect_screen` waits for words on it."""

    def __init__(self, words, board):
        self.pyte = pytest.importorskip("pyte", reason="python3-pyte is not installed")
        self.picture = self.pyte.Screen(COLUMNS, ROWS)
        self.stream = self.pyte.ByteStream(self.picture)
        self.stream.select_other_charset("@")  # one byte, one character: the VT100's line drawing is not for UTF-8
        super().__init__(words, board)

    def start(self):
        self.master, slave = pty.openpty()
        fcntl.ioctl(slave, termios.TIOCSWINSZ, struct.pack("HHHH", ROWS, COLUMNS, 0, 0))
        process = subprocess.Popen(self.command, stdin=slave, stdout=slave, stderr=slave, start_new_session=True)
        os.close(slave)
        return process

    def close(self):
        os.close(self.master)

    def descriptor(self):
        return self.master

    def take(self):
        try:
            piece = os.read(self.master, 65536)
        except OSError:  # EIO: the other side is closed
            return b""
        self.stream.feed(piece)
        return piece

    def type(self, text):
        os.write(self.master, text.encode())

    @property
    def screen(self):
        return "\n".join(line.rstrip() for line in self.picture.display)

    def expect_screen(self, pattern, seconds=60):
        """Waits until the screen shows this and has come to rest."""
        late = self.allow(seconds)
        while not re.search(pattern, self.screen, re.S) or self.busy():
            if late() or self.process.poll() is not None:
                pytest.fail(f"{pattern!r} is not on the screen\n{' '.join(self.command)}\n{self.screen}")
            self.read(0.2)

    def busy(self):
        before = len(self.text)
        self.read(0.3)
        return len(self.text) != before

    def keep(self, name):
        """Leaves the screen as text and as picture in the build folder, for people to look at."""
        folder = BUILD / "screenshots"
        folder.mkdir(parents=True, exist_ok=True)
        (folder / f"{name}.txt").write_text(self.screen + "\n")
        (folder / f"{name}.svg").write_text(svg(self.picture))


def svg(picture, width=8.4, height=17):
    """The screen as an SVG file: runs of equal colours are one text each."""
    out = [f'<svg xmlns="http://www.w3.org/2000/svg" width="{COLUMNS * width + 16:.0f}" height="{ROWS * height + 16}" '
           'font-family="\'DejaVu Sans Mono\', monospace" font-size="14">', f'<rect width="100%" height="100%" fill="{PAPER["default"]}"/>']
    for y in range(ROWS):
        x = 0
        while x < COLUMNS:
            first, text = picture.buffer[y][x], ""
            start, look = x, colours(first)
            while x < COLUMNS and colours(picture.buffer[y][x]) == look:
                text += picture.buffer[y][x].data
                x += 1
            ink, paper = look
            left, top = start * width + 8, y * height + 8
            if paper != PAPER["default"]:
                out.append(f'<rect x="{left:.1f}" y="{top}" width="{(x - start) * width:.1f}" height="{height}" fill="{paper}"/>')
            if text.strip():
                out.append(f'<text x="{left:.1f}" y="{top + 13}" fill="{ink}" xml:space="preserve" '
                           f'textLength="{(x - start) * width:.1f}" lengthAdjust="spacingAndGlyphs">{html.escape(text)}</text>')
    return "\n".join([*out, "</svg>"]) + "\n"


def colours(cell):
    ink, paper = INK.get(cell.fg, INK["default"]), PAPER.get(cell.bg, PAPER["default"])
    return (paper, ink) if cell.reverse else (ink, paper)
