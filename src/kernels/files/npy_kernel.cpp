// Weights in NumPy's format, without any options: [kh][kw], [c_i][kh][kw] or [c_o][c_i/groups][kh][kw].
#include <cmath>
#include <utility>

#include "core/error.h"
#include "files/raster_values.h"
#include "kernels/files/foreign_kernels.h"
#include "kernels/files/matrix_kernel.h"
#include "tensors/tensor_io.h"

namespace convtool {

Network parse_npy_kernel(std::span<const std::byte> bytes, const std::string& source, const std::string& name) {
  RankedTensor block;
  try {
    block = parse_npy(bytes);
  } catch (const Error& error) {
    refuse_kernel(source, error.what());
  }
  const Shape& shape = block.tensor.shape();
  Layer layer;
  layer.rank = block.rank;
  layer.shape = {.c_o = shape.n, .c_i_per_group = shape.c, .kh = shape.h, .kw = shape.w};
  const float* data = block.tensor.data<float>();
  layer.weights.assign(data, data + shape.count());
  for (std::size_t i = 0; i < layer.weights.size(); ++i) {
    if (!std::isfinite(layer.weights[i])) {
      refuse_kernel(source,
                    "weight " + std::to_string(i) + " in the file's order is NaN or infinite; weights must be finite");
    }
  }
  return network_of(std::move(layer), name);
}

Bytes format_npy_kernel(const Network& network) {
  constexpr const char* kFormat = "an .npy file";
  const Layer& layer = only_layer(network, kFormat);
  refuse_bias(layer, kFormat);
  const KernelShape& size = layer.shape;
  Tensor tensor(DType::f32, {size.c_o, size.c_i_per_group, size.kh, size.kw});
  float* const values = tensor.data<float>();
  for (std::size_t i = 0; i < layer.weights.size(); ++i) {
    const std::size_t output = i / static_cast<std::size_t>(size.taps());
    const double divisor = layer.divisor.size() > 1 ? layer.divisor[output] : divisor_of(layer);
    values[i] = static_cast<float>(static_cast<double>(layer.weights[i]) / divisor);
  }
  return format_raster(npy_format(tensor.shape(), layer.rank), tensor.ref());
}

}  // namespace convtool
