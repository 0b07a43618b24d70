"""./pinstrap profile: runs a board, and tells where its guest's time went."""
import collections
import os
import pathlib
import signal
import subprocess
import tempfile
import threading

import build
import packages
from screen import fail, say

HELP = """\
usage: ./pinstrap profile BOARD [--symbols FILE]... [--seconds N] [--top N] [--keep FILE] [options as for run]
       ./pinstrap profile --read FILE

Runs the board as './pinstrap run' does, samples the processor's thread about a thousand times a second, and prints at the
end where its CPU time went: in translated code, memory accesses that needed help, devices, translating, helpers; by guest
function, by the hottest pieces of guest code with their instructions, and by the emulator's own functions.

  --symbols FILE  names of guest code, beside those of -kernel's ELF file: an ELF file (vmlinux) or a System.map
  --seconds N     ends the run after N seconds; else it ends as the guest does, or with C-a x or Control-C
  --top N         so many lines of each table (20)
  --keep FILE     keeps what was measured; --read shows it again

  ./pinstrap profile malta -kernel vmlinux -initrd initramfs.cpio.gz -append 'console=ttyS0 guest.run=off' -nographic -no-reboot
"""

PLACES = ["translated", "memory", "device", "translation", "helper"]
TITLES = {"translated": "translated code", "memory": "memory accesses that needed help", "device": "devices", "translation": "translating",
          "helper": "helpers, dispatch and the rest", "thunks": "between translated code and the emulator"}


class Profile:
    """What -accel jit,profile=FILE wrote (accel/profile.cpp); times in nanoseconds."""

    def __init__(self, text):
        lines = text.splitlines()
        if not lines or lines[0] != "pinstrap-profile 1":
            raise ValueError
        self.facts, self.guest, self.blocks, self.host = {}, [], [], []
        for line in lines[1:]:
            kind, _, rest = line.partition(" ")
            if kind == "guest":
                words = rest.split(" ", 6)
                self.guest.append((int(words[0], 16), dict(zip(PLACES, map(int, words[1:6]))), words[6]))
            elif kind == "block":
                pc, ns, count, name = rest.split(" ", 3)
                self.blocks.append({"pc": int(pc, 16), "ns": int(ns), "instructions": int(count), "name": name, "code": []})
            elif kind == "insn":
                self.blocks[-1]["code"].append(rest)
            elif kind == "host":
                ns, name = rest.split(" ", 1)
                self.host.append((name, int(ns)))
            else:
                self.facts[kind] = int(rest)

    def places(self):
        sums = {p: sum(times[p] for _, times, _ in self.guest) for p in PLACES}
        return sums | {"thunks": self.facts["thunks"]}

    def functions(self):
        """{name: times by place}; code without a name by its page."""
        out = collections.defaultdict(lambda: dict.fromkeys(PLACES, 0))
        for pc, times, name in self.guest:
            key = name.split("+")[0] or f"{pc >> 12:05x}xxx"
            for p in PLACES:
                out[key][p] += times[p]
        return out


def shares(rows, total, top):
    """[(name, ns)] -> lines, the largest first."""
    rows = sorted(rows, key=lambda r: (-r[1], r[0]))
    lines = [f"{100 * ns / total:6.1f} % {ns / 1e9:9.3f} s  {name}" for name, ns in rows[:top] if ns]
    rest = sum(ns for _, ns in rows[top:])
    return lines + ([f"{100 * rest / total:6.1f} % {rest / 1e9:9.3f} s  … {len(rows) - top} more"] if rest else [])


def report(profile, top):
    f = profile.facts
    total = max(1, f["sampled"])
    lines = [f"{f['cpu'] / 1e9:.2f} s of CPU time of the processor's thread, {f['samples']} samples"
             + (f" ({f['lost']} more were lost)" if f["lost"] else "")
             + f"; {f['wall'] / 1e9:.2f} s passed, {f['asleep'] / 1e9:.2f} s of them with nothing to do", ""]
    lines += shares([(TITLES[p], ns) for p, ns in profile.places().items()], total, len(TITLES))
    lines += ["", "by guest function                            of these: translated  memory devices  transl. helpers"]
    functions = profile.functions()
    order = sorted(functions, key=lambda name: (-sum(functions[name].values()), name))
    for name in order[:top]:
        t = functions[name]
        own = max(1, sum(t.values()))
        lines.append(f"{100 * own / total:6.1f} %  {name:<48.48} " + " ".join(f"{100 * t[p] / own:6.0f}%" if t[p] else "       " for p in PLACES))
    if len(order) > top:
        lines.append(f"{100 * sum(sum(functions[n].values()) for n in order[top:]) / total:6.1f} %  … {len(order) - top} more")
    lines += ["", "hottest guest code"]
    for b in profile.blocks[:max(3, top // 4)]:
        lines.append(f"{100 * b['ns'] / total:6.1f} %  {b['pc']:08x}  {b['name']}")
        lines += [f"              {i}" for i in b["code"]]
    lines += ["", "outside translated code, by the emulator's functions"]
    return lines + shares(profile.host, total, top)


def read(path, top):
    try:
        lines = report(Profile(pathlib.Path(path).read_text(errors="replace")), top)
    except OSError as e:
        fail(f"'{path}' cannot be read: {e.strerror}")
    except (ValueError, IndexError, KeyError):
        fail(f"'{path}' is no profile that this program wrote; '-accel jit,profile=FILE' makes one")
    for line in lines:
        say(line)
    return 0


def take(words, name):
    """The value of an option of ours, taken out of the words."""
    at = words.index(name)
    if at + 1 == len(words):
        fail(f"{name} needs a value; './pinstrap help profile' says which")
    value = words[at + 1]
    del words[at:at + 2]
    return value


def number(words, name, otherwise):
    if name not in words:
        return otherwise
    value = take(words, name)
    if not value.isdigit() or not int(value):
        fail(f"{name}: '{value}' must be a whole number, 1 or more")
    return int(value)


def accelerator(words, file, symbols):
    """The -accel to run with: what was given, and the profile."""
    given = take(words, "-accel") if "-accel" in words else "jit"
    names = ":".join(symbols).replace(",", ",,")  # as options have commas in values
    return f"{given},profile={file.replace(',', ',,')}" + (f",symbols={names}" if names else "")


def main(words):
    words = list(words)
    top = number(words, "--top", 20)
    if "--read" in words:
        return read(take(words, "--read"), top)
    if not words or words[0].startswith("-"):
        fail("which board? ./pinstrap profile BOARD [options]; './pinstrap help profile' says more")
    seconds, symbols = number(words, "--seconds", None), []
    while "--symbols" in words:
        symbols.append(take(words, "--symbols"))
    keep = take(words, "--keep") if "--keep" in words else None
    board = words.pop(0).removeprefix("pinstrap-")
    packages.need("running a board", "build")
    build.configure()
    if board not in build.boards():
        fail(f"there is no board '{board}'; there are {', '.join(build.boards())}")
    if not build.compile(targets=[f"boards/pinstrap-{board}"], what=f"building pinstrap-{board}"):
        return 1
    with tempfile.TemporaryDirectory() as scratch:
        file = keep or f"{scratch}/profile"
        accel = accelerator(words, file, symbols)
        process = subprocess.Popen([str(build.NATIVE / "boards" / f"pinstrap-{board}"), *words, "-accel", accel])
        signal.signal(signal.SIGINT, lambda *_: process.send_signal(signal.SIGINT))  # the emulator ends in order, then the table comes
        if seconds:
            clock = threading.Timer(seconds, process.terminate)
            clock.daemon = True
            clock.start()
        status = process.wait()
        if status != 0 and not (os.path.exists(file) and os.path.getsize(file)):
            return status if status > 0 else 1
        say("")
        return read(file, top)
