// Predictions from the header of an input alone: shapes, names, memory.
#pragma once

#include <cstdint>
#include <optional>
#include <vector>

#include "cli/job/filter_spec.h"
#include "cli/job/plan.h"
#include "cli/job/source.h"

namespace convtool {

struct Forecast {
  Shape filtered;                ///< the part of the input that is filtered
  std::vector<Shape> responses;  ///< of each bank; empty if the kernel does not fit or planning refuses a result
  std::vector<bool> adds;        ///< whether each bank adds an earlier one
  std::vector<std::optional<std::size_t>> sources;  ///< of each bank (network/residual.h)
  std::vector<std::size_t> last_uses;               ///< of each bank by a sum (network/residual.h)
  double weights = 0;  ///< floats that the plans of all banks keep of them (conv/weight_memory.h)
};

/// Follows the shape of `header` through the network of `spec`. Does not throw for a kernel that does not fit: planning
/// reports that.
Forecast make_forecast(const SourceHeader& header, const FilterSpec& spec);

/// The layout of a stored result.
struct ResultLayout {
  Shape shape;  ///< every channel counted
  DType dtype = DType::u8;
};

/// That of the result in `format`; nothing if planning will refuse it.
std::optional<ResultLayout> forecast_result(const SourceHeader& header, const FileFormat& format,
                                            const Forecast& forecast, const FilterSpec& spec);

/// Bytes that memory_needed() counts for a plan and its threads, whatever the size of the input. Where threads_memory()
/// is not 0, they take more.
inline constexpr std::int64_t kEngineMemory = 32 << 20;
/// Of those, bytes for what is not pixels, weights or the work of threads: many small blocks, and gaps between blocks.
inline constexpr std::int64_t kBlocksMemory = 8 << 20;

/// An upper bound for the bytes that filtering this input takes at one time, beyond those of the program itself: the
/// file (of `file_bytes` bytes) and its decoded pixels, the decoder's working memory, the responses between stages, the
/// result, and the encoded result. Where `forecast` has no responses, planning will fail and the result is left out.
std::int64_t memory_needed(const SourceHeader& header, std::int64_t file_bytes, const FileFormat& result_format,
                           const Forecast& forecast, const FilterSpec& spec);

/// Bytes that the threads of `plan` take for their work beyond kEngineMemory, and so beyond memory_needed(): many
/// threads with large kernels.
std::int64_t threads_memory(const Plan& plan);

/// Bytes of the plans of a job that runs in bands: for the bands at the top, in the middle and at the bottom of the
/// picture, and that of the whole.
std::int64_t band_plans_memory(const Forecast& forecast);

/// memory_needed() of a job that runs in bands, apart from those: the plans and surveys.
std::int64_t memory_beside_bands(const Forecast& forecast, const FilterSpec& spec);

}  // namespace convtool
