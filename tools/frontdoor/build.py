"""Configuring with meson and building with ninja, one line of progress."""
import os
import pathlib
import re
import shlex
import shutil
import subprocess

from screen import Progress, fail

ROOT = pathlib.Path(__file__).resolve().parents[2]
NATIVE = pathlib.Path(os.environ.get("PINSTRAP_BUILD", ROOT / "build")).resolve()


def folder(kind):
    """A build of its own beside the native one: build-clang, build-asan."""
    return NATIVE.with_name(f"{NATIVE.name}-{kind}")


def configure(build=NATIVE, options=(), compilers=None):
    """Sets the folder up, or changes these options of it; nothing when it has them already."""
    stamp = build / ".pinstrap-options"
    wanted = "\n".join([*options, *map("=".join, sorted((compilers or {}).items()))])
    ready = (build / "build.ninja").is_file()
    if ready and (not options and not stamp.exists() or stamp.exists() and stamp.read_text() == wanted):
        return
    command = ["meson", "configure", str(build)] if ready else ["meson", "setup", str(build), str(ROOT)]
    if ready and not options:
        return
    progress = Progress(f"configuring {build.name}")
    progress.show("")
    done = subprocess.run([*command, *options], cwd=ROOT, env={**os.environ, **(compilers or {})}, text=True,
                          stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
    if done.returncode:
        progress.done("failed")
        if not ready:
            shutil.rmtree(build, ignore_errors=True)
        fail(f"meson could not configure {build.name}:\n{done.stdout.strip()}")
    stamp.write_text(wanted)
    progress.done()


def compile(build=NATIVE, targets=(), what=None, all_errors=False):
    """Builds; True when that worked, else the compiler's words are on the screen, those of one step or of all."""
    progress = Progress(what or "building")
    process = subprocess.Popen(["ninja", "-C", str(build), "-k", "0" if all_errors else "1", *targets], text=True, errors="replace",
                               env={**os.environ, "NINJA_STATUS": "[%f/%t] "}, stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
    steps, meson = 0, None  # meson: what it says while it configures again, shown only if it fails
    for line in process.stdout:
        if m := re.match(r"\[(\d+)/(\d+)\] (.*)", line):
            steps, meson = int(m[2]), [] if m[3].startswith("Regenerating") else None
            progress.show(f"{m[1]}/{m[2]}  {short(m[3])}")
        elif meson is not None and not line.startswith("FAILED"):
            meson.append(line)
        elif not line.startswith(("ninja: Entering directory", "ninja: no work to do")):
            print("".join(meson or []), end="")
            meson = None
            progress.clear()
            print(line, end="", flush=True)
    if process.wait():
        print("".join(meson or []), end="")
        progress.done("failed")
        return False
    progress.clear()
    if steps > 3:
        progress.done(f"done, {steps} steps")
    return True


def short(step):
    """`Compiling C++ object accel/libaccel.a.p/tcg_ir.cpp.o` -> `tcg_ir.cpp`."""
    name = step.split()[-1]
    return os.path.basename(name).removesuffix(".o") if step.startswith("Compiling") else step


def boards(build=NATIVE):
    """The boards this folder has or had, by name."""
    made = [p.name.removeprefix("pinstrap-") for p in (build / "boards").glob("pinstrap-*") if p.is_file() and "." not in p.name]
    pages = [p.stem for p in (ROOT / "boards").glob("*.yaml")]
    return sorted({*made, *pages, *(pathlib.Path(p).stem for p in extra_boards(build))})


def extra_boards(build=NATIVE):
    """Board pages outside boards/ that this folder builds."""
    note = build / ".pinstrap-extra-boards"
    return note.read_text().split("\n") if note.is_file() and note.read_text() else []


def add_extra_boards(paths, build=NATIVE):
    """Adds pages to those the folder builds; pages that went away are dropped, one of the same name is replaced."""
    names = {pathlib.Path(p).stem for p in paths}
    kept = [p for p in extra_boards(build) if pathlib.Path(p).is_file() and pathlib.Path(p).stem not in names]
    set_extra_boards(kept + [str(p) for p in paths], build)


def set_extra_boards(paths, build=NATIVE):
    if paths == extra_boards(build):
        return
    value = ",".join("'" + p.replace("'", "\\'") + "'" for p in paths)
    done = subprocess.run(["meson", "configure", str(build), f"-Dextra_boards=[{value}]"], cwd=ROOT, text=True,
                          stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
    if done.returncode:
        fail(f"meson did not take the board page:\n{done.stdout.strip()}")
    (build / ".pinstrap-extra-boards").write_text("\n".join(paths))


def example(build=NATIVE):
    """Builds examples/hello-uart; the program's path."""
    out = build / "examples"
    done = subprocess.run(["make", "-s", "-C", str(ROOT / "examples/hello-uart"), f"OUT={out}"], text=True,
                          stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
    if done.returncode:
        fail(f"examples/hello-uart does not build:\n{done.stdout.strip()}")
    return out / "hello.elf"


def shown(command):
    """A command line as one would type it, from the project's folder."""
    return shlex.join(c.replace(f"{ROOT}/", "") for c in command)
