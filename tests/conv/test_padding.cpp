// Border rules: the pixel that each mode puts outside the picture, the padding of each rule, and the outputs that see
// no padding.
#include <doctest/doctest.h>

#include <algorithm>
#include <string>

#include "conv/padding.h"
#include "conv/problem.h"

namespace convtool {
namespace {

/// The letters of abcd... at positions [-before, size + after), with '.' for the constant.
std::string draw(PaddingMode mode, std::int64_t size, std::int64_t before, std::int64_t after) {
  std::string text;
  for (std::int64_t i = -before; i < size + after; ++i) {
    const std::int64_t at = pad_index(mode, i, size);
    text += at == kOutside ? '.' : static_cast<char>('a' + at);
  }
  return text;
}

TEST_CASE("the pixels that each mode puts outside abcd, over several periods") {
  CHECK(draw(PaddingMode::zeros, 4, 3, 3) == "...abcd...");
  CHECK(draw(PaddingMode::constant, 4, 3, 3) == "...abcd...");
  CHECK(draw(PaddingMode::replicate, 4, 6, 6) == "aaaaaaabcddddddd");
  CHECK(draw(PaddingMode::circular, 4, 10, 11) ==
        std::string("cd") + "abcd" + "abcd" + "abcd" + "abcd" + "abcd" + "abc");
  CHECK(draw(PaddingMode::symmetric, 4, 13, 13) ==
        std::string("d") + "dcba" + "abcd" + "dcba" + "abcd" + "dcba" + "abcd" + "dcba" + "a");
  CHECK(draw(PaddingMode::reflect, 4, 11, 12) == std::string("bcdcbabcdcb") + "abcd" + "cbabcdcbabcd");
}

TEST_CASE("the drawings in the table of padding modes agree with pad_index()") {
  for (std::size_t i = 0; i < std::size(kPaddingModes); ++i) {
    const PaddingModeRow& row = kPaddingModeTable[i];
    CAPTURE(std::string(row.name));
    const auto mode = static_cast<PaddingMode>(i);
    CHECK(to_string(mode) == row.name);
    std::string picture = draw(mode, 4, 3, 3).insert(7, "|").insert(3, "|");
    const char outside = mode == PaddingMode::constant ? 'k' : '0';
    std::replace(picture.begin(), picture.end(), '.', outside);
    CHECK(picture == row.picture);
  }
}

TEST_CASE("pictures of 1, 2 and 3 pixels") {
  CHECK(draw(PaddingMode::zeros, 1, 2, 2) == "..a..");
  for (const PaddingMode mode :
       {PaddingMode::replicate, PaddingMode::circular, PaddingMode::symmetric, PaddingMode::reflect})
    CHECK(draw(mode, 1, 4, 4) == "aaaaaaaaa");
  CHECK(draw(PaddingMode::circular, 2, 5, 5) == std::string("babab") + "ab" + "ababa");
  CHECK(draw(PaddingMode::symmetric, 2, 6, 6) == std::string("baabba") + "ab" + "baabba");
  CHECK(draw(PaddingMode::reflect, 2, 5, 5) == std::string("babab") + "ab" + "ababa");
  CHECK(draw(PaddingMode::symmetric, 3, 7, 8) == std::string("aabccba") + "abc" + "cbaabccb");
  CHECK(draw(PaddingMode::reflect, 3, 6, 7) == std::string("cbabcb") + "abc" + "babcbab");
}

TEST_CASE("a position very far outside maps into the picture") {
  constexpr std::int64_t kFar = std::int64_t{1} << 60;  // 2^60 is 1 mod 3, 4 mod 6 and 0 mod 4
  CHECK(pad_index(PaddingMode::circular, kFar, 3) == 1);
  CHECK(pad_index(PaddingMode::circular, -kFar, 3) == 2);
  CHECK(pad_index(PaddingMode::symmetric, kFar, 3) == 1);   // abccba, letter 4
  CHECK(pad_index(PaddingMode::symmetric, -kFar, 3) == 2);  // letter 2
  CHECK(pad_index(PaddingMode::reflect, kFar, 3) == 0);     // abcb, letter 0
  CHECK(pad_index(PaddingMode::replicate, kFar, 3) == 2);
  CHECK(pad_index(PaddingMode::replicate, -kFar, 3) == 0);
  CHECK(pad_index(PaddingMode::zeros, kFar, 3) == kOutside);
}

Pads pads_of(Padding::Rule rule, Extent input, Extent kernel, Extent stride, Extent dilation) {
  return resolve_pads({.rule = rule, .pads = {9, 9, 9, 9}}, input,
                      dilated_kernel({.kh = kernel.h, .kw = kernel.w}, dilation), stride);
}

TEST_CASE("the padding of each rule") {
  struct Row {
    Extent input, kernel, stride, dilation;
    Pads same, same_lower, full;
  };
  const Row rows[] = {
      // At stride 1 an odd kernel is centred. An even one has one more row or column at the end, or at the start.
      {{8, 8}, {3, 3}, {1, 1}, {1, 1}, {1, 1, 1, 1}, {1, 1, 1, 1}, {2, 2, 2, 2}},
      {{8, 8}, {5, 3}, {1, 1}, {1, 1}, {2, 1, 2, 1}, {2, 1, 2, 1}, {4, 2, 4, 2}},
      {{8, 8}, {2, 2}, {1, 1}, {1, 1}, {0, 0, 1, 1}, {1, 1, 0, 0}, {1, 1, 1, 1}},
      {{8, 8}, {4, 6}, {1, 1}, {1, 1}, {1, 2, 2, 3}, {2, 3, 1, 2}, {3, 5, 3, 5}},
      {{1, 1}, {1, 1}, {1, 1}, {1, 1}, {0, 0, 0, 0}, {0, 0, 0, 0}, {0, 0, 0, 0}},
      // Dilation widens the kernel: 3 taps with distance 2 span 5, 2 taps with distance 3 span 4.
      {{8, 8}, {3, 3}, {1, 1}, {2, 2}, {2, 2, 2, 2}, {2, 2, 2, 2}, {4, 4, 4, 4}},
      {{8, 8}, {3, 2}, {1, 1}, {2, 3}, {2, 1, 2, 2}, {2, 2, 2, 1}, {4, 3, 4, 3}},
      // With stride 2, 8 rows need 4 outputs, so (4 - 1) * 2 + 3 - 8 = 1 row. 7 columns need (4 - 1) * 2 + 3 - 7 = 2.
      {{8, 7}, {3, 3}, {2, 2}, {1, 1}, {0, 1, 1, 1}, {1, 1, 0, 1}, {2, 2, 2, 2}},
      {{9, 10}, {5, 5}, {3, 4}, {1, 1}, {1, 1, 1, 2}, {1, 2, 1, 1}, {4, 4, 4, 4}},
      {{10, 10}, {3, 3}, {3, 4}, {2, 3}, {2, 2, 2, 3}, {2, 3, 2, 2}, {4, 6, 4, 6}},
      // A stride longer than the kernel needs no padding, which must not become negative.
      {{8, 8}, {1, 1}, {2, 3}, {1, 1}, {0, 0, 0, 0}, {0, 0, 0, 0}, {0, 0, 0, 0}},
      {{9, 9}, {2, 1}, {4, 4}, {1, 1}, {0, 0, 1, 0}, {1, 0, 0, 0}, {1, 0, 1, 0}},
      // A picture smaller than the kernel.
      {{2, 1}, {7, 4}, {1, 1}, {1, 1}, {3, 1, 3, 2}, {3, 2, 3, 1}, {6, 3, 6, 3}},
  };
  for (const Row& row : rows) {
    CAPTURE(to_string(Shape{1, 1, row.input.h, row.input.w}));
    CAPTURE(to_string(Shape{1, 1, row.kernel.h, row.kernel.w}));
    CAPTURE(to_string(Shape{1, 1, row.stride.h, row.stride.w}));
    CHECK(pads_of(Padding::Rule::same, row.input, row.kernel, row.stride, row.dilation) == row.same);
    CHECK(pads_of(Padding::Rule::same_lower, row.input, row.kernel, row.stride, row.dilation) == row.same_lower);
    CHECK(pads_of(Padding::Rule::full, row.input, row.kernel, row.stride, row.dilation) == row.full);
    CHECK(pads_of(Padding::Rule::fixed, row.input, row.kernel, row.stride, row.dilation) == Pads{9, 9, 9, 9});
  }
}

TEST_CASE("same gives ceil(in / stride) outputs with the least padding, split evenly") {
  for (std::int64_t in = 1; in <= 12; ++in)
    for (std::int64_t k = 1; k <= 6; ++k)
      for (std::int64_t s = 1; s <= 5; ++s)
        for (std::int64_t d = 1; d <= 3; ++d) {
          CAPTURE(in);
          CAPTURE(k);
          CAPTURE(s);
          CAPTURE(d);
          const auto outputs = [&](std::int64_t pad) {
            const std::int64_t room = in + pad - (d * (k - 1) + 1);
            return room < 0 ? 0 : room / s + 1;
          };
          const std::int64_t wanted = (in + s - 1) / s;
          std::int64_t least = 0;
          while (outputs(least) < wanted) ++least;

          // Both axes at once, with the roles of h and w exchanged in the second call.
          const Pads upper = pads_of(Padding::Rule::same, {in, 1}, {k, 1}, {s, 1}, {d, 1});
          CHECK(upper == Pads{least / 2, 0, least - least / 2, 0});
          const Pads lower = pads_of(Padding::Rule::same_lower, {1, in}, {1, k}, {1, s}, {1, d});
          CHECK(lower == Pads{0, least - least / 2, 0, least / 2});
        }
}

TEST_CASE("full is one less than the dilated kernel on every side") {
  for (std::int64_t in = 1; in <= 6; ++in)
    for (std::int64_t k = 1; k <= 5; ++k)
      for (std::int64_t d = 1; d <= 3; ++d) {
        const Pads pads = pads_of(Padding::Rule::full, {in, in}, {k, 1}, {1, 1}, {d, 1});
        CHECK(pads.top == d * (k - 1));
        CHECK(pads.bottom == d * (k - 1));
        CHECK(pads.left == 0);
        CHECK(pads.right == 0);
      }
}

TEST_CASE("interior() agrees with a search over all outputs") {
  for (std::int64_t out = 0; out <= 9; ++out)
    for (std::int64_t in = 1; in <= 8; ++in)
      for (std::int64_t stride = 1; stride <= 5; ++stride)
        for (std::int64_t offset = -14; offset <= 14; ++offset) {
          std::int64_t begin = out, end = 0;
          for (std::int64_t j = 0; j < out; ++j)
            if (const std::int64_t at = j * stride + offset; at >= 0 && at < in) {
              begin = std::min(begin, j);
              end = std::max(end, j + 1);
            }
          const Range range = interior(out, in, stride, offset);
          const bool right = begin < end ? range.begin == begin && range.end == end : range.begin == range.end;
          const bool within = range.begin >= 0 && range.begin <= range.end && range.end <= out;
          if (right && within) continue;
          CAPTURE(out);
          CAPTURE(in);
          CAPTURE(stride);
          CAPTURE(offset);
          CAPTURE(begin);
          CAPTURE(end);
          CHECK(range.begin == begin);
          CHECK(range.end == end);
          CHECK(within);
        }
}

}  // namespace
}  // namespace convtool
