"""Debian packages: which are missing, and getting them."""
import os
import pathlib
import re
import shutil
import subprocess
import tempfile

from screen import Progress, fail, say

LIST = pathlib.Path(__file__).with_name("packages.txt")


def group(*names):
    """The packages of these groups, in order, once each."""
    out = {}
    for line in LIST.read_text().splitlines():
        name, colon, packages = line.partition(":")
        if colon and not line.startswith("#") and name in names:
            out |= dict.fromkeys(packages.split())
    return list(out)


def missing(packages):
    query = subprocess.run(["dpkg-query", "-W", "-f", "${db:Status-Abbrev}${Package}\n", *packages],
                           stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True)
    there = {line[3:] for line in query.stdout.splitlines() if line.startswith("ii")}
    return [p for p in packages if p not in there]


def need(why, *groups):
    """Installs what is missing of these groups; leaves with a sentence when it cannot."""
    if not shutil.which("dpkg-query"):
        return  # not Debian: the build itself will name what it lacks
    lacking = missing(group(*groups))
    if not lacking:
        return
    root = [] if os.geteuid() == 0 else ["sudo"]
    if root and not shutil.which("sudo"):
        fail(f"{why} needs packages that are not installed, and there is no sudo; as root, run: apt-get install {' '.join(lacking)}")
    say(f"{why} needs {len(lacking)} Debian package{'s' * (len(lacking) > 1)}, installing: {' '.join(lacking)}")
    if not lists_present():
        apt(root, ["update"], "package lists")
    code, text = apt(root, ["install", *lacking], "installing")
    if code:  # lists may be older than the mirror
        apt(root, ["update"], "package lists")
        code, text = apt(root, ["install", *lacking], "installing")
    if code:
        fail(f"apt-get could not install them:\n{text.strip()}")


def lists_present():
    return any(pathlib.Path("/var/lib/apt/lists").glob("*_Packages*"))


def own_lists(folder, architecture=None):
    """Options for apt-get: package lists of our own in `folder`, which needs no root and no change to the system."""
    for part in ("lists/partial", "cache/archives/partial"):
        (folder / part).mkdir(parents=True, exist_ok=True)
    (folder / "status").touch()
    foreign = [f"APT::Architecture={architecture}", f"APT::Architectures={architecture}"] if architecture else []
    words = [*foreign, f"Dir::State::Lists={folder / 'lists'}", f"Dir::Cache={folder / 'cache'}", f"Dir::State::status={folder / 'status'}",
             "APT::Sandbox::User=root"]
    return [w for word in words for w in ("-o", word)]


def download(package, folder, options=()):
    """Gets a package's file into `folder` without installing it; (the file or None, what apt-get said)."""
    # The user that apt-get downloads as may not write there; as root it is done by root.
    code, text = apt([], ["-o", "APT::Sandbox::User=root", *options, "download", package], package, folder)
    return next(iter(folder.glob(f"{package}_*.deb")), None) if code == 0 else None, text


def apt(root, words, what, folder=None):
    """Runs apt-get; (exit status, what it wrote to standard error)."""
    # Progress comes on descriptor 3, made by the shell because sudo passes only 0 to 2; apt-get closes it for the
    # packages' scripts, which need a standard output of their own.
    command = [*root, "env", "DEBIAN_FRONTEND=noninteractive", "LC_ALL=C", "sh", "-c", 'exec 3>&1 >/dev/null; exec "$@"', "sh",
               "apt-get", "-y", "-qq", "--no-install-recommends", "-o", "Dpkg::Use-Pty=0", "-o", "APT::Status-Fd=3", *words]
    progress = Progress(f"  {what}")
    progress.show("begins")
    with tempfile.TemporaryFile("w+") as errors:
        process = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=errors, cwd=folder,
                                   text=True, errors="replace")
        for line in process.stdout:  # among others dlstatus:N:PERCENT:TEXT and pmstatus:PACKAGE:PERCENT:TEXT
            if m := re.match(r"(?:dl|pm)status:[^:]*:([0-9.]+):(.*)", line):
                progress.show(f"{float(m[1]):3.0f} %  {m[2].strip()}")
        code = process.wait()
        errors.seek(0)
        text = errors.read()
    progress.done("done" if code == 0 else "failed")
    return code, text
