// .npz files: the arrays that are listed can be extracted, within the limit, or are refused.
#include "tensors/npz.h"

#include "fuzz/target.h"
#include "support/zip_file.h"

namespace convtool::fuzz {
namespace npz {

constexpr std::size_t kMost = 1 << 16;

bool run(std::span<const std::byte> input) {
  bool is_read = false;
  for (const std::string array : {"", "a", "b"})
    is_read |= accepts({ErrorKind::input}, [&] {
      const Buffer npy = extract_npy(input, array, kMost);
      check(npy.size() <= kMost, "more bytes than allowed");
      check(extract_npy(input, array, npy.size()) == npy, "other bytes the second time");
    });
  return is_read;
}

std::vector<Bytes> seeds() {
  using testing::zip_file;
  const std::string text = "abcabcabcabcabcabc";
  return {zip_file({{"a.npy", text}}),
          zip_file({{"a.npy", text, true}}),
          zip_file({{"a.npy", text}, {"b.npy", text + text, true}}),
          zip_file({{"a.npy", text, false, true}, {"b.npy", "", true, true}}, true),
          zip_file({{"a.npy", text, true, true}}, true, "comment"),
          zip_file({{"README", text}, {"b.npy", ""}})};
}

}  // namespace npz

Target npz_target() { return {"npz", npz::run, npz::seeds()}; }

}  // namespace convtool::fuzz
