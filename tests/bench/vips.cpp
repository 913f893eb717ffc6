// libvips, from memory to memory. In float precision it computes the same as the engine, and its result is rounded
// here. In integer precision it first rounds the weights to about 7 bits, unless that would be too inaccurate.

#include <vips/vips.h>

#include <cstring>
#include <memory>
#include <stdexcept>

#include "peer.h"

namespace convtool {
namespace {

struct Unref {
  void operator()(VipsImage* image) const { g_object_unref(image); }
};
using Image = std::unique_ptr<VipsImage, Unref>;

/// Calls a function of libvips that returns its result through its first argument. Throws its message if it fails.
template <class Function>
Image made_by(Function&& function) {
  VipsImage* image = nullptr;
  if (function(&image) != 0 || image == nullptr) throw std::runtime_error(vips_error_buffer());
  return Image(image);
}

void start(int threads) {
  static const bool started = VIPS_INIT("bench_convtool") == 0;
  if (!started) throw std::runtime_error("libvips does not start");
  vips_cache_set_max(0);  // otherwise it would reuse results instead of computing them
  vips_concurrency_set(threads);
}

Image image_of(const ConstTensorRef& picture) {
  const Shape& s = picture.shape;
  const auto bytes = static_cast<std::size_t>(s.count() * size_of(picture.dtype));
  return Image(vips_image_new_from_memory(picture.data, bytes, static_cast<int>(s.w), static_cast<int>(s.h),
                                          static_cast<int>(s.c),
                                          picture.dtype == DType::u8 ? VIPS_FORMAT_UCHAR : VIPS_FORMAT_FLOAT));
}

/// The image rounded to integers, if the output has an integer type.
Image rounded(Image image, DType dtype) {
  if (dtype == DType::f32 || vips_image_get_format(image.get()) == VIPS_FORMAT_UCHAR) return image;
  const Image whole = made_by([&](VipsImage** out) { return vips_rint(image.get(), out, nullptr); });
  return made_by([&](VipsImage** out) { return vips_cast_uchar(whole.get(), out, nullptr); });
}

/// A pipeline of libvips runs when its last image is written, in this case to memory.
template <class Pipeline>
PeerRun run_of(Pipeline pipeline, const TensorRef& output) {
  const auto result = std::make_shared<Image>();
  return {.run =
              [pipeline, result] {
                result->reset();
                const Image image = pipeline();
                result->reset(vips_image_new_memory());
                if (vips_image_write(image.get(), result->get()) != 0) throw std::runtime_error(vips_error_buffer());
              },
          .fetch =
              [result, output] {
                std::memcpy(output.data, vips_image_get_data(result->get()),
                            static_cast<std::size_t>(output.shape.count() * size_of(output.dtype)));
              }};
}

Image matrix(int width, int height, const std::vector<double>& weights) {
  return Image(vips_image_new_matrix_from_array(width, height, weights.data(), width * height));
}

template <VipsPrecision kPrecision>
PeerRun prepare_conv(const Workload& workload, const ConstTensorRef& input, const TensorRef& output, int threads) {
  start(threads);
  const KernelShape& k = workload.kernel.shape;
  const float* taps = workload.kernel.taps(0, 0);
  const std::shared_ptr<VipsImage> mask(
      matrix(static_cast<int>(k.kw), static_cast<int>(k.kh), {taps, taps + k.kh * k.kw}));
  vips_image_set_double(mask.get(), "scale", workload.divisor(0));
  return run_of(
      [=] {
        const Image from = image_of(input);
        return rounded(made_by([&](VipsImage** out) {
                         return vips_conv(from.get(), out, mask.get(), "precision", kPrecision, nullptr);
                       }),
                       output.dtype);
      },
      output);
}

/// Both passes of a kernel of rank 1 whose weights sum to 1. Its column factor is then the sums of its rows.
template <VipsPrecision kPrecision>
PeerRun prepare_convsep(const Workload& workload, const ConstTensorRef& input, const TensorRef& output, int threads) {
  start(threads);
  const KernelShape& k = workload.kernel.shape;
  std::vector<double> sums(static_cast<std::size_t>(k.kh));
  for (std::int64_t t = 0; t < k.taps(); ++t) {
    sums[static_cast<std::size_t>(t / k.kw)] +=
        static_cast<double>(workload.kernel.weights[static_cast<std::size_t>(t)]);
  }
  const std::shared_ptr<VipsImage> mask(matrix(static_cast<int>(k.kh), 1, sums));
  return run_of(
      [=] {
        const Image from = image_of(input);
        return rounded(made_by([&](VipsImage** out) {
                         return vips_convsep(from.get(), out, mask.get(), "precision", kPrecision, nullptr);
                       }),
                       output.dtype);
      },
      output);
}

/// The input becomes float first: on bytes vips_sobel adds absolute values; on floats it takes the root of the sum of
/// squares.
PeerRun prepare_sobel(const Workload&, const ConstTensorRef& input, const TensorRef& output, int threads) {
  start(threads);
  return run_of(
      [=] {
        const Image from = image_of(input);
        const Image floats = made_by([&](VipsImage** out) { return vips_cast_float(from.get(), out, nullptr); });
        return rounded(made_by([&](VipsImage** out) { return vips_sobel(floats.get(), out, nullptr); }), output.dtype);
      },
      output);
}

bool is_small(const Workload& workload) { return workload.id == "I1"; }
bool is_sobel(const Workload& workload) { return workload.id == "I4"; }
bool is_gaussian(const Workload& workload) { return workload.sigma > 0; }
bool is_gaussian_on_bytes(const Workload& workload) {
  return is_gaussian(workload) && workload.problem.input_dtype == DType::u8;
}

}  // namespace

std::vector<Peer> vips_peers() {
  return {{"libvips conv", is_small, prepare_conv<VIPS_PRECISION_FLOAT>},
          {"libvips conv integer", is_small, prepare_conv<VIPS_PRECISION_INTEGER>, 4},
          {"libvips convsep", is_gaussian, prepare_convsep<VIPS_PRECISION_FLOAT>},
          {"libvips convsep integer", is_gaussian_on_bytes, prepare_convsep<VIPS_PRECISION_INTEGER>, 4},
          {"libvips sobel", is_sobel, prepare_sobel}};
}

}  // namespace convtool
