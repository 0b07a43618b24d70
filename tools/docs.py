#!/usr/bin/env python3
"""Gathers generated reference pages in a folder, with an index.

    docs.py docs/generated build/boards/versatilepb.md build/boards/versatilepb.svg build/cpus/arm/a32.md …
"""
import pathlib
import shutil
import sys


def title(page):
    return next((line.lstrip("# ") for line in page.read_text().splitlines() if line.startswith("#")), page.stem)


def main(folder, *files):
    folder = pathlib.Path(folder)
    folder.mkdir(parents=True, exist_ok=True)
    pages = []
    for f in map(pathlib.Path, files):
        shutil.copyfile(f, folder / f.name)
        if f.suffix == ".md":
            pages.append(f"* [{title(f)}]({f.name})")
    (folder / "README.md").write_text("# Reference\n\nGenerated from the boards' pages and the instruction tables.\n\n" + "\n".join(pages) + "\n")
    print(f"{len(pages)} pages in {folder}")


if __name__ == "__main__":
    main(*sys.argv[1:])
