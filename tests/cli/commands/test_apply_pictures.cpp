// Runs apply on pictures: values, depths, alpha, maps and names. OpenCV reads the results back.

#include <doctest/doctest.h>

#include <filesystem>
#include <opencv2/imgcodecs.hpp>
#include <opencv2/imgproc.hpp>
#include <random>

#include "cli/picture_files.h"
#include "support/program.h"
#include "support/skip.h"

namespace {

cv::Mat random_picture(int type, unsigned seed) {
  cv::Mat picture(23, 31, type);
  std::mt19937 random(seed);
  for (int y = 0; y < picture.rows; ++y) {
    const std::size_t bytes = static_cast<std::size_t>(picture.cols) * picture.elemSize();
    for (std::size_t i = 0; i < bytes; ++i) {
      picture.ptr(y)[i] = static_cast<std::uint8_t>(random());
    }
  }
  if (picture.depth() == CV_32F) {  // random bits may be NaN, which compares unequal
    for (int y = 0; y < picture.rows; ++y) {
      for (int i = 0; i < picture.cols * picture.channels(); ++i) {
        picture.ptr<float>(y)[i] = static_cast<float>(static_cast<int>(random() % 4001) - 2000) / 7.0F;
      }
    }
  }
  return picture;
}

/// Runs apply, checks that it succeeds, and returns its report.
std::string apply(const TempFolder& folder, std::vector<std::string> arguments) {
  arguments.insert(arguments.begin(), "apply");
  const ProgramResult result = run_convtool(arguments, folder);
  CAPTURE(result.err);
  CHECK(result.code == 0);
  return result.out;
}

}  // namespace

TEST_CASE("the identity kernel changes no value, in any format and depth") {
  struct Case {
    const char* extension;
    std::vector<int> types;
  };
  const Case cases[] = {{".png", {CV_8UC1, CV_8UC3, CV_8UC4, CV_16UC1, CV_16UC3, CV_16UC4}},
                        {".tif", {CV_8UC1, CV_8UC3, CV_8UC4, CV_16UC1, CV_16UC3, CV_16UC4, CV_32FC1, CV_32FC3}},
                        {".bmp", {CV_8UC1, CV_8UC3}},
                        {".webp", {CV_8UC3}},
                        {".pgm", {CV_8UC1, CV_16UC1}},
                        {".ppm", {CV_8UC3, CV_16UC3}},
                        {".pfm", {CV_32FC1, CV_32FC3}},
                        {".exr", {CV_32FC1, CV_32FC3}}};
  setenv("OPENCV_IO_ENABLE_OPENEXR", "1", 1);  // OpenCV in this process has it off by default
  const TempFolder folder;
  for (const Case& format : cases) {
    for (const int type : format.types) {
      CAPTURE(std::string(format.extension));
      CAPTURE(type);
      const std::string in = std::string("in") + format.extension, out = std::string("out") + format.extension;
      const cv::Mat picture = random_picture(type, static_cast<unsigned>(type));
      std::vector<int> parameters;
      if (in == "in.webp") parameters = {cv::IMWRITE_WEBP_QUALITY, 101};   // above 100: lossless
      if (in == "in.tif") parameters = {cv::IMWRITE_TIFF_COMPRESSION, 5};  // LZW, since LogLuv is lossy
      REQUIRE(cv::imwrite(folder.file(in), picture, parameters));
      for (const char* kernel : {"identity", "[[0,0,0],[0,1,0],[0,0,0]]"}) {
        apply(folder, {in, "-k", kernel, "--padding", "same", "-o", out});
        std::string readable = out;
        if (out == "out.tif" && type == CV_8UC4) {  // OpenCV multiplies the colours of an 8-bit TIFF by alpha
          readable = "out.png";
          apply(folder, {out, "-k", "identity", "-o", readable});
        }
        CHECK(equal(read(folder, readable), picture));
      }
    }
  }
}

TEST_CASE("dwebp reads the alpha of a WebP, and the colours below zero alpha") {
  const TempFolder folder;
  if (run_shell("command -v dwebp", folder).code != 0) return skip("needs dwebp");
  const cv::Mat picture = random_picture(CV_8UC4, 5);
  for (int x = 0; x < picture.cols; ++x) const_cast<cv::Mat&>(picture).at<cv::Vec4b>(0, x)[3] = 0;
  cv::imwrite(folder.file("in.png"), picture);
  apply(folder, {"in.png", "-k", "identity", "-o", "out.webp"});
  REQUIRE(run_shell("dwebp -quiet out.webp -o back.png", folder).code == 0);
  const cv::Mat back = cv::imread(folder.file("back.png"), cv::IMREAD_UNCHANGED);
  REQUIRE(back.type() == CV_8UC4);
  CHECK(cv::norm(back, picture, cv::NORM_INF) == 0);
  CHECK(apply(folder, {"out.webp", "-k", "identity", "--format", "same"}).find("out.identity.webp") !=
        std::string::npos);
  apply(folder, {"in.png", "-k", "identity", "-o", "lossy.webp", "--quality", "90"});
  REQUIRE(run_shell("dwebp -quiet lossy.webp -o back.png", folder).code == 0);
  cv::Mat alpha[2];
  cv::extractChannel(cv::imread(folder.file("back.png"), cv::IMREAD_UNCHANGED), alpha[0], 3);
  cv::extractChannel(picture, alpha[1], 3);
  CHECK(cv::norm(alpha[0], alpha[1], cv::NORM_INF) == 0);  // alpha is lossless
}

TEST_CASE("a palette, grey with alpha, and a JPEG keep their values") {
  const TempFolder folder;
  // A palette PNG of 2x1 pixels, red and green. The script writes it, since OpenCV cannot write palettes.
  const ProgramResult made = run_shell(R"(python3 - <<'END'
import struct, zlib
def chunk(kind, data): return struct.pack('>I', len(data)) + kind + data + struct.pack('>I', zlib.crc32(kind + data))
def png(colour, raw, extra=b''): return (b'\x89PNG\r\n\x1a\n' + chunk(b'IHDR', struct.pack('>IIBBBBB', 2, 1, 8, colour, 0, 0, 0)) + extra
    + chunk(b'IDAT', zlib.compress(b'\0' + raw)) + chunk(b'IEND', b''))
open('palette.png', 'wb').write(png(3, bytes([1, 0]), chunk(b'PLTE', bytes([1, 250, 3, 200, 20, 30]))))
open('see-through.png', 'wb').write(png(3, bytes([1, 0]), chunk(b'PLTE', bytes([1, 250, 3, 200, 20, 30])) + chunk(b'tRNS', bytes([9, 99]))))
open('grey-alpha.png', 'wb').write(png(4, bytes([7, 70, 201, 0])))
END)",
                                       folder);
  REQUIRE(made.code == 0);
  const std::string report = apply(folder, {"palette.png", "-k", "identity", "-o", "p.png"});
  CHECK(report.find("palette.png 3x1x2 u8 -> p.png 3x1x2 u8") == 0);
  CHECK(equal(read(folder, "p.png"), (cv::Mat_<cv::Vec3b>(1, 2) << cv::Vec3b(30, 20, 200), cv::Vec3b(3, 250, 1))));
  CHECK(apply(folder, {"see-through.png", "-k", "identity", "-o", "s.png"}).find("4x1x2 u8") != std::string::npos);
  CHECK(
      equal(read(folder, "s.png"), (cv::Mat_<cv::Vec4b>(1, 2) << cv::Vec4b(30, 20, 200, 99), cv::Vec4b(3, 250, 1, 9))));
  CHECK(apply(folder, {"grey-alpha.png", "-k", "identity", "-o", "g.png"}).find("2x1x2 u8 -> g.png 2x1x2 u8") !=
        std::string::npos);
  CHECK(
      equal(read(folder, "g.png"), (cv::Mat_<cv::Vec4b>(1, 2) << cv::Vec4b(7, 7, 7, 70), cv::Vec4b(201, 201, 201, 0))));

  cv::imwrite(folder.file("in.jpg"), random_picture(CV_8UC3, 5));
  apply(folder, {"in.jpg", "-k", "identity"});
  CHECK(equal(read(folder, "in.identity.png"), read(folder, "in.jpg")));
}

TEST_CASE("encoders take a quality, a level, a strategy and a compression; formats without them refuse") {
  const TempFolder folder;
  cv::Mat picture;
  cv::GaussianBlur(random_picture(CV_8UC3, 21), picture, {5, 5}, 2);
  cv::imwrite(folder.file("in.png"), picture);
  const auto encoded = [&](const char* out, std::vector<std::string> options) {
    options.insert(options.begin(), {"in.png", "-k", "identity", "-o", out});
    apply(folder, options);
    return std::filesystem::file_size(folder.file(out));
  };
  for (const char* out : {"q.jpg", "q.webp"})
    CHECK(encoded(out, {"--quality", "10"}) < encoded(out, {"--quality", "90"}));
  CHECK(encoded("q.jpg", {}) == encoded("q.jpg", {"--quality", "95"}));
  CHECK(encoded("stored.png", {"--png-level", "0"}) > encoded("small.png", {"--png-level", "9"}));
  for (const char* out : {"stored.png", "small.png"}) CHECK(equal(read(folder, out), picture));
  for (const char* strategy : {"default", "filtered", "huffman", "rle", "fixed"}) {
    encoded("s.png", {"--png-strategy", strategy, "--png-level", "6"});
    CHECK(equal(read(folder, "s.png"), picture));
  }
  CHECK(encoded("s.png", {"--png-strategy", "huffman"}) != encoded("s.png", {"--png-strategy", "default"}));
  for (const char* compression : {"none", "lzw", "deflate"}) {
    encoded("s.tif", {"--tiff-compression", compression});
    CHECK(equal(read(folder, "s.tif"), picture));
  }
  CHECK(encoded("s.tif", {"--tiff-compression", "lzw"}) < encoded("s.tif", {"--tiff-compression", "none"}));
  CHECK(encoded("s.tif", {"--tiff-compression", "deflate"}) == encoded("s.tif", {}));

  const auto refused = [&](const char* out, const char* option, const char* value) {
    return run_convtool({"apply", "in.png", "-k", "identity", "-o", out, option, value}, folder).err;
  };
  CHECK(refused("o.png", "--quality", "90")
            .find("--quality has no effect on png; leave it out, or write a .jpg or .webp") != std::string::npos);
  CHECK(refused("o.npy", "--quality", "90").find("no effect on npy") != std::string::npos);
  CHECK(refused("o.jpg", "--png-level", "9").find("--png-level has no effect on jpeg; leave it out, or write a .png") !=
        std::string::npos);
  CHECK(refused("o.bmp", "--png-strategy", "rle").find("no effect on bmp") != std::string::npos);
  CHECK(refused("o.png", "--tiff-compression", "lzw").find("no effect on png; leave it out, or write a .tif") !=
        std::string::npos);
  CHECK(refused("o.jpg", "--quality", "0").find("--quality") != std::string::npos);
  CHECK(refused("o.png", "--png-strategy", "fast").find("filtered") != std::string::npos);
}

TEST_CASE("a picture taken sideways is written upright") {
  const TempFolder folder;
  // Upright, the picture has a dark block above a bright one. It is stored with its first row on the right, as by a
  // camera that was held sideways.
  cv::Mat stored(16, 32, CV_8U, cv::Scalar(20));
  stored.colRange(16, 32).setTo(220);
  cv::imwrite(folder.file("plain.jpg"), stored);
  REQUIRE(run_shell(R"(python3 - <<'END'
import struct
b = open('plain.jpg', 'rb').read()
exif = b'Exif\0\0MM\0*' + struct.pack('>IHHHIHHI', 8, 1, 274, 3, 1, 6, 0, 0)
open('side.jpg', 'wb').write(b[:2] + b'\xff\xe1' + struct.pack('>H', len(exif) + 2) + exif + b[2:])
END)",
                    folder)
              .code == 0);
  CHECK(apply(folder, {"side.jpg", "-k", "identity", "-o", "up.png"}).find("side.jpg 1x32x16 u8 -> up.png 1x32x16") ==
        0);
  const cv::Mat up = read(folder, "up.png");
  REQUIRE(up.size() == cv::Size(16, 32));
  CHECK(up.at<std::uint8_t>(8, 8) < 30);
  CHECK(up.at<std::uint8_t>(24, 8) > 210);
}

TEST_CASE("kernel channels are in R, G, B order") {
  const TempFolder folder;
  cv::imwrite(folder.file("c.png"), cv::Mat(4, 5, CV_8UC3, cv::Scalar(3, 20, 100)));  // B, G, R
  apply(folder, {"c.png", "-k", "[[[1]],[[0]],[[0]]]", "-o", "red.png"});
  CHECK(equal(read(folder, "red.png"), cv::Mat(4, 5, CV_8UC1, cv::Scalar(100))));
  // This kernel swaps R and B.
  apply(folder, {"c.png", "-k", "[[[[0]],[[0]],[[1]]],[[[0]],[[1]],[[0]]],[[[1]],[[0]],[[0]]]]", "-o", "swapped.png"});
  CHECK(equal(read(folder, "swapped.png"), cv::Mat(4, 5, CV_8UC3, cv::Scalar(100, 20, 3))));
}

TEST_CASE("a filtered picture equals that of OpenCV's filter2D") {
  const TempFolder folder;
  const cv::Mat weights = (cv::Mat_<double>(3, 3) << 1, 2, 0, -1, 1, -2, 0, 3, -1);
  for (const int type : {CV_8UC1, CV_8UC3, CV_16UC1, CV_16UC3}) {
    CAPTURE(type);
    const cv::Mat picture = random_picture(type, 77);
    cv::imwrite(folder.file("x.png"), picture);
    apply(folder, {"x.png", "-k", "[[1,2,0],[-1,1,-2],[0,3,-1]]", "--padding", "same", "--padding-mode", "replicate",
                   "-o", "y.png"});
    cv::Mat doubles, expected;  // with integer weights, double sums are exact
    picture.convertTo(doubles, CV_64F);
    cv::filter2D(doubles, doubles, -1, weights, {-1, -1}, 0, cv::BORDER_REPLICATE);
    doubles.convertTo(expected, picture.depth());
    CHECK(equal(read(folder, "y.png"), expected));
  }
}

TEST_CASE("--gray is OpenCV's luma") {
  const TempFolder folder;
  for (const int type : {CV_8UC3, CV_16UC3}) {
    const cv::Mat picture = random_picture(type, 3);
    cv::imwrite(folder.file("c.png"), picture);
    apply(folder, {"c.png", "-k", "identity", "--gray", "-o", "g.png"});
    cv::Mat grey;
    cv::cvtColor(picture, grey, cv::COLOR_BGR2GRAY);
    CHECK(equal(read(folder, "g.png"), grey));
  }
}

TEST_CASE("alpha is kept, dropped or filtered") {
  const TempFolder folder;
  cv::Mat picture(6, 8, CV_8UC4, cv::Scalar(10, 20, 30, 0));
  for (int y = 0; y < 6; ++y) {
    for (int x = 0; x < 8; ++x) picture.at<cv::Vec4b>(y, x)[3] = static_cast<std::uint8_t>(10 * y + x);
  }
  cv::imwrite(folder.file("a.png"), picture);
  const auto alpha_at = [&](const std::string& name, int y, int x) {
    return int{read(folder, name).at<cv::Vec4b>(y, x)[3]};
  };

  // With a 3x3 kernel and stride 2, the centre of output (i, j) is input (2i + 1, 2j + 1).
  apply(folder, {"a.png", "-k", "[[0,0,0],[0,2,0],[0,0,0]]", "--stride", "2", "-o", "k.png"});
  CHECK(read(folder, "k.png").size() == cv::Size(3, 2));
  CHECK(read(folder, "k.png").at<cv::Vec4b>(1, 2) == cv::Vec4b(20, 40, 60, 35));
  CHECK(alpha_at("k.png", 0, 0) == 11);
  // With full padding, the centre of the corner is outside the picture. The nearest pixel is used instead.
  apply(folder, {"a.png", "-k", "box:size=5", "--padding", "full", "-o", "f.png"});
  CHECK(alpha_at("f.png", 0, 0) == 0);
  CHECK(alpha_at("f.png", 9, 11) == 57);
  CHECK(alpha_at("f.png", 2, 3) == 1);
  // A kernel that combines three channels into one gives grey with alpha.
  apply(folder, {"a.png", "-k", "luma", "-o", "l.png"});
  CHECK(alpha_at("l.png", 5, 7) == 57);

  CHECK(apply(folder, {"a.png", "-k", "identity", "--alpha", "drop", "-o", "d.png"}).find("-> d.png 3x6x8 u8") !=
        std::string::npos);
  CHECK(read(folder, "d.png").channels() == 3);
  apply(folder, {"a.png", "-k", "[[2]]", "--alpha", "filter", "-o", "t.png"});
  CHECK(read(folder, "t.png").at<cv::Vec4b>(5, 7) == cv::Vec4b(20, 40, 60, 114));
  // Alpha is rescaled to the depth, so that opaque stays opaque.
  cv::imwrite(folder.file("o.png"), cv::Mat(2, 2, CV_8UC4, cv::Scalar(1, 2, 3, 255)));
  apply(folder, {"o.png", "-k", "identity", "--depth", "u16", "-o", "o16.png"});
  CHECK(read(folder, "o16.png").at<cv::Vec4w>(1, 1) == cv::Vec4w(257, 514, 771, 65535));
}

TEST_CASE("maps, depths, and the number of clipped values") {
  const TempFolder folder;
  const cv::Mat picture = (cv::Mat_<std::uint8_t>(1, 4) << 0, 255, 100, 100);
  cv::imwrite(folder.file("x.png"), picture);
  const auto row = [&](std::vector<std::string> options) {
    options.insert(options.begin(), {"x.png", "-v", "-k", "[[-1,1]]", "-o", "y.png"});
    const std::string report = apply(folder, options);
    const cv::Mat y = read(folder, "y.png");
    std::vector<int> values;
    for (int x = 0; x < y.cols; ++x)
      values.push_back(y.depth() == CV_8U ? y.at<std::uint8_t>(0, x) : y.at<std::uint16_t>(0, x));
    return std::make_pair(values, report);
  };
  using Values = std::vector<int>;
  // The responses are 255, -155, 0.
  CHECK(row({}).first == Values{255, 155, 0});
  CHECK(row({}).second.find("map abs, response -155 to 255, clipped 0 low, 0 high") != std::string::npos);
  CHECK(row({"--map", "clip"}).first == Values{255, 0, 0});
  CHECK(row({"--map", "clip"}).second.find("clipped 1 (33 %) low, 0 high") != std::string::npos);
  CHECK(row({"--map", "normalize"}).first == Values{255, 0, 96});  // 155 / 410 * 255 = 96.4
  // 255.5 rounds to 256, which saturates; 50.5 rounds to 50.
  CHECK(row({"--map", "offset"}).first == Values{255, 50, 128});
  CHECK(row({"--map", "offset"}).second.find("clipped 0 low, 1 (33 %) high") != std::string::npos);
  CHECK(row({"--depth", "u16"}).first == Values{65535, 155 * 257, 0});
  CHECK(row({"--bias", "0.5", "--map", "clip"}).first == Values{255, 0, 0});  // 255.5 clips, 0.5 rounds to even
  CHECK(row({"--bias", "1.5", "--map", "clip"}).first == Values{255, 0, 2});

  apply(folder, {"x.png", "-k", "[[-1,1]]", "--depth", "f32", "-o", "y.tif"});
  CHECK(equal(read(folder, "y.tif"), (cv::Mat_<float>(1, 3) << 255, -155, 0)));
  // Without an output name, floats are written as TIFF.
  CHECK(apply(folder, {"x.png", "-k", "[[-1,1]]", "--depth", "f32"}).find("-> x.inline.tif") != std::string::npos);
  CHECK(apply(folder, {"y.tif", "-k", "identity", "--map", "normalize", "-o", "n.png"}).find("n.png 1x1x3 u8") !=
        std::string::npos);
  CHECK(equal(read(folder, "n.png"), (cv::Mat_<std::uint8_t>(1, 3) << 255, 0, 96)));
}

TEST_CASE("a step up and a step down are visible with every map that can show them") {
  const TempFolder folder;
  cv::Mat bar(9, 20, CV_8U, cv::Scalar(0));
  bar.colRange(7, 14).setTo(255);
  cv::imwrite(folder.file("bar.png"), bar);
  const auto written = [&](const char* out, std::vector<std::string> options) {
    options.insert(options.begin(), {"bar.png", "-v", "-k", "sobel-x", "-o", out});
    const std::string report = apply(folder, options);
    return std::pair(read(folder, out), report);
  };
  constexpr int kUp = 6, kDown = 13;  // columns where the response is 1020 and -1020

  const cv::Mat floats = written("f.tif", {"--depth", "f32"}).first;
  CHECK(floats.at<float>(4, kUp) == 1020);
  CHECK(floats.at<float>(4, kDown) == -1020);

  const cv::Mat absolute = written("a.png", {"--map", "abs"}).first;
  CHECK(absolute.at<std::uint8_t>(4, kUp) == 255);
  CHECK(absolute.at<std::uint8_t>(4, kDown) == 255);

  const auto [clipped, clip_report] = written("c.png", {"--map", "clip"});
  CHECK(clipped.at<std::uint8_t>(4, kDown) == 0);
  CHECK(clip_report.find("response -1020 to 1020, clipped 18 (10 %) low, 18 (10 %) high") != std::string::npos);

  for (const char* depth : {"u8", "u16"}) {
    const auto [colours, report] = written("s.png", {"--map", "signed", "--depth", depth});
    CHECK(report.find("3x9x20") != std::string::npos);
    CHECK(report.find("map signed, response -1020 to 1020, clipped 0 low, 0 high") != std::string::npos);
    if (depth == std::string("u8")) {  // B, G, R
      CHECK(colours.at<cv::Vec3b>(4, kUp) == cv::Vec3b(0, 128, 255));
      CHECK(colours.at<cv::Vec3b>(4, kDown) == cv::Vec3b(255, 128, 0));
      CHECK(colours.at<cv::Vec3b>(4, 0) == cv::Vec3b(255, 255, 255));
    } else {
      CHECK(colours.at<cv::Vec3w>(4, kUp) == cv::Vec3w(0, 32768, 65535));
    }
  }
  const auto refused = [&](std::vector<std::string> options) {
    options.insert(options.begin(), {"apply", "bar.png", "--map", "signed"});
    return run_convtool(options, folder).err;
  };
  CHECK(refused({"-k", "sobel-x", "-k", "sobel-y", "-o", "o.png"}).find("(got 2 channels)") != std::string::npos);
  CHECK(refused({"-k", "sobel-x", "-o", "o.npy"}).find("write a picture") != std::string::npos);
  CHECK(refused({"-k", "sobel-x", "-o", "o.tif", "--depth", "f32"}).find("--depth u8") != std::string::npos);
}

TEST_CASE("signed keeps alpha in addition to its colours") {
  const TempFolder folder;
  cv::Mat picture = random_picture(CV_8UC4, 31);
  cv::imwrite(folder.file("in.png"), picture);
  apply(folder, {"in.png", "-k", "sobel-x", "--gray", "--map", "signed", "-o", "out.png"});
  const cv::Mat out = read(folder, "out.png");
  REQUIRE(out.type() == CV_8UC4);
  cv::Mat before, after;
  cv::extractChannel(picture, before, 3);
  cv::extractChannel(out, after, 3);
  CHECK(equal(before, after));
}

TEST_CASE("rounding lifts no response above a threshold: a flat picture stays black") {
  const TempFolder folder;
  for (const int type : {CV_8UC1, CV_16UC1, CV_8UC3}) {
    cv::imwrite(folder.file("flat.png"), cv::Mat(90, 110, type, cv::Scalar::all(100)));
    for (const char* kernel : {"log:sigma=4", "log", "dog", "gaussian:sigma=2"}) {
      const bool blurs = std::string(kernel).starts_with("gaussian");
      CAPTURE(std::string(kernel));
      apply(folder, {"flat.png", "-k", kernel, "--threshold", blurs ? "100" : "0", "-o", "out.png"});
      const cv::Mat result = cv::imread(folder.file("out.png"), cv::IMREAD_UNCHANGED);
      REQUIRE(result.size() == cv::Size(110, 90));
      CHECK(cv::countNonZero(result.reshape(1)) == 0);
      // What is above a threshold by more than that is white.
      if (!blurs) continue;
      apply(folder, {"flat.png", "-k", kernel, "--threshold", "99.9", "-o", "out.png"});
      CHECK(cv::countNonZero(cv::imread(folder.file("out.png"), cv::IMREAD_UNCHANGED).reshape(1)) ==
            90 * 110 * result.channels());
    }
  }
}

TEST_CASE("thresholds and percentiles affect the output, and the report shows them") {
  const TempFolder folder;
  const cv::Mat picture = (cv::Mat_<std::uint8_t>(1, 6) << 0, 255, 100, 100, 130, 30);
  cv::imwrite(folder.file("x.png"), picture);
  const auto row = [&](std::vector<std::string> options) {
    options.insert(options.begin(), {"x.png", "-v", "-k", "[[-1,1]]", "-o", "y.png"});
    const std::string report = apply(folder, options);
    std::vector<int> values;
    for (int x = 0; x < 5; ++x) values.push_back(read(folder, "y.png").at<std::uint8_t>(0, x));
    return std::make_pair(values, report);
  };
  using Values = std::vector<int>;
  // The responses are 255, -155, 0, 30, -100. The automatic map is abs.
  CHECK(row({"--threshold", "100"}).first == Values{255, 255, 0, 0, 0});
  CHECK(row({"--threshold", "99.5"}).first == Values{255, 255, 0, 0, 255});
  CHECK(row({"--threshold", "-101", "--map", "clip"}).first == Values{255, 0, 255, 255, 255});
  CHECK(
      row({"--threshold", "100"}).second.find("map abs, threshold 100, response -155 to 255, clipped 0 low, 0 high") !=
      std::string::npos);
  // Of five responses, the 40th percentile is the second, -100, and the 80th is the fourth, 30.
  CHECK(row({"--normalize-percentile", "40,80"}).first == Values{255, 0, 196, 255, 0});
  CHECK(row({"--normalize-percentile", "40,80"})
            .second.find(
                "map normalize from percentile 40 to 80, response -155 to 255, clipped 1 (20 %) low, 1 (20 %) high") !=
        std::string::npos);

  const auto refused = [&](std::vector<std::string> options) {
    options.insert(options.begin(), {"apply", "x.png", "-k", "[[-1,1]]", "-o", "z.png"});
    const ProgramResult result = run_convtool(options, folder);
    CHECK(result.code == 2);
    return result.err;
  };
  CHECK(refused({"--threshold", "100", "--map", "offset"}).find("--map clip or abs") != std::string::npos);
  CHECK(refused({"--threshold", "a"}).find("--threshold") != std::string::npos);
  CHECK(refused({"--normalize-percentile", "1,99", "--map", "abs"}).find("--map normalize") != std::string::npos);
  for (const char* wrong : {"1", "99,1", "-1,99", "1,101", "5,5"})
    CHECK(refused({"--normalize-percentile", wrong}).find("0 <= P < Q <= 100") != std::string::npos);
}

TEST_CASE("premultiplied: colours under transparent pixels do not bleed") {
  const TempFolder folder;
  cv::Mat picture(8, 12, CV_8UC4, cv::Scalar(10, 20, 30, 255));
  picture.colRange(6, 12).setTo(cv::Scalar(250, 250, 250, 0));
  cv::imwrite(folder.file("a.png"), picture);
  apply(folder, {"a.png", "-k", "box:size=3", "--alpha", "premultiply", "-o", "p.png"});
  const cv::Mat seen = read(folder, "p.png");
  CHECK(seen.at<cv::Vec4b>(4, 5) == cv::Vec4b(10, 20, 30, 170));
  CHECK(seen.at<cv::Vec4b>(4, 6) == cv::Vec4b(10, 20, 30, 85));
  CHECK(seen.at<cv::Vec4b>(4, 7) == cv::Vec4b(0, 0, 0, 0));
  CHECK(seen.at<cv::Vec4b>(4, 2) == cv::Vec4b(10, 20, 30, 255));
  const ProgramResult refused =
      run_convtool({"apply", "a.png", "-k", "edge", "--alpha", "premultiply", "-o", "q.png"}, folder);
  CHECK(refused.code == 1);
  CHECK(refused.err.find("--alpha keep") != std::string::npos);
  cv::imwrite(folder.file("o.png"), random_picture(CV_8UC3, 3));  // without alpha, premultiply has no effect
  apply(folder, {"o.png", "-k", "edge", "--alpha", "premultiply", "-o", "q.png"});
  apply(folder, {"o.png", "-k", "edge", "-o", "r.png"});
  CHECK(equal(read(folder, "q.png"), read(folder, "r.png")));
}

TEST_CASE("warnings about lost content: pages and damage for each file, what the output cannot store once") {
  const TempFolder folder;
  cv::imwrite(folder.file("plain.jpg"), random_picture(CV_8UC3, 5));
  const std::vector<cv::Mat> pages(3, random_picture(CV_8UC1, 6));
  cv::imwrite(folder.file("pages.tif"), pages);
  REQUIRE(run_shell(R"(python3 - <<'END'
import struct
b = open('plain.jpg', 'rb').read()
def write(names, marker, data):
    for name in names:
        open(name, 'wb').write(b[:2] + marker + struct.pack('>H', len(data) + 2) + data + b[2:])
write(['a.jpg', 'b.jpg'], b'\xff\xe1', b'http://ns.adobe.com/xap/1.0/\0<xmp/>')
write(['c.jpg', 'd.jpg'], b'\xff\xe2', b'ICC_PROFILE\0\1\1' + b'Display P3')
END)",
                    folder)
              .code == 0);
  const ProgramResult result = run_convtool({"apply", "a.jpg", "b.jpg", "c.jpg", "d.jpg", "pages.tif", "-k", "identity",
                                             "--out-dir", "o", "--format", "bmp", "--json"},
                                            folder);
  CHECK(result.code == 0);
  CHECK(result.err.substr(0, result.err.find("convtool: 5 done")) ==
        "convtool: warning: a.jpg: its XMP is left out: bmp cannot store it (not repeated for other files)\n"
        "convtool: warning: c.jpg: its ICC profile is left out: it is damaged, or larger than 8 MiB\n"
        "convtool: warning: d.jpg: its ICC profile is left out: it is damaged, or larger than 8 MiB\n"
        "convtool: warning: pages.tif: only the first of its 3 pages is read\n");
  CHECK(std::count(result.out.begin(), result.out.end(), '\n') == 5);
  std::size_t reports = 0;
  for (std::size_t at = 0; (at = result.out.find("\"its XMP is left out", at)) != std::string::npos; ++at) ++reports;
  CHECK(reports == 2);
  for (const char* option : {"-q", "--strip"})
    CHECK(run_convtool({"apply", "a.jpg", "-k", "identity", "-o", "a.bmp", option}, folder).err == "");
  CHECK(run_convtool({"apply", "d.jpg", "-k", "identity", "-o", "d.png", "--strip"}, folder).err == "");
}

TEST_CASE("banks stack or combine their kernels, and name the output after them") {
  const TempFolder folder;
  const cv::Mat picture = random_picture(CV_8UC1, 9);
  cv::imwrite(folder.file("x.png"), picture);
  apply(folder, {"x.png", "-k", "sobel", "-o", "y.png"});
  cv::Mat dx, dy, magnitude, expected;
  cv::Sobel(picture, dx, CV_64F, 1, 0, 3, 1, 0, cv::BORDER_REPLICATE);
  cv::Sobel(picture, dy, CV_64F, 0, 1, 3, 1, 0, cv::BORDER_REPLICATE);
  cv::magnitude(dx, dy, magnitude);
  magnitude.convertTo(expected, CV_8U);
  CHECK(equal(read(folder, "y.png"), expected));

  apply(folder, {"x.png", "-k", "sobel-x", "-k", "sobel-y", "--combine", "magnitude", "-o", "z.png"});
  CHECK(equal(read(folder, "z.png"), expected));
  CHECK(apply(folder, {"x.png", "-k", "sobel-x", "-k", "sobel-y", "-k", "gaussian-5", "--depth", "f32"})
            .find("x.sobel-x+sobel-y+gaussian-5.npy 3x23x31") != std::string::npos);
}

TEST_CASE("every shipped kernel runs on a colour picture and keeps its size") {
  const TempFolder folder;
  cv::imwrite(folder.file("c.png"), random_picture(CV_8UC3, 1));
  for (const auto& entry : std::filesystem::directory_iterator(std::string(PROJECT_DIR) + "/kernels")) {
    const std::string name = entry.path().stem().string();
    if (entry.path().extension() != ".json" || name == "kernel.schema") continue;
    CAPTURE(name);
    apply(folder, {"c.png", "-k", name});
    CHECK(read(folder, "c." + name + ".png").size() == cv::Size(31, 23));
  }
}
