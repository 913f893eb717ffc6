"""What convtool writes, and which readers must agree with the source on it."""

from kinds import EXACT, HALF_STEP

# source, type, output, its channels, readers
WRITTEN = [
    ("grey.pgm", "u8", "png", 1, {"Pillow": EXACT, "ImageMagick": EXACT, "pngtopam": EXACT}),
    ("grey16.pgm", "u16", "png", 1, {"Pillow": EXACT, "ImageMagick": EXACT, "pngtopam": EXACT}),
    ("ga.png", "u8", "png", 2, {"Pillow": EXACT, "ImageMagick": EXACT}),
    ("rgb.ppm", "u8", "png", 3, {"Pillow": EXACT, "ImageMagick": EXACT, "pngtopam": EXACT}),
    ("rgb16.ppm", "u16", "png", 3, {"ImageMagick": EXACT, "pngtopam": EXACT}),
    ("rgba.png", "u8", "png", 4, {"Pillow": EXACT, "ImageMagick": EXACT}),
    ("grey.pgm", "u8", "bmp", 1, {"Pillow": EXACT, "ImageMagick": EXACT, "bmptopnm": EXACT}),
    ("rgb.ppm", "u8", "bmp", 3, {"Pillow": EXACT, "ImageMagick": EXACT, "bmptopnm": EXACT}),
    ("rgb.ppm", "u8", "webp", 3, {"Pillow": EXACT, "ImageMagick": EXACT, "dwebp": EXACT}),
    ("grey.pgm", "u8", "pgm", 1, {"Pillow": EXACT, "ImageMagick": EXACT, "pnmtopnm": EXACT}),
    ("grey16.pgm", "u16", "pgm", 1, {"ImageMagick": EXACT, "pnmtopnm": EXACT}),
    ("rgb.ppm", "u8", "ppm", 3, {"Pillow": EXACT, "ImageMagick": EXACT, "pnmtopnm": EXACT}),
    ("rgb16.ppm", "u16", "pnm", 3, {"ImageMagick": EXACT, "pnmtopnm": EXACT}),
    ("grey.pgm", "u8", "tif", 1, {"Pillow": EXACT, "ImageMagick": EXACT, "tifftopnm": EXACT}),
    ("grey16.pgm", "u16", "tif", 1, {"Pillow": EXACT, "ImageMagick": EXACT, "tifftopnm": EXACT}),
    ("rgb.ppm", "u8", "tif", 3, {"Pillow": EXACT, "ImageMagick": EXACT, "tifftopnm": EXACT}),
    ("rgb16.ppm", "u16", "tif", 3, {"ImageMagick": EXACT, "tifftopnm": EXACT}),
    ("ga.png", "u8", "tif", 2, {"ImageMagick": EXACT}),
    ("rgba.png", "u8", "tif", 4, {"Pillow": EXACT, "ImageMagick": EXACT}),
    ("rgb.pfm", "f32", "tif", 3, {"ImageMagick": HALF_STEP}),
]
