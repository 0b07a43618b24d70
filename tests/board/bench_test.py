"""./pinstrap bench: figures in, tables out; and a short run of everything it measures."""
import json
import subprocess

import pytest

from conftest import BUILD, ROOT, board_binary, guests, tool

BENCH = ["/usr/bin/python3", "-B", str(ROOT / "tools/bench/bench.py")]


def bench(*words, seconds=600):
    return subprocess.run([*BENCH, *map(str, words)], capture_output=True, text=True, timeout=seconds)


def a_run(cpu, **tests):
    return {"wall": {"total": cpu}, "cpu": {"total": cpu, **tests}, "guest": {}, "check": dict.fromkeys(tests, "1"),
            "memory": {"resident": 40 << 20, "guest": 20 << 20}, "stats": {"guest instructions": 1000, "translation share": 25.0}, "ended": "matched", "text": ""}


def results():
    one = {"board": "versatilepb", "other": "QEMU", "version": "QEMU 7.2", "accel": None, "pairs": 3, "scale": 100, "machine": "a machine", "load": 0.5,
           "size": {"ours": 2_000_000, "QEMU": 20_000_000}, "startup": None, "mmio": {"uart-read": {"ours": 10.0, "QEMU": 60.0}}, "wrong": []}
    ours = [a_run(c, sieve=0.1, qsort=0.4) for c in (1.0, 9.0, 2.0)]
    theirs = [a_run(c, sieve=0.4, qsort=0.4) for c in (4.0, 5.0, 6.0)]
    one["runs"] = {"boot": {"ours": ours, "QEMU": theirs}, "bench": {"ours": ours, "QEMU": theirs}}
    layers = {"board": "versatilepb", "pairs": 1, "scale": 5, "machine": "a machine", "load": 0.5, "wrong": [],
              "runs": {k: {"all": ours, "-fp": theirs} for k in ("boot", "bench")}}
    return {"boards": {"versatilepb": one}, "layers": {"versatilepb": layers}}


@pytest.fixture
def saved(tmp_path):
    path = tmp_path / "figures.json"
    path.write_text(json.dumps(results()))
    return path


def test_tables_are_medians_and_geometric_means(saved):
    done = bench("--from", saved)
    assert done.returncode == 0, done.stderr
    for line in ("| versatilepb | 2.50 | 2.00 |", "| Linux boot to the shell, CPU s | 2.00 | 5.00 | **2.5** |", "| sieve | integer | 0.100 | 0.400 | 4.00 |",
                 "| device register, uart read, CPU ns | 10.0 | 60.0 | **6.0** |", "| integer | **2.00** |", "| `fp` | 2.50 | 2.00 | **2.00** |",
                 "| memory beside the guest's RAM, after the boot, MiB | 20.0 | 20.0 | **1.0** |", "## How it is measured"):
        assert line in done.stdout, line


def test_documents_and_charts(saved, tmp_path):
    assert bench("--from", saved, "--docs", tmp_path).returncode == 0
    assert "![bar chart](performance-versatilepb.svg)" in (tmp_path / "performance.md").read_text()
    assert "sieve" in (tmp_path / "performance-versatilepb.svg").read_text()
    assert bench("--from", saved, "--chart", tmp_path / "one.svg").returncode == 0
    assert (tmp_path / "one.svg").read_text().startswith("<svg")


@pytest.mark.parametrize("words, sentence", [
    (["--vs", "none", "--chart", "x.svg"], "--chart shows a comparison"),
    (["-n", "0"], "bench: -n must be 1 or more"),
    (["nosuch"], "there is no guest for a board 'nosuch'"),
    (["--from", "/dev/null"], "holds no figures of this program"),
    (["versatilepb", "--vs", "/no/such"], "'/no/such' is neither qemu, none"),
])
def test_wrong_words_get_a_sentence(words, sentence):
    done = bench(*words)
    assert done.returncode == 1 and sentence in done.stderr and "Traceback" not in done.stderr


@pytest.mark.slow
@pytest.mark.linux
def test_a_short_run_measures_everything(tmp_path):
    guests("arm-versatilepb")
    tool("arm-none-eabi-as")
    out = tmp_path / "figures.json"
    done = bench("versatilepb", "--ours", board_binary(), "--vs", "jit,opt=-fp", "-n", 1, "--startups", 1, "--only", "sieve", "--scale", 5, "--json", out)
    assert done.returncode == 0, done.stderr
    figures = json.loads(out.read_text())["boards"]["versatilepb"]
    assert set(figures["mmio"]) == {"uart-read", "timer-read", "uart-write"}
    assert all(0 < v < 1e6 for kind in figures["mmio"].values() for v in kind.values())
    assert figures["startup"]["first"]["ours"][0]["cpu"] > 0
    run = figures["runs"]["bench"]["ours"][0]
    assert run["memory"]["resident"] > run["memory"]["guest"] > 1 << 20
    assert run["stats"]["code bytes per guest instruction"] > 4 and 0 < run["stats"]["translation share"] < 100
