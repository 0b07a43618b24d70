#!/usr/bin/env python3
"""A file as a C++ array of bytes with external linkage: NAME and NAME_size."""
import argparse, pathlib


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("file", type=pathlib.Path)
    parser.add_argument("--name", required=True)
    parser.add_argument("-o", type=pathlib.Path, required=True)
    a = parser.parse_args()
    data = a.file.read_bytes()
    rows = [",".join(map(str, data[i : i + 24])) for i in range(0, len(data), 24)]
    text = f"// {a.file.name}, embedded by codegen/embed.py.\n"
    text += f"extern const unsigned char {a.name}[];\nextern const unsigned long {a.name}_size;\n"
    text += f"alignas(8) const unsigned char {a.name}[] = {{\n" + ",\n".join(rows) + "};\n"
    text += f"const unsigned long {a.name}_size = {len(data)};\n"
    a.o.write_text(text)


if __name__ == "__main__":
    main()
