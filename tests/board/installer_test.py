"""Debian's installer on the Malta as a person meets it: on a terminal, with keys; and what comes before."""
import re
import sys

import pytest

from conftest import ROOT
from malta import blank
from terminal import Terminal

sys.path.insert(0, str(ROOT / "tools/frontdoor"))
import installer  # noqa: E402  the front door's own: what `./pinstrap run` boots


def test_says_why_there_is_no_installer(monkeypatch, tmp_path):
    monkeypatch.setattr(installer.build, "NATIVE", tmp_path)
    monkeypatch.setattr(installer.packages, "apt", lambda *_: (100, "W: Failed to fetch http://mirror/InRelease\nE: Some index files\n"))
    with pytest.raises(installer.Absent, match=f"could not download {installer.PACKAGE}: Failed to fetch http://mirror/InRelease$"):
        installer.fetch()
    assert [p.name for p in (tmp_path / "guests").iterdir()] == []


def test_disk_is_blank_once_and_takes_no_room(monkeypatch, tmp_path):
    monkeypatch.setattr(installer.build, "NATIVE", tmp_path)
    image = installer.disk()
    assert image.stat().st_size == 4 << 30 and image.stat().st_blocks * 512 < 1 << 20
    with image.open("r+b") as file:
        file.write(b"installed")
    assert installer.disk().open("rb").read(9) == b"installed"


@pytest.mark.slow
def test_asks_its_questions(tmp_path, monkeypatch):
    try:
        installer.fetch()
    except installer.Absent as e:
        pytest.skip(f"no installer: {e}")
    monkeypatch.setattr(installer, "disk", lambda: blank(tmp_path / "disk.img", 4096))
    with Terminal(installer.options(), "malta") as t:
        t.expect_screen(r"Select a language.*English", 300)
        t.keep("installer-language")
        t.type("\r")
        t.expect_screen(r"Select your location.*United States", 60)
        t.keep("installer-location")
        t.type("\r")
        t.expect_screen(r"Configure the keyboard.*American English", 120)
        t.keep("installer-keyboard")
        # Before the next question it finds the network card, loads its driver and asks for an address.
        t.type("\r")
        t.expect_screen(r"Configure the network.*[Hh]ostname", 300)
        t.keep("installer-hostname")
        assert not re.search("(?i)panic|oops", t.text)
        t.type("\x01x")
        assert t.status() == 0
