// .npy files: the header gives the shape of the values, and tensors survive being written and read again.
#include <cstring>

#include "fuzz/memory_file.h"
#include "fuzz/target.h"
#include "fuzz/tensor_seeds.h"
#include "tensors/tensor_io.h"

namespace convtool::fuzz {
namespace npy {

void check_round_trip(const RankedTensor& tensor) {
  const Shape& shape = tensor.tensor.shape();
  const auto bytes = static_cast<std::size_t>(shape.count()) * sizeof(float);
  NpyFile file = new_npy(shape, tensor.rank);
  std::memcpy(file.values().data, tensor.tensor.ref().data, bytes);
  const RankedTensor back = parse_npy(file.bytes, 1);
  check(back.rank == tensor.rank && back.tensor.shape() == shape, "another shape after writing");
  check(std::memcmp(back.tensor.ref().data, tensor.tensor.ref().data, bytes) == 0, "other values after writing");
}

/// A file in C order has the same values when it is read in bands.
void check_bands(std::span<const std::byte> input, const RankedTensor& tensor) {
  const MemoryFile memory(input);
  RandomAccessFile file(memory.path(), ErrorKind::input);
  const std::optional<RankedLayout> npy = read_npy_layout(file);
  if (!npy) return;  // in Fortran order
  const Shape& shape = tensor.tensor.shape();
  check(npy->layout.shape == shape && npy->rank == tensor.rank, "bands of another shape");
  Tensor bands(DType::f32, shape);
  const RasterReader reader(std::move(file), npy->layout);
  for (std::int64_t n = 0; n < shape.n; ++n) reader.read({.item = n}, bands.ref().item(n));
  const auto bytes = static_cast<std::size_t>(shape.count()) * sizeof(float);
  check(std::memcmp(bands.ref().data, tensor.tensor.ref().data, bytes) == 0, "bands with other values");
}

bool run(std::span<const std::byte> input) {
  bool is_read = false;
  for (const std::size_t least_rank : {1u, 2u}) {
    std::optional<RankedShape> claimed;
    accepts({ErrorKind::input}, [&] { claimed = read_npy_shape(input, least_rank); });
    is_read |= accepts({ErrorKind::input}, [&] {
      const RankedTensor tensor = parse_npy(input, least_rank);
      check(claimed && claimed->rank == tensor.rank && claimed->shape == tensor.tensor.shape(),
            "another shape than the header's");
      check(looks_like_npy(input), "a file without the signature");
      check_round_trip(tensor);
      if (least_rank == 2) check_bands(input, tensor);
    });
  }
  return is_read;
}

}  // namespace npy

Target npy_target() { return {"npy", npy::run, npy_seeds()}; }

}  // namespace convtool::fuzz
