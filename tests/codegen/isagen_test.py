"""codegen/isagen.py: what it accepts, what it refuses, and whether its output is right.

isa/good/NAME.isa is generated and compiled; isa/bad/NAME.isa must print NAME.txt.
The Arm tables are checked against a linear search and against arm-none-eabi-objdump.
"""
import functools, importlib.util, itertools, os, pathlib, random, re, shutil, struct, subprocess, sys
import pytest

ROOT = pathlib.Path(__file__).resolve().parents[2]
HERE = pathlib.Path(__file__).resolve().parent / "isa"
GENERATOR = ROOT / "codegen/isagen.py"
OBJDUMP = shutil.which("arm-none-eabi-objdump")
CXX = [*os.environ.get("CXX", "g++").split(), "-std=c++20", "-Wall", "-Wextra", "-Werror", f"-I{ROOT}"]

spec = importlib.util.spec_from_file_location("isagen", GENERATOR)
isagen = sys.modules["isagen"] = importlib.util.module_from_spec(spec)
spec.loader.exec_module(isagen)


def generate(table, out):
    return subprocess.run([sys.executable, GENERATOR, table.name, "-o", out], cwd=table.parent, capture_output=True, text=True)


def output(isa):
    return [isa + end for end in ("_decode.hpp", "_disasm.cpp", ".md", ".coverage")]


def build(folder, name, *sources):
    subprocess.run([*CXX, "-O1", f"-I{folder}", "-o", folder / name, *sources], check=True)
    return folder / name


# ---- the language ----

@pytest.mark.parametrize("table", sorted(HERE.glob("bad/*.isa")), ids=lambda p: p.stem)
def test_refuses(table, tmp_path):
    result = generate(table, tmp_path / "out")
    assert result.stderr == table.with_suffix(".txt").read_text()
    assert result.returncode == 1
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize("table", sorted(HERE.glob("good/*.isa")), ids=lambda p: p.stem)
def test_accepts(table, tmp_path):
    result = generate(table, tmp_path)
    assert (result.returncode, result.stderr) == (0, "")
    name = isagen.Isa(table).name
    for file in output(name):
        assert f"generated from cpus/good/{table.name} by codegen/isagen.py" in (tmp_path / file).read_text().partition("\n")[0].replace("Generated", "generated")
    main = tmp_path / "main.cpp"
    main.write_text(f'#include "{name}_decode.hpp"\n' + table.with_suffix(".cpp").read_text())
    subprocess.run([build(tmp_path, "main", main)], check=True)


def test_output_is_deterministic(arm, tmp_path):
    for isa in TABLES:
        generate(ROOT / f"cpus/arm/{isa}.isa", tmp_path)
        for file in output(isa):
            assert (tmp_path / file).read_text() == (arm / file).read_text()


# ---- the Arm tables ----

TABLES = ("a32", "t16", "vfp")

DUMP = """
#include <cstdio>
#include <cstring>
@core::u32 pc = 0, w;
int main(int, char** a) {
  const int width = a[1][0] == 't' ? 2 : 4;
  for (std::FILE* f = std::fopen(a[2], "rb"); w = 0, std::fread(&w, width, 1, f); pc += width)
    std::puts((!std::strcmp(a[1], "a32")   ? arm::a32::disassemble(w, pc)
               : !std::strcmp(a[1], "t16") ? arm::t16::disassemble(w, pc)
                                           : arm::vfp::disassemble(w, pc)).c_str());
}
"""

# For each word the encoding that matches with most fixed bits wins; `but` are the cubes it leaves out.
LINEAR = """
#include <bit>
#include <cstdio>
#include <random>
#include <vector>
using namespace arm::@isa@;
struct Row { Op op; core::u32 mask, bits; std::vector<std::pair<core::u32, core::u32>> but; };
const std::vector<Row> rows = {
@rows@
};
Op linear(core::u32 w) {
  const Row* best = nullptr;
  for (const Row& r : rows) {
    bool is = (w & r.mask) == r.bits;
    for (auto [m, b] : r.but) is = is && (w & m) != b;
    if (is && (!best || std::popcount(r.mask) > std::popcount(best->mask))) best = &r;
  }
  return best ? best->op : Op::undefined;
}
int main() {
  std::mt19937 random(1);
  const core::u32 all = @all@;
  long wrong = 0, words = 0;
  auto check = [&](core::u32 w) {
    ++words;
    const Op got = op_of(w), want = linear(w);
    const OpInfo& i = op_info[static_cast<int>(got)];
    if (got == want && (w & i.mask) == i.bits) return;
    if (++wrong < 10) std::printf("%08x: %s, not %s\\n", w, i.name, op_info[static_cast<int>(want)].name);
  };
  if (all == 0xffff) for (core::u32 w = 0; w <= all; ++w) check(w);
  else {
    for (int n = 0; n < 4'000'000; ++n) check(random());
    for (const Row& r : rows)
      for (int n = 0; n < 20'000; ++n) {
        const core::u32 near = (random() & ~r.mask) | r.bits;
        check(near);
        check(near ^ 1u << random() % 32);   // one bit off
      }
  }
  std::printf("%ld words, %ld wrong\\n", words, wrong);
  return wrong != 0;
}
"""


@pytest.fixture(scope="session")
def arm(tmp_path_factory):
    """The generated files of the three tables and a program that disassembles with them."""
    folder = tmp_path_factory.mktemp("arm")
    for isa in TABLES:
        result = generate(ROOT / f"cpus/arm/{isa}.isa", folder)
        assert (result.returncode, result.stderr) == (0, "")
    includes = "".join(f'#include "{isa}_decode.hpp"\n' for isa in TABLES)
    (folder / "dump.cpp").write_text(includes + DUMP.replace("@", ""))
    build(folder, "dump", folder / "dump.cpp", ROOT / "cpus/arm/print.cpp", *[folder / f"{isa}_disasm.cpp" for isa in TABLES])
    return folder


@pytest.mark.parametrize("isa", TABLES)
def test_decoder_agrees_with_linear_search(arm, isa):
    table = isagen.Isa(ROOT / f"cpus/arm/{isa}.isa")
    rows = "\n".join(f"  {{Op::{e.name}, {e.cube.mask:#x}, {e.cube.bits:#x}, {{"
                     + ", ".join(f"{{{h.mask:#x}, {h.bits:#x}}}" for h in e.holes) + "}}," for e in table.encodings)
    source = arm / f"{isa}_linear.cpp"
    source.write_text(f'#include "{isa}_decode.hpp"\n' + LINEAR.replace("@isa@", isa).replace("@rows@", rows)
                      .replace("@all@", f"{(1 << table.width) - 1:#x}"))
    run = subprocess.run([build(arm, isa + "_linear", source, arm / f"{isa}_disasm.cpp", ROOT / "cpus/arm/print.cpp")],
                         capture_output=True, text=True)
    print(run.stdout)
    assert run.returncode == 0, run.stdout


# ---- objdump ----

MACHINE = {"a32": ["armv5tej"], "vfp": ["armv5tej"], "t16": ["armv5t", "-M", "force-thumb"]}
REPEAT = 60  # random words per encoding


# Words left out: what the two would say differs, and why.
UNPAIRED = {"bl_prefix", "bl_suffix", "blx_suffix"}
DIFFERENCES = [
    ("coprocessors but 7, 14 and 15 have instruction names of their own (FPA, Maverick, iWMMXt, VFP, MVE)",
     lambda isa, name, f: "q" in f and f["q"] not in (7, 14, 15)),
    ("objdump takes some stores of coprocessor 15 for M-profile vstr",
     lambda isa, name, f: f.get("q") == 15 and "o" in f),
    ("objdump drops the writeback of a coprocessor load whose offset is 0",
     lambda isa, name, f: "q" in f and f.get("w") and f["o"] == 0),
    ("a base of pc that is written back is unpredictable: objdump drops the '!' of halfword transfers",
     lambda isa, name, f: isa == "a32" and f.get("n") == 15 and f.get("w") and "o" in f),
    ("objdump calls mov r0, r0 nop",
     lambda isa, name, f: name == "mov_reg" and f == {"c": 14} | dict.fromkeys("sdkym", 0)),
    ("objdump joins the two halves of a Thumb bl",
     lambda isa, name, f: name in UNPAIRED),
    ("a VFP list is empty or runs over the last register: unpredictable",
     lambda isa, name, f: isa == "vfp" and "i" in f and not 1 <= f["i"] <= min((32 if name[-1] == "s" else 16) - f["d"], 32)),
    ("mvfr2 is v8",
     lambda isa, name, f: isa == "vfp" and f.get("r") == 5),
]


@functools.cache
def table_of(isa):
    return isagen.Isa(ROOT / f"cpus/arm/{isa}.isa")


def winner(isa, w):
    matches = [e for e in table_of(isa).encodings if (w & e.cube.mask) == e.cube.bits
               and not any((w & h.mask) == h.bits for h in e.holes)]
    return max(matches, key=lambda e: e.cube.mask.bit_count(), default=None)


def words(isa):
    """(encoding, word): all fields 0, all ones, then random; conditions mostly `always`."""
    random.seed(isa)
    for e in table_of(isa).encodings:
        kept = 0
        for n in range(REPEAT * 20 if e.real else 0):
            fields = {}
            for letter, positions in e.fields.items():
                top = (1 << len(positions)) - 1
                any_value = random.randint(0, top)
                fields[letter] = 0 if n == 0 else top if n == 1 else random.choice((any_value, any_value, 0, 1 & top))
            if "c" in fields and e.name != "b_cond" and n % 4:
                fields["c"] = 14
            if "q" in fields:
                fields["q"] = random.choice((7, 14, 15))
            if isa == "vfp" and "i" in fields:
                fields["i"] &= 15
            w = e.cube.bits | e.ones
            for letter, positions in e.fields.items():
                for i, p in enumerate(reversed(positions)):
                    w |= (fields[letter] >> i & 1) << p
            if winner(isa, w) is e and not any(differs(isa, e.name, fields) for _, differs in DIFFERENCES):
                kept += 1
                yield e, w
            if kept == REPEAT:
                break


def normalised(text):
    text = re.sub(r"\s*[@;].*", "", text)               # objdump's comments
    return re.sub(r"\s+", " ", text).strip()


@pytest.mark.skipif(not OBJDUMP, reason="needs arm-none-eabi-objdump (binutils-arm-none-eabi)")
@pytest.mark.parametrize("isa", TABLES)
def test_disassembler_agrees_with_objdump(arm, isa):
    cases = list(words(isa))
    width = table_of(isa).width // 8
    file = arm / f"{isa}.bin"
    file.write_bytes(b"".join(struct.pack("<I" if width == 4 else "<H", w) for _, w in cases))
    theirs = subprocess.run([OBJDUMP, "-D", "-z", "-b", "binary", "-m", *MACHINE[isa], "-M", "reg-names-std", file],
                            capture_output=True, text=True, check=True).stdout.splitlines()
    theirs = [line.split("\t", 2)[2] for line in theirs if re.match(r"\s*[0-9a-f]+:\t", line)]
    ours = subprocess.run([arm / "dump", isa, file], capture_output=True, text=True, check=True).stdout.splitlines()
    assert len(theirs) == len(ours) == len(cases)
    different = [f"{w:08x} {e.name}: {a!r}, objdump {b!r}" for (e, w), a, b in zip(cases, ours, map(normalised, theirs)) if a != b]
    print(len(cases), "words,", len({e.name for e, _ in cases}), "encodings")
    assert not different, f"{len(different)} of {len(cases)}\n" + "\n".join(different[:400])
    assert {e.name for e in table_of(isa).encodings if e.real} - {e.name for e, _ in cases} <= UNPAIRED
