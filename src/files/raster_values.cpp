#include "files/raster_values.h"

#include <bit>
#include <cmath>
#include <limits>
#include <string>
#include <type_traits>

#include "core/float_range.h"
#include "core/half.h"
#include "core/text.h"
#include "files/byte_reader.h"

namespace convtool {
namespace {

constexpr std::uint8_t kWhite = 255, kBlack = 0;

/// Calls `visit` with an element of the C++ type.
template <class Visitor>
void visit_stored_type(StoredType type, Visitor&& visit) {
  switch (type) {
    case StoredType::u8: return visit(std::uint8_t{});
    case StoredType::u16: return visit(std::uint16_t{});
    case StoredType::u32: return visit(std::uint32_t{});
    case StoredType::u64: return visit(std::uint64_t{});
    case StoredType::i8: return visit(std::int8_t{});
    case StoredType::i16: return visit(std::int16_t{});
    case StoredType::i32: return visit(std::int32_t{});
    case StoredType::i64: return visit(std::int64_t{});
    case StoredType::f16: return visit(Half{});
    case StoredType::f32: return visit(float{});
    case StoredType::f64: return visit(double{});
    case StoredType::bit: break;
  }
  require(false, "bits read as numbers");
}

/// Whether f32 does not hold the number.
template <class T>
bool loses_digits(T value) {
  if constexpr (std::is_same_v<T, double>) {
    return std::isfinite(value) && static_cast<double>(static_cast<float>(value)) != value;
  } else if constexpr (std::is_integral_v<T> && sizeof(T) >= sizeof(float)) {
    // A float has the 24 bits from the highest one of the number on.
    const auto bits = static_cast<std::uint64_t>(value);
    const std::uint64_t size = std::is_signed_v<T> && value < 0 ? 0 - bits : bits;
    return size != 0 && (size >> std::countr_zero(size)) >> std::numeric_limits<float>::digits != 0;
  } else {
    return false;
  }
}

template <class T>
float to_float(T value, const RasterLayout& layout) {
  if constexpr (std::is_same_v<T, double>) {
    if (std::isfinite(value) && !fits_float(value))
      throw Error(ErrorKind::input, "",
                  "this " + std::string(layout.format) + " contains a value beyond float32 (" + to_text(value) +
                      "); scale it down first");
  }
  return static_cast<float>(value);
}

/// Stores convert(value) of each stored value.
template <class Stored, class Element, class Convert>
void convert_values(std::endian order, const std::byte* from, std::int64_t step, std::int64_t count, Element* out,
                    std::int64_t out_step, const Convert& convert) {
  const auto run = [&](auto is_native) {
    constexpr std::endian kOther = std::endian::native == std::endian::little ? std::endian::big : std::endian::little;
    constexpr std::endian kOrder = is_native ? std::endian::native : kOther;
    if (step == sizeof(Stored) && out_step == 1)  // a loop that the compiler vectorises
      for (std::int64_t i = 0; i < count; ++i)
        out[i] = convert(load_number<Stored>(from + i * static_cast<std::int64_t>(sizeof(Stored)), kOrder));
    else
      for (std::int64_t i = 0; i < count; ++i)
        out[i * out_step] = convert(load_number<Stored>(from + i * step, kOrder));
  };
  order == std::endian::native ? run(std::true_type()) : run(std::false_type());
}

template <class Stored>
void load_floats(const RasterLayout& layout, const std::byte* from, std::int64_t step, std::int64_t count, float* out,
                 std::int64_t out_step) {
  if (layout.divisor == 1)
    convert_values<Stored>(layout.order, from, step, count, out, out_step,
                           [&](Stored value) { return to_float(value, layout); });
  else
    convert_values<Stored>(layout.order, from, step, count, out, out_step, [divisor = layout.divisor](Stored value) {
      return static_cast<float>(static_cast<double>(value) / divisor);
    });
}

template <class T>
void load_integers(const RasterLayout& layout, const std::byte* from, std::int64_t step, std::int64_t count, T* out,
                   std::int64_t out_step) {
  constexpr std::uint32_t kFull = std::numeric_limits<T>::max();
  const std::uint32_t largest = layout.largest ? static_cast<std::uint32_t>(*layout.largest) : kFull;
  if (largest == kFull)
    convert_values<T>(layout.order, from, step, count, out, out_step, [](T value) { return value; });
  else
    convert_values<T>(layout.order, from, step, count, out, out_step, [largest](T value) {
      return static_cast<T>(std::min<std::uint32_t>(value, largest) * kFull / largest);  // less than 2^32
    });
}

void load_bits(const std::byte* from, std::int64_t count, std::uint8_t* out, std::int64_t out_step) {
  for (std::int64_t x = 0; x < count; ++x)
    out[x * out_step] = (from[x / 8] >> (7 - x % 8) & std::byte{1}) != std::byte{0} ? kBlack : kWhite;
}

}  // namespace

void load_values(const RasterLayout& layout, const std::byte* from, std::int64_t step, std::int64_t count, void* out,
                 std::int64_t out_step) {
  if (layout.dtype == DType::f32) {
    visit_stored_type(layout.stored, [&]<class Stored>(Stored) {
      load_floats<Stored>(layout, from, step, count, static_cast<float*>(out), out_step);
    });
    return;
  }
  const bool is_byte = layout.dtype == DType::u8;
  require(layout.stored == (is_byte ? StoredType::u8 : StoredType::u16), "integers stored in another type");
  is_byte ? load_integers(layout, from, step, count, static_cast<std::uint8_t*>(out), out_step)
          : load_integers(layout, from, step, count, static_cast<std::uint16_t*>(out), out_step);
}

std::int64_t count_rounded(const RasterLayout& layout, std::span<const std::byte> stored) {
  if (!layout.may_round()) return 0;
  std::int64_t count = 0;
  visit_stored_type(layout.stored, [&]<class Stored>(Stored) {
    for (std::size_t at = 0; at + sizeof(Stored) <= stored.size(); at += sizeof(Stored))
      count += loses_digits(load_number<Stored>(stored.data() + at, layout.order)) ? 1 : 0;
  });
  return count;
}

void load_row(const RasterLayout& layout, const std::byte* from, std::int64_t first_channel, const TensorRef& row) {
  const std::int64_t channels = row.shape.c, width = row.shape.w;
  auto* const out = static_cast<std::byte*>(row.data);
  if (layout.stored == StoredType::bit)
    return load_bits(from, width, static_cast<std::uint8_t*>(row.data), row.strides.w);
  const std::int64_t size = size_of(layout.stored);
  if (!layout.interleaved) return load_values(layout, from, size, width, out, row.strides.w);
  const bool is_whole = channels == layout.shape.c && row.strides.w == channels;
  if (is_whole && (row.strides.c == 1 || channels == 1))
    return load_values(layout, from, size, width * channels, out, 1);
  if (is_whole && row.strides.c == -1) {  // B, G, R: a pass over contiguous values and one that reverses pixels
    visit_dtype(row.dtype, [&]<class T>(T) {
      T* const first = static_cast<T*>(row.data) - (channels - 1);
      load_values(layout, from, size, width * channels, first, 1);
      if (channels == 3)  // a loop that the compiler vectorises
        for (std::int64_t i = 0; i < width; ++i) std::swap(first[3 * i], first[3 * i + 2]);
      else
        for (T* pixel = first; pixel != first + width * channels; pixel += channels)
          std::reverse(pixel, pixel + channels);
    });
    return;
  }
  for (std::int64_t c = 0; c < channels; ++c)
    load_values(layout, from + (first_channel + c) * size, layout.shape.c * size, width,
                out + c * row.strides.c * size_of(row.dtype), row.strides.w);
}

void load_raster(std::span<const std::byte> file, const RasterLayout& layout, const TensorRef& values) {
  require(layout.fits(file.size()), "a raster beyond its file");
  for (std::int64_t n = 0; n < layout.shape.n; ++n)
    for_each_piece(layout, {.item = n}, values.item(n), 1, [&](std::uint64_t offset, std::int64_t, const auto& row_at) {
      load_row(layout, file.data() + offset, 0, row_at(0));
    });
}

namespace {

template <class T>
void store_values(std::endian order, const T* from, std::int64_t count, std::byte* to) {
  for (std::int64_t i = 0; i < count; ++i) store_number(to + i * static_cast<std::int64_t>(sizeof(T)), from[i], order);
}

/// The same for pixels of three channels in reverse, B, G, R to R, G, B. `from` is the first pixel's first channel that
/// is stored. A loop of its own, which the compiler vectorises.
template <class T>
void store_reversed(std::endian order, const T* from, std::int64_t pixels, std::byte* to) {
  constexpr auto kSize = static_cast<std::int64_t>(sizeof(T));
  for (std::int64_t i = 0; i < pixels; ++i)
    for (std::int64_t c = 0; c < 3; ++c) store_number(to + (3 * i + c) * kSize, from[3 * i - c], order);
}

}  // namespace

void store_row(const RasterLayout& layout, const ConstTensorRef& row, std::byte* to) {
  const std::int64_t channels = row.shape.c, width = row.shape.w;
  visit_dtype(row.dtype, [&]<class T>(T) {
    constexpr auto kSize = static_cast<std::int64_t>(sizeof(T));
    const T* const from = static_cast<const T*>(row.data);
    const bool is_contiguous = row.strides.w == channels && (row.strides.c == 1 || channels == 1);
    if (is_contiguous) return store_values(layout.order, from, width * channels, to);
    if (channels == 3 && row.strides.w == 3 && row.strides.c == -1)
      return store_reversed(layout.order, from, width, to);
    for (std::int64_t x = 0; x < width; ++x)
      for (std::int64_t c = 0; c < channels; ++c, to += kSize)
        store_number(to, from[x * row.strides.w + c * row.strides.c], layout.order);
  });
}

Bytes format_raster(const RasterFormat& format, const ConstTensorRef& values) {
  const RasterLayout& layout = format.layout;
  Bytes file(format.header);
  file.resize(layout.offset + layout.size());
  for (std::int64_t n = 0; n < layout.shape.n; ++n)
    for_each_piece(layout, {.item = n}, ConstTensorRef(values.item(n)), 1,
                   [&](std::uint64_t offset, std::int64_t, const auto& row_at) {
                     store_row(layout, row_at(0), file.data() + offset);
                   });
  return file;
}

}  // namespace convtool
