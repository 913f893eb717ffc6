#include "cli/commands/learn/sample_pairs.h"

#include <algorithm>
#include <cmath>

#include "cli/batch/memory/machine_memory.h"
#include "cli/job/source.h"
#include "files/file.h"
#include "network/network_plan.h"

namespace convtool {
namespace {

/// Runs `work`; its errors then name `path`.
template <class Work>
auto naming(const std::string& path, const Work& work) {
  try {
    return work();
  } catch (const Error& error) {
    if (!error.where().empty()) throw;
    throw Error(error.kind(), path, error.what());
  }
}

struct Floats {
  Tensor tensor;  ///< f32, planar
  bool whole = false;
  std::vector<Remark> remarks;
};

/// Reads a picture, without its alpha, or a tensor.
Floats read_floats(const std::string& path, PictureDecoder& decoder) {
  const auto limit = static_cast<std::size_t>(default_memory_limit());
  const Source source = naming(path, [&] {
    if (is_inline_tensor(path)) return text_source(path);
    return read_source(read_input(path, {.bytes = limit}), path, std::int64_t{1} << 30, decoder);
  });
  const ConstTensorRef part = source.filtered_part(AlphaRule::keep);
  Floats result{.tensor = Tensor(DType::f32, part.shape), .whole = is_integer(part.dtype), .remarks = source.remarks};
  identity_plan(part.dtype, part.shape, {}).run(part, result.tensor.ref(), {});

  const Shape& shape = part.shape;
  const float* begin = result.tensor.data<float>();
  const float* end = begin + shape.count();
  const float* bad = std::find_if(begin, end, [](float value) { return !std::isfinite(value); });
  if (bad != end) {
    const std::int64_t at = bad - begin;
    throw Error(ErrorKind::input, path,
                std::string(std::isnan(*bad) ? "NaN" : "an infinity") + " in channel " +
                    std::to_string(at / (shape.h * shape.w) % shape.c) + ", row " +
                    std::to_string(at / shape.w % shape.h) + ", column " + std::to_string(at % shape.w) +
                    "; only finite numbers can be learned from");
  }
  return result;
}

/// The channels as items of a batch.
Tensor unstacked(Tensor tensor) {
  const Shape& shape = tensor.shape();
  return std::move(tensor).reshaped({.n = shape.n * shape.c, .c = 1, .h = shape.h, .w = shape.w});
}

void settle_channels(const Shape& input, const Shape& target, Layer& layer) {
  if (layer.rank == 2 && input.c == target.c) return;
  const std::int64_t groups = layer.params.groups;
  if (input.c % groups != 0 || target.c % groups != 0)
    refuse_shape("--groups", std::to_string(groups) + " groups do not divide the channels (" + std::to_string(input.c) +
                                 " of the input, " + std::to_string(target.c) + " of the target)");
  layer.rank = 4;
  layer.shape.c_o = target.c;
  layer.shape.c_i_per_group = input.c / groups;
}

std::string hw(const Shape& shape) { return std::to_string(shape.h) + "x" + std::to_string(shape.w); }

void check_target(const std::string& input_path, const std::string& target_path, const Shape& input,
                  const Shape& target, const Layer& layer) {
  const Bank bank{.name = "", .layers = {layer}};
  const Shape fitting = naming(input_path, [&] { return bank_geometry(bank, DType::f32, input).output; });
  if (target == fitting) return;
  const bool size_fits = target.h == fitting.h && target.w == fitting.w;
  const bool same = !size_fits && layer.params.padding == Padding{} && target.h == input.h && target.w == input.w;
  refuse_shape(
      target_path,
      "the target has the wrong shape (" + input_path + " is " + to_string(input) + ", from which a " +
          std::to_string(layer.shape.kh) + "x" + std::to_string(layer.shape.kw) + " kernel gives " +
          to_string(fitting) + "; expected " + to_string(fitting) + ", got " + to_string(target) + "); " +
          (same        ? "add --padding same, or crop the target to " + hw(fitting)
           : size_fits ? std::string("give a target with as many items and channels")
                       : "give a target of " + hw(fitting) + ", or another --padding, --stride or --kernel-size"));
}

std::int64_t rows_learned_from(const std::string& path, std::int64_t rows, double holdout) {
  if (holdout == 0) return rows;
  if (rows == 1) refuse_shape(path, "the target has one row, so none can be held out; leave out --holdout");
  const auto held_out = static_cast<std::int64_t>(std::floor(holdout * static_cast<double>(rows)));
  return rows - std::clamp<std::int64_t>(held_out, 1, rows - 1);
}

Sample read_sample(const std::string& input_path, const std::string& target_path, double holdout, bool first,
                   PictureDecoder& decoder, Layer& layer, std::vector<std::string>& warnings) {
  Floats input = read_floats(input_path, decoder), target = read_floats(target_path, decoder);
  const auto warn = [&](const std::string& path, const std::vector<Remark>& remarks) {
    for (const Remark& remark : remarks) {
      const auto is_same = [&](const std::string& warning) { return warning.ends_with(": " + remark.text); };
      if (!remark.once || std::none_of(warnings.begin(), warnings.end(), is_same))
        warnings.push_back(path + ": " + remark.text);
    }
  };
  warn(input_path, input.remarks);
  warn(target_path, target.remarks);
  if (first && layer.weights.empty()) settle_channels(input.tensor.shape(), target.tensor.shape(), layer);
  check_target(input_path, target_path, input.tensor.shape(), target.tensor.shape(), layer);
  Sample sample{.input = std::move(input.tensor), .target = std::move(target.tensor), .whole_target = target.whole};
  if (layer.rank == 2) {
    sample.input = unstacked(std::move(sample.input));
    sample.target = unstacked(std::move(sample.target));
  }
  sample.problem = make_problem(DType::f32, sample.input.shape(), layer.shape, layer.params);
  sample.learned_rows = rows_learned_from(target_path, sample.target.shape().h, holdout);
  return sample;
}

}  // namespace

SamplePairs read_samples(const std::vector<std::string>& inputs, const std::vector<std::string>& targets,
                         double holdout, Isolation isolation, Layer& layer) {
  SamplePairs samples;
  PictureDecoder decoder(isolation);
  decoder.prepare();
  for (std::size_t i = 0; i < inputs.size(); ++i)
    samples.pairs.push_back(read_sample(inputs[i], targets[i], holdout, i == 0, decoder, layer, samples.warnings));
  return samples;
}

}  // namespace convtool
