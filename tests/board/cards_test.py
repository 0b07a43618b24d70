"""Cards that a board has or has not, and devices on the buses of its own cards."""
import re

import pytest

from conftest import Line, Machine, run_board
from malta import blank

MALTAS = pytest.mark.parametrize("board", ["malta", "malta-be"])


def ask(tmp_path, board, words, *commands):
    """What the monitor of a machine that does not run says."""
    words = ["-S", *words, "-display", "none", "-serial", "null", "-monitor", f"unix:{tmp_path}/m,server=on,wait=off"]
    with Machine(words, board=board), Line(tmp_path / "m") as monitor:
        monitor.until("(qemu) ")
        return [monitor.ask(c) for c in commands]


@MALTAS
@pytest.mark.parametrize("words, there", [((), True), (("-vga", "cirrus"), True), (("-vga", "none"), False), (("-nodefaults",), False),
                                          (("-nodefaults", "-vga", "cirrus"), True)], ids=lambda w: " ".join(w) if isinstance(w, tuple) else None)
def test_the_graphics_card_is_on_the_bus_unless_it_is_left_out(tmp_path, board, words, there):
    pci, tree = ask(tmp_path, board, words, "info pci", "info qtree")
    assert ("VGA controller: PCI device 1013:00b8" in pci) == there
    assert ("cirrus" in tree.split("bus: pci.0")[1]) == there


# The first word of its configuration space, and a port: the answers of an empty slot, and of nobody.  The bridge's registers
# are little-endian.
PROBE = """
        .set    noreorder
        .globl  _start
_start: lui     $8, 0xbbe0
        li      $9, {slot:#x}
        sw      $9, 0xcf8($8)
        lw      $4, 0xcfc($8)
        lui     $8, 0xb800
        lbu     $5, 0x3cc($8)
        move    $16, $4
        move    $17, $5
1:      b       1b
        nop
"""


@MALTAS
def test_without_the_card_its_slot_is_empty_and_its_ports_are_gone(tmp_path, assemble_mips, board):
    def probe(*words):
        slot = (1 << 31 | 18 << 11).to_bytes(4, "little")
        elf = assemble_mips(PROBE.format(slot=int.from_bytes(slot, "big" if board.endswith("-be") else "little")), board, "probe")
        line = ["-kernel", elf, *words, "-display", "none", "-serial", "null", "-monitor", f"unix:{tmp_path}/m,server=on,wait=off"]
        with Machine(line, board=board), Line(tmp_path / "m") as monitor:
            monitor.until("(qemu) ")
            for _ in range(100):
                text = monitor.ask("info registers")
                if re.search(r"s0 (?!00000000)", text):
                    break
            return [int(re.search(rf"{name} ([0-9a-f]+)", text)[1], 16) for name in ("s0", "s1")]

    with_card, without = probe(), probe("-vga", "none")
    assert with_card[0] in (0x00b81013, 0x1310b800)
    assert without == [0xffffffff, 0xff]


@pytest.mark.parametrize("board, words, sentence", [
    ("malta", "-vga std", "-vga: 'std' is not a card of this board; it has cirrus, or none"),
    ("malta", "-vga circus", "-vga: 'circus' is not a card of this board; it has cirrus, or none"),
    ("versatilepb", "-vga std", "-vga: 'std': pinstrap-versatilepb has no graphics card; use -vga none"),
])
def test_other_graphics_cards_are_refused(board, words, sentence):
    assert run_board(*words.split(), board=board) == (1, "", f"pinstrap-{board}: {sentence}\n")


def test_the_fitted_scsi_card_takes_drives_by_device(tmp_path):
    """It comes with a drive of its own, whose place is taken then."""
    disks = [f"file={blank(tmp_path / name, 1)},format=raw" for name in ("a", "b", "c")]
    words = ["-drive", f"{disks[0]},if=scsi", "-drive", f"{disks[1]},if=none,id=d0", "-drive", f"{disks[2]},if=none,id=d1",
             "-device", "scsi-hd,drive=d0", "-device", "scsi-hd,drive=d1,bus=scsi.0,scsi-id=5"]
    tree, = ask(tmp_path, "versatilepb", words, "info qtree")
    bus = tree.split("bus: scsi.0")[1]
    assert re.findall(r"scsi-id = (\d+)", bus) == ["1", "5"]


@pytest.mark.parametrize("words, sentence", [
    ("-drive {a},if=scsi -drive {b},if=none,id=d -device scsi-hd,drive=d,scsi-id=0", "scsi-id=0 is taken on bus 'scsi.0'; choose another"),
    ("-drive {b},if=none,id=d -device scsi-hd,drive=d", "there is no SCSI bus for scsi-hd; put the '-device' of a SCSI adapter before it"),
])
def test_places_that_are_not_there(tmp_path, words, sentence):
    names = {name: f"file={blank(tmp_path / name, 1)},format=raw" for name in ("a", "b")}
    status, out, err = run_board(*words.format(**names).split())
    assert (status, out) == (1, "") and err.endswith(f": {sentence}\n")
