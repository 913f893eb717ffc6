// Metadata from files to files.
#include <doctest/doctest.h>

#include <string>
#include <vector>

#include "files/byte_reader.h"
#include "pictures/decode_image.h"
#include "pictures/encode_image.h"
#include "pictures/metadata/exif_block.h"
#include "pictures/metadata/metadata.h"
#include "pictures/metadata/parts.h"
#include "pictures/pixel_values.h"

using namespace convtool;
using namespace convtool::testing;

namespace {

const char* const kFormats[] = {"png", "jpeg", "webp", "tiff"};

Image picture(PixelFormat format = PixelFormat::rgb) {
  const Image image(DType::u8, format, 12, 16);
  set_values<std::uint8_t>(image.all(), [](std::int64_t i) { return static_cast<std::uint8_t>(i * 7); });
  return image;
}

PictureMetadata all_parts(bool big_endian = false) {
  return {.profile = profile("RGB "),
          .exif = clean_exif(exif_block(big_endian)),
          .xmp = to_bytes(xmp_packet()),
          .resolution = Resolution{300, 300, Resolution::Unit::inch}};
}

Bytes write(const char* format, const PictureMetadata& metadata, PixelFormat pixels = PixelFormat::rgb) {
  return encode_image(picture(pixels), *find_picture_format(format), {}, metadata);
}

PictureMetadata read(std::span<const std::byte> file) { return read_metadata(file, read_picture_header(file)); }

std::string texts(const std::vector<Remark>& remarks) {
  std::string all;
  for (const Remark& remark : remarks) all += remark.text + (remark.once ? " (once)\n" : "\n");
  return all;
}

std::string fit(PictureMetadata& metadata, const char* format, std::optional<PixelFormat> pixels) {
  std::vector<Remark> remarks;
  fit_metadata(metadata, format, pixels, remarks);
  return texts(remarks);
}

/// The values in a block, whatever their byte order and places: tag, type, numbers or characters.
std::string listing(std::span<const std::byte> exif) {
  const TiffStructure block(exif);
  std::string text;
  const auto add = [&](const Directory& directory) {
    for (const DirectoryEntry& entry : directory.entries) {
      if (entry.tag == 34665) continue;
      text += std::to_string(entry.tag) + " " + std::to_string(entry.type);
      for (std::uint64_t i = 0; i < entry.count * (entry.type == 5 ? 2 : 1); ++i)
        text += " " + std::to_string(block.number(entry, i));
      text += "\n";
    }
  };
  const Directory first = block.directory(block.first());
  add(first);
  if (const DirectoryEntry* const camera = first.find(34665)) add(block.directory(*camera));
  return text;
}

void check_resolution(const std::optional<Resolution>& resolution, double x, double y, Resolution::Unit unit) {
  REQUIRE(resolution);
  CHECK(is_about(*resolution, Resolution{x, y, unit}));
}

Bytes with(const Bytes& file, std::size_t at, std::span<const std::byte> part) {
  Bytes whole = file;
  whole.insert(whole.begin() + static_cast<std::ptrdiff_t>(at), part.begin(), part.end());
  return whole;
}

constexpr std::size_t kAfterPngHeader = 8 + 25;

Bytes png_with(const std::string& type, std::span<const std::byte> data) {
  return with(write("png", {}), kAfterPngHeader, png_chunk(type, data));
}

Bytes jpeg_with(unsigned marker, std::span<const std::byte> data) {
  ByteWriter segment(true);
  segment.u8(0xff).u8(marker).u16(data.size() + 2).append(data);
  return with(write("jpeg", {}), 2, segment.bytes());
}

}  // namespace

TEST_CASE("every kind comes through from each format to each format, as bytes") {
  for (const bool big_endian : {false, true}) {
    const PictureMetadata parts = all_parts(big_endian);
    for (const char* from : kFormats)
      for (const char* to : kFormats) {
        const std::string names = std::string(from) + " " + to;
        CAPTURE(names);
        CAPTURE(big_endian);
        PictureMetadata carried = read(write(from, parts));
        CHECK(fit(carried, to, PixelFormat::rgb) == "");
        const PictureMetadata read_again = read(write(to, carried));
        CHECK((read_again.profile == parts.profile));
        CHECK((read_again.xmp == parts.xmp));
        CHECK(listing(read_again.exif) == listing(parts.exif));
        const bool is_tiff = names.find("tiff") != std::string::npos;
        if (!is_tiff) CHECK((read_again.exif == parts.exif));
        check_resolution(read_again.resolution, 300, 300, Resolution::Unit::inch);
        CHECK(texts(read_again.remarks) == "");
      }
  }
}

TEST_CASE("a part alone comes through") {
  for (const char* format : kFormats) {
    CAPTURE(format);
    const PictureMetadata all = all_parts();
    CHECK(read(write(format, {})).size() == 0);
    CHECK_FALSE(read(write(format, {})).resolution);
    CHECK((read(write(format, {.profile = all.profile})).profile == all.profile));
    CHECK((read(write(format, {.xmp = all.xmp})).xmp == all.xmp));
    CHECK(listing(read(write(format, {.exif = all.exif})).exif).find("37500 7 109 97") != std::string::npos);
  }
}

TEST_CASE("metadata change no pixel and no other byte of the pixels") {
  for (const char* format : kFormats)
    for (const PixelFormat pixels : {PixelFormat::grey, PixelFormat::rgb}) {
      CAPTURE(format);
      PictureMetadata parts = all_parts();
      fit(parts, format, pixels);
      const Bytes file = write(format, parts, pixels), plain = write(format, {}, pixels);
      CHECK(file.size() > plain.size());
      CHECK(values(decode_image(file, 1000).all()) == values(decode_image(plain, 1000).all()));
    }
}

TEST_CASE("float and BigTIFF-sized TIFF keep metadata") {
  const Image image(DType::f32, PixelFormat::grey, 3, 5);
  set_values<float>(image.all(), [](std::int64_t) { return 0.25F; });
  PictureMetadata parts = all_parts(true);
  parts.profile = profile("GRAY");
  const Bytes file = encode_image(image, *find_picture_format("tiff"), {}, parts);
  CHECK((read(file).profile == parts.profile));
  CHECK(listing(read(file).exif) == listing(parts.exif));
  CHECK(values(decode_image(file, 100).all()) == std::vector<double>(15, 0.25));
}

TEST_CASE("a format that cannot store a part says so, once a run") {
  const auto lost = [](const char* format, std::optional<PixelFormat> pixels) {
    PictureMetadata parts = all_parts();
    parts.resolution = Resolution{72, 72, Resolution::Unit::inch};  // EXIF says 300
    const std::string text = fit(parts, format, pixels);
    if (parts.size() > 0) write(format, parts);
    return text;
  };
  const auto all = [](const std::string& name) {
    return "its ICC profile is left out: " + name + " cannot store it (once)\nits EXIF is left out: " + name +
           " cannot store it (once)\nits XMP is left out: " + name +
           " cannot store it (once)\nits resolution is left out: " + name + " cannot store it (once)\n";
  };
  for (const char* name : {"bmp", "ppm", "pfm", "exr"}) CHECK(lost(name, PixelFormat::rgb) == all(name));
  CHECK(lost("npy", std::nullopt) == all("npy"));
  CHECK(lost("webp", PixelFormat::rgb) == "its resolution is left out: webp cannot store it (once)\n");
  for (const char* name : {"png", "jpeg", "tiff"}) CHECK(lost(name, PixelFormat::rgb) == "");
}

TEST_CASE("a profile for other colours than those of the output is left out") {
  const auto remark = [](const std::string& colours, const char* format, PixelFormat pixels) {
    PictureMetadata parts{.profile = profile(colours)};
    const std::string text = fit(parts, format, pixels);
    CHECK(parts.profile.empty() == !text.empty());
    return text;
  };
  CHECK(remark("RGB ", "png", PixelFormat::rgba) == "");
  CHECK(remark("GRAY", "png", PixelFormat::grey_alpha) == "");
  CHECK(remark("GRAY", "tiff", PixelFormat::grey) == "");
  CHECK(remark("RGB ", "jpeg", PixelFormat::grey) ==
        "its ICC profile is left out: it is for RGB, and the output is grey (once)\n");
  CHECK(remark("GRAY", "png", PixelFormat::rgb) ==
        "its ICC profile is left out: it is for GRAY, and the output is RGB (once)\n");
  CHECK(remark("CMYK", "jpeg", PixelFormat::rgb) ==
        "its ICC profile is left out: it is for CMYK, and the output is RGB (once)\n");
  CHECK(remark("GRAY", "webp", PixelFormat::grey) ==  // which becomes RGB
        "its ICC profile is left out: it is for GRAY, and the output is RGB (once)\n");
}

TEST_CASE("what does not fit into a segment of a JPEG is left out") {
  const auto remark = [](std::size_t exif, std::size_t xmp) {
    Bytes block = clean_exif(exif_block(false));
    block.resize(exif, std::byte{1});
    PictureMetadata parts{.exif = block, .xmp = Bytes(xmp, std::byte{'x'})};
    const std::string text = fit(parts, "jpeg", PixelFormat::rgb);
    const PictureMetadata read_again = read(write("jpeg", parts));
    CHECK((read_again.exif == parts.exif));
    CHECK((read_again.xmp == parts.xmp));
    return text;
  };
  CHECK(remark(65527, 65504) == "");
  CHECK(
      remark(65528, 65504) ==
      "its EXIF is left out: it has 65528 bytes, and jpeg stores at most 65527; write a .png, .webp or .tif (once)\n");
  CHECK(remark(65527, 65505) ==
        "its XMP is left out: it has 65505 bytes, and jpeg stores at most 65504; write a .png, .webp or .tif (once)\n");
}

TEST_CASE("XMP with a zero inside does not fit into the text of a PNG") {
  PictureMetadata parts{.xmp = ByteWriter().text("<x/>").u8(0).text("<y/>").bytes()};
  CHECK(fit(parts, "tiff", PixelFormat::rgb) == "");
  CHECK((read(write("tiff", parts)).xmp == parts.xmp));
  CHECK(fit(parts, "png", PixelFormat::rgb) == "its XMP is left out: png cannot store it (once)\n");
}

TEST_CASE("a profile in several segments of a JPEG, in any order") {
  const Bytes large = profile("RGB ", 150000);
  const Bytes file = write("jpeg", {.profile = large});
  CHECK((read(file).profile == large));

  const auto piece = [](unsigned number, unsigned count, std::span<const std::byte> data) {
    return ByteWriter().text("ICC_PROFILE").u8(0).u8(number).u8(count).append(data).bytes();
  };
  const Bytes whole = profile("RGB ");
  const auto joined = [&](std::initializer_list<Bytes> pieces) {
    Bytes all = write("jpeg", {});
    for (const Bytes& data : pieces)  // each before the others
      all = with(all, 2, ByteWriter(true).u16(0xffe2).u16(data.size() + 2).append(data).bytes());
    const PictureMetadata found = read(all);
    return found.profile == whole ? "whole" : texts(found.remarks);
  };
  const Bytes first = piece(1, 2, std::span(whole).first(100)), second = piece(2, 2, std::span(whole).subspan(100));
  const std::string damaged = "its ICC profile is left out: it is damaged, or larger than 8 MiB\n";
  CHECK(joined({first, second}) == "whole");
  CHECK(joined({second, first}) == "whole");
  CHECK(joined({piece(1, 1, whole)}) == "whole");
  CHECK(joined({first}) == damaged);
  CHECK(joined({second}) == damaged);
  CHECK(joined({first, first}) == damaged);
  CHECK(joined({first, second, second}) == damaged);
  CHECK(joined({piece(0, 1, whole)}) == damaged);
  CHECK(joined({piece(2, 1, whole)}) == damaged);
  CHECK(joined({piece(1, 0, whole)}) == damaged);
  CHECK(joined({first, piece(2, 3, std::span(whole).subspan(100))}) == damaged);
  CHECK(joined({to_bytes(std::string("ICC_PROFILE\0", 12))}) == damaged);
}

TEST_CASE("a damaged profile is left out with a remark; bytes after it are cut") {
  const auto remark = [](const Bytes& bytes) {
    const PictureMetadata found = read(write("tiff", {.profile = bytes}));
    CHECK(found.profile.empty() == !found.remarks.empty());
    return texts(found.remarks);
  };
  const std::string damaged = "its ICC profile is left out: it is damaged, or larger than 8 MiB\n";
  const Bytes sound = profile("RGB ");
  CHECK(remark(sound) == "");
  for (std::size_t size = 1; size < sound.size(); ++size)
    CHECK(remark(Bytes(sound.begin(), sound.begin() + static_cast<std::ptrdiff_t>(size))) == damaged);
  for (const std::size_t at : {std::size_t{36}, std::size_t{128}, std::size_t{136}, std::size_t{140}}) {
    Bytes wrong = sound;
    wrong[at] = std::byte{0x7f};
    CHECK(remark(wrong) == damaged);
  }
  Bytes longer = sound;
  longer.resize(sound.size() + 3);
  CHECK((read(write("tiff", {.profile = longer})).profile == sound));
}

TEST_CASE("WebP: a chunk that is larger than the rest of the file is damaged") {
  const auto remark = [](const PictureMetadata& metadata, std::string_view type) {
    Bytes file = write("webp", metadata);
    const std::string_view text(reinterpret_cast<const char*>(file.data()), file.size());
    const std::size_t size = text.rfind(type) + type.size();
    for (std::size_t i = size; i < size + 4; ++i) file[i] = std::byte{0xf6};
    return texts(read(file).remarks);
  };
  CHECK(remark({.xmp = to_bytes(xmp_packet())}, "XMP ") ==
        "its XMP is left out: it is damaged, or larger than 8 MiB\n");
  CHECK(remark({.exif = clean_exif(exif_block(false))}, "EXIF") ==
        "its EXIF is left out: it is damaged, or larger than 8 MiB\n");
}

TEST_CASE("PNG: chunks with a wrong checksum, and streams that are cut, are damaged") {
  const Bytes stream = zlib_stored(profile("RGB "));
  const auto chunk = [&](std::span<const std::byte> data) {
    return ByteWriter().text("name").u8(0).u8(0).append(data).bytes();
  };
  CHECK((read(png_with("iCCP", chunk(stream))).profile == profile("RGB ")));
  Bytes unsound = png_chunk("iCCP", chunk(stream));
  unsound.back() ^= std::byte{1};
  CHECK((read(with(png_with("iCCP", chunk(stream)), kAfterPngHeader, unsound)).profile == profile("RGB ")));
  const std::string damaged = "its ICC profile is left out: it is damaged, or larger than 8 MiB\n";
  CHECK(texts(read(png_with("iCCP", chunk(std::span(stream).first(stream.size() - 1)))).remarks) == damaged);
  CHECK(texts(read(png_with("iCCP", to_bytes("no end"))).remarks) == damaged);
  for (const char* type : {"iCCP", "eXIf", "iTXt"}) {
    Bytes file = write("png", all_parts());
    const std::string_view text(reinterpret_cast<const char*>(file.data()), file.size());
    const std::size_t at = text.find(type);
    ByteReader size("", file, ByteReader::Order::big, at - 4);
    file[at + 4 + size.u32()] ^= std::byte{1};
    const PictureMetadata found = read(file);
    CHECK(found.remarks.size() == 1);
    const bool is_lost =
        (found.profile.empty() ? 1 : 0) + (found.exif.empty() ? 1 : 0) + (found.xmp.empty() ? 1 : 0) == 1;
    CHECK(is_lost);
  }
}

TEST_CASE("PNG: XMP compressed, and EXIF or XMP in texts") {
  const std::string packet = xmp_packet();
  ByteWriter text;
  text.text("XML:com.adobe.xmp").u8(0).u8(1).u8(0).text("en").u8(0).u8(0).append(zlib_stored(to_bytes(packet)));
  CHECK((read(png_with("iTXt", text.bytes())).xmp == to_bytes(packet)));

  const auto raw = [](const std::string& name, const Bytes& data) {
    std::string lines =
        "Raw profile type " + name + std::string(1, '\0') + "\n" + name + "\n" + std::to_string(data.size());
    for (std::size_t i = 0; i < data.size(); ++i) {
      if (i % 36 == 0) lines += "\n";
      for (const unsigned digit : {std::to_integer<unsigned>(data[i]) >> 4, std::to_integer<unsigned>(data[i]) & 15u})
        lines += "0123456789abcdef"[digit];
    }
    return to_bytes(lines + "\n");
  };
  const Bytes exif = clean_exif(exif_block(true));
  for (const char* name : {"exif", "APP1"})
    CHECK((read(png_with("tEXt", raw(name, ByteWriter().text("Exif").u16(0).append(exif_block(true)).bytes()))).exif ==
           exif));
  const Bytes xmp = ByteWriter().text("http://ns.adobe.com/xap/1.0/").u8(0).text(packet).bytes();
  CHECK((read(png_with("tEXt", raw("APP1", xmp))).xmp == to_bytes(packet)));
  // The chunk counts first.
  const Bytes both =
      with(png_with("tEXt", raw("exif", exif_block(false))), kAfterPngHeader, png_chunk("eXIf", exif_block(true)));
  CHECK((read(both).exif == exif));
  CHECK(texts(read(png_with("tEXt", raw("exif", to_bytes("no block")))).remarks) ==
        "its EXIF is left out: it is damaged, or larger than 8 MiB\n");
}

TEST_CASE("a large part is left out before it takes memory") {
  const Bytes large(kMostMetadata + 1, std::byte{'x'});
  CHECK(texts(read(write("tiff", {.xmp = large})).remarks) ==
        "its XMP is left out: it is damaged, or larger than 8 MiB\n");
  CHECK((read(write("tiff", {.xmp = Bytes(kMostMetadata, std::byte{'x'})})).xmp.size() == kMostMetadata));
}

TEST_CASE("a picture that is turned: the resolution is turned with it, and XMP says upright") {
  const PictureMetadata parts{.exif = exif_block(false, 6),
                              .xmp = to_bytes(xmp_packet(6)),
                              .resolution = Resolution{200, 100, Resolution::Unit::centimetre}};
  for (const char* format : {"png", "jpeg"}) {
    const PictureMetadata found = read(write(format, parts));
    check_resolution(found.resolution, 100, 200, Resolution::Unit::centimetre);
    CHECK((found.xmp == to_bytes(xmp_packet(1))));
  }
  // In EXIF alone as well: 300 in x, 1/250 in y.
  Bytes exif = exif_block(false, 6);
  exif[54] = std::byte{132};
  for (const char* format : {"png", "jpeg", "webp"})
    check_resolution(read(write(format, {.exif = exif})).resolution, 0.004, 300, Resolution::Unit::inch);
  // XMP alone is not believed, and not changed.
  CHECK((read(write("png", {.xmp = to_bytes(xmp_packet(6))})).xmp == to_bytes(xmp_packet(6))));
}

TEST_CASE("the resolution is that of the format, or else of EXIF") {
  const Bytes exif = clean_exif(exif_block(false));
  for (const char* format : kFormats) {
    CAPTURE(format);
    check_resolution(read(write(format, {.exif = exif})).resolution, 300, 300, Resolution::Unit::inch);
    PictureMetadata webp{.exif = exif, .resolution = Resolution{300, 300, Resolution::Unit::inch}};
    CHECK(fit(webp, format, PixelFormat::rgb) == "");
  }
  check_resolution(
      read(write("png", {.exif = exif, .resolution = Resolution{72, 72, Resolution::Unit::inch}})).resolution, 72, 72,
      Resolution::Unit::inch);
}

TEST_CASE("resolutions in each format: units, pixels that are not square, and numbers that do not fit") {
  using Unit = Resolution::Unit;
  const Resolution given[] = {{72, 72, Unit::inch},
                              {300, 150, Unit::inch},
                              {28.35, 28.35, Unit::centimetre},
                              {118.11, 59, Unit::centimetre},
                              {3, 2, Unit::none}};
  for (const char* format : {"png", "jpeg", "tiff"})
    for (const Resolution& resolution : given) {
      CAPTURE(format);
      CAPTURE(resolution.x);
      check_resolution(read(write(format, {.resolution = resolution})).resolution, resolution.x, resolution.y,
                       resolution.unit);
    }
  CHECK_FALSE(find_resolution(1, 1, Unit::none));
  for (const double wrong :
       {0.0, -1.0, 1e300, std::numeric_limits<double>::infinity(), std::numeric_limits<double>::quiet_NaN()}) {
    CHECK_FALSE(find_resolution(wrong, 72, Unit::inch));
    CHECK_FALSE(find_resolution(72, wrong, Unit::inch));
  }
  for (const Resolution& wrong :
       {Resolution{0.3, 72, Unit::inch}, Resolution{1.5, 1, Unit::none}, Resolution{70000, 70000, Unit::centimetre}}) {
    PictureMetadata parts{.resolution = wrong};
    CHECK(fit(parts, "jpeg", PixelFormat::rgb) == "its resolution is left out: jpeg cannot store it (once)\n");
    PictureMetadata tiff{.resolution = wrong};
    CHECK(fit(tiff, "tiff", PixelFormat::rgb) == "");
  }
}

TEST_CASE("JPEG: other segments of the same numbers are not metadata") {
  CHECK(read(jpeg_with(0xe1, to_bytes("http://ns.adobe.com/xmp/extension/"))).size() == 0);
  CHECK(read(jpeg_with(0xe2, to_bytes("MPF"))).size() == 0);
  CHECK(texts(read(jpeg_with(0xe1, to_bytes("Exif"))).remarks) ==
        "its EXIF is left out: it is damaged, or larger than 8 MiB\n");
  CHECK_FALSE(read(jpeg_with(0xe0, to_bytes("JFIF"))).resolution);
}
