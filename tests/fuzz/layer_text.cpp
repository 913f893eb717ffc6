// Layers as text: whatever is read has a size at every layer, or one sentence why it does not fit.
#include "kernels/files/layer_text.h"

#include "fuzz/target.h"
#include "network/bank_plan.h"
#include "network/outline.h"
#include "network/receptive_field.h"
#include "network/residual.h"

namespace convtool::fuzz {
namespace layer_text {

/// Computes what `convtool shape 3x64x64` prints of a network.
void check_shapes(const Network& network) {
  const std::vector<std::optional<std::size_t>> addends = addends_of(network), sources = sources_of(network);
  std::vector<BankGeometry> banks;
  for (std::size_t i = 0; i < network.banks.size(); ++i) {
    const Shape input = i == 0 ? Shape{1, 3, 64, 64} : banks[sources[i].value_or(i - 1)].output;
    if (addends[i]) check_sum(network.banks[i].layers.front().add, banks[*addends[i]].output, input);
    const Bank bank = fitted(network.banks[i], input);
    banks.push_back(bank_geometry(bank, DType::f32, input));
    const Shape& output = banks.back().output;
    check(output.c >= 1 && output.h >= 1 && output.w >= 1, "an output without pixels");
    check(parameter_count(bank) >= 0 && mac_count(bank, banks.back().problems) >= 0, "a negative count");
    for (const std::string& formula : size_formulas(bank.layers.front(), banks.back()))
      check(formula == printable(formula), "a formula of more than one line");
  }
  const auto regions = regions_before(network, banks, {});
  check(regions.size() == banks.size() + 1 && regions.front().has_value(), "an output that depends on no input");
  receptive_field_of(network, banks);
}

bool run(std::span<const std::byte> input) {
  Network network;
  if (!accepts({ErrorKind::kernel},
               [&] { network = with_named_input(parse_layer_text(text_of(input), "text", "text")); }))
    return false;
  check(!network.banks.empty(), "a network without layers");
  accepts({ErrorKind::shape}, [&] { check_shapes(network); });
  return true;
}

}  // namespace layer_text

Target layer_text_target() {
  return {"layer_text", layer_text::run,
          seeds_of({"conv 7 64 s2 p3, relu, maxpool 3 s2 p1, conv 3 64 p1 x4",
                    "conv 3 32 s2 p1 nobias, bn, relu6 # the stem of MobileNet\ndwconv 3 p1, conv 1 64\n",
                    "conv 5 6, tanh, avgpool 2, conv 5x3 16, linear 120, linear 10 nobias",
                    "maxpool 3 s2 p1 as x\nconv 3 128 s2 p1 nobias, bn as y, conv 1 128 s2 nobias from x, add y, relu",
                    "conv 3 3 p1, add input, relu",
                    "tconv 4 8 s2 p1 o1x0 g2, upsample 2x3 bilinear, upsample 4, avgpool global",
                    "CONV 3x2 8 d2x1 p1,0,2,3 g1, maxpool 2x3 ceil, silu, hardswish, sigmoid, leaky_relu",
                    "conv 3 8 same, conv 3 8 same_lower s2, conv 3 8 full, conv 3 8 valid"})};
}

}  // namespace convtool::fuzz
