"""The kinds of picture files that are compared: how each is made, and which readers must agree with convtool on it.

The sources are 29 by 19 pixels: rgb.ppm and grey.pgm of 8 bits, rgb16.ppm and grey16.pgm of 16, few.ppm of 8 colours,
greys.pgm of 4 greys, bits.pbm, and rgba.png.
"""

import dataclasses
import pathlib

import PIL.Image
import PIL.PngImagePlugin

import readers

# Why two correct readers may differ, and by how much at most.
EXACT = (0, "")
FLOOR = (1, "convtool rounds down, others to nearest")
BITS = (1, "others repeat the bits of a field or round down, which is less than a level off v * 255 / max")
INKS = (1, "ImageMagick rounds each ink to 16 bits before it multiplies, and the product once more")
HALF_STEP = (2**-16, "ImageMagick keeps 16 bits: half a step of 1 / 65535")


@dataclasses.dataclass
class Kind:
    name: str
    extension: str
    channels: int
    dtype: str
    make: object  # a shell command with {out}, or a function of the path
    readers: dict  # name: (largest difference, why); empty if convtool must refuse the picture
    expected: object = None  # a function that gives the values instead of a reader, or words of the refusal


def pil(source, mode, **options):
    """Makes a file with Pillow from a source, in a mode."""

    def make(path):
        PIL.Image.open(source).convert(mode).save(path, **options)

    return make


def exif(orientation):
    block = PIL.Image.Exif()
    block[0x0112] = orientation
    return block.tobytes()


def exif_in_text(name, method, **options):
    """Makes a PNG with the orientation in a text chunk, as ImageMagick did before PNG had the chunk eXIf."""

    def make(path):
        block = exif(8)
        digits = block.hex()
        lines = [digits[i : i + 72] for i in range(0, len(digits), 72)]
        text = PIL.PngImagePlugin.PngInfo()
        profile = "\n".join(["", name, f"{len(block):8}", *lines, ""])
        getattr(text, method)(f"Raw profile type {name}", profile, **options)
        PIL.Image.open("rgb.ppm").save(path, pnginfo=text)

    return make


def bmp():
    both = {"Pillow": EXACT, "ImageMagick": EXACT}
    netpbm = {**both, "bmptopnm": EXACT}
    yield Kind("1 bit", "bmp", 1, "u8", "convert bits.pbm -type bilevel bmp3:{out}", netpbm)
    yield Kind("1 bit, Pillow's", "bmp", 1, "u8", pil("bits.pbm", "1"), netpbm)
    yield Kind("1 bit, OS/2", "bmp", 1, "u8", "ppmtobmp -quiet -os2 -bpp 1 bits.pbm > {out}", netpbm)
    yield Kind("4 bits, palette", "bmp", 3, "u8", "ppmtobmp -quiet -windows -bpp 4 few.ppm > {out}", netpbm)
    yield Kind("4 bits, OS/2", "bmp", 3, "u8", "ppmtobmp -quiet -os2 -bpp 4 few.ppm > {out}", netpbm)
    yield Kind("8 bits, palette", "bmp", 3, "u8", "convert few.ppm -type palette -compress none bmp3:{out}", netpbm)
    yield Kind("8 bits, OS/2", "bmp", 3, "u8", "ppmtobmp -quiet -os2 -bpp 8 few.ppm > {out}", netpbm)
    yield Kind("8 bits, grey", "bmp", 1, "u8", pil("grey.pgm", "L"), netpbm)
    yield Kind("8 bits, version 4", "bmp", 3, "u8", "convert few.ppm -type palette -compress none bmp:{out}", both)
    yield Kind("8 bits, run lengths", "bmp", 3, "u8", "convert few.ppm -type palette -compress RLE bmp3:{out}", both)
    command = "convert greys.pgm -type palette -compress RLE bmp3:{out}"
    yield Kind("8 bits, run lengths, grey", "bmp", 1, "u8", command, both)
    yield Kind("24 bits", "bmp", 3, "u8", "convert rgb.ppm -type truecolor bmp3:{out}", netpbm)
    yield Kind("24 bits, OS/2", "bmp", 3, "u8", "convert rgb.ppm -type truecolor bmp2:{out}", netpbm)
    yield Kind("24 bits, version 5", "bmp", 3, "u8", "convert rgb.ppm -type truecolor bmp:{out}", both)
    yield Kind("32 bits with alpha", "bmp", 4, "u8", "convert rgba.png bmp:{out}", both)
    # ImageMagick takes the unused byte for alpha.
    yield Kind("32 bits, fourth byte unused", "bmp", 3, "u8", pil("rgba.png", "RGBA"), {"Pillow": EXACT})
    for kind in ("RGB555", "RGB565"):
        command = f"convert rgb.ppm -define bmp:subtype={kind} " + "bmp:{out}"
        yield Kind(f"16 bits, {kind}", "bmp", 3, "u8", command, {"Pillow": BITS, "ImageMagick": BITS})


def png():
    both = {"Pillow": EXACT, "ImageMagick": EXACT}
    for bits, source in ((1, "bits.pbm"), (2, "greys.pgm"), (4, "greys.pgm"), (8, "grey.pgm")):
        command = f"convert {source} -define png:color-type=0 -define png:bit-depth={bits} " + "{out}"
        yield Kind(f"grey, {bits} bits", "png", 1, "u8", command, {**both, "pngtopam": EXACT})
    command = "convert grey16.pgm -define png:color-type=0 -define png:bit-depth=16 {out}"
    yield Kind("grey, 16 bits", "png", 1, "u16", command, {**both, "pngtopam": EXACT})
    for bits, source in ((1, "bits.pbm"), (2, "greys.pgm"), (4, "few.ppm"), (8, "few.ppm")):
        command = f"convert {source} -define png:color-type=3 -define png:bit-depth={bits} " + "{out}"
        yield Kind(f"palette, {bits} bits", "png", 3, "u8", command, both)
    yield Kind("palette with alpha", "png", 4, "u8", "pnmtopng -quiet -transparent =red few.ppm > {out}", both)
    yield Kind("grey, one transparent", "png", 2, "u8", "pnmtopng -quiet -transparent =black grey.pgm > {out}", both)
    yield Kind("RGB, one transparent", "png", 4, "u8", "pnmtopng -quiet -transparent =red rgb.ppm > {out}", both)
    yield Kind("grey and alpha", "png", 2, "u8", pil("rgba.png", "LA"), both)
    yield Kind("RGB", "png", 3, "u8", pil("rgb.ppm", "RGB"), {**both, "pngtopam": EXACT})
    yield Kind("RGB, interlaced", "png", 3, "u8", "pnmtopng -quiet -interlace rgb.ppm > {out}", both)
    yield Kind("RGBA", "png", 4, "u8", pil("rgba.png", "RGBA"), both)
    sixteen = {"ImageMagick": EXACT}
    yield Kind("RGB, 16 bits", "png", 3, "u16", "convert rgb16.ppm {out}", {**sixteen, "pngtopam": EXACT})
    command = "convert rgb16.ppm grey16.pgm -alpha off -compose CopyOpacity -composite {out}"
    yield Kind("RGBA, 16 bits", "png", 4, "u16", command, sixteen)
    yield Kind("EXIF in a chunk", "png", 3, "u8", pil("rgb.ppm", "RGB", exif=exif(6)), {"Pillow": EXACT})

    yield Kind("EXIF in tEXt", "png", 3, "u8", exif_in_text("exif", "add_text"), both)
    yield Kind("EXIF in zTXt", "png", 3, "u8", exif_in_text("exif", "add_text", zip=True), both)
    yield Kind("EXIF in iTXt", "png", 3, "u8", exif_in_text("exif", "add_itxt", zip=True), {"Pillow": EXACT})


def jpeg():
    # All use the same library with the same method, so their values are the same.
    every = {"Pillow": EXACT, "ImageMagick": EXACT, "djpeg": EXACT}
    for name, options in (("baseline", ""), ("progressive", "-progressive"), ("restart markers", "-restart 1"),
                          ("optimized", "-optimize"), ("arithmetic", "-arithmetic"), ("4:4:4", "-sample 1x1"),
                          ("4:2:2", "-sample 2x1"), ("RGB", "-rgb")):
        yield Kind(name, "jpg", 3, "u8", f"cjpeg -quality 90 {options} rgb.ppm > " + "{out}", every)
    yield Kind("grey", "jpg", 1, "u8", "cjpeg -quality 90 grey.pgm > {out}", every)
    inks = {"Pillow": EXACT, "ImageMagick": INKS}
    yield Kind("CMYK", "jpg", 3, "u8", pil("rgb.ppm", "CMYK", quality=95), inks)
    yield Kind("CMYK, ImageMagick's", "jpg", 3, "u8", "convert rgb.ppm -colorspace CMYK -quality 95 {out}", inks)
    yield Kind("CMYK, progressive", "jpg", 3, "u8", pil("rgb.ppm", "CMYK", quality=95, progressive=True), inks)
    for orientation in range(1, 9):
        make = pil("rgb.ppm", "RGB", quality=95, exif=exif(orientation))
        yield Kind(f"EXIF orientation {orientation}", "jpg", 3, "u8", make, {"Pillow": EXACT, "ImageMagick": EXACT})


def webp():
    both = {"Pillow": EXACT, "ImageMagick": EXACT}
    yield Kind("lossy", "webp", 3, "u8", "cwebp -quiet -q 80 rgb.png -o {out}", {**both, "dwebp": EXACT})
    yield Kind("lossless", "webp", 3, "u8", "cwebp -quiet -lossless rgb.png -o {out}", {**both, "dwebp": EXACT})
    yield Kind("lossy with alpha", "webp", 4, "u8", "cwebp -quiet -q 80 rgba.png -o {out}", {"Pillow": EXACT})
    command = "cwebp -quiet -lossless -exact rgba.png -o {out}"
    yield Kind("lossless with alpha", "webp", 4, "u8", command, {"Pillow": EXACT})

    def short(path):
        PIL.Image.new("RGB", (16, 16), (255, 0, 0)).save(path, lossless=True)
        assert len(open(path, "rb").read()) < 32 + 12

    yield Kind("flat, in a few bytes", "webp", 3, "u8", short, {**both, "dwebp": EXACT})


def pnm():
    every = {"Pillow": EXACT, "ImageMagick": EXACT, "pnmtopnm": EXACT}
    grey16 = {"ImageMagick": EXACT, "pnmtopnm": EXACT}
    yield Kind("bitmap", "pbm", 1, "u8", "pnmtopnm bits.pbm > {out}", every)
    yield Kind("bitmap, text", "pbm", 1, "u8", "pnmtoplainpnm bits.pbm > {out}", every)
    yield Kind("grey", "pgm", 1, "u8", "pnmtopnm grey.pgm > {out}", every)
    yield Kind("grey, text", "pgm", 1, "u8", "pnmtoplainpnm grey.pgm > {out}", every)
    yield Kind("grey, 16 bits", "pgm", 1, "u16", "pnmtopnm grey16.pgm > {out}", grey16)
    yield Kind("grey, 16 bits, text", "pgm", 1, "u16", "pnmtoplainpnm grey16.pgm > {out}", grey16)
    yield Kind("RGB", "ppm", 3, "u8", "pnmtopnm rgb.ppm > {out}", every)
    yield Kind("RGB, text", "ppm", 3, "u8", "pnmtoplainpnm rgb.ppm > {out}", every)
    yield Kind("RGB, 16 bits", "ppm", 3, "u16", "pnmtopnm rgb16.ppm > {out}", grey16)
    for largest in (3, 100, 1023):
        others = dict.fromkeys(grey16 if largest > 255 else every, FLOOR)
        dtype = "u16" if largest > 255 else "u8"
        command = f"pamdepth -quiet {largest} rgb16.ppm > " + "{out}"
        yield Kind(f"largest value {largest}", "ppm", 3, dtype, command, others)
    spaced = "(printf 'P5 #c\\n29 #c\\n19 #c\\n255\\n'; tail -c 551 grey.pgm) > {out}"
    yield Kind("comments after spaces", "pgm", 1, "u8", spaced, {"ImageMagick": EXACT, "pnmtopnm": EXACT})
    glued = "(printf 'P5#c\\n29#c\\n19#c\\n255#c\\n'; tail -c 551 grey.pgm) > {out}"  # ImageMagick 7 refuses it
    yield Kind("comments after numbers", "pgm", 1, "u8", glued, {"pnmtopnm": EXACT})


def pfm_values():
    """The floats of rgb.pfm, whose rows are stored from the bottom up."""
    values = readers.numbers("f", pathlib.Path("rgb.pfm").read_bytes()[-4 * 3 * 29 * 19 :])
    return [value for y in reversed(range(19)) for value in values[3 * 29 * y : 3 * 29 * (y + 1)]]


def floats():
    source = {"the source": EXACT}
    yield Kind("PFM, RGB", "pfm", 3, "f32", "pamtopfm -endian little rgb.ppm > {out}", source, pfm_values)
    yield Kind("PFM, big-endian", "pfm", 3, "f32", "pamtopfm -endian big rgb.ppm > {out}", source, pfm_values)
    flat = "convtool apply rgb.pfm -k identity -o flat.exr"
    yield Kind("OpenEXR, rows", "exr", 3, "f32", flat + " && mv flat.exr {out}", source, pfm_values)
    for method in ("none", "rle", "zip", "piz"):
        command = f"{flat} && exrmaketiled -o -t 16 16 -z {method} flat.exr " + "{out}"
        yield Kind(f"OpenEXR, tiles, {method}", "exr", 3, "f32", command, source, pfm_values)
    parts = flat + " && exrmultipart -combine -i flat.exr:0 flat.exr:0 -o {out} -override 1"
    yield Kind("OpenEXR, two parts", "exr", 3, "f32", parts, source, pfm_values)


def tables():
    """The tables of pictures that are read, by their titles."""
    return {"BMP": bmp(), "PNG": png(), "JPEG": jpeg(), "WebP": webp(), "PNM": pnm(), "PFM and OpenEXR": floats()}
