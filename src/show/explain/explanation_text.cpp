#include "show/explain/explanation_text.h"

#include <algorithm>
#include <cmath>
#include <utility>
#include <vector>

#include "core/printable.h"
#include "core/text.h"
#include "show/explain/steps.h"
#include "show/sign_colours.h"

namespace convtool {
namespace {

constexpr std::size_t kColumns = 80, kNarrowestCell = 2;
constexpr std::int64_t kMostChannels = 16;
constexpr int kMostDigits = 6;
constexpr const char* kBold = "1";

/// ECMA-48: SELECT GRAPHIC RENDITION around `text`.
std::string styled(const std::string& text, const std::string& style, bool colours) {
  return colours ? "\x1b[" + style + "m" + text + "\x1b[0m" : text;
}

/// The style of the foreground in one of xterm's 256 colours.
std::string foreground(int colour) { return "38;5;" + std::to_string(colour); }

std::string cell_text(const std::optional<double>& value, int digits) {
  return value ? number_text(*value, digits) : ".";
}

/// Significant digits in a row of cells: up to 7 columns, the longest numbers fit into 80 columns.
int digits_of(std::int64_t columns) { return columns <= 5 ? kMostDigits : columns <= 7 ? 4 : 3; }

/// "rows 1 to 3, column 5".
std::string region_text(const Region& region) {
  const auto range = [](const std::string& one, std::int64_t first, std::int64_t last) {
    return first == last ? one + " " + std::to_string(first)
                         : one + "s " + std::to_string(first) + " to " + std::to_string(last);
  };
  return range("row", region.first_row, region.last_row) + ", " +
         range("column", region.first_column, region.last_column);
}

std::string place_text(const Pixel& at) { return "(" + std::to_string(at.y) + ", " + std::to_string(at.x) + ")"; }

struct Cell {
  std::string text;
  std::string style = {};
};

/// `text` in the colour of the sign of `value`.
Cell signed_cell(std::string text, const std::optional<double>& value) {
  Cell cell{std::move(text)};
  const bool has_sign = value && *value != 0 && !std::isnan(*value);
  if (has_sign) cell.style = foreground(*value > 0 ? kPositiveXterm : kNegativeXterm);
  return cell;
}

/// Right-aligned cells under a header.
class Block {
 public:
  Block(std::string head, std::size_t columns) : head_(std::move(head)), columns_(columns) {}

  void add(Cell cell) {
    cell_width_ = std::max(cell_width_, cell.text.size());
    cells_.push_back(std::move(cell));
  }

  std::size_t rows() const { return cells_.size() / columns_; }
  std::size_t width() const { return std::max(columns_ * (cell_width_ + 1), kIndent + head_.size()); }
  std::string head() const { return padded(std::string(kIndent, ' ') + head_); }

  std::string row(std::size_t row, bool colours) const {
    std::string text;
    for (std::size_t i = row * columns_; i < (row + 1) * columns_; ++i) {
      const Cell& cell = cells_[i];
      text += std::string(1 + cell_width_ - cell.text.size(), ' ') +
              (cell.style.empty() ? cell.text : styled(cell.text, cell.style, colours));
    }
    const std::size_t used = columns_ * (cell_width_ + 1);
    return text + std::string(width() - used, ' ');
  }

 private:
  static constexpr std::size_t kIndent = 2;

  std::string padded(std::string text) const {
    text.resize(width(), ' ');
    return text;
  }

  std::string head_;
  std::size_t columns_, cell_width_ = kNarrowestCell;
  std::vector<Cell> cells_;
};

/// Appends `line` without the spaces at its end.
void put_line(std::string& text, const std::string& line) {
  const std::size_t end = line.find_last_not_of(' ');
  text += (end == std::string::npos ? "" : line.substr(0, end + 1)) + "\n";
}

/// Aligned lines "/ 9 = 11.1111", or "~" where a number is rounded.
std::string lines_of(const std::vector<ArithmeticStep>& steps) {
  std::size_t label = 0, value = 0;
  for (const ArithmeticStep& step : steps) {
    label = std::max(label, step.label.size());
    value = std::max(value, step.value.size());
  }
  std::string text;
  for (const ArithmeticStep& step : steps)
    put_line(text, "  " + step.label + std::string(label - step.label.size(), ' ') +
                       (step.is_rounded ? "  ~ " : "  = ") + std::string(value - step.value.size(), ' ') + step.value);
  return text;
}

/// The part of a large kernel that is printed.
struct Cut {
  std::int64_t first_row = 0, rows = 0, first_column = 0, columns = 0;

  explicit Cut(const KernelSum& sum) : rows(std::min(sum.kh, kLargestShown)), columns(std::min(sum.kw, kLargestShown)) {
    first_row = (sum.kh - rows) / 2;
    first_column = (sum.kw - columns) / 2;
  }
};

class Writer {
 public:
  Writer(const Explanation& explanation, bool colours) : explanation_(explanation), colours_(colours) {}

  std::string text() {
    put_title();
    for (const LayerStep& step : explanation_.layers) put_step(step);
    if (!explanation_.reaches_input()) text_ += "\nThe layers before read padding only.\n";
    if (trace().banks.size() > 1 && explanation_.reaches_input())
      text_ += "\nreceptive field: " + region_text(explanation_.layers.back().seen) + " of the input\n";
    if (is_rounded_) text_ += "\nLong numbers are rounded; --json has all digits.\n";
    return text_;
  }

 private:
  const Trace& trace() const { return *explanation_.trace; }

  void put_title() {
    std::string title = "output " + place_text(explanation_.at) + channel_text(trace(), explanation_.at.channel);
    if (explanation_.stored) {
      title += " = " + exact_text(explanation_.stored->value);
    } else {
      title += " of " + to_string(trace().output());
    }
    text_ += styled(title, kBold, colours_) + "\n";
  }

  void put_step(const LayerStep& step) {
    if (trace().banks.size() > 1) put_layer_head(step);
    if (trace().is_elementwise(step.layer)) {
      text_ += "\n  each value is changed on its own\n";
      return;
    }
    if (!trace().numbers && !step.addend) put_geometry(step);
    if (!step.addend) put_place(step);
    for (const KernelSum& sum : step.sums) {
      if (step.addend || sum.terms.empty()) continue;
      text_ += "\n";
      if (step.is_bank) text_ += "  " + styled(printable_start(sum.kernel, kColumns - 2), kBold, colours_) + "\n";
      put_kernel(step, sum);
      if (step.is_bank) put_steps(steps_of_sum(sum));
    }
    if (step.addend && !trace().numbers)
      text_ += "\n  " + layer_name(trace(), *step.source) + "\n  + " + layer_name(trace(), *step.addend) + "\n";
    std::vector<ArithmeticStep> steps = steps_after_sums(trace(), step);
    if (&step == &explanation_.last()) {
      const std::vector<ArithmeticStep> more = steps_to_stored(explanation_);
      const bool is_trivial = steps.empty() && more.size() == 1;
      if (!is_trivial) steps.insert(steps.end(), more.begin(), more.end());
    }
    put_steps(steps);
    if (step.addend) put_followed(step);
  }

  /// The addend whose layer comes next in the text.
  void put_followed(const LayerStep& step) {
    const LayerStep& next = *(&step + 1);
    text_ += "\n  followed back: " + layer_name(trace(), next.layer) + (trace().numbers ? ", the larger one\n" : "\n");
  }

  void put_steps(const std::vector<ArithmeticStep>& steps) {
    for (const ArithmeticStep& step : steps) is_rounded_ |= step.is_rounded;
    if (!steps.empty()) text_ += "\n" + lines_of(steps);
  }

  /// cell_text(), of a number that may be rounded.
  std::string number_cell(const std::optional<double>& value, int digits) {
    is_rounded_ |= value && is_rounded(*value, digits);
    return cell_text(value, digits);
  }

  void put_layer_head(const LayerStep& step) {
    std::string head = layer_name(trace(), step.layer) + ": output " + place_text(step.at);
    if (step.output.c > 1) head += ", channel " + std::to_string(step.at.channel);
    if (step.response) head += " = " + number_text(*step.response);
    text_ += "\n" + styled(head, kBold, colours_) + "\n";
  }

  void put_geometry(const LayerStep& step) {
    const Layer& layer = trace().network.banks[step.layer].layers.front();
    const bool is_kernel =
        layer.is_kernel() && layer.enlarging == Enlarging::none;  // of a bank, that which is explained
    const std::vector<std::string> formulas =
        is_kernel ? std::vector{height_formula(step.problem), width_formula(step.problem)}
                  : size_formulas(layer, trace().banks[step.layer]);
    text_ += "\n";
    for (const std::string& formula : formulas) text_ += "  " + formula + "\n";
  }

  /// Where the window is, unless it begins at the first pixel without gaps.
  void put_place(const LayerStep& step) {
    const ConvProblem& problem = step.problem;
    if (!step.window) {
      text_ += "\n  no input reaches this output\n";
      return;
    }
    const Region& window = *step.window;
    if (step.enlarging == Enlarging::transposed) return put_reaching(step, window);
    const bool is_dilated = problem.dilation != Extent{};
    const bool leaves_input = window.first_row < 0 || window.first_column < 0 || window.last_row >= problem.input.h ||
                              window.last_column >= problem.input.w;
    const bool is_first = window.first_row == 0 && window.first_column == 0 && step.enlarging == Enlarging::none;
    if (is_first && !is_dilated && !leaves_input) return;
    text_ += "\n  window: " + region_text(window) + " of " + to_string(problem.input);
    if (is_dilated) text_ += ", dilation " + extent_text(problem.dilation);
    text_ += "\n";
    if (leaves_input) text_ += "  " + padding_text(step) + "\n";
  }

  /// The inputs that reach an output of a transposed convolution, and the part of the kernel that they are multiplied
  /// by.
  void put_reaching(const LayerStep& step, const Region& window) {
    const KernelSum& sum = step.sums.front();
    const KernelShape& kernel = step.problem.kernel;
    const auto list = [](const std::string& one, const std::vector<std::int64_t>& places) {
      std::string text = one + (places.size() > 1 ? "s " : " ");
      for (const std::int64_t& place : places)
        text += (&place == &places.front() ? "" : &place == &places.back() ? " and " : ", ") + std::to_string(place);
      return text;
    };
    text_ += "\n  reached by: " + region_text(window) + " of " + to_string(step.problem.input) +
             "\n  through: " + list("row", sum.kernel_rows) + ", " + list("column", sum.kernel_columns) + " of the " +
             join_sizes({kernel.kh, kernel.kw}) + " kernel\n";
  }

  static std::string extent_text(const Extent& extent) {
    return extent.h == extent.w ? std::to_string(extent.h) : join_sizes({extent.h, extent.w});
  }

  static std::string padding_text(const LayerStep& step) {
    if (step.pooling == Pooling::max) return "( ) is outside the input, and never the largest value";
    if (step.has_pool_windows) {
      const std::vector<Term>& terms = step.sums.front().terms;
      const bool counts =
          std::any_of(terms.begin(), terms.end(), [](const Term& term) { return !term.inside && term.input; });
      return counts ? "(0) is padding, which counts; what lies beyond it does not"
                    : "( ) is outside the input, and does not count";
    }
    const PaddingModeRow& row = kPaddingModeTable[static_cast<int>(step.problem.padding_mode)];
    std::string text = "( ) is outside the input: padding " + std::string(row.name);
    return is_constant(step.problem.padding_mode) ? text : text + ", as in " + std::string(row.picture);
  }

  void put_kernel(const LayerStep& step, const KernelSum& sum) {
    const Cut cut(sum);
    if (cut.rows < sum.kh || cut.columns < sum.kw)
      text_ += "  the middle " + join_sizes({cut.rows, cut.columns}) + " of " + join_sizes({sum.kh, sum.kw}) +
               "; --json gives all terms\n";
    // Without weights and numbers, all channels look the same.
    const bool is_blank = !trace().numbers && !sum.terms.front().weight;
    const std::int64_t shown = is_blank ? 1 : std::min(sum.channels, kMostChannels);
    for (std::int64_t c = 0; c < shown; ++c) {
      const Term* const terms = sum.terms.data() + c * sum.kh * sum.kw;
      if (sum.channels > 1 || step.problem.input.c > 1)
        text_ += (c > 0 ? "\n  channel " : "  channel ") + std::to_string(terms->at.channel) + "\n";
      put_channel(step, sum, terms, cut);
    }
    if (shown < sum.channels)
      text_ += "\n  and " + counted(sum.channels - shown, "more channel") + "; --json gives all terms\n";
  }

  void put_channel(const LayerStep& step, const KernelSum& sum, const Term* terms, const Cut& cut) {
    const auto columns = static_cast<std::size_t>(cut.columns);
    const bool is_pool = step.has_pool_windows, is_max = step.pooling == Pooling::max;
    const int digits = digits_of(cut.columns);
    Block input("input", columns), kernel(is_upsampling(step.enlarging) ? "weights" : "kernel", columns),
        products("products", columns);
    for (std::int64_t u = cut.first_row; u < cut.first_row + cut.rows; ++u)
      for (std::int64_t v = cut.first_column; v < cut.first_column + cut.columns; ++v) {
        const Term& term = terms[u * sum.kw + v];
        const std::string value = number_cell(term.input, digits);
        input.add({term.inside ? value : is_pool && !term.input ? "( )" : "(" + value + ")"});
        kernel.add(signed_cell(number_cell(term.weight, digits), term.weight));
        products.add(signed_cell(number_cell(term.product, digits), term.product));
      }
    std::vector<Part> parts = {{"", &input}};
    if (!is_pool) parts.push_back({"   x  ", &kernel});
    if (!is_pool && sum.sum) parts.push_back({" = ", &products});
    std::string result;
    if (is_max && sum.largest) result = "largest " + number_cell(sum.largest, kMostDigits);
    if (!is_max && sum.sum) {
      double partial = 0;
      for (std::int64_t i = 0; i < sum.kh * sum.kw; ++i) partial += terms[i].product.value_or(0);
      const bool is_cut = cut.rows < sum.kh || cut.columns < sum.kw;
      const std::string what = is_pool ? " values " : " products ";
      result = (is_cut ? "sum of all " + join_sizes({sum.kh, sum.kw}) + what : "sum ") +
               (is_rounded(partial) ? "~ " : "") + number_cell(partial + 0.0, kMostDigits);
    }
    put_blocks(parts, result);
  }

  struct Part {
    std::string sign;
    const Block* block;
  };

  void put_blocks(const std::vector<Part>& parts, const std::string& result) {
    std::size_t width = 2 + result.size();
    for (const Part& part : parts) width += part.sign.size() + part.block->width();
    const std::size_t rows = parts.front().block->rows(), middle = rows / 2;
    if (width > kColumns) {
      for (const Part& part : parts) {
        put_line(text_, part.block->head());
        for (std::size_t row = 0; row < rows; ++row) put_line(text_, part.block->row(row, colours_));
      }
      if (!result.empty()) text_ += "  " + styled(result, kBold, colours_) + "\n";
      return;
    }
    std::string head;
    for (const Part& part : parts) head += std::string(part.sign.size(), ' ') + part.block->head();
    put_line(text_, head);
    for (std::size_t row = 0; row < rows; ++row) {
      std::string line;
      for (const Part& part : parts)
        line += (row == middle ? part.sign : std::string(part.sign.size(), ' ')) + part.block->row(row, colours_);
      if (row == middle && !result.empty()) line += "  " + styled(result, kBold, colours_);
      put_line(text_, line);
    }
  }

  const Explanation& explanation_;
  const bool colours_;
  bool is_rounded_ = false;  ///< some number of the text
  std::string text_;
};

}  // namespace

std::string to_text(const Explanation& explanation, bool colours) { return Writer(explanation, colours).text(); }

}  // namespace convtool
