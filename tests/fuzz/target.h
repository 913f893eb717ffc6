// Fuzz targets: functions that feed bytes of any origin to the product and check what it promises about them.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <initializer_list>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "core/error.h"
#include "core/printable.h"
#include "files/file.h"

namespace convtool::fuzz {

/// A change to the `size` bytes in `data`, in place and to at most `limit` bytes. Returns the new size, or 0 to leave
/// the change to libFuzzer. It depends on `seed` alone.
using Mutator = std::size_t (*)(std::uint8_t* data, std::size_t size, std::size_t limit, unsigned seed);

struct Target {
  std::string name;
  /// Calls fail() where a promise is broken. Returns whether the input was accepted.
  bool (*run)(std::span<const std::byte> input);
  std::vector<Bytes> seeds;  ///< inputs from which a fuzzer starts; small, and each of another kind
  Mutator mutate = nullptr;
};

// Each is defined in the file of its name.
Target conv_target();
std::vector<Target> decode_targets();  ///< one for each type of picture file
Target file_list_target();
Target header_target();
Target kernel_target();
Target layer_text_target();
Target manifest_target();
Target npy_target();
Target npz_target();
Target onnx_target();
Target option_value_target();
Target output_name_target();
Target png_writer_target();
Target safetensors_target();
Target stream_target();
Target tensor_text_target();

/// All of them, sorted by name.
std::vector<Target> all_targets();

/// Prints `what` to the standard error that the process started with, and aborts.
[[noreturn]] void fail(const std::string& what);

/// fail() unless `holds`.
inline void check(bool holds, const std::string& what) {
  if (!holds) fail(what);
}

/// Runs `work`, which may throw an Error of one of these kinds, with a message of one line. Returns whether it threw
/// nothing. Other exceptions end the process.
template <class Work>
bool accepts(std::initializer_list<ErrorKind> kinds, const Work& work) {
  try {
    work();
    return true;
  } catch (const Error& error) {
    const std::string message = error.what();
    bool is_expected = false;
    for (const ErrorKind kind : kinds) is_expected = is_expected || kind == error.kind();
    check(is_expected, "an error of kind " + std::string(to_string(error.kind())) + ": " + message);
    check(!message.empty() && message == printable(message), "a message that is not one line");
    return false;
  }
}

/// The bytes as characters, and characters as bytes.
inline std::string_view text_of(std::span<const std::byte> bytes) {
  return {reinterpret_cast<const char*>(bytes.data()), bytes.size()};
}
inline Bytes bytes_of(std::string_view text) {
  const auto bytes = std::as_bytes(std::span(text));
  return {bytes.begin(), bytes.end()};
}

/// Whether every check is made on every input. libFuzzer tries more inputs in the same time without.
inline bool checks_all = true;

/// Whether check `which` of `count` that take long is made on this input: all are, or one that depends on the input.
inline bool is_due(std::size_t which, std::size_t count, std::span<const std::byte> input) {
  return checks_all || std::hash<std::string_view>()(text_of(input)) % count == which;
}

/// A seed from each text.
std::vector<Bytes> seeds_of(std::initializer_list<std::string_view> texts);

}  // namespace convtool::fuzz
