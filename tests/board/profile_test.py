"""Where the guest's time goes: -accel jit,profile=, perf=, and ./pinstrap profile."""
import pathlib
import struct
import subprocess
import sys

import pytest

from conftest import ROOT, BUILD, Machine, board_binary, run_board, tool

sys.path.insert(0, str(ROOT / "tools/frontdoor"))
import guest_profile  # noqa: E402

# Three functions: a loop of additions, a loop of reading a device register, and the end by semihosting.
SOURCE = """
        .global _start, compute, poll, leave
        .type compute, %function
        .type poll, %function
        .type leave, %function
_start: mov   sp, #0x8000
        bl    compute
        bl    poll
        b     leave
compute:
        ldr   r0, =60000000
1:      add   r1, r1, r0
        eor   r1, r1, r0, ror #3
        subs  r0, r0, #1
        bne   1b
        bx    lr
        .size compute, . - compute
poll:   ldr   r0, =1500000
        ldr   r2, =0x101f1000
1:      ldr   r1, [r2, #0x18]
        subs  r0, r0, #1
        bne   1b
        bx    lr
        .size poll, . - poll
        .ltorg
leave:  mov   r0, #0x18
        ldr   r1, =0x20026
        svc   0x123456
        .size leave, . - leave
        .ltorg
"""
QUIET = ("-semihosting", "-display", "none", "-serial", "null", "-monitor", "none")


@pytest.fixture(scope="module")
def program(assemble):
    return assemble(SOURCE, name="profiled")


def profile_of(program, path, *more):
    status, _, error = run_board("-accel", f"jit,profile={path}", "-kernel", program, *more, *QUIET, seconds=120)
    assert (status, error) == (0, "")
    return guest_profile.Profile(path.read_text())


def test_profile_finds_the_loops_by_name(program, tmp_path):
    p = profile_of(program, tmp_path / "p")
    assert p.facts["samples"] > 20 and p.facts["lost"] == 0
    places, functions = p.places(), p.functions()
    total = sum(places.values())
    assert total == p.facts["sampled"]
    assert 0.5 * p.facts["cpu"] < total <= p.facts["cpu"]
    # compute is translated code and nothing else; poll is the device.
    assert functions["compute"]["translated"] > 0.9 * sum(functions["compute"].values())
    assert functions["poll"]["device"] > functions["poll"]["translated"]
    assert sum(sum(functions[f].values()) for f in ("compute", "poll")) > 0.6 * total
    hot = next(b for b in p.blocks if b["name"].startswith("compute"))
    assert any("eor" in line for line in hot["code"])
    assert any("Pl011" in name or "reg_read" in name or "read_at" in name for name, _ in p.host)


def test_profile_counts_time_asleep_as_time_and_not_as_work(assemble, tmp_path):
    wait = assemble("""
        .global _start
_start: mcr   p15, 0, r0, c7, c0, 4
        b     _start
""", name="waits")
    path = tmp_path / "p"
    with Machine(["-accel", f"jit,profile={path}", "-kernel", wait, "-display", "none", "-serial", "stdio", "-monitor", "none"]) as m:
        m.read(1.0)
        m.process.terminate()
        assert m.status() == 0
    p = guest_profile.Profile(path.read_text())
    assert p.facts["asleep"] > 0.5 * p.facts["wall"]
    assert p.facts["sampled"] < 0.5 * p.facts["wall"]


def test_names_come_from_a_list_too(program, tmp_path):
    names = tmp_path / "System.map"
    names.write_text("00010000 T from_the_list\n")
    stripped = tmp_path / "stripped.elf"
    subprocess.run([tool("arm-none-eabi-objcopy"), "--strip-all", str(program), str(stripped)], check=True)
    path = tmp_path / "p"
    status, _, error = run_board("-accel", f"jit,profile={path},symbols={names}", "-kernel", stripped, *QUIET, seconds=120)
    assert (status, error) == (0, "")
    assert "from_the_list" in guest_profile.Profile(path.read_text()).functions()


def test_perf_map_names_each_piece(program):
    with Machine(["-accel", "jit,perf", "-kernel", program, *QUIET]) as m:
        pid = m.process.pid
        assert m.status(120) == 0
    path = pathlib.Path(f"/tmp/perf-{pid}.map")
    lines = [line.split(" ", 2) for line in path.read_text().splitlines()]
    path.unlink()
    pieces = sorted((int(at, 16), int(size, 16)) for at, size, _ in lines)
    assert all(a + n <= b for (a, n), (b, _) in zip(pieces, pieces[1:]))
    names = [name for _, _, name in lines]
    assert names[0] == "[thunks]"
    assert "compute [00010010]" in names and any(n.startswith("poll+") for n in names)


def test_jitdump_is_as_its_specification_says(program, tmp_path):
    process = subprocess.run([board_binary(), "-accel", "jit,perf=dump", "-kernel", str(program), *QUIET], cwd=tmp_path, timeout=200)
    assert process.returncode == 0
    (path,) = tmp_path.glob("jit-*.dump")
    data = path.read_bytes()
    magic, version, size, machine, _, pid = struct.unpack_from("<6I", data)
    assert (magic, version, size, machine) == (0x4A695444, 1, 40, 62) and path.name == f"jit-{pid}.dump"
    at, names, ids, index = size, [], [], 0
    while at < len(data):
        kind, length, _ = struct.unpack_from("<IIQ", data, at)
        ids.append(kind)
        if kind == 0:
            _, _, vma, address, code, number = struct.unpack_from("<IIQQQQ", data, at + 16)
            name = data[at + 56:at + length].split(b"\0")[0]
            assert (vma, number, length) == (address, index, 56 + len(name) + 1 + code)
            names.append(name.decode())
            index += 1
        at += length
    assert at == len(data) and ids[-1] == 3 and any(n.startswith("compute") for n in names)


@pytest.mark.parametrize("accel, sentence", [
    ("interp,profile=x", "profile= and perf= look at translated code; use -accel jit"),
    ("jit,perf=all", "perf='all' must be map or dump"),
    ("jit,symbols=x", "symbols= is for profile= and perf=; add one of them, or leave it out"),
    ("jit,profile=/no/such/folder/x", "profile: cannot write '/no/such/folder/x': No such file or directory"),
    ("jit,perf,symbols=/no/such/file", "symbols: cannot open '/no/such/file'"),
    ("jit,opt=chian", "opt: there is no layer 'chian' (did you mean 'chain'?)"),
])
def test_wrong_properties_get_a_sentence(accel, sentence):
    status, _, error = run_board("-accel", accel)
    assert status == 1 and sentence in error and error.count("\n") == 1


def test_a_profile_is_told_as_tables(tmp_path):
    path = tmp_path / "p"
    path.write_text("pinstrap-profile 1\nwall 4000000000\ncpu 2000000000\nasleep 1000000000\nsamples 20\nlost 0\nsampled 2000000000\nthunks 100000000\n"
                    "guest 80000100 900000000 0 0 0 0 memcpy+0x10\nguest 80000200 0 600000000 0 0 0 memcpy+0x20\nguest 00400100 400000000 0 0 0 0 \n"
                    "block 80000100 900000000 2 memcpy+0x10\ninsn 80000100 lw t0,0(a1)\ninsn 80000104 sw t0,0(a0)\nhost 600000000 mips::walk\n")
    done = subprocess.run([str(ROOT / "pinstrap"), "profile", "--read", str(path)], capture_output=True, text=True, env={"PINSTRAP_BUILD": str(BUILD), "PATH": "/usr/bin:/bin"})
    assert done.returncode == 0, done.stderr
    text = done.stdout
    assert "2.00 s of CPU time of the processor's thread, 20 samples; 4.00 s passed, 1.00 s of them with nothing to do" in text
    assert "  65.0 %     1.300 s  translated code" in text
    assert "  75.0 %  memcpy " in text and "  20.0 %  00400xxx " in text
    assert "lw t0,0(a1)" in text and "  30.0 %     0.600 s  mips::walk" in text


@pytest.mark.parametrize("content", ["", "hello\n", "pinstrap-profile 1\nguest x\n", "pinstrap-profile 1\n"])
def test_what_is_no_profile_gets_a_sentence(tmp_path, content):
    path = tmp_path / "p"
    path.write_text(content)
    done = subprocess.run([str(ROOT / "pinstrap"), "profile", "--read", str(path)], capture_output=True, text=True)
    assert done.returncode == 1 and done.stderr.startswith(f"pinstrap: '{path}' ") and done.stderr.count("\n") == 1 and not done.stdout
