// The data of report pages.
#include <doctest/doctest.h>

#include <nlohmann/json.hpp>

#include "show/report_page.h"
#include "support/page_data.h"

using namespace convtool;
using nlohmann::json;

namespace {

SurveyResult small_survey() {
  Tensor picture(DType::u8, {.c = 1, .h = 1, .w = 2});
  picture.data<std::uint8_t>()[0] = 0;
  picture.data<std::uint8_t>()[1] = 255;
  return survey(picture.ref(), PixelFormat::grey, {});
}

const PageHead kHead = {.command = "convtool apply", .options = {{"--kernel", {"</script>\xff"}}}};

}  // namespace

TEST_CASE("a batch page has the reports, links and surveys of its inputs in order") {
  std::vector<std::string> inputs;
  for (const char* name : {"b", "a"})
    inputs.push_back(to_json(PageInput{.report = json{{"input", name}}.dump(),
                                       .input_link = std::string("./") + name,
                                       .output_link = "",
                                       .before = small_survey(),
                                       .responses = std::nullopt,
                                       .after = std::nullopt,
                                       .kept = std::array{-0.5, 255.5}}));
  const json data = page_data(batch_page(kHead, inputs, 3));
  CHECK(data.at("kind") == "batch");
  CHECK(data.at("not_started") == 3);
  CHECK(data.at("linked") == false);
  REQUIRE(data.at("inputs").size() == 2);
  const json& first = data["inputs"][0];
  CHECK(first.at("report").at("input") == "b");
  CHECK(data["inputs"][1].at("report").at("input") == "a");
  CHECK(first.at("input_link") == "./b");
  CHECK_FALSE(first.contains("output_link"));
  CHECK(first.at("kept") == json{-0.5, 255.5});
  CHECK(first.at("before").at("shape") == json{1, 1, 1, 2});
  CHECK(first.at("before").at("histogram").at("at_high") == 1);
  CHECK(first.at("before").at("picture").get<std::string>().starts_with("data:image/png;base64,"));
}

TEST_CASE("text of users does not end the script that holds it, and need not be UTF-8") {
  const json data = page_data(batch_page(kHead, {}, 0));
  CHECK(data.at("head").at("options").at("--kernel")[0] == "</script>\xef\xbf\xbd");
}

TEST_CASE("pictures of more than 200 inputs are linked, those that were not started included") {
  const std::string input = to_json(PageInput{.report = "{}"});
  CHECK(page_data(batch_page(kHead, std::vector<std::string>(200, input), 0)).at("linked") == false);
  CHECK(page_data(batch_page(kHead, std::vector<std::string>(200, input), 1)).at("linked") == true);
  CHECK(page_data(batch_page(kHead, {input}, 0, true)).at("linked") == true);
}

TEST_CASE("kernels are drawn, layer by layer, pools left out, and of many the first 12") {
  const Layer layer{
      .name = "a<b", .description = "", .shape = {.kh = 1, .kw = 2}, .weights = {1, 2}, .bias = {}, .divisor = {3}};
  const Layer pool{.name = "pool",
                   .description = "",
                   .shape = {.kh = 2, .kw = 2},
                   .weights = {},
                   .bias = {},
                   .divisor = {},
                   .pooling = Pooling::max};
  Network network{.name = "net",
                  .description = "",
                  .banks = {{.name = "", .description = "", .layers = {layer, layer}},
                            {.name = "", .description = "", .layers = {pool}}}};
  const std::vector<PageFigure> two = kernel_figures(network);
  REQUIRE(two.size() == 2);
  CHECK(two[0].caption == "a<b 1x2, divided by 3");
  CHECK(two[0].svg.find(">2</text>") != std::string::npos);
  network.banks.front().layers.assign(20, layer);
  CHECK(kernel_figures(network).size() == 12);
  CHECK(kernel_figures(network).back().caption.ends_with("; 8 more kernels are not shown"));
}

TEST_CASE("the pages of learn and shape have their report") {
  const PageCurve curve{.epochs = {1, 2}, .losses = {4, std::numeric_limits<double>::infinity()}, .held_out = {}};
  const PagePair pair{.input = "x",
                      .target = "y",
                      .before = small_survey(),
                      .target_picture = small_survey(),
                      .learned = small_survey(),
                      .residual = small_survey()};
  const json learn = page_data(learn_page(kHead, R"({"loss":1})", curve, {pair}, 4));
  CHECK(learn.at("report").at("loss") == 1);
  CHECK(learn.at("curve").at("losses") == json{4.0, nullptr});  // JSON has no infinities
  CHECK(learn.at("pairs")[0].at("target_name") == "y");
  CHECK(learn.at("pairs_in_all") == 4);
  CHECK(page_data(shape_page(kHead, R"({"macs":7})")).at("report").at("macs") == 7);
}
