// Tensors in text: brackets and separators give the shape of the values, and tensors survive being written and read
// again, dense and aligned. Those with NaN or infinity, which JSON does not have, are refused.
#include "tensors/tensor_text.h"

#include <algorithm>
#include <cmath>

#include "fuzz/target.h"

namespace convtool::fuzz {
namespace tensor_text {

void check_round_trip(const RankedTensor& tensor, TensorText layout) {
  const float* const before = tensor.tensor.data<float>();
  const std::int64_t count = tensor.tensor.shape().count();
  const bool is_finite = std::all_of(before, before + count, [](float x) { return std::isfinite(x); });
  Bytes text;
  const bool is_written = accepts({ErrorKind::output}, [&] { text = format_tensor_json(tensor, layout); });
  check(is_written == is_finite, is_finite ? "finite values that are not written" : "JSON with NaN or infinity");
  if (!is_written) return;
  const RankedTensor back = parse_tensor_json(text_of(text), "again.json");
  check(back.rank == tensor.rank && back.tensor.shape() == tensor.tensor.shape(), "another shape after writing");
  const float* const after = back.tensor.data<float>();
  for (std::int64_t i = 0; i < count; ++i)
    check(before[i] == after[i] && std::signbit(before[i]) == std::signbit(after[i]), "other values after writing");
}

bool run(std::span<const std::byte> input) {
  const std::optional<RankedShape> claimed = scan_text_shape(input);
  return accepts({ErrorKind::input}, [&] {
    const RankedTensor tensor = parse_tensor_text(text_of(input), "tensor");
    check(claimed && claimed->rank == tensor.rank && claimed->shape == tensor.tensor.shape(),
          "another shape than the separators show");
    for (const TensorText layout : {TensorText::dense, TensorText::aligned}) check_round_trip(tensor, layout);
  });
}

}  // namespace tensor_text

Target tensor_text_target() {
  return {"tensor_text", tensor_text::run,
          seeds_of({"[[7]]",
                    "[[0,1,2]]",
                    "[[1],[2],[3]]",
                    "[[-1e-3,2E+5]]",
                    "[[1,-2.5],[3e2,0]]",
                    " [\n[[0.1,1e-45]],\t[[-0,3.4e38]]]\r\n",
                    "[[[[1]],[[2]]],[[[3]],[[4]]]]",
                    "[[1,2],[3]]",
                    "[[1e39]]",
                    "[[1. 2.]\n [+3. .5]]",
                    "tensor([[1., 2.e-3]], dtype=torch.float64)",
                    "array([[[1 2][3 4]]])",
                    "Parameter containing:\ntensor([[1.]], requires_grad=True)",
                    "[[1 ... 2]]",
                    "1,2\n-3,+4e1\n",
                    "1;2\n\n3;4",
                    "# x\n1\t2\n3 4",
                    "r,g\n1,2",
                    "nan,1",
                    "[[-inf, 1.]]",
                    "[[\"1\"]]",
                    "[[]]",
                    "{\"a\":[1]}",
                    "[[1],]"})};
}

}  // namespace convtool::fuzz
