"""./pinstrap: run, test, build, bench, profile, guest, help."""
import difflib
import os
import pathlib
import signal
import subprocess
import sys

import build
import guest
import guest_profile
import installer
import packages
import suite
from screen import fail, say

GENERAL = """\
usage: ./pinstrap COMMAND [arguments]

  run     boot Debian's installer on the MIPS Malta, or run a board with options of your own
  build   build the boards, or one more from its page
  test    everything a change must pass
  bench   speed beside QEMU
  profile where a guest's time goes
  guest   make a Linux system to run
  help    this text, or more about one command: ./pinstrap help run

What is missing on a Debian 12 system is installed with apt-get, and said. Everything built goes to build/.
"""

RUN = """\
usage: ./pinstrap run                           boots Debian's installer on the MIPS Malta
       ./pinstrap run hello                     boots examples/hello-uart on the Versatile PB
       ./pinstrap run --linux [options]         boots the Linux that ./pinstrap guest versatilepb-linux made
       ./pinstrap run BOARD [options]           runs a board; options as for QEMU, -help lists them

  ./pinstrap run versatilepb -kernel zImage -dtb versatile-pb.dtb -initrd initramfs.cpio.gz \\
                 -append console=ttyAMA0 -nographic

The first boots Debian's own package debian-installer-12-netboot-mipsel, fetched once, with a blank disk of 4 GiB and a
network; all of it is kept in build/guests, and deleting build/guests/malta-disk.img makes the disk blank again.

On this terminal, C-a x (Control-A, then x) leaves, C-a c goes to the monitor and back, C-a h lists the rest.
"""

BUILD = """\
usage: ./pinstrap build                   builds all boards, to build/boards/pinstrap-BOARD
       ./pinstrap build BOARD...          builds these
       ./pinstrap build PATH.yaml...      builds boards from pages outside boards/, and keeps them in the build
       ./pinstrap build --forget          takes such boards out of the build again
"""

BENCH = """\
usage: ./pinstrap bench [BOARD...] [options]

Runs the same Linux guest on this emulator and on QEMU in turn and compares CPU seconds, test by test: on versatilepb,
malta and malta-be, or on those of them that there is a guest for; and start-up, accesses of device registers, memory.

  -n N              pairs of runs (5)
  --vs WHAT         compares with something else: none, a program that takes our options, or options for -accel (jit,opt=-fp)
  --ablation        instead, ours without each layer of the translator, in turn with all
  --only T,...      these tests;  --scale PERCENT  so much of their work
  --json FILE       all figures, which --from reads again;  --chart FILE.svg  a bar chart;  --docs FOLDER  performance.md

  ./pinstrap bench versatilepb -n 1 --only sieve,qsort --scale 20

Needs a guests folder: ./pinstrap guest makes some. All options: ./pinstrap bench --help
"""

LEAVE = "C-a x (Control-A, then x) leaves; C-a c is the monitor, C-a h lists the keys."


def run(words):
    packages.need("running a board", "build")
    build.configure()
    if not words:
        return run_installer()
    if words == ["hello"]:
        return run_hello()
    if words[0] == "--linux":
        folder = guest.folder("versatilepb-linux")
        if not (folder / "zImage").is_file():
            fail("there is no Linux guest yet; './pinstrap guest versatilepb-linux' makes one")
        return start("versatilepb", [*guest.options(folder), "-nographic", "-no-reboot", *words[1:]], LEAVE)
    board, options = words[0].removeprefix("pinstrap-"), words[1:]
    if board.startswith("-"):
        fail(f"the board's name comes before its options: ./pinstrap run versatilepb {build.shown(words)}")
    check_board(board)
    return start(board, options)


def run_installer():
    try:
        installer.fetch()
    except installer.Absent as e:
        say(f"no Debian installer to show: {e}\n"
            "Running examples/hello-uart on the Versatile PB instead, which needs no download; './pinstrap run' tries again.\n")
        return run_hello()
    return start("malta", installer.options(), f"{LEAVE}\n{installer.WHAT}")


def run_hello():
    packages.need("the example", "hello")
    return start("versatilepb", ["-kernel", str(build.example()), "-nographic", "-no-reboot"], LEAVE)


def start(board, options, note=None):
    """Builds the board and becomes it; with a note, its command line and the note are shown first."""
    if not build.compile(targets=[f"boards/pinstrap-{board}"], what=f"building pinstrap-{board}"):
        return 1
    command = [str(build.NATIVE / "boards" / f"pinstrap-{board}"), *options]
    if note:
        say(f"{build.shown(command)}\n{note}\n")
    os.execv(command[0], command)


def check_board(board):
    boards = build.boards()
    if board not in boards:
        fail(f"there is no board '{board}'{did_you_mean(board, boards)}; there are {', '.join(boards)}")


def build_boards(words):
    packages.need("building", "build")
    build.configure()
    pages = [w for w in words if w.endswith((".yaml", ".yml"))]
    names = [w.removeprefix("pinstrap-") for w in words if w not in pages and w != "--forget"]
    for page in pages:
        if not pathlib.Path(page).is_file():
            fail(f"there is no board page '{page}'")
    if "--forget" in words:
        build.set_extra_boards([])
    build.add_extra_boards([pathlib.Path(p).resolve() for p in pages])
    names += [pathlib.Path(p).stem for p in pages]
    for name in names:
        check_board(name)
    if not build.compile(targets=[f"boards/pinstrap-{n}" for n in names]):
        return 1
    for name in names or build.boards():
        if (build.NATIVE / "boards" / f"pinstrap-{name}").is_file():
            say(f"build/boards/pinstrap-{name}")
    return 0


def bench(words):
    program = ["/usr/bin/python3", str(build.ROOT / "tools/bench/bench.py")]
    if words[:1] in (["--help"], ["-h"]):
        os.execv(program[0], [*program, "--help"])
    packages.need("the comparison", "build", "bench")
    build.configure()
    boards = [w for w in words if w in build.boards()]
    if not boards:
        listed = subprocess.run([*program, *words, "--list"], stdout=subprocess.PIPE, text=True)
        if listed.returncode:
            return listed.returncode
        boards = listed.stdout.split()
    if not build.compile(targets=[f"boards/pinstrap-{b}" for b in boards]):
        return 1
    os.execv(program[0], [*program, *words])


def show_help(words):
    if not words:
        say(GENERAL)
        return 0
    if words[0] not in COMMANDS:
        return unknown(words[0])
    say(COMMANDS[words[0]][1])
    return 0


COMMANDS = {
    "run": (run, RUN),
    "build": (build_boards, BUILD),
    "test": (suite.main, suite.HELP),
    "bench": (bench, BENCH),
    "profile": (guest_profile.main, guest_profile.HELP),
    "guest": (guest.main, guest.HELP),
    "help": (show_help, GENERAL),
}


def did_you_mean(word, there):
    near = difflib.get_close_matches(word, there, 1, 0.5)
    return f" (did you mean '{near[0]}'?)" if near else ""


def unknown(word):
    fail(f"unknown command '{word}'{did_you_mean(word, COMMANDS)}; './pinstrap help' lists them")


def main(words):
    name = words[0] if words else "help"
    if name in ("-h", "--help", "-help"):
        name = "help"
    if name not in COMMANDS:
        unknown(name)
    command, text = COMMANDS[name]
    if name not in ("help", "run", "bench") and words[1:2] in (["-h"], ["--help"]) or name == "run" and words[1:] == ["--help"]:
        say(text)
        return 0
    return command(words[1:])


if __name__ == "__main__":
    signal.signal(signal.SIGPIPE, signal.SIG_DFL)  # `| head` may close its end
    try:
        sys.exit(main(sys.argv[1:]))
    except KeyboardInterrupt:
        print()
        sys.exit(130)
