#include "show/survey.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <map>
#include <utility>

#include "core/percentile.h"
#include "pictures/encode_image.h"
#include "show/explain/panels.h"

namespace convtool {
namespace {

constexpr std::int64_t kLevels = kFloatHalves;  ///< of u16, and of the upper halves of floats

std::int64_t level_of(std::uint8_t value) { return value; }
std::int64_t level_of(std::uint16_t value) { return value; }
std::int64_t level_of(float value) { return upper_half(value); }

/// The values of a level lie between the two.
struct Stretch {
  double begin, end;
};

Stretch values_of_level(DType dtype, std::int64_t level, bool is_whole) {
  const auto number = static_cast<double>(level);
  if (is_integer(dtype)) return {number - 0.5, number + 0.5};
  const auto half = static_cast<std::uint32_t>(level);
  const auto begin = static_cast<double>(float_of_halves(half, 0)),
             last = static_cast<double>(float_of_halves(half, kFloatHalves - 1));
  if (!is_whole) return {begin, last};
  return {std::ceil(begin) - 0.5, std::floor(last) + 0.5};
}

/// Adds `count` values, spread evenly over `values`, to bins.
void spread(const Stretch& values, std::int64_t count, const Histogram& histogram, std::vector<double>& bins) {
  const double width = (histogram.high - histogram.low) / static_cast<double>(bins.size());
  const auto last = static_cast<double>(bins.size());
  const auto place = [&](double value) { return std::clamp((value - histogram.low) / width, 0.0, last); };
  const double begin = place(values.begin), end = place(values.end);
  const auto bin_of = [&](double at) { return static_cast<std::size_t>(std::min(at, last - 1)); };
  if (bin_of(begin) == bin_of(end)) {
    bins[bin_of(begin)] += static_cast<double>(count);
    return;
  }
  for (std::size_t bin = bin_of(begin); bin <= bin_of(end); ++bin) {
    const double from = std::max(begin, static_cast<double>(bin)), to = std::min(end, static_cast<double>(bin) + 1);
    bins[bin] += static_cast<double>(count) * std::max(0.0, to - from) / (end - begin);
  }
}

/// Where part `i` of `parts` of a row of `length` pixels begins.
std::int64_t part_begin(std::int64_t i, std::int64_t parts, std::int64_t length) { return i * length / parts; }

/// The part that pixel `at` is in.
std::int64_t part_of(std::int64_t at, std::int64_t parts, std::int64_t length) {
  return ((at + 1) * parts - 1) / length;
}

/// The shape of a copy of at most `side` pixels a side.
Shape small_shape(const Shape& shape, std::int64_t channels, std::int64_t side) {
  const std::int64_t longest = std::max(shape.h, shape.w);
  const auto shortened = [&](std::int64_t length) {
    if (longest <= side) return length;
    return std::max<std::int64_t>(1, (length * side + longest / 2) / longest);
  };
  return {.n = 1, .c = channels, .h = shortened(shape.h), .w = shortened(shape.w)};
}

/// Half as large: the mean of each block of 2x2 pixels, without an odd row or column at the end.
Image halved(const Image& image) {
  const auto from = ConstTensorRef(image.all()).view<std::uint8_t>();
  const std::int64_t height = std::max<std::int64_t>(1, from.shape.h / 2),
                     width = std::max<std::int64_t>(1, from.shape.w / 2);
  Image half(DType::u8, image.format(), height, width);
  const auto to = half.all().view<std::uint8_t>();
  const std::int64_t down = from.shape.h > 1 ? 1 : 0, right = from.shape.w > 1 ? 1 : 0;
  for (std::int64_t c = 0; c < to.shape.c; ++c)
    for (std::int64_t y = 0; y < height; ++y)
      for (std::int64_t x = 0; x < width; ++x) {
        const int sum = from.at(0, c, 2 * y, 2 * x) + from.at(0, c, 2 * y, 2 * x + right) +
                        from.at(0, c, 2 * y + down, 2 * x) + from.at(0, c, 2 * y + down, 2 * x + right);
        to.at(0, c, y, x) = static_cast<std::uint8_t>((sum + 2) / 4);
      }
  return half;
}

/// `image` as PNG if that has at most `bytes` bytes, else as JPEG, reduced until it fits.
void encode_within(Image image, std::size_t bytes, Preview& preview) {
  preview.type = "image/png";
  preview.file = encode_image(image, *find_picture_format("png"));
  for (; preview.file.size() > bytes; image = halved(image)) {
    preview.type = "image/jpeg";
    for (const int quality : {85, 70, 50}) {
      preview.file = encode_image(image, *find_picture_format("jpg"), {.quality = quality});
      if (preview.file.size() <= bytes) break;
    }
    const Shape& shape = image.all().shape;
    if (preview.file.size() <= bytes || (shape.h == 1 && shape.w == 1)) break;
  }
  preview.shape = image.all().shape;
}

constexpr std::size_t kManyBins = 20;   ///< inputs
constexpr std::size_t kFewerBins = 64;  ///< for each of more inputs

/// Options for one of `pictures` on a page.
SurveyOptions options_for(double pictures) {
  // Of 5 MB, 1.2 MB are for histograms and reports (up to 6 kB an input) and for the page itself. Base64 takes four
  // bytes for three.
  constexpr double kBytes = 3.8e6 * 3 / 4;
  constexpr double kBitsOfPixel = 1.5;  // of JPEG, for pictures with much detail
  const double bytes = std::min(1e6, kBytes / pictures);
  SurveyOptions options;
  options.bytes = static_cast<std::size_t>(bytes);
  options.side = std::min(options.side, static_cast<std::int64_t>(std::sqrt(bytes * 8 / kBitsOfPixel)));
  return options;
}

}  // namespace

SurveyOptions survey_options(std::size_t inputs, std::size_t pictures) {
  SurveyOptions options = options_for(static_cast<double>(std::max<std::size_t>(inputs, 1) * pictures));
  if (inputs > kManyBins) options.bins = kFewerBins;
  if (inputs > kMostPreviews) options.side = 0;
  return options;
}

std::optional<SurveyOptions> survey_options_of_part(std::size_t inputs, std::size_t pictures, std::size_t place) {
  constexpr std::size_t kFew = 10;
  const std::size_t parts = std::max<std::size_t>(1, kMostPreviews / inputs);
  if (place > parts) return std::nullopt;
  // Equal shares, unless there may be many parts: then a quarter of the room is for the first one, a quarter for the
  // next nine, and half for the rest.
  const std::size_t shares = parts <= 2 * kFew ? parts
                             : place == 1      ? 4
                             : place <= kFew   ? 4 * (kFew - 1)
                                               : 2 * (parts - kFew);
  SurveyOptions options = options_for(static_cast<double>(inputs * pictures * shares));
  if (inputs > kManyBins || place > 1) options.bins = kFewerBins;
  if (inputs > kMostPreviews) options.side = 0;
  return options;
}

Survey::Survey(DType dtype, const Shape& shape, std::optional<PixelFormat> pixels, const SurveyOptions& options)
    : dtype_(dtype),
      shape_(shape),
      options_(options),
      has_alpha_(pixels && has_alpha(*pixels)),
      colours_(shape.c - (has_alpha_ ? 1 : 0)),
      counted_(pixels && options.side > 0 ? colours_ : 1),
      shown_(pixels ? colours_ : 1),
      small_(small_shape(shape, shown_, options.side)),
      levels_(static_cast<std::size_t>(counted_ * kLevels)),
      least_(std::numeric_limits<double>::infinity()),
      most_(-std::numeric_limits<double>::infinity()) {
  if (options.side == 0) return;
  for (std::int64_t x = 0; x <= small_.w; ++x) columns_.push_back(part_begin(x, small_.w, shape.w));
  sums_.resize(static_cast<std::size_t>(small_.count()));
}

std::int64_t Survey::memory(const Shape& shape, const SurveyOptions& options) {
  constexpr std::int64_t kColours = 3, kSum = sizeof(float), kEncoded = 4;  // the copy as bytes, and files as they grow
  const std::int64_t copy = options.side > 0 ? small_shape(shape, kColours, options.side).count() : 0;
  return kColours * kLevels * static_cast<std::int64_t>(sizeof(std::int64_t)) + copy * (kSum + kEncoded);
}

void Survey::add(std::int64_t n, std::int64_t first, const ConstTensorRef& rows) {
  std::lock_guard lock(mutex_);
  visit_dtype(dtype_, [&]<class T>(T) {
    const TensorView<const T> view = rows.view<T>();
    count<T>(view);
    if (n == 0 && options_.side > 0) shrink<T>(first, view);
  });
}

template <class T>
void Survey::count(const TensorView<const T>& rows) {
  for (std::int64_t n = 0; n < rows.shape.n; ++n)
    for (std::int64_t c = 0; c < colours_; ++c) {
      std::int64_t* levels = levels_.data() + (counted_ == 1 ? 0 : c * kLevels);
      for (std::int64_t y = 0; y < rows.shape.h; ++y) {
        const T* row = rows.row(n, c, y);
        for (std::int64_t x = 0; x < rows.shape.w; ++x) {
          const T value = row[x * rows.strides.w];
          if constexpr (std::is_same_v<T, float>) {
            if (!std::isfinite(value)) {
              ++not_finite_;
              continue;
            }
            least_ = std::min(least_, static_cast<double>(value));
            most_ = std::max(most_, static_cast<double>(value));
            is_whole_ &= value == std::trunc(value);
          }
          ++levels[level_of(value)];
        }
      }
    }
}

template <class T>
void Survey::shrink(std::int64_t first, const TensorView<const T>& rows) {
  const auto value_of = [](T value) {
    const auto number = static_cast<float>(value);
    return std::isfinite(number) ? number : 0.0F;
  };
  const auto full = static_cast<float>(full_value(dtype_));
  for (std::int64_t c = 0; c < shown_; ++c)
    for (std::int64_t y = 0; y < rows.shape.h; ++y) {
      float* sums = sums_.data() + (c * small_.h + part_of(first + y, small_.h, shape_.h)) * small_.w;
      for (std::int64_t part = 0; part < small_.w; ++part) {
        float sum = 0;
        const auto at = static_cast<std::size_t>(part);
        for (std::int64_t x = columns_[at]; x < columns_[at + 1]; ++x) {
          const float value = value_of(rows.at(0, c, y, x));
          const float opaque = has_alpha_ ? value_of(rows.at(0, colours_, y, x)) / full : 1.0F;
          sum += value * opaque + full * (1 - opaque);
        }
        sums[part] += sum;
      }
    }
}

/// What is added on either side of a range of one value: at least half a unit in the last place of a float.
double margin_around(double value) { return std::max(0.5, std::fabs(value) * 0x1p-24); }

Histogram Survey::make_histogram() const {
  Histogram histogram{.is_whole = is_whole_, .counts = {}, .not_finite = not_finite_};
  std::size_t bins = options_.bins;
  if (is_integer(dtype_)) {
    histogram.low = -0.5;
    histogram.high = full_range(dtype_) + 0.5;
  } else if (least_ <= most_) {
    const double margin = least_ == most_ ? margin_around(least_) : is_whole_ ? 0.5 : 0;
    histogram.low = least_ - margin;
    histogram.high = most_ + margin;
    if (is_whole_) bins = static_cast<std::size_t>(std::min(static_cast<double>(bins), most_ - least_ + 1));
  }
  for (std::int64_t i = 0; i < counted_; ++i) {
    const std::int64_t* levels = levels_.data() + i * kLevels;
    std::vector<double>& counts = histogram.counts.emplace_back(bins);
    for (std::int64_t level = 0; level < kLevels; ++level)
      if (levels[level] > 0) spread(values_of_level(dtype_, level, is_whole_), levels[level], histogram, counts);
    if (!is_integer(dtype_)) continue;
    histogram.at_low += levels[0];
    histogram.at_high += levels[static_cast<std::int64_t>(full_range(dtype_))];
  }
  return histogram;
}

/// A size that few values exceed; not below that of any value of the same level.
double Survey::strong_value() const {
  constexpr double kPercent = 99.5;
  std::map<double, std::int64_t> sizes;
  std::int64_t total = 0;
  for (std::size_t i = 0; i < levels_.size(); ++i) {
    if (levels_[i] == 0) continue;
    const Stretch values = values_of_level(dtype_, static_cast<std::int64_t>(i) % kLevels, false);
    sizes[std::max(std::fabs(values.begin), std::fabs(values.end))] += levels_[i];
    total += levels_[i];
  }
  if (total == 0) return 0;
  std::int64_t rank = percentile_rank(total, kPercent);
  auto at = sizes.begin();
  for (; rank > at->second; ++at) rank -= at->second;
  return std::min(at->first, std::max(std::fabs(least_), std::fabs(most_)));
}

Preview Survey::make_preview() const {
  Preview preview;
  if (is_integer(dtype_)) {
    preview.white = full_range(dtype_);
  } else if (least_ <= most_) {
    const double margin = least_ == most_ ? margin_around(least_) : 0;
    preview.black = options_.range ? (*options_.range)[0] : least_ - margin;
    preview.white = options_.range ? (*options_.range)[1] : most_ + margin;
  }
  const double limit = options_.is_signed ? strong_value() : 0;
  if (options_.is_signed) {
    preview.black = -limit;
    preview.white = limit;
  }
  const bool is_coloured = shown_ == 3 || options_.is_signed;
  Image image(DType::u8, is_coloured ? PixelFormat::rgb : PixelFormat::grey, small_.h, small_.w);
  const auto to = image.all().view<std::uint8_t>();
  const auto byte = [](double share) {  // NaN is black
    return static_cast<std::uint8_t>(share > 0 ? std::lround(255 * std::min(share, 1.0)) : 0);
  };
  const float* sum = sums_.data();
  for (std::int64_t c = 0; c < shown_; ++c)
    for (std::int64_t y = 0; y < small_.h; ++y)
      for (std::int64_t x = 0; x < small_.w; ++x, ++sum) {
        const auto column = static_cast<std::size_t>(x);
        const std::int64_t rows = part_begin(y + 1, small_.h, shape_.h) - part_begin(y, small_.h, shape_.h);
        const double mean =
            static_cast<double>(*sum) / static_cast<double>(rows * (columns_[column + 1] - columns_[column]));
        if (!options_.is_signed) {
          to.at(0, c, y, x) = byte((mean - preview.black) / (preview.white - preview.black));
          continue;
        }
        const Colour colour = sign_tint(mean, limit);
        to.at(0, 0, y, x) = colour.r;
        to.at(0, 1, y, x) = colour.g;
        to.at(0, 2, y, x) = colour.b;
      }
  encode_within(std::move(image), options_.bytes, preview);
  return preview;
}

SurveyResult Survey::finish() {
  SurveyResult result{.shape = shape_, .dtype = dtype_, .histogram = make_histogram(), .preview = std::nullopt};
  if (options_.side > 0) result.preview = make_preview();
  return result;
}

SurveyResult survey(const ConstTensorRef& values, std::optional<PixelFormat> pixels, const SurveyOptions& options) {
  Survey survey(values.dtype, values.shape, pixels, options);
  survey.add(0, 0, values);
  return survey.finish();
}

}  // namespace convtool
