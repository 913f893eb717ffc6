#include "cli/commands/learn/page.h"

#include <algorithm>

#include "cli/batch/folders.h"
#include "core/text.h"
#include "network/network_plan.h"
#include "show/kernel_drawing.h"

namespace convtool {
namespace {

constexpr std::size_t kMostPairs = 8;

/// Items and channels as they are shown: the colours of a picture may be items of a batch (read_samples()).
ConstTensorRef colours_of(const Tensor& tensor, bool is_picture) {
  ConstTensorRef ref = tensor.ref();
  Shape& shape = ref.shape;
  if (!is_picture || shape.n != 3 || shape.c != 1) return ref;
  std::swap(shape.n, shape.c);
  ref.strides.c = ref.strides.n;
  return ref;
}

SurveyResult survey_of(const Tensor& tensor, bool is_picture, SurveyOptions options) {
  const ConstTensorRef values = colours_of(tensor, is_picture);
  std::optional<PixelFormat> pixels;
  if (is_picture && values.shape.c == 3 && !options.is_signed) pixels = PixelFormat::rgb;
  return survey(values, pixels, options);
}

PagePair make_pair(const Sample& sample, const Kernel& kernel, int threads, const SurveyOptions& options) {
  Tensor errors(DType::f32, sample.target.shape());
  measure_errors(sample, kernel, threads, errors);
  PagePair pair;
  const bool is_picture = sample.whole_target;
  pair.before = survey_of(sample.input, is_picture, options);
  pair.target_picture = survey_of(sample.target, is_picture, options);
  SurveyOptions residual = options;
  residual.is_signed = true;
  pair.residual = survey_of(errors, is_picture, residual);

  float* values = errors.data<float>();
  std::transform(values, values + errors.shape().count(), sample.target.data<float>(), values, std::plus<>());
  SurveyOptions learned = options;  // in the greys of the target
  learned.range = {pair.target_picture.preview->black, pair.target_picture.preview->white};
  pair.learned = survey_of(errors, is_picture, learned);
  return pair;
}

/// The kernel at the start, if there was one, and as learned, on one scale.
std::vector<PageFigure> kernels_of(const Layer& learned, const std::optional<Parameters>& start) {
  Layer layer = learned;
  const double divisor = learned.divisor.empty() ? 1 : learned.divisor.front();
  double largest = largest_weight(learned);
  std::vector<PageFigure> figures;
  if (start) {
    for (std::size_t i = 0; i < layer.weights.size(); ++i)
      layer.weights[i] = static_cast<float>(start->weights[i] * divisor);
    largest = std::max(largest, largest_weight(layer));
    figures.push_back({"at the start", to_svg(kernel_drawing(layer, largest))});
  }
  std::string caption = "as learned";
  if (divisor != 1) caption += ", divided by " + to_text(divisor);
  if (start && divisor != 1) figures.front().caption += ", in the same units";
  figures.push_back({caption, to_svg(kernel_drawing(learned, largest))});
  return figures;
}

}  // namespace

void check_learn_page(const PageOptions& page, const LearnOptions& options) {
  check_page(page, files_read(options));
  if (options.output && *options.output != "-") refuse_as_page(page, *options.output, settled_path(*options.output));
}

std::string learn_page(const PageOptions& page, const LearnReport& report, const Course& course,
                       const std::vector<Sample>& samples, int threads) {
  const std::size_t count = std::min(samples.size(), kMostPairs);
  const SurveyOptions options = survey_options(count, 4);
  const Kernel kernel = bind_kernel(report.layer, samples.front().problem.input.c, false);
  std::vector<PagePair> pairs;
  for (std::size_t i = 0; i < count; ++i) {
    pairs.push_back(make_pair(samples[i], kernel, threads, options));
    pairs.back().input = report.inputs[i];
    pairs.back().target = report.targets[i];
  }
  PageHead head = page.head;
  head.kernels = kernels_of(report.layer, course.start);
  return learn_page(head, to_json(report), course.curve, pairs, std::ssize(samples));
}

}  // namespace convtool
