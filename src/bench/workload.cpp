#include "bench/workload.h"

#include <cmath>
#include <cstdint>
#include <numeric>
#include <utility>

namespace convtool {
namespace {

/// SplitMix64: a counter put through a mixing function (Steele, Lea, Flood, "Fast splittable pseudorandom number
/// generators", 2014; with the constants of variant 13 by Stafford).
class Noise {
 public:
  explicit Noise(std::uint64_t seed) : state_(seed) {}

  std::uint64_t bits() {
    state_ += 0x9e3779b97f4a7c15;
    std::uint64_t z = state_;
    z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9;
    z = (z ^ (z >> 27)) * 0x94d049bb133111eb;
    return z ^ (z >> 31);
  }

  /// Uniform in [0, 1), with 24 bits.
  float unit() { return static_cast<float>(bits() >> 40) * 0x1p-24F; }

 private:
  std::uint64_t state_;
};

struct Size {
  std::int64_t w, h;
};
constexpr Size k4K{3840, 2160};

/// A square kernel for one channel of a picture.
struct Taps {
  std::string name;
  std::int64_t k;
  std::vector<float> weights;  // k * k
  double divisor = 1;
  double sigma = 0;
};

std::vector<float> outer_product(const std::vector<double>& column, const std::vector<double>& row) {
  std::vector<float> weights;
  for (const double c : column) {
    for (const double r : row) weights.push_back(static_cast<float>(c * r));
  }
  return weights;
}

/// A sharpening and an emboss kernel, of full rank: small weights with a sum of 1.
Taps integers(std::int64_t k) {
  if (k == 3) return {.name = "integer", .k = 3, .weights = {-2, -1, 0, -1, 1, 1, 0, 1, 2}};
  return {.name = "integer", .k = 5, .weights = {-2, -2, -1, -1, 0, -2, 1, -1, 0, 1, -1, -1, 3,
                                                 1,  1,  -1, 0,  1, -1, 2, 0,  1, 1, 2,  0}};
}

/// Random weights, four of five positive, with a sum of 1 and absolute values that sum to less than 2.
Taps random_floats(std::int64_t k) {
  Noise noise(static_cast<std::uint64_t>(k));
  std::vector<float> weights(static_cast<std::size_t>(k * k));
  for (float& weight : weights) weight = noise.unit() * 1.25F - 0.25F;
  const float sum = std::accumulate(weights.begin(), weights.end(), 0.0F);
  for (float& weight : weights) weight /= sum;
  return {.name = "float", .k = k, .weights = weights};
}

/// Samples of the Gaussian as far as three sigmas, with a sum of 1: rank 1, written in full.
Taps gaussian(double sigma) {
  const auto radius = static_cast<std::int64_t>(std::ceil(3 * sigma));
  std::vector<double> samples;
  for (std::int64_t x = -radius; x <= radius; ++x) {
    samples.push_back(std::exp(-static_cast<double>(x * x) / (2 * sigma * sigma)));
  }
  const double sum = std::accumulate(samples.begin(), samples.end(), 0.0);
  for (double& sample : samples) sample /= sum;
  return {.name = "gaussian", .k = 2 * radius + 1, .weights = outer_product(samples, samples), .sigma = sigma};
}

Taps box(std::int64_t k) {
  return {.name = "box",
          .k = k,
          .weights = std::vector<float>(static_cast<std::size_t>(k * k), 1),
          .divisor = static_cast<double>(k * k)};
}

/// Ones within k/2 of the centre.
Taps disk(std::int64_t k) {
  Taps taps{.name = "disk", .k = k, .divisor = 0};
  const std::int64_t centre = k / 2;
  for (std::int64_t y = 0; y < k; ++y) {
    for (std::int64_t x = 0; x < k; ++x) {
      const std::int64_t square = (y - centre) * (y - centre) + (x - centre) * (x - centre);
      const bool inside = 4 * square <= k * k;
      taps.weights.push_back(inside ? 1 : 0);
      taps.divisor += inside ? 1 : 0;
    }
  }
  return taps;
}

/// The sum of two outer products of positive numbers, with a sum of 1.
Taps rank_two(std::int64_t k) {
  Noise noise(static_cast<std::uint64_t>(k) + 1000);
  const auto factor = [&] {
    std::vector<double> numbers(static_cast<std::size_t>(k));
    for (double& number : numbers) number = static_cast<double>(noise.unit()) + 0.1;
    const double sum = std::accumulate(numbers.begin(), numbers.end(), 0.0);
    for (double& number : numbers) number /= sum;
    return numbers;
  };
  const auto a = factor(), b = factor(), c = factor(), d = factor();
  Taps taps{.name = "rank 2", .k = k};
  for (std::size_t y = 0; y < a.size(); ++y) {
    for (std::size_t x = 0; x < a.size(); ++x) {
      taps.weights.push_back(static_cast<float>((a[y] * b[x] + c[y] * d[x]) / 2));
    }
  }
  return taps;
}

/// Random weights, nine of ten of them 0, with a sum of 1.
Taps sparse(std::int64_t k) {
  Noise noise(static_cast<std::uint64_t>(k) + 2000);
  Taps taps{.name = "90 % zeros", .k = k, .weights = std::vector<float>(static_cast<std::size_t>(k * k))};
  float sum = 0;
  for (float& weight : taps.weights) {
    const float value = noise.unit();
    weight = noise.bits() % 10 == 0 ? value : 0;
    sum += weight;
  }
  for (float& weight : taps.weights) weight /= sum;
  return taps;
}

std::string square_text(std::int64_t k) { return std::to_string(k) + "x" + std::to_string(k); }

std::string picture_text(DType dtype, std::int64_t channels, const Size& size) {
  return std::string(to_string(dtype)) + "x" + std::to_string(channels) + " " + std::to_string(size.w) + "x" +
         std::to_string(size.h) + " ";
}

Padding padding_of(std::int64_t pad) { return {.rule = Padding::Rule::fixed, .pads = {pad, pad, pad, pad}}; }

/// A picture whose channels are all filtered by the same kernels; two responses are combined to a magnitude.
Workload picture(const std::string& id, DType dtype, std::int64_t channels, const Size& size,
                 const std::vector<Taps>& kernels, DType output, ConvParams params = {},
                 const std::string& detail = "") {
  const Taps& first = kernels.front();
  const auto joined = static_cast<std::int64_t>(kernels.size());
  params.groups = channels;
  Workload workload{.id = id,
                    .name = picture_text(dtype, channels, size) + square_text(first.k) + " " + first.name + detail +
                            " -> " + std::string(to_string(output)),
                    .kernel = {.shape = {.c_o = channels * joined, .c_i_per_group = 1, .kh = first.k, .kw = first.k}},
                    .epilogue = {.combine = joined == 2 ? Combine::magnitude : Combine::none, .combine_count = joined},
                    .output_dtype = output,
                    .sigma = first.sigma};
  Kernel& kernel = workload.kernel;
  for (std::int64_t c = 0; c < channels; ++c) {
    for (const Taps& taps : kernels) {
      kernel.weights.insert(kernel.weights.end(), taps.weights.begin(), taps.weights.end());
      if (taps.divisor != 1) kernel.divisor.push_back(taps.divisor);
    }
  }
  kernel.bias.assign(static_cast<std::size_t>(kernel.shape.c_o), 0);
  workload.problem = make_problem(dtype, {.n = 1, .c = channels, .h = size.h, .w = size.w}, kernel.shape, params);
  return workload;
}

/// A picture workload whose output is as large as its input.
Workload same_picture(const std::string& id, DType dtype, std::int64_t channels, const Size& size,
                      const std::vector<Taps>& kernels, DType output) {
  return picture(id, dtype, channels, size, kernels, output,
                 {.padding = padding_of(kernels.front().k / 2), .padding_mode = PaddingMode::replicate});
}

/// A layer of a network, with zero padding such that only the stride makes the output smaller.
struct Layer {
  std::string network;
  std::int64_t c_i, c_o;
  Size size;
  std::int64_t k, stride = 1, dilation = 1, groups = 1;
};

Workload layer_workload(const std::string& id, const Layer& layer) {
  const auto number = [](std::int64_t value) { return std::to_string(value); };
  std::string name = "f32 NHWC " + layer.network + " " + number(layer.c_i) + "->" + number(layer.c_o) + " " +
                     number(layer.size.w) + "x" + number(layer.size.h) + " " + square_text(layer.k);
  if (layer.stride > 1) name += " stride " + number(layer.stride);
  if (layer.dilation > 1) name += " dilation " + number(layer.dilation);
  if (layer.groups > 1) name += " groups " + number(layer.groups);
  Workload workload{
      .id = id,
      .name = name,
      .kernel = {.shape = {.c_o = layer.c_o, .c_i_per_group = layer.c_i / layer.groups, .kh = layer.k, .kw = layer.k}},
      .output_dtype = DType::f32};
  Kernel& kernel = workload.kernel;
  Noise noise(static_cast<std::uint64_t>(kernel.shape.count()));
  const float scale = 2 / std::sqrt(static_cast<float>(kernel.shape.taps()));
  kernel.weights.resize(static_cast<std::size_t>(kernel.shape.count()));
  for (float& weight : kernel.weights) weight = (noise.unit() - 0.5F) * scale;
  kernel.bias.assign(static_cast<std::size_t>(layer.c_o), 0);
  workload.problem =
      make_problem(DType::f32, {.n = 1, .c = layer.c_i, .h = layer.size.h, .w = layer.size.w}, kernel.shape,
                   {.stride = {layer.stride, layer.stride},
                    .dilation = {layer.dilation, layer.dilation},
                    .padding = padding_of(layer.dilation * (layer.k - 1) / 2),
                    .groups = layer.groups});
  return workload;
}

using Workloads = std::vector<Workload>;

void add_small_kernels(Workloads& all) {
  for (const std::int64_t channels : {1, 3}) {
    for (const std::int64_t k : {3, 5}) {
      all.push_back(same_picture("I1", DType::u8, channels, k4K, {integers(k)}, DType::u8));
    }
    for (const std::int64_t k : {3, 5, 7, 11}) {
      all.push_back(same_picture("I1", DType::u8, channels, k4K, {random_floats(k)}, DType::u8));
    }
  }
  for (const std::int64_t k : {3, 7}) {
    all.push_back(same_picture("I2", DType::u8, 1, k4K, {random_floats(k)}, DType::f32));
  }
  for (const std::int64_t k : {3, 5, 9}) {
    all.push_back(same_picture("I2", DType::u16, 1, k4K, {random_floats(k)}, DType::u16));
  }
  for (const Size& size : {Size{512, 512}, k4K, Size{8192, 8192}}) {
    for (const std::int64_t k : {3, 5, 7, 9, 11, 15}) {
      all.push_back(same_picture("I3", DType::f32, 1, size, {random_floats(k)}, DType::f32));
    }
  }
  const Taps sobel_x{.name = "sobel magnitude", .k = 3, .weights = {-1, 0, 1, -2, 0, 2, -1, 0, 1}};
  const Taps sobel_y{.name = "sobel magnitude", .k = 3, .weights = {-1, -2, -1, 0, 0, 0, 1, 2, 1}};
  for (const std::int64_t channels : {1, 3}) {
    all.push_back(same_picture("I4", DType::u8, channels, k4K, {sobel_x, sobel_y}, DType::u8));
  }
  for (const Size& size : {Size{320, 240}, Size{1920, 1080}}) {
    for (const std::int64_t k : {3, 5}) {
      all.push_back(same_picture("I5", DType::u8, 4, size, {random_floats(k)}, DType::u8));
    }
  }
}

void add_large_kernels(Workloads& all) {
  for (const auto& [dtype, channels] : {std::pair{DType::u8, 1}, {DType::u8, 3}, {DType::f32, 1}}) {
    for (const double sigma : {1, 3, 8, 30}) {
      all.push_back(same_picture("S1", dtype, channels, k4K, {gaussian(sigma)}, dtype));
    }
  }
  for (const DType dtype : {DType::u8, DType::f32}) {
    for (const std::int64_t k : {15, 21, 31, 63, 127}) {
      all.push_back(same_picture("L1", dtype, 1, k4K, {random_floats(k)}, dtype));
    }
  }
  for (const DType dtype : {DType::u8, DType::f32}) {
    for (const std::int64_t k : {31, 63}) {
      for (const Taps& taps : {box(k), disk(k), rank_two(k), sparse(k)}) {
        all.push_back(same_picture("L2", dtype, 1, k4K, {taps}, dtype));
      }
    }
  }
}

void add_strides_and_dilations(Workloads& all) {
  for (const std::int64_t stride : {2, 4}) {
    for (const std::int64_t k : {3, 7}) {
      all.push_back(picture("T1", DType::u8, 3, k4K, {random_floats(k)}, DType::u8, {.stride = {stride, stride}},
                            " stride " + std::to_string(stride)));
    }
  }
  for (const std::int64_t dilation : {2, 8}) {
    all.push_back(picture("T1", DType::f32, 1, k4K, {random_floats(3)}, DType::f32, {.dilation = {dilation, dilation}},
                          " dilation " + std::to_string(dilation)));
  }
}

void add_layers(Workloads& all) {
  const std::string resnet = "ResNet-50", depthwise = "depthwise";
  const Layer dense[] = {{resnet, 3, 64, {224, 224}, 7, 2}, {resnet, 64, 64, {56, 56}, 3},
                         {resnet, 128, 128, {28, 28}, 3},   {resnet, 256, 256, {14, 14}, 3},
                         {resnet, 512, 512, {7, 7}, 3},     {resnet, 64, 256, {56, 56}, 1},
                         {resnet, 256, 64, {56, 56}, 1},    {resnet, 512, 512, {14, 14}, 1}};
  for (const Layer& layer : dense) all.push_back(layer_workload("C1", layer));
  const Layer odd[] = {{"VGG", 64, 64, {224, 224}, 3},         {"VGG", 512, 512, {28, 28}, 3},
                       {"U-Net", 1, 16, {572, 572}, 3},        {"colour matrix", 3, 3, k4K, 1},
                       {"picture", 3, 16, {1920, 1080}, 3},    {"mid-size", 32, 32, {128, 128}, 5},
                       {"R-FCN", 512, 512, {57, 38}, 3, 1, 3}, {"AlexNet", 96, 256, {27, 27}, 5, 1, 1, 2}};
  for (const Layer& layer : odd) all.push_back(layer_workload("C2", layer));
  for (const auto& [channels, side] : {std::pair{32, 112}, {128, 56}, {512, 14}}) {
    for (const std::int64_t stride : {1, 2}) {
      all.push_back(layer_workload("C3", {depthwise, channels, channels, {side, side}, 3, stride, 1, channels}));
    }
  }
}

}  // namespace

Shape Workload::output_shape() const {
  Shape shape = convtool::output_shape(problem);
  shape.c /= epilogue.combine_count;
  return shape;
}

double Workload::divisor(std::int64_t sum_channel) const {
  return kernel.divisor.empty() ? 1 : kernel.divisor[static_cast<std::size_t>(sum_channel)];
}

double Workload::bytes() const {
  return static_cast<double>(problem.input.count() * size_of(problem.input_dtype) +
                             output_shape().count() * size_of(output_dtype) +
                             kernel.shape.count() * size_of(DType::f32));
}

std::vector<Workload> workloads() {
  Workloads all;
  add_small_kernels(all);
  add_large_kernels(all);
  add_strides_and_dilations(all);
  add_layers(all);
  return all;
}

std::vector<Workload> workloads(std::string_view text) {
  Workloads all = workloads();
  std::erase_if(all, [&](const Workload& w) { return (w.id + " " + w.name).find(text) == std::string::npos; });
  return all;
}

Tensor make_noise(DType dtype, const Shape& shape) {
  Tensor tensor(dtype, shape);
  Noise noise(1);
  visit_dtype(dtype, [&]<class T>(T) {
    T* data = tensor.data<T>();
    for (std::int64_t i = 0; i < shape.count(); ++i) {
      if constexpr (std::is_same_v<T, float>) {
        data[i] = noise.unit();
      } else {
        data[i] = static_cast<T>(noise.bits() >> 32);
      }
    }
  });
  return tensor;
}

Tensor make_input(const Workload& workload) { return make_noise(workload.problem.input_dtype, workload.problem.input); }

}  // namespace convtool
