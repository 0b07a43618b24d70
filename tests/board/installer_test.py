"""Debian's installer on the Malta as a person meets it: on a terminal, with keys."""
import re
import sys

import pytest

from conftest import ROOT
from malta import blank
from terminal import Terminal

sys.path.insert(0, str(ROOT / "tools/frontdoor"))
import installer  # noqa: E402  the front door's own: what `./pinstrap run` boots

pytestmark = pytest.mark.slow


@pytest.fixture
def files():
    try:
        installer.fetch()
    except installer.Absent as e:
        pytest.skip(f"no installer: {e}")


def test_asks_its_questions(files, tmp_path, monkeypatch):
    monkeypatch.setattr(installer, "disk", lambda: blank(tmp_path / "disk.img", 4096))
    with Terminal(installer.options(), "malta") as t:
        t.expect_screen(r"Select a language.*English", 300)
        t.keep("installer-language")
        t.type("\r")
        t.expect_screen(r"Select your location.*United States", 60)
        t.keep("installer-location")
        # Up to the next question it loads keymaps and, over the network card, the rest of itself.
        t.type("\r")
        t.expect_screen(r"(?:Configure the keyboard|Configure the network|Choose a mirror).*<Go Back>", 300)
        t.keep("installer-next")
        assert not re.search("(?i)panic|oops", t.text)
        t.type("\x01x")
        assert t.status() == 0
