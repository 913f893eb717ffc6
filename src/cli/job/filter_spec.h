// The filter that a run applies to each picture or tensor.
#pragma once

#include <array>
#include <cstdint>
#include <limits>
#include <optional>
#include <string_view>

#include "cli/job/source.h"
#include "conv/output_map.h"
#include "conv/plan.h"
#include "edges/recipe.h"
#include "network/layer.h"
#include "pictures/encode_options.h"
#include "show/sheet.h"
#include "show/survey.h"

namespace convtool {

/// The planes of a video that are filtered.
enum class PlaneRule { luma, all };
inline constexpr std::string_view kPlaneRules[] = {"luma", "all"};

/// The pages of a TIFF that are filtered, from 1.
struct PageRange {
  std::int64_t first = 1, last = 1;

  static constexpr std::int64_t kEnd = std::numeric_limits<std::int64_t>::max();  ///< as `last`: to the last page
};

struct FilterSpec {
  Network network;                      ///< with `edges` the recipe's kernels
  std::optional<InputScaling> scaling;  ///< of the pixels, which the network's first bank computes; none: no such bank
  std::optional<Bank> grey_scaling;     ///< scaling_of_grey(), in place of the network's first bank
  std::optional<EdgeRecipe> edges;      ///< none: the network's response is the result
  bool angle_given = false;             ///< false: a wheel for pictures of integers, else radians
  bool flip = false;
  bool grey = false;  ///< filter the luma of colour pictures
  AlphaRule alpha = AlphaRule::keep;
  std::optional<PageRange> pages;                    ///< none: the first page
  std::optional<PlaneRule> planes;                   ///< of videos; none: the luma
  std::optional<OutputMap> map;                      ///< none: the kernel's, else automatic
  std::optional<std::array<double, 2>> percentiles;  ///< Mapping::percentiles; for normalize, signs
  std::optional<SignedZero> signed_zero;             ///< Mapping::zero; none: white
  std::optional<double> threshold;                   ///< Mapping::threshold
  std::optional<DType> depth;                        ///< none: the input's
  std::optional<SheetOptions> sheet;                 ///< of --sheet
  EncodeOptions encode;
  bool strips_metadata = false;                ///< pictures are written without a profile, EXIF, XMP and resolution
  TensorText tensor_text = TensorText::dense;  ///< of results in JSON
  PlanOptions plan;
  std::int64_t max_pixels = 0;          ///< in the input, and in the result of each layer
  bool dumps_layers = false;            ///< each layer's result is written to a file of its own
  std::optional<SurveyOptions> survey;  ///< of input, responses and output, for a report, at most; none: no surveys

  /// Whether the colours of pictures are converted to luma before filtering.
  bool makes_grey() const { return grey || (edges && edges->color == ColorRule::luma); }

  /// Whether `channels` of an input in this format are grey that is repeated to the three channels of the network.
  bool repeats_grey(std::int64_t channels, const FileFormat& from) const {
    return grey_scaling && channels == 1 && !from.is_tensor() && !from.is_video() && !makes_grey();
  }

  /// The map as given on the command line or in the kernel file, perhaps automatic.
  OutputMap given_map() const { return map.value_or(network.banks.back().map.value_or(OutputMap::automatic)); }

  /// Whether the user or the kernel file asks for a particular map.
  bool is_map_given() const { return given_map() != OutputMap::automatic || threshold; }

  /// Whether pictures of integers give floats.
  bool makes_floats() const { return depth == DType::f32 || (edges && edges->is_signed()); }
};

}  // namespace convtool
