"""codegen/boardgen.py: what it accepts, what it refuses, and whether its outputs are right.

boards/good/NAME.yaml is generated, compiled with NAME.cpp behind the header, and run.  boards/bad/NAME.yaml must
print NAME.txt; where the page is only wrong for the peripherals (fact_*), the compiler must print each line of it.
The peripherals of these boards are in fake/.
"""
import os
import pathlib
import re
import shutil
import subprocess
import sys

import pytest
import yaml

HERE = pathlib.Path(__file__).resolve().parent
ROOT = HERE.parents[1]
GENERATOR = ROOT / "codegen/boardgen.py"
CXX = [*os.environ.get("CXX", "g++").split(), "-std=c++20", "-Wall", "-Wextra", "-Werror"]
CORE = [*(ROOT / f"core/{f}.cpp" for f in ("block_port", "machine", "board", "clock", "log", "reg")), *(ROOT / f"peripherals/pci/{f}.cpp" for f in ("bus", "function"))]


def run(page, *options, cwd=None):
    return subprocess.run([sys.executable, GENERATOR, page, "--root", HERE / "fake", *options], cwd=cwd, capture_output=True, text=True)


@pytest.fixture(scope="session")
def build(tmp_path_factory):
    """A folder with the generated core header and, for programs, the core's objects."""
    folder = tmp_path_factory.mktemp("build")
    (folder / "core").mkdir()
    subprocess.run([sys.executable, ROOT / "codegen/members.py", "-o", folder / "core/members.hpp"], check=True)
    return folder


@pytest.fixture(scope="session")
def core_objects(build):
    subprocess.run([*CXX, f"-I{ROOT}", f"-I{build}", "-c", *CORE], cwd=build, check=True)
    return sorted(build.glob("*.o"))


def compiler(build):
    return [*CXX, f"-I{ROOT}", f"-I{build}", f"-I{HERE / 'fake'}"]


def syntax_only(header):
    return ["-fsyntax-only", "-x", "c++", "-include", header, "/dev/null"]


@pytest.mark.parametrize("page", sorted(HERE.glob("boards/bad/*.yaml")), ids=lambda p: p.stem)
def test_refuses(page, build, tmp_path):
    result = run(page.name, "-o", tmp_path / "board.hpp", cwd=page.parent)
    expected = page.with_suffix(".txt").read_text()
    if not page.stem.startswith("fact_"):
        assert result.stderr == expected
        assert result.returncode == 1
        assert not (tmp_path / "board.hpp").exists()
        return
    assert (result.returncode, result.stderr) == (0, "")
    compiled = subprocess.run([*compiler(build), *syntax_only(tmp_path / "board.hpp")], cwd=page.parent, capture_output=True, text=True)
    assert compiled.returncode != 0
    said = [line for line in compiled.stderr.split("\n") if "static assertion failed" in line]
    assert said == expected.rstrip("\n").split("\n")


@pytest.mark.parametrize("page", sorted(HERE.glob("boards/good/*.yaml")), ids=lambda p: p.stem)
def test_accepts(page, build, core_objects, tmp_path):
    result = run(page, "-o", tmp_path / "board.hpp")
    assert (result.returncode, result.stderr) == (0, "")
    program = tmp_path / "main.cpp"
    program.write_text('#include "board.hpp"\n' + page.with_suffix(".cpp").read_text())
    subprocess.run([*compiler(build), f"-I{tmp_path}", "-o", tmp_path / "main", program, *core_objects], check=True)
    assert subprocess.run([tmp_path / "main"], capture_output=True, text=True).stdout == ""
    subprocess.run([tmp_path / "main"], check=True)


OUTPUTS = {"-o": "b.hpp", "--map": "b.map", "--markdown": "b.md", "--svg": "b.svg", "--dts": "b.dts", "--depfile": "b.d"}


def all_outputs(page, folder):
    folder.mkdir()
    result = run(page, *[x for flag, name in OUTPUTS.items() for x in (flag, name)], cwd=folder)
    assert (result.returncode, result.stderr) == (0, "")
    return {name: (folder / name).read_text() for name in OUTPUTS.values()}


def test_outputs_are_deterministic(tmp_path):
    page = HERE / "boards/good/features.yaml"
    assert all_outputs(page, tmp_path / "a") == all_outputs(page, tmp_path / "b")


def test_outputs_of_a_page(tmp_path):
    out = all_outputs(HERE / "boards/good/variant.yaml", tmp_path / "a")
    assert out["b.map"].startswith("variant: A variant that names its delta\nmemory\n  0x00000000-0x003fffff  ram            RAM, 4 MiB, -m up to 16 MiB\n")
    assert ("io\n  0x00000060-0x00000060  ports          fake_ports\n  0x00000064-0x00000065  ports          fake_ports\n"
            "  0x000003f0-0x000003ff  uart2          fake_uart\nmacio (window 0 of bridge)\n") in out["b.map"]
    assert "0x03000000-0x030fffff  video          not modelled\n" in out["b.map"]
    assert "| 9 | uart2.irq |" in out["b.md"]
    assert all(d in out["b.svg"] for d in (">uart7<", ">vic<", ">cpu<", ">video<"))
    targets, _, inputs = out["b.d"].partition(":")
    assert targets.split() == ["b.hpp", "b.md", "b.svg", "b.dts", "b.map"]
    assert {"variant.yaml", "features.yaml", "board.schema.yaml", "board.hpp.j2", "dt.yaml"} <= {pathlib.Path(p).name for p in inputs.split()}


def test_svg_is_xml_and_nothing_leaves_the_page(tmp_path):
    import xml.etree.ElementTree as tree
    all_outputs(HERE / "boards/good/features.yaml", tmp_path / "a")
    svg = tree.parse(tmp_path / "a/b.svg").getroot()
    width, height = float(svg.get("width")), float(svg.get("height"))
    boxes = [[float(r.get(k)) for k in ("x", "y", "width", "height")] for r in svg.iter("{http://www.w3.org/2000/svg}rect") if "class" in r.attrib]
    assert len(boxes) > 12
    assert all(x >= 0 and y >= 0 and x + w <= width and y + h <= height for x, y, w, h in boxes)
    assert not any(a[0] < b[0] + b[2] and b[0] < a[0] + a[2] and a[1] < b[1] + b[3] and b[1] < a[1] + a[3]
                   for i, a in enumerate(boxes) for b in boxes[i + 1:]), "two boxes overlap"


def described(schema, path=""):
    """Every key of the schema with whether it says what it means."""
    for key, s in schema.get("properties", {}).items():
        yield f"{path}.{key}", bool(s.get("description") or "$ref" in s)
        yield from described(s, f"{path}.{key}")


def test_schema_describes_every_key():
    schema = yaml.safe_load((ROOT / "codegen/board.schema.yaml").read_text())
    keys = list(described(schema)) + [k for name, s in schema["$defs"].items() for k in described(s, name)]
    keys += [(name, "description" in s) for name, s in schema["$defs"].items()]
    assert len(keys) > 40
    assert [k for k, has in keys if not has] == []

    def closed(s):
        for v in s.values() if isinstance(s, dict) else s if isinstance(s, list) else []:
            closed(v)
        if isinstance(s, dict) and "properties" in s and s.get("type") == "object":
            assert s.get("additionalProperties") is False
    closed(schema)


def test_generators_stay_short():
    for f in (ROOT / "codegen").glob("board*.py"):
        assert len(f.read_text().split("\n")) <= 301, f.name


# ---- the Versatile boards ----

def versatile(name, tmp_path, *options):
    result = run(ROOT / f"boards/{name}.yaml", "--dts", tmp_path / "b.dts", "--map", tmp_path / "b.map", *options)
    assert (result.returncode, result.stderr) == (0, "")
    return (tmp_path / "b.dts").read_text()


def test_versatilepb_is_one_page():
    assert len((ROOT / "boards/versatilepb.yaml").read_text().rstrip("\n").split("\n")) <= 60


DTC = shutil.which("dtc")


@pytest.mark.skipif(not DTC, reason="needs dtc")
@pytest.mark.parametrize("name", ["versatilepb", "versatileab"])
def test_device_tree_compiles_without_warnings(name, tmp_path):
    versatile(name, tmp_path)
    result = subprocess.run([DTC, "-I", "dts", "-O", "dtb", "-o", tmp_path / "b.dtb", tmp_path / "b.dts"], capture_output=True, text=True)
    assert (result.returncode, result.stderr) == (0, "")


def node(dts, label):
    return re.search(rf"^\s*{label}: .*?\n(.*?)^\t\t}};", dts, re.M | re.S)[1]


def test_device_tree_of_versatilepb(tmp_path):
    dts = versatile("versatilepb", tmp_path)
    assert 'compatible = "arm,versatile-pb";' in dts
    assert "stdout-path = &uart0;" in dts
    assert "reg = <0x0 0x8000000>;" in dts
    assert "interrupts = <12>;" in node(dts, "uart0")
    assert "interrupts-extended = <&sic 6>;" in node(dts, "uart3")
    assert "interrupts-extended = <&sic 22>, <&sic 1>;" in node(dts, "mmc0")
    assert "interrupts = <31>;" in node(dts, "sic") and "valid-mask = <0x7fe003ff>;" in node(dts, "sic")
    assert "reg = <0x34000000 0x4000000>;" in node(dts, "flash")
    assert 'clocks = <&timclk>, <&timclk>, <&pclk>;' in node(dts, "timer0")


def test_versatileab_is_the_delta(tmp_path):
    dts = versatile("versatileab", tmp_path)
    assert 'compatible = "arm,versatile-ab";' in dts and "valid-mask = <0x760031b>;" in dts
    assert "gpio1:" in dts and "gpio2:" not in dts and "mmc1" not in dts


def test_a_variant_outside_the_tree(tmp_path):
    """A board of one's own needs a page, and names an in-tree parent."""
    page = tmp_path / "mine.yaml"
    page.write_text("""board: mine
title: A Versatile with a port more
extends: versatilepb
devices:
  uart4: {kind: fake_uart, at: 0x1000_c000, clock: refclk24, wires: {irq: sic.8}, host: serial4}
  charlcd: none
""")
    result = run(page, "--map", tmp_path / "map", "-o", tmp_path / "mine.hpp")
    assert (result.returncode, result.stderr) == (0, "")
    assert "0x1000c000-0x1000cfff  uart4          fake_uart\n" in (tmp_path / "map").read_text()
    assert "charlcd" not in (tmp_path / "map").read_text()
    header = (tmp_path / "mine.hpp").read_text()
    assert "m.sic.set_line(8, level);" in header and '"peripherals/uart/fake_uart.hpp"' in header


def test_every_versatile_fact_compiles(build, tmp_path):
    """The header of the real board, with the real peripherals: all static_asserts hold."""
    for name in ("versatilepb", "versatileab"):
        assert run(ROOT / f"boards/{name}.yaml", "-o", tmp_path / f"{name}.hpp").returncode == 0
        subprocess.run([*compiler(build), *syntax_only(tmp_path / f"{name}.hpp")], check=True)


def test_every_pc_device_compiles(build, tmp_path):
    """The devices of I/O ports with several windows, joined as on a real board."""
    assert run(HERE / "boards/isa.yaml", "-o", tmp_path / "isa.hpp").returncode == 0
    subprocess.run([*compiler(build), *syntax_only(tmp_path / "isa.hpp")], check=True)
