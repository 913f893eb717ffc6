#include "show/explain/explanation_text.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <vector>

#include "core/printable.h"
#include "core/text.h"

namespace convtool {
namespace {

constexpr std::size_t kColumns = 80, kNarrowestCell = 2;
constexpr std::int64_t kMostChannels = 16;
constexpr const char* kBold = "1";
constexpr const char* kPositive = "38;5;214";
constexpr const char* kNegative = "38;5;39";

/// ECMA-48: SELECT GRAPHIC RENDITION around `text`.
std::string styled(const std::string& text, const char* style, bool colours) {
  return colours ? "\x1b[" + std::string(style) + "m" + text + "\x1b[0m" : text;
}

/// A number with at most 6 significant digits, or a whole number with all of them.
std::string number_text(double value) {
  constexpr double kLargestWhole = 1e9;
  constexpr int kDigits = 6;
  if (value == std::trunc(value) && std::fabs(value) < kLargestWhole) return to_text(value + 0.0);
  return short_text(value, kDigits);
}

std::string number_text(const std::optional<double>& value) { return value ? number_text(*value) : "."; }

std::string range_text(std::int64_t first, std::int64_t last) {
  return first == last ? std::to_string(first) : std::to_string(first) + " to " + std::to_string(last);
}

std::string place_text(const Pixel& at) { return "(" + std::to_string(at.y) + ", " + std::to_string(at.x) + ")"; }

struct Cell {
  std::string text;
  const char* style = nullptr;
};

Cell signed_cell(const std::optional<double>& value) {
  return {number_text(value), !value || *value == 0 || std::isnan(*value) ? nullptr
                              : *value > 0                                ? kPositive
                                                                          : kNegative};
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
              (cell.style != nullptr ? styled(cell.text, cell.style, colours) : cell.text);
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

/// The steps from a sum to the stored value, as aligned lines "/ 9 = 11.1111".
class Steps {
 public:
  void add(std::string label, double value) { rows_.push_back({std::move(label), number_text(value)}); }
  void add(std::string label, std::string value) { rows_.push_back({std::move(label), std::move(value)}); }
  bool empty() const { return rows_.empty(); }

  std::string text() const {
    std::size_t label = 0, value = 0;
    for (const auto& row : rows_) {
      label = std::max(label, row[0].size());
      value = std::max(value, row[1].size());
    }
    std::string text;
    for (const auto& row : rows_)
      put_line(text, "  " + row[0] + std::string(label - row[0].size(), ' ') + "  = " +
                         std::string(value - row[1].size(), ' ') + row[1]);
    return text;
  }

 private:
  std::vector<std::array<std::string, 2>> rows_;
};

std::string signed_text(double value) { return value < 0 ? "- " + number_text(-value) : "+ " + number_text(value); }

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
    if (explanation_.layers.size() < trace().banks.size()) text_ += "\nThe layers before read padding only.\n";
    if (trace().banks.size() > 1) {
      const Region& field = explanation_.layers.back().seen;
      if (explanation_.layers.size() == trace().banks.size())
        text_ += "\nreceptive field: rows " + range_text(field.first_row, field.last_row) + ", columns " +
                 range_text(field.first_column, field.last_column) + " of the input\n";
    }
    return text_;
  }

 private:
  const Trace& trace() const { return *explanation_.trace; }

  void put_title() {
    const Shape& output = trace().output();
    std::string title = "output " + place_text(explanation_.at);
    if (output.c > 1) title += ", channel " + std::to_string(explanation_.at.channel);
    if (explanation_.stored) {
      title += " = " + value_text(*explanation_.stored);
    } else {
      title += " of " + to_string(output);
    }
    text_ += styled(title, kBold, colours_) + "\n";
  }

  static std::string value_text(const Explanation::Stored& stored) { return to_text(stored.value + 0.0); }

  void put_step(const LayerStep& step) {
    const bool is_last = &step == &explanation_.layers.front();
    if (trace().banks.size() > 1) put_layer_head(step);
    if (!trace().numbers) put_geometry(step);
    put_place(step);
    for (const KernelSum& sum : step.sums) {
      text_ += "\n";
      if (step.is_bank) text_ += "  " + styled(printable(sum.kernel), kBold, colours_) + "\n";
      put_kernel(step, sum);
      Steps steps;
      if (step.is_bank) {
        add_sum_steps(sum, steps);
        text_ += steps.empty() ? "" : "\n" + steps.text();
      }
    }
    Steps steps;
    if (!step.is_bank && step.pooling != Pooling::max) add_sum_steps(step.sums.front(), steps);
    if (step.combine != Combine::none && step.response) steps.add(combine_text(step), *step.response);
    if (is_last && explanation_.stored) add_stored_steps(*explanation_.stored, steps);
    if (!steps.empty()) text_ += "\n" + steps.text();
  }

  void put_layer_head(const LayerStep& step) {
    std::string head =
        "layer " + std::to_string(step.layer + 1) + ", " + printable(step.name) + ": output " + place_text(step.at);
    if (step.output.c > 1) head += ", channel " + std::to_string(step.at.channel);
    if (step.response) head += " = " + number_text(*step.response);
    text_ += "\n" + styled(head, kBold, colours_) + "\n";
  }

  void put_geometry(const LayerStep& step) {
    text_ += "\n  " + height_formula(step.problem) + "\n  " + width_formula(step.problem) + "\n";
  }

  /// Where the window is, unless it begins at the first pixel without gaps.
  void put_place(const LayerStep& step) {
    const ConvProblem& problem = step.problem;
    const Region& window = step.window;
    const bool is_dilated = problem.dilation != Extent{};
    const bool leaves_input = window.first_row < 0 || window.first_column < 0 || window.last_row >= problem.input.h ||
                              window.last_column >= problem.input.w;
    if (window.first_row == 0 && window.first_column == 0 && !is_dilated && !leaves_input) return;
    text_ += "\n  window: rows " + range_text(window.first_row, window.last_row) + ", columns " +
             range_text(window.first_column, window.last_column);
    text_ += " of " + to_string(problem.input);
    if (is_dilated) text_ += ", dilation " + extent_text(problem.dilation);
    text_ += "\n";
    if (leaves_input) text_ += "  " + padding_text(step) + "\n";
  }

  static std::string extent_text(const Extent& extent) {
    return extent.h == extent.w ? std::to_string(extent.h) : join_sizes({extent.h, extent.w});
  }

  static std::string padding_text(const LayerStep& step) {
    if (step.pooling == Pooling::max) return "( ) is outside the input, and never the largest value";
    const PaddingModeRow& row = kPaddingModeTable[static_cast<int>(step.problem.padding_mode)];
    std::string text = "( ) is outside the input: padding " + std::string(row.name);
    return is_constant(step.problem.padding_mode) ? text : text + ", as in " + std::string(row.picture);
  }

  void put_kernel(const LayerStep& step, const KernelSum& sum) {
    const Cut cut(sum);
    if (cut.rows < sum.kh || cut.columns < sum.kw)
      text_ += "  the middle " + join_sizes({cut.rows, cut.columns}) + " of " + join_sizes({sum.kh, sum.kw}) +
               "; --json gives all terms\n";
    const std::int64_t shown = std::min(sum.channels, kMostChannels);
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
    const bool is_pool = step.pooling == Pooling::max;
    Block input("input", columns), kernel("kernel", columns), products("products", columns);
    for (std::int64_t u = cut.first_row; u < cut.first_row + cut.rows; ++u)
      for (std::int64_t v = cut.first_column; v < cut.first_column + cut.columns; ++v) {
        const Term& term = terms[u * sum.kw + v];
        const std::string value = number_text(term.input);
        input.add({term.inside ? value : is_pool ? "( )" : "(" + value + ")"});
        kernel.add(signed_cell(term.weight));
        products.add(signed_cell(term.product));
      }
    std::vector<Part> parts = {{"", &input}};
    if (!is_pool) parts.push_back({"   x  ", &kernel});
    if (!is_pool && sum.sum) parts.push_back({" = ", &products});
    std::string result;
    if (is_pool && sum.response) result = "largest " + number_text(*sum.response);
    if (!is_pool && sum.sum) {
      double partial = 0;
      for (std::int64_t i = 0; i < sum.kh * sum.kw; ++i) partial += *terms[i].product;
      result = "sum " + number_text(partial + 0.0);
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

  void add_sum_steps(const KernelSum& sum, Steps& steps) const {
    if (!sum.sum) return;
    double value = *sum.sum;
    if (sum.channels > 1) steps.add("sum of " + std::to_string(sum.channels) + " channels", value);
    const bool is_plain = sum.divisor == 1 && sum.bias == 0 && sum.activation == Activation::none;
    if (!is_plain && sum.channels == 1) steps.add("sum", value);
    if (sum.divisor != 1) steps.add("/ " + number_text(sum.divisor), value /= sum.divisor);
    if (sum.bias != 0) steps.add(signed_text(sum.bias) + " (bias)", value += sum.bias);
    if (sum.activation != Activation::none)
      steps.add(std::string(kActivations[static_cast<int>(sum.activation)]), *sum.response);
  }

  static std::string combine_text(const LayerStep& step) {
    constexpr std::size_t kMostNamed = 4;
    const std::string name(kCombines[static_cast<int>(step.combine)]);
    if (step.sums.size() > kMostNamed) return name + " of " + std::to_string(step.sums.size());
    const auto joined = [&](const char* separator, const auto& term) {
      std::string text;
      for (const KernelSum& sum : step.sums) text += (text.empty() ? "" : separator) + term(*sum.response);
      return text;
    };
    const auto plain = [](double value) { return number_text(value); };
    const auto bracketed = [](double value) { return value < 0 ? "(" + number_text(value) + ")" : number_text(value); };
    switch (step.combine) {
      case Combine::magnitude:
        return name + ": sqrt(" + joined(" + ", [&](double value) { return bracketed(value) + "^2"; }) + ")";
      case Combine::l1: return name + ": " + joined(" + ", [](double value) { return "|" + number_text(value) + "|"; });
      case Combine::sum: return name + ": " + joined(" + ", bracketed);
      case Combine::mean: return name + ": (" + joined(" + ", bracketed) + ") / " + std::to_string(step.sums.size());
      default: return name + "(" + joined(", ", plain) + ")";
    }
  }

  void add_stored_steps(const Explanation::Stored& stored, Steps& steps) const {
    const ValueMap& map = stored.map;
    const std::string name(to_string(trace().numbers->mapping.map));
    const double response = *explanation_.last().response;
    double value = response;
    if (map.absolute) steps.add("absolute value", value = std::fabs(value));
    if (map.threshold) {
      steps.add((value > *map.threshold ? "above " : "not above ") + number_text(*map.threshold), stored.mapped);
    } else {
      if (map.shift != 0) steps.add(signed_text(-map.shift) + " (" + name + ")", value -= map.shift);
      if (map.scale != 1) steps.add("* " + number_text(map.scale) + " (" + scale_name(name) + ")", value *= map.scale);
      if (map.offset != 0) steps.add(signed_text(map.offset) + " (" + name + ")", value += map.offset);
    }
    if (!is_integer(stored.dtype)) {
      if (!steps.empty()) steps.add("stored as f32", value_text(stored));
      return;
    }
    if (stored.clipped != Clipped::no)
      steps.add("clipped to 0..." + number_text(full_range(stored.dtype)), stored.value);
    else if (stored.mapped != stored.value)
      steps.add(std::isnan(stored.mapped) ? "not a number" : "rounded", stored.value);
    if (!steps.empty()) steps.add("stored as " + std::string(to_string(stored.dtype)), stored.value);
  }

  /// What a scale comes from: the map, or a change of depth.
  std::string scale_name(const std::string& map) const {
    const DType from = trace().dtype(), to = explanation_.stored->dtype;
    const bool is_depth = map == "clip" || map == "abs";
    return is_depth ? std::string(to_string(from)) + " to " + std::string(to_string(to)) : map;
  }

  const Explanation& explanation_;
  const bool colours_;
  std::string text_;
};

}  // namespace

std::string to_text(const Explanation& explanation, bool colours) { return Writer(explanation, colours).text(); }

}  // namespace convtool
