// Runs convtool shape: tables of layers, files that give a shape, timings, and refusals.

#include <doctest/doctest.h>

#include <algorithm>
#include <filesystem>
#include <nlohmann/json.hpp>
#include <opencv2/imgcodecs.hpp>
#include <sstream>

#include "support/page_data.h"
#include "support/program.h"

namespace {

using nlohmann::json;

ProgramResult shape(const TempFolder& folder, std::vector<std::string> arguments) {
  arguments.insert(arguments.begin(), "shape");
  return run_convtool(arguments, folder);
}

json shape_json(const TempFolder& folder, std::vector<std::string> arguments) {
  arguments.push_back("--json");
  const ProgramResult result = shape(folder, arguments);
  CAPTURE(result.err);
  CHECK(result.code == 0);
  return json::parse(result.out);
}

std::vector<std::string> words_of(const std::string& line) {
  std::istringstream stream(line);
  std::vector<std::string> words;
  for (std::string word; stream >> word;) words.push_back(word);
  return words;
}

}  // namespace

TEST_CASE("a stack is shown as a table with a row for each layer and one for all, followed by the formulas") {
  const TempFolder folder;
  const ProgramResult result = shape(folder, {"1x32x32", "--kernel-size", "5", "--repeat", "7", "--out-channels", "1"});
  CHECK(result.code == 0);
  const std::vector<std::string> lines = lines_of(result.out);
  REQUIRE(lines.size() == 1 + 1 + 7 + 1 + 1 + 7);
  CHECK(lines[0] == "1x4x4");
  using Words = std::vector<std::string>;
  // 25 weights, 25 * 28 * 28 MACs, 28 * 28 floats, 32 * 32 * 28 * 28 weights if fully connected.
  CHECK(words_of(lines[2]) ==
        Words{"1", "5x5", "1x32x32", "->", "1x28x28", "25", "19600", "3136", "5x5", "1x1", "2,2", "802816"});
  CHECK(words_of(lines[8]) ==
        Words{"7", "5x5", "1x8x8", "->", "1x4x4", "25", "400", "64", "29x29", "1x1", "14,14", "1024"});
  // 25 * (28^2 + 24^2 + ... + 4^2) MACs, 4 bytes for each of those outputs, 32 * 32 * 4 * 4 weights if fully connected.
  CHECK(words_of(lines[9]) ==
        Words{"all", "1x32x32", "->", "1x4x4", "175", "56000", "8960", "29x29", "1x1", "14,14", "16384"});
  CHECK(lines[11] ==
        "layer 1: h = floor((32 + 0 + 0 - 1*(5-1) - 1) / 1) + 1 = 28, w = floor((32 + 0 + 0 - 1*(5-1) - 1) / 1) + 1 = "
        "28");
  // Columns are aligned: text begins, and numbers end, at the same place in every row.
  for (std::size_t i = 3; i <= 9; ++i) {
    CHECK(lines[i].find("1x") == lines[2].find("1x"));
    CHECK(lines[i].size() == lines[2].size());
  }
}

TEST_CASE("networks and banks are repeated, and the report has totals for all layers") {
  const TempFolder folder;
  const std::string network = R"({"layers":[{"weight":[[1,2,1]],"padding":[0,1]},{"bank":[[[1,1]],[[1,-1]]]}]})";
  const json report = shape_json(folder, {"2x5x9", "-k", network, "--repeat", "2"});
  REQUIRE(report["layers"].size() == 4);
  CHECK(report["layers"][1]["output_shape"] == json({4, 5, 8}));
  CHECK(report["output_shape"] == json({8, 5, 7}));
  CHECK(report["parameters"] == 3 + 4 + 3 + 4);
  // First 3 * 2 channels * 5 * 9 and 2 * 4 * 5 * 8; repeated, with 4 and 8 channels, 3 * 4 * 5 * 8 and 2 * 8 * 5 * 7.
  CHECK(report["macs"] == 270 + 320 + 480 + 560);
  CHECK(report["activation_bytes"] == 4 * (90 + 160 + 160 + 280));
  CHECK(report["fully_connected_weights"] == 90 * 280);
  CHECK(report["receptive_field"] ==
        json({{"size", {1, 7}}, {"stride", {1, 1}}, {"offset", {0, -2}}, {"centre", {0.0, 1.0}}}));
  const json bank = shape_json(folder, {"1x9x9", "-k", "[[1,1]]", "-k", "[[1,2,1]]", "--padding", "same"});
  CHECK(bank["output_shape"] == json({2, 9, 9}));
  CHECK(bank["receptive_field"]["size"] == json({1, 3}));
  CHECK(bank["receptive_field"]["centre"] == json({0.0, 0.0}));
}

TEST_CASE("the error names the layer that cannot run, after the table of those before it") {
  const TempFolder folder;
  const std::string network = R"({"layers":[[[1,1]],{"weight":[[[1]],[[1]]],"stride":2}]})";
  const ProgramResult text = shape(folder, {"1x4x4", "-k", network});
  CHECK(text.code == 1);
  CHECK(lines_of(text.out)[0] == "1x4x3");
  CHECK(text.err.find("layer 2 on 1x4x3: ") != std::string::npos);
  const ProgramResult as_json = shape(folder, {"1x6x6", "--kernel-size", "3", "--repeat", "5", "--json"});
  CHECK(as_json.code == 1);
  CHECK(json::parse(as_json.out)["layers"].size() == 2);
  CHECK(as_json.err.find("layer 3 on 1x2x2: ") != std::string::npos);
  CHECK(as_json.err.find("3x3") != std::string::npos);
}

TEST_CASE("a file gives its shape, and for a picture only the header is read") {
  const TempFolder folder;
  cv::imwrite(folder.file("grey.png"), cv::Mat(12, 16, CV_8UC1, cv::Scalar(7)));
  cv::imwrite(folder.file("rgb.jpg"), cv::Mat(12, 16, CV_8UC3, cv::Scalar(7)));
  cv::imwrite(folder.file("rgba.png"), cv::Mat(12, 16, CV_16UC4, cv::Scalar(7)));
  folder.write("x.json", "[[[1,2,3]],[[4,5,6]]]");
  const auto first_line = [&](const std::string& file) {
    return lines_of(shape(folder, {file, "--kernel-size", "1", "--out-channels", "5"}).out).at(0);
  };
  CHECK(first_line("grey.png") == "5x12x16");
  CHECK(first_line("x.json") == "5x1x3");
  const json alpha = shape_json(folder, {"rgba.png", "-k", "[[1,1]]"});
  CHECK(alpha["output_shape"] == json({3, 12, 15}));  // alpha does not count, as in apply
  // Damaged pixels do not matter: this PNG ends after its header.
  const std::string png = read_text(folder.file("grey.png"));
  folder.write("short.png", png.substr(0, 8 + 25) + std::string("\0\0\0\0IDAT\x35\xaf\x06\x1e", 12));
  CHECK(first_line("short.png") == "5x12x16");
  CHECK(shape(folder, {"nothing.png", "-k", "sobel"}).code == 1);
}

TEST_CASE("rotated pictures have the shape that apply filters") {
  const TempFolder folder;
  cv::imwrite(folder.file("upright.tif"), cv::Mat(12, 16, CV_8UC1, cv::Scalar(7)));
  std::string tiff = read_text(folder.file("upright.tif"));
  // Replaces the entry for the planar configuration, which has no meaning for one channel, by an orientation.
  const std::string planar("\x1c\x01\x03\x00\x01\x00\x00\x00\x01\x00\x00\x00", 12);
  const std::size_t at = tiff.find(planar);
  REQUIRE(at != std::string::npos);
  tiff.replace(at, 12, std::string("\x12\x01\x03\x00\x01\x00\x00\x00\x06\x00\x00\x00", 12));
  folder.write("turned.tif", tiff);
  cv::imwrite(folder.file("upright.jpg"), cv::Mat(12, 16, CV_8UC1, cv::Scalar(7)));
  std::string jpeg = read_text(folder.file("upright.jpg"));
  // Inserts an EXIF segment of 34 bytes after the first marker: a little-endian TIFF with one entry, orientation 6.
  jpeg.insert(2, std::string("\xff\xe1\x00\x22"
                             "Exif\0\0II*\0\x08\0\0\0"
                             "\x01\0\x12\x01\x03\0\x01\0\0\0\x06\0\0\0\0\0\0\0",
                             36));
  folder.write("turned.jpg", jpeg);
  for (const std::string file : {"turned.tif", "turned.jpg"}) {
    CAPTURE(file);
    CHECK(lines_of(shape(folder, {file, "-k", "identity"}).out).at(0) == "1x16x12");
    const ProgramResult run = run_convtool({"apply", file, "-k", "identity", "--dry-run", "--json"}, folder);
    CHECK(json::parse(run.out)["input_shape"] == json({1, 16, 12}));
  }
}

TEST_CASE("--time measures each layer") {
  const TempFolder folder;
  const json report = shape_json(
      folder, {"3x20x20", "--kernel-size", "3", "--out-channels", "4", "--repeat", "2", "--time", "--threads", "1"});
  CHECK(report["threads"] == 1);
  CHECK(report["instruction_set"].is_string());
  double seconds = 0;
  for (const json& layer : report["layers"]) {
    CHECK(layer["seconds"].get<double>() > 0);
    CHECK(layer["algorithm"].get<std::string>() != "");
    CHECK(layer["gmac_per_second"].get<double>() ==
          doctest::Approx(layer["macs"].get<double>() / layer["seconds"].get<double>() * 1e-9));
    seconds += layer["seconds"].get<double>();
  }
  CHECK(report["seconds"].get<double>() == doctest::Approx(seconds));
  const ProgramResult one = shape(folder, {"1x9x9", "-k", "sobel", "--time"});
  CHECK(one.code == 0);
  CHECK(one.out.find(" ms, ") != std::string::npos);
  CHECK(one.out.find("algorithm ") != std::string::npos);
  CHECK(lines_of(shape(folder, {"1x9x9", "-k", "sobel", "--repeat", "2", "--time"}).out)[1].find("GMAC/s  algorithm") !=
        std::string::npos);
}

TEST_CASE("layers that are too large to be timed are refused with their numbers") {
  const TempFolder folder;
  const auto refuses = [&](const std::vector<std::string>& arguments, int code, const std::string& part) {
    const ProgramResult result = shape(folder, arguments);
    CAPTURE(result.err);
    CHECK(result.code == code);
    CHECK(result.out == "");
    CHECK(std::count(result.err.begin(), result.err.end(), '\n') == 1);
    CHECK(result.err.find(part) != std::string::npos);
  };
  refuses({"1x1000000x1000000", "--kernel-size", "1", "--time"}, 1, "--time: a layer on 1x1000000x1000000 takes ");
  refuses({"1x8x8", "--kernel-size", "1", "--out-channels", "1073741824", "--time"}, 1, "MiB to run (at most ");
  refuses({"1000x1000x1000", "--kernel-size", "5", "--out-channels", "1000", "--padding", "same", "--time"}, 1,
          "has 2.5e+13 multiply-adds");
  refuses({"1x8x8", "--kernel-size", "1", "--threads", "2"}, 2, "--threads: needs --time");
  refuses({"1x8x8", "--kernel-size", "1", "--flip"}, 2, "--flip: rotates weights");
  refuses({"1x8x8", "--kernel-size", "1", "--time", "--threads", "x"}, 2, "--threads");
}

TEST_CASE("only the header of a file is read, however large the file is") {
  const TempFolder folder;
  const std::string header = "{'descr': '<f4', 'fortran_order': False, 'shape': (3, 20000, 20000), }";
  folder.write("large.npy",
               std::string("\x93NUMPY\x01\x00v\x00", 10) + header + std::string(117 - header.size(), ' ') + "\n");
  std::filesystem::resize_file(folder.file("large.npy"), 128 + std::uintmax_t{4} * 3 * 20000 * 20000);
  const std::string limit = kMemoryIsTheProgramsOwn ? "ulimit -v 8000000; " : "";
  const ProgramResult result = run_shell(limit + "$CONVTOOL shape large.npy --kernel-size 3 --json", folder);
  CHECK_MESSAGE(result.code == 0, result.err);
  CHECK(json::parse(result.out)["output_shape"] == json({1, 19998, 19998}));
  if (kMemoryIsTheProgramsOwn) CHECK(result.peak_memory < (1 << 30));
  folder.write("wide.pgm", "P5 100000 100000 255\n");
  CHECK(shape_json(folder, {"wide.pgm", "--kernel-size", "1"})["output_shape"] == json({1, 100000, 100000}));
}

TEST_CASE("JSON reports the error, and has integers for counts") {
  const TempFolder folder;
  const ProgramResult half = shape(folder, {"1x32x32", "--kernel-size", "5", "--repeat", "8", "--json"});
  CHECK(half.code == 1);
  const json object = json::parse(half.out);
  CHECK(object["version"] == 1);
  CHECK(object["status"] == "error");
  CHECK(object["error"]["message"].get<std::string>().starts_with("layer 8 on 1x4x4"));
  CHECK(object["layers"].size() == 7);
  CHECK(object["activation_bytes"].is_number_integer());
  CHECK(object["fully_connected_weights"].is_number_integer());
  const ProgramResult none = shape(folder, {"none.png", "--kernel-size", "5", "--json"});
  CHECK(none.code == 1);
  CHECK(json::parse(none.out)["error"]["kind"] == "input");
}

TEST_CASE("timings that would take more than minutes are refused") {
  const TempFolder folder;
  const ProgramResult result = shape(folder, {"1x8x8", "--kernel-size", "1", "--repeat", "1000", "--time"});
  CHECK(result.code == 1);
  CHECK(result.err.find("--time: 1000 layers") != std::string::npos);
}

TEST_CASE("the page of shape has the JSON report, with the shape of the input and the kernels of layers") {
  const TempFolder folder;
  const json report = shape_json(
      folder, {"3x64x96", "--kernel-size", "5x3", "--out-channels", "4", "--repeat", "3", "--report", "new/page.html"});
  CHECK(page_data(read_text(folder.file("new/page.html"))).at("report") == report);
  CHECK(report.at("input_shape") == json{3, 64, 96});
  for (const json& layer : report.at("layers")) CHECK(layer.at("kernel") == "5x3");

  folder.write("bank.json", R"({"bank":[{"weight":[[1]]},{"weight":[[1,1,1]],"pads":[0,1,0,1]}]})");
  CHECK(shape_json(folder, {"8x8", "-k", "bank.json"}).at("layers")[0].at("kernel") == "1x1+1x3");
  folder.write("pool.json", R"({"layers":[{"weight":[[1]]},{"pool":"max","size":2}]})");
  CHECK(shape_json(folder, {"8x8", "-k", "pool.json"}).at("layers")[1].at("kernel") == "max 2x2");
}

TEST_CASE("the page of shape shows the layers before one that cannot run, and replaces no file that is read") {
  const TempFolder folder;
  CHECK(run_convtool({"shape", "1x8x8", "--kernel-size", "5", "--repeat", "3", "--report", "page.html"}, folder).code ==
        1);
  const json report = page_data(read_text(folder.file("page.html"))).at("report");
  CHECK(report.at("layers").size() == 1);
  CHECK(report.at("error").at("message").get<std::string>().find("layer 2") != std::string::npos);

  folder.write("k.html", "[[1]]");
  const ProgramResult refused = run_convtool({"shape", "8x8", "-k", "k.html", "--report", "k.html"}, folder);
  CHECK(refused.code == 2);
  CHECK(read_text(folder.file("k.html")) == "[[1]]");
}

TEST_CASE("the networks in samples/ have the shapes, parameters, multiply-adds and receptive fields of the originals") {
  const TempFolder folder;
  const auto report_on = [&](const char* input, const std::string& name) {
    return shape_json(folder, {input, "--layers", std::string(PROJECT_DIR) + "/samples/" + name + ".layers"});
  };
  const auto field_after = [](const json& report, std::size_t layer) {
    return report.at("layers").at(layer - 1).at("receptive_field").at("size");
  };

  // Layer by layer: 6*25+6, 16*6*25+16, 120*16*25+120, 84*120+84 and 10*84+10 parameters; multiply-adds 6*25 for each
  // of 28*28 outputs, 16*6*25 for 10*10, and the weights of the others once.
  const json lenet = report_on("1x32x32", "lenet");
  CHECK(lenet.at("parameters") == 156 + 2416 + 48120 + 10164 + 850);
  CHECK(lenet.at("parameters") == 61706);
  CHECK(lenet.at("macs") == 150 * 784 + 2400 * 100 + 48000 + 10080 + 840);
  CHECK(lenet.at("output_shape") == json{10, 1, 1});
  CHECK(field_after(lenet, 7) == json{32, 32});

  // torchvision's page of vgg16: 138357544 parameters, 15.47 GFLOPS, which are multiply-adds. Five pools of size 2
  // after 2, 2, 3, 3 and 3 convolutions of size 3 see 1 + 4*1 + 1 + 4*2 + 2 + 6*4 + 4 + 6*8 + 8 + 6*16 + 16 = 212.
  const json vgg = report_on("3x224x224", "vgg16");
  CHECK(vgg.at("parameters") == 138357544);
  CHECK(vgg.at("macs") == 15470264320);
  CHECK(vgg.at("output_shape") == json{1000, 1, 1});
  CHECK(vgg.at("layers").at(30).at("output_shape") == json{512, 7, 7});
  CHECK(field_after(vgg, 31) == json{212, 212});

  // torchvision's page of resnet18: 11689512 parameters and 1.814 GFLOPS, which are multiply-adds.
  const json resnet = report_on("3x224x224", "resnet18");
  CHECK(resnet.at("parameters") == 11689512);
  CHECK(resnet.at("macs") == 1814073344);
  CHECK(resnet.at("output_shape") == json{1000, 1, 1});
  // Before the last pool: 7 + 2*2, then four convolutions per stage at strides 4, 8, 16 and 32, the first of a stage
  // still at the stride before: 11 + 4*2*4 + 2*(4 + 3*8) + 2*(8 + 3*16) + 2*(16 + 3*32) = 435.
  CHECK(field_after(resnet, 66) == json{435, 435});

  // The paper's table 8: 4.2 million parameters and 569 million multiply-adds; the exact number of parameters is that
  // of Keras' MobileNet without the running means and variances, which are no parameters in torch.
  const json mobilenet = report_on("3x224x224", "mobilenet");
  CHECK(mobilenet.at("parameters") == 4253864 - 2 * 10944);
  CHECK(mobilenet.at("macs") == 568740352);
  CHECK(mobilenet.at("layers").at(80).at("output_shape") == json{1024, 7, 7});
  CHECK(field_after(mobilenet, 81) == json{315, 315});
}

TEST_CASE("layers that enlarge, round up or see the whole input have the sizes of PyTorch") {
  const TempFolder folder;
  const json report =
      shape_json(folder, {"3x33x30", "--time", "--threads", "1", "--layers",
                          "conv 3 16 s2 p1, relu6, tconv 4x3 8 s2 p1 o1 g2, upsample 2x3 bilinear, upsample 2, silu, "
                          "maxpool 3 s2 ceil, avgpool global, linear 5"});
  // As PyTorch 1.13 gives them for the modules of these names.
  const std::vector<std::pair<std::vector<int>, int>> expected = {
      {{16, 17, 15}, 448}, {{16, 17, 15}, 0}, {{8, 35, 30}, 776}, {{8, 70, 90}, 0}, {{8, 140, 180}, 0},
      {{8, 140, 180}, 0},  {{8, 70, 90}, 0},  {{8, 1, 1}, 0},     {{5, 1, 1}, 45}};
  REQUIRE(report.at("layers").size() == expected.size());
  for (std::size_t i = 0; i < expected.size(); ++i) {
    CHECK(report.at("layers")[i].at("output_shape") == json(expected[i].first));
    CHECK(report.at("layers")[i].at("parameters") == expected[i].second);
  }
}

TEST_CASE("layers without weights are timed, drawn on a page and explained") {
  const TempFolder folder;
  const std::string text = "conv 3x5 4 s2 p1x2, bn, relu, dwconv 3 same, avgpool 2, maxpool 2, linear 3";
  const json report =
      shape_json(folder, {"3x24x30", "--layers", text, "--time", "--threads", "1", "--report", "p.html"});
  REQUIRE(report.at("layers").size() == 7);
  for (const json& layer : report.at("layers")) CHECK(layer.at("seconds") > 0);
  CHECK(page_data(read_text(folder.file("p.html"))).at("report") == report);
  std::vector<std::string> names, kernels;
  for (const json& layer : report.at("layers")) {
    names.push_back(layer.at("name"));
    kernels.push_back(layer.at("kernel"));
  }
  CHECK(names == std::vector<std::string>{"conv", "bn", "relu", "dwconv", "mean 2x2", "max 2x2", "linear"});
  CHECK(kernels == std::vector<std::string>{"3x5", "", "", "3x3", "mean 2x2", "max 2x2", ""});

  const ProgramResult table = shape(folder, {"3x24x30", "--layers", text});
  CHECK(words_of(lines_of(table.out).at(3)) == std::vector<std::string>{"2", "bn", "4x12x15", "->", "4x12x15", "8", "0",
                                                                        "2880", "3x5", "2x2", "0,0", "518400"});
  // A formula for each layer that sees a window.
  CHECK(std::count(table.out.begin(), table.out.end(), '=') == 4 * 5);

  const json explained = json::parse(run_convtool({"explain", "3x24x30", "--layers", text, "--json"}, folder).out);
  REQUIRE(explained.at("layers").size() == 7);
  CHECK(explained.at("layers")[0].at("name") == "linear");
  CHECK(explained.at("layers")[0].at("terms").size() == 4 * 3 * 3);
  CHECK(explained.at("layers")[3].at("groups") == 4);
}

TEST_CASE("layers without weights in kernel files, and where they are refused") {
  const TempFolder folder;
  const std::string kernel = R"({"kernel_size": 3, "out_channels": 64, "stride": 2})";
  CHECK(shape_json(folder, {"3x9x9", "-k", kernel}).at("parameters") == 64 * 27 + 64);
  CHECK(shape_json(folder, {"3x9x9", "--layers", "[" + kernel + "]"}).at("output_shape") == json{64, 4, 4});
  folder.write("net.json", R"({"layers": [[[1]], )" + kernel + "]}");
  folder.write("x.json", "[[1, 2], [3, 4]]");
  folder.write("net.layers", "conv 3 4\n");
  const auto refuses = [&](const std::vector<std::string>& arguments, const std::string& message) {
    const ProgramResult result = run_convtool(arguments, folder);
    CHECK(result.code == 2);
    CHECK(result.err == "convtool: " + message + "\n");
  };
  const std::string no_weights =
      "net.json: /layers/1: no weights to compute with; give \"weight\" in place of \"kernel_size\", or see the sizes "
      "of "
      "the layer with 'convtool shape' or 'convtool explain'";
  refuses({"apply", "x.json", "-k", "net.json"}, no_weights);
  refuses({"apply", "x.json", "-k", "sobel", "--then", "net.json"}, no_weights);
  refuses({"learn", "--input", "x.json", "--target", "x.json", "--init", "net.json"}, no_weights);
  refuses({"kernels", "show", "net.json"}, no_weights);
  refuses({"kernels", "convert", "net.json"}, no_weights);
  refuses({"explain", "x.json", "-k", "net.json"},
          "net: layer 2, 'net-2', has no weights to compute with; give it \"weight\", or see its sizes with 'convtool "
          "shape' or 'convtool explain'");
  for (const char* command : {"apply", "edges", "learn", "bench"})
    refuses({command, "--layers", "relu"},
            "unknown option '--layers'; layers without weights compute nothing; see their sizes with 'convtool shape "
            "--layers', or give kernels with weights");
  refuses(
      {"explain", "x.json", "--layers", "relu"},
      "--layers: a layer without weights has no numbers to explain; give a kernel with -k, or a shape such as 5x5 in "
      "place of the input");
  for (const std::vector<std::string>& more :
       std::vector<std::vector<std::string>>{{"-k", "sobel"}, {"--kernel-size", "3"}}) {
    std::vector<std::string> arguments = {"shape", "3x9x9", "--layers", "relu"};
    arguments.insert(arguments.end(), more.begin(), more.end());
    refuses(arguments, "--layers: stands in place of --kernel and --kernel-size; give one of them");
  }
  refuses({"shape", "3x9x9", "--layers", "relu", "--stride", "2"},
          "--stride: applies to kernels of -k; options of --layers are a part of its text, such as conv 3 64 s2 p1");
  refuses({"shape", "3x9x9", "--layers", "relu", "--out-channels", "2"},
          "--out-channels: needs --kernel-size; in --layers, output channels follow the size: conv 3 64");
  refuses({"shape", "3x9x9", "-k", kernel, "--normalize"},
          "--normalize: divides weights, which layer 'inline' does not have; leave it out");
  folder.write("net.html", "conv 3 4\n");
  CHECK(run_convtool({"shape", "3x9x9", "--layers", "net.html", "--report", "net.html"}, folder).code == 2);
  CHECK(read_text(folder.file("net.html")) == "conv 3 4\n");
}

TEST_CASE("a layer of text that cannot run is named after those before it") {
  const TempFolder folder;
  const ProgramResult result = shape(folder, {"3x9x9", "--layers", "conv 3 4 x2, dwconv 7"});
  CHECK(result.code == 1);
  CHECK(lines_of(result.out).at(0) == "4x5x5");
  CHECK(result.err.starts_with("convtool: layer 3 on 4x5x5: the kernel is larger than the padded input"));
  CHECK(shape(folder, {"6x9x9", "--layers", "conv 3 4 g4"}).err ==
        "convtool: layer 1 on 6x9x9: 4 groups do not divide the 6 input channels; choose a number of groups that "
        "divides both channel counts\n");
  CHECK(shape(folder, {"2x1073741824x1073741824", "--layers", "linear 1073741824"})
            .err.ends_with("the kernel has more weights than fit in any memory; make it smaller\n"));
}
