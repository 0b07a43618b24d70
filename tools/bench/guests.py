"""The Linux guests that are measured: where they are, how they start, what they must compute."""
import os
import pathlib
import sys

ROOT = pathlib.Path(__file__).resolve().parents[2]

# Per board: its folder among the guests and the files (the first pair that is there); QEMU's names of program and machine, and
# words that give it what ours has; the tools that make the shortest guest (exit-ARCHITECTURE.s) and where that is linked;
# what the time of booting does not say.
CALIBRATION = "Linux polls the clock chip through one to two of its seconds first, at any processor's speed"
BOARDS = {
    "versatilepb": {"folder": "arm-versatilepb", "files": [("zImage", "initramfs.cpio.gz")], "dtb": "versatile-pb.dtb", "ram": "128",
                    "console": "ttyAMA0", "qemu": "qemu-system-arm", "machine": "versatilepb", "tools": "arm-none-eabi-", "exit": ("arm", "0x10000"),
                    "boot": "QEMU's board carries a SCSI controller, whose probe makes Linux wait for three seconds"},
    "malta": {"folder": "mips-malta", "ram": "128", "console": "ttyS0",
              "files": [("vmlinuz-le", "initramfs-le.cpio.gz"), ("vmlinuz-debian-4kc-malta", "initramfs-debian-le.cpio.gz")],
              "qemu": "qemu-system-mipsel", "machine": "malta", "qemu_words": ["-vga", "none"], "tools": "mipsel-linux-gnu-",
              "exit": ("mips", "0x80100000"), "boot": CALIBRATION},
    "malta-be": {"folder": "mips-malta", "files": [("vmlinux-be", "initramfs-be.cpio.gz")], "ram": "128", "console": "ttyS0",
                 "qemu": "qemu-system-mips", "machine": "malta", "qemu_words": ["-vga", "none"], "tools": "mips-linux-gnu-",
                 "exit": ("mips", "0x80100000"), "boot": CALIBRATION},
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


def linux(program, board, files, words, accel, theirs=False):
    b, (kernel, initrd) = BOARDS[board], files
    tree = ["-dtb", str(kernel.with_name(b["dtb"]))] if "dtb" in b else []
    return [program, "-M", b["machine"], "-m", b["ram"], "-kernel", str(kernel), *tree, "-initrd", str(initrd),
            "-display", "none", "-serial", "stdio", "-monitor", "none", "-no-reboot",
            "-append", f"console={b['console']} {words}".strip(), *(["-accel", accel] if accel else []), *(b.get("qemu_words", []) if theirs else [])]
