"""examples/hello-uart: serial port, timer and interrupts without an operating system."""
import pytest

from conftest import Machine

QUIET = ("-display", "none", "-monitor", "none", "-serial", "stdio", "-no-reboot")


@pytest.fixture(params=["jit", "interp"])
def machine(request, hello):
    with Machine(["-accel", request.param, "-kernel", hello, *QUIET]) as m:
        yield m


def test_hello_prints_counts_echoes_and_leaves(machine):
    machine.expect("Hello from the Versatile PB\r\nprocessor 41069265, board 41007004\r\n")
    machine.expect(r"\[   0 s\]")
    machine.expect(r"\[   1 s\]")
    machine.type("abc")
    machine.expect(r"s\] abc")
    machine.type("q")
    machine.expect("Bye")
    assert machine.status() == 0


def test_hello_sleeps_between_interrupts(hello):
    """Waiting for interrupts costs the host nothing: less than a fifth of the time, start included."""
    import os
    with Machine(["-kernel", hello, *QUIET]) as m:
        m.expect(r"\[   3 s\]")
        fields = open(f"/proc/{m.process.pid}/stat").read().rsplit(")", 1)[1].split()
        assert (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK") < 0.6


def test_reset_starts_the_program_again_without_no_reboot(hello):
    with Machine(["-kernel", hello, *QUIET[:-1]]) as m:
        m.expect("Hello")
        m.expect(r"\[   0 s\]")
        m.type("q")
        m.expect("Bye")
        m.expect("Hello")
        m.expect(r"\[   1 s\]")
