#include "fuzz/kernel_seeds.h"

#include "fuzz/target.h"
#include "fuzz/tensor_seeds.h"
#include "kernels/files/kernel_format.h"
#include "kernels/kernel_source.h"
#include "kernels/shipped.h"

namespace convtool::fuzz {

std::vector<Bytes> kernel_seeds() {
  std::vector<Bytes> seeds = seeds_of({
      R"({"name":"n","weight":[[[1,2]],[[3,4]]],"bias":-1.5,"stride":[2,1],"dilation":2,"padding":"full"})",
      R"({"weight":[[[[1,0.5],[-2,3]]],[[[1,1],[1,1]]]],"groups":2,"bias":[1,2],"pads":[1,0,2,1],"activation":"relu"})",
      R"({"weight":[[0.1,0.2],[0.3,0.4]],"normalize":true,"padding_mode":"constant","padding_value":9,"map":"offset"})",
      R"({"bank":[{"weight":[[1,0,-1]]},{"weight":[[1,2,-3]]}],"combine":"magnitude"})",
      R"({"layers":[{"weight":[[1,1],[1,1]],"divisor":4},{"pool":"max","size":2},{"bank":[[[1,-1]],[[-1,1]]]}]})",
      R"({"layers":["gaussian-3","box:size=2",{"bank":["sobel-x",[[1]]]},"sobel"]})",
      R"({"layers":[{"pool":"mean","size":[3,2],"stride":1,"padding":[1,0]},[[2]]],"map":"normalize"})",
      R"({"weight":"model.npy","bias":"b.npy"})",
      R"({"weights":[[1,2,1]],"auto_pad":"SAME_UPPER","strides":[1,1]})",
      R"({"kernel":[1,2,1,2,4,2,1,2,1],"width":3,"height":3,"scale":16,"offset":1})",
      R"({"kernel":[[0,1,0],[1,-4,1],[0,1,0]],"factor":0.25,"border":"replicate","replace_invalid":0})",
      "3 3 9 0\n1 1 1\n1 1 1\n1 1 1\n",
      "3x2+1+0: 1,2,1 -1,nan,0.5",
      "3: 1,2,1 2,4,2 1,2,1",
  });
  for (const ShippedKernel& shipped : shipped_kernels()) {
    const Network network = load_kernel(std::string(shipped.name));
    for (std::size_t i = 0; i < std::size(kKernelFormats); ++i)
      accepts({ErrorKind::kernel}, [&] { seeds.push_back(format_kernel(static_cast<KernelFormat>(i), network)); });
  }
  for (Bytes& file : npy_seeds()) seeds.push_back(std::move(file));
  return seeds;
}

}  // namespace convtool::fuzz
