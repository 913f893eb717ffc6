// The number of vector registers of one instruction set, which bounds the sums of a block. Included once per
// instruction set through hwy/foreach_target.h.

#if defined(CONVTOOL_CONV_REGISTERS_INL_H_) == defined(HWY_TARGET_TOGGLE)
#ifdef CONVTOOL_CONV_REGISTERS_INL_H_
#undef CONVTOOL_CONV_REGISTERS_INL_H_
#else
#define CONVTOOL_CONV_REGISTERS_INL_H_
#endif

#include <hwy/highway.h>

namespace convtool {
namespace HWY_NAMESPACE {

/// 32 for AVX-512, which Highway calls AVX3 and better, and for all that arm64 has; 16 for AVX2 and SSE.
constexpr int kVectorRegisters = HWY_ARCH_ARM_A64 || (HWY_ARCH_X86 && HWY_TARGET <= HWY_AVX3) ? 32 : 16;

}  // namespace HWY_NAMESPACE
}  // namespace convtool

#endif
