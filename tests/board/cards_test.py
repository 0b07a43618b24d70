"""Cards that a board has or has not, and devices on the buses of its own cards."""
import re

import pytest

from conftest import Line, Machine, run_board
from malta import blank

def ask(tmp_path, board, words, *commands):
    """What the monitor of a machine that does not run says."""
    words = ["-S", *words, "-display", "none", "-serial", "null", "-monitor", f"unix:{tmp_path}/m,server=on,wait=off"]
    with Machine(words, board=board), Line(tmp_path / "m") as monitor:
        monitor.until("(qemu) ")
        return [monitor.ask(c) for c in commands]


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
