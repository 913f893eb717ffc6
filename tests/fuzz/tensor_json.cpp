// Tensors in JSON: brackets and commas give the shape of the values, and tensors survive being written and read again.
#include <cmath>

#include "fuzz/target.h"
#include "tensors/tensor_io.h"

namespace convtool::fuzz {
namespace {

void check_round_trip(const RankedTensor& tensor) {
  const Bytes text = format_tensor_json(tensor);
  const RankedTensor back = parse_tensor_json(text_of(text), "again.json");
  check(back.rank == tensor.rank && back.tensor.shape() == tensor.tensor.shape(), "another shape after writing");
  const float *before = tensor.tensor.data<float>(), *after = back.tensor.data<float>();
  for (std::int64_t i = 0; i < tensor.tensor.shape().count(); ++i)
    check(before[i] == after[i] && std::signbit(before[i]) == std::signbit(after[i]), "other values after writing");
}

bool run(std::span<const std::byte> input) {
  const std::optional<RankedShape> claimed = scan_json_shape(input);
  return accepts({ErrorKind::input}, [&] {
    const RankedTensor tensor = parse_tensor_json(text_of(input), "tensor.json");
    check(claimed && claimed->rank == tensor.rank && claimed->shape == tensor.tensor.shape(),
          "another shape than the brackets show");
    check_round_trip(tensor);
  });
}

}  // namespace

Target tensor_json_target() {
  return {"tensor_json", run,
          seeds_of({"[[7]]", "[[0,1,2]]", "[[1],[2],[3]]", "[[-1e-3,2E+5]]", "[[1,-2.5],[3e2,0]]",
                    " [\n[[0.1,1e-45]],\t[[-0,3.4e38]]]\r\n", "[[[[1]],[[2]]],[[[3]],[[4]]]]", "[[1,2],[3]]",
                    "[[1e39]]", "[[\"1\"]]", "[[]]", "{\"a\":[1]}", "[[1],]"})};
}

}  // namespace convtool::fuzz
