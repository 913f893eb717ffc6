// Safetensors files: arrays lie inside the file, and have the elements that their shapes announce.
#include "tensors/safetensors.h"

#include "fuzz/memory_file.h"
#include "fuzz/target.h"
#include "support/safetensors.h"

namespace convtool::fuzz {
namespace safetensors {

bool run(std::span<const std::byte> input) {
  const MemoryFile memory(input);
  return accepts({ErrorKind::kernel}, [&] {
    const SafetensorsFile file(memory.path());
    std::uint64_t end = 0;
    for (const StoredArray& array : file.arrays()) {
      check(array.begin >= end && array.begin <= array.end && array.end <= input.size(), "an array in a wrong place");
      end = array.end;
      check(file.find(array.name) != nullptr, "an array that is not found by its name");
      const bool is_read = accepts({ErrorKind::kernel}, [&] {
        check(std::ssize(file.read(array)) == array.count(), "another number of values than the shape's");
      });
      check(!is_read || is_readable_dtype(array.dtype), "values of an unknown type");
    }
    check(end == input.size() || file.arrays().empty(), "bytes that belong to no array");
  });
}

std::vector<Bytes> seeds() {
  const auto file = [](const std::string& header, std::size_t data) {
    return bytes_of(::safetensors(header, std::string(data, '\x11')));
  };
  return {file("{}", 0), file(R"({"a":{"dtype":"F32","shape":[2,3],"data_offsets":[0,24]}})", 24),
          file(R"({"__metadata__":{"format":"pt"},"a":{"dtype":"F16","shape":[2],"data_offsets":[0,4]},)"
               R"("b":{"dtype":"BF16","shape":[2,1],"data_offsets":[4,8]},"c":{"dtype":"F64","shape":[],)"
               R"("data_offsets":[8,16]},"d":{"dtype":"I8","shape":[0,5],"data_offsets":[16,16]}})",
               16),
          file(R"({"a":{"dtype":"I64","shape":[1],"data_offsets":[0,8]},"b":{"dtype":"U32","shape":[1,1,1],)"
               R"("data_offsets":[8,12]},"c":{"dtype":"U16","shape":[1],"data_offsets":[12,14]}})",
               14),
          file(R"({"a":{"dtype":"BOOL","shape":[3],"data_offsets":[0,3]},"b":{"dtype":"F8_E4M3","shape":[1],)"
               R"("data_offsets":[3,4]}})",
               4)};
}

}  // namespace safetensors

Target safetensors_target() { return {"safetensors", safetensors::run, safetensors::seeds()}; }

}  // namespace convtool::fuzz
