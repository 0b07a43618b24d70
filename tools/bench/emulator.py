"""Running an emulator with its console on pipes, and what that costs."""
import dataclasses
import os
import pathlib
import re
import select
import subprocess
import time

TICK = os.sysconf("SC_CLK_TCK")


def cpu_seconds(pid):
    """User and system time of the process so far: to the nanosecond where the kernel counts so, else to the tick."""
    try:
        tasks = [int(p.read_text().split()[0]) for p in pathlib.Path(f"/proc/{pid}/task").glob("*/schedstat")]
        fields = pathlib.Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()
    except OSError:
        return float("nan")
    ticks = (int(fields[11]) + int(fields[12])) / TICK
    precise = sum(tasks) / 1e9
    # Threads that ended are in the ticks only.
    return precise if abs(precise - ticks) < 2.5 / TICK * max(1, len(tasks)) else ticks


def memory(pid, guest_ram):
    """(resident, of that the guest's RAM) in bytes now; the RAM is the fullest mapping that can hold it."""
    resident = guest = 0
    size = here = writable = 0
    for line in pathlib.Path(f"/proc/{pid}/smaps").read_text().splitlines():
        word, _, rest = line.partition(" ")
        if not word.endswith(":"):
            writable = rest.startswith("rw")
        elif word == "Size:":
            size = int(rest.split()[0]) * 1024
        elif word == "Rss:":
            here = int(rest.split()[0]) * 1024
            resident += here
            if writable and size >= guest_ram:
                guest = max(guest, here)
    return resident, guest


@dataclasses.dataclass
class Run:
    """Wall and CPU seconds by test and by marker, what the guest printed as results, memory at the end."""
    wall: dict = dataclasses.field(default_factory=dict)
    cpu: dict = dataclasses.field(default_factory=dict)
    guest: dict = dataclasses.field(default_factory=dict)
    check: dict = dataclasses.field(default_factory=dict)
    memory: dict = dataclasses.field(default_factory=dict)
    stats: dict = dataclasses.field(default_factory=dict)
    ended: str = "timeout"
    text: str = ""


def watch(command, until, seconds, on_line=lambda line: None, guest_ram=0):
    """Runs until the console shows `until`; the marker `total` and the guest's BENCH lines are timed."""
    run = Run()
    environment = {**os.environ, "QEMU_AUDIO_DRV": "none"}
    began = time.monotonic()
    process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, env=environment)
    open_at, text, line_start, pattern = {}, b"", 0, re.compile(until.encode())
    try:
        while (now := time.monotonic() - began) < seconds:
            if not select.select([process.stdout], [], [], 0.2)[0]:
                continue
            piece = os.read(process.stdout.fileno(), 65536)
            now, cpu = time.monotonic() - began, cpu_seconds(process.pid)
            if not piece:
                run.ended = "exit"
                break
            text += piece
            while (end := text.find(b"\n", line_start)) >= 0:
                line = text[line_start:end].decode("latin1").strip()
                line_start = end + 1
                note(run, line.split(), open_at, now, cpu)
                on_line(line)
            if pattern.search(text, max(0, len(text) - len(piece) - 200)):
                run.wall["total"], run.cpu["total"], run.ended = now, cpu, "matched"
                if guest_ram:
                    run.memory = dict(zip(("resident", "guest"), memory(process.pid, guest_ram)))
                break
    finally:
        finish(process)
        process.stdin.close()
        process.stdout.close()
    run.text = text.decode("latin1")
    return run


def finish(process):
    """In order, so that -d stats is written; by force when that takes long."""
    process.terminate()
    try:
        process.wait(5)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()


def note(run, words, open_at, now, cpu):
    """BENCH-BEGIN name | BENCH name seconds | CHECK name value."""
    if len(words) == 2 and words[0] == "BENCH-BEGIN":
        open_at[words[1]] = now, cpu
    elif len(words) == 3 and words[0] == "BENCH" and words[1] in open_at:
        wall, cpu_then = open_at[words[1]]
        run.wall[words[1]], run.cpu[words[1]], run.guest[words[1]] = now - wall, cpu - cpu_then, float(words[2])
    elif len(words) >= 3 and words[0] == "CHECK":
        run.check[words[1]] = words[2]


def first_byte(command, wanted, seconds=30):
    """(wall, CPU) seconds until the console shows these bytes."""
    began = time.monotonic()
    process = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL,
                               env={**os.environ, "QEMU_AUDIO_DRV": "none"})
    text = b""
    try:
        while wanted not in text and time.monotonic() - began < seconds:
            if select.select([process.stdout], [], [], 1)[0]:
                piece = os.read(process.stdout.fileno(), 4096)
                if not piece:
                    break
                text += piece
        return (time.monotonic() - began, cpu_seconds(process.pid)) if wanted in text else (float("nan"), float("nan"))
    finally:
        process.kill()
        process.wait()
        process.stdout.close()


def whole(command, seconds=30):
    """Runs to its end; (wall, CPU, exit status)."""
    began = time.monotonic()
    process = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
                               env={**os.environ, "QEMU_AUDIO_DRV": "none"})
    while time.monotonic() - began < seconds:
        pid, status, usage = os.wait4(process.pid, os.WNOHANG)
        if pid:
            process.returncode = os.waitstatus_to_exitcode(status)
            return time.monotonic() - began, usage.ru_utime + usage.ru_stime, process.returncode
        time.sleep(0.0005)
    process.kill()
    process.wait()
    return float("nan"), float("nan"), None
