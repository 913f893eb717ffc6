"""Reads picture files with other programs, for comparison: Pillow, ImageMagick, Netpbm and libtiff's tools."""

import array
import dataclasses
import subprocess
import sys

import PIL.Image
import PIL.ImageOps

FULL = {"u8": 255, "u16": 65535}


@dataclasses.dataclass
class Picture:
    width: int
    height: int
    channels: int  # 1 grey, 2 grey and alpha, 3 RGB, 4 RGB and alpha
    values: list  # row by row, pixel by pixel, channel by channel

    def as_rgba(self, full):
        """The values with grey as R = G = B, and alpha `full` where there is none."""
        values = []
        for i in range(0, len(self.values), self.channels):
            pixel = self.values[i : i + self.channels]
            colour = pixel[:1] * 3 if self.channels < 3 else pixel[:3]
            values += colour + (pixel[-1:] if self.channels % 2 == 0 else [full])
        return values


def run(command, stdin=None):
    """The standard output of a shell command. Raises RuntimeError with its messages if it fails."""
    done = subprocess.run(command, shell=True, input=stdin, capture_output=True)
    if done.returncode != 0:
        raise RuntimeError(command + ": " + done.stderr.decode(errors="replace").strip())
    return done.stdout


def numbers(kind, data, swap=False):
    """Numbers of an array's type code, little-endian unless `swap`."""
    values = array.array(kind, data)
    if swap != (sys.byteorder == "big"):
        values.byteswap()
    return values.tolist()


def npy(path):
    """A tensor of C x H x W in f32, as convtool writes it."""
    data = open(path, "rb").read()
    length = int.from_bytes(data[8:10], "little")
    shape = eval(data[10 : 10 + length])["shape"]
    planes = numbers("f", data[10 + length :])
    channels, height, width = shape
    size = height * width
    return Picture(width, height, channels, [planes[c * size + i] for i in range(size) for c in range(channels)])


def pnm(data, full):
    """A binary PNM without comments, scaled to 0..full."""
    fields, at = [], 0
    kind = data[:2]
    while len(fields) < (3 if kind == b"P4" else 4):
        end = at
        while not data[end : end + 1].isspace():
            end += 1
        fields.append(data[at:end])
        at = end + 1
    width, height = int(fields[1]), int(fields[2])
    channels = 3 if kind == b"P6" else 1
    if kind == b"P4":
        stride = (width + 7) // 8
        bits = [data[at + y * stride + x // 8] >> (7 - x % 8) & 1 for y in range(height) for x in range(width)]
        return Picture(width, height, 1, [full * (1 - bit) for bit in bits])
    largest = int(fields[3])
    count = width * height * channels
    values = list(data[at : at + count]) if largest < 256 else numbers("H", data[at : at + 2 * count], swap=True)
    return Picture(width, height, channels, [value * full / largest for value in values])


def magick(path, dtype):
    """ImageMagick's values. Its build for Debian has 16 bits per value, so floats outside of 0..1 are lost."""
    width, height = map(int, run(f"convert {path}[0] -auto-orient -format '%w %h' info:").split())
    if dtype == "f32":
        data = run(f"convert {path}[0] -depth 32 -define quantum:format=floating-point -endian LSB rgba:-")
        return Picture(width, height, 4, numbers("f", data))
    bits = 8 if dtype == "u8" else 16
    data = run(f"convert {path}[0] -auto-orient -depth {bits} -endian LSB rgba:-")
    return Picture(width, height, 4, numbers("B" if bits == 8 else "H", data))


def pillow(path, dtype):
    """Pillow's values. It has no type for more than 8 bits per channel, except for grey."""
    with PIL.Image.open(path) as image:
        image = PIL.ImageOps.exif_transpose(image)
        has_alpha = image.mode in ("LA", "PA", "RGBA") or "transparency" in image.info
        if image.mode in ("P", "PA") or "transparency" in image.info:
            image = image.convert("RGBA" if has_alpha else "RGB")
        if image.mode in ("CMYK", "LAB"):
            image = image.convert("RGB")
        if image.mode == "1":
            image = image.convert("L")
        values = list(image.getdata())
        channels = len(image.getbands())
        return Picture(*image.size, channels, values if channels == 1 else [v for pixel in values for v in pixel])


def netpbm(program):
    """A reader by one of Netpbm's or another codec's programs that writes PNM."""
    return lambda path, dtype: pnm(run(f"{program} {path}"), FULL[dtype])


READERS = {
    "Pillow": pillow,
    "ImageMagick": magick,
    "bmptopnm": netpbm("bmptopnm -quiet"),
    "pngtopam": netpbm("pngtopam -quiet"),
    "djpeg": netpbm("djpeg -pnm"),
    "dwebp": lambda path, dtype: pnm(run(f"dwebp -quiet {path} -ppm -o -"), 255),
    "tifftopnm": netpbm("tifftopnm -quiet -byrow"),
    "pnmtopnm": netpbm("pnmtopnm"),
}
