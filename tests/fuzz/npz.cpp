// .npz files: the arrays that are listed can be extracted, within the limit, or are refused; and the same of an archive
// that is read in part.
#include "tensors/npz.h"

#include "fuzz/memory_file.h"
#include "fuzz/target.h"
#include "support/zip_file.h"

namespace convtool::fuzz {
namespace npz {

constexpr std::size_t kMost = 1 << 16;

/// What went wrong, or "".
template <class Function>
std::string refusal(const Function& function) {
  try {
    function();
    return "";
  } catch (const Error& error) {
    check(error.kind() == ErrorKind::input, "an error of another kind");
    return error.what();
  }
}

bool run(std::span<const std::byte> input) {
  const MemoryFile memory(input);
  bool is_read = false;
  for (const std::string array : {"", "a", "b"}) {
    Buffer npy, from_file;
    const std::string message = refusal([&] { npy = extract_npy(input, array, kMost); });
    check(
        refusal([&] { from_file = NpzFile(memory.path(), ErrorKind::internal).extract_npy(array, kMost); }) == message,
        "another verdict on the same bytes in a file");
    check(from_file == npy, "other bytes from a file");
    check(npy.size() <= kMost, "more bytes than allowed");
    is_read |= message.empty();
  }
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
