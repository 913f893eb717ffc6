// PNM of every kind, comments in them, and PFM.
#include <doctest/doctest.h>

#include <bit>
#include <string>
#include <vector>

#include "pictures/outcome.h"

using namespace convtool;
using namespace convtool::testing;

TEST_CASE("PNM of every kind: the largest value becomes the full range") {
  const auto pnm = [](const std::string& text) { return outcome(to_bytes(text)); };
  using namespace std::string_literals;
  CHECK(pnm("P1\n3 2\n0 1 0\n1 1 0\n") == "u8 grey 255 0 255 0 0 255");
  CHECK(pnm("P4\n3 2\n\xa0\x40") == "u8 grey 0 255 0 255 0 255");
  CHECK(pnm("P2\n3 1\n255\n0 7 255\n") == "u8 grey 0 7 255");
  CHECK(pnm("P2\n3 1\n15\n0 7 15\n") == "u8 grey 0 119 255");
  CHECK(pnm("P5\n3 1\n15\n\0\x07\x0f"s) == "u8 grey 0 119 255");
  CHECK(pnm("P5\n3 1\n100\n\0\x32\xff"s) == "u8 grey 0 127 255");  // a larger value counts as the largest
  CHECK(pnm("P2\n3 1\n100\n0 50 200\n") == "u8 grey 0 127 255");
  CHECK(pnm("P3 1 1 15 1 2 3\n") == "u8 rgb 17 34 51");
  CHECK(pnm("P6 1 1 15\n\x01\x02\x03") == "u8 rgb 17 34 51");
  CHECK(pnm("P2\n2 1\n65535\n7 65535\n") == "u16 grey 7 65535");
  CHECK(pnm("P5\n2 1\n65535\n\x01\x02\xff\xff") == "u16 grey 258 65535");
  CHECK(pnm("P2\n3 1\n1023\n0 512 1023\n") == "u16 grey 0 32799 65535");
  CHECK(pnm("P5\n3 1\n1023\n\0\0\x02\0\x03\xff"s) == "u16 grey 0 32799 65535");
  CHECK(pnm("P6\n1 1\n256\n\x01\0\0\x80\0\0"s) == "u16 rgb 65535 32767 0");
}

TEST_CASE("comments stand wherever Netpbm allows them, also right after a number or the signature") {
  const auto pnm = [](const std::string& text) { return outcome(to_bytes(text)); };
  using namespace std::string_literals;
  for (const std::string comment : {"#c\n", "#c\r", " #c\n#d\n", "#\n", "\n#1 2 3\n"}) {
    CAPTURE(comment);
    // One white space ends the largest value, or the height of a bitmap: a glued comment is that one.
    const bool is_glued = comment[0] == '#';
    const std::string end = is_glued ? comment : "\n";
    CHECK(pnm("P5" + comment + "3" + comment + "1" + comment + "255" + end + "\x05#\x0a") == "u8 grey 5 35 10");
    CHECK(pnm("P6" + comment + "1" + comment + "1" + comment + "255" + end + "#\x0a\x01") == "u8 rgb 35 10 1");
    CHECK(pnm("P4" + comment + "3" + comment + "1" + end + "\xa0") == "u8 grey 0 255 0");
    CHECK(pnm("P5 1 1 65535" + end + "#\x0a") == "u16 grey 8970");
    CHECK(pnm("P1" + comment + "3" + comment + "1" + comment + "01" + comment + "0") == "u8 grey 255 0 255");
    CHECK(pnm("P2" + comment + "3" + comment + "1" + comment + "255" + comment + "5" + comment + "35" + comment + "10" +
              comment) == "u8 grey 5 35 10");
    CHECK(pnm("P3" + comment + "1" + comment + "1" + comment + "15" + comment + "1" + comment + "2" + comment + "3" +
              comment) == "u8 rgb 17 34 51");
  }
  // After the white space that ends the header, '#' is a pixel.
  CHECK(pnm("P5 2 1 255\n#a") == "u8 grey 35 97");
}

TEST_CASE("a PNM that ends too early, or has other text than numbers") {
  const auto pnm = [](const std::string& text) { return outcome(to_bytes(text)); };
  const std::string too_early = "damaged or truncated PNM (it ends too early)";
  CHECK(pnm("P5 2 2 255\n123") == too_early);
  CHECK(pnm("P6 1 1 255\n12") == too_early);
  CHECK(pnm("P5 1 1 65535\n1") == too_early);
  CHECK(pnm("P4 9 1\n1") == too_early);
  CHECK(pnm("P2 2 1 255\n1 ") == too_early);
  CHECK(pnm("P2 2 1 255\n1") == too_early);
  CHECK(pnm("P2 2 1 255") == too_early);
  CHECK(pnm("P1 3 1\n01") == too_early);
  CHECK(pnm("P2 1 1 255\n#no end") == too_early);
  CHECK(pnm("P2 1 1 255\nx") == "damaged or truncated PNM (something other than a number)");
  CHECK(pnm("P1 1 1\n2") == "damaged or truncated PNM (something other than 0 or 1)");
}

TEST_CASE("PFM: rows from the bottom, both byte orders, divided by the scale") {
  using namespace std::string_literals;
  const auto pfm = [](const std::string& text) { return outcome(to_bytes(text)); };
  CHECK(pfm("Pf\n1 2\n-1.0\n\0\0\x80\x3f\0\0\0\xc0"s) == "f32 grey -2 1");
  CHECK(pfm("Pf\n1 2\n1.0\n\x3f\x80\0\0\xc0\0\0\0"s) == "f32 grey -2 1");
  CHECK(pfm("PF 1 1 -4 \0\0\x80\x3f\0\0\0\xc0\0\0\0\x40"s) == "f32 rgb 0.25 -0.5 0.5");
  CHECK(pfm("PF\n1 1\n-4\n\0\0\x80\x3f\0\0\0\xc0\0\0\0\x40"s) == "f32 rgb 0.25 -0.5 0.5");
  CHECK(pfm("Pf\n1 1\n-2e0\n\0\0\x80\x3f"s) == "f32 grey 0.5");
  CHECK(pfm("Pf\n1 1\n+1.0\n\x3f\x80\0\0"s) == "f32 grey 1");
  // 1 / 0.001 is 1000 and exact in f32, although 0.001 is not.
  const float value = 211.25508F;
  const Bytes file = ByteWriter().text("Pf\n1 1\n-0.001\n").u32(std::bit_cast<std::uint32_t>(value)).bytes();
  CHECK(values(decode_image(file, 1).all()) == std::vector<double>{value * 1000});
  CHECK(pfm("Pf\n1 2\n-1\n\0\0\x80\x3f\0\0\0"s) == "damaged or truncated PFM (it ends too early)");
  CHECK(pfm("Pf\n1 1\nx\n\0\0\x80\x3f"s) == "damaged or truncated PFM (a header without a scale)");
  CHECK(pfm("Pf\n1 1\n0\n\0\0\x80\x3f"s) == "damaged or truncated PFM (a scale that is 0 or not a number)");
  // Division, rounded once: 1 / 3 as a float is off, and so are its products.
  for (const float of : {3.0F, 5.0F, 7.0F, 10.0F}) {
    const Bytes thirds = ByteWriter().text("Pf\n1 1\n-3.0\n").u32(std::bit_cast<std::uint32_t>(of)).bytes();
    CHECK(values(decode_image(thirds, 1).all()) == std::vector<double>{of / 3});
  }
  const std::string out_of_range = "damaged or truncated PFM (a scale outside the range of floats)";
  for (const char* const scale : {"1e39", "-1e39", "1e-46", "-1e-320"})
    CHECK(pfm("Pf\n1 1\n" + std::string(scale) + "\n\0\0\x80\x3f"s) == out_of_range);
  CHECK(pfm("Pf\n1 -1\n-1\n\0\0\x80\x3f"s) == "damaged or truncated PFM (a header without width and height)");
}

TEST_CASE("PFM: any white space before and between the numbers, and one white space or line end after them") {
  using namespace std::string_literals;
  const auto pfm = [](const std::string& text) { return outcome(to_bytes(text)); };
  const std::string one = "\0\0\x80\x3f"s;
  for (const std::string space : {" ", "\n", "\r\n", "  ", "\t", "\v\f \r"}) {
    CAPTURE(space);
    CHECK(pfm("Pf" + space + "1" + space + "1" + space + "-2\n" + one) == "f32 grey 0.5");
  }
  CHECK(pfm("Pf\r\n1 1\r\n-2\r\n" + one) == "f32 grey 0.5");
  CHECK(pfm("Pf\r1 1\r-1\r\n\0\x80\x3f"s) == "f32 grey 1");  // "\n" is the lowest byte: 1 + 10 x 2^-23
  CHECK(pfm("Pf\n1 1\n-1\n\n" + one.substr(1)) == "f32 grey 1");
  for (const char* const other : {"PFM 1", "Pfx", "PF#c\n"})
    CHECK(pfm(other).starts_with("not a picture that can be read"));
}

TEST_CASE("the end of the file ends the last number of a text PNM") {
  const auto pnm = [](const std::string& text) { return outcome(to_bytes(text)); };
  CHECK(pnm("P2 2 1 255\n1 23") == "u8 grey 1 23");
  CHECK(pnm("P3 1 1 255\n1 2 3") == "u8 rgb 1 2 3");
  CHECK(pnm("P2 1 1 65535\n700") == "u16 grey 700");
}

TEST_CASE("PNM one after another: the first is read, and a remark gives their number") {
  using namespace std::string_literals;
  const auto remark = [](const std::string& text) {
    const std::vector<Remark> remarks = remarks_on(read_picture_header(to_bytes(text)));
    return remarks.empty() ? "" : remarks[0].text;
  };
  const std::string bits = "P4 9 2\n1234"s, grey = "P5 2 1 255\nab", colour = "P6 1 1 65535\nabcdef";
  CHECK(remark(grey) == "");
  CHECK(remark(grey + grey) == "only the first of its 2 pictures is read");
  CHECK(remark(colour + bits + grey) == "only the first of its 3 pictures is read");
  CHECK(outcome(to_bytes(grey + colour)) == "u8 grey 97 98");
  for (const std::string& other : {"\n"s, "P5"s, "P5 x"s, "P7\n"s}) CHECK(remark(grey + other) == "");
  CHECK(remark(grey + "P2 1 1 255 1\n") == "only the first of its 2 pictures is read");
  CHECK(remark("P2 1 1 255\n1 \n" + grey) == "only the first of its 2 pictures is read");
}
