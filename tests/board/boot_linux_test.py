"""Linux to its shell, and back."""
import re

import pytest

from conftest import Machine, linux_guest

pytestmark = pytest.mark.linux


def linux(words="", *options, ram="128", dtb=True):
    at = linux_guest()
    tree = ["-dtb", at / "versatile-pb.dtb"] if dtb else []
    return Machine(["-M", "versatilepb", "-m", ram, "-kernel", at / "zImage", *tree, "-initrd", at / "initramfs.cpio.gz", "-display", "none",
                    "-serial", "stdio", "-monitor", "none", "-no-reboot", "-append", f"console=ttyAMA0 {words}".strip(), *options])


def use_the_shell(m):
    m.expect("GUEST-INIT Linux .* armv5tejl")
    m.expect("GUEST-READY")
    m.expect("# ")
    m.type("echo $((6 * 7)) $(uname -m)\n")
    m.expect(r"\n42 armv5tejl\r")
    m.type("grep -c . /proc/interrupts; sleep 1; echo slept\n")
    m.expect("slept\r")
    m.type("exit\n")
    m.expect("GUEST-DONE")
    m.expect("reboot: Restarting system")
    assert m.status() == 0


def test_boots_to_a_shell_and_reboots():
    with linux() as m:
        m.expect(r"Machine model: ARM Versatile PB", 60)
        use_the_shell(m)
        # What would be an oddity of the machine, not of the guest.
        assert not re.search(r"(?i)undefined instruction|oops|unable to handle|bug:|bad irq|nobody cared", m.text)


@pytest.mark.slow
def test_boots_interpreted():
    with linux("", "-accel", "interp") as m:
        m.expect("GUEST-READY", 240)


@pytest.mark.slow
def test_boots_with_the_boards_own_device_tree():
    with linux(dtb=False) as m:
        m.expect("GUEST-READY", 60)


@pytest.mark.slow
@pytest.mark.parametrize("options", [("-accel", "jit,tb-size=1"), ("-accel", "jit,one-insn-per-tb=on"), ("-accel", "jit,opt=none"),
                                     ("-accel", "jit,region-after=1")],
                         ids=["small code buffer", "an instruction at a time", "none of its layers", "regions at once"])
def test_boots_in_every_translator_setting(options):
    with linux("quiet guest.run=off", *options) as m:
        m.expect("GUEST-DONE", 240)
        assert m.status() == 0


@pytest.mark.slow
def test_sees_the_memory_it_was_given():
    with linux("quiet", ram="64") as m:
        m.expect("# ", 60)
        m.type("grep MemTotal /proc/meminfo\n")
        kib = int(m.expect(r"MemTotal: +(\d+) kB")[1])
        assert 50_000 < kib < 64 * 1024


@pytest.mark.slow
def test_computes_what_it_must():
    """The result values of the benchmark programs, at a twentieth of their work, as a real processor gives them."""
    right = {"qsort": None, "crc32": None, "div64": None, "sieve": "00000000000132a2"}
    with linux("quiet guest.run=bench guest.scale=5 guest.only=sieve,qsort,crc32,div64,nbody_vfp,smc,signal,segv,fork,pipe") as m:
        m.expect("BENCH-END", 240)
        results = dict(re.findall(r"CHECK (\S+) (\S+)", m.text))
        assert {"nbody_vfp", "smc", "segv", *right} <= set(results)
        assert all(results[k] == v for k, v in right.items() if v)
