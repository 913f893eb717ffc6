// Kernel files of every format: read, described, written and read again, and run on a small picture, every algorithm
// against `reference`. The length of the input decides which picture.
#include <algorithm>
#include <cmath>
#include <nlohmann/json.hpp>

#include "core/text.h"
#include "fuzz/engine_tester.h"
#include "fuzz/json_mutator.h"
#include "fuzz/kernel_seeds.h"
#include "fuzz/target.h"
#include "kernels/files/kernel_format.h"
#include "kernels/files/kernel_json.h"
#include "kernels/named_kernel.h"
#include "network/kernel_traits.h"
#include "network/network_plan.h"
#include "report/kernel_report.h"
#include "report/weights_text.h"
#include "support/random.h"

namespace convtool::fuzz {
namespace kernel {

constexpr std::int64_t kMostWeights = 3'000;
constexpr double kMostMacs = 100'000;  // of a layer; five times as many of a network

/// Weights in place of those in the file `reference`, so that an input opens no files: the length of the name gives the
/// dimensions.
WeightFile stand_in(const std::string& reference, std::int64_t most) {
  if (!has_extension(reference, ".npy")) refuse_kernel(reference, "is not a file of weights");
  const auto length = static_cast<std::int64_t>(reference.size());
  WeightFile file = {.path = reference, .dimensions = {}, .values = {1}};
  for (std::int64_t i = 0; i <= length % 4; ++i) {
    file.dimensions.push_back(1 + (length + i) % 3);
    file.values.resize(file.values.size() * static_cast<std::size_t>(file.dimensions.back()), 0.5F);
  }
  if (std::ssize(file.values) > most) refuse_kernel(reference, "is too large");
  return file;
}

/// Kernels by name, without those that take long to compute.
Network by_name(const std::string& name) {
  constexpr std::size_t kLongest = 16;  // "gaussian:sigma=2"
  if (name.size() > kLongest) refuse_kernel("", "a name that is too long");
  return load_named_kernel(name);
}

std::optional<Network> read_kernel(KernelFormat format, std::span<const std::byte> input) {
  std::optional<Network> network;
  accepts({ErrorKind::kernel}, [&] {
    network = format == KernelFormat::convtool ? parse_kernel_json(text_of(input), "file", "kernel", stand_in, by_name)
                                               : parse_kernel(format, input, "file", "kernel");
  });
  return network;
}

bool is_small(const Network& network) {
  std::int64_t weights = 0;
  for (const Bank& bank : network.banks)
    for (const Layer& layer : bank.layers) {
      weights += layer.is_max_pool() ? layer.shape.kh * layer.shape.kw : std::ssize(layer.weights);
      if (weights > kMostWeights) return false;
    }
  return true;
}

void describe(const Network& network) {
  check(resolve_map(OutputMap::automatic, network.banks, DType::u8).map != OutputMap::automatic,
        "a map that stays automatic");
  for (const Bank& bank : network.banks) {
    for (const Layer& layer : bank.layers) {
      if (layer.is_max_pool()) continue;
      check(!weights_text(layer, true).empty(), "weights without a text");
      check(std::ssize(plane_traits(layer)) == layer.shape.c_o * layer.shape.c_i_per_group, "traits for other planes");
      check(std::ssize(responses_at_zero(layer)) == layer.shape.c_o, "responses of other channels");
    }
  }
  const KernelReport report = {.network = network, .typical_input = {}, .algorithms = {}, .refusal = "unknown"};
  check(!to_text(report, true).empty() && nlohmann::json::accept(to_json(report)), "a report that is not one");
}

float quotient(const Layer& layer, std::size_t index) {
  if (layer.divisor.empty()) return layer.weights[index];
  const std::size_t channel = layer.divisor.size() == 1 ? 0 : index / static_cast<std::size_t>(layer.shape.taps());
  return static_cast<float>(static_cast<double>(layer.weights[index]) / layer.divisor[channel]);
}

/// format_kernel(): the same floats, or their quotients by the divisor.
void check_same(const Layer& layer, const Layer& back) {
  check(layer.shape == back.shape && layer.rank == back.rank && layer.pooling == back.pooling, "another shape");
  for (std::size_t i = 0; i < layer.weights.size(); ++i)
    check(quotient(layer, i) == quotient(back, i), "weight " + std::to_string(i) + " was " +
                                                       to_text(quotient(layer, i)) + " and is " +
                                                       to_text(quotient(back, i)));
}

void check_round_trips(const Network& network) {
  for (std::size_t i = 0; i < std::size(kKernelFormats); ++i) {
    const auto format = static_cast<KernelFormat>(i);
    Bytes file;
    if (!accepts({ErrorKind::kernel}, [&] { file = format_kernel(format, network); })) continue;
    border_remark(format, network);
    Network back;
    const std::string name(kKernelFormats[i]);
    if (!accepts({ErrorKind::kernel}, [&] { back = parse_kernel(format, file, "again", network.name); }))
      fail(name + ": cannot be read again: " + std::string(text_of(file)));
    if (format == KernelFormat::convtool) {
      check(back.banks == network.banks && back.name == network.name && back.description == network.description,
            "another network: " + std::string(text_of(file)));
      continue;
    }
    check(network.banks.size() == 1 && network.banks[0].layers.size() == 1 && back.banks.size() == 1 &&
              back.banks[0].layers.size() == 1,
          name + " stores other kernels than one");
    const Combine combine = network.banks[0].combine;  // of one response, the other ways give the response
    check(combine != Combine::magnitude && combine != Combine::l1, name + " stores a magnitude");
    check_same(network.banks[0].layers[0], back.banks[0].layers[0]);
  }
}

Tensor picture_of(DType dtype, const Shape& shape) {
  Random random(7);
  return filled(dtype, shape, [&]() -> double {
    if (dtype == DType::f32) return static_cast<double>(random.rough());
    return static_cast<double>(random.between(0, static_cast<std::int64_t>(full_range(dtype))));
  });
}

/// Whether the error bounds of the tester hold for these numbers: they leave out overflow and underflow.
bool is_bounded(const ConvCase& c) {
  const auto is_tame = [](double x) { return x == 0 || (std::fabs(x) > 0x1p-50 && std::fabs(x) < 0x1p50); };
  const auto are_tame = [&](const auto& numbers) { return std::all_of(numbers.begin(), numbers.end(), is_tame); };
  return are_tame(c.kernel.weights) && are_tame(c.kernel.bias) && are_tame(c.kernel.divisor) &&
         is_tame(static_cast<double>(c.problem.padding_value));
}

/// Multiply-adds, and the work per output. Outputs may be more than 64 bits count.
double work_of(const ConvProblem& problem) {
  const Shape outputs = output_shape(problem);
  return mac_count(problem) + 10.0 * static_cast<double>(outputs.n) * static_cast<double>(outputs.c) *
                                  static_cast<double>(outputs.h) * static_cast<double>(outputs.w);
}

void check_algorithms(const Layer& layer, DType dtype, const Shape& picture, bool flip) {
  if (layer.is_max_pool()) return;
  accepts({ErrorKind::shape}, [&] {
    const BankGeometry geometry = bank_geometry({.layers = {layer}}, dtype, picture);
    ConvCase c = {.problem = geometry.problems.front(), .kernel = bind_kernel(layer, picture.c, flip), .input = {}};
    c.epilogue.activation = layer.activation;
    if (work_of(c.problem) > kMostMacs || !is_bounded(c)) return;
    c.input = picture_of(dtype, picture);
    check_engine(c, static_cast<std::uint64_t>(layer.shape.count()));
  });
}

/// Whether the network fits the picture and does not take too long.
bool is_quick(const Network& network, DType dtype, Shape shape) {
  double work = 0;
  for (const Bank& bank : network.banks) {
    const BankGeometry geometry = bank_geometry(bank, dtype, shape);
    for (const ConvProblem& problem : geometry.problems) work += work_of(problem);
    shape = geometry.output;
    if (work > 5 * kMostMacs) return false;
  }
  return true;
}

/// The network with every map and output type.
void run_network(const Network& network, DType dtype, const Shape& picture, bool flip) {
  accepts({ErrorKind::shape}, [&] {
    if (!is_quick(network, dtype, picture)) return;
    const NetworkPlan plan(network, dtype, picture, flip, {.threads = 2, .totals = true});
    const Tensor input = picture_of(dtype, picture);
    for (const OutputMap map :
         {OutputMap::clip, OutputMap::abs, OutputMap::normalize, OutputMap::offset, OutputMap::signs})
      for (const DType to : {DType::u8, DType::u16, DType::f32}) {
        Shape shape = plan.output_shape();
        if (map == OutputMap::signs) {
          if (shape.c != 1 || to == DType::f32) continue;
          shape.c = 3;
        }
        accepts({ErrorKind::shape}, [&] {
          Tensor output(to, shape);
          const ResponseStats stats = plan.run(input.ref(), output.ref(), map);
          check(stats.total_count + stats.nan_count > 0, "no responses");
        });
      }
  });
}

bool run(std::span<const std::byte> input) {
  bool is_read = false;
  guess_kernel_format(input, "kernel.txt");
  const std::size_t choice = input.size();
  const DType dtype = std::vector{DType::u8, DType::u16, DType::f32}[choice % 3];
  const Shape picture{1, 1 + static_cast<std::int64_t>(choice / 3 % 4), choice % 2 == 0 ? 17 : 5,
                      choice % 5 == 0 ? 40 : 19};
  const bool flip = choice % 7 == 0;
  for (std::size_t i = 0; i < std::size(kKernelFormats); ++i) {
    const std::optional<Network> network = read_kernel(static_cast<KernelFormat>(i), input);
    if (!network) continue;
    is_read = true;
    if (!is_small(*network)) continue;
    describe(*network);
    check_round_trips(*network);
    for (const Bank& bank : network->banks)
      for (const Layer& layer : bank.layers) check_algorithms(layer, dtype, picture, flip);
    run_network(*network, dtype, picture, flip);
  }
  return is_read;
}

}  // namespace kernel

Target kernel_target() { return {"kernel", kernel::run, kernel_seeds(), mutate_kernel_json}; }

}  // namespace convtool::fuzz
