"""The kinds of TIFF that are compared, as in kinds.py. Lab is not among them: programs give it different whites."""

import array
import pathlib

import readers
from kinds import EXACT, FLOOR, HALF_STEP, Kind, pil

BOTH = {"Pillow": EXACT, "ImageMagick": EXACT}
MAGICK = {"ImageMagick": EXACT}
EVERY = {**BOTH, "tifftopnm": EXACT}


def magick(source, options):
    return f"convert {source} {options} " + "tiff:{out}"


def with_compression(code, tile=""):
    """Makes a TIFF that says that its pixels are in this compression, which they are not."""

    def make(path):
        readers.run(f"convert grey.pgm -compress none {tile} -define tiff:endian=lsb tiff:{path}")
        data = bytearray(pathlib.Path(path).read_bytes())
        at = int.from_bytes(data[4:8], "little")
        for i in range(int.from_bytes(data[at : at + 2], "little")):
            entry = at + 2 + 12 * i
            if int.from_bytes(data[entry : entry + 2], "little") == 259:
                data[entry + 8 : entry + 10] = code.to_bytes(2, "little")
        pathlib.Path(path).write_bytes(data)

    return make


def samples():
    grey = "-colorspace Gray -compress none"
    for white in ("", ", white is 0"):
        polarity = "-define quantum:polarity=min-is-" + ("white" if white else "black")
        yield Kind("1 bit" + white, "tif", 1, "u8", magick("bits.pbm", f"-compress none {polarity}"), BOTH)
        for bits in (2, 4):
            command = magick("greys.pgm", f"{grey} -depth {bits} {polarity}")
            # ImageMagick 6 reads them as if black were 0.
            yield Kind(f"{bits} bits{white}", "tif", 1, "u8", command, {"Pillow": EXACT} if white else BOTH)
        yield Kind("8 bits" + white, "tif", 1, "u8", magick("grey.pgm", f"{grey} {polarity}"), EVERY)
        yield Kind("16 bits" + white, "tif", 1, "u16", magick("grey16.pgm", f"{grey} {polarity}"), MAGICK)
    for bits in (10, 12, 14):
        command = magick("grey16.pgm", f"{grey} -depth {bits}")
        yield Kind(f"{bits} bits", "tif", 1, "u16", command, {"ImageMagick": FLOOR})
    yield Kind("16 bits, Pillow's", "tif", 1, "u16", pil("grey16.pgm", "I;16"), MAGICK)
    u32 = magick("grey16.pgm", f"{grey} -depth 32")
    yield Kind("32 bits", "tif", 1, "f32", u32, {"the source": (128, "half a step of f32 below 2^32")}, u32_values)
    floats = {"ImageMagick": HALF_STEP}
    half = "-compress zip -depth 16 -define quantum:format=floating-point"
    for name, options in (("half floats", half), ("floats", half.replace("16", "32"))):
        yield Kind(name, "tif", 1, "f32", magick("grey16.pgm", f"-colorspace Gray {options}"), floats)
        yield Kind(name + ", RGB", "tif", 3, "f32", magick("rgb16.ppm", options), floats)
    yield Kind("floats, Pillow's", "tif", 1, "f32", pil("grey.pgm", "F"), {"Pillow": EXACT})
    yield Kind("integers, Pillow's", "tif", 1, "f32", pil("grey.pgm", "I"), {"Pillow": EXACT})


def u32_values():
    values = array.array("H", pathlib.Path("grey16.pgm").read_bytes()[-2 * 29 * 19 :])
    values.byteswap()
    return [value * 65537 for value in values]


def colours():
    for bits, source in ((1, "bits.pbm"), (2, "greys.pgm"), (4, "few.ppm"), (8, "rgb.ppm -colors 200")):
        command = magick(source, f"-type palette -compress none -depth {bits}")
        yield Kind(f"palette, {bits} bits", "tif", 3, "u8", command, BOTH)
    yield Kind("RGB", "tif", 3, "u8", magick("rgb.ppm", "-type truecolor -compress none"), EVERY)
    yield Kind("RGB, 16 bits", "tif", 3, "u16", magick("rgb16.ppm", "-compress none"), MAGICK)
    command = magick("rgb16.ppm", "-compress none -define tiff:endian=msb")
    yield Kind("RGB, big-endian", "tif", 3, "u16", command, MAGICK)
    yield Kind("RGB, BigTIFF", "tif", 3, "u8", "convert rgb.ppm -compress none tiff64:{out}", MAGICK)
    for bits, source, others in ((8, "rgb.ppm", BOTH), (16, "rgb16.ppm", MAGICK)):
        command = magick(source, "-type truecolor -compress none -interlace plane")
        yield Kind(f"RGB in planes, {bits} bits", "tif", 3, f"u{bits}", command, others)
    yield Kind("grey and alpha", "tif", 2, "u8", pil("rgba.png", "LA"), BOTH)
    command = magick("ga.png", "-colorspace Gray -compress none -depth 16 -define tiff:alpha=unassociated")
    yield Kind("grey and alpha, 16 bits", "tif", 2, "u16", command, MAGICK)
    quotient = {"ImageMagick": (1, "associated alpha: ImageMagick rounds the quotient by alpha to 16 bits first")}
    # ImageMagick 7 writes the square of associated alpha. Where that is rounded to 0 and colours are not, their quotient
    # has no value.
    no_faint = "-channel A -fx 'u<1/16?0:u' +channel"
    for alpha, options, others in (("unassociated", "", MAGICK), ("associated", no_faint, quotient)):
        define = f"{options} -compress none -define tiff:alpha={alpha}"
        yield Kind(f"RGB, {alpha} alpha", "tif", 4, "u8", magick("rgba.png", define), others)
        yield Kind(f"RGB, {alpha} alpha, 16 bits", "tif", 4, "u16", magick("rgba.png", f"-depth 16 {define}"), others)
    yield Kind("CMYK", "tif", 3, "u8", pil("rgb.ppm", "CMYK"), BOTH)
    yield Kind("CMYK, 16 bits", "tif", 3, "u16", magick("rgb16.ppm", "-colorspace CMYK -compress none"), MAGICK)


def compressions():
    for method in ("None", "LZW", "Zip", "RLE", "WebP", "ZSTD", "LZMA"):
        command = magick("rgb.ppm", f"-type truecolor -compress {method}")
        yield Kind(f"compression {method}", "tif", 3, "u8", command, MAGICK)
    command = magick("rgb.ppm", "-type truecolor -compress JPEG -quality 90")
    yield Kind("compression JPEG", "tif", 3, "u8", command, BOTH)
    for method in ("Fax", "Group4"):
        yield Kind(f"compression {method}", "tif", 1, "u8", magick("bits.pbm", f"-compress {method}"), BOTH)
    for method in ("lzw", "flate", "packbits"):
        command = f"pamtotiff -quiet -truecolor -{method} rgb.ppm > " + "{out}"
        yield Kind(f"Netpbm's {method}", "tif", 3, "u8", command, EVERY)
    for code in (32766, 32895, 32908, 33003, 33005, 34712, 34661, 50002):
        for tile in ("", "-define tiff:tile-geometry=16x16"):
            name = f"compression {code}" + (", tiles" if tile else "")
            yield Kind(name, "tif", 0, "", with_compression(code, tile), {}, "cannot be read")


def orientations():
    turns = ("TopLeft", "TopRight", "BottomRight", "BottomLeft", "LeftTop", "RightTop", "RightBottom", "LeftBottom")
    layouts = (
        ("grey", "grey.pgm", 1, "-colorspace Gray"),
        ("white is 0", "grey.pgm", 1, "-colorspace Gray -define quantum:polarity=min-is-white"),
        ("16 bits", "grey16.pgm", 1, "-colorspace Gray"),
        ("palette", "rgb.ppm -colors 200", 3, "-type palette -depth 8"),
        ("RGB", "rgb.ppm", 3, "-type truecolor"),
        ("planes", "rgb.ppm", 3, "-type truecolor -interlace plane"),
        ("RGBA", "rgba.png", 4, "-define tiff:alpha=unassociated"),
    )
    for tile in ("", "-define tiff:tile-geometry=16x16"):
        for name, source, channels, options in layouts:
            for turn in turns:
                command = magick(source, f"-compress LZW {options} {tile} -orient {turn}")
                kind = f"{name}, {turn}" + (", tiles" if tile else "")
                yield Kind(kind, "tif", channels, "u16" if name == "16 bits" else "u8", command, MAGICK)


def tables():
    return {
        "TIFF, samples": samples(),
        "TIFF, colours": colours(),
        "TIFF, compressions": compressions(),
        "TIFF, orientations": orientations(),
    }
