// Texts of the command line: values of options, shapes of problems made of them, and names of kernels with parameters.
#include "cli/options/option_value.h"

#include <cmath>
#include <sstream>

#include "core/printable.h"
#include "core/suggest.h"
#include "core/text.h"
#include "fuzz/target.h"
#include "kernels/files/kernel_format.h"
#include "kernels/generated.h"
#include "kernels/kernel_source.h"
#include "kernels/named_kernel.h"
#include "tensors/file_format.h"

namespace convtool::fuzz {
namespace option_value {

bool is_parameter(std::int64_t n, std::int64_t least) { return n >= least && n <= kLargestParameter; }

bool is_sound(const Pads& pads) {
  return is_parameter(pads.top, 0) && is_parameter(pads.left, 0) && is_parameter(pads.bottom, 0) &&
         is_parameter(pads.right, 0);
}

bool check_values(const std::string& text) {
  bool is_value = false;
  const auto each = [&](const auto& work) { is_value |= accepts({ErrorKind::usage}, work); };
  each([&] {
    const std::int64_t n = parse_integer("--option", text, -5, 1000);
    check(n >= -5 && n <= 1000, "an integer beyond its range");
  });
  each([&] { check(parse_size("--option", text) > 0, "a size that is not positive"); });
  each([&] {
    const int n = parse_threads("--option", text);
    check(n >= 0 && n <= 1024, "a number of threads beyond its range");
  });
  each([&] {
    const double x = parse_positive("--option", text);
    check(std::isfinite(x) && x > 0, "a number that is not positive");
  });
  each([&] {
    const double x = parse_not_negative("--option", text);
    check(std::isfinite(x) && x >= 0, "a negative number");
  });
  each([&] {
    const double x = parse_finite("--option", text);
    check(std::isfinite(x), "a number that is not finite");
    check(parse_finite("--option", to_text(x)) == x, "a double that to_text() changes");
  });
  if (const auto two = find_two_numbers(text))
    check(std::isfinite((*two)[0]) && std::isfinite((*two)[1]), "one of two numbers that is not finite");
  each([&] {
    for (const float x : parse_numbers("--option", text)) {
      check(std::isfinite(x), "a float that is not finite");
      check(parse_numbers("--option", to_text(x)).front() == x, "a float that to_text() changes");
    }
  });
  each([&] {
    const Extent extent = parse_extent("--option", text, 1);
    check(is_parameter(extent.h, 1) && is_parameter(extent.w, 1), "an extent beyond its range");
  });
  each([&] { check(is_sound(parse_padding("--option", text).pads), "padding beyond its range"); });
  each([&] { check(is_sound(parse_pads("--option", text).pads), "pads beyond their range"); });
  each([&] {
    for (const std::int64_t n : parse_shape("--option", text)) check(is_parameter(n, 1), "a size beyond its range");
  });
  each([&] {
    check(parse_choice("--option", text, kPaddingModes) < std::size(kPaddingModes), "a choice beyond the list");
  });
  return is_value;
}

/// A text of six words: the shape of the input, the size of the kernel, stride, dilation, padding and its mode. Any
/// problem that fits is computed in 64 bits.
bool check_problem(const std::string& text) {
  std::istringstream words(text);
  const auto next = [&] {
    std::string word;
    words >> word;
    return word;
  };
  return accepts({ErrorKind::usage, ErrorKind::shape}, [&] {
    const std::vector<std::int64_t> sizes = parse_shape("shape", next());
    Shape input{1, 1, sizes[sizes.size() - 2], sizes.back()};
    if (sizes.size() > 2) input.c = sizes[sizes.size() - 3];
    if (sizes.size() > 3) input.n = sizes[0];
    const Extent kernel = parse_extent("kernel", next(), 1);
    ConvParams params;
    params.stride = parse_extent("stride", next(), 1);
    params.dilation = parse_extent("dilation", next(), 1);
    params.padding = parse_padding("padding", next());
    params.padding_mode = static_cast<PaddingMode>(parse_choice("mode", next(), kPaddingModes));
    const ConvProblem problem =
        make_problem(DType::u8, input, {.c_o = 1, .c_i_per_group = input.c, .kh = kernel.h, .kw = kernel.w}, params);
    const Shape output = output_shape(problem);
    check(output.h >= 1 && output.w >= 1, "an output without pixels: " + to_string(problem));
    check(mac_count(problem) >= 1, "no multiply-adds: " + to_string(problem));
  });
}

/// Whether a parameter is a number of more than two digits, or has an exponent. Large kernels take long and show
/// nothing new.
bool is_large(const std::string& text) {
  int digits = 0;
  for (std::size_t i = std::min(text.find(':'), text.size()); i < text.size(); ++i) {
    const bool is_digit = text[i] >= '0' && text[i] <= '9';
    if (digits > 0 && (text[i] == 'e' || text[i] == 'E')) return true;
    digits = is_digit ? digits + 1 : 0;
    if (digits > 2) return true;
  }
  return false;
}

/// A path would be a file of this machine, and inline JSON is the subject of another target.
bool check_kernel_name(const std::string& text) {
  const bool is_name = is_kernel_name(text);
  if (is_large(text) || text.find_first_of("/.[{") != std::string::npos) return false;
  const bool is_loaded = accepts({ErrorKind::kernel}, [&] {
    for (const Bank& bank : load_kernel(text).banks)
      for (const Layer& layer : bank.layers) {
        check(layer.is_max_pool() || std::ssize(layer.weights) == layer.shape.count(), "another number of weights");
        for (const float weight : layer.weights) check(std::isfinite(weight), "a weight that is not finite");
        for (const double divisor : layer.divisor) check(std::isfinite(divisor) && divisor != 0, "a bad divisor");
      }
  });
  const bool is_foreign = guess_kernel_format(std::as_bytes(std::span(text)), "").has_value();  // "2:1,2,3,4"
  check(is_name || is_foreign || !is_loaded, "a kernel without a name");
  accepts({ErrorKind::kernel}, [&] { generate_kernel(text); });
  return is_loaded;
}

void check_words(const std::string& text) {
  for (const char c : printable(text)) check(static_cast<unsigned char>(c) >= 0x20 && c != 0x7f, "a control character");
  suggestion(text, {"valid", "same", "same_lower", "full"});
  if (const auto format = find_file_format(text)) check(find_file_format(format->extension()).has_value(), "a format");
}

bool run(std::span<const std::byte> input) {
  const std::string text(text_of(input));
  check_words(text);
  const bool is_value = check_values(text), is_problem = check_problem(text), is_kernel = check_kernel_name(text);
  return is_value || is_problem || is_kernel;
}

}  // namespace option_value

Target option_value_target() {
  return {"option_value", option_value::run,
          seeds_of({"12",
                    "-3",
                    "1.5e-3",
                    "64K",
                    "500M",
                    "0x1",
                    "3x4",
                    "1,2,3,4",
                    "2x3x8x8",
                    "same",
                    "SAME_LOWER",
                    "full",
                    "reflect",
                    "mirror",
                    "0.1,-2,1e38",
                    "2,98",
                    "nan",
                    "inf",
                    "1e400",
                    "",
                    " 1",
                    "8x8 3x3 1 1 same zeros",
                    "2x3x100x90 5x1 2x3 1x2 full reflect",
                    "1073741824x1073741824 1x1 1 1 valid circular",
                    "gaussian:sigma=1.4,size=7",
                    "box:size=3x5",
                    "log:sigma=2",
                    "dog:sigma=1,ratio=2",
                    "gabor:sigma=2,theta=30,lambda=4,gamma=1,psi=90",
                    "disk:radius=2.5",
                    "motion:length=5,angle=30",
                    "sobel",
                    "gaussian sigma=2",
                    "Canny",
                    "blur",
                    ".JPG",
                    "npy"})};
}

}  // namespace convtool::fuzz
