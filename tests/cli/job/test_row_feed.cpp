// The rows of a picture in grey, each of whose values is the number of its row, and of one in red.
#include <doctest/doctest.h>

#include <numeric>
#include <vector>

#include "cli/job/row_feed.h"

namespace convtool {
namespace {

constexpr std::int64_t kFedRows = 40, kFedColumns = 5;
constexpr std::uint8_t kRed = 200;

/// Rows up to `end`, where damage begins unless all are there.
class TestRows : public PictureRows {
 public:
  explicit TestRows(std::int64_t channels, std::int64_t end = kFedRows) : channels_(channels), end_(end) {}

  bool read(const TensorRef& rows) override {
    if (next_ + rows.shape.h > end_) return false;
    auto* value = static_cast<std::uint8_t*>(rows.data);
    for (std::int64_t y = 0; y < rows.shape.h; ++y, ++next_)
      for (std::int64_t i = 0; i < channels_ * kFedColumns; ++i, ++value)
        *value = channels_ == 1 ? static_cast<std::uint8_t>(next_) : i % channels_ == 2 ? kRed : std::uint8_t{0};
    return true;
  }
  bool is_sound() override { return next_ == kFedRows; }

  Shape shape() const { return {.n = 1, .c = channels_, .h = kFedRows, .w = kFedColumns}; }
  std::int64_t next() const { return next_; }

 private:
  const std::int64_t channels_, end_;
  std::int64_t next_ = 0;
};

/// The last value of each row.
std::vector<int> read(RowFeed& feed, std::int64_t first, std::int64_t count) {
  Tensor memory(DType::u8, {.n = 1, .c = 1, .h = count, .w = kFedColumns});
  feed.read(first, memory.ref());
  std::vector<int> values;
  for (std::int64_t y = 0; y < count; ++y)
    values.push_back(memory.data<std::uint8_t>()[y * kFedColumns + kFedColumns - 1]);
  return values;
}

std::vector<int> numbers(int first, std::size_t count) {
  std::vector<int> values(count);
  std::iota(values.begin(), values.end(), first);
  return values;
}

TEST_CASE("rows are fed again, and after rows that are skipped; those before the kept ones are gone") {
  TestRows rows(1);
  RowFeed feed(rows, rows.shape(), DType::u8, false, 6);
  CHECK(read(feed, 0, 4) == numbers(0, 4));
  CHECK(read(feed, 2, 5) == numbers(2, 5));  // two of them again
  CHECK(read(feed, 1, 6) == numbers(1, 6));  // all of them again
  CHECK(rows.next() == 7);
  CHECK_THROWS_AS(read(feed, 0, 1), NoMoreRows);
  CHECK(read(feed, 30, 3) == numbers(30, 3));  // after 23 that are skipped
  CHECK(read(feed, 27, 6) == numbers(27, 6));  // some of those
  CHECK_THROWS_AS(read(feed, 26, 1), NoMoreRows);
  CHECK(feed.finish());
  CHECK(rows.next() == kFedRows);
  CHECK(read(feed, 34, 6) == numbers(34, 6));
}

TEST_CASE("damage is found by the read of a row, and at the end") {
  TestRows rows(1, 20);
  RowFeed feed(rows, rows.shape(), DType::u8, false, 6);
  CHECK(read(feed, 0, 20) == numbers(0, 20));
  CHECK_THROWS_AS(read(feed, 19, 2), NoMoreRows);
  CHECK_THROWS_AS(feed.finish(), NoMoreRows);
}

TEST_CASE("colours are fed as luma") {
  TestRows rows(3);
  RowFeed feed(rows, rows.shape(), DType::u8, true, 3);
  const int luma = 60;  // 0.299 * 200 = 59.8
  CHECK(read(feed, 0, 19) == std::vector<int>(19, luma));
  CHECK(read(feed, 17, 3) == std::vector<int>(3, luma));
  CHECK(feed.finish());
}

}  // namespace
}  // namespace convtool
