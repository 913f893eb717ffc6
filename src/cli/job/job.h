// Everything about filtering one input that is decided before its first sum is computed.
#pragma once

#include <memory>
#include <mutex>
#include <optional>

#include "cli/job/filter_spec.h"
#include "cli/job/output_name.h"
#include "cli/job/plan.h"
#include "cli/job/source.h"

namespace convtool {

struct Job {
  std::shared_ptr<const Plan> plan;
  Destination destination;
  Shape input_shape;  ///< every channel counted
  int input_rank;
  DType input_dtype;
  Shape shape;  ///< of the result, including an alpha that was set aside
  DType dtype;
  std::optional<PixelFormat> pixels;  ///< of pictures
  bool alpha_kept;                    ///< the input's alpha is resampled into the result's last channel
  Mapping mapping;
  bool map_matters;               ///< false where values are written as they are
  bool repeats_grey;              ///< FilterSpec::repeats_grey()
  int tensor_rank;                ///< dimensions of a result that is a tensor
  PictureMetadata metadata = {};  ///< that the result carries

  const FileFormat& format() const { return *destination.format; }
};

/// Dimensions of a tensor that is computed from one of `rank` dimensions: `rank`, but at least 3 for several channels.
int result_rank(const Shape& result, int rank);

/// Moves the metadata of the input that the result can carry to `job`, unless `spec` leaves them out. Appends a remark
/// on each part that is lost to `remarks`.
void keep_metadata(PictureMetadata metadata, const FilterSpec& spec, Job& job, std::vector<Remark>& remarks);

/// Appends what the user may not expect of the output: a format other than the one asked for, and options that have no
/// effect on the format of a stream, which is known only when a picture arrives.
void add_remarks(const Destination& destination, const FilterSpec& spec, std::vector<Remark>& remarks);

/// Plans what `spec` does to an input. `destination` is final_name()'s. Throws Error(shape) if the kernel does not
/// fit the input, the result its format, or an option one of these.
Job plan_job(const SourceTraits& source, const Destination& destination, const FilterSpec& spec);

/// Plans the jobs of inputs that follow one another: a job like the one before shares its plan. Thread-safe.
class JobPlanner {
 public:
  /// plan_job() for the same `spec` each time.
  Job plan(const SourceTraits& source, const Destination& destination, const FilterSpec& spec);

 private:
  struct Planned {
    SourceTraits source;
    Job job;
  };

  std::mutex mutex_;
  std::optional<Planned> last_;
};

}  // namespace convtool
