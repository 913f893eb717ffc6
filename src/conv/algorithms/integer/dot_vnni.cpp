// Dot products by AVX-512 VNNI: one instruction adds four products of bytes, or two of 16 bits, to each 32-bit lane.
// They have a file of their own because Highway 1.0.3 has no target for them: its AVX3_DL switches on the AVX (VEX)
// form of VNNI, which is a different feature. Code generation is switched only after the includes, so that no inline
// function of a header is compiled for AVX-512 by accident.
#include <hwy/base.h>

#include "conv/algorithms/integer/dot.h"

#if HWY_ARCH_X86_64

#include <immintrin.h>

HWY_PUSH_ATTRIBUTES("avx2,avx512f,avx512bw,avx512vl,avx512vnni,avx512vbmi")
namespace convtool {
namespace {

/// Groups of kGroup taps. VBMI's vpermb fills lanes with bytes from anywhere in the first 32. These contain all pixels
/// that 16 outputs see: 16 bytes and at most three steps more.
template <int kGroup>
struct Vnni {
  using Sum = __m512i;
  using Pixels = __m512i;
  static constexpr int kRows = 8, kTaps = kGroup;

  explicit Vnni(std::int64_t step) {
    alignas(64) std::uint8_t bytes[64];
    for (std::int64_t at = 0; at < 64; ++at) bytes[at] = static_cast<std::uint8_t>(at / 4 + at % 4 * kGroup / 4 * step);
    order_ = _mm512_load_si512(bytes);
  }

  static constexpr std::int64_t lanes() { return 16; }
  static HWY_INLINE Sum zero() { return _mm512_setzero_si512(); }
  static HWY_INLINE Pixels broadcast(std::int32_t weights) { return _mm512_set1_epi32(weights); }
  static HWY_INLINE void store(Sum sum, std::int32_t* to) { _mm512_storeu_si512(to, sum); }

  HWY_INLINE Pixels spread(const std::uint8_t* bytes) const {
    const __m512i loaded = _mm512_castsi256_si512(_mm256_loadu_si256(reinterpret_cast<const __m256i*>(bytes)));
    if constexpr (kGroup == 4) return _mm512_permutexvar_epi8(order_, loaded);
    constexpr __mmask64 kLowBytes = 0x5555555555555555;  // of 16-bit pixels
    return _mm512_maskz_permutexvar_epi8(kLowBytes, order_, loaded);
  }
  static HWY_INLINE void add(Pixels pixels, Pixels weights, Sum& sum) {
    sum = kGroup == 4 ? _mm512_dpbusd_epi32(sum, pixels, weights) : _mm512_dpwssd_epi32(sum, pixels, weights);
  }

 private:
  __m512i order_;
};

#include "conv/algorithms/integer/dot_block-inl.h"

}  // namespace

void dot_quads_vnni(const DotTask& task) { DotAll<Vnni<4>>(task); }
void dot_pairs_vnni(const DotTask& task) { DotAll<Vnni<2>>(task); }

}  // namespace convtool
HWY_POP_ATTRIBUTES

#else

namespace convtool {

void dot_quads_vnni(const DotTask&) {}
void dot_pairs_vnni(const DotTask&) {}

}  // namespace convtool

#endif
