#include "show/explain/figure.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <string>
#include <vector>

#include "conv/padding.h"
#include "core/printable.h"
#include "core/text.h"
#include "network/pools/pool_windows.h"
#include "network/residual.h"
#include "show/explain/figure_items.h"
#include "show/explain/steps.h"

namespace convtool {
namespace {

constexpr double kMargin = 16, kTitleSize = 18, kTitleGap = 6, kNarrowest = 440;
/// The layers of a network are drawn in rows that fit a common screen.
constexpr double kWidestRow = 1880, kUnlimited = std::numeric_limits<double>::infinity();
constexpr std::int64_t kMostRows = 4, kThumbnail = 600;
/// An output beside the picture of its input is a grid up to here: a larger grid would dwarf the picture.
constexpr std::int64_t kLargestBesidePicture = 16;
constexpr std::size_t kLongestCaption = 24;  ///< of a kernel, in characters
/// Kernels up to here have cells of full size, and up to there cells at all.
constexpr std::int64_t kLargestFullSize = 11, kLargestCells = 31;

/// The products that are written out.
constexpr std::size_t kMostTerms = 9;

std::string channel_text(std::int64_t channel, std::int64_t channels) {
  return channels == 1 ? "" : ", channel " + std::to_string(channel);
}

/// The colours of the cells of one channel: greys for pictures, tints by sign for floats.
class Shading {
 public:
  Shading(const ConstTensorRef& tensor, std::int64_t channel) : dtype_(tensor.dtype) {
    if (is_integer(dtype_)) return;
    for (std::int64_t y = 0; y < tensor.shape.h; ++y)
      for (std::int64_t x = 0; x < tensor.shape.w; ++x) {
        const double size = std::fabs(value_at(tensor, {channel, y, x}));
        if (std::isfinite(size)) largest_ = std::max(largest_, size);
      }
  }

  Colour of(double value) const {
    constexpr double kHalf = 2;  // numbers have to be read on the tints
    return is_integer(dtype_) ? grey_of(value, full_range(dtype_)) : sign_tint(value, kHalf * largest_);
  }

 private:
  DType dtype_;
  double largest_ = 0;
};

class Figure {
 public:
  Figure(const Explanation& explanation, const FigureOptions& options)
      : explanation_(explanation), trace_(*explanation.trace), options_(options) {}

  Drawing drawing() const {
    const bool is_layer = trace_.banks.size() == 1;
    const std::vector<Column> columns = is_layer ? layer_columns() : network_columns();
    const ColumnRows rows(columns, is_layer ? kUnlimited : kWidestRow);
    const std::vector<std::string> lines = text_lines();
    const double top = kMargin + kLineHeight + kTitleGap, inner = std::max(rows.width(), kNarrowest - 2 * kMargin);
    Drawing drawing{
        .width = std::ceil(inner + 2 * kMargin),
        .height = std::ceil(top + rows.height() + kItemGap + static_cast<double>(lines.size()) * kLineHeight + kMargin),
        .title = title()};
    put_fitted(title(), kMargin, kMargin + kLineHeight / 2, inner, kTitleSize, kLeastText, Anchor::start, kInk,
               drawing);
    rows.draw(kMargin + (inner - rows.width()) / 2, top, drawing);
    double y = top + rows.height() + kItemGap + kLineHeight / 2;
    for (const std::string& line : lines) {
      put_fitted(line, kMargin, y, inner, kCaptionSize, kLeastText, Anchor::start, kInk, drawing);
      y += kLineHeight;
    }
    return drawing;
  }

 private:
  std::string title() const {
    const Pixel& at = explanation_.at;
    std::string text =
        "output (" + std::to_string(at.y) + ", " + std::to_string(at.x) + ")" + channel_text(trace_, at.channel);
    if (explanation_.stored) text += " = " + exact_text(explanation_.stored->value);
    return text;
  }

  /// The arithmetic below the figure. The number of lines depends on the trace only.
  std::vector<std::string> text_lines() const {
    if (!trace_.numbers) {
      if (trace_.banks.size() > 1) return {};
      const Layer& layer = trace_.network.banks.front().layers.front();
      if (!layer.is_kernel() || layer.enlarging != Enlarging::none) return size_formulas(layer, trace_.banks.front());
      const ConvProblem& problem = explanation_.last().problem;
      return {height_formula(problem), width_formula(problem)};
    }
    std::vector<std::string> lines;
    const LayerStep& step = explanation_.last();
    const bool has_products = trace_.banks.size() == 1 && step.pooling != Pooling::max && step.sums.size() == 1;
    if (has_products && !step.sums.front().terms.empty() && step.sums.front().terms.size() <= kMostTerms)
      lines.push_back(products_text(step.sums.front(), step.has_pool_windows));
    std::string line;
    std::vector<ArithmeticStep> steps = steps_after_sums(trace_, step);
    for (ArithmeticStep& more : steps_to_stored(explanation_)) steps.push_back(std::move(more));
    for (const ArithmeticStep& one : steps)
      line += (line.empty() ? "" : ",   ") + one.label + equals(one.is_rounded) + one.value;
    const bool is_trivial = steps.size() == 1 && explanation_.stored->dtype == DType::f32;  // for every output or none
    if (!is_trivial) lines.push_back(line);
    return lines;
  }

  static const char* equals(bool is_rounded) { return is_rounded ? " ≈ " : " = "; }

  /// "3*0 + 4*1 = 4"; of a pool, which has no weights, "3 + 4 = 7".
  static std::string products_text(const KernelSum& sum, bool is_pool) {
    constexpr int kShownDigits = 3;
    std::string text;
    bool has_rounded = is_rounded(*sum.sum);
    const auto factor = [&](double value) {
      has_rounded |= is_rounded(value, kShownDigits);
      return value < 0 ? "(" + number_text(value, kShownDigits) + ")" : number_text(value, kShownDigits);
    };
    for (const Term& term : sum.terms)
      if (term.product)
        text += (text.empty() ? "" : " + ") + factor(*term.input) + (is_pool ? "" : "*" + factor(*term.weight));
    return text + equals(has_rounded) + number_text(*sum.sum);
  }

  /// What a layer reads: the output of `source`, or the input of the network.
  std::optional<ConstTensorRef> output_of(const std::optional<std::size_t>& source) const {
    if (!trace_.numbers) return std::nullopt;
    return source ? trace_.numbers->responses[*source] : trace_.numbers->input;
  }

  const LayerStep* step_of(std::size_t layer) const {
    for (const LayerStep& step : explanation_.layers)
      if (step.layer == layer) return &step;
    return nullptr;
  }

  /// The problem whose padding the input of a layer is drawn with.
  ConvProblem problem_of(std::size_t layer) const {
    const LayerStep* const step = step_of(layer);
    return step != nullptr ? step->problem : windows_of(trace_.banks[layer]);
  }

  /// The padding whose value is drawn: of a pool only what counts in its means.
  Pads counted_padding(std::size_t layer) const {
    const Layer& first = trace_.network.banks[layer].layers.front();
    if (!first.is_window_pool()) return problem_of(layer).pads;
    return first.is_max_pool() || !first.pool.counts_padding ? Pads{} : counted_pads(first, problem_of(layer));
  }

  static bool fits_grid(const ConvProblem& problem) {
    const Pads& pads = problem.pads;
    return problem.input.h + pads.top + pads.bottom <= kLargestGrid &&
           problem.input.w + pads.left + pads.right <= kLargestGrid;
  }

  /// A channel of the output of `source`, which `layer` reads, with its padding.
  Grid input_grid(std::size_t layer, const std::optional<std::size_t>& source, std::int64_t channel) const {
    const ConvProblem problem = problem_of(layer);
    const Pads& pads = problem.pads;
    Grid grid{.first_row = -pads.top,
              .first_column = -pads.left,
              .rows = problem.input.h + pads.top + pads.bottom,
              .columns = problem.input.w + pads.left + pads.right};
    const std::optional<ConstTensorRef> input = output_of(source);
    std::optional<Shading> shading;
    if (input) shading.emplace(*input, channel);
    grid.cell = [problem, input, shading, channel, counted = counted_padding(layer)](std::int64_t y, std::int64_t x) {
      GridCell cell;
      cell.outside = y < 0 || x < 0 || y >= problem.input.h || x >= problem.input.w;
      if (cell.outside) cell.fill = kEmpty;
      const std::int64_t row = pad_index(problem.padding_mode, y, problem.input.h);
      const std::int64_t column = pad_index(problem.padding_mode, x, problem.input.w);
      if (row == kOutside || column == kOutside) {
        const bool counts = y >= -counted.top && x >= -counted.left && y < problem.input.h + counted.bottom &&
                            x < problem.input.w + counted.right;
        if (counts) cell.value = as_printed(problem.padding_value);
      } else if (input)
        cell.value = value_at(*input, {channel, row, column});
      if (!cell.outside && shading) cell.fill = shading->of(*cell.value);
      return cell;
    };
    if (const LayerStep* const step = step_of(layer)) {
      grid.framed = step->window;
      grid.dashed = step->seen;
      const std::vector<Term>& terms = step->sums.front().terms;
      if (problem.dilation != Extent{})
        for (const Term& term : terms)
          if (term.at.channel == terms.front().at.channel) grid.marked.push_back(term.at);
      if (const LayerStep* const before = source ? step_of(*source) : nullptr) grid.marked.push_back(before->at);
    }
    return grid;
  }

  Panel input_panel(std::size_t layer, const std::optional<std::size_t>& source, std::int64_t channel,
                    bool all_colours) const {
    const ConvProblem problem = problem_of(layer);
    Panel panel{.rows = problem.input.h, .columns = problem.input.w, .picture = {}, .framed = {}};
    if (const std::optional<ConstTensorRef> input = output_of(source))
      panel.picture = thumbnail(*input, channel, all_colours, kThumbnail);
    if (const LayerStep* const step = step_of(layer)) panel.framed = step->window;
    return panel;
  }

  /// A grid as large as the kernel. Cells shrink for large kernels, and become the pixels of a picture for larger ones.
  Item kernel_grid_item(std::string caption, const Grid& grid) const {
    const std::int64_t side = std::max(grid.rows, grid.columns);
    if (side <= kLargestCells)
      return grid_item(
          std::move(caption), grid,
          options_.cell * std::min(1.0, static_cast<double>(kLargestFullSize) / static_cast<double>(side)));
    Panel panel{.rows = grid.rows, .columns = grid.columns, .picture = {}, .framed = {}};
    const TensorView<std::uint8_t> pixels =
        panel.picture.emplace(DType::u8, PixelFormat::rgb, grid.rows, grid.columns).all().view<std::uint8_t>();
    for (std::int64_t y = 0; y < grid.rows; ++y)
      for (std::int64_t x = 0; x < grid.columns; ++x) {
        const Colour colour = grid.cell(y, x).fill;
        pixels.at(0, 0, y, x) = colour.r;
        pixels.at(0, 1, y, x) = colour.g;
        pixels.at(0, 2, y, x) = colour.b;
      }
    return panel_item(std::move(caption), std::move(panel));
  }

  /// The terms of one channel as a grid of what the kernel reads.
  Item window_item(const KernelSum& sum, std::int64_t c) const {
    if (sum.terms.empty()) return note_item("no input reaches this output");
    const Term* const terms = sum.terms.data() + c * sum.kh * sum.kw;
    const std::int64_t columns = sum.kw;
    Grid grid{.rows = sum.kh, .columns = columns};
    const DType dtype = trace_.dtype();
    grid.cell = [terms, columns, dtype](std::int64_t u, std::int64_t v) {
      const Term& term = terms[u * columns + v];
      GridCell cell{.value = term.input, .outside = !term.inside};
      if (cell.outside) cell.fill = kEmpty;
      if (!cell.outside && term.input && is_integer(dtype)) cell.fill = grey_of(*term.input, full_range(dtype));
      return cell;
    };
    return kernel_grid_item("window" + channel_text(terms->at.channel, trace_.input.c), grid);
  }

  /// The whole kernel of a transposed convolution for channel `c` of a group, with the part that reaches the output.
  Grid transposed_grid(const LayerStep& step, const KernelSum& sum, std::int64_t c) const {
    const Layer& layer = trace_.network.banks[step.layer].layers.front();
    const auto weight = [&layer, c, o = step.at.channel, flip = trace_.flip](std::int64_t u, std::int64_t v) {
      return static_cast<double>(transposed_weight(layer, o, c, u, v, flip));
    };
    Grid grid{.rows = layer.shape.kh, .columns = layer.shape.kw};
    const bool has_weights = !layer.weights.empty();
    for (std::int64_t u = 0; has_weights && u < grid.rows; ++u)
      for (std::int64_t v = 0; v < grid.columns; ++v) grid.largest = std::max(grid.largest, std::fabs(weight(u, v)));
    grid.cell = [weight, has_weights, largest = grid.largest](std::int64_t u, std::int64_t v) {
      if (!has_weights) return GridCell{};
      return GridCell{.value = weight(u, v), .fill = sign_tint(weight(u, v), largest)};
    };
    for (const std::int64_t u : sum.kernel_rows)
      for (const std::int64_t v : sum.kernel_columns) grid.marked.push_back({0, u, v});
    return grid;
  }

  Item kernel_item(const LayerStep& step, const KernelSum& sum, std::int64_t c) const {
    const Term* const terms = sum.terms.data() + c * sum.kh * sum.kw;
    const std::int64_t columns = sum.kw, count = sum.kh * sum.kw;
    double largest = 0, partial = 0;
    for (const Term& term : sum.terms) largest = std::max(largest, std::fabs(term.weight.value_or(0)));
    for (std::int64_t i = 0; i < count; ++i) partial += terms[i].product.value_or(0);
    Grid grid{.rows = sum.kh, .columns = columns, .largest = largest};
    grid.cell = [terms, columns, largest](std::int64_t u, std::int64_t v) {
      const std::optional<double>& weight = terms[u * columns + v].weight;
      return GridCell{.value = weight, .fill = sign_tint(weight.value_or(0), largest)};
    };
    const bool is_transposed = step.enlarging == Enlarging::transposed;
    if (is_transposed) grid = transposed_grid(step, sum, c);
    const std::string name = step.is_bank                    ? printable_start(sum.kernel, kLongestCaption)
                             : is_upsampling(step.enlarging) ? "weights"
                                                             : "kernel";
    Item item = kernel_grid_item(name + channel_text(input_channel(step, sum, c), sum.channels), grid);
    if (!sum.sum) return item;
    return with_footer(std::move(item),
                       "products sum to " + std::string(is_rounded(partial) ? "≈ " : "") + number_text(partial));
  }

  /// With OutputMap::signs, whose colours are drawn, the responses that they stand for.
  std::optional<ConstTensorRef> signed_responses() const {
    if (!trace_.shows_signs()) return std::nullopt;
    return trace_.numbers->responses.back();
  }

  /// The pixel of a result in colours, of 8 bits.
  static Colour colour_at(const ConstTensorRef& stored, std::int64_t y, std::int64_t x) {
    const auto part = [&](std::int64_t c) { return grey_of(value_at(stored, {c, y, x}), full_range(stored.dtype)).r; };
    return {part(0), part(1), part(2)};
  }

  /// What a caption says of the output, whose grid has numbers: those of the channel, or of the responses.
  std::string output_text() const {
    return trace_.shows_signs() ? ": responses in colours" : channel_text(trace_, explanation_.at.channel);
  }

  Item output_item(const std::string& caption) const {
    const Shape shape = trace_.output();
    const Pixel at = explanation_.at;
    const std::int64_t filled = options_.outputs.value_or(std::numeric_limits<std::int64_t>::max());
    const Region place{at.y, at.y, at.x, at.x};
    const std::int64_t most = fits_grid(explanation_.last().problem) ? kLargestGrid : kLargestBesidePicture;
    if (shape.h <= most && shape.w <= most) {
      Grid grid{.rows = shape.h, .columns = shape.w, .framed = place};
      std::optional<ConstTensorRef> stored;
      std::optional<Shading> shading;
      if (trace_.numbers) shading.emplace(stored.emplace(trace_.numbers->stored), at.channel);
      const std::optional<ConstTensorRef> responses = signed_responses();
      grid.cell = [stored, responses, shading, filled, shape, at](std::int64_t y, std::int64_t x) {
        GridCell cell;
        cell.blank = y * shape.w + x >= filled;
        if (!cell.blank) cell.fill = kEmpty;
        if (!stored) return cell;
        cell.value = value_at(responses.value_or(*stored), {responses ? 0 : at.channel, y, x});
        if (!cell.blank) cell.fill = responses ? colour_at(*stored, y, x) : shading->of(*cell.value);
        return cell;
      };
      return grid_item(caption, grid, options_.cell);
    }
    Panel panel{.rows = shape.h, .columns = shape.w, .picture = {}, .framed = place};
    if (trace_.numbers) {
      panel.picture = thumbnail(trace_.numbers->stored, at.channel, trace_.shows_signs(), kThumbnail);
      const TensorView<std::uint8_t> pixels = panel.picture->all().view<std::uint8_t>();
      const double share =
          options_.outputs ? static_cast<double>(filled) / static_cast<double>(shape.h * shape.w) : 1.0;
      const auto shown = static_cast<std::int64_t>(share * static_cast<double>(pixels.shape.h * pixels.shape.w));
      for (std::int64_t i = shown; i < pixels.shape.h * pixels.shape.w; ++i)
        for (std::int64_t c = 0; c < pixels.shape.c; ++c)
          pixels.at(0, c, i / pixels.shape.w, i % pixels.shape.w) = kEmpty.r;
    }
    return panel_item(caption, panel);
  }

  std::vector<Column> layer_columns() const {
    const LayerStep& step = explanation_.last();
    const KernelSum& first = step.sums.front();
    const bool is_grid = fits_grid(step.problem);
    std::vector<Column> columns(1);
    const std::int64_t channels = first.channels, shown = std::min(channels, kMostRows);
    const auto channel_of = [&](std::int64_t c) { return input_channel(step, first, c); };
    const bool is_colour = !is_grid && step.problem.input.c == 3 && is_integer(trace_.dtype()) && channels == 3;
    for (std::int64_t c = 0; c < (is_colour ? 1 : shown); ++c) {
      const std::string caption = "input" + (is_colour ? "" : channel_text(channel_of(c), step.problem.input.c));
      columns[0].push_back(is_grid ? grid_item(caption, input_grid(0, {}, channel_of(c)), options_.cell)
                                   : panel_item(caption, input_panel(0, {}, channel_of(c), is_colour)));
    }
    if (shown < channels) columns[0].push_back(note_item("and " + counted(channels - shown, "more channel")));
    if (!is_grid) {
      Column& windows = columns.emplace_back();
      for (std::int64_t c = 0; c < shown; ++c) windows.push_back(window_item(first, c));
    }
    if (!step.has_pool_windows) {
      Column& kernels = columns.emplace_back();
      const std::int64_t all = std::ssize(step.sums) * channels;
      for (const KernelSum& sum : step.sums)
        for (std::int64_t c = 0; c < channels && std::ssize(kernels) < kMostRows; ++c)
          kernels.push_back(kernel_item(step, sum, c));
      if (all > kMostRows) kernels.push_back(note_item("and " + std::to_string(all - kMostRows) + " more"));
    }
    columns.push_back({output_item("output" + output_text())});
    return columns;
  }

  /// The input channel that term `c` of a sum of channels reads.
  static std::int64_t input_channel(const LayerStep& step, const KernelSum& sum, std::int64_t c) {
    if (!sum.terms.empty()) return sum.terms[static_cast<std::size_t>(c * sum.kh * sum.kw)].at.channel;
    const ConvProblem& problem = step.problem;  // of a layer that enlarges
    return step.at.channel / (problem.kernel.c_o / problem.groups) * problem.kernel.c_i_per_group + c;
  }

  /// "2: conv 3x3, stride 2", with the layer's number.
  std::string layer_text(std::size_t layer) const {
    const ConvProblem problem = problem_of(layer);
    const Layer& first = trace_.network.banks[layer].layers.front();
    std::string text = std::to_string(layer + 1) + ": ";
    if (first.is_activation()) return text + activation_text(first.activation, first.activation_numbers);
    if (first.is_batch_norm || first.outline == Outline::batch_norm) return text + "batch norm";
    if (!first.add.empty()) return text + "sum with " + printable_start(first.add, kLongestCaption);
    if (is_upsampling(first.enlarging))
      return text + std::string(kEnlargings[static_cast<int>(first.enlarging)]) + " upsampling by " +
             join_sizes({problem.stride.h, problem.stride.w});
    text += first.pooling != Pooling::none             ? first.kind_text()
            : first.enlarging == Enlarging::transposed ? "transposed conv"
                                                       : "conv";
    text += " " + join_sizes({problem.kernel.kh, problem.kernel.kw});
    if (problem.stride != Extent{}) text += ", stride " + join_sizes({problem.stride.h, problem.stride.w});
    return text;
  }

  /// What each layer reads, the two addends of a sum below each other, and the output.
  std::vector<Column> network_columns() const {
    const std::vector<std::optional<std::size_t>> sources = sources_of(trace_.network),
                                                  addends = addends_of(trace_.network);
    std::vector<Column> columns;
    for (std::size_t layer = 0; layer < trace_.banks.size(); ++layer) {
      Column& column = columns.emplace_back();
      const LayerStep* const step = step_of(layer);
      const ConvProblem problem = problem_of(layer);
      const std::int64_t channel = step == nullptr ? 0 : seen_channel(*step);
      const auto put = [&](const std::optional<std::size_t>& source) {
        const std::string caption = (source ? layer_text(*source) : "input") + channel_text(channel, problem.input.c);
        column.push_back(fits_grid(problem) ? grid_item(caption, input_grid(layer, source, channel), options_.cell)
                                            : panel_item(caption, input_panel(layer, source, channel, false)));
      };
      put(layer == 0 ? std::nullopt : std::optional(sources[layer].value_or(layer - 1)));
      if (addends[layer]) put(addends[layer]);
    }
    columns.push_back({output_item(layer_text(trace_.banks.size() - 1) + output_text())});
    return columns;
  }

  /// The input channel that the step before explains, or the first that this one reads.
  std::int64_t seen_channel(const LayerStep& step) const {
    if (step.addend) return step.at.channel;
    const LayerStep* const before = step.source ? step_of(*step.source) : nullptr;
    return before != nullptr ? before->at.channel : input_channel(step, step.sums.front(), 0);
  }

  const Explanation& explanation_;
  const Trace& trace_;
  const FigureOptions options_;
};

}  // namespace

Drawing step_figure(const Explanation& explanation, const FigureOptions& options) {
  return Figure(explanation, options).drawing();
}

}  // namespace convtool
