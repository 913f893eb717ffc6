// The formats of explanations.
#pragma once

#include <span>
#include <string>
#include <string_view>

#include "files/buffer.h"
#include "show/explain/explanation.h"

namespace convtool {

/// Everything that a format may show.
struct ExplainRequest {
  const Trace& trace;
  const Explainer& explainer;
  Pixel at;  ///< the output to explain, or to begin with
  bool colours = false;
  double cell = 40;  ///< pixels of a cell in figures and animations
  double fps = 2;    ///< frames per second of animations
};

struct ExplainFormat {
  std::string_view name;       ///< for --format
  std::string_view extension;  ///< of -o
  bool is_text = true;         ///< may be written to a terminal
  Bytes (*write)(const ExplainRequest& request);
};

/// A new format is one row of this table.
std::span<const ExplainFormat> explain_formats();

/// "text, json, ...".
std::vector<std::string_view> explain_format_words();

}  // namespace convtool
