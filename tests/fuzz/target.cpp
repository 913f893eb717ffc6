#include "fuzz/target.h"

#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <cstdlib>

#include "files/descriptor.h"

namespace convtool::fuzz {
namespace {

/// While a codec runs, descriptor 2 is captured (files/stderr_capture.h).
const int stderr_at_start = fcntl(STDERR_FILENO, F_DUPFD_CLOEXEC, 3);

}  // namespace

std::vector<Target> all_targets() {
  std::vector<Target> all = decode_targets();
  for (const auto& make :
       {conv_target, file_list_target, header_target, kernel_target, layer_text_target, manifest_target, npy_target,
        npz_target, onnx_target, option_value_target, output_name_target, png_writer_target, safetensors_target,
        stream_target, tensor_text_target})
    all.push_back(make());
  std::sort(all.begin(), all.end(), [](const Target& a, const Target& b) { return a.name < b.name; });
  return all;
}

void fail(const std::string& what) {
  const std::string line = "\nfuzz target: " + what + "\n";
  write_all(stderr_at_start, std::as_bytes(std::span(line)));
  std::abort();
}

std::vector<Bytes> seeds_of(std::initializer_list<std::string_view> texts) {
  std::vector<Bytes> seeds;
  for (const std::string_view text : texts) seeds.push_back(bytes_of(text));
  return seeds;
}

}  // namespace convtool::fuzz
