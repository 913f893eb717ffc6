#include <doctest/doctest.h>

#include <algorithm>
#include <string>
#include <variant>
#include <vector>

#include "network/layers.h"
#include "show/explain/figure.h"
#include "show/explain/panels.h"
#include "show/explain/traces.h"

namespace convtool {
namespace {

std::vector<std::string> texts_of(const Drawing& drawing) {
  std::vector<std::string> texts;
  for (const auto& shape : drawing.shapes)
    if (const auto* const text = std::get_if<Drawing::Text>(&shape)) texts.push_back(text->text);
  return texts;
}

std::int64_t count(const Drawing& drawing, const std::string& text) {
  const std::vector<std::string> texts = texts_of(drawing);
  return std::count(texts.begin(), texts.end(), text);
}

std::vector<Drawing::Rectangle> rectangles_of(const Drawing& drawing, bool framed, bool dashed) {
  std::vector<Drawing::Rectangle> found;
  for (const auto& shape : drawing.shapes)
    if (const auto* const rectangle = std::get_if<Drawing::Rectangle>(&shape))
      if (rectangle->stroke && (rectangle->stroke->colour == kWindow) == framed && rectangle->stroke->dashed == dashed)
        found.push_back(*rectangle);
  return found;
}

Network example() { return network_of({bank_of({plane(2, 2, {0, 1, 2, 3})})}); }

}  // namespace

TEST_CASE("figures show the part of a transposed kernel that is used, both addends, and no padding that never counts") {
  Layer transposed = make_layer(4, {1, 1, 3, 3}, {1, 2, 3, 4, 5, 6, 7, 8, 9});
  transposed.enlarging = Enlarging::transposed;
  transposed.params.stride = {2, 2};
  transposed.params.padding = {Padding::Rule::fixed, {1, 1, 1, 1}};
  const TraceOf run(network_of({bank_of({transposed})}), digits());
  const Drawing drawing = step_figure(Explainer(run.trace).at({0, 1, 1}), {.cell = 40, .outputs = {}});
  CHECK(count(drawing, "0*9 + 1*7 + 3*3 + 4*1 = 20") == 1);
  CHECK(count(drawing, "9") == 1);                                 // the whole kernel
  CHECK(rectangles_of(drawing, true, false).size() == 1 + 4 + 1);  // the window, four weights and the output

  Layer pool = plane(3, 3, {});
  pool.pooling = Pooling::max;
  pool.params.padding = {Padding::Rule::fixed, {1, 1, 1, 1}};
  const TraceOf pooled(network_of({bank_of({pool})}), tensor_of({.c = 1, .h = 2, .w = 2}, {-1, -2, -3, -4}));
  CHECK(count(step_figure(Explainer(pooled.trace).at({0, 0, 0}), {.cell = 40, .outputs = {}}), "0") == 0);

  const auto named = [](const std::string& name, Layer layer) {
    Bank bank = bank_of({std::move(layer)});
    bank.name = name;
    return bank;
  };
  Layer sum = plane(1, 1, {1});
  sum.add = "a";
  const TraceOf residual(network_of({named("a", plane(1, 1, {2})), named("b", plane(1, 1, {3})), named("s", sum)}),
                         digits());
  const Drawing both = step_figure(Explainer(residual.trace).at({0, 0, 0}), {.cell = 40, .outputs = {}});
  CHECK(count(both, "1: conv 1x1") == 2);  // read by the second layer, and added
  CHECK(count(both, "2: conv 1x1") == 1);
  CHECK(count(both, "3: sum with a") == 1);
}

TEST_CASE("the figure of a step has the numbers, the window and the arithmetic") {
  const TraceOf run(example(), digits());
  const Drawing drawing = step_figure(Explainer(run.trace).at({0, 1, 0}), {.cell = 40, .outputs = {}});
  CHECK(drawing.title == "output (1, 0) = 37");
  for (const char* text :
       {"input", "kernel", "output", "19", "25", "37", "43", "3*0 + 4*1 + 6*2 + 7*3 = 37", "products sum to 37"}) {
    CAPTURE(text);
    CHECK(count(drawing, text) == 1);
  }
  CHECK(count(drawing, "3") == 2);  // in the input and in the kernel
  const std::vector<Drawing::Rectangle> frames = rectangles_of(drawing, true, false);
  REQUIRE(frames.size() == 2);  // the window and the output
  CHECK(frames[0].width == 80);
  CHECK(frames[0].height == 80);
  CHECK(frames[1].width == 40);
  const auto first_cell = rectangles_of(drawing, false, false).front();
  CHECK(frames[0].x == first_cell.x);
  CHECK(frames[0].y == first_cell.y + 40);
}

TEST_CASE("padding is dashed, and cells of dilated kernels are marked one by one") {
  ConvParams params;
  params.padding = {Padding::Rule::fixed, {1, 1, 1, 1}};
  params.dilation = {2, 2};
  const Trace trace = shape_trace(network_of({bank_of({plane(2, 2, {0, 1, 2, 3}, params)})}), {.c = 1, .h = 4, .w = 4});
  const Drawing drawing = step_figure(Explainer(trace).at({0, 0, 0}), {.cell = 40, .outputs = {}});
  CHECK(rectangles_of(drawing, false, true).size() == 6 * 6 - 4 * 4);
  CHECK(rectangles_of(drawing, true, false).size() == 4 + 2);
  CHECK(count(drawing, "h = floor((4 + 1 + 1 - 2*(2-1) - 1) / 1) + 1 = 4") == 1);
}

TEST_CASE("outputs appear one after another, in a figure of the same size") {
  const TraceOf run(example(), digits());
  const Explainer explainer(run.trace);
  const Drawing all = step_figure(explainer.at({0, 0, 0}), {.cell = 40, .outputs = {}});
  for (std::int64_t filled = 1; filled <= 4; ++filled) {
    const Pixel at{0, (filled - 1) / 2, (filled - 1) % 2};
    const Drawing drawing = step_figure(explainer.at(at), {.cell = 40, .outputs = filled});
    CHECK(drawing.width == all.width);
    CHECK(drawing.height == all.height);
    CHECK(count(drawing, "43") == (filled == 4 ? 1 : 0));
    CHECK(count(drawing, "19") == 1);
  }
}

TEST_CASE("equations of rounded numbers are not called equal") {
  const TraceOf run(network_of({bank_of({plane(1, 2, {0.333333343F, 1})})}),
                    tensor_of({.c = 1, .h = 1, .w = 3}, {1, 2, 3}));
  const Drawing drawing = step_figure(Explainer(run.trace).at({0, 0, 0}), {.cell = 40, .outputs = {}});
  CHECK(count(drawing, "1*0.333 + 2*1 ≈ 2.33333") == 1);
  CHECK(count(drawing, "products sum to ≈ 2.33333") == 1);
}

TEST_CASE("long names of kernels do not widen the figure") {
  const auto width = [](const std::string& name) {
    Layer layer = plane(2, 2, {0, 1, 2, 3});
    layer.name = name;
    const TraceOf run(network_of({bank_of({layer, layer}, Combine::sum)}), digits());
    return step_figure(Explainer(run.trace).at({0, 0, 0}), {.cell = 40, .outputs = {}}).width;
  };
  CHECK(width(std::string(300, 'n')) == width(std::string(25, 'n')));
}

TEST_CASE("numbers are left out where cells are too small") {
  const TraceOf run(example(), digits());
  const Drawing drawing = step_figure(Explainer(run.trace).at({0, 0, 0}), {.cell = 10, .outputs = {}});
  CHECK(count(drawing, "25") == 0);
}

TEST_CASE("the figure of a network has a grid for the input and for the output of each layer") {
  Layer pool = plane(2, 2, {});
  pool.pooling = Pooling::max;
  pool.params.stride = {2, 2};
  const TraceOf run(network_of({bank_of({plane(2, 2, {0, 1, 2, 3})}), bank_of({pool})}), digits());
  const Drawing drawing = step_figure(Explainer(run.trace).at({0, 0, 0}), {.cell = 40, .outputs = {}});
  CHECK(count(drawing, "input") == 1);
  CHECK(count(drawing, "1: conv 2x2") == 1);
  CHECK(count(drawing, "2: max pool 2x2, stride 2x2") == 1);
  CHECK(count(drawing, "43") == 2);  // the largest of the window, and the output
  const std::vector<Drawing::Rectangle> seen = rectangles_of(drawing, true, true);
  REQUIRE(seen.size() == 1);  // the receptive field, which is larger than the window of the first layer
  CHECK(seen[0].width == 120);
}

TEST_CASE("the figure of a deep network has rows, one below the other, that fit a screen") {
  Network network;
  for (int layer = 0; layer < 12; ++layer) network.banks.push_back(bank_of({plane(1, 1, {1})}));
  const TraceOf run(network, filled(DType::f32, {.c = 1, .h = 30, .w = 40}, [] { return 1; }));
  const Drawing drawing = step_figure(Explainer(run.trace).at({0, 3, 5}), {.cell = 40, .outputs = {}});
  CHECK(drawing.width <= 1920);
  // Captions follow one another from left to right, and then in the next row.
  std::vector<Drawing::Text> captions;
  for (const auto& shape : drawing.shapes)
    if (const auto* const text = std::get_if<Drawing::Text>(&shape))
      if (text->text == "input" || text->text.ends_with(": conv 1x1")) captions.push_back(*text);
  REQUIRE(captions.size() == 13);
  for (std::size_t i = 0; i + 1 < captions.size(); ++i) {
    CAPTURE(i);
    CHECK(captions[i + 1].text == std::to_string(i + 1) + ": conv 1x1");
    const bool in_same_row = captions[i + 1].y == captions[i].y && captions[i + 1].x > captions[i].x;
    CHECK((in_same_row || captions[i + 1].y > captions[i].y));
  }
  // 340 pixels for a panel of 300 and its arrow: five in the first row, which has no arrow before it.
  CHECK(captions[4].y == captions[0].y);
  CHECK(captions[5].y > captions[0].y);
  const auto is_line = [](const auto& shape) { return std::holds_alternative<Drawing::Line>(shape); };
  CHECK(std::count_if(drawing.shapes.begin(), drawing.shapes.end(), is_line) == 3 * 12);  // of arrows
}

TEST_CASE("of an input that is larger than a grid the picture and the window are drawn") {
  Random random(5);
  const TraceOf run(example(), filled(DType::f32, {.c = 1, .h = 30, .w = 60}, [&] { return random.between(0, 9); }));
  const Drawing drawing = step_figure(Explainer(run.trace).at({0, 7, 50}), {.cell = 40, .outputs = {}});
  std::vector<Drawing::Raster> pictures;
  for (const auto& shape : drawing.shapes)
    if (const auto* const raster = std::get_if<Drawing::Raster>(&shape)) pictures.push_back(*raster);
  REQUIRE(pictures.size() == 2);
  CHECK(pictures[0].width == 2 * pictures[0].height);
  CHECK(count(drawing, "window") == 1);
  const double scale = pictures[0].width / 60;
  const Drawing::Rectangle frame = rectangles_of(drawing, true, false).front();
  CHECK(frame.x == doctest::Approx(pictures[0].x + 50 * scale));
  CHECK(frame.width == doctest::Approx(2 * scale));
}

TEST_CASE("inputs of 20 rows and their padding are grids; beside the picture of a larger input, small outputs are") {
  const auto pictures_of = [](std::int64_t side, std::int64_t pad, std::int64_t stride) {
    ConvParams params;
    params.padding = {Padding::Rule::fixed, {pad, pad, pad, pad}};
    params.stride = {stride, stride};
    const Network network = network_of({bank_of({plane(5, 5, std::vector<float>(25, 1), params)})});
    const TraceOf run(network, filled(DType::f32, {.c = 1, .h = side, .w = side}, [] { return 1; }));
    const Drawing drawing = step_figure(Explainer(run.trace).at({0, 0, 0}), {.cell = 40, .outputs = {}});
    return std::count_if(drawing.shapes.begin(), drawing.shapes.end(),
                         [](const auto& shape) { return std::holds_alternative<Drawing::Raster>(shape); });
  };
  CHECK(pictures_of(20, 2, 1) == 0);
  CHECK(pictures_of(28, 0, 1) == 2);  // an output of 24 x 24
  CHECK(pictures_of(28, 0, 2) == 1);  // of 12 x 12
}

TEST_CASE("a window that reaches into the padding of a picture is framed within it") {
  ConvParams params;
  params.padding = {Padding::Rule::fixed, {20, 20, 20, 20}};
  const Network network = network_of({bank_of({plane(9, 9, std::vector<float>(81, 1), params)})});
  const TraceOf run(network, filled(DType::f32, {.c = 1, .h = 30, .w = 60}, [] { return 1; }));
  const Shape output = run.trace.output();
  for (const Pixel& at : {Pixel{0, 0, 0}, Pixel{0, 14, 40}, Pixel{0, output.h - 1, output.w - 1}}) {
    const Drawing drawing = step_figure(Explainer(run.trace).at(at), {.cell = 40, .outputs = {}});
    const Drawing::Raster* picture = nullptr;
    for (const auto& shape : drawing.shapes)
      if (picture == nullptr) picture = std::get_if<Drawing::Raster>(&shape);
    REQUIRE(picture != nullptr);
    const Drawing::Rectangle frame = rectangles_of(drawing, true, false).front();
    CHECK(frame.x >= picture->x);
    CHECK(frame.y >= picture->y);
    CHECK(frame.x + frame.width <= picture->x + picture->width);
    CHECK(frame.y + frame.height <= picture->y + picture->height);
    CHECK(frame.height >= 6);
    if (at.y == 14) CHECK(frame.height == doctest::Approx(3 * picture->width / 60));  // rows -6 to 2, from 0 on
  }
}

}  // namespace convtool
