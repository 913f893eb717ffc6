// Sums: the names that they may add, and what is kept for them.
#include <doctest/doctest.h>

#include <string>

#include "network/chain.h"
#include "network/folding/folding.h"
#include "network/input_scaling.h"
#include "network/layers.h"
#include "network/receptive_field.h"
#include "network/residual.h"

namespace convtool {
namespace {

Bank named_bank(const std::string& name, Layer layer) {
  Bank bank = bank_of({std::move(layer)});
  bank.name = bank.layers.front().name = name;
  return bank;
}

Bank scaled_by(const std::string& name, float factor) { return named_bank(name, plane(1, 1, {factor})); }

Bank sum_with(const std::string& name, const std::string& addend) {
  Layer layer = plane(1, 1, {1});
  layer.add = addend;
  return named_bank(name, layer);
}

std::vector<double> run_pair(const Network& network) {
  return values_of(run_network(network, tensor_of(DType::u8, {1, 1, 1, 2}, {1, 10}).ref()).ref());
}

TEST_CASE("a sum adds the output of the layer that it names to its input") {
  CHECK(run_pair(network_of({scaled_by("a", 2), scaled_by("b", 5), sum_with("s", "a")})) ==
        std::vector<double>{12, 120});
  // Several sums of one layer, of sums, and of the layer just before.
  CHECK(run_pair(network_of({scaled_by("a", 2), sum_with("twice", "a"), scaled_by("b", 3), sum_with("s", "a"),
                             sum_with("t", "twice"), sum_with("u", "s")})) ==
        std::vector<double>{12 + 2 + 4 + 14, 320});
  Network relu = network_of({scaled_by("a", -1), scaled_by("b", 0.5F), sum_with("s", "a")});
  relu.banks.back().layers.front().activation = Activation::abs;
  CHECK(run_pair(relu) == std::vector<double>{1.5, 15});
}

TEST_CASE("stages of a chain keep to themselves: names that several have differ afterwards") {
  const Network one = network_of({scaled_by("a", 2), scaled_by("b", 5), sum_with("s", "a")});
  const Network three = chain({one, one, one});
  CHECK(run_pair(chain({one, one})) == std::vector<double>{144, 1440});
  CHECK(addends_of(three)[5] == 3);
  CHECK(addends_of(three)[8] == 6);
  CHECK(three.banks[3].name == "a-2");
  CHECK(three.banks[4].name == "b");  // no layer names it
  CHECK(three.banks[6].name == "a-3");
}

TEST_CASE("a name that several earlier layers have is refused where a layer adds or reads it") {
  const auto refusal = [](Layer user) {
    std::vector<Bank> banks = {scaled_by("a", 2), scaled_by("a", 10), named_bank("s", std::move(user)),
                               scaled_by("a", 1)};
    return error_of([&] { run_pair(network_of(std::move(banks))); });
  };
  Layer adds = plane(1, 1, {1}), reads = adds;
  adds.add = reads.from = "a";
  CHECK(contains(refusal(adds), "layer 3 adds 'a', but layers 1 and 2 both have that name; give one of them another"));
  CHECK(contains(refusal(reads), "layer 3 reads 'a', but layers 1 and 2 both have that name"));
  CHECK(run_pair(network_of({scaled_by("a", 2), scaled_by("a", 10)})) == std::vector<double>{20, 200});
  // A layer after the sum does not count.
  CHECK(run_pair(network_of({scaled_by("a", 2), sum_with("s", "a"), scaled_by("a", 1)})) == std::vector<double>{4, 40});
}

TEST_CASE("the input of the network can be added and read by its name") {
  Layer reads = plane(1, 1, {7});
  reads.from = "input";
  const Network plain = network_of({scaled_by("a", 2), sum_with("s", "input")});
  const Network network = with_named_input(plain);
  CHECK(network.banks.size() == 3);
  CHECK(is_input_copy(network.banks.front()));
  CHECK(run_pair(network) == std::vector<double>{3, 30});
  CHECK(run_pair(with_named_input(network_of({scaled_by("a", 2), named_bank("b", reads)}))) ==
        std::vector<double>{7, 70});
  const Network unnamed = network_of({scaled_by("a", 2)});
  CHECK((with_named_input(unnamed) == unnamed));

  Network scaled = network;  // x' = (x - 1) / 2, then x' + 2 x'
  scaled.input = InputScaling{.mean = {1}, .deviation = {2}};
  const Network as_layer = with_scaling_as_layer(scaled);
  CHECK(as_layer.banks.size() == 3);
  CHECK(run_pair(as_layer) == std::vector<double>{0, 13.5});

  // In a chain, each stage has the input of its own: 3 x, then 3 x + 2 * 3 x.
  CHECK(run_pair(chain({network, network})) == std::vector<double>{9, 90});
  Network scaled_chain = chain({scaled, network});
  CHECK(run_pair(with_scaling_as_layer(scaled_chain)) == std::vector<double>{0, 40.5});
  CHECK(contains(error_of([] {
                   with_named_input(network_of({scaled_by("input", 2), sum_with("s", "input")}));
                 }),
                 "layer 1 is called 'input', which means the input of the network where a layer adds or reads it"));
}

TEST_CASE("names that cannot be added") {
  const auto refusal = [](std::vector<Bank> banks) {
    return error_of([&] { addends_of(network_of(std::move(banks))); });
  };
  CHECK(contains(refusal({scaled_by("a", 1), scaled_by("b", 1), sum_with("s", "c")}),
                 "layer 3 adds 'c', but no layer before it has that name (those before it are a, b)"));
  CHECK(contains(refusal({scaled_by("a", 1), sum_with("s", "b"), scaled_by("b", 1)}),
                 "layer 2 adds 'b', which comes later"));
  CHECK(contains(refusal({scaled_by("a", 1), sum_with("s", "s")}), "layer 2 adds 's', which is its own name"));
  CHECK(refusal({sum_with("s", "a")}).kind() == ErrorKind::kernel);
}

TEST_CASE("outputs of different shapes cannot be added, and the message has both") {
  const Network network = network_of({scaled_by("a", 1), named_bank("b", plane(1, 2, {1, 1})), sum_with("s", "a")});
  const Error error = error_of([&] { NetworkPlan(network, DType::f32, {1, 1, 1, 5}, false, {}); });
  CHECK(error.kind() == ErrorKind::shape);
  CHECK(contains(error, "layer 3 on 1x1x4: the output of 'a' cannot be added to the input (1x1x5 and 1x1x4)"));
}

TEST_CASE("sums in every layout, with an observer, and of random networks that are equal to the definition") {
  Random random(901);
  for (int round = 0; round < 60; ++round) {
    const std::int64_t channels = random.between(1, 20), layers = random.between(2, 7);
    const Shape shape{random.between(1, 2), channels, random.between(1, 5), random.between(1, 7)};
    std::vector<Bank> banks;
    for (std::int64_t i = 0; i < layers; ++i) {
      const std::string name = std::to_string(i);
      if (i > 0 && random.chance(2)) {
        banks.push_back(sum_with(name, std::to_string(random.between(0, i - 1))));
      } else {
        const KernelShape kernel{channels, channels, 1, 1};
        banks.push_back(
            named_bank(name, make_layer(4, kernel, floats(kernel.count(), [&] { return random.between(-1, 1); }))));
      }
    }
    const Network network = network_of(banks);
    const Tensor x = filled(DType::f32, shape, [&] { return random.between(-3, 3); });
    std::vector<std::vector<double>> expected;  // whole numbers below 20^6 * 3 * 2^6; products of 20 layers stay exact
    Tensor before;
    for (const Bank& bank : banks) {
      const std::string& addend = bank.layers.front().add;
      if (addend.empty()) {
        before = run_bank(bank, expected.empty() ? x.ref() : ConstTensorRef(before.ref()));
        expected.push_back(values_of(before.ref()));
        continue;
      }
      std::vector<double> total = expected.back();
      for (std::size_t k = 0; k < total.size(); ++k)
        total[k] += expected[static_cast<std::size_t>(std::stol(addend))][k];
      before = tensor_of(DType::f32, shape, total);
      expected.push_back(std::move(total));
    }
    for (const bool last : {false, true}) {
      const NetworkPlan plan(network, DType::f32, shape, false,
                             {.threads = static_cast<int>(random.between(1, 3)), .output_channels_last = last});
      Tensor output(DType::f32, shape);
      std::vector<std::vector<double>> seen;
      plan.run(x.ref(), output.ref(), OutputMap::clip,
               [&](std::size_t, const ConstTensorRef& responses) { seen.push_back(values_of(responses)); });
      CHECK(seen == expected);
      plan.run(x.ref(), output.ref(), OutputMap::clip);
      CHECK(values_of(output.ref()) == expected.back());
    }
  }
}

Bank reading_from(Bank bank, const std::string& source) {
  bank.layers.front().from = source;
  return bank;
}

TEST_CASE("a layer may read an earlier one than the one before it") {
  // A block whose shortcut has a kernel of its own.
  const Network block = network_of({scaled_by("stem", 2), scaled_by("a", 3), scaled_by("b", 5),
                                    reading_from(scaled_by("short", 7), "stem"), sum_with("s", "b")});
  CHECK(run_pair(block) == std::vector<double>{14 + 30, 440});
  CHECK(run_pair(chain({block, block})) == std::vector<double>{44 * 44, 19360});
  CHECK(run_pair(network_of({scaled_by("a", 2), reading_from(scaled_by("b", 3), "a"),
                             reading_from(sum_with("s", "b"), "a")})) == std::vector<double>{8, 80});
  // Of another shape than what is before it, and not folded with that.
  const Network wide =
      network_of({scaled_by("a", 2), named_bank("b", plane(1, 2, {1, 1})), reading_from(scaled_by("c", 3), "a"),
                  scaled_by("d", 5), scaled_by("e", 2), sum_with("s", "a")});
  CHECK(run_pair(wide) == std::vector<double>{62, 620});
  const auto folding = fold(wide, DType::u8, {1, 1, 300, 300}, false, {});
  REQUIRE(folding);
  CHECK(folding->counts == std::vector<std::size_t>{1, 1, 1, 2, 1});
  CHECK(run_pair(folding->network) == run_pair(wide));
  CHECK(contains(error_of([&] {
                   sources_of(network_of({scaled_by("a", 1), reading_from(scaled_by("b", 1), "c")}));
                 }),
                 "layer 2 reads 'c', but no layer before it has that name"));
}

TEST_CASE("a layer that is added later is not folded into another") {
  const Network network =
      network_of({scaled_by("a", 2), scaled_by("b", 3), scaled_by("c", 4), scaled_by("d", 5), sum_with("s", "b")});
  const auto folding = fold(network, DType::u8, {1, 1, 300, 300}, false, {});
  REQUIRE(folding);
  CHECK(folding->counts == std::vector<std::size_t>{1, 1, 2, 1});
  CHECK(run_pair(folding->network) == run_pair(network));
}

TEST_CASE("a sum sees what both of its parts see") {
  const Network network =
      network_of({named_bank("a", plane(1, 3, {1, 1, 1}, {.padding = pads(0, 1, 0, 1)})),
                  named_bank("b", plane(3, 1, {1, 1, 1}, {.padding = pads(2, 0, 0, 0)})), sum_with("s", "a")});
  std::vector<BankGeometry> banks;
  for (const Bank& bank : network.banks) banks.push_back(bank_geometry(bank, DType::f32, {1, 1, 9, 9}));
  const ReceptiveField field = receptive_field_of(network, banks);
  CHECK(field.h == ReceptiveAxis{.size = 3, .start = -2});
  CHECK(field.w == ReceptiveAxis{.size = 3, .start = -1});
}

}  // namespace
}  // namespace convtool
