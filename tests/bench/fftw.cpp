// Overlap-save with FFTW (Oppenheim and Schafer, "Discrete-Time Signal Processing"). The picture is cut into tiles that
// overlap by the kernel's size less one. Each tile is transformed, multiplied by the kernel's spectrum and transformed
// back; the pixels that circular wrapping did not affect are the result. Plans and the kernel's spectrum are computed
// beforehand, for the tile size that was fastest in a trial.

#include <fftw3.h>

#include <algorithm>
#include <atomic>
#include <chrono>
#include <cstring>
#include <limits>
#include <memory>

#include "core/parallel.h"
#include "peer.h"

namespace convtool {
namespace {

struct Free {
  void operator()(void* memory) const { fftwf_free(memory); }
};
struct Destroy {
  void operator()(fftwf_plan plan) const { fftwf_destroy_plan(plan); }
};
using Plan = std::unique_ptr<std::remove_pointer_t<fftwf_plan>, Destroy>;

/// A tile of n * n numbers and its spectrum. Each thread has its own.
struct Buffers {
  std::unique_ptr<float, Free> tile;
  std::unique_ptr<fftwf_complex, Free> spectrum;

  explicit Buffers(std::int64_t n)
      : tile(fftwf_alloc_real(static_cast<std::size_t>(n * n))),
        spectrum(fftwf_alloc_complex(static_cast<std::size_t>(n * (n / 2 + 1)))) {}
};

class OverlapSave {
 public:
  OverlapSave(const Workload& workload, const ConstTensorRef& input, const TensorRef& output, int threads,
              std::int64_t n)
      : k_(workload.kernel.shape.kh), n_(n), step_(n - k_ + 1), input_(input), output_(output), threads_(threads) {
    for (int i = 0; i < threads; ++i) buffers_.emplace_back(n);
    const Buffers& b = buffers_.front();
    const int size = static_cast<int>(n);
    forward_.reset(fftwf_plan_dft_r2c_2d(size, size, b.tile.get(), b.spectrum.get(), FFTW_MEASURE));
    backward_.reset(fftwf_plan_dft_c2r_2d(size, size, b.spectrum.get(), b.tile.get(), FFTW_MEASURE));
    transform_kernel(workload);
  }

  std::int64_t tiles() const { return rows_of_tiles() * columns_of_tiles(); }

  void run() {
    std::atomic<std::size_t> next_buffers = 0;
    parallel_for(tiles(), threads_, [&](std::int64_t begin, std::int64_t end) {
      const Buffers& b = buffers_[next_buffers++];
      for (std::int64_t tile = begin; tile < end; ++tile) filter_tile(tile, b);
    });
  }

  /// The time of one tile: the least of three, so that other programs on the machine do not affect the choice of size.
  double seconds_of_tile() {
    double least = std::numeric_limits<double>::infinity();
    for (int i = 0; i < 3; ++i) {
      const auto begin = std::chrono::steady_clock::now();
      filter_tile(0, buffers_.front());
      least = std::min(least, std::chrono::duration<double>(std::chrono::steady_clock::now() - begin).count());
    }
    return least;
  }

 private:
  std::int64_t rows_of_tiles() const { return (output_.shape.h + step_ - 1) / step_; }
  std::int64_t columns_of_tiles() const { return (output_.shape.w + step_ - 1) / step_; }

  /// Stores the conjugate of the kernel's spectrum, for a correlation, with the scale that FFTW's transforms leave out.
  void transform_kernel(const Workload& workload) {
    const Buffers& b = buffers_.front();
    std::fill(b.tile.get(), b.tile.get() + n_ * n_, 0.0F);
    for (std::int64_t u = 0; u < k_; ++u) std::copy_n(workload.kernel.taps(0, 0) + u * k_, k_, b.tile.get() + u * n_);
    fftwf_execute_dft_r2c(forward_.get(), b.tile.get(), b.spectrum.get());
    const auto scale = static_cast<float>(1 / (workload.divisor(0) * static_cast<double>(n_ * n_)));
    kernel_.resize(static_cast<std::size_t>(2 * n_ * (n_ / 2 + 1)));
    const float* spectrum = *b.spectrum;
    for (std::size_t i = 0; i < kernel_.size(); i += 2) {
      kernel_[i] = spectrum[i] * scale;
      kernel_[i + 1] = -spectrum[i + 1] * scale;
    }
  }

  void filter_tile(std::int64_t tile, const Buffers& b) {
    const std::int64_t y = tile / columns_of_tiles() * step_, x = tile % columns_of_tiles() * step_;
    visit_dtype(input_.dtype, [&]<class T>(T) { load<T>(y - k_ / 2, x - k_ / 2, b.tile.get()); });
    fftwf_execute_dft_r2c(forward_.get(), b.tile.get(), b.spectrum.get());
    float* s = *b.spectrum;
    for (std::size_t i = 0; i < kernel_.size(); i += 2) {
      const float real = s[i] * kernel_[i] - s[i + 1] * kernel_[i + 1];
      s[i + 1] = s[i] * kernel_[i + 1] + s[i + 1] * kernel_[i];
      s[i] = real;
    }
    fftwf_execute_dft_c2r(backward_.get(), b.spectrum.get(), b.tile.get());
    visit_dtype(output_.dtype, [&]<class T>(T) { store<T>(y, x, b.tile.get()); });
  }

  /// Loads the tile whose corner is at (top, left). Border pixels are repeated outside the picture.
  template <class T>
  void load(std::int64_t top, std::int64_t left, float* tile) const {
    const TensorView<const T> view = input_.view<T>();
    const std::int64_t last = view.shape.w - 1;
    const std::int64_t inside = std::clamp<std::int64_t>(-left, 0, n_);                  // columns before the picture
    const std::int64_t outside = std::clamp<std::int64_t>(last + 1 - left, inside, n_);  // and columns up to its end
    for (std::int64_t i = 0; i < n_; ++i) {
      const T* row = view.row(0, 0, std::clamp<std::int64_t>(top + i, 0, view.shape.h - 1));
      float* to = tile + i * n_;
      std::fill(to, to + inside, static_cast<float>(row[0]));
      for (std::int64_t j = inside; j < outside; ++j) to[j] = static_cast<float>(row[left + j]);
      std::fill(to + outside, to + n_, static_cast<float>(row[last]));
    }
  }

  template <class T>
  void store(std::int64_t y, std::int64_t x, const float* tile) const {
    const TensorView<T> view = output_.view<T>();
    const std::int64_t height = std::min(step_, view.shape.h - y), width = std::min(step_, view.shape.w - x);
    for (std::int64_t i = 0; i < height; ++i) {
      T* to = view.row(0, 0, y + i) + x;
      const float* from = tile + i * n_;
      for (std::int64_t j = 0; j < width; ++j) {
        if constexpr (std::is_same_v<T, float>) {
          to[j] = from[j];
        } else {
          // Adding 1.5 * 2^23 rounds to nearest, since floats of that size have no fraction. Compilers vectorise it.
          constexpr float kShift = 0x1.8p23F, kMost = std::numeric_limits<T>::max();
          to[j] = static_cast<T>(static_cast<int>((std::min(std::max(from[j], 0.0F), kMost) + kShift) - kShift));
        }
      }
    }
  }

  std::int64_t k_, n_, step_;
  ConstTensorRef input_;
  TensorRef output_;
  int threads_;
  std::vector<Buffers> buffers_;
  Plan forward_, backward_;
  std::vector<float> kernel_;  // real and imaginary parts alternate
};

PeerRun prepare(const Workload& workload, const ConstTensorRef& input, const TensorRef& output, int threads) {
  std::shared_ptr<OverlapSave> best;
  double least = std::numeric_limits<double>::infinity();
  for (const std::int64_t n : {64, 96, 128, 192, 256, 384, 512, 768, 1024}) {
    if (n < 2 * workload.kernel.shape.kh) continue;
    const auto candidate = std::make_shared<OverlapSave>(workload, input, output, threads, n);
    const double seconds = candidate->seconds_of_tile() * static_cast<double>(candidate->tiles());
    if (seconds < least) {
      least = seconds;
      best = candidate;
    }
  }
  return {.run = [best] { best->run(); }};
}

bool applies(const Workload& workload) { return workload.id == "L1"; }

}  // namespace

std::vector<Peer> fftw_peers() { return {{"FFTW overlap-save", applies, prepare}}; }

}  // namespace convtool
