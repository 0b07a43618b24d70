"""Linux on the MIPS Malta, both byte orders: to its shell, its devices, and back."""
import re

import pytest

from conftest import guests
from malta import ALL, BOTH, GUESTS, do, drive, linux, oddities, shell

pytestmark = pytest.mark.linux

DATA_MD5 = "5eac8d0ba620099beaec1fec522a6be1"  # of the file /data in common/data-ext4.img


def data_disk():
    image = guests("common") / "data-ext4.img"
    if not image.is_file():
        pytest.skip("the guests folder has no common/data-ext4.img")
    return drive(image, ",snapshot=on")


@ALL
def test_boots_to_a_shell_and_reboots(which):
    with linux(which) as m:
        m.expect("MIPS: machine is mti,malta", 60)
        m.expect("GUEST-INIT Linux .* mips", 120)
        m.expect("GUEST-READY")
        m.expect("# ")
        m.type("echo $((6 * 7)) $(uname -m)\n")
        m.expect("\n42 mips\r")
        m.type("sleep 1; echo sl''ept; exit\n")
        m.expect("slept\r")
        m.expect("GUEST-DONE")
        assert m.status() == 0
        assert not oddities(m.text)


@pytest.mark.slow
@BOTH
def test_boots_interpreted(which):
    with linux(which, "quiet", "-accel", "interp") as m:
        m.expect("GUEST-READY", 300)


@pytest.mark.slow
@BOTH
@pytest.mark.parametrize("accel", ["jit,tb-size=1", "jit,one-insn-per-tb=on", "jit,opt=none", "jit,region-after=1"])
def test_boots_in_every_translator_setting(which, accel):
    with linux(which, "quiet guest.run=off", "-accel", accel) as m:
        m.expect("GUEST-DONE", 300)
        assert m.status() == 0


@pytest.mark.slow
@ALL
def test_finds_its_hardware(which):
    """PCI functions, clock, disk (ext4, read and written), network (DHCP, ping of the gateway)."""
    with linux(which, "guest.run=hw", *data_disk()) as m:
        m.expect("HW-END", 180)
        for function in ("00:0a.0 0x8086 0x7110", "00:0a.1 0x8086 0x7111", "00:0b.0 0x1022 0x2000"):
            assert f"0000:{function}" in m.text
        assert f"{DATA_MD5}  /mnt/data" in m.text
        assert "wrote 1 MB" in m.text
        assert "dhcp 10.0.2.15 via 10.0.2.2" in m.text
        assert "3 packets received" in m.text
        before, after = map(float, re.search(r"sleep 2: ([\d.]+) -> ([\d.]+)", m.text).groups())
        assert 1.9 < after - before < 3.0
        assert not oddities(m.text)
        assert m.status() == 0


def test_powers_off():
    """Debian's kernel ends the machine through the PIIX4's power management."""
    with linux("debian", "quiet guest.run=off guest.end=poweroff") as m:
        m.expect("GUEST-DONE", 120)
        assert m.status() == 0


@pytest.mark.slow
@BOTH
def test_sees_the_memory_it_was_given(which):
    with shell(which, "-m", "64") as m:
        assert 40_000 < int(do(m, "grep MemTotal /proc/meminfo").split()[1]) < 64 * 1024


@pytest.mark.slow
@BOTH
def test_computes_what_it_must(which):
    """The result values of programs that are the same on every processor, at a twentieth of their work."""
    names = "sieve,nbody,mandel,matmul,fir32,smc,signal,segv,fork,pipe,bb-gzip"
    with linux(which, f"quiet guest.run=bench guest.scale=5 guest.only={names}") as m:
        m.expect("BENCH-END", 240)
        results = dict(re.findall(r"CHECK (\S+) (\S+)", m.text))
        assert set(names.split(",")) <= set(results)
        assert results["sieve"] == "00000000000132a2"
        assert results["bb-gzip"] == "ok"


@pytest.mark.parametrize("cpu, ases", [("24KEc", "mips16 dsp"), ("24Kf", "mips16")])
def test_linux_finds_the_dsp_of_a_24kec(cpu, ases):
    with shell("debian", "-cpu", cpu) as m:
        assert do(m, "sed -n 's/^ASEs implemented.*: //p' /proc/cpuinfo").strip() == ases
