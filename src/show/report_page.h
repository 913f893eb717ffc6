// The pages of --report. Their data are the JSON reports of the program and, in addition, what pictures show.
#pragma once

#include <array>
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "network/layer.h"
#include "show/survey.h"

namespace convtool {

/// A drawing with a caption, as SVG.
struct PageFigure {
  std::string caption, svg;
};

/// The kernels of a network; of many the first few.
std::vector<PageFigure> kernel_figures(const Network& network);

/// What every page shows of its run.
struct PageHead {
  std::string command;                                      ///< "convtool apply"
  std::map<std::string, std::vector<std::string>> options;  ///< the given ones, by name
  std::vector<PageFigure> kernels = {};
};

/// One input of apply or edges, as JSON for batch_page().
struct PageInput {
  std::string report;                   ///< a JSON object
  std::string input_link, output_link;  ///< relative to the page, percent-encoded; empty: there is no file
  std::optional<SurveyResult> before, responses, after, sheet;
  std::optional<std::array<double, 2>> kept;  ///< responses that were stored without clipping; none: all
  std::int64_t response_count = 0;            ///< as in RunReport; clipped ones are a share of these
};
std::string to_json(const PageInput& input);

/// The page of apply and edges. `inputs` are texts of to_json(), in the order of the inputs; they are freed.
/// `not_started`: the inputs that were left out, because the run was interrupted or stopped at a failure. Outputs
/// without a picture are linked where the inputs are more than kMostPreviews, or with `has_gaps`.
std::string batch_page(const PageHead& head, std::vector<std::string> inputs, std::int64_t not_started,
                       bool has_gaps = false);

/// Loss by epoch.
struct PageCurve {
  std::vector<std::int64_t> epochs;
  std::vector<double> losses, held_out;  ///< `held_out` may be empty
};

/// A pair that learn has learned from.
struct PagePair {
  std::string input, target;                               ///< names
  SurveyResult before, target_picture, learned, residual;  ///< residual: learned minus target, with signs
};

/// The page of learn; `head.kernels` are the kernel at the start and as learned. `report` is a JSON object.
std::string learn_page(const PageHead& head, const std::string& report, const PageCurve& curve,
                       const std::vector<PagePair>& pairs, std::int64_t pairs_in_all);

/// The page of shape. `report` is a JSON object.
std::string shape_page(const PageHead& head, const std::string& report);

}  // namespace convtool
