#include "cli/job/plan.h"

#include <algorithm>
#include <string>

#include "cli/job/result_format.h"
#include "network/input_scaling.h"
#include "network/premultiplied.h"

namespace convtool {
namespace {

class PlainPlan final : public Plan {
 public:
  PlainPlan(NetworkPlan plan, std::optional<FoldedPlan> folded) : plan_(std::move(plan)), folded_(std::move(folded)) {}

  const Shape& output_shape() const override { return plan_.output_shape(); }
  const NetworkPlan& kernels() const override { return plan_; }
  const BankPlan* only_bank() const override { return plan_.banks().size() == 1 ? &plan_.banks().front() : nullptr; }
  const FoldedPlan* folded() const override { return folded_ ? &*folded_ : nullptr; }
  PlanResult run(const PlanRun& run) const override {
    if (!folded_) return {.stats = plan_.run(run.input, run.output, run.mapping, run.observer), .edges = {}};
    if (run.observer) plan_.run(run.input, run.output, run.mapping, run.observer);
    return {.stats = folded_->plan.run(run.input, run.output, run.mapping), .edges = {}};
  }

 private:
  NetworkPlan plan_;
  std::optional<FoldedPlan> folded_;
};

class AlphaPlan final : public Plan {
 public:
  explicit AlphaPlan(PremultipliedPlan plan) : plan_(std::move(plan)) {}

  const Shape& output_shape() const override { return kernels().output_shape(); }
  const NetworkPlan& kernels() const override { return plan_.network(); }
  PlanResult run(const PlanRun& run) const override {
    return {.stats = plan_.run(run.input, run.output, run.mapping, run.observer), .edges = {}};
  }

 private:
  PremultipliedPlan plan_;
};

class RecipePlan final : public Plan {
 public:
  explicit RecipePlan(EdgePlan plan) : plan_(std::move(plan)) {}

  const Shape& output_shape() const override { return plan_.output_shape(); }
  const NetworkPlan& kernels() const override { return plan_.kernels(); }
  const EdgeRecipe* recipe() const override { return &plan_.recipe(); }
  const BankPlan* only_bank() const override {
    return plan_.is_one_run() && kernels().banks().size() == 1 ? &kernels().banks().front() : nullptr;
  }
  PlanResult run(const PlanRun& run) const override {
    const EdgeResult found = plan_.run(run.input, run.picture, run.output, run.mapping, run.observer);
    return {.stats = found.stats, .edges = found};
  }

 private:
  EdgePlan plan_;
};

/// Explains the mismatch of a kernel that has a channel for the alpha that is set aside.
void check_alpha_channel(const SourceTraits& source, const FilterSpec& spec) {
  const Layer& first = spec.network.banks.front().layers.front();
  const std::int64_t expected = first.shape.c_i_per_group * first.params.groups;
  const std::int64_t channels = source.filtered.c;
  if (source.has_alpha && spec.alpha == AlphaRule::keep && first.rank > 2 && expected == channels + 1) {
    refuse_shape("", "the kernel's channels do not match the input (expected " + std::to_string(expected) +
                         " channels, got " + std::to_string(channels) +
                         ", since alpha is set aside); add --alpha filter to count alpha as a channel");
  }
}

/// Explains the mismatch of a grey picture and a kernel for colours.
void check_colours(const SourceTraits& source, const FilterSpec& spec) {
  constexpr std::int64_t kColours = 3;
  const Bank& first = spec.network.banks[spec.scaling ? std::min<std::size_t>(1, spec.network.banks.size() - 1) : 0];
  const auto takes_colours = [](const Layer& layer) { return layer.rank > 2 && layer.input_channels() == kColours; };
  if (source.is_tensor() || source.format.is_video() || source.filtered.c != 1 ||
      std::none_of(first.layers.begin(), first.layers.end(), takes_colours))
    return;
  if (source.shape.c > 2)
    refuse_shape("", "--gray leaves one channel, but '" + first.layers.front().name +
                         "' takes three, the colours; leave --gray out");
  refuse_shape("",
               "the picture is grey, but '" + first.layers.front().name +
                   "' takes three channels, the colours; use a kernel for one channel, or add --input-scale, such as "
                   "1/255: a scaled input repeats grey to three channels, and 1 leaves the pixels as they are");
}

}  // namespace

std::unique_ptr<Plan> make_plan(const SourceTraits& source, const FileFormat& format, const FilterSpec& spec) {
  const Shape& shape = source.filtered;
  PlanOptions options = spec.plan;
  options.input_channels_last = source.channels_last;
  options.output_channels_last = !format.is_tensor();
  options.max_pixels = spec.max_pixels;
  // What rounding adds to a response may lift it above the threshold; half a level of u8 is 128 levels of u16.
  options.direct_error = spec.threshold || (source.dtype == DType::u8 && spec.depth == DType::u16);
  if (spec.edges)
    return std::make_unique<RecipePlan>(
        EdgePlan(complete_recipe(spec, source.is_tensor(), source.dtype, format), source.dtype, shape, options));

  const bool repeats_grey = spec.repeats_grey(shape.c, source.format);
  if (!repeats_grey) check_colours(source, spec);
  if (spec.scaling && !repeats_grey) check_input_channels(*spec.scaling, shape.c);
  check_alpha_channel(source, spec);
  if (spec.alpha != AlphaRule::premultiply || !source.has_alpha) {
    std::optional<Network> of_grey;
    if (repeats_grey) (of_grey = spec.network)->banks.front() = *spec.grey_scaling;
    const Network& network = of_grey ? *of_grey : spec.network;
    NetworkPlan plan(network, source.dtype, shape, spec.flip, options);
    std::optional<FoldedPlan> folded;
    if (std::optional<Folding> folding = fold(network, source.dtype, shape, spec.flip, options)) {
      NetworkPlan as_one(folding->network, source.dtype, shape, spec.flip, options);
      folded = FoldedPlan{.folding = *std::move(folding), .plan = std::move(as_one)};
    }
    return std::make_unique<PlainPlan>(std::move(plan), std::move(folded));
  }

  if (spec.scaling)
    refuse_shape("",
                 "--alpha premultiply weights the picture's own colours, but the input is scaled; choose --alpha keep");
  if (spec.map == OutputMap::signs)
    refuse_shape("", "--map signed has no room for a filtered alpha; choose --alpha keep");
  if (spec.dumps_layers) refuse_shape("", "--dump-layers would write colours multiplied by alpha; choose --alpha keep");
  return std::make_unique<AlphaPlan>(PremultipliedPlan(spec.network, source.dtype, shape, spec.flip, options));
}

}  // namespace convtool
