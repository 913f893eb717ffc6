// Laws that every algorithm must satisfy, and that need no reference result. Pixels and weights are small integers over
// a power of two, so sums are exact in any order, and results must be equal in every bit.
#define DOCTEST_CONFIG_NO_TRY_CATCH_IN_ASSERTS  // for_every_algorithm() catches refusals
#include <doctest/doctest.h>

#include <cmath>
#include <map>
#include <string>
#include <vector>

#include "conv/padding.h"
#include "support/convolve.h"
#include "support/params.h"
#include "support/values.h"

namespace convtool {
namespace {

Tensor random_input(DType dtype, const Shape& shape, Random& random) {
  return filled(dtype, shape, [&] {
    if (dtype == DType::f32) return static_cast<double>(random.between(-64, 64)) / 8;
    return static_cast<double>(random.between(0, dtype == DType::u8 ? 255 : 65535));
  });
}

/// Integer weights: all equal for `box`, the product of a column and a row for `separable`.
Kernel random_kernel(const KernelShape& shape, std::string_view algorithm, Random& random) {
  const auto number = [&] { return random.between(-12, 12); };
  const auto factor = [&] { return random.between(1, 3) * (random.chance(2) ? 1 : -1); };
  Kernel kernel{shape, floats(shape.count(), number), floats(shape.c_o, number)};
  if (algorithm != "box" && algorithm != "separable") return kernel;
  const auto taps = static_cast<std::size_t>(shape.kh * shape.kw), columns = static_cast<std::size_t>(shape.kw);
  for (std::size_t first = 0; first < kernel.weights.size(); first += taps) {
    const std::vector<float> column = floats(shape.kh, factor), row = floats(shape.kw, factor);
    for (std::size_t i = 0; i < taps; ++i)
      kernel.weights[first + i] = algorithm == "box" ? column[0] : column[i / columns] * row[i % columns];
  }
  return kernel;
}

/// For each algorithm, the number of the three input types that it must accept.
using Floors = std::map<std::string_view, int>;

/// Calls `law` for every algorithm and input type, with the same random numbers for each. Algorithms in `floors` must
/// accept at least that many types. They may refuse other types, and other algorithms may refuse all.
template <class Law>
void for_every_algorithm(std::uint64_t seed, const Floors& floors, Law&& law) {
  for (const std::string_view algorithm : algorithm_names()) {
    int solved = 0;
    for (const DType dtype : kTypes) {
      CAPTURE(std::string(algorithm));
      CAPTURE(std::string(to_string(dtype)));
      CAPTURE(seed);
      Random random(seed);
      try {
        law(algorithm, dtype, random);
        ++solved;
      } catch (const Error& error) {
        const std::string reason = error.what();
        CHECK(reason.find("does not apply here") != std::string::npos);
        MESSAGE(reason);
      }
    }
    CAPTURE(std::string(algorithm));
    if (const auto floor = floors.find(algorithm); floor != floors.end()) CHECK(solved >= floor->second);
  }
}

/// The floors of a law. `direct`, `rows` and `packed` accept all types of every problem here, unless sums of u16 are
/// too large for float; `others` then has lower floors for them. What other algorithms accept depends on the kernel.
Floors floors(Floors others) {
  others.insert({{"reference", 3}, {"direct", 3}, {"rows", 3}, {"packed", 3}});
  return others;
}

Tensor respond(const Tensor& input, const Kernel& kernel, const Params& params, std::string_view algorithm) {
  return convolve_exactly(input.ref(), kernel, params, algorithm, 0x1p-4);  // pixels in eighths, weights in halves
}

std::vector<double> run(const Tensor& input, const Kernel& kernel, const Params& params, std::string_view algorithm) {
  return values_of(respond(input, kernel, params, algorithm).ref());
}

/// The part of a tensor that starts at (c, y, x) of item 0 and has the given shape. Takes every `step`-th row and
/// column.
Tensor part_of(const Tensor& whole, const Shape& shape, std::int64_t c, std::int64_t y, std::int64_t x,
               Extent step = {}) {
  Tensor part(whole.dtype(), shape);
  visit_dtype(whole.dtype(), [&]<class T>(T) {
    const auto from = whole.ref().view<T>();
    const auto to = part.ref().view<T>();
    for (std::int64_t n = 0; n < shape.n; ++n)
      for (std::int64_t k = 0; k < shape.c; ++k)
        for (std::int64_t i = 0; i < shape.h; ++i)
          for (std::int64_t j = 0; j < shape.w; ++j)
            to.at(n, k, i, j) = from.at(n, c + k, y + i * step.h, x + j * step.w);
  });
  return part;
}

TEST_CASE("a delta kernel returns the picture, shifted by the position of its 1") {
  for_every_algorithm(
      51, floors({{"integer", 1}, {"separable", 3}, {"depthwise", 3}}),
      [](std::string_view algorithm, DType dtype, Random& random) {
        const Tensor x = random_input(dtype, {2, 1, 9, 23}, random);
        for (std::int64_t u = 0; u < 3; ++u)
          for (std::int64_t v = 0; v < 4; ++v) {
            Kernel delta = kernel_of({1, 1, 3, 4}, std::vector<float>(12, 0.0F));
            delta.weights[static_cast<std::size_t>(u * 4 + v)] = 1;
            CHECK(run(x, delta, {.padding = pads(u, v, 2 - u, 3 - v)}, algorithm) == values_of(x.ref()));
            CHECK(run(x, delta, {}, algorithm) == values_of(part_of(x, {2, 1, 7, 20}, 0, u, v).ref()));
          }
      });
}

TEST_CASE("a convolution is linear in the picture and in the weights") {
  for_every_algorithm(
      52, floors({{"integer", 1}, {"rows", 2}, {"packed", 2}}),
      [](std::string_view algorithm, DType dtype, Random& random) {
        const Shape shape{1, 2, 8, 19};
        const auto small = [&] { return static_cast<double>(random.between(0, 40)); };
        const Tensor x = filled(dtype, shape, small), y = filled(dtype, shape, small);
        const std::vector<double> xs = values_of(x.ref()), ys = values_of(y.ref());
        std::vector<double> mixed;
        for (std::size_t i = 0; i < xs.size(); ++i) mixed.push_back(2 * xs[i] + 3 * ys[i]);  // at most 200, fits u8

        Kernel k = random_kernel({3, 2, 3, 5}, algorithm, random), l = random_kernel({3, 2, 3, 5}, algorithm, random);
        k.bias = l.bias = {0, 0, 0};  // a bias is not linear
        Kernel both = k;
        for (std::size_t i = 0; i < both.weights.size(); ++i) both.weights[i] = 4 * k.weights[i] - 0.5F * l.weights[i];

        for (const PaddingMode mode : kModes) {
          const Params params{.padding = kSame, .padding_mode = mode};
          const auto kx = run(x, k, params, algorithm), ky = run(y, k, params, algorithm),
                     lx = run(x, l, params, algorithm);
          const auto of_mixed = run(tensor_of(dtype, shape, mixed), k, params, algorithm);
          const auto of_both = run(x, both, params, algorithm);
          std::size_t wrong = 0;
          for (std::size_t i = 0; i < kx.size(); ++i)
            wrong += (of_mixed[i] != 2 * kx[i] + 3 * ky[i]) + (of_both[i] != 4 * kx[i] - 0.5 * lx[i]);
          CAPTURE(std::string(to_string(mode)));
          CHECK(wrong == 0);
        }
      });
}

TEST_CASE("a shifted picture has a shifted response, except near the border") {
  for_every_algorithm(53, floors({{"integer", 1}}), [](std::string_view algorithm, DType dtype, Random& random) {
    const Tensor x = random_input(dtype, {1, 2, 14, 31}, random);
    const Kernel kernel = random_kernel({2, 2, 3, 4}, algorithm, random);
    const Tensor y = respond(x, kernel, {}, algorithm);
    for (const auto& [dy, dx] : {std::pair{1, 0}, {0, 1}, {3, 5}, {4, 17}}) {
      const Tensor shifted = part_of(x, {1, 2, 14 - dy, 31 - dx}, 0, dy, dx);
      CHECK(run(shifted, kernel, {}, algorithm) == values_of(part_of(y, {1, 2, 12 - dy, 28 - dx}, 0, dy, dx).ref()));
    }
  });
}

TEST_CASE("with circular padding, rolling the picture rolls the response, at the border too") {
  for_every_algorithm(54, floors({{"integer", 1}, {"separable", 3}, {"box", 2}, {"depthwise", 3}}),
                      [](std::string_view algorithm, DType dtype, Random& random) {
                        const Shape shape{1, 1, 6, 11};
                        const Tensor x = random_input(dtype, shape, random);
                        const Kernel kernel = random_kernel({1, 1, 5, 4}, algorithm, random);
                        const Params params{.padding = kSame, .padding_mode = PaddingMode::circular};
                        const std::vector<double> xs = values_of(x.ref()), y = run(x, kernel, params, algorithm);
                        const auto turned = [&](const std::vector<double>& values) {
                          std::vector<double> result;
                          for (std::int64_t i = 0; i < 6; ++i)
                            for (std::int64_t j = 0; j < 11; ++j)
                              result.push_back(values[static_cast<std::size_t>((i + 2) % 6 * 11 + (j + 7) % 11)]);
                          return result;
                        };
                        CHECK(run(tensor_of(dtype, shape, turned(xs)), kernel, params, algorithm) == turned(y));
                      });
}

TEST_CASE("groups are separate convolutions") {
  for_every_algorithm(55, floors({}), [](std::string_view algorithm, DType dtype, Random& random) {
    for (const auto& [groups, inputs, outputs] : {std::tuple{2, 3, 1}, {3, 1, 1}, {3, 2, 2}, {4, 1, 3}}) {
      const Tensor x = random_input(dtype, {1, groups * inputs, 7, 18}, random);
      const Kernel kernel = random_kernel({groups * outputs, inputs, 3, 2}, algorithm, random);
      const Params params{.stride = {1, 2}, .padding = pads(1, 0, 2, 1), .padding_mode = PaddingMode::replicate};
      Params grouped = params;
      grouped.groups = groups;
      std::vector<double> apart;
      for (int g = 0; g < groups; ++g) {
        const float *weights = kernel.taps(g * outputs, 0), *bias = kernel.bias.data() + g * outputs;
        const Kernel own{{outputs, inputs, 3, 2}, {weights, weights + outputs * inputs * 6}, {bias, bias + outputs}};
        const auto y = run(part_of(x, {1, inputs, 7, 18}, g * inputs, 0, 0), own, params, algorithm);
        apart.insert(apart.end(), y.begin(), y.end());
      }
      CHECK(run(x, kernel, grouped, algorithm) == apart);
    }
  });
}

TEST_CASE("a batch is filtered like separate pictures, and output channels are separate kernels") {
  for_every_algorithm(56, floors({{"integer", 1}}), [](std::string_view algorithm, DType dtype, Random& random) {
    const Tensor x = random_input(dtype, {3, 2, 5, 17}, random);
    const Kernel kernel = random_kernel({4, 2, 3, 3}, algorithm, random);
    const Params params{.padding = kSame};
    std::vector<double> apart;
    const std::vector<double> xs = values_of(x.ref());
    for (std::int64_t n = 0; n < 3; ++n) {
      const Tensor item = tensor_of(dtype, {1, 2, 5, 17}, {xs.begin() + n * 170, xs.begin() + (n + 1) * 170});
      for (std::int64_t o = 0; o < 4; ++o) {
        const Kernel one{{1, 2, 3, 3}, {kernel.taps(o, 0), kernel.taps(o, 0) + 18}, {kernel.bias.data()[o]}};
        const auto y = run(item, one, params, algorithm);
        apart.insert(apart.end(), y.begin(), y.end());
      }
    }
    CHECK(run(x, kernel, params, algorithm) == apart);
  });
}

TEST_CASE("a dilated kernel equals a kernel with zeros between its taps") {
  for_every_algorithm(57, floors({}), [](std::string_view algorithm, DType dtype, Random& random) {
    const Tensor x = random_input(dtype, {1, 2, 13, 27}, random);
    const Kernel kernel = random_kernel({2, 2, 3, 4}, algorithm, random);
    for (const Extent d : {Extent{2, 2}, Extent{1, 3}, Extent{4, 1}, Extent{3, 2}}) {
      const KernelShape wide{2, 2, 2 * d.h + 1, 3 * d.w + 1};
      Kernel stuffed{wide, std::vector<float>(static_cast<std::size_t>(wide.count()), 0.0F), kernel.bias};
      for (std::int64_t o = 0; o < 2; ++o)
        for (std::int64_t c = 0; c < 2; ++c)
          for (std::int64_t u = 0; u < 3; ++u)
            for (std::int64_t v = 0; v < 4; ++v)
              stuffed.weights[static_cast<std::size_t>(((o * 2 + c) * wide.kh + u * d.h) * wide.kw + v * d.w)] =
                  kernel.taps(o, c)[u * 4 + v];
      for (const PaddingMode mode : kModes) {
        const Padding padding = pads(3, 1, 2, 4);
        const auto dilated =
            run(x, kernel, {.dilation = d, .padding = padding, .padding_mode = mode, .padding_value = 7}, algorithm);
        CHECK(dilated == run(x, stuffed, {.padding = padding, .padding_mode = mode, .padding_value = 7}, algorithm));
      }
    }
  });
}

TEST_CASE("a stride selects from the response of stride 1") {
  for_every_algorithm(58, floors({{"separable", 3}}), [](std::string_view algorithm, DType dtype, Random& random) {
    const Tensor x = random_input(dtype, {2, 1, 11, 29}, random);
    const Kernel kernel = random_kernel({2, 1, 3, 4}, algorithm, random);
    for (const PaddingMode mode : kModes) {
      const Params params{.padding = pads(2, 3, 1, 2), .padding_mode = mode, .padding_value = -1};
      const Tensor all = respond(x, kernel, params, algorithm);
      for (const Extent s : {Extent{2, 2}, Extent{1, 3}, Extent{4, 1}, Extent{3, 4}, Extent{20, 40}}) {
        Params strided = params;
        strided.stride = s;
        const Shape shape{2, 2, (all.shape().h - 1) / s.h + 1, (all.shape().w - 1) / s.w + 1};
        const std::vector<double> got = run(x, kernel, strided, algorithm);  // throws if the algorithm refuses
        CHECK(got == values_of(part_of(all, shape, 0, 0, 0, s).ref()));
      }
    }
  });
}

TEST_CASE("a 1x1 convolution is a matrix product over channels") {
  for_every_algorithm(59, floors({{"integer", 1}}), [](std::string_view algorithm, DType dtype, Random& random) {
    const Tensor x = random_input(dtype, {1, 3, 3, 3}, random);
    const Kernel kernel = random_kernel({2, 3, 1, 1}, algorithm, random);
    const std::vector<double> xs = values_of(x.ref());
    std::vector<double> product;
    for (std::size_t o = 0; o < 2; ++o)
      for (std::size_t p = 0; p < 9; ++p) {
        double sum = static_cast<double>(kernel.bias[o]);
        for (std::size_t c = 0; c < 3; ++c) sum += static_cast<double>(kernel.weights[o * 3 + c]) * xs[c * 9 + p];
        product.push_back(sum);
      }
    const std::vector<double> responses = run(x, kernel, {}, algorithm);
    CHECK(responses == product);
  });
}

TEST_CASE("an output depends on exactly the pixels of its receptive field") {
  for_every_algorithm(
      60, floors({{"separable", 3}, {"depthwise", 3}}), [](std::string_view algorithm, DType dtype, Random& random) {
        const Tensor x = random_input(dtype, {1, 1, 8, 21}, random);
        Kernel kernel = random_kernel({1, 1, 2, 3}, algorithm, random);
        for (float& weight : kernel.weights) weight = weight == 0 ? 1 : weight;
        const Params params{.stride = {1, 2}, .dilation = {3, 2}, .padding = pads(1, 2, 2, 1)};
        const std::vector<double> before = run(x, kernel, params, algorithm);
        const std::int64_t ow = (21 + 3 - 5) / 2 + 1;
        for (int i = 0; i < 25; ++i) {
          const std::int64_t y = random.between(0, 7), z = random.between(0, 20);
          std::vector<double> xs = values_of(x.ref());
          xs[static_cast<std::size_t>(y * 21 + z)] = xs[static_cast<std::size_t>(y * 21 + z)] == 1 ? 2 : 1;
          const std::vector<double> after = run(tensor_of(dtype, x.shape(), xs), kernel, params, algorithm);
          for (std::size_t at = 0; at < before.size(); ++at) {
            const std::int64_t top = static_cast<std::int64_t>(at) / ow - 1,
                               left = static_cast<std::int64_t>(at) % ow * 2 - 2;
            const bool sees = (y == top || y == top + 3) && (z == left || z == left + 2 || z == left + 4);
            if ((before[at] != after[at]) == sees) continue;
            CAPTURE(y);
            CAPTURE(z);
            CAPTURE(at);
            CHECK((before[at] != after[at]) == sees);
          }
        }
      });
}

TEST_CASE("padding gives the same result as filtering a padded picture") {
  for_every_algorithm(61, floors({{"fft", 3}}), [](std::string_view algorithm, DType dtype, Random& random) {
    const Shape shape{1, 2, 5, 9};
    const Tensor x = random_input(dtype, shape, random);
    const Kernel kernel = random_kernel({2, 2, 3, 4}, algorithm, random);
    const std::vector<double> xs = values_of(x.ref());
    for (const PaddingMode mode : kModes) {
      for (const Pads p : {Pads{1, 2, 1, 1}, Pads{0, 3, 4, 0}, Pads{4, 0, 2, 8}}) {
        std::vector<double> padded;
        for (std::int64_t c = 0; c < 2; ++c)
          for (std::int64_t y = -p.top; y < 5 + p.bottom; ++y)
            for (std::int64_t z = -p.left; z < 9 + p.right; ++z) {
              const std::int64_t from_y = pad_index(mode, y, 5), from_z = pad_index(mode, z, 9);
              const double outside = mode == PaddingMode::constant ? 6 : 0;
              padded.push_back(from_y == kOutside || from_z == kOutside
                                   ? outside
                                   : xs[static_cast<std::size_t>((c * 5 + from_y) * 9 + from_z)]);
            }
        const Tensor before = tensor_of(dtype, {1, 2, 5 + p.top + p.bottom, 9 + p.left + p.right}, padded);
        Params params{.stride = {2, 1}, .padding = {Padding::Rule::fixed, p}, .padding_mode = mode, .padding_value = 6};
        if (algorithm == "fft") params.stride = {};  // it refuses other strides
        const std::vector<double> got = run(x, kernel, params, algorithm);
        CAPTURE(std::string(to_string(mode)));
        CHECK(got == run(before, kernel, {.stride = params.stride}, algorithm));
      }
    }
  });
}

}  // namespace
}  // namespace convtool
