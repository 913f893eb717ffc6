// The report on an input that an exception has ended.
#include <doctest/doctest.h>

#include <new>
#include <stdexcept>

#include "cli/batch/failure.h"

using namespace convtool;

namespace {

template <class Exception>
Error handled(const Exception& exception) {
  try {
    throw exception;
  } catch (const std::exception&) {
    return handled_error();
  }
}

}  // namespace

TEST_CASE("an exception that ends an input becomes an error of its kind") {
  const Error own = handled(Error(ErrorKind::shape, "a.png", "does not fit"));
  CHECK(own.kind() == ErrorKind::shape);
  CHECK(own.where() == "a.png");
  CHECK(own.what() == std::string("a.png: does not fit"));
  const Error memory = handled(std::bad_alloc());
  CHECK(memory.kind() == ErrorKind::memory);
  CHECK(memory.what() == std::string("not enough memory"));
  const Error other = handled(std::runtime_error("a codec failed"));
  CHECK(other.kind() == ErrorKind::internal);
  CHECK(other.what() == std::string("a codec failed"));
}

TEST_CASE("the report of a failure keeps what was known before it") {
  const RunReport report =
      failed({.input = "a.png", .part = {}, .output = "b.png"}, Error(ErrorKind::output, "b.png", "the disk is full"));
  CHECK(report.input == "a.png");
  CHECK(report.output == "b.png");
  CHECK(report.status == RunReport::Status::error);
  CHECK(report.error_kind == ErrorKind::output);
  CHECK(report.error_message == "b.png: the disk is full");
}
