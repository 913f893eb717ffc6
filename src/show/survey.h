// What a report shows of a picture or tensor: a small copy of it, and the histogram of its values.
#pragma once

#include <array>
#include <cstdint>
#include <mutex>
#include <optional>
#include <string_view>
#include <vector>

#include "core/tensor.h"
#include "files/buffer.h"
#include "pictures/image.h"

namespace convtool {

/// Numbers of values in bins of equal width.
struct Histogram {
  /// Where the first bin begins and the last one ends. Of an integer type all values have a place, else the finite ones
  /// that there are; whole numbers lie in the middle of a stretch of length 1, so that all bins are equally full.
  double low = 0, high = 0;
  bool is_whole = false;                    ///< all values are whole numbers, from low + 0.5 to high - 0.5
  std::vector<std::vector<double>> counts;  ///< of each colour, or of all channels together; may be fractions (Survey)
  std::int64_t at_low = 0, at_high = 0;     ///< of integer types: values that are 0, and the largest of the type
  std::int64_t not_finite = 0;              ///< values that are NaN or infinite, in no bin
};

/// A picture of at most a few hundred pixels a side, as a file that a browser can show.
struct Preview {
  Bytes file;
  std::string_view type;          ///< "image/png" or "image/jpeg"
  Shape shape;                    ///< of the copy
  double black = 0, white = 255;  ///< the values that are shown so
};

struct SurveyResult {
  Shape shape;  ///< of the original
  DType dtype = DType::u8;
  Histogram histogram;
  std::optional<Preview> preview;
};

struct SurveyOptions {
  std::int64_t side = 1280;     ///< of the copy, in pixels at most; 0: no copy
  std::size_t bytes = 1 << 20;  ///< of the copy, at most, unless it is tiny
  std::size_t bins = 128;
  bool is_signed = false;  ///< shows values in two colours, with 0 white; full at percentile 99.5 of absolute values
  std::optional<std::array<double, 2>> range;  ///< for floats: the values shown black and white; none: the extremes
};

/// Options with which the surveys of `inputs`, each with this number of `pictures`, fit into a page of less than 5 MB;
/// beyond kMostPreviews inputs, without copies, and with one histogram for all colours.
SurveyOptions survey_options(std::size_t inputs, std::size_t pictures);
inline constexpr std::size_t kMostPreviews = 200;

/// The same for part `place`, from 1, of an input with an unknown number of parts, whose first ones have more room than
/// later ones. Nothing beyond kMostPreviews / `inputs` parts, apart from the first one.
std::optional<SurveyOptions> survey_options_of_part(std::size_t inputs, std::size_t pictures, std::size_t place);

/// Looks at a picture or tensor in rows, so that it need not be in memory; its own memory depends on the options alone.
/// The copy averages pixels, after laying them on white where they are transparent; it shows the first item of a batch,
/// and the first channel of a tensor. Floats are counted by their upper 16 bits, so bins may be off by 1/128 of a
/// value's size. Thread-safe.
class Survey {
 public:
  /// `pixels`: how channels are shown; none: they are not colours. Throws std::bad_alloc.
  Survey(DType dtype, const Shape& shape, std::optional<PixelFormat> pixels, const SurveyOptions& options);

  /// Looks at rows of item `n`, from row `first` on, with all channels. Every row has to be passed once.
  void add(std::int64_t n, std::int64_t first, const ConstTensorRef& rows);

  /// After the last row; call it once. Throws as encode_image() does.
  SurveyResult finish();

  /// An upper bound for the bytes of a survey of a picture of this shape.
  static std::int64_t memory(const Shape& shape, const SurveyOptions& options);

 private:
  template <class T>
  void count(const TensorView<const T>& rows);
  template <class T>
  void shrink(std::int64_t first, const TensorView<const T>& rows);
  Histogram make_histogram() const;
  double strong_value() const;
  Preview make_preview() const;

  const DType dtype_;
  const Shape shape_;
  const SurveyOptions options_;
  const bool has_alpha_;
  std::int64_t colours_;  ///< channels that are counted
  std::int64_t counted_;  ///< histograms: one per colour, or one
  std::int64_t shown_;    ///< channels of the copy: 1 or 3
  Shape small_;           ///< of the copy
  std::mutex mutex_;
  std::vector<std::int64_t> levels_;   ///< [histogram][upper 16 bits of a value]
  std::vector<std::int64_t> columns_;  ///< where each column of the copy begins in the original, and the end
  std::vector<float> sums_;            ///< [channel][row][column] of the copy
  double least_, most_;                ///< finite values
  bool is_whole_ = true;               ///< and whether all are whole numbers
  std::int64_t not_finite_ = 0;
};

/// The survey of a picture or tensor in memory.
SurveyResult survey(const ConstTensorRef& values, std::optional<PixelFormat> pixels, const SurveyOptions& options);

}  // namespace convtool
