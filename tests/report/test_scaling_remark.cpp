// Warnings about pixels that a network was not trained on.
#include <doctest/doctest.h>

#include <string>

#include "report/scaling_remark.h"

namespace convtool {
namespace {

std::string text_of(const std::optional<Remark>& remark) { return remark ? remark->text : ""; }

std::string remark_on(const InputScaling& scaling, DType dtype) { return text_of(scaling_remark({}, scaling, dtype)); }

TEST_CASE("weights of a model on integers, which nothing scales, are worth a warning") {
  Network network;
  CHECK(!scaling_remark(network, {}, DType::u8));
  network.files = {"conv.npy"};
  CHECK(!scaling_remark(network, {}, DType::u8));
  network.files = {"conv.npy", "models/net.safetensors"};
  const std::optional<Remark> remark = scaling_remark(network, {}, DType::u8);
  REQUIRE(remark);
  CHECK(remark->once);
  CHECK(remark->text.starts_with("the weights of 'net.safetensors' are a model's, and run on pixels from 0 to 255; "));
  CHECK(remark->text.find(" --input-scale 1/255 --mean") != std::string::npos);
  const std::string deep = text_of(scaling_remark(network, {}, DType::u16));
  CHECK(deep.find("from 0 to 65535") != std::string::npos);
  CHECK(deep.find(" --input-scale 1/65535 --mean") != std::string::npos);
  CHECK(text_of(scaling_remark(network, {}, DType::u16, 1023)).find("--input-scale 1/1023 ") != std::string::npos);
  CHECK(!scaling_remark(network, {}, DType::f32));
  CHECK(!scaling_remark(network, InputScaling{}, DType::u8));
  network.files = {"net.ONNX"};
  CHECK(scaling_remark(network, {}, DType::u8));
}

TEST_CASE("a scaling for pixels of 8 bits does not fit those of 16, and the scale that does is named") {
  const auto advice = [](double expected, const std::string& scale) {
    return "the input is scaled as if its pixels were from 0 to " + std::to_string(static_cast<int>(expected)) +
           ", but they are from 0 to 65535; add --input-scale " + scale + " to bring them to that range";
  };
  const InputScaling of_bytes{.mean = {123.675, 116.28, 103.53}, .deviation = {58.395, 57.12, 57.375}};
  const InputScaling to_one{.scale = 1.0 / 255, .mean = {0.485, 0.456, 0.406}, .deviation = {0.229, 0.224, 0.225}};
  CHECK(remark_on(of_bytes, DType::u16) == advice(255, "1/257"));  // (x / 257 - mean) / std
  CHECK(remark_on(to_one, DType::u16) == advice(255, "1/65535"));
  CHECK(remark_on({.scale = 1.0 / 255}, DType::u16) == advice(255, "1/65535"));
  CHECK(remark_on({.deviation = {255}}, DType::u16) == advice(255, "1/257"));
  CHECK(remark_on({.mean = {0.5}, .deviation = {0.5}}, DType::u16) == advice(1, "1/65535"));
  for (const InputScaling& scaling : {of_bytes, to_one, InputScaling{.scale = 1.0 / 255}}) {
    CHECK(remark_on(scaling, DType::u8) == "");
    CHECK(remark_on(scaling, DType::f32) == "");
  }
  // What is advised, 16 bits that hold 10, and pixels that are meant as they are.
  CHECK(remark_on({.scale = 1.0 / 257, .mean = {123.675}, .deviation = {58.395}}, DType::u16) == "");
  CHECK(remark_on({.scale = 1.0 / 65535, .mean = {0.485}, .deviation = {0.229}}, DType::u16) == "");
  CHECK(remark_on({.scale = 1.0 / 1023, .mean = {0.485}, .deviation = {0.229}}, DType::u16) == "");
  CHECK(remark_on({.scale = 1.0 / 1023}, DType::u16) == "");
  CHECK(remark_on({}, DType::u16) == "");
  CHECK(!scaling_remark({}, to_one, DType::u16, 1023));
}

TEST_CASE("means in other units than the scaled pixels") {
  const InputScaling mixed{.scale = 1.0 / 255, .mean = {123.675, 116.28, 103.53}, .deviation = {58.395}};
  CHECK(remark_on(mixed, DType::u8)
            .starts_with("the input is scaled by 1/255 to end at 1, where the mean of 123.675 that is subtracted lies "
                         "far beyond it; "));
  CHECK(remark_on({.mean = {0.485}, .deviation = {0.229}}, DType::u8) ==
        "the input is scaled as if its pixels were from 0 to 1, but they are from 0 to 255; add --input-scale 1/255 to "
        "bring them to that range");
  CHECK(remark_on({.scale = -1, .mean = {3}}, DType::u8) == "");
  CHECK(remark_on({.mean = {128}}, DType::u8) == "");
}

}  // namespace
}  // namespace convtool
