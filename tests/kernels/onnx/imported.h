// Models of a few nodes, and what is imported of them.
#pragma once

#include <doctest/doctest.h>

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "kernels/onnx/import_onnx.h"
#include "support/onnx.h"
#include "support/program.h"

namespace convtool::testing {

using onnx::attribute;
using onnx::integers;
using onnx::node;
using onnx::Sizes;
using onnx::tensor;
using Nodes = std::vector<std::string>;
using Floats = std::vector<float>;

/// Weights of 2 outputs and 3 inputs of 1x1, called w.
inline const std::string kWeights = tensor("w", {2, 3, 1, 1}, {1, 2, 3, 4, 5, 6});

struct Imported {
  std::vector<Layer> layers;
  std::string stop;  ///< "" at the end of the model
  std::optional<InputScaling> input;
};

inline Imported import(const std::string& model, const std::optional<std::string>& until = {}) {
  const TempFolder folder;
  const OnnxFile file(folder.write("m.onnx", model));
  const OnnxImport result = import_onnx(file, until);
  Imported imported{.layers = {}, .stop = result.stop.value_or(""), .input = result.network.input};
  for (const Bank& bank : result.network.banks) {
    REQUIRE(bank.layers.size() == 1);
    imported.layers.push_back(bank.layers.front());
  }
  return imported;
}

inline Imported import(const Nodes& nodes, const Nodes& tensors = {}, const Sizes& dims = {-1, 3, -1, -1}) {
  return import(onnx::model(nodes, tensors, dims));
}

/// The layer of a model that is imported as one, to its end.
inline Layer imported_layer(const Nodes& nodes, const Nodes& tensors = {}, const Sizes& dims = {-1, 3, -1, -1}) {
  const Imported imported = import(nodes, tensors, dims);
  CHECK(imported.stop == "");
  REQUIRE(imported.layers.size() == 1);
  return imported.layers.front();
}

/// Why the last of the nodes is not imported.
inline std::string stop_reason(const Nodes& nodes, const Nodes& tensors = {}) {
  const std::string stop = import(nodes, tensors).stop;
  const std::size_t colon = stop.find("): ");
  return colon == std::string::npos ? stop : stop.substr(colon + 3);
}

}  // namespace convtool::testing
