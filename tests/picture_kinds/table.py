#!/usr/bin/python3
"""Compares convtool with other programs on every kind of picture: table.py CONVTOOL.

Makes pictures with ImageMagick, Pillow, Netpbm, libtiff's and other codecs' tools, reads them with convtool and with
those programs, and compares all values; then the same for what convtool writes. Prints a table, with the largest
difference of each reader and the difference that is allowed, in levels of the type (floats: absolute). Exits 1 if
anything differs by more. Where a program is missing, prints "SKIPPED: " and the reason, and exits 1 only if
CONVTOOL_TESTS_NO_SKIP is set.
"""

import json
import os
import pathlib
import shutil
import subprocess
import sys
import tempfile

PROGRAMS = {"convert": "imagemagick", "pamdepth": "netpbm", "tiffcp": "libtiff-tools", "cjpeg": "libjpeg-turbo-progs",
            "cwebp": "webp", "exrmaketiled": "openexr", "exrmultipart": "openexr"}
WIDTH, HEIGHT = 29, 19


def skip(reason):
    print("SKIPPED: picture_kinds: " + reason)
    sys.exit(1 if os.environ.get("CONVTOOL_TESTS_NO_SKIP") else 0)


try:
    import PIL.Image
except ImportError:
    skip("python3-pil is not installed")

sys.dont_write_bytecode = True  # no __pycache__ in the source tree

import kinds
import readers
import tiff
import written


def make_sources():
    """The source pictures, in the working folder: gradients and noise, in binary PNM and PNG."""
    count = WIDTH * HEIGHT
    noise = [(i * 2654435761 >> 7) % 65536 for i in range(4 * count)]  # a multiplicative hash
    ramp = [65535 * i // (count - 1) for i in range(count)]
    colours = [v for i in range(count) for v in (ramp[i], 65535 - ramp[i], noise[i])]

    def write(name, kind, largest, values):
        size = 1 if largest < 256 else 2
        data = b"".join(int(v).to_bytes(size, "big") for v in values)
        pathlib.Path(name).write_bytes(f"{kind}\n{WIDTH} {HEIGHT}\n{largest}\n".encode() + data)

    write("rgb16.ppm", "P6", 65535, colours)
    write("grey16.pgm", "P5", 65535, noise[:count])
    write("rgb.ppm", "P6", 255, [v >> 8 for v in colours])
    write("grey.pgm", "P5", 255, [v >> 8 for v in noise[:count]])
    write("greys.pgm", "P5", 255, [(v >> 14) * 85 for v in noise[:count]])
    # Runs of 8 saturated colours, among them red, and of noise.
    indices = [i // 40 % 8 if i % 3 else noise[i] % 8 for i in range(count)]
    write("few.ppm", "P6", 255, [255 * (index >> c & 1) for index in indices for c in range(3)])
    stride = (WIDTH + 7) // 8
    bits = bytes(v >> 8 for v in noise[: stride * HEIGHT])
    pathlib.Path("bits.pbm").write_bytes(f"P4\n{WIDTH} {HEIGHT}\n".encode() + bits)
    rgba = PIL.Image.open("rgb.ppm").convert("RGBA")
    rgba.putalpha(PIL.Image.open("grey.pgm"))
    rgba.save("rgba.png")
    rgba.convert("LA").save("ga.png")
    PIL.Image.open("rgb.ppm").save("rgb.png")
    readers.run("pamtopfm rgb.ppm > rgb.pfm")


def read_by_convtool(path):
    """The picture, and the type that the program reports."""
    command = ["convtool", "apply", path, "-k", "identity", "--alpha", "filter", "-o", "read.npy", "--json"]
    done = subprocess.run(command, capture_output=True, text=True)
    if done.returncode != 0:
        raise RuntimeError("convtool: " + done.stderr.strip().removeprefix("convtool: "))
    return readers.npy("read.npy"), json.loads(done.stdout)["input_dtype"]


def refusal(path, words):
    """0 if convtool refuses the picture in these words, otherwise what it does."""
    try:
        read_by_convtool(path)
    except RuntimeError as error:
        return 0 if words in str(error) else str(error)
    return "is read, and should be refused"


def difference(one, other, dtype):
    """The largest difference of two pictures, or a text if their sizes differ."""
    if (one.width, one.height) != (other.width, other.height):
        return f"{one.width}x{one.height} instead of {other.width}x{other.height}"
    full = readers.FULL.get(dtype, 1.0)
    return max(abs(a - b) for a, b in zip(one.as_rgba(full), other.as_rgba(full)))


class Table:
    def __init__(self):
        self.failed = 0
        self.rows = 0
        self.reasons = {}

    def row(self, kind, reader, found, allowed):
        limit, why = allowed
        is_right = not isinstance(found, str) and found <= limit
        self.rows += 1
        self.failed += not is_right
        if why:
            self.reasons[why] = limit
        text = found if isinstance(found, str) else f"{found:.7g}"
        verdict = "" if is_right else " FAILED"
        print(f"| {kind:<44} | {reader:<12} | {text:<12} | {limit:<12.7g} |{verdict}")

    def head(self, title, first):
        print(f"\n{title}\n\n| {first:<44} | {'compared':<12} | {'differs by':<12} | {'allowed':<12} |")
        print(f"| {'-' * 44} | {'-' * 12} | {'-' * 12} | {'-' * 12} |")


def compare_read(table, kind):
    path = f"kind.{kind.extension}"
    name = kind.name
    if kind.readers:
        name += f": {kind.dtype}, {kind.channels} channel" + ("s" if kind.channels > 1 else "")
    try:
        kind.make(path) if callable(kind.make) else readers.run(kind.make.format(out=path))
        if not kind.readers:
            table.row(name, "convtool", refusal(path, kind.expected), kinds.EXACT)
            return
        got, dtype = read_by_convtool(path)
        if (dtype, got.channels) != (kind.dtype, kind.channels):
            raise RuntimeError(f"read as {dtype}, {got.channels} channels")
    except Exception as error:
        table.row(name, "convtool", str(error), kinds.EXACT)
        return
    for reader, allowed in kind.readers.items():
        try:
            if kind.expected:
                other = readers.Picture(got.width, got.height, got.channels, kind.expected())
            else:
                other = readers.READERS[reader](path, dtype)
            table.row(name, reader, difference(got, other, dtype), allowed)
        except Exception as error:
            table.row(name, reader, str(error), allowed)


def compare_written(table, source, dtype, extension, channels, others):
    path = f"written.{extension}"
    name = f"{extension}: {dtype}, {channels} channel" + ("s" if channels > 1 else "")
    try:
        readers.run(f"convtool apply {source} -k identity --alpha filter -o {path}")
        expected, _ = read_by_convtool(source)
    except Exception as error:
        table.row(name, "convtool", str(error), kinds.EXACT)
        return
    for reader, allowed in others.items():
        try:
            table.row(name, reader, difference(readers.READERS[reader](path, dtype), expected, dtype), allowed)
        except Exception as error:
            table.row(name, reader, str(error), allowed)


def main():
    convtool = pathlib.Path(sys.argv[1]).resolve()
    for program, package in PROGRAMS.items():
        if shutil.which(program) is None:
            skip(package + " is not installed")
    with tempfile.TemporaryDirectory() as folder:
        os.chdir(folder)
        os.environ["PATH"] = f"{convtool.parent}:{os.environ['PATH']}"
        make_sources()
        table = Table()
        for title, rows in {**kinds.tables(), **tiff.tables()}.items():
            table.head(title + ", read", "kind, type, channels")
            for kind in rows:
                compare_read(table, kind)
        table.head("Written", "format, type, channels")
        for row in written.WRITTEN:
            compare_written(table, *row)
        print("\nAllowed differences:")
        for why, limit in table.reasons.items():
            print(f"  {limit:.7g}: {why}")
        print(f"\n{table.rows - table.failed} comparisons passed, {table.failed} failed")
        os.chdir("/")
    sys.exit(1 if table.failed else 0)


main()
