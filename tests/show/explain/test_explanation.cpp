// The model of an explanation against numbers computed by hand.
#include <doctest/doctest.h>

#include <cmath>
#include <limits>
#include <string>
#include <vector>

#include "network/layers.h"
#include "network/receptive_field.h"
#include "show/explain/explanation.h"
#include "show/explain/explanation_text.h"
#include "show/explain/steps.h"
#include "show/explain/traces.h"
#include "support/error_text.h"

namespace convtool {
namespace {

std::vector<double> inputs_of(const KernelSum& sum) {
  std::vector<double> values;
  for (const Term& term : sum.terms) values.push_back(term.input.value_or(std::nan("")));
  return values;
}

/// The row of pixels 10 20 30 40, seen by a kernel of seven ones in the middle of three pixels of padding on each side.
std::vector<double> padded_row(PaddingMode mode, std::int64_t size = 4) {
  ConvParams params;
  params.padding = {Padding::Rule::fixed, {0, 3, 0, 3}};
  params.padding_mode = mode;
  params.padding_value = mode == PaddingMode::constant ? 9.5F : 0;
  const std::vector<float> row = {10, 20, 30, 40};
  const TraceOf run(network_of({bank_of({plane(1, size + 6, std::vector<float>(10, 1), params)})}),
                    tensor_of({.c = 1, .h = 1, .w = size}, row));
  return inputs_of(Explainer(run.trace).at({0, 0, 0}).last().sums.front());
}

}  // namespace

TEST_CASE("what stands in for pixels outside follows the padding mode") {
  // As kPaddingModeTable shows it for a row abcd.
  CHECK(padded_row(PaddingMode::zeros) == std::vector<double>{0, 0, 0, 10, 20, 30, 40, 0, 0, 0});
  CHECK(padded_row(PaddingMode::constant) == std::vector<double>{9.5, 9.5, 9.5, 10, 20, 30, 40, 9.5, 9.5, 9.5});
  CHECK(padded_row(PaddingMode::reflect) == std::vector<double>{40, 30, 20, 10, 20, 30, 40, 30, 20, 10});
  CHECK(padded_row(PaddingMode::symmetric) == std::vector<double>{30, 20, 10, 10, 20, 30, 40, 40, 30, 20});
  CHECK(padded_row(PaddingMode::replicate) == std::vector<double>{10, 10, 10, 10, 20, 30, 40, 40, 40, 40});
  CHECK(padded_row(PaddingMode::circular) == std::vector<double>{20, 30, 40, 10, 20, 30, 40, 10, 20, 30});
}

TEST_CASE("terms name their place, and the pixel that they read") {
  ConvParams params;
  params.padding = {Padding::Rule::fixed, {1, 1, 1, 1}};
  params.padding_mode = PaddingMode::replicate;
  params.stride = {2, 1};
  params.dilation = {1, 2};
  const TraceOf run(network_of({bank_of({plane(2, 2, {1, 10, 100, 1000}, params)})}), digits());
  const Explanation explanation = Explainer(run.trace).at({0, 1, 2});
  const KernelSum& sum = explanation.last().sums.front();
  REQUIRE(sum.terms.size() == 4);  // rows 1 and 2, columns 1 and 3
  CHECK(sum.terms[0].at == Pixel{0, 1, 1});
  CHECK(sum.terms[0].inside);
  CHECK(sum.terms[3].at == Pixel{0, 2, 3});
  CHECK(!sum.terms[3].inside);
  CHECK(sum.terms[3].source == Pixel{0, 2, 2});
  CHECK(sum.sum == 4 * 1 + 5 * 10 + 7 * 100 + 8 * 1000);
  CHECK(explanation.last().window == Region{1, 2, 1, 3});
  CHECK(explanation.stored->value == 8754);
}

TEST_CASE("groups read their own channels, and a rank-2 kernel reads the channel of its output") {
  Layer grouped = make_layer(4, {2, 1, 1, 1}, {3, 5});
  grouped.params.groups = 2;
  const TraceOf run(network_of({bank_of({grouped})}), tensor_of({.c = 2, .h = 1, .w = 1}, {7, 11}));
  const Explanation second = Explainer(run.trace).at({1, 0, 0});
  CHECK(second.last().sums.front().terms.front().at.channel == 1);
  CHECK(second.stored->value == 5 * 11);
  const TraceOf depthwise(network_of({bank_of({plane(1, 1, {2})})}), tensor_of({.c = 2, .h = 1, .w = 1}, {7, 11}));
  CHECK(Explainer(depthwise.trace).at({1, 0, 0}).stored->value == 22);
}

TEST_CASE("divisor, bias and activation follow the sum") {
  Layer layer = make_layer(2, {1, 1, 1, 2}, {1, 2}, {}, {-4});
  layer.divisor = {2};
  layer.activation = Activation::relu;
  const TraceOf run(network_of({bank_of({layer})}), digits());
  const Explanation explanation = Explainer(run.trace).at({0, 0, 0});
  const KernelSum& sum = explanation.last().sums.front();
  CHECK(sum.sum == 2);
  CHECK(sum.response == 0);  // 2 / 2 - 4 is below 0
  std::string text;
  for (const ArithmeticStep& step : steps_of_sum(sum)) text += step.label + " = " + step.value + "; ";
  CHECK(text == "sum = 2; / 2 = 1; - 4 (bias) = -3; relu = 0; ");
}

TEST_CASE("the kernels of a bank are combined") {
  const auto response = [](Combine combine) {
    const TraceOf run(network_of({bank_of({plane(1, 1, {3}), plane(1, 1, {-4})}, combine)}),
                      tensor_of({.c = 1, .h = 1, .w = 1}, {1}));
    const Explanation explanation = Explainer(run.trace).at({0, 0, 0});
    CHECK(explanation.last().sums.size() == 2);
    CHECK(explanation.stored->value == explanation.last().response);
    return *explanation.last().response;
  };
  CHECK(response(Combine::magnitude) == 5);
  CHECK(response(Combine::l1) == 7);
  CHECK(response(Combine::max) == 3);
  CHECK(response(Combine::min) == -4);
  CHECK(response(Combine::sum) == -1);
  CHECK(response(Combine::mean) == -0.5);
}

TEST_CASE("the combination of many kernels, or of long numbers, is not written out") {
  const auto text = [](std::size_t kernels, float weight) {
    const TraceOf run(network_of({bank_of(std::vector<Layer>(kernels, plane(1, 1, {weight})), Combine::magnitude)}),
                      tensor_of({.c = 1, .h = 1, .w = 1}, {1}));
    return steps_after_sums(run.trace, Explainer(run.trace).at({0, 0, 0}).last()).front().label;
  };
  CHECK(text(2, 3) == "magnitude: sqrt(3^2 + 3^2)");
  CHECK(text(4, 3) == "magnitude: sqrt(3^2 + 3^2 + 3^2 + 3^2)");
  CHECK(text(4, -1.2345e-5F) == "magnitude of 4");
  CHECK(text(9, 3) == "magnitude of 9");
}

TEST_CASE("a chain of layers follows the largest contribution, and ends where only padding is read") {
  ConvParams padded;
  padded.padding = {Padding::Rule::fixed, {2, 2, 2, 2}};
  const Network network = network_of({bank_of({plane(1, 1, {1})}), bank_of({plane(1, 1, {1}, padded)})});
  const TraceOf run(network, digits());
  const Explainer explainer(run.trace);
  CHECK(explainer.at({0, 0, 0}).layers.size() == 1);
  CHECK(to_text(explainer.at({0, 0, 0}), false).find("The layers before read padding only.") != std::string::npos);
  const Explanation whole = explainer.at({0, 4, 3});
  REQUIRE(whole.layers.size() == 2);
  CHECK(whole.layers[1].at == Pixel{0, 2, 1});
  CHECK(explainer.receptive_field({0, 4, 3}) == Region{2, 2, 1, 1});

  const TraceOf wide(network_of({bank_of({plane(3, 3, std::vector<float>(9, 1))}), bank_of({plane(1, 2, {1, -50})})}),
                     tensor_of({.c = 1, .h = 3, .w = 4}, {9, 9, 9, 1, 9, 9, 9, 1, 9, 9, 9, 1}));
  CHECK(Explainer(wide.trace).at({0, 0, 0}).layers[1].at == Pixel{0, 0, 1});  // 57 * -50 against 81 * 1
}

TEST_CASE("a max pool has no products, and its padding never counts") {
  Layer pool = plane(2, 2, {});
  pool.pooling = Pooling::max;
  pool.params.padding = {Padding::Rule::fixed, {1, 1, 0, 0}};
  const TraceOf run(network_of({bank_of({pool})}), tensor_of({.c = 1, .h = 2, .w = 2}, {-5, -6, -7, -8}));
  const Explanation explanation = Explainer(run.trace).at({0, 0, 0});
  CHECK(explanation.last().response == -5);
  CHECK(explanation.stored->value == -5);
  const std::vector<Term>& terms = explanation.last().sums.front().terms;
  CHECK(!terms[0].input);
  CHECK(!terms[3].product);
  CHECK(terms[3].source == Pixel{0, 0, 0});
}

TEST_CASE("a transposed convolution names the inputs that reach an output, and the part of the kernel between them") {
  Layer layer = make_layer(4, {1, 1, 3, 3}, {1, 2, 3, 4, 5, 6, 7, 8, 9});
  layer.enlarging = Enlarging::transposed;
  layer.params.stride = {2, 2};
  layer.params.padding = {Padding::Rule::fixed, {1, 1, 1, 1}};
  const TraceOf run(network_of({bank_of({layer})}), digits());
  const Explanation explanation = Explainer(run.trace).at({0, 1, 1});
  const KernelSum& sum = explanation.last().sums.front();
  // Row 1 of the output is 0*2 + 2 - 1 and 1*2 + 0 - 1; columns likewise.
  CHECK(sum.kernel_rows == std::vector<std::int64_t>{2, 0});
  CHECK(inputs_of(sum) == std::vector<double>{0, 1, 3, 4});
  CHECK(sum.sum == 0 * 9 + 1 * 7 + 3 * 3 + 4 * 1);
  CHECK(explanation.stored->value == 20);
  CHECK(explanation.last().window == Region{0, 1, 0, 1});
  const TraceOf flipped(network_of({bank_of({layer})}), digits(), true);
  CHECK(Explainer(flipped.trace).at({0, 1, 1}).stored->value == 0 * 1 + 1 * 3 + 3 * 7 + 4 * 9);

  layer.params.stride = {4, 4};  // larger than the kernel
  const TraceOf sparse(network_of({bank_of({layer})}), digits());
  const Explanation unreached = Explainer(sparse.trace).at({0, 2, 2});
  CHECK(!unreached.last().window);
  CHECK(unreached.stored->value == 0);
  CHECK(to_text(unreached, false).find("no input reaches this output") != std::string::npos);
}

TEST_CASE("upsampling names its sources, with weights in lowest terms") {
  const auto explained = [](Enlarging kind, std::int64_t scale, std::int64_t x) {
    Layer layer = plane(1, 1, {});
    layer.enlarging = kind;
    layer.params.stride = {1, scale};
    const TraceOf run(network_of({bank_of({layer})}), tensor_of({.c = 1, .h = 1, .w = 2}, {3, 15}));
    const Explanation explanation = Explainer(run.trace).at({0, 0, x});
    const KernelSum& sum = explanation.last().sums.front();
    std::vector<double> numbers = {sum.divisor, explanation.stored->value};
    for (const Term& term : sum.terms) numbers.push_back(*term.weight);
    return numbers;
  };
  using List = std::vector<double>;
  CHECK(explained(Enlarging::nearest, 3, 5) == List{1, 15, 1});
  CHECK(explained(Enlarging::bilinear, 2, 1) == List{4, 6, 3, 1});  // a quarter of the way from 3 to 15
  CHECK(explained(Enlarging::bilinear, 2, 0) == List{4, 3, 1, 3});  // the first is repeated
  CHECK(explained(Enlarging::bilinear, 3, 2) == List{3, 7, 2, 1});
  CHECK(explained(Enlarging::bilinear, 3, 4) == List{1, 15, 1});
}

TEST_CASE("a mean pool divides by the values that count") {
  Layer pool = plane(2, 2, {});
  pool.pooling = Pooling::mean;
  pool.params.padding = {Padding::Rule::fixed, {1, 1, 0, 0}};
  pool.pool.counts_padding = false;
  const auto input = [] { return tensor_of({.c = 1, .h = 2, .w = 2}, {5, 6, 7, 9}); };
  const TraceOf run(network_of({bank_of({pool})}), input());
  const Explanation corner = Explainer(run.trace).at({0, 0, 0}), edge = Explainer(run.trace).at({0, 0, 1});
  CHECK(corner.last().sums.front().divisor == 1);
  CHECK(corner.stored->value == 5);
  CHECK(!corner.last().sums.front().terms.front().input);
  CHECK(edge.last().sums.front().divisor == 2);
  CHECK(edge.stored->value == 5.5);
  pool.pool = {.ceil_mode = true, .counts_padding = true};
  pool.params.stride = {2, 2};
  const TraceOf counted(network_of({bank_of({pool})}), input());
  const Explanation last = Explainer(counted.trace).at({0, 1, 1});  // the last row and column are beyond the padding
  CHECK(last.last().sums.front().divisor == 1);
  CHECK(last.stored->value == 9);
  CHECK(Explainer(counted.trace).at({0, 0, 1}).last().sums.front().divisor == 2);
}

TEST_CASE("a sum has two addends, and the larger one is followed back") {
  const auto named = [](const std::string& name, Layer layer) {
    Bank bank = bank_of({std::move(layer)});
    bank.name = bank.layers.front().name = name;
    return bank;
  };
  Layer sum = plane(1, 1, {1});
  sum.add = "wide";
  sum.activation = Activation::relu;
  Layer thin = plane(1, 1, {-1});
  thin.from = "first";
  ConvParams padded;
  padded.padding = {Padding::Rule::fixed, {0, 1, 0, 1}};
  const Network network = network_of({named("first", plane(1, 1, {2})), named("wide", plane(1, 3, {1, 2, 1}, padded)),
                                      named("thin", thin), named("sum", sum)});
  const TraceOf run(network, digits());
  const Explanation explanation = Explainer(run.trace).at({0, 1, 0});
  REQUIRE(explanation.layers.size() == 3);  // sum, wide, first
  const KernelSum& added = explanation.last().sums.front();
  CHECK(inputs_of(added) == std::vector<double>{-6, 20});
  CHECK(explanation.stored->value == 14);
  CHECK(explanation.layers[1].name == "wide");
  CHECK(explanation.layers[1].source == 0);
  CHECK(explanation.reaches_input());
  // Both addends are behind the field: 'thin' sees one column, 'wide' three.
  CHECK(explanation.layers[2].seen == Region{1, 1, -1, 1});
  const std::string text = to_text(explanation, false);
  CHECK(text.find("  layer 3, thin    = -6\n  + layer 2, wide  = 20\n") != std::string::npos);
  CHECK(text.find("followed back: layer 2, wide, the larger one\n") != std::string::npos);
  CHECK(text.find("receptive field: row 1, columns -1 to 1 of the input") != std::string::npos);
}

TEST_CASE("a shape has places and no numbers") {
  const Trace trace = shape_trace(network_of({bank_of({plane(2, 2, {0, 1, 2, 3})})}), {.c = 1, .h = 3, .w = 3});
  const Explanation explanation = Explainer(trace).at({0, 1, 1});
  CHECK(!explanation.stored);
  CHECK(!explanation.last().response);
  const Term& term = explanation.last().sums.front().terms[3];
  CHECK(term.at == Pixel{0, 2, 2});
  CHECK(term.weight == 3);
  CHECK(!term.input);
  CHECK(!term.product);
}

TEST_CASE("numbers that are not finite are null in JSON, and shown in text") {
  const float infinity = std::numeric_limits<float>::infinity();
  const TraceOf run(network_of({bank_of({plane(1, 2, {1, 0})})}), tensor_of({.c = 1, .h = 1, .w = 2}, {1, infinity}));
  const Explanation explanation = Explainer(run.trace).at({0, 0, 0});
  CHECK(std::isnan(explanation.stored->value));  // 0 * infinity
  CHECK(to_json(explanation).find("\"stored\":null") != std::string::npos);
  CHECK(to_text(explanation, false).starts_with("output (0, 0) = nan\n"));
}

TEST_CASE("a chain of layers follows a NaN, which decides what comes out") {
  Layer pool = plane(1, 3, {});
  pool.pooling = Pooling::max;
  const std::vector<float> row = {9, std::numeric_limits<float>::quiet_NaN(), 1000};
  for (const Layer& last : {plane(1, 3, {1, 0.001F, 1}), pool}) {
    const TraceOf run(network_of({bank_of({plane(1, 1, {1})}), bank_of({last})}),
                      tensor_of({.c = 1, .h = 1, .w = 3}, row));
    const Explanation explanation = Explainer(run.trace).at({0, 0, 0});
    CHECK(std::isnan(explanation.stored->value));
    REQUIRE(explanation.layers.size() == 2);
    CHECK(explanation.layers[1].at == Pixel{0, 0, 1});
    CHECK(std::isnan(*explanation.layers[1].response));
  }
}

TEST_CASE("more terms than an explanation holds are refused") {
  const auto refusal = [](const Network& network) {
    return testing::error_text(ErrorKind::shape, [&] {
      const Trace trace = shape_trace(network, {.c = 1, .h = 4000, .w = 4000});
      static_cast<void>(Explainer(trace).at({0, 0, 0}));
    });
  };
  const Layer half = plane(1024, 600, std::vector<float>(1024 * 600, 1));
  CHECK(refusal(network_of({bank_of({half, half}, Combine::sum)})) ==
        "an output comes about from 1228800 products or more, too many to explain (at most 1048576); explain a "
        "smaller kernel");
  CHECK(refusal(network_of({bank_of({half}), bank_of({half})})).find("1228800") != std::string::npos);
  const Trace stacked = shape_trace(network_of({bank_of({half, half})}), {.c = 1, .h = 4000, .w = 4000});
  CHECK(Explainer(stacked).at({1, 0, 0}).last().sums.front().terms.size() == 1024 * 600);
}

TEST_CASE("rounded numbers are marked, and the last line says so") {
  const TraceOf run(network_of({bank_of({plane(1, 2, {1, 0.333333343F})})}),
                    tensor_of({.c = 1, .h = 1, .w = 3}, {1, 1, 3}));
  const std::string rounded = to_text(Explainer(run.trace).at({0, 0, 0}), false);
  CHECK(rounded.find("sum ~ 1.33333\n") != std::string::npos);
  CHECK(rounded.ends_with("\nLong numbers are rounded; --json has all digits.\n"));
  const TraceOf exact(network_of({bank_of({plane(1, 2, {1, 0.1F})})}), tensor_of({.c = 1, .h = 1, .w = 2}, {0.25F, 1}));
  const std::string whole = to_text(Explainer(exact.trace).at({0, 0, 0}), false);
  CHECK(whole.find("sum 0.35\n") != std::string::npos);  // 0.1F has the digits of 0.1
  CHECK(whole.find("rounded") == std::string::npos);
  CHECK(is_rounded(1.0 / 3));
  CHECK_FALSE(is_rounded(123456789));
  CHECK(is_rounded(0.1234, 3));
  CHECK_FALSE(is_rounded(std::nan("")));
}

TEST_CASE("the sum beside a kernel that is cut says that it is of all products") {
  const TraceOf run(network_of({bank_of({plane(1, 13, std::vector<float>(13, 1))})}),
                    tensor_of({.c = 1, .h = 1, .w = 13}, std::vector<float>(13, 2)));
  CHECK(to_text(Explainer(run.trace).at({0, 0, 0}), false).find("sum of all 1x13 products 26\n") != std::string::npos);
}

TEST_CASE("long names of layers and kernels do not widen the text") {
  Layer first = plane(1, 1, {1}), second = first;
  first.name = std::string(300, 'a');
  Bank bank = bank_of({first, second}, Combine::sum);
  bank.name = std::string(300, 'b');
  const TraceOf run(network_of({bank, bank_of({second})}), digits());
  const std::string text = to_text(Explainer(run.trace).at({0, 0, 0}), false);
  CHECK(text.find("aaa...\n") != std::string::npos);
  CHECK(text.find("layer 1, bbb") != std::string::npos);
  std::size_t widest = 0, begin = 0;
  for (std::size_t end; (end = text.find('\n', begin)) != std::string::npos; begin = end + 1)
    widest = std::max(widest, end - begin);
  CHECK(widest <= 80);
}

TEST_CASE("a place outside the output is refused with the ranges") {
  const TraceOf run(network_of({bank_of({plane(2, 2, {0, 1, 2, 3})})}), digits());
  const Explainer explainer(run.trace);
  CHECK(testing::error_text(ErrorKind::usage, [&] {
          explainer.at({0, 0, 2});
        }) == "--at: 0,2 is outside the output (expected Y 0 to 1 and X 0 to 1, for an output of 1x2x2)");
  CHECK(testing::error_text(ErrorKind::usage, [&] {
          explainer.at({1, 0, 0});
        }) == "--channel: 1 is not a channel of the output (expected 0, for an output of 1x2x2)");
}

TEST_CASE("colours mark signs") {
  const TraceOf run(network_of({bank_of({plane(1, 2, {1, -1})})}), digits());
  const Explanation explanation = Explainer(run.trace).at({0, 1, 0});
  const std::string text = to_text(explanation, true);
  CHECK(text.find("\x1b[38;5;208m1\x1b[0m") != std::string::npos);
  CHECK(text.find("\x1b[38;5;33m-1\x1b[0m") != std::string::npos);
  CHECK(to_text(explanation, false).find('\x1b') == std::string::npos);
}

}  // namespace convtool
