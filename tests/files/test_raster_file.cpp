// Rasters read and written in bands: every stored type, order of bytes, rows and channels, into memory of any layout.
#include <doctest/doctest.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <bit>
#include <cstring>
#include <limits>
#include <string>
#include <thread>
#include <vector>

#include "core/half.h"
#include "core/parallel.h"
#include "files/raster_file.h"
#include "files/raster_values.h"
#include "support/error_text.h"
#include "support/program.h"
#include "support/random.h"

namespace convtool {
namespace {

using testing::error_text;

/// A file, and its values in the order n, c, y, x.
struct Raster {
  RasterLayout layout;
  std::string file;
  std::vector<double> values;
};

/// Calls `visit` with the index of each value in the order n, c, y, x, in the order in which the file stores them.
template <class Visit>
void in_stored_order(const RasterLayout& layout, const Visit& visit) {
  const Shape& s = layout.shape;
  const auto index = [&](std::int64_t n, std::int64_t c, std::int64_t y, std::int64_t x) {
    return static_cast<std::size_t>(((n * s.c + c) * s.h + (layout.bottom_up ? s.h - 1 - y : y)) * s.w + x);
  };
  for (std::int64_t n = 0; n < s.n; ++n)
    if (layout.interleaved) {
      for (std::int64_t y = 0; y < s.h; ++y)
        for (std::int64_t x = 0; x < s.w; ++x)
          for (std::int64_t c = 0; c < s.c; ++c) visit(index(n, c, y, x));
    } else {
      for (std::int64_t c = 0; c < s.c; ++c)
        for (std::int64_t y = 0; y < s.h; ++y)
          for (std::int64_t x = 0; x < s.w; ++x) visit(index(n, c, y, x));
    }
}

template <class T>
void append(std::string& file, T value, std::endian order) {
  char bytes[sizeof(T)];
  std::memcpy(bytes, &value, sizeof(T));
  if (order != std::endian::native) std::reverse(bytes, bytes + sizeof(T));
  file.append(bytes, sizeof(T));
}

/// Appends random values of type T, and notes what they mean.
template <class T>
void append_numbers(Raster& raster, Random& random) {
  const RasterLayout& layout = raster.layout;
  in_stored_order(layout, [&](std::size_t index) {
    T value;
    if constexpr (std::is_floating_point_v<T>)
      value = static_cast<T>(random.rough()) * 1000 + static_cast<T>(random.rough());
    else if constexpr (std::is_same_v<T, Half>)
      value.bits = static_cast<std::uint16_t>(random.between(0, 0x7bff));  // finite
    else
      value = static_cast<T>(random.seed());
    append(raster.file, value, layout.order);
    raster.values[index] = layout.divisor == 1 ? static_cast<float>(value)
                                               : static_cast<float>(static_cast<double>(value) / layout.divisor);
    if constexpr (std::is_integral_v<T>) {
      if (layout.dtype == DType::f32) return;
      const auto number = static_cast<std::int64_t>(value), full = static_cast<std::int64_t>(full_range(layout.dtype));
      raster.values[index] =
          static_cast<double>(layout.largest ? std::min(number, *layout.largest) * full / *layout.largest : number);
    }
  });
}

void append_bits(Raster& raster, Random& random) {
  const Shape& shape = raster.layout.shape;
  for (std::int64_t y = 0; y < shape.h; ++y)
    for (std::int64_t x = 0; x < shape.w; ++x) {
      const bool is_black = random.chance(2);
      if (x % 8 == 0) raster.file.push_back(static_cast<char>(random.between(0, 127)));
      const int bit = 1 << (7 - x % 8);
      raster.file.back() = static_cast<char>(is_black ? raster.file.back() | bit : raster.file.back() & ~bit);
      const std::int64_t row = raster.layout.bottom_up ? shape.h - 1 - y : y;
      raster.values[static_cast<std::size_t>(row * shape.w + x)] = is_black ? 0 : 255;
    }
}

Raster random_raster(StoredType stored, Random& random) {
  Raster raster;
  RasterLayout& layout = raster.layout;
  layout.format = "test";
  layout.stored = stored;
  layout.offset = static_cast<std::uint64_t>(random.between(0, 100));
  layout.order = random.chance(2) ? std::endian::little : std::endian::big;
  layout.interleaved = random.chance(2);
  layout.bottom_up = random.chance(3);
  // Now and then, rows that are read one by one.
  layout.shape = {.n = random.between(1, 2),
                  .c = random.between(1, 4),
                  .h = random.between(1, 9),
                  .w = random.chance(5) ? random.between(4000, 20'000) : random.between(1, 40)};
  if (stored == StoredType::bit) {
    layout.shape.n = layout.shape.c = 1;
    layout.dtype = DType::u8;
  } else if ((stored == StoredType::u8 || stored == StoredType::u16) && random.chance(2)) {
    layout.dtype = stored == StoredType::u8 ? DType::u8 : DType::u16;
    if (random.chance(2)) layout.largest = random.between(1, static_cast<std::int64_t>(full_range(layout.dtype)) - 1);
  } else if (random.chance(3)) {
    layout.divisor = 3.5;
  }
  for (std::uint64_t i = 0; i < layout.offset; ++i) raster.file.push_back(static_cast<char>(random.between(0, 255)));
  raster.values.resize(static_cast<std::size_t>(layout.shape.count()));
  switch (stored) {
    case StoredType::bit: append_bits(raster, random); break;
    case StoredType::u8: append_numbers<std::uint8_t>(raster, random); break;
    case StoredType::u16: append_numbers<std::uint16_t>(raster, random); break;
    case StoredType::u32: append_numbers<std::uint32_t>(raster, random); break;
    case StoredType::u64: append_numbers<std::uint64_t>(raster, random); break;
    case StoredType::i8: append_numbers<std::int8_t>(raster, random); break;
    case StoredType::i16: append_numbers<std::int16_t>(raster, random); break;
    case StoredType::i32: append_numbers<std::int32_t>(raster, random); break;
    case StoredType::i64: append_numbers<std::int64_t>(raster, random); break;
    case StoredType::f16: append_numbers<Half>(raster, random); break;
    case StoredType::f32: append_numbers<float>(raster, random); break;
    case StoredType::f64: append_numbers<double>(raster, random); break;
  }
  return raster;
}

/// Memory for a band, in one of the layouts that callers have, between elements that must not change.
class BandMemory {
 public:
  BandMemory(DType dtype, const Shape& shape, Random& random)
      : tensor_(filled(dtype, {.h = 1, .w = 1}, [] { return 7; })) {
    Strides strides;
    std::int64_t first = 0;
    const std::int64_t gap = random.chance(2) ? random.between(1, 5) : 0;
    switch (random.between(0, 2)) {
      case 0: strides = {.c = shape.h * (shape.w + gap), .h = shape.w + gap, .w = 1}; break;
      case 1: strides = {.c = 1, .h = shape.w * shape.c + gap, .w = shape.c}; break;
      default:  // the order of OpenCV: B, G, R
        strides = {.c = -1, .h = shape.w * shape.c + gap, .w = shape.c};
        first = shape.c - 1;
    }
    const std::int64_t size = shape.c * shape.h * (shape.w + gap) + gap * shape.h + 2;
    tensor_ = filled(dtype, {.h = 1, .w = size}, [] { return 7; });
    ref_ = tensor_.ref();
    ref_.data = static_cast<std::byte*>(ref_.data) + (1 + first) * size_of(dtype);
    ref_.shape = shape;
    ref_.strides = strides;
  }

  const TensorRef& ref() const { return ref_; }

  double get(std::int64_t c, std::int64_t y, std::int64_t x) const {
    return visit_dtype(ref_.dtype, [&]<class T>(T) { return static_cast<double>(ref_.view<T>().at(0, c, y, x)); });
  }
  void set(std::int64_t c, std::int64_t y, std::int64_t x, double value) {
    visit_dtype(ref_.dtype, [&]<class T>(T) { ref_.view<T>().at(0, c, y, x) = static_cast<T>(value); });
  }

  /// The number of elements around the band that still have their first value, if the band is filled with others.
  std::int64_t untouched() {
    std::int64_t count = 0;
    for (std::int64_t c = 0; c < ref_.shape.c; ++c)
      for (std::int64_t y = 0; y < ref_.shape.h; ++y)
        for (std::int64_t x = 0; x < ref_.shape.w; ++x) set(c, y, x, 8);
    visit_dtype(ref_.dtype, [&]<class T>(T) {
      const T* const data = tensor_.data<T>();
      count = std::count(data, data + tensor_.shape().count(), T{7});
    });
    return count;
  }
  std::int64_t around() const { return tensor_.shape().count() - ref_.shape.count(); }

 private:
  Tensor tensor_;
  TensorRef ref_;
};

double value_of(const Raster& raster, const Band& band, std::int64_t c, std::int64_t y, std::int64_t x) {
  const Shape& shape = raster.layout.shape;
  return raster.values[static_cast<std::size_t>(
      ((band.item * shape.c + band.channel + c) * shape.h + band.row + y) * shape.w + x)];
}

constexpr StoredType kTypes[] = {StoredType::bit, StoredType::u8,  StoredType::u16, StoredType::u32,
                                 StoredType::u64, StoredType::i8,  StoredType::i16, StoredType::i32,
                                 StoredType::i64, StoredType::f16, StoredType::f32, StoredType::f64};

TEST_CASE("bands of rasters of every type and order have the values of the file") {
  const TempFolder folder;
  Random random(1);
  for (const StoredType stored : kTypes)
    for (int i = 0; i < 40; ++i) {
      const Raster raster = random_raster(stored, random);
      const Shape& shape = raster.layout.shape;
      CAPTURE(static_cast<int>(stored));
      CAPTURE(i);
      REQUIRE(raster.layout.offset + raster.layout.size() == raster.file.size());
      const RasterReader reader(RandomAccessFile(folder.write("raster", raster.file), ErrorKind::input), raster.layout);
      for (int j = 0; j < 4; ++j) {
        const Band band{.item = random.between(0, shape.n - 1),
                        .channel = random.between(0, shape.c - 1),
                        .row = random.between(0, shape.h - 1)};
        const Shape part{.n = 1,
                         .c = random.chance(2) ? shape.c - band.channel : random.between(1, shape.c - band.channel),
                         .h = random.between(1, shape.h - band.row),
                         .w = shape.w};
        BandMemory memory(raster.layout.dtype, part, random);
        reader.read(band, memory.ref());
        std::int64_t wrong = 0;
        for (std::int64_t c = 0; c < part.c; ++c)
          for (std::int64_t y = 0; y < part.h; ++y)
            for (std::int64_t x = 0; x < part.w; ++x) wrong += memory.get(c, y, x) != value_of(raster, band, c, y, x);
        CHECK(wrong == 0);
        CHECK(memory.untouched() == memory.around());
      }
      // The whole raster in memory is converted to the same values.
      Tensor whole(raster.layout.dtype, shape);
      load_raster(std::as_bytes(std::span(raster.file)), raster.layout, whole.ref());
      std::vector<double> values;
      visit_dtype(whole.dtype(), [&]<class T>(T) { values.assign(whole.data<T>(), whole.data<T>() + shape.count()); });
      CHECK((values == raster.values));
      reader.check_unchanged();
    }
}

TEST_CASE("rounded values are counted once, whatever the bands that are read, and one bit a row") {
  const TempFolder folder;
  RasterLayout layout;
  layout.format = "test";
  layout.stored = StoredType::f64;
  layout.shape = {.n = 1, .c = 2, .h = 77, .w = 3};
  std::string file;
  for (std::int64_t i = 0; i < layout.shape.count(); ++i) append(file, i % 5 == 0 ? 0.1 : 0.5, layout.order);
  const RasterReader reader(RandomAccessFile(folder.write("raster", file), ErrorKind::input), layout);
  CHECK(reader.memory() == 20);  // for 2 * 77 rows
  const auto read = [&](const Band& band, std::int64_t channels, std::int64_t rows) {
    Tensor values(DType::f32, {.n = 1, .c = channels, .h = rows, .w = 3});
    reader.read(band, values.ref());
  };
  read({.row = 5}, 1, 5);  // values 15 to 29
  CHECK(reader.rounded_values() == 3);
  read({.row = 7}, 1, 4);  // and 30 to 32
  CHECK(reader.rounded_values() == 4);
  run_threads(4, [&] { read({}, 2, 77); });
  CHECK(reader.rounded_values() == 93);  // of 462 values, the first of every 5
}

TEST_CASE("bands are written in any order, by several threads, and the file is that of the whole raster") {
  const TempFolder folder;
  Random random(2);
  for (const StoredType stored : {StoredType::u8, StoredType::u16, StoredType::f32})
    for (int i = 0; i < 40; ++i) {
      CAPTURE(static_cast<int>(stored));
      CAPTURE(i);
      Raster raster = random_raster(stored, random);
      raster.layout.dtype = stored == StoredType::u8 ? DType::u8 : stored == StoredType::u16 ? DType::u16 : DType::f32;
      raster.layout.largest = std::nullopt;
      raster.layout.divisor = 1;
      raster.file.resize(raster.layout.offset);
      visit_dtype(raster.layout.dtype, [&]<class T>(T) { append_numbers<T>(raster, random); });
      const std::span<const std::byte> header = std::as_bytes(std::span(raster.file)).first(raster.layout.offset);
      const RasterFormat format{.header = {header.begin(), header.end()}, .layout = raster.layout};

      const Shape& shape = raster.layout.shape;
      std::vector<std::pair<Band, BandMemory>> bands;
      for (std::int64_t n = 0; n < shape.n; ++n)
        for (std::int64_t c = 0; c < shape.c; c += raster.layout.interleaved ? shape.c : 1)
          for (std::int64_t y = 0; y < shape.h;) {
            const Shape part{
                .c = raster.layout.interleaved ? shape.c : 1, .h = random.between(1, shape.h - y), .w = shape.w};
            const Band band{.item = n, .channel = c, .row = y};
            BandMemory memory(raster.layout.dtype, part, random);
            for (std::int64_t pc = 0; pc < part.c; ++pc)
              for (std::int64_t py = 0; py < part.h; ++py)
                for (std::int64_t x = 0; x < part.w; ++x) memory.set(pc, py, x, value_of(raster, band, pc, py, x));
            bands.emplace_back(band, std::move(memory));
            y += part.h;
          }
      const std::string path = folder.file("raster");
      {
        RasterWriter writer(path, format);
        CHECK(!writer.is_sequential());
        std::vector<std::jthread> threads;
        for (std::size_t t = 0; t < 3; ++t)
          threads.emplace_back([&, t] {
            for (std::size_t b = t; b < bands.size(); b += 3) {
              const auto& [band, memory] = bands[bands.size() - 1 - b];
              writer.write(band, memory.ref());
            }
          });
        threads.clear();
        CHECK(writer.commit());
      }
      CHECK((read_text(path) == raster.file));

      Tensor whole(raster.layout.dtype, shape);
      load_raster(std::as_bytes(std::span(raster.file)), raster.layout, whole.ref());
      const Bytes bytes = format_raster(format, whole.ref());
      CHECK((std::equal(bytes.begin(), bytes.end(), std::as_bytes(std::span(raster.file)).begin(),
                        std::as_bytes(std::span(raster.file)).end())));
    }
}

/// A plane of u8 in rows of `width`.
RasterLayout plane(std::int64_t height, std::int64_t width) {
  return {.format = "test",
          .shape = {.n = 1, .c = 1, .h = height, .w = width},
          .stored = StoredType::u8,
          .dtype = DType::u8};
}

TEST_CASE("a file that becomes shorter or changes while it is read is an error") {
  const TempFolder folder;
  const std::string path = folder.write("raster", std::string(10'000, 'x'));
  const RasterReader reader(RandomAccessFile(path, ErrorKind::input), plane(100, 100));
  Tensor tensor(DType::u8, {.h = 50, .w = 100});
  reader.read({.row = 50}, tensor.ref());
  reader.check_unchanged();
  const std::string changed = path + ": changed while it was being read; run again when it is complete";
  REQUIRE(truncate(path.c_str(), 9'999) == 0);
  reader.read({}, tensor.ref());
  CHECK(error_text(ErrorKind::input, [&] { reader.read({.row = 50}, tensor.ref()); }) == changed);
  CHECK(error_text(ErrorKind::input, [&] { reader.check_unchanged(); }) == changed);

  const RasterReader longer(RandomAccessFile(path, ErrorKind::input), plane(99, 100));
  REQUIRE(truncate(path.c_str(), 10'000) == 0);
  CHECK(error_text(ErrorKind::input, [&] { longer.check_unchanged(); }) == changed);
}

TEST_CASE("a double beyond float32 is an error, infinity and NaN are not") {
  const TempFolder folder;
  const RasterLayout layout{.format = ".npy", .shape = {.n = 1, .c = 1, .h = 1, .w = 3}, .stored = StoredType::f64};
  const auto reads = [&](double third) {
    const double values[] = {std::numeric_limits<double>::infinity(), std::numeric_limits<double>::quiet_NaN(), third};
    const std::string path = folder.write("raster", {reinterpret_cast<const char*>(values), sizeof values});
    Tensor tensor(DType::f32, layout.shape);
    RasterReader(RandomAccessFile(path, ErrorKind::input), layout).read({}, tensor.ref());
    CHECK(tensor.data<float>()[0] == std::numeric_limits<float>::infinity());
    CHECK(tensor.data<float>()[1] != tensor.data<float>()[1]);
  };
  reads(3e38);
  const std::string message = error_text(ErrorKind::input, [&] { reads(-1e39); });
  CHECK(message.starts_with(folder.file("raster") + ": this .npy contains a value beyond float32 (-1e+39)"));
}

TEST_CASE("a raster into a pipe is written in the order of the file") {
  const TempFolder folder;
  const std::string path = folder.file("pipe");
  REQUIRE(mkfifo(path.c_str(), 0600) == 0);
  const int reader = open(path.c_str(), O_RDONLY | O_NONBLOCK | O_CLOEXEC);
  REQUIRE(reader >= 0);
  RasterFormat format{.header = Bytes(2, std::byte{'#'}), .layout = plane(4, 3)};
  format.layout.offset = 2;
  format.layout.bottom_up = true;
  RasterWriter writer(path, format);
  CHECK(writer.is_sequential());
  Tensor rows = filled(DType::u8, {.h = 2, .w = 3}, [value = '0']() mutable { return value++; });
  writer.write({.row = 2}, rows.ref());
  CHECK_THROWS_AS(writer.write({.row = 2}, rows.ref()), Error);
  writer.write({.row = 0}, rows.ref());
  CHECK(writer.commit());
  char received[100];
  const ssize_t size = read(reader, received, sizeof received);
  close(reader);
  CHECK(std::string(received, static_cast<std::size_t>(std::max<ssize_t>(0, size))) == "##345012345012");
}

TEST_CASE("layouts that do not fit into their file, however large their numbers") {
  CHECK(plane(10, 10).fits(100));
  CHECK(!plane(10, 10).fits(99));
  CHECK(!plane(0, 10).fits(100));
  CHECK(!plane(10, 0).fits(100));
  RasterLayout late = plane(10, 10);
  late.offset = 1;
  CHECK(!late.fits(100));
  late.offset = 101;
  CHECK(!late.fits(100));
  RasterLayout huge = plane(std::int64_t{1} << 31, std::int64_t{1} << 31);
  huge.shape.c = 3;
  huge.interleaved = true;
  huge.stored = StoredType::u16;  // 6 x 2^62 bytes, which are 2^63 modulo 2^64
  CHECK(!huge.fits(std::uint64_t{1} << 63));
}

}  // namespace
}  // namespace convtool
