#include "fuzz/tensor_seeds.h"

#include <string>

#include "support/picture_bytes.h"

namespace convtool::fuzz {
namespace {

Bytes npy_file(int version, const std::string& type, const std::string& fortran, const std::string& shape,
               std::size_t data_bytes) {
  const std::string header = "{'descr': '" + type + "', 'fortran_order': " + fortran + ", 'shape': " + shape + ", }\n";
  testing::ByteWriter file;
  file.u8(0x93).text("NUMPY").u8(static_cast<std::uint64_t>(version)).u8(0);
  version == 1 ? file.u16(header.size()) : file.u32(header.size());
  file.text(header);
  for (std::size_t i = 0; i < data_bytes; ++i) file.u8(i % 64);  // small numbers in every type
  return file.bytes();
}

}  // namespace

std::vector<Bytes> npy_seeds() {
  std::vector<Bytes> seeds;
  for (const std::string type : {"f8", "f4", "i8", "i4", "i2", "i1", "u8", "u4", "u2", "u1"})
    for (const std::string order : {"<", ">"})
      seeds.push_back(npy_file(1, order + type, "False", "(3, 2)", 6 * static_cast<std::size_t>(type[1] - '0')));
  seeds.push_back(npy_file(1, "<f4", "True", "(2, 3)", 24));
  seeds.push_back(npy_file(1, "<f4", "False", "(5,)", 20));
  seeds.push_back(npy_file(1, "<f4", "True", "(1, 2, 3)", 24));
  seeds.push_back(npy_file(2, "<f4", "False", "(2, 1, 2, 3)", 48));
  seeds.push_back(npy_file(3, "|u1", "False", "(2, 3)", 6));
  return seeds;
}

}  // namespace convtool::fuzz
