// Networks one after another.
#include <doctest/doctest.h>

#include "network/chain.h"
#include "network/layers.h"
#include "support/values.h"

namespace convtool {
namespace {

Network named(const std::string& name, std::vector<Bank> banks) {
  Network network = network_of(std::move(banks));
  network.name = name;
  for (Bank& bank : network.banks) bank.name = name;
  return network;
}

}  // namespace

TEST_CASE("a chain has the banks of all stages in order, their names, and the map of the last") {
  Network first = named("a", {bank_of({plane(1, 1, {2})}), bank_of({plane(1, 2, {1, 1})})});
  first.banks.back().map = OutputMap::offset;
  first.files = {"a.npy"};
  first.description = "of the first only";
  Network last = named("b", {bank_of({plane(1, 1, {3})})});
  last.banks.back().map = OutputMap::abs;
  last.files = {"b.npy", "c.npy"};

  const Network all = chain({first, last});
  CHECK(all.name == "a then b");
  CHECK(all.description == "");
  REQUIRE(all.banks.size() == 3);
  CHECK(all.banks[0] == first.banks[0]);
  CHECK(all.banks[1].layers == first.banks[1].layers);
  CHECK(!all.banks[1].map);
  CHECK(all.banks[2] == last.banks[0]);
  CHECK(all.files == std::vector<std::string>{"a.npy", "b.npy", "c.npy"});
  CHECK(chain({first}) == first);
}

TEST_CASE("channels that do not fit are found without an input, as far as weights decide") {
  const auto mixing = [](std::int64_t c_o, std::int64_t c_i, std::int64_t groups = 1) {
    return make_layer(4, {c_o, c_i / groups, 1, 1}, std::vector<float>(static_cast<std::size_t>(c_o * c_i / groups), 1),
                      Params{.groups = groups});
  };
  const Layer one = plane(1, 1, {1});
  check_channels(network_of({bank_of({one}), bank_of({mixing(2, 3)})}));  // 3 channels may come in
  check_channels(network_of({bank_of({mixing(4, 3)}), bank_of({one}), bank_of({mixing(2, 4, 2)})}));
  check_channels(network_of({bank_of({mixing(2, 3), mixing(1, 3)}), bank_of({mixing(1, 3)})}));
  check_channels(network_of({bank_of({mixing(2, 3), mixing(2, 3)}, Combine::sum), bank_of({mixing(1, 2)})}));
  check_channels(network_of({bank_of({mixing(1, 1), mixing(1, 1)}), bank_of({one, one}), bank_of({mixing(1, 4)})}));

  Layer outline = mixing(0, 0);  // without weights, it takes any number of channels and gives as many
  outline.outline = Outline::kernel;
  check_channels(network_of({bank_of({mixing(4, 3)}), bank_of({outline}), bank_of({mixing(2, 4)})}));

  const auto refusal = [](const std::vector<Bank>& banks) {
    const Error error = error_of([&] { check_channels(named("net", banks)); });
    CHECK(error.kind() == ErrorKind::kernel);
    return std::string(error.what());
  };
  CHECK(refusal({bank_of({mixing(1, 3)}), bank_of({one}), bank_of({mixing(3, 3)})}) ==
        "net: layer 3, 'layer', takes 3 channels, but layer 2, 'net', gives 1; change one of them, or their order");
  CHECK(refusal({bank_of({mixing(2, 3), mixing(2, 3)}), bank_of({mixing(1, 2)})}).find("gives 4;") !=
        std::string::npos);
  CHECK(refusal({bank_of({mixing(4, 4)}), bank_of({mixing(4, 8, 2)})}).find("takes 8 channels") != std::string::npos);
  CHECK(refusal({bank_of({mixing(4, 4)}), bank_of({outline}), bank_of({mixing(1, 3)})}).find("gives 4;") !=
        std::string::npos);
}

TEST_CASE("random chains equal their stages run one at a time, with floats between them") {
  Random random(2024);
  constexpr PaddingMode kChainModes[] = {PaddingMode::zeros, PaddingMode::reflect, PaddingMode::replicate,
                                         PaddingMode::circular};
  int with_bank = 0, with_colours = 0;
  for (int repeat = 0; repeat < 200; ++repeat) {
    CAPTURE(repeat);
    const Shape shape{1, random.pick(std::vector<std::int64_t>{1, 3}), random.between(12, 40), random.between(12, 60)};
    const DType dtype = random.pick(kTypes);
    // Whole numbers small enough for every sum to be exact in float: a stage multiplies the largest value by 9 at most,
    // or by 18 where two are added, and 255 * 18^3 is below 2^24.
    const Tensor x = filled(dtype, shape, [&] { return random.between(0, 255); });
    std::vector<Network> stages;
    const std::int64_t count = random.between(2, 3);
    for (std::int64_t i = 0; i < count; ++i) {
      std::vector<Layer> layers;
      const bool is_bank = random.chance(3);
      const Params params{.stride = random.chance(3) ? Extent{2, 2} : Extent{},
                          .padding = random.chance(3) ? Padding{} : kSame,
                          .padding_mode = random.pick(kChainModes)};
      for (int member = 0; member < (is_bank ? 2 : 1); ++member)
        layers.push_back(plane(3, 3, floats(9, [&] { return random.between(-1, 1); }), params));
      // The sum of absolute values has no rounding of its own, unlike a magnitude.
      const Combine combine = is_bank && random.chance(2) ? Combine::l1 : Combine::none;
      with_bank += is_bank ? 1 : 0;
      stages.push_back(network_of({bank_of(std::move(layers), combine)}));
    }
    with_colours += shape.c == 3 ? 1 : 0;
    const Tensor together = run_network(chain(stages), x.ref());
    Tensor value;
    ConstTensorRef input = x.ref();
    for (const Network& stage : stages) {
      Tensor next = run_network(stage, input);
      value = std::move(next);
      input = std::as_const(value).ref();
    }
    REQUIRE(together.shape() == value.shape());
    CHECK(values_of(together.ref()) == values_of(std::as_const(value).ref()));
  }
  CHECK(with_bank > 60);
  CHECK(with_colours > 60);
}

}  // namespace convtool
