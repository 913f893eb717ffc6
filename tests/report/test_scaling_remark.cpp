// The warning about a model that reads pixels as they are.
#include <doctest/doctest.h>

#include "report/scaling_remark.h"

namespace convtool {
namespace {

TEST_CASE("weights of a model on integers, which nothing scales, are worth a warning") {
  Network network;
  CHECK(!scaling_remark(network, false, DType::u8));
  network.files = {"conv.npy"};
  CHECK(!scaling_remark(network, false, DType::u8));
  network.files = {"conv.npy", "models/net.safetensors"};
  const std::optional<Remark> remark = scaling_remark(network, false, DType::u8);
  REQUIRE(remark);
  CHECK(remark->once);
  CHECK(remark->text.starts_with("the weights of 'net.safetensors' are a model's, and run on pixels from 0 to 255; "));
  CHECK(scaling_remark(network, false, DType::u16)->text.find("from 0 to 65535") != std::string::npos);
  CHECK(!scaling_remark(network, false, DType::f32));
  CHECK(!scaling_remark(network, true, DType::u8));
  network.files = {"net.ONNX"};
  CHECK(scaling_remark(network, false, DType::u8));
}

}  // namespace
}  // namespace convtool
