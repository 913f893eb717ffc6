// The description of an edge map: plain data, complete before any picture is known.
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string_view>

#include "network/layer.h"

namespace convtool {

/// How the edges of several colours are combined. With `luma` there is only one colour, grey. The other rules find
/// edges in every colour: `max` keeps the strongest, `sum` adds the strengths, and `di_zenzo` takes the square root of
/// the larger eigenvalue of the structure tensor, summed over the colours (S. Di Zenzo, A note on the gradient of a
/// multi-image, 1986). For sum and di_zenzo, the gradient points along the eigenvector of that tensor.
enum class ColorRule { luma, max, sum, di_zenzo };
inline constexpr std::string_view kColorRules[] = {"luma", "max", "sum", "di-zenzo"};

enum class EdgeKind {
  magnitude,    ///< the strength of the edge: one channel, in the units of the input
  orientation,  ///< the angle of the gradient (AngleUnit)
  components,   ///< the responses of the kernels; for a pair, the gradient to the right and downwards
  binary,       ///< edge or not: the full range, or 1 in f32, and 0
  overlay,      ///< the picture with its edges painted on it
};
inline constexpr std::string_view kEdgeKinds[] = {"magnitude", "orientation", "components", "binary", "overlay"};

/// The unit of the angle of the gradient, which points from dark to bright. Angles are counter-clockwise from the x
/// axis as seen in the picture: in (-pi, pi], in (-180, 180], or as the hue of a colour whose brightness is the
/// strength.
enum class AngleUnit { radians, degrees, wheel };
inline constexpr std::string_view kAngleUnits[] = {"radians", "degrees", "wheel"};

/// Where the thresholds of hysteresis come from.
struct ThresholdRule {
  enum class Source {
    response,    ///< `low` and `high` are strengths
    percentile,  ///< `low` and `high` are percentiles of the strengths, 0 to 100
    otsu,        ///< from otsu_thresholds()
  };
  Source source = Source::otsu;
  double low = 0, high = 0;
};

/// As reports say it.
constexpr std::string_view to_string(ThresholdRule::Source source) {
  switch (source) {
    case ThresholdRule::Source::response: return "given";
    case ThresholdRule::Source::percentile: return "percentiles";
    case ThresholdRule::Source::otsu: return "Otsu";
  }
  return "given";
}

struct EdgeRecipe {
  /// One kernel is a Laplacian, whose edges are zero crossings. Two are the components of a gradient along two
  /// perpendicular directions, combined by magnitude or l1. More are combined as the bank says, without a direction.
  /// All have rank 2 and outputs of the size of the input.
  Bank kernels;
  ColorRule color = ColorRule::luma;
  EdgeKind kind = EdgeKind::magnitude;
  bool thin = false;                        ///< thin(), or for a Laplacian zero_crossings()
  std::optional<ThresholdRule> hysteresis;  ///< always set for binary and overlay
  AngleUnit angle = AngleUnit::radians;     ///< for orientation
  /// For the wheel: the percentiles of the strengths that become black and full brightness; none: 0 and the largest.
  std::optional<std::array<double, 2>> brightness;
  std::array<double, 3> overlay_color = {1, 0, 0};  ///< R, G, B; 1 is the full range

  /// Whether the output is responses, which a map turns into picture values; else it is decisions, angles or colours.
  bool is_mapped() const { return kind == EdgeKind::magnitude || kind == EdgeKind::components; }
  /// Whether the output is signed, so that unsigned integers cannot store it.
  bool is_signed() const {
    return kind == EdgeKind::components || (kind == EdgeKind::orientation && angle != AngleUnit::wheel);
  }
  /// Whether thinning or hysteresis decides that some pixels are not edges.
  bool is_decided() const { return thin || hysteresis.has_value(); }
  bool is_laplacian() const { return kernels.layers.size() == 1; }
  bool has_gradient() const { return kernels.layers.size() == 2; }
  /// Channels of the output.
  std::int64_t channels() const {
    if (kind == EdgeKind::components) return static_cast<std::int64_t>(kernels.layers.size());
    const bool in_colours = kind == EdgeKind::overlay || (kind == EdgeKind::orientation && angle == AngleUnit::wheel);
    return in_colours ? 3 : 1;
  }
};

}  // namespace convtool
