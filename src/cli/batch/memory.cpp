#include "cli/batch/memory.h"

#include <unistd.h>

#include <algorithm>
#include <fstream>
#include <vector>

#include "cli/job/filter.h"

namespace convtool {
namespace {

// Bytes are counted in double: what is asked for may be beyond 64 bits.
constexpr double kFloat = size_of(DType::f32);

double pixels_of(const Shape& shape) {
  return static_cast<double>(shape.n) * static_cast<double>(shape.h) * static_cast<double>(shape.w);
}

double values_of(const Shape& shape) { return pixels_of(shape) * static_cast<double>(shape.c); }

/// What of a picture or tensor is filtered.
Shape filtered_shape(const SourceHeader& header, const FilterOptions& options) {
  Shape shape = header.shape;
  if (header.format.is_tensor()) return shape;
  const bool has_alpha = header.has_alpha(), is_coloured = shape.c > 2;
  if (is_coloured && makes_grey(options)) shape.c -= 2;
  if (has_alpha && (options.alpha == AlphaRule::keep || options.alpha == AlphaRule::drop)) --shape.c;
  return shape;
}

/// What the network's banks are on an input.
struct Stages {
  std::vector<Shape> responses;  ///< of each bank; none when they do not fit or make too much of it
  double weights = 0;            ///< of all banks, a kernel of rank 2 counted for each channel
};

Stages stages_on(Shape input, DType dtype, const FilterOptions& options) {
  Stages stages;
  try {
    for (const Bank& bank : options.network.banks) {
      const BankGeometry geometry = bank_geometry(bank, stages.responses.empty() ? dtype : DType::f32, input);
      for (const ConvProblem& problem : geometry.problems)
        stages.weights += static_cast<double>(problem.kernel.count());
      stages.responses.push_back(geometry.output);
      input = geometry.output;
      if (input.h > options.max_pixels / input.w) return {};
    }
  } catch (const Error&) {
    return {};
  }
  return stages;
}

/// What is kept in f32 between the stages: two banks' responses at a time. For --dump-layers also those of the last
/// one, and a copy of each as it is written.
double between_stages(const Shape& filtered, const std::vector<Shape>& responses, const FilterOptions& options) {
  double bytes = 0;
  const bool dumps = options.dumps_layers;
  for (std::size_t i = 0; i < responses.size(); ++i) {
    const bool is_kept = dumps || i + 1 < responses.size();  // else the last one is the result
    const double before = i > 0 ? values_of(responses[i - 1]) : 0, own = is_kept ? values_of(responses[i]) : 0;
    bytes = std::max(bytes, kFloat * (before + own));
    if (dumps) bytes = std::max(bytes, kFloat * (2 * own + (i + 1 == responses.size() ? before : 0)));
  }
  const Shape& last = responses.back();
  if (options.edges) {
    // EdgePlan: the responses twice, three planes of strengths, three of colours or angles; a plane of marks with the
    // places that are yet to be followed.
    bytes += kFloat * (2 * values_of(last) + 6 * pixels_of(last));
    if (options.edges->hysteresis) bytes += 33 * pixels_of(last);
  }
  if (options.percentiles) bytes += kFloat * values_of(last);
  if (options.alpha == AlphaRule::premultiply) bytes += kFloat * (values_of(filtered) + values_of(last));
  return bytes;
}

/// What encoding `result` bytes of so many pixels takes beyond them.
double encoding_memory(const FileFormat& format, double pixels, double result) {
  switch (format.kind) {
    case FileFormat::Kind::npy: return 0;            // made where it is written from
    case FileFormat::Kind::json: return 8 * result;  // up to 16 characters a float, in a list that grows by doubling
    case FileFormat::Kind::picture: break;
  }
  // The pixels are gone by then: filtered rows, what is left of noise when it is compressed, the file.
  if (format.picture->name == "png") return 2 * result;
  // Channels in the encoder's order, what LZW makes of noise, and its copy. libwebp's lossless search takes 32 bytes a
  // pixel more (measured).
  return 4 * result + (format.picture->name == "webp" ? 32 * pixels : 0);
}

}  // namespace

std::int64_t memory_needed(const SourceHeader& header, std::int64_t file_bytes, const FileFormat& result_format,
                           const FilterOptions& options) {
  constexpr double kEngine = 32 << 20;  // the most that a plan keeps while it runs
  const double decoded = values_of(header.shape) * static_cast<double>(size_of(header.dtype));
  const Shape filtered = filtered_shape(header, options);
  const Stages stages = stages_on(filtered, header.dtype, options);
  const std::vector<Shape>& responses = stages.responses;
  double between = 0, result = 0;
  if (!responses.empty()) {
    between = between_stages(filtered, responses, options);
    const Shape& last = responses.back();
    const double channels =
        static_cast<double>(options.edges ? std::max<std::int64_t>(3, last.c) : last.c) + 1;  // alpha
    const DType dtype = result_format.is_tensor() ? DType::f32 : options.depth.value_or(header.dtype);
    result = pixels_of(last) * channels * static_cast<double>(size_of(dtype));
  }
  // Of a file in memory a copy may be made, for codecs that insist on a path; a progressive JPEG keeps 6 bytes a pixel;
  // channels are put in order in a copy. JSON becomes values of 16 bytes, in lists that grow by doubling.
  const bool is_json = header.format.kind == FileFormat::Kind::json;
  const double decoding = 2 * static_cast<double>(file_bytes) + 2 * decoded + 6 * pixels_of(header.shape) +
                          (is_json ? 48 * values_of(header.shape) : 0);
  // Of weights a plan keeps a copy, and an algorithm another in its own order.
  const double filtering = 2 * decoded + between + result + 2 * kFloat * stages.weights + kEngine;
  const double encoding =
      result + (responses.empty() ? 0 : encoding_memory(result_format, pixels_of(responses.back()), result));
  return static_cast<std::int64_t>(std::min(0x1p62, std::max({decoding, filtering, encoding})));
}

std::int64_t default_memory_limit() {
  std::int64_t memory = static_cast<std::int64_t>(sysconf(_SC_PHYS_PAGES)) * sysconf(_SC_PAGESIZE);
  std::ifstream group("/sys/fs/cgroup/memory.max");
  std::int64_t granted = 0;
  if (group >> granted && granted > 0) memory = std::min(memory, granted);
  return memory / 4 * 3;
}

void MemoryBudget::refuse(std::int64_t bytes) const {
  const auto mebibytes = [](std::int64_t value) {
    return std::to_string((value >> 20) + (value % (1 << 20) != 0 ? 1 : 0)) + " MiB";
  };
  throw Error(ErrorKind::memory, "",
              "needs up to " + mebibytes(bytes) + " of memory (at most " + mebibytes(limit_) +
                  " may be used); raise --memory-limit, or cut the input");
}

MemoryBudget::Share MemoryBudget::take(std::int64_t bytes) {
  if (bytes > limit_) refuse(bytes);
  std::unique_lock lock(mutex_);
  freed_.wait(lock, [&] { return bytes <= limit_ - taken_; });
  taken_ += bytes;
  return Share(*this, bytes);
}

void MemoryBudget::give_back(std::int64_t bytes) {
  {
    std::lock_guard lock(mutex_);
    taken_ -= bytes;
  }
  freed_.notify_all();
}

}  // namespace convtool
