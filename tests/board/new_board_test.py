"""examples/new-board: a board page outside boards/ makes a machine that runs programs."""
import subprocess

from conftest import ROOT, Machine, board_binary, run_board

import pytest

PAGE = ROOT / "examples/new-board/pocket.yaml"


def test_page_fits_on_a_card():
    assert len(PAGE.read_text().splitlines()) <= 25


def test_generator_takes_the_page(tmp_path):
    done = subprocess.run(["/usr/bin/python3", str(ROOT / "codegen/boardgen.py"), str(PAGE), "-o", str(tmp_path / "board.hpp"),
                           "--map", str(tmp_path / "map")], capture_output=True, text=True)
    assert (done.returncode, done.stderr) == (0, "")
    there = (tmp_path / "map").read_text()
    assert "101f8000" in there.replace("_", "") and "uart1" in there
    assert "aaci" not in there


def test_pocket_runs_hello(hello):
    board_binary("pocket")
    with Machine(["-kernel", hello, "-display", "none", "-monitor", "none", "-serial", "stdio", "-no-reboot"], "pocket") as m:
        m.expect("board 00c0ffee")
        m.expect(r"\[   1 s\]")
        m.type("q")
        assert m.status() == 0


def test_pocket_has_its_own_name_and_memory(hello):
    status, out, _ = run_board("-machine", "help", board="pocket")
    assert status == 0 and "pocket" in out and "Pocket Versatile" in out
    status, _, err = run_board("-m", "65", "-kernel", hello, board="pocket")
    assert status == 1 and err.startswith("pinstrap-pocket: ") and "64 MiB" in err


@pytest.mark.parametrize("line, text", [("irq: vik.12", "vik"), ("kind: pl012", "pl012")])
def test_a_mistake_is_answered_with_its_place(tmp_path, line, text):
    page = tmp_path / "wrong.yaml"
    key, value = line.split(": ")
    wrong = f"uart1: {{wires: {{irq: {value}}}}}" if key == "irq" else f"uart1: {{kind: {value}}}"
    page.write_text(f"board: wrong\ntitle: Wrong\nextends: versatilepb\nmachines: [wrong]\ndevices:\n  {wrong}\n")
    done = subprocess.run(["/usr/bin/python3", str(ROOT / "codegen/boardgen.py"), str(page), "-o", str(tmp_path / "board.hpp")],
                          capture_output=True, text=True)
    assert done.returncode == 1
    assert ":6:" in done.stderr and "error:" in done.stderr and text in done.stderr
