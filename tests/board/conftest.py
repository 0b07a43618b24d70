"""Running a board in tests: where the binaries and guests are, and a machine one can talk to.

PINSTRAP_BUILD   the build folder (build)
PINSTRAP_GUESTS  the Linux guests (build/guests, or a guests folder beside the project)
PINSTRAP_QUICK   set: leave out what is marked slow
PINSTRAP_PATIENCE a factor for every time limit (1)
PINSTRAP_ACCEL   -accel for machines of tests that do not choose one
PINSTRAP_KILLS   how often the disk test kills the emulator (3; by hand 200)
"""
import os
import pathlib
import re
import select
import shutil
import socket
import subprocess
import time

import pytest

ROOT = pathlib.Path(__file__).resolve().parents[2]
BUILD = pathlib.Path(os.environ.get("PINSTRAP_BUILD", ROOT / "build")).resolve()
PATIENCE = float(os.environ.get("PINSTRAP_PATIENCE", "1"))



def pytest_configure(config):
    config.addinivalue_line("markers", "slow: takes more than a few seconds")
    config.addinivalue_line("markers", "linux: needs the Linux guest")


def pytest_collection_modifyitems(items):
    if os.environ.get("PINSTRAP_QUICK"):
        for item in items:
            if "slow" in item.keywords:
                item.add_marker(pytest.mark.skip(reason="slow"))


def pytest_terminal_summary(terminalreporter):
    """What was skipped, by name; a line per file and reason."""
    names = {}
    for report in terminalreporter.stats.get("skipped", []):
        reason = report.longrepr[2] if isinstance(report.longrepr, tuple) else str(report.longrepr)
        file, _, test = report.nodeid.partition("::")
        names.setdefault((file, reason.removeprefix("Skipped: ")), {})[test.partition("[")[0]] = True
    for (file, reason), tests in names.items():
        terminalreporter.line(f"skipped: {file}: {reason}: {', '.join(tests)}")


def board_binary(name="versatilepb"):
    path = BUILD / "boards" / f"pinstrap-{name}"
    if not path.is_file():
        pytest.skip(f"{path.name} is not built")
    return str(path)


def command_line(words, board):
    words = [str(w) for w in words]
    accel = os.environ.get("PINSTRAP_ACCEL")
    return [board_binary(board), *(["-accel", accel] if accel and "-accel" not in words else []), *words]


def tool(name):
    path = shutil.which(name)
    if not path:
        pytest.skip(f"there is no {name}")
    return path


def guests(name):
    """The folder of this name among the Linux guests."""
    named = os.environ.get("PINSTRAP_GUESTS")
    folders = [pathlib.Path(named)] if named else [BUILD / "guests", ROOT.parent / "guests", *sorted(ROOT.parent.glob("*/guests"))]
    for folder in folders:
        if (folder / name).is_dir():
            return folder / name
    pytest.skip(f"no guests folder with {name}")


def linux_guest():
    """The folder with zImage, versatile-pb.dtb and initramfs.cpio.gz."""
    return guests("arm-versatilepb")


class Machine:
    """A running emulator.  Its standard output and error are one stream; `expect` reads it."""

    def __init__(self, words, board="versatilepb", environment=None):
        self.command, self.environment = command_line(words, board), {**os.environ, **(environment or {})}
        self.process = self.start()
        self.text, self.at = "", 0  # all that was written; up to where `expect` has read

    def start(self):
        return subprocess.Popen(self.command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, env=self.environment)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        if self.process.poll() is None:
            self.process.kill()
        self.process.wait()
        self.close()

    def close(self):
        self.process.stdin.close()
        self.process.stdout.close()

    def descriptor(self):
        return self.process.stdout.fileno()

    def take(self):
        return os.read(self.descriptor(), 65536)

    def read(self, seconds):
        """Takes what is there within `seconds`; False at the end of the stream."""
        if not select.select([self.descriptor()], [], [], seconds)[0]:
            return True
        piece = self.take()
        self.text += piece.decode("latin1")
        return bool(piece)

    def cpu_seconds(self):
        """What the emulator has used so far."""
        try:
            fields = pathlib.Path(f"/proc/{self.process.pid}/stat").read_text().rsplit(")", 1)[1].split()
        except OSError:
            return 0.0
        return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")

    def allow(self, seconds):
        """A function that is true once the emulator has used that much processor time, or five times that has passed: a
        busy host must not look like a guest that hangs."""
        cpu, wall = self.cpu_seconds() + seconds * PATIENCE, time.monotonic() + 5 * seconds * PATIENCE
        return lambda: self.cpu_seconds() > cpu or time.monotonic() > wall

    def expect(self, pattern, seconds=20):
        """Waits for a regular expression after what was expected before; the match."""
        late = self.allow(seconds)
        open_ = True
        while True:
            if m := re.compile(pattern, re.S).search(self.text, self.at):
                self.at = m.end()
                return m
            if not open_ or late():
                how = "did not come in time" if open_ else "did not come before the end"
                pytest.fail(f"{pattern!r} {how}\n{' '.join(self.command)}\n--- console\n{self.text[-3000:]}")
            open_ = self.read(0.2)

    def type(self, text):
        self.process.stdin.write(text.encode())
        self.process.stdin.flush()

    def status(self, seconds=20):
        """Waits for the end; the exit status."""
        late = self.allow(seconds)
        while self.read(0.2):
            if late():
                pytest.fail(f"it did not end\n{' '.join(self.command)}\n--- console\n{self.text[-3000:]}")
        return self.process.wait(5)


def run_board(*words, board="versatilepb", seconds=20, stdin=""):
    """Runs to the end: exit status, standard output, standard error."""
    done = subprocess.run(command_line(words, board), input=stdin, capture_output=True, text=True, timeout=seconds * PATIENCE)
    return done.returncode, done.stdout, done.stderr


class Line:
    """A unix socket on which lines are spoken: the monitor."""

    def __init__(self, path, seconds=10):
        end = time.monotonic() + seconds * PATIENCE
        while True:
            self.socket = socket.socket(socket.AF_UNIX)
            try:
                self.socket.connect(str(path))
                break
            except OSError:
                self.socket.close()
                if time.monotonic() > end:
                    raise
                time.sleep(0.02)
        self.text = ""

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.socket.close()

    def until(self, end, seconds=10):
        """What comes before `end`."""
        self.socket.settimeout(seconds * PATIENCE)
        while end not in self.text:
            piece = self.socket.recv(65536)
            if not piece:
                break
            self.text += piece.decode("latin1").replace("\r\n", "\n")
        before, _, self.text = self.text.partition(end)
        return before

    def ask(self, command, prompt="(qemu) "):
        """A monitor command's answer."""
        self.socket.sendall(command.encode() + b"\n")
        answer = self.until(prompt)
        # The echo redraws the line; what follows its end is the answer.
        return answer.split("\n", 1)[1] if "\n" in answer else answer


@pytest.fixture(scope="session")
def hello(tmp_path_factory):
    """The program examples/hello-uart."""
    tool("arm-none-eabi-gcc")
    out = tmp_path_factory.mktemp("hello")
    subprocess.run([tool("make"), "-s", "-C", str(ROOT / "examples/hello-uart"), f"OUT={out}"], check=True)
    return out / "hello.elf"


@pytest.fixture(scope="session")
def assemble(tmp_path_factory):
    """assemble(source, …) -> an ELF program that starts at `_start`, in RAM at 0x10000 or elsewhere."""
    gcc = tool("arm-none-eabi-gcc")
    folder = tmp_path_factory.mktemp("programs")

    def make(source, at="0x10000", name="program"):
        (folder / f"{name}.s").write_text(source)
        elf = folder / f"{name}.elf"
        subprocess.run([gcc, "-mcpu=arm926ej-s", "-g", "-nostdlib", f"-Wl,-Ttext={at},--build-id=none", str(folder / f"{name}.s"), "-o", str(elf)],
                       check=True)
        return elf

    return make


@pytest.fixture(scope="session")
def assemble_mips(tmp_path_factory):
    """assemble_mips(source, board) -> an ELF program of that board's byte order that starts at `_start`, in kseg0."""
    folder = tmp_path_factory.mktemp("mips")

    def make(source, board="malta", name="program"):
        prefix = "mips-linux-gnu-" if board.endswith("-be") else "mipsel-linux-gnu-"
        text, made = folder / f"{name}.s", folder / f"{name}-{board}"
        text.write_text(source)
        subprocess.run([tool(f"{prefix}as"), "-mips32r2", "-g", str(text), "-o", f"{made}.o"], check=True)
        subprocess.run([tool(f"{prefix}ld"), "-e", "_start", "-Ttext=0x80100000", f"{made}.o", "-o", f"{made}.elf"], check=True)
        return pathlib.Path(f"{made}.elf")

    return make
