// What an edge map is made of: plain data, settled before any picture is known.
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string_view>

#include "network/layer.h"

namespace convtool {

/// How the edges of several colours become one. `luma`: there is but one colour. The others find edges in every colour:
/// `max` keeps the strongest, `sum` adds strengths up, `di_zenzo` takes the root of the larger eigenvalue of the
/// structure tensor, summed over colours (S. Di Zenzo, A note on the gradient of a multi-image, 1986). For sum and
/// di_zenzo the gradient points along the tensor's eigenvector.
enum class ColorRule { luma, max, sum, di_zenzo };
inline constexpr std::string_view kColorRules[] = {"luma", "max", "sum", "di-zenzo"};

enum class EdgeKind {
  magnitude,    ///< how strong: one channel, in the units of the input
  orientation,  ///< where to: the angle of the gradient (AngleUnit)
  components,   ///< what the kernels answer; of a pair, the gradient towards the right and downwards
  binary,       ///< yes or no: the full range, or 1 as f32
  overlay,      ///< the picture with its edges painted over
};
inline constexpr std::string_view kEdgeKinds[] = {"magnitude", "orientation", "components", "binary", "overlay"};

/// Angles are those of the gradient, from dark to bright, counter-clockwise from the x axis as one looks at the
/// picture: in (-pi, pi], (-180, 180], or as the hue of a colour as bright as the edge is strong.
enum class AngleUnit { radians, degrees, wheel };
inline constexpr std::string_view kAngleUnits[] = {"radians", "degrees", "wheel"};

/// Where the thresholds of hysteresis come from.
struct ThresholdRule {
  enum class Source {
    response,    ///< `low` and `high` are they
    percentile,  ///< they are those of the strengths, 0 to 100
    otsu,        ///< otsu_thresholds()
  };
  Source source = Source::otsu;
  double low = 0, high = 0;
};

struct EdgeRecipe {
  /// One kernel: a Laplacian, whose edges are zero crossings. Two: the components of a gradient, along two directions
  /// at right angles, joined by magnitude or l1. More: joined as the bank says, without a direction. All of rank 2,
  /// with outputs as large as the input.
  Bank kernels;
  ColorRule color = ColorRule::luma;
  EdgeKind kind = EdgeKind::magnitude;
  bool thin = false;                                ///< thin(), or of a Laplacian zero_crossings()
  std::optional<ThresholdRule> hysteresis;          ///< set for binary and overlay
  AngleUnit angle = AngleUnit::radians;             ///< of orientation
  std::array<double, 3> overlay_color = {1, 0, 0};  ///< R, G, B, 1 the full range

  /// Whether the output is responses, for a map to make values of; else it is decisions, angles or colours.
  bool is_mapped() const { return kind == EdgeKind::magnitude || kind == EdgeKind::components; }
  /// Whether the output is numbers with signs, which integers cannot hold.
  bool is_signed() const {
    return kind == EdgeKind::components || (kind == EdgeKind::orientation && angle != AngleUnit::wheel);
  }
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
