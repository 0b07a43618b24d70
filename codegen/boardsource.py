"""Reads a board page: YAML that remembers where every value stands, ranges spread, parents merged."""
import difflib
import os
import re
import sys
from typing import NamedTuple

import yaml

RANGE = re.compile(r"^(.*?)(0x[0-9a-fA-F_]+|[0-9]+)\.\.(0x[0-9a-fA-F_]+|[0-9]+)$")


class Mark(NamedTuple):
    file: str
    line: int
    column: int

    def seen_from(self, other):
        """How a message about `other` refers to this place."""
        return f"line {self.line}" if self.file == other.file else f"{self.file}:{self.line}"


class Complaints:
    """Collects errors; prints them in the order of the page."""

    def __init__(self):
        self.found = []

    def error(self, mark, text):
        if (mark, text) not in self.found:
            self.found.append((mark, text))

    def stop_if_any(self):
        for mark, text in sorted(self.found, key=lambda f: f[0]):
            print(f"{mark.file}:{mark.line}:{mark.column}: error: {text}", file=sys.stderr)
        if self.found:
            sys.exit(1)


def suggest(word, words, otherwise=""):
    close = difflib.get_close_matches(str(word), sorted(words), 1, 0.5)
    return f"; did you mean '{close[0]}'?" if close else otherwise


class Page:
    """One board page with its parents.  `data` is plain YAML data; mark(path) says where a value stands."""

    def __init__(self, path, folders, complaints, children=()):
        self.complaints, self.files = complaints, [path]
        self.file = os.path.relpath(path)
        self.marks = {}
        try:
            node = yaml.compose(path.read_text(), yaml.SafeLoader)
        except OSError as e:
            complaints.error(Mark(self.file, 1, 1), f"cannot read the page: {e.strerror.lower()}")
            complaints.stop_if_any()
        except yaml.MarkedYAMLError as e:
            m = e.problem_mark or e.context_mark
            complaints.error(Mark(self.file, m.line + 1, m.column + 1), f"not YAML: {e.problem}")
            complaints.stop_if_any()
        self.data = self._build(node, ()) if node else None
        if not isinstance(self.data, dict):
            complaints.error(Mark(self.file, 1, 1), "the page is empty; it starts with 'board:'")
            complaints.stop_if_any()
        self._find_stray_ranges(self.data, ())
        self.parent = None
        if isinstance(self.data.get("extends"), str):
            self._extend(path, folders, children)

    def mark(self, where, key=False):
        """The place of the value at `where` (of its key with `key`), or of the nearest thing around it."""
        if key and where + ("#key",) in self.marks:
            return self.marks[where + ("#key",)]
        while where not in self.marks:
            where = where[:-1]
        return self.marks[where]

    def error(self, where, text, key=False):
        self.complaints.error(self.mark(where, key), text)

    # Building -----------------------------------------------------------------------------------

    def _mark_of(self, node):
        return Mark(self.file, node.start_mark.line + 1, node.start_mark.column + 1)

    def _build(self, node, where):
        self.marks[where] = self._mark_of(node)
        if isinstance(node, yaml.SequenceNode):
            return [self._build(v, where + (i,)) for i, v in enumerate(node.value)]
        if not isinstance(node, yaml.MappingNode):
            return yaml.SafeLoader("").construct_object(node)
        out = {}
        for key_node, value_node in node.value:
            key = str(key_node.value)
            value = self._build(value_node, where + (key,))
            for name, v in self._spread_entry(key, value, where):
                here, at = where + (name,), self._mark_of(key_node)
                if name in out:
                    first = self.marks[here + ("#key",)]
                    self.complaints.error(at, f"'{name}' appears twice (first on {first.seen_from(at)})")
                    continue
                self.marks[here + ("#key",)] = at
                out[name] = v
        return out

    # Ranges: `gpio0..3: {at: 0x101e_4000..0x101e_7000, wires: {irq: vic.6..9}}` is four devices.

    def _spread_entry(self, key, value, where):
        m = RANGE.match(key)
        if not m:
            return [(key, value)]
        first, last = int(m[2], 0), int(m[3], 0)
        if last <= first:
            self.error(where + (key,), f"{key}: the range runs backwards")
            return []
        count, raw = last - first + 1, where + (key,)
        inside = [(w[len(raw):], mark) for w, mark in self.marks.items() if w[: len(raw)] == raw]
        out = []
        for i in range(count):
            name = f"{m[1]}{first + i}"
            for rest, mark in inside:
                self.marks.setdefault(where + (name,) + rest, mark)
            out.append((name, self._pick(value, i, count, raw)))
        return out

    def _pick(self, value, i, count, where):
        if isinstance(value, dict):
            return {k: self._pick(v, i, count, where + (k,)) for k, v in value.items()}
        if isinstance(value, list):
            return [self._pick(v, i, count, where + (j,)) for j, v in enumerate(value)]
        m = RANGE.match(value) if isinstance(value, str) else None
        if not m:
            return value
        first, last = int(m[2], 0), int(m[3], 0)
        step, rest = divmod(last - first, count - 1)
        if rest or step < 1 or (step != 1 and not m[2].startswith("0x")):
            self.error(where, f"{where[-1]}: '{value}' does not spread over the {count} of {self._range_key(where)}")
            return m[1] + m[2] if m[1] else first
        return f"{m[1]}{first + step * i}" if m[1] else first + step * i

    @staticmethod
    def _range_key(where):
        return f"'{next(k for k in reversed(where) if isinstance(k, str) and RANGE.match(k))}'"

    def _find_stray_ranges(self, value, where):
        for k, v in value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ():
            self._find_stray_ranges(v, where + (k,))
        if isinstance(value, str) and where[:1] in (("devices",), ("known",)) and RANGE.match(value):
            self.error(where, f"{where[-1]}: '{value}' is a range but its name is not")

    # Variants -----------------------------------------------------------------------------------

    def _extend(self, path, folders, children):
        name = self.data.pop("extends")
        places = [f / f"{name}.yaml" for f in (path.parent, *folders)]
        found = next((p for p in places if p.is_file()), None)
        if found is None:
            there = {p.stem for f in (path.parent, *folders) for p in f.glob("*.yaml")}
            self.error(("extends",), f"extends: there is no board '{name}' beside this page or in boards/" + suggest(name, there))
            return
        if found.resolve() in children + (path.resolve(),):
            self.error(("extends",), f"extends: '{name}' extends this page in turn")
            return
        for key in ("board", "title"):
            if key not in self.data:
                self.error(("extends",), f"extends: the variant needs a '{key}:' of its own")
        parent = Page(found, folders, self.complaints, children + (path.resolve(),))
        inherited = {k: v for k, v in parent.data.items() if k not in ("machines", "board", "title")}
        self.data = self._merge(inherited, self.data, (), name)
        self.files += parent.files
        self.marks = {**parent.marks, **self.marks}
        self.parent = parent

    def _merge(self, base, delta, where, parent):
        out = dict(base)
        for k, v in delta.items():
            here = where + (k,)
            if len(where) == 1 and (v == "none" or v is None):
                if k not in base:
                    self.error(here, f"{k}: nothing to take away, {parent} has no '{k}' in {where[0]}" + suggest(k, base), key=True)
                out.pop(k, None)
            elif isinstance(v, dict) and isinstance(base.get(k), dict):
                out[k] = self._merge(base[k], v, here, parent)
            else:
                out[k] = v
        return out

    def linux_fragments(self):
        """The files `linux: fragment:` names, beside the page that names them."""
        names = (self.data.get("linux") or {}).get("fragment") or []
        if not names:
            return []
        where = ("linux", "fragment")
        folder = next(f for f in self.files if os.path.relpath(f) == self.mark(where).file).parent
        paths = [folder / name for name in ([names] if isinstance(names, str) else names)]
        for path in paths:
            if not path.is_file():
                self.error(where, f"linux.fragment: there is no {os.path.relpath(path)}")
        return paths
