"""The guests that are measured: where they are, how they start, what they must compute."""
import json
import os
import pathlib
import shutil
import subprocess
import sys

ROOT = pathlib.Path(__file__).resolve().parents[2]

# Per board: its folder among the guests and the files (the first pair that is there); QEMU's names of program and machine;
# words that all emulators get; the tools that make bare-metal guests (NAME-ARCHITECTURE.s) and where those are linked;
# what the time of booting does not say.
CALIBRATION = "Linux polls the clock chip through one to two of its seconds first, at any processor's speed"
BOARDS = {
    "versatilepb": {"folder": "arm-versatilepb", "files": [("zImage", "initramfs.cpio.gz")], "dtb": "versatile-pb.dtb", "ram": "128",
                    "console": "ttyAMA0", "qemu": "qemu-system-arm", "machine": "versatilepb", "tools": "arm-none-eabi-", "bare": ("arm", "0x10000"),
                    "boot": "QEMU's board carries a SCSI controller, whose probe makes Linux wait for three seconds"},
    "malta": {"folder": "mips-malta", "ram": "128", "console": "ttyS0",
              "files": [("vmlinuz-le", "initramfs-le.cpio.gz"), ("vmlinuz-debian-4kc-malta", "initramfs-debian-le.cpio.gz")],
              "qemu": "qemu-system-mipsel", "machine": "malta", "words": ["-vga", "none"], "tools": "mipsel-linux-gnu-",
              "bare": ("mips", "0x80100000"), "boot": CALIBRATION},
    "malta-be": {"folder": "mips-malta", "files": [("vmlinux-be", "initramfs-be.cpio.gz")], "ram": "128", "console": "ttyS0",
                 "qemu": "qemu-system-mips", "machine": "malta", "words": ["-vga", "none"], "tools": "mips-linux-gnu-",
                 "bare": ("mips", "0x80100000"), "boot": CALIBRATION},
}

# A board runs those of these that its guest has: nbody and its like in whatever the guest's compiler makes of floating
# point, and on Arm, where that is calls of a library, a second time with VFP instructions.
CLASSES = {
    "integer": "sieve qsort crc32 div64 bitops dhry strops interp",
    "VFP": "nbody_vfp mandel_vfp matmul_vfp fir32_vfp",
    "floating point": "nbody mandel matmul fir32",
    "memory": "memcpy memset stream ptrchase",
    "system": "syscall fork forkexec pipe mmap signal segv smc",
    "busybox": "bb-sha256 bb-md5 bb-awkgen bb-gzip bb-bzip2 bb-sort bb-grep sh-loop sh-fork fs-tmpfs",
}
OTHER_NAMES = {("versatilepb", "floating point"): "soft float"}


def class_name(board, name):
    return OTHER_NAMES.get((board, name), name)


def places(given):
    """Where guests may be: as given, PINSTRAP_GUESTS, our own, or a guests folder beside the project."""
    named = given or os.environ.get("PINSTRAP_GUESTS")
    return [pathlib.Path(named)] if named else [ROOT / "build/guests", ROOT.parent / "guests", *sorted(ROOT.parent.glob("*/guests"))]


def find(board, given=None):
    """(kernel, initramfs) of this board's guest, or None."""
    b = BOARDS[board]
    pairs = ((at / b["folder"] / kernel, at / b["folder"] / initrd) for at in places(given) for kernel, initrd in b["files"])
    return next((pair for pair in pairs if all(file.is_file() for file in pair)), None)


def available(given=None):
    boards = [b for b in BOARDS if find(b, given)]
    if not boards:
        sys.exit("bench: no guests folder; './pinstrap guest malta-linux' makes one, or name it with --guests")
    return boards


def bare(board, name, folder):
    """Assembles NAME-ARCHITECTURE.s for the board; the ELF file, or None without the tools."""
    b = BOARDS[board]
    (architecture, at), prefix, elf = b["bare"], b["tools"], f"{folder}/{name}.elf"
    if not shutil.which(prefix + "as"):
        return None
    source = pathlib.Path(__file__).with_name(f"{name}-{architecture}.s")
    subprocess.run([prefix + "as", str(source), "-o", f"{folder}/{name}.o"], check=True)
    subprocess.run([prefix + "ld", "-e", "_start", f"-Ttext={at}", f"{folder}/{name}.o", "-o", elf], check=True)
    return elf


def bare_command(who, board, elf, serial="stdio"):
    b = BOARDS[board]
    ends = ["-semihosting"] if b["bare"][0] == "arm" else []
    return [*who.command(board), "-M", b["machine"], "-kernel", elf, *ends, "-no-reboot", "-display", "none", "-serial", serial, "-monitor", "none",
            *b.get("words", [])]


def linux(who, board, files, words):
    b, (kernel, initrd) = BOARDS[board], files
    tree = ["-dtb", str(kernel.with_name(b["dtb"]))] if "dtb" in b else []
    return [*who.command(board), "-M", b["machine"], "-m", b["ram"], "-kernel", str(kernel), *tree, "-initrd", str(initrd),
            "-display", "none", "-serial", "stdio", "-monitor", "none", "-no-reboot",
            "-append", f"console={b['console']} {words}".strip(), *b.get("words", [])]


def checks(board):
    """{test: what it must compute} at all of its work."""
    right = json.loads(pathlib.Path(__file__).with_name("checks.json").read_text())
    return right["all"] | right[board]
