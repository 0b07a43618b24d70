#!/usr/bin/python3
"""Packs a folder as a gzip'd initramfs, the same bytes every time, with device nodes that need no root.

    initramfs.py OUT.cpio.gz FOLDER [dev:/dev/console:c:5:1 ...]
"""
import gzip
import os
import pathlib
import stat
import sys


def entries(root, devices):
    """(name, mode, contents, device major, minor), sorted by name."""
    for folder, folders, files in os.walk(root):
        for name in folders + files:
            path = pathlib.Path(folder, name)
            mode, inside = path.lstat().st_mode, str(path.relative_to(root))
            if stat.S_ISLNK(mode):
                yield inside, 0o120777, os.readlink(path).encode(), 0, 0
            elif stat.S_ISDIR(mode):
                yield inside, 0o40755, b"", 0, 0
            else:
                yield inside, 0o100755 if mode & 0o100 else 0o100644, path.read_bytes(), 0, 0
    for device in devices:
        _, path, kind, major, minor = device.split(":")
        yield path.lstrip("/"), (0o20000 if kind == "c" else 0o60000) | 0o600, b"", int(major), int(minor)


def record(number, name, mode, data, major, minor):
    """One entry of the format `newc`."""
    words = [number, mode, 0, 0, 1, 0, len(data), 0, 0, major, minor, len(name) + 1, 0]
    head = b"070701" + b"".join(b"%08X" % w for w in words) + name.encode() + b"\0"
    return head + bytes(-len(head) % 4) + data + bytes(-len(data) % 4)


def main(out, root, *devices):
    archive = bytearray()
    for number, entry in enumerate(sorted(entries(root, devices)), 1):
        archive += record(number, *entry)
    archive += record(0, "TRAILER!!!", 0, b"", 0, 0)
    archive += bytes(-len(archive) % 512)
    pathlib.Path(out).write_bytes(gzip.compress(bytes(archive), 9, mtime=0))


if __name__ == "__main__":
    main(*sys.argv[1:])
