"""Debian's own installer for the MIPS Malta, from Debian's package, and a blank disk for it to install to."""
import os
import pathlib
import shutil
import subprocess
import tempfile

import build
import packages
from screen import say

PACKAGE = "debian-installer-12-netboot-mipsel"
INSIDE = "usr/lib/debian-installer/images/12/mipsel/malta"  # vmlinuz-VERSION-4kc-malta and initrd.gz
DISK_BYTES = 4 << 30
WHAT = """\
Attached: an IDE disk of 4 GiB (blank at first; it takes room only as it is written) and a network card with a way out.
All is kept in build/guests: the installer for the next run, the disk with what you install on it.
The first question comes after about half a minute; until then the kernel and the installer set themselves up."""


class Absent(Exception):
    """The installer cannot be had; why."""


def folder():
    return build.NATIVE / "guests/debian-installer-malta"


def kernel():
    """The installer's kernel, or None before `fetch`."""
    return next(iter(sorted(folder().glob("vmlinuz-*-4kc-malta"))), None)


def fetch():
    """Gets the package and unpacks the two files of it that are for this board; nothing when they are there."""
    if kernel() and (folder() / "initrd.gz").is_file():
        return
    if not shutil.which("apt-get") or not shutil.which("dpkg-deb"):
        raise Absent(f"it is Debian's package {PACKAGE}, and getting that needs apt-get and dpkg-deb")
    say(f"getting Debian's installer for the MIPS Malta, once: package {PACKAGE}, 98 MB, unpacked but not installed")
    folder().parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=folder().parent, prefix=".installer-") as scratch:
        unpacked = pathlib.Path(scratch, "unpacked")
        subprocess.run(["dpkg-deb", "-x", str(download(pathlib.Path(scratch))), str(unpacked)], check=True)
        if not list((unpacked / INSIDE).glob("vmlinuz-*-4kc-malta")):
            raise Absent(f"the package {PACKAGE} has no kernel in {INSIDE}")
        shutil.rmtree(folder(), ignore_errors=True)
        os.rename(unpacked / INSIDE, folder())  # last, and whole: its presence says that it is complete


def download(scratch):
    """The package's file.  Where the system's package lists are absent or too old, with lists of our own."""
    deb = None
    if packages.lists_present():
        deb, _ = packages.download(PACKAGE, scratch)
    if not deb:
        options = packages.own_lists(build.NATIVE / "guests-work/apt")
        _, complaints = packages.apt([], [*options, "update"], "package lists")
        deb, text = packages.download(PACKAGE, scratch, options)
    if not deb:
        raise Absent(f"apt-get could not download {PACKAGE}: {reason(complaints or text)}")
    return deb


def reason(text):
    """The first complaint of apt-get, without its marks."""
    lines = [line.removeprefix("E: ").removeprefix("W: ").strip() for line in text.splitlines() if line.strip()]
    return lines[0] if lines else "it did not say why"


def disk():
    """A blank disk image, made once; it takes room only as it is written."""
    image = build.NATIVE / "guests/malta-disk.img"
    if not image.is_file():
        image.parent.mkdir(parents=True, exist_ok=True)
        with image.open("wb") as file:
            file.truncate(DISK_BYTES)
    return image


def options():
    return ["-m", "256", "-kernel", str(kernel()), "-initrd", str(folder() / "initrd.gz"), "-append", "console=ttyS0",
            "-drive", f"file={disk()},format=raw,if=ide", "-nic", "user", "-nographic", "-no-reboot"]
