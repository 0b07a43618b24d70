"""Who is measured: this emulator, and what it is compared with."""
import dataclasses
import os
import shutil
import subprocess
import sys
import tempfile

import guests


@dataclasses.dataclass
class Emulator:
    """A program that takes our options; `program` may name the board as {board}."""
    name: str          # in the tables
    program: str
    accel: str = ""
    qemu: bool = False

    def path(self, board):
        return self.program.replace("{board}", board)

    def command(self, board):
        return [self.path(board), *(["-accel", self.accel] if self.accel else [])]

    def require(self, board):
        if not shutil.which(self.path(board)):
            way_out = "it comes with the package qemu-system, or use --vs none" if self.qemu else "'./pinstrap build' makes it"
            sys.exit(f"bench: there is no program {self.path(board)}; {way_out}")

    def version(self, board):
        if not self.qemu:
            return self.name
        text = subprocess.run([self.path(board), "--version"], capture_output=True, text=True).stdout
        return text.split("\n")[0].replace("emulator version ", "").strip()

    def size(self, board):
        """Bytes of the program without symbols."""
        program = os.path.realpath(shutil.which(self.path(board)))
        with tempfile.TemporaryDirectory() as scratch:
            out = f"{scratch}/stripped"
            if shutil.which("strip") and subprocess.run(["strip", "-o", out, program], stderr=subprocess.DEVNULL).returncode == 0:
                return os.path.getsize(out)
        return os.path.getsize(program)

    def layers(self, board):
        """Names of the translator's layers, from -accel help."""
        text = subprocess.run([self.path(board), "-accel", "help"], capture_output=True, text=True).stdout
        return [line.split()[0] for line in text.partition("layers of jit")[2].splitlines()[1:] if line.strip()]


def ours(program, accel):
    return Emulator("ours", program or str(guests.ROOT / "build/boards/pinstrap-{board}"), accel or "")


def other(text, board, program, mine):
    """--vs: qemu, none, a program that takes our options, or options for -accel of our own program."""
    if text == "none":
        return None
    if text == "qemu":
        return Emulator("QEMU", program or guests.BOARDS[board]["qemu"], "tcg", True)
    if text.split(",")[0] in ("jit", "interp", "tcg"):
        return Emulator(text, mine.program, text)
    if not shutil.which(text.replace("{board}", board)):
        sys.exit(f"bench: --vs: '{text}' is neither qemu, none, options for -accel (jit,…), nor a program ({{board}} stands for the board)")
    return Emulator(os.path.basename(text), text, mine.accel)
