#!/usr/bin/env python3
"""ISA text (cpus/<arch>/<isa>.isa) -> decoder, disassembler, reference table, coverage list.

  isa NAME width BITS                                 first line
  operand LETTER [PRINTER ARG...] [except PATTERN]    a letter of the encodings below
  space NAME ENCODING                                 every word of it must be claimed by a line below
  undefined  ENCODING  reason                         claims words that are no instruction
  NAME  ENCODING  disassembly  since  section  [unless a=PATTERN b=PATTERN or ...]

Columns are two spaces apart.  In an encoding 0 and 1 are fixed, a small letter is an operand (its
bits, left first, form the value), a capital letter is the low end of its small letter (the manual's
Fd:D), '-' is a bit the CPU ignores, O and I are ignored bits that should be zero and one.
Where two lines match a word the more specific one has it; 'except' and 'unless' give words away.
In a disassembly {d} prints operand d with its printer, {shift:yk,"x"} prints shift(y, k, "x").
"""
import argparse, itertools, pathlib, re, sys
from collections import Counter, namedtuple
from dataclasses import dataclass, field
import jinja2

KEYWORDS = {"and", "or", "xor", "not", "int", "break", "bool", "case", "char", "do", "double", "float", "for", "if",
            "long", "new", "return", "short", "switch", "this", "try", "void", "while", "default", "union", "using"}
HEADER = "the first line is 'isa NAME width 16' or 'isa NAME width 32'"


class Wrong(Exception):
    """What is wrong with the line being read: text and, where it helps, column."""


@dataclass(frozen=True)
class Cube:
    """The words w with (w & mask) == bits."""
    mask: int
    bits: int

    def meets(self, other):
        return not (self.bits ^ other.bits) & self.mask & other.mask

    def within(self, other):
        return self.meets(other) and not other.mask & ~self.mask

    def __and__(self, other):
        return Cube(self.mask | other.mask, self.bits | other.bits)


@dataclass
class Encoding:
    name: str                                   # "undefined" is no instruction
    line: int
    cube: Cube
    text: str = ""                              # as written, without spaces
    ones: int = 0                               # ignored bits that should be one
    fields: dict = field(default_factory=dict)  # letter -> bit positions, most significant first
    holes: list = field(default_factory=list)   # cubes left to other lines
    asm: str = ""                               # or the reason of an undefined line
    since: str = ""
    section: str = ""

    @property
    def real(self):
        return self.name != "undefined"

    def owns(self, cube):
        return cube.within(self.cube) and not any(cube.meets(h) for h in self.holes)

    def gives_up(self, cube):
        return any(cube.within(h) for h in self.holes)


Operand = namedtuple("Operand", "line printer args exception note")


class Isa:
    def __init__(self, path):
        self.path, self.errors, self.name, self.width = path, 0, "", 0
        self.operands, self.used, self.spaces, self.encodings = {}, set(), [], []
        for no, self.raw in enumerate(path.read_text().splitlines(), 1):
            text, _, note = re.sub(r"(^|\s)#(\s|$)", "\0", self.raw, count=1).partition("\0")
            try:
                self.read(no, text.strip(), note.strip())
            except Wrong as e:
                self.error(no, *e.args)
                if not self.name:
                    return
        if not self.errors:
            self.check() if self.name else self.error(1, HEADER)

    def error(self, no, text, column=None):
        print(f"{self.path}:{no}:{f'{column}:' if column else ''} error: {text}", file=sys.stderr)
        self.errors += 1

    def hex(self, value):
        return f"{value:#0{self.width // 4 + 2}x}"

    def read(self, no, text, note):
        word, columns = text.split(), re.split(r"\s{2,}", text)
        if not word:
            return
        if not self.name:
            if len(word) != 4 or word[0] != "isa" or word[2] != "width" or word[3] not in ("16", "32"):
                raise Wrong(HEADER)
            self.name, self.width = word[1], int(word[3])
        elif word[0] == "operand":
            self.operand(no, " ".join(word), note)
        elif word[0] == "space" and len(word) > 2:
            self.spaces.append(self.encoding(no, word[1], text.split(None, 2)[2]))
        elif word[0] == "undefined":
            if len(columns) != 3:
                raise Wrong("expected 'undefined  encoding  reason', two spaces apart")
            self.encodings.append(self.encoding(no, "undefined", columns[1]))
            self.encodings[-1].asm = columns[2]
        else:
            self.instruction(no, columns)

    def operand(self, no, text, note):
        m = re.fullmatch(r"operand ([a-z])(?: (?!except)(\w+)((?: (?!except)\S+)*))?(?: except ([01-]+))?", text)
        if not m:
            raise Wrong("expected 'operand LETTER [PRINTER ARG...] [except PATTERN]' with a small letter")
        if m[1] in self.operands:
            raise Wrong(f"operand '{m[1]}' is already declared (line {self.operands[m[1]].line})")
        self.operands[m[1]] = Operand(no, m[2], (m[3] or "").split(), m[4], note)

    def encoding(self, no, name, text):
        bits = text.replace(" ", "")
        if len(bits) != self.width:
            raise Wrong(f"{name}: encoding has {len(bits)} bits, {self.name} instructions have {self.width}")
        cube, ones, fields, low = Cube(0, 0), 0, {}, {}
        for pos, m in zip(range(self.width - 1, -1, -1), re.finditer(r"\S", text)):
            ch, letter = m[0], m[0].lower()
            if ch in "01":
                cube &= Cube(1 << pos, int(ch) << pos)
            elif ch in "IO-":
                ones |= (ch == "I") << pos
            elif letter not in self.operands:
                raise Wrong(f"{name}: bit {pos} uses operand '{ch}', which is not declared", self.raw.index(text) + m.start() + 1)
            else:
                self.used.add(letter)
                (low if ch.isupper() else fields).setdefault(letter, []).append(pos)
        for letter, positions in low.items():
            fields.setdefault(letter, []).extend(positions)
        found = Encoding(name, no, cube, bits, ones, fields)
        found.holes = [cube & h for h in self.exceptions(found)]
        return found

    def instruction(self, no, columns):
        name = columns[0] + ("_" if columns[0] in KEYWORDS else "")
        tail = re.fullmatch(r"(\S+)\s+(\S+)(?:\s+unless (.+))?", "  ".join(columns[3:]))
        if not tail or not re.fullmatch(r"[a-z_]\w*", name):
            raise Wrong(f"'{name}': expected 'name  encoding  disassembly  since  section  [unless ...]', two spaces apart")
        if twin := next((e for e in self.encodings if e.name == name), None):
            raise Wrong(f"{name} is already on line {twin.line}")
        found = self.encoding(no, name, columns[1])
        found.asm, found.since, found.section = columns[2], tail[1], tail[2]
        for group in tail[3].split(" or ") if tail[3] else []:
            terms = [re.fullmatch(r"([a-z])=([01-]+)", word) for word in group.split()]
            if None in terms:
                raise Wrong(f"{name}: 'unless' takes letter=pattern, for example p=0 w=1")
            found.holes.append(found.cube & where(found, [t.groups() for t in terms]))
        self.text(found)
        self.encodings.append(found)

    def text(self, e):
        """The disassembly column as a C++ expression."""
        if re.search(r"[{}]", re.sub(r"\{[^{}]+\}", "", e.asm)):
            raise Wrong(f"{e.name}: a brace of the disassembly has no partner")
        pieces = re.findall(r"([^{]+)|\{([^}]*)\}", e.asm)
        first, *rest = ['"' + literal + '"' if literal else self.call(e, call) for literal, call in pieces]
        return " + ".join([f"std::string({first})", *rest])

    def call(self, e, text):
        """{d} or {shift:yk,"x",pc} as a C++ call of a printer."""
        m = re.fullmatch(r"(?:(\w+):)?([a-z]+)((?:,[^,]+)*)", text)
        if not m:
            raise Wrong(f"{e.name}: cannot read '{{{text}}}' in the disassembly")
        printer, letters, args = m[1], m[2], m[3].split(",")[1:]
        if strange := [letter for letter in letters if letter not in e.fields]:
            raise Wrong(f"{e.name}: disassembly prints '{strange[0]}', the encoding does not have it")
        if not printer:
            printer, args = self.operands[letters[0]].printer, self.operands[letters[0]].args
            if not printer or len(letters) > 1:
                raise Wrong(f"{e.name}: '{{{text}}}' needs a printer")
        return f"print::{printer}({', '.join([f'i.{x}' for x in letters] + args)})"

    def check(self):
        for letter, o in self.operands.items():
            if letter not in self.used:
                self.error(o.line, f"operand '{letter}' is declared, no encoding uses it")
        for a, b in ((a, b) for i, a in enumerate(self.encodings) for b in self.encodings[:i]):
            nested = a.cube.mask != b.cube.mask and (a.cube.within(b.cube) or b.cube.within(a.cube))
            if (a.real or b.real) and a.cube.meets(b.cube) and not nested:
                both = unclaimed(a.cube & b.cube, [Encoding("", 0, h) for h in a.holes + b.holes])
                if both is not None:
                    self.error(a.line, f"{a.name} and {b.name} (line {b.line}) both match {self.hex(both)}; neither is more specific")
        for s in self.spaces:
            hole = unclaimed(s.cube, self.encodings + [Encoding("", 0, h) for h in s.holes])
            if hole is not None:
                self.error(s.line, f"space {s.name}: no line claims {self.hex(hole)}; add the instruction or an 'undefined' line")

    def tree(self):
        """Nested nodes for isa_decode.hpp.j2.  Undefined lines count only where a less specific instruction would match."""
        kept = [e for e in self.encodings if e.real or any(o.real and e.cube.within(o.cube) and not o.gives_up(e.cube)
                                                           for o in self.encodings)]
        kept.sort(key=lambda e: -e.cube.mask.bit_count())
        users = Counter(h for e in kept for h in self.exceptions(e))
        hole, count = max(users.items(), key=lambda hc: hc[1], default=(None, 0))
        if count * 2 <= len(kept):
            return self.node(kept, 0, None)
        return {"split": hole, "yes": self.node([e for e in kept if e.cube.meets(hole) and hole not in self.exceptions(e)], hole.mask, None),
                "no": self.node([e for e in kept if not e.cube.within(hole)], 0, hole)}

    def exceptions(self, e):
        """The cubes its operands' declarations except, whatever else it fixes."""
        return [where(e, [(x, self.operands[x].exception)]) for x in e.fields if self.operands[x].exception]

    def node(self, encodings, seen, gone):
        """seen: bits already decided; gone: a cube already ruled out."""
        fixed = {p: sum(e.cube.mask >> p & 1 for e in encodings) for p in range(self.width) if not seen >> p & 1}
        common = sum(1 << p for p, count in fixed.items() if count == len(encodings))
        if len(encodings) < 2 or not common:
            best = max(fixed, key=lambda p: (fixed[p], p), default=0)
            if len(encodings) < 5 or fixed[best] * 2 <= len(encodings):
                return {"tests": [self.test(e, seen, gone) for e in encodings]}
            common = 1 << best
        runs = [(m.start(), (1 << len(m[0])) - 1) for m in re.finditer("1{1,8}", f"{common:b}"[::-1])]
        low, window = max(runs, key=lambda run: (len({e.cube.bits >> run[0] & run[1] for e in encodings}), run[1], run[0]))
        groups = {}
        for e in encodings:
            known = e.cube.mask >> low & window == window
            for key in [e.cube.bits >> low & window] if known else range(window + 1):
                groups.setdefault(key, []).append(e)
        return {"low": low, "window": window,
                "cases": [(key, self.node(group, seen | window << low, gone)) for key, group in sorted(groups.items())]}

    def test(self, e, seen, gone):
        rest = e.cube.mask & ~seen
        when = [f"(w & {rest:#x}) == {e.cube.bits & rest:#x}"] if rest else []
        for h in [h for h in e.holes if not gone or not h.within(gone)]:
            own = h.mask & ~e.cube.mask
            when.append(f"(w & {own:#x}) != {h.bits & own:#x}")
        return {"when": " && ".join(when),
                "call": f"{e.name}{{{', '.join(map(extract, e.fields.values()))}}}" if e.real else "Undefined{w}"}


def where(e, terms):
    """The cube where each letter has its pattern."""
    cube = Cube(0, 0)
    for letter, pattern in terms:
        positions = e.fields.get(letter, [])
        if len(positions) != len(pattern):
            raise Wrong(f"{e.name}: operand '{letter}' has {len(positions)} bits, '{pattern}' has {len(pattern)}")
        for pos, ch in zip(positions, pattern):
            if ch != "-":
                cube &= Cube(1 << pos, int(ch) << pos)
    return cube


def unclaimed(cube, encodings):
    """A word of the cube that no encoding claims, or None."""
    near = [e for e in encodings if e.cube.meets(cube) and not e.gives_up(cube)]
    if not near:
        return cube.bits
    if any(e.owns(cube) for e in near):
        return None
    split = next(m & ~cube.mask for e in near for c in (e.cube, *e.holes) if (m := c.mask) & ~cube.mask)
    bit = 1 << (split.bit_length() - 1)
    return next((w for half in (0, bit) if (w := unclaimed(cube & Cube(bit, half), near)) is not None), None)


def extract(positions):
    """[31,30,29,3] -> (w >> 29 & 0x7) << 1 | (w >> 3 & 0x1)"""
    terms, left = [], len(positions)
    for _, run in itertools.groupby(enumerate(positions), lambda ip: sum(ip)):
        run = [p for _, p in run]
        left -= len(run)
        field = f"{f'w >> {run[-1]}' if run[-1] else 'w'} & {(1 << len(run)) - 1:#x}"
        terms.append(f"({field}) << {left}" if left else field if len(run) == len(positions) else f"({field})")
    return " | ".join(terms)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("isa", type=pathlib.Path)
    parser.add_argument("-o", type=pathlib.Path, required=True, help="output folder")
    arguments = parser.parse_args()
    if (isa := Isa(arguments.isa)).errors:
        sys.exit(1)
    folder = arguments.isa.resolve().parent.name
    templates = jinja2.FileSystemLoader(pathlib.Path(__file__).parent / "templates")
    env = jinja2.Environment(loader=templates, trim_blocks=True, lstrip_blocks=True, keep_trailing_newline=True)
    facts = dict(isa=isa, folder=folder, source=f"cpus/{folder}/{arguments.isa.name}", tree=isa.tree(),
                 instructions=[e for e in isa.encodings if e.real])
    arguments.o.mkdir(parents=True, exist_ok=True)
    for template, end in ("decode.hpp", "_decode.hpp"), ("disasm.cpp", "_disasm.cpp"), ("md", ".md"), ("coverage", ".coverage"):
        (arguments.o / (isa.name + end)).write_text(env.get_template(f"isa_{template}.j2").render(facts))


if __name__ == "__main__":
    main()
