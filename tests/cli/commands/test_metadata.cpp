// Metadata of pictures, as ExifTool and ImageMagick read it.
#include <doctest/doctest.h>

#include <string>

#include "support/program.h"
#include "support/skip.h"

namespace {

bool lacks(const char* program) {
  const TempFolder folder;
  if (run_shell(std::string("command -v ") + program, folder).code == 0) return false;
  skip(std::string(program) + " is not installed");
  return true;
}

/// Standard output of a command that succeeds.
std::string output_of(const std::string& command, const TempFolder& folder) {
  const ProgramResult result = run_shell(command, folder);
  CAPTURE(command);
  CAPTURE(result.err);
  CHECK(result.code == 0);
  return result.out;
}

/// in.FORMAT, of 8 by 6 pixels stored on their side, with all kinds of metadata, and icc.bin, which it contains.
void make_input(const std::string& format, const TempFolder& folder) {
  const ProgramResult result = run_shell(
      R"(set -e
python3 - <<'END'
import struct
def tag(text): return text.encode('ascii')
head = struct.pack('>IIIIII', 160, 0, 0x02100000, *struct.unpack('>3I', b'mntrRGB XYZ '))
head += struct.pack('>6H', 2024, 1, 2, 3, 4, 5) + b'acsp' + bytes(28) + struct.pack('>3I', 0xf6d6, 0x10000, 0xd32d)
head = head.ljust(128, b'\0') + struct.pack('>I', 1) + b'desc' + struct.pack('>II', 144, 16) + b'text' + bytes(4) + b'profile\0'
open('icc.bin', 'wb').write(head)
open('thumb.jpg', 'wb').write(b'\xff\xd8\xff\xdb' + bytes(40) + b'\xff\xd9')
open('in.ppm', 'wb').write(b'P6 8 6 255\n' + bytes(i * 5 % 256 for i in range(144)))
END
$CONVTOOL apply in.ppm -k identity -o in.)" +
          format + R"( -q
exiftool -q -overwrite_original '-icc_profile<=icc.bin' -Orientation#=6 -Make=Maker -Artist=Ann -ExposureTime=1/250 \
  -DateTimeOriginal='2024:01:02 03:04:05' -GPSLatitude=48.1 -GPSLatitudeRef=N -UserComment=hello -XMP-dc:Title=Title \
  -XMP-tiff:Orientation#=6 -XResolution=300 -YResolution=300 -ResolutionUnit=inches )" +
          (format == "tif" ? "" : "'-ThumbnailImage<=thumb.jpg' ") + "in." + format,
      folder);
  CAPTURE(format);
  CAPTURE(result.err);
  REQUIRE(result.code == 0);
}

constexpr const char* kTags =
    "-s -s -G1 -Orientation -IFD0:Make -IFD0:Artist -ExifIFD:ExposureTime -ExifIFD:DateTimeOriginal "
    "-ExifIFD:UserComment "
    "-GPS:GPSLatitude -XMP-dc:Title -IFD0:XResolution -IFD0:YResolution -IFD0:ResolutionUnit -IFD1:all -a ";
constexpr const char* kExpected =
    "[IFD0] Orientation: Horizontal (normal)\n"
    "[XMP-tiff] Orientation: Horizontal (normal)\n"
    "[IFD0] Make: Maker\n"
    "[IFD0] Artist: Ann\n"
    "[ExifIFD] ExposureTime: 1/250\n"
    "[ExifIFD] DateTimeOriginal: 2024:01:02 03:04:05\n"
    "[ExifIFD] UserComment: hello\n"
    "[GPS] GPSLatitude: 48 deg 6' 0.00\"\n"
    "[XMP-dc] Title: Title\n"
    "[IFD0] XResolution: 300\n"
    "[IFD0] YResolution: 300\n"
    "[IFD0] ResolutionUnit: inches\n";

const std::string kFormats[] = {"png", "jpg", "webp", "tif"};

}  // namespace

TEST_CASE("metadata come through from four formats to four, as ExifTool and ImageMagick read them") {
  if (lacks("exiftool") || lacks("identify")) return;
  for (const std::string& from : kFormats) {
    const TempFolder folder;
    make_input(from, folder);
    for (const std::string& to : kFormats) {
      const std::string out = "out." + to;
      CAPTURE(from);
      CAPTURE(to);
      const ProgramResult result = run_convtool({"apply", "in." + from, "-k", "identity", "-o", out}, folder);
      CHECK(result.code == 0);
      CHECK(result.err == "");
      CHECK(output_of("exiftool " + std::string(kTags) + out, folder) == kExpected);
      CHECK(output_of("exiftool -icc_profile -b " + out + " | cmp - icc.bin && echo same", folder) == "same\n");
      CHECK(output_of("exiftool -validate -error " + out, folder).find("Error") == std::string::npos);
      const std::string seen = output_of("identify -format '%wx%h %[profiles] %U %x' " + out + " 2>/dev/null", folder);
      CHECK(seen.find("6x8 ") == 0);
      CHECK(seen.find("icc") != std::string::npos);
      if (to == "tif" || to == "jpg") CHECK(seen.find("PixelsPerInch 300") != std::string::npos);
      if (to == "png")
        CHECK(output_of("exiftool -s3 -PNG-pHYs:PixelsPerUnitX " + out, folder) == "11811\n");  // a metre
    }
  }
}

TEST_CASE("a WebP with alpha carries metadata, lossless and lossy") {
  if (lacks("exiftool") || lacks("convert") || lacks("webpinfo") || lacks("dwebp")) return;
  const TempFolder folder;
  make_input("png", folder);
  output_of(
      "convert in.png -alpha set -channel A -evaluate set 40% alpha.png 2>/dev/null && "
      "exiftool -q -overwrite_original -EXIF:Artist=Ann alpha.png",
      folder);
  for (const std::string more : {"", " --quality 80"}) {
    CAPTURE(more);
    output_of("$CONVTOOL apply alpha.png -k identity -q -o out.webp" + more, folder);
    CHECK(output_of("exiftool -s -s -G1 -IFD0:Artist out.webp", folder) == "[IFD0] Artist: Ann\n");
    const std::string info = output_of("webpinfo out.webp", folder);  // whose exit status is that of the structure
    CHECK(info.find("No error detected") != std::string::npos);
    CHECK(info.find("VP8X") == info.rfind("VP8X"));
    CHECK(info.find("Alpha: 1") != std::string::npos);
    const std::string channels =
        output_of("dwebp -quiet out.webp -o back.png && identify -format '%[channels]' back.png", folder);
    CHECK((channels + " ").starts_with("srgba "));  // ImageMagick 7 adds their number
  }
}

TEST_CASE("--strip leaves out all metadata, and writes the bytes of a picture without any") {
  if (lacks("exiftool")) return;
  for (const std::string& from : kFormats) {
    const TempFolder folder;
    make_input(from, folder);
    for (const std::string& to : kFormats) {
      CAPTURE(from);
      CAPTURE(to);
      output_of("$CONVTOOL apply in." + from + " -k identity --strip -o out." + to + " && $CONVTOOL apply in." + from +
                    " -k identity -o plain.ppm -q && $CONVTOOL apply plain.ppm -k identity "
                    "-o plain." +
                    to + " && cmp out." + to + " plain." + to,
                folder);
    }
  }
}

TEST_CASE("a grey result leaves out the profile of an RGB picture, and keeps the rest") {
  if (lacks("exiftool")) return;
  const TempFolder folder;
  make_input("jpg", folder);
  for (const char* command : {"apply --gray -k identity", "edges --map normalize"}) {
    CAPTURE(command);
    const ProgramResult result = run_shell(std::string("$CONVTOOL ") + command + " in.jpg -o out.png", folder);
    CHECK(result.code == 0);
    CHECK(result.err ==
          "convtool: warning: in.jpg: its ICC profile is left out: it is for RGB, and the output is grey\n");
    CHECK(output_of("exiftool " + std::string(kTags) + "out.png", folder) == kExpected);
    CHECK(output_of("exiftool -s -icc_profile:all out.png", folder) == "");
  }
}

TEST_CASE("metadata that ImageMagick puts into texts of a PNG come through") {
  if (lacks("exiftool") || lacks("convert")) return;
  const TempFolder folder;
  make_input("jpg", folder);
  output_of("convert in.jpg old.png && $CONVTOOL apply old.png -k identity -o out.jpg", folder);
  const std::string text = output_of("exiftool " + std::string(kTags) + "out.jpg", folder);
  CHECK(text.find("[IFD0] Orientation: Horizontal (normal)\n") == 0);
  CHECK(text.find("[ExifIFD] ExposureTime: 1/250\n") != std::string::npos);
  CHECK(text.find("IFD1") == std::string::npos);
}

TEST_CASE("the descriptive tags of a TIFF come through without directories of camera and place, for each page") {
  if (lacks("exiftool") || lacks("python3")) return;
  const TempFolder folder;
  folder.write("in.pgm", "P5 2 2 255\nabcd");
  output_of(
      "$CONVTOOL apply in.pgm -k identity -o plain.tif -q && cp plain.tif in.tif && "
      "exiftool -q -overwrite_original -Artist=Ann -Copyright=C -ImageDescription='A scan' -Make=M -Model=N "
      "-Software=S -ModifyDate='2024:01:02 03:04:05' in.tif",
      folder);
  const std::string tags =
      "exiftool -s -s -G1 -a -Artist -Copyright -ImageDescription -Make -Model -Software -ModifyDate ";
  const std::string expected =
      "[IFD0] Artist: Ann\n[IFD0] Copyright: C\n[IFD0] ImageDescription: A scan\n[IFD0] Make: M\n[IFD0] Model: N\n"
      "[IFD0] Software: S\n[IFD0] ModifyDate: 2024:01:02 03:04:05\n";
  REQUIRE(output_of(tags + "in.tif", folder) == expected);
  for (const std::string& to : kFormats) {
    CAPTURE(to);
    output_of("$CONVTOOL apply in.tif -k identity -q -o out." + to, folder);
    CHECK(output_of(tags + "out." + to, folder) == expected);
    CHECK(output_of("exiftool -validate -error out." + to, folder).find("Error") == std::string::npos);
    if (to != "tif")  // whose storage has these tags
      CHECK(output_of("exiftool -s -IFD0:StripOffsets -IFD0:Compression -IFD0:ImageWidth out." + to, folder) == "");
  }

  if (lacks("convert")) return;
  output_of(
      "convert plain.tif plain.tif pages.tif && exiftool -q -overwrite_original -IFD1:Artist=Ann pages.tif && "
      "$CONVTOOL apply pages.tif --pages all -k identity -q -o out.tif",
      folder);
  CHECK(output_of("exiftool -s -s -G1 -a -Artist out.tif", folder) == "[IFD1] Artist: Ann\n");
}

TEST_CASE("a TIFF without descriptive tags, or whose description is of its storage, makes no EXIF") {
  if (lacks("exiftool")) return;
  const TempFolder folder;
  folder.write("in.pgm", "P5 2 2 255\nabcd");
  output_of("$CONVTOOL apply in.pgm -k identity -o plain.tif -q", folder);
  for (const std::string set : {"-XResolution=300 -Orientation#=1", "-ImageDescription='{\"shape\": [2, 2]}'",
                                "-ImageDescription='ImageJ=1.54f images=3'"}) {
    CAPTURE(set);
    output_of("cp plain.tif in.tif && exiftool -q -overwrite_original " + set + " in.tif && " +
                  "$CONVTOOL apply in.tif -k identity -q -o out.png",
              folder);
    CHECK(output_of("exiftool -s -EXIF:all out.png", folder) == "");
  }
}
