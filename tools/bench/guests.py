"""The Linux guests that are measured: where they are, how they start, what they must compute."""
import os
import pathlib
import sys

ROOT = pathlib.Path(__file__).resolve().parents[2]

# Per board: its folder and files among the guests; QEMU's name for program and machine; the assembler that makes the
# shortest guest (exit-ARCHITECTURE.s) and where that is linked; where the comparison is not like for like.
BOARDS = {
    "versatilepb": {"folder": "arm-versatilepb", "kernel": "zImage", "initrd": "initramfs.cpio.gz", "dtb": "versatile-pb.dtb", "ram": "128",
                    "console": "ttyAMA0", "qemu": "qemu-system-arm", "machine": "versatilepb", "tools": "arm-none-eabi-", "exit": ("arm", "0x10000"),
                    "unlike": "QEMU's board carries a SCSI controller, whose probe makes Linux wait for three seconds"},
    "malta": {"folder": "mips-malta", "kernel": "vmlinuz-le", "initrd": "initramfs-le.cpio.gz", "ram": "128", "console": "ttyS0",
              "qemu": "qemu-system-mipsel", "machine": "malta", "tools": "mipsel-linux-gnu-", "exit": ("mips", "0x80100000")},
    "malta-be": {"folder": "mips-malta", "kernel": "vmlinux-be", "initrd": "initramfs-be.cpio.gz", "ram": "128", "console": "ttyS0",
                 "qemu": "qemu-system-mips", "machine": "malta", "tools": "mips-linux-gnu-", "exit": ("mips", "0x80100000")},
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
    """The folder of this board's guest, or None."""
    b = BOARDS[board]
    there = (at / b["folder"] for at in places(given))
    return next((at for at in there if (at / b["kernel"]).is_file() and (at / b["initrd"]).is_file()), None)


def available(given=None):
    boards = [b for b in BOARDS if find(b, given)]
    if not boards:
        sys.exit("bench: no guests folder; './pinstrap guest versatilepb-linux' makes one, or name it with --guests")
    return boards


def linux(program, board, at, words, accel):
    b = BOARDS[board]
    tree = ["-dtb", f"{at}/{b['dtb']}"] if "dtb" in b else []
    return [program, "-M", b["machine"], "-m", b["ram"], "-kernel", f"{at}/{b['kernel']}", *tree, "-initrd", f"{at}/{b['initrd']}",
            "-display", "none", "-serial", "stdio", "-monitor", "none", "-no-reboot",
            "-append", f"console={b['console']} {words}".strip(), *(["-accel", accel] if accel else [])]
