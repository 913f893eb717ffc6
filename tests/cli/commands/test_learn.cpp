// Runs convtool learn: the course's example to the digit, filters of other programs, and refusals.
#include <doctest/doctest.h>

#include <algorithm>
#include <cmath>
#include <filesystem>
#include <nlohmann/json.hpp>
#include <sstream>

#include "cli/json_list.h"
#include "support/page_data.h"
#include "support/program.h"

namespace {

using nlohmann::json;

/// A folder with the course's example: the object, x.json, and its edges, y.json.
struct Course : TempFolder {
  Course() {
    write("x.json", repeated("[1,1,0,0,0,0,1,1]", 6));
    write("y.json", repeated("[0,1,0,0,0,-1,0]", 6));
  }
  ProgramResult learn(std::vector<std::string> options) const {
    options.insert(options.begin(), {"learn", "--input", "x.json", "--target", "y.json"});
    return run_convtool(options, *this);
  }
};

/// The last line of JSON that a run printed.
json last_json(const ProgramResult& result) {
  REQUIRE(result.code == 0);
  const std::size_t end = result.out.find_last_not_of('\n');
  const std::size_t begin = result.out.rfind('\n', end);
  return json::parse(result.out.substr(begin == std::string::npos ? 0 : begin + 1));
}

std::string data(const std::string& name) { return std::string(TEST_DATA_DIR) + "/" + name; }

/// Learns the kernel that turns the photograph in pictures/ into `target`. Returns the report.
json learn_picture(const std::string& target, std::vector<std::string> options) {
  const TempFolder folder;
  options.insert(options.begin(), {"learn", "--input", data("pictures/input.png"), "--target", target, "--json"});
  return last_json(run_convtool(options, folder));
}

void check_refused(const ProgramResult& result, int code, const std::string& message) {
  CAPTURE(result.err);
  CHECK(result.code == code);
  CHECK(result.err.find(message) != std::string::npos);
  CHECK(std::count(result.err.begin(), result.err.end(), '\n') == 1);
}

}  // namespace

TEST_CASE("5: learning the kernel of an edge") {
  const Course course;
  const ProgramResult result = course.learn(
      {"--kernel-size", "1x2", "--lr", "0.03", "--epochs", "10", "--init", "[[0.0196,-0.3717]]", "-o", "k.json"});
  CHECK(result.err == "");
  CHECK(
      result.out.starts_with("epoch 2, loss 4.370\nepoch 4, loss 1.021\nepoch 6, loss 0.289\nepoch 8, loss 0.097\n"
                             "epoch 10, loss 0.036\nweights [[0.9718,-1.0096]]\n"));
  const ProgramResult applied = run_convtool({"apply", "x.json", "-k", "k.json", "-o", "-", "-q"}, course);
  const json edges = json::parse(applied.out);
  CHECK(std::fabs(edges[0][1].get<double>() - 1) < 0.05);
  CHECK(std::fabs(edges[0][5].get<double>() + 1) < 0.05);
  const std::string file = read_text(course.file("k.json"));
  CHECK(file.find("learned by gradient descent (rate 0.03, 10 epochs) from x.json -> y.json; loss 0.0") !=
        std::string::npos);
}

TEST_CASE("least squares needs no options, and --round finds the kernel that produced the edges") {
  const Course course;
  CHECK(course.learn({"--kernel-size", "1x2", "--round"}).out.starts_with("weights [[1,-1]]\nloss 0.000"));
  const json kernel = json::parse(course.learn({"--kernel-size", "1x2", "--round", "-o", "-", "-q"}).out);
  CHECK(kernel["weight"] == json({{1, -1}}));
}

TEST_CASE("reports: JSON lines, intervals, silence, and standard output for the kernel") {
  const Course course;
  const ProgramResult lines =
      course.learn({"--kernel-size", "1x2", "--epochs", "3", "--log-every", "1", "--holdout", "0.34", "--json"});
  std::istringstream text(lines.out);
  std::string line;
  for (int epoch = 1; epoch <= 3; ++epoch) {
    std::getline(text, line);
    const json object = json::parse(line);
    CHECK(object["epoch"] == epoch);
    CHECK(object["held_out_loss"].get<double>() * 2 == doctest::Approx(object["loss"].get<double>()));  // 2 rows of 6
  }
  const json report = last_json(lines);
  CHECK(report["method"] == "gd");
  CHECK(report["values"] == 28);
  CHECK(report["held_out"]["values"] == 14);
  CHECK(report["kernel"]["weight"].size() == 1);

  CHECK(course.learn({"--kernel-size", "1x2", "--lr", "0.01", "-q"}).out.empty());
  const ProgramResult both = course.learn({"--kernel-size", "1x2", "--epochs", "2", "-o", "-"});
  CHECK(json::parse(both.out).contains("weight"));
  CHECK(both.err.find("epoch 2, loss ") != std::string::npos);
}

TEST_CASE("--init with a kernel file takes its options and continues from its weights") {
  const Course course;
  course.write("start.json", R"({"weight": [[2, -2]], "divisor": 2, "bias": 0, "stride": [1, 1]})");
  const json report = last_json(course.learn({"--init", "start.json", "--epochs", "1", "--json"}));
  CHECK(report["kernel"]["weight"] == json({{1, -1}}));
  CHECK(report["loss"] == 0);
  const ProgramResult refused = course.learn({"--init", "start.json", "-o", "./start.json"});
  CHECK(refused.code == 2);
  CHECK(refused.err.find("which this run reads; write to another file") != std::string::npos);
}

TEST_CASE("the same numbers for the same seed") {
  const Course course;
  const auto weights = [&](const std::string& seed) {
    return last_json(course.learn(
        {"--kernel-size", "1x2", "--init", "uniform", "--seed", seed, "--epochs", "1", "--json"}))["kernel"]["weight"];
  };
  CHECK(weights("7") == weights("7"));
  CHECK(weights("7") != weights("8"));
}

TEST_CASE("both methods find the kernel that filtered a photograph, to 1e-4, if the result is stored as floats") {
  const struct {
    const char* kernel;
    std::vector<std::string> options;
  } cases[] = {
      {"[[-1,0,1],[-2,0,2],[-1,0,1]]", {"--kernel-size", "3"}},
      {"gaussian:sigma=1,size=5", {"--kernel-size", "5", "--padding", "same", "--padding-mode", "replicate"}},
      {"[[[[0.5]],[[0.3]],[[0.2]]],[[[-1]],[[2]],[[0.25]]],[[[0]],[[0.125]],[[1]]]]",
       {"--kernel-size", "1", "--groups", "1"}},
      {R"({"weight":[[[[1,0.5],[-2,0.25]]],[[[3,0],[1,1]]],[[[0.1,0.2],[0.3,0.4]]]],"groups":3,"stride":2,"dilation":2,)"
       R"("padding":1,"padding_mode":"symmetric","bias":[1,-2,3]})",
       {"--kernel-size", "2", "--groups", "3", "--stride", "2", "--dilation", "2", "--padding", "1", "--padding-mode",
        "symmetric", "--bias"}},
  };
  // All weights, divided by the divisor, followed by all biases.
  const auto numbers_of = [](const std::string& kernel, const TempFolder& folder) {
    const json shown = json::parse(run_convtool({"kernels", "show", kernel, "--json"}, folder).out);
    const json& layer = shown["layers"][0]["kernels"][0];
    const double divisor = layer["divisor"].empty() ? 1 : layer["divisor"][0].get<double>();
    std::vector<double> numbers;
    for (const json& weight : layer["weight"].flatten()) numbers.push_back(weight.get<double>() / divisor);
    for (const json& bias : layer["bias"]) numbers.push_back(bias.get<double>());
    return numbers;
  };
  const std::vector<std::string> methods[] = {
      {"--method", "lstsq"}, {"--method", "gd", "--momentum", "0.99", "--epochs", "8000", "--log-every", "8000"}};
  for (const auto& planted : cases)
    for (const std::vector<std::string>& method : methods) {
      CAPTURE(planted.kernel);
      CAPTURE(method[1]);
      const TempFolder folder;
      // With values up to 255, descent would need hours to learn a bias. Scaled to -2..2, it takes seconds.
      const std::string scale = method[1] == "gd" ? R"({"weight":[[0.015625]],"bias":-2})" : "[[1]]";
      CHECK(run_convtool({"apply", data("pictures/input.png"), "-k", scale, "--depth", "f32", "-o", "x.npy"}, folder)
                .code == 0);
      CHECK(run_convtool({"apply", "x.npy", "-k", planted.kernel, "-o", "y.npy"}, folder).code == 0);
      std::vector<std::string> arguments = {"learn", "--input", "x.npy", "--target", "y.npy"};
      arguments.insert(arguments.end(), planted.options.begin(), planted.options.end());
      arguments.insert(arguments.end(), method.begin(), method.end());
      arguments.insert(arguments.end(), {"-o", "k.json"});
      const ProgramResult result = run_convtool(arguments, folder);
      CHECK_MESSAGE(result.code == 0, result.err);
      const std::vector<double> expected = numbers_of(planted.kernel, folder), got = numbers_of("k.json", folder);
      REQUIRE(got.size() == expected.size());
      double largest = 0;
      for (std::size_t i = 0; i < got.size(); ++i) largest = std::max(largest, std::fabs(got[i] - expected[i]));
      CHECK(largest < 1e-4);
    }
}

TEST_CASE("kernels of other programs are found to half a grey level, and their integers exactly") {
  for (const std::string name :
       {"magick-blur", "magick-sharpen", "vips-gaussblur", "vips-conv", "gm-blur", "gm-convolve"}) {
    CAPTURE(name);
    const json report = learn_picture(data("learned/" + name + ".png"),
                                      {"--kernel-size", "9", "--padding", "same", "--padding-mode", "replicate"});
    CHECK(std::sqrt(report["mean_squared_error"].get<double>()) < 0.5);
  }
  const json colours = learn_picture(data("learned/magick-colours.png"), {"--kernel-size", "1", "--groups", "1"});
  CHECK(std::sqrt(colours["mean_squared_error"].get<double>()) < 0.5);
  CHECK(std::fabs(colours["kernel"]["weight"][0][0][0][0].get<double>() - 0.5) < 0.01);

  // Both programs truncate fractions, which appears as a bias of about -0.5.
  const std::vector<std::string> options = {"--kernel-size",  "5",         "--padding", "same",
                                            "--padding-mode", "replicate", "--bias",    "--round"};
  const json gm = learn_picture(data("learned/gm-convolve.png"), options)["kernel"];
  CHECK(gm["divisor"] == 256);
  CHECK(gm["weight"] ==
        json({{1, 4, 6, 4, 1}, {4, 16, 24, 16, 4}, {6, 24, 36, 24, 6}, {4, 16, 24, 16, 4}, {1, 4, 6, 4, 1}}));
  CHECK(std::fabs(gm["bias"].get<double>() + 0.5) < 0.05);
  const json vips = learn_picture(data("learned/vips-conv.png"), options)["kernel"];
  CHECK(vips["divisor"] == 16);
  CHECK(vips["weight"][2] == json({0, 2, 4, 2, 0}));
}

TEST_CASE("several pairs") {
  const Course course;
  course.write("x2.json", repeated("[0,0,1,1,0]", 2));
  course.write("y2.json", repeated("[0,-1,0,1]", 2));
  const ProgramResult result = run_convtool(
      {"learn", "--input", "x.json", "x2.json", "--target", "y.json", "y2.json", "--kernel-size", "1x2", "--json"},
      course);
  CHECK(last_json(result)["values"] == 50);
  CHECK(last_json(result)["r_squared"].get<double>() == doctest::Approx(1));
}

TEST_CASE("a target of the wrong shape: the error names both shapes and the expected one") {
  const Course course;
  check_refused(course.learn({"--kernel-size", "3"}), 1,
                "y.json: the target has the wrong shape (x.json is 1x6x8, from which a 3x3 kernel gives 1x4x6; "
                "expected 1x4x6, got "
                "1x6x7); give a target of 4x6");
  check_refused(run_convtool({"learn", "--input", "x.json", "--target", "x.json", "--kernel-size", "3"}, course), 1,
                "add --padding same");
  check_refused(course.learn({"--kernel-size", "9"}), 1, "x.json: the kernel is larger than the padded input");
}

TEST_CASE("files that cannot be learned from are refused by name, and nothing is written") {
  const Course course;
  check_refused(course.learn({"--kernel-size", "1x2", "--lr", "1", "-o", "k.json"}), 1,
                "--lr: the run diverges at epoch ");
  check_refused(course.learn({"--kernel-size", "1x2", "--lr", "1e300", "-o", "k.json"}), 1, "--lr: the run diverges");
  std::string npy("\x93NUMPY\x01\x00v\x00", 10);  // [1, NaN]
  const std::string header = "{'descr': '<f4', 'fortran_order': False, 'shape': (1, 2), }";
  npy += header + std::string(117 - header.size(), ' ') + "\n" + std::string("\0\0\x80\x3f\0\0\xc0\x7f", 8);
  course.write("nan.npy", npy);
  check_refused(run_convtool({"learn", "--input", "nan.npy", "--target", "y.json", "--kernel-size", "1"}, course), 1,
                "nan.npy: NaN in channel 0, row 0, column 1");
  check_refused(run_convtool({"learn", "--input", "none.png", "--target", "y.json", "--kernel-size", "1"}, course), 1,
                "none.png: ");
  course.write("row.json", "[[1,2,3]]");
  check_refused(
      run_convtool({"learn", "--input", "row.json", "--target", "row.json", "--kernel-size", "1", "--holdout", "0.5"},
                   course),
      1, "row.json: the target has one row");
  CHECK(!std::filesystem::exists(course.file("k.json")));
}

TEST_CASE("a constant input gives a warning and the smallest weights") {
  const TempFolder folder;
  folder.write("x.json", repeated(repeated("100", 6), 6));
  folder.write("y.json", repeated(repeated("50", 4), 4));
  const ProgramResult result =
      run_convtool({"learn", "--input", "x.json", "--target", "y.json", "--kernel-size", "3", "--json"}, folder);
  CHECK(result.err.find("warning: x.json: the input determines 1 of the 9 unknowns") != std::string::npos);
  const json report = last_json(result);
  CHECK(report["rank"] == 1);
  CHECK(report["r_squared"].is_null());
  CHECK(report["kernel"]["weight"][1][1].get<double>() == doctest::Approx(0.5 / 9));
}

TEST_CASE("gradient descent warns of a constant input, and refuses an input of zeros") {
  const TempFolder folder;
  folder.write("x.json", repeated(repeated("100", 6), 6));
  folder.write("zero.json", repeated(repeated("0", 6), 6));
  folder.write("y.json", repeated(repeated("50", 4), 4));
  const std::vector<std::string> options = {"--target", "y.json", "--kernel-size", "3", "--method", "gd"};
  const auto learn = [&](const char* input, std::vector<std::string> more = {}) {
    more.insert(more.begin(), options.begin(), options.end());
    more.insert(more.begin(), {"learn", "--input", input});
    return run_convtool(more, folder);
  };
  CHECK(learn("x.json").err ==
        "convtool: warning: x.json: the input is constant, which determines only the sum of the weights\n");
  CHECK(learn("x.json", {"-q"}).err.empty());
  check_refused(learn("zero.json"), 1, "zero.json: no step changes the loss");
}

TEST_CASE("a run that ends with a larger loss than it began with has diverged, however slowly") {
  const Course course;
  check_refused(
      course.learn({"--kernel-size", "1x2", "--lr", "0.05", "--epochs", "6", "--init", "[[0.5,0.4]]", "-o", "k.json"}),
      1, "--lr: the run diverges at epoch 6");
  CHECK(!std::filesystem::exists(course.file("k.json")));
}

TEST_CASE("weights that are too large or too small for floats are refused, with --json too") {
  const Course course;
  course.write("small.json", "[[1e-30,2e-30,1e-30],[2e-30,1e-30,1e-30]]");
  course.write("large.json", "[[1e30,2e30,1e30],[2e30,1e30,3e30]]");
  for (const auto& [input, target] : {std::pair("small.json", "large.json"), std::pair("large.json", "small.json")}) {
    const ProgramResult result = run_convtool(
        {"learn", "--input", input, "--target", target, "--kernel-size", "1", "--json", "-o", "k.json"}, course);
    check_refused(result, 1, "--target: the weights are beyond float32");
    CHECK(json::parse(result.out)["error"]["kind"] == "shape");
  }
  CHECK(!std::filesystem::exists(course.file("k.json")));
  course.write("far.json", "[[1e8,1.01e8,1e8],[1.01e8,1e8,1e8]]");
  course.write("wide.json", "[[0,3e38,0],[3e38,0,0]]");
  course.write("good.json", "[[1]]");
  check_refused(run_convtool({"learn", "--input", "far.json", "--target", "wide.json", "--kernel-size", "1", "--bias",
                              "-o", "good.json"},
                             course),
                1, "are beyond float32");
  CHECK(read_text(course.file("good.json")) == "[[1]]");
}

TEST_CASE("a run whose loss first rises because of momentum has not diverged") {
  const TempFolder folder;
  folder.write("x.json", "[[0,3,3,3,-3],[-2,3,-1,2,0],[-3,3,3,-1,-3],[-1,1,0,-3,1],[3,-3,1,2,2]]");
  folder.write("y.json", "[[3,-2,1,3,1],[-1,3,-2,1,-1],[1,0,1,-3,3],[2,2,-3,1,1],[-1,0,-1,-2,2]]");
  const auto learn = [&](const char* epochs) {
    const ProgramResult result =
        run_convtool({"learn", "--input", "x.json", "--target", "y.json", "--kernel-size", "3", "--padding", "same",
                      "--momentum", "0.99", "--init", "uniform", "--epochs", epochs, "--log-every", "1", "--json"},
                     folder);
    std::istringstream lines(result.out);
    std::string first;
    std::getline(lines, first);
    return std::pair(json::parse(first)["loss"].get<double>(), last_json(result)["loss"].get<double>());
  };
  const auto [start, end] = learn("3");
  CHECK(end > start);
  CHECK(learn("3000").second < 0.9 * start);
}

TEST_CASE("errors about shapes and channels say which shape would fit") {
  const Course course;
  course.write("three.json", "[[[1,2],[3,4]],[[1,2],[3,4]],[[1,2],[3,4]]]");
  course.write("one.json", "[[1,2],[3,4]]");
  const auto learn = [&](const char* target, const std::vector<std::string>& options) {
    std::vector<std::string> arguments = {"learn", "--input", "three.json", "--target", target};
    arguments.insert(arguments.end(), options.begin(), options.end());
    return run_convtool(arguments, course);
  };
  check_refused(learn("three.json", {"--init", "[[[1]],[[1]],[[1]]]"}), 1,
                "give a target with as many items and channels");
  check_refused(learn("one.json", {"--init", "[[1]]"}), 1, "give a target with as many items and channels");
  check_refused(learn("three.json", {"--init", "[[1]]", "--groups", "1"}), 2, "--groups: combines channels");
  check_refused(learn("three.json", {"--init", "nope"}), 2,
                "--init: no kernel is called 'nope' (expected zeros, uniform, ");
  check_refused(learn("three.json", {"--kernel-size", "1000000000", "--padding", "same"}), 2,
                "--kernel-size: '1000000000' is too large");
}

TEST_CASE("held-out rows have their own R^2, and a bias that is not learned is not counted") {
  const Course course;
  const json report = last_json(course.learn({"--kernel-size", "1x2", "--holdout", "0.34", "--json"}));
  CHECK(report["held_out"]["r_squared"].get<double>() == doctest::Approx(1));
  const json kept =
      last_json(course.learn({"--init", R"({"weight":[[1,2]],"bias":5})", "--epochs", "1", "--lr", "1e-9", "--json"}));
  CHECK(kept["unknowns"] == 2);
  CHECK(kept["kernel"]["bias"] == 5);
}

TEST_CASE("usage errors are reported before any work") {
  const Course course;
  const auto refused = [&](std::vector<std::string> options, const std::string& message) {
    options.insert(options.end(), {"-o", "k.json"});
    check_refused(course.learn(options), 2, message);
  };
  const std::string size = "--kernel-size";
  refused({size, "1x2", "--epochs", "0"}, "--epochs: '0' is not valid");
  refused({size, "0"}, "--kernel-size: '0' is not valid");
  refused({}, "--kernel-size: is required");
  refused({size, "1x2", "--lr", "-1"}, "--lr: '-1' is not valid");
  refused({size, "1x2", "--momentum", "1"}, "--momentum: '1' is not valid");
  refused({size, "1x2", "--method", "lstsq", "--lr", "1"}, "--lr: applies to gradient descent");
  refused({size, "1x2", "--lr", "1", "--ridge", "1"}, "--ridge: applies to --method lstsq");
  refused({size, "1x2", "--seed", "1"}, "--seed: applies to --init uniform");
  refused({size, "1x2", "--holdout", "1"}, "--holdout: '1' is not valid");
  refused({size, "1x2", "--method", "sgd"}, "--method: 'sgd' is not valid");
  refused({size, "1x3", "--init", "[[1,2]]"}, "--kernel-size: contradicts --init");
  refused({size, "1x2", "--init", R"({"weight":[[1,2]],"activation":"relu"})"}, "--init: 'inline' has an activation");
  refused({size, "1x2", "--init", "sobel"}, "--init: 'sobel' has several kernels");
  refused({size, "1x2", "--padding", "1", "--pads", "1,1,1,1"}, "--pads: cannot be used together with --padding");
  CHECK(course.names() == std::vector<std::string>{"x.json", "y.json"});
  check_refused(course.learn({size, "1x2", "-o", "x.json"}), 2, "x.json: the output is '");
  check_refused(course.learn({size, "1x2", "-o", "k.png"}), 2, "--output: 'k.png' is not the name of a kernel file");
  check_refused(course.learn({size, "1x2", "-o", "none/k.json"}), 2, "none/k.json: the folder 'none' does not exist");
  check_refused(run_convtool({"learn", "--input", "x.json", "--target", "y.json", "y.json", size, "1"}, course), 2,
                "--target: needs one file per input (expected 1, got 2)");
}

TEST_CASE("the page of learn has the curve of the loss, the fit, and what the kernel makes of each pair") {
  const Course course;
  const ProgramResult result = course.learn({"--kernel-size", "1x2", "--epochs", "5", "--lr", "0.03", "--log-every",
                                             "1", "--json", "--report", "page.html", "-o", "k.json"});
  CHECK(result.code == 0);
  const json page = page_data(read_text(course.file("page.html")));
  CHECK(page.at("report") == last_json(result));
  CHECK(page.at("curve").at("epochs") == json{1, 2, 3, 4, 5});
  const std::vector<std::string> lines = lines_of(result.out);
  for (std::size_t i = 0; i < 5; ++i) CHECK(page["curve"]["losses"][i] == json::parse(lines[i]).at("loss"));
  REQUIRE(page.at("head").at("kernels").size() == 2);
  CHECK(page["head"]["kernels"][0].at("caption") == "at the start");
  REQUIRE(page.at("pairs").size() == 1);
  const json& pair = page["pairs"][0];
  CHECK(pair.at("input_name") == "x.json");
  CHECK(pair.at("learned").at("white") == pair.at("target").at("white"));
  CHECK(pair.at("residual").at("black").get<double>() == -pair.at("residual").at("white").get<double>());
  // The residuals are those of the kernel as it was written.
  run_convtool({"apply", "x.json", "-k", "k.json", "-o", "z.json", "-q"}, course);
  const json learned = json::parse(read_text(course.file("z.json"))).flatten();
  const json target = json::parse(read_text(course.file("y.json"))).flatten();
  double largest = 0;
  for (const auto& [at, value] : learned.items())
    largest = std::max(largest, std::fabs(value.get<double>() - target.at(at).get<double>()));
  CHECK(pair["residual"]["white"].get<double>() == doctest::Approx(largest).epsilon(1e-6));
}

TEST_CASE("a long run's curve is thinned, least squares has none, and several pairs are shown") {
  const Course course;
  CHECK(
      course.learn({"--kernel-size", "1x2", "--epochs", "2500", "--lr", "0.001", "-q", "--report", "page.html"}).code ==
      0);
  const json epochs = page_data(read_text(course.file("page.html"))).at("curve").at("epochs");
  CHECK(epochs.front() == 1);
  CHECK(epochs.back() == 2500);
  CHECK(epochs.size() < 1000);
  CHECK(epochs.size() > 800);

  const ProgramResult two = run_convtool({"learn", "--input", "x.json", "x.json", "--target", "y.json", "y.json",
                                          "--kernel-size", "1x2", "-q", "-o", "-", "--report", "page.html"},
                                         course);
  CHECK(json::parse(two.out).contains("weight"));
  const json page = page_data(read_text(course.file("page.html")));
  CHECK(page.at("curve").at("epochs").empty());
  CHECK(page.at("pairs").size() == 2);
}

TEST_CASE("the page of learn shows the pictures' colours") {
  const TempFolder folder;
  const ProgramResult result =
      run_convtool({"learn", "--input", data("pictures/input.png"), "--target", data("pictures/input.png"),
                    "--kernel-size", "3", "--padding", "same", "-q", "--report", "page.html"},
                   folder);
  CHECK(result.code == 0);
  const json pair = page_data(read_text(folder.file("page.html"))).at("pairs")[0];
  CHECK(pair.at("target").at("histogram").at("counts").size() == pair.at("target").at("shape")[1]);
  CHECK(pair.at("residual").at("histogram").at("counts").size() == 1);
}

TEST_CASE("learn refuses a page that is another of its files, and writes none if it fails") {
  const Course course;
  std::filesystem::create_symlink(course.file("x.json"), course.file("x.html"));
  std::filesystem::create_symlink(course.file("k.json"), course.file("k.html"));
  const auto refused = [&](const std::string& report, const std::string& message) {
    const ProgramResult result =
        course.learn({"--kernel-size", "1x2", "-o", "k.json", "--report", report, "--init", "[[1,1]]"});
    CHECK(result.code == 2);
    CHECK(result.err.find(message) != std::string::npos);
    CHECK_FALSE(std::filesystem::exists(course.file("k.json")));
  };
  refused("x.html", "which this run reads");
  refused("k.html", "is also an output ('k.json')");
  refused("page", "expected FILE.html");
  CHECK(course.learn({"--kernel-size", "1x2", "--lr", "10", "--epochs", "100", "--report", "page.html"}).code == 1);
  CHECK_FALSE(std::filesystem::exists(course.file("page.html")));
}
