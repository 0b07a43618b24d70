"""./pinstrap guest: systems to run on the boards, made from Debian's sources."""
import dataclasses
import difflib
import os
import subprocess

import build
import packages
from screen import Progress, fail, say

HELP = """\
usage: ./pinstrap guest NAME [--again]

  versatilepb-linux   Linux for the Versatile PB, to build/guests/arm-versatilepb: a kernel from Debian's linux-source-6.1, the
                      board's device tree, and an initramfs with busybox and benchmark programs. Takes about 2 GB in
                      build/guests-work and, with two cores, a quarter of an hour. ./pinstrap run --linux boots it
  malta-linux         Linux for the MIPS Malta, little endian, to build/guests/mips-malta: Debian's own kernel and modules, and
                      the same initramfs. Takes about 400 MB in build/guests-work and two minutes

build/guests-work may go afterwards. ./pinstrap test board and ./pinstrap bench find what is made here.
"""


@dataclasses.dataclass(frozen=True)
class Guest:
    folder: str
    kernel: str  # made last
    shown: str   # how to use it


GUESTS = {
    "versatilepb-linux": Guest("arm-versatilepb", "zImage", "./pinstrap run --linux"),
    "malta-linux": Guest("mips-malta", "vmlinuz-debian-4kc-malta", "./pinstrap bench malta"),
}


def folder(name):
    return build.NATIVE / "guests" / GUESTS[name].folder


def options(at):
    return ["-m", "128", "-kernel", str(at / "zImage"), "-dtb", str(at / "versatile-pb.dtb"),
            "-initrd", str(at / "initramfs.cpio.gz"), "-append", "console=ttyAMA0"]


def main(words):
    names = [w for w in words if not w.startswith("-")]
    if len(names) != 1:
        say(HELP)
        return int(bool(names))
    name = names[0]
    if name not in GUESTS:
        near = difflib.get_close_matches(name, GUESTS, 1, 0.5)
        fail(f"there is no guest '{name}'" + (f" (did you mean '{near[0]}'?)" if near else f"; there is {', '.join(GUESTS)}"))
    out, work = folder(name), build.NATIVE / "guests-work"
    if (out / GUESTS[name].kernel).is_file() and "--again" not in words:
        say(f"{os.path.relpath(out, build.ROOT)} is there already; --again makes it anew")
        return 0
    packages.need("making a guest", name)
    work.mkdir(parents=True, exist_ok=True)
    log = work / f"{name}.log"
    say(f"making {os.path.relpath(out, build.ROOT)}; the log is {os.path.relpath(log, build.ROOT)}")
    process = subprocess.Popen([str(build.ROOT / "tools/guests" / f"{name}.sh"), str(out), str(work)],
                               stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, errors="replace")
    progress, last = None, []
    with log.open("w") as file:
        for line in process.stdout:
            file.write(line)
            file.flush()
            last = [*last[-19:], line]
            if line.startswith("stage: "):
                if progress:
                    progress.done()
                progress = Progress(f"  {line[7:].strip()}")
                progress.show("...")
            elif progress:
                progress.show("... " + line.strip())
    if process.wait():
        if progress:
            progress.done("failed")
        fail(f"making the guest failed; the end of the log:\n{''.join(last).rstrip()}")
    say(f"{os.path.relpath(out, build.ROOT)} is ready: {GUESTS[name].shown}")
    return 0
