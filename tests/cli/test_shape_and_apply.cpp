// `shape FILE` reads the header, `apply FILE` the pixels: both must find the same picture or tensor.

#include <doctest/doctest.h>

#include <fstream>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "cli/job/source.h"
#include "pictures/sample_pictures.h"
#include "support/program.h"

using namespace convtool;
using namespace convtool::testing;
using nlohmann::json;

namespace {

Bytes npy(const std::string& shape, std::size_t count) {
  std::string header = "{'descr': '<f4', 'fortran_order': False, 'shape': " + shape + ", }";
  header.resize(118 - 1, ' ');
  return ByteWriter().u8(0x93).text("NUMPY").u8(1).u8(0).u16(118).text(header + "\n").append(Bytes(4 * count)).bytes();
}

std::vector<Sample> sample_inputs() {
  std::vector<Sample> inputs = sample_pictures();
  inputs.push_back({"npy of rank 2", npy("(3, 4)", 12)});
  inputs.push_back({"npy of rank 3", npy("(2, 3, 4)", 24)});
  inputs.push_back({"npy of rank 4", npy("(2, 5, 3, 4)", 120)});
  inputs.push_back({"json of rank 2", to_bytes("[[1, 2, 3], [4, 5, 6]]")});
  inputs.push_back({"json of rank 3", to_bytes("[[[1, 2, 3], [4, 5, 6]], [[1, 2, 3], [4, 5, 6]]]")});
  const Bytes rows(3 * (1 + 2 * 4));
  for (const int colour_type : {0, 2, 3, 4, 6})
    for (const bool transparent : {false, true}) {
      if (transparent && colour_type > 3) continue;  // they have alpha already
      const std::size_t channels = colour_type == 2 ? 3 : colour_type == 4 ? 2 : colour_type == 6 ? 4 : 1;
      PngParts parts{.width = 2, .height = 3, .colour_type = colour_type, .rows = Bytes(3 * (1 + 2 * channels))};
      if (colour_type == 3) parts.palette = Bytes(3);
      if (transparent) parts.transparency = Bytes(colour_type == 0 ? 2 : colour_type == 2 ? 6 : 1);
      inputs.push_back({"png of colour type " + std::to_string(colour_type) + (transparent ? ", transparent" : ""),
                        png_file(parts)});
    }
  return inputs;
}

json report(const std::vector<std::string>& arguments, const TempFolder& folder) {
  const ProgramResult result = run_convtool(arguments, folder);
  CAPTURE(result.err);
  REQUIRE(result.code == 0);
  return json::parse(result.out);
}

}  // namespace

TEST_CASE("shape and apply agree on the channels, size and type of every kind of input") {
  const TempFolder folder;
  int rgb_and_alpha = 0;
  for (const Sample& input : sample_inputs()) {
    CAPTURE(input.name);
    const std::string path =
        folder.write("input", std::string(reinterpret_cast<const char*>(input.file.data()), input.file.size()));
    const json shape = report({"shape", path, "-k", "identity", "--json"}, folder);
    // shape leaves alpha out, as far as it is not filtered.
    const json applied =
        report({"apply", path, "-k", "identity", "--alpha", "drop", "-o", "out.npy", "--json"}, folder);
    CHECK(shape["output_shape"] == applied["output_shape"]);

    const SourceHeader header = read_source_header(input.file, path, std::nullopt);
    CHECK(applied["input_dtype"] == std::string(to_string(header.dtype)));
    std::vector<std::int64_t> all = {header.shape.n, header.shape.c, header.shape.h, header.shape.w};
    all.erase(all.begin(), all.end() - std::ssize(applied["input_shape"]));
    CHECK(applied["input_shape"] == all);
    if (header.has_alpha()) ++rgb_and_alpha;
  }
  CHECK(rgb_and_alpha >= 10);
}
