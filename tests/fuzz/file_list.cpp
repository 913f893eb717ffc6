// Lists of file names for --files-from: no name is lost, invented or put outside the output folder.
#include <filesystem>

#include "cli/batch/inputs/inputs.h"
#include "fuzz/memory_file.h"
#include "fuzz/target.h"

namespace convtool::fuzz {
namespace file_list {

bool leads_out(const std::filesystem::path& folder) {
  return folder.is_absolute() || std::find(folder.begin(), folder.end(), "..") != folder.end();
}

bool run(std::span<const std::byte> input) {
  bool is_read = false;
  const MemoryFile memory(input);
  const ReadFiles none({});
  for (const bool nul_separated : {false, true}) {
    is_read |= accepts({ErrorKind::usage}, [&] {
      std::size_t letters = 0;
      for (const Input& each :
           find_inputs({.files_from = memory.path(), .nul_separated = nul_separated}, std::nullopt, none)) {
        check(!each.path.empty() && text_of(input).find(each.path) != std::string_view::npos, "an invented name");
        check(!leads_out(each.folder), "a folder outside the output folder: " + each.folder);
        letters += each.path.size();
      }
      std::size_t expected = 0;  // the rest are ends of names
      for (const char c : text_of(input))
        expected += c != (nul_separated ? '\0' : '\n') && (nul_separated || c != '\r');
      check(letters >= expected && letters <= input.size(), "a name is incomplete");
    });
  }
  return is_read;
}

}  // namespace file_list

Target file_list_target() {
  return {"file_list", file_list::run,
          seeds_of({"a.png\nb/c.png\n", "a.png\r\nb.png", "../a.png\n./b/../c.png\n/d/e.png\n", "\n\n", "-\n",
                    std::string_view("a\nb.png\0../c.png\0", 17)})};
}

}  // namespace convtool::fuzz
