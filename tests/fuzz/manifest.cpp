// Manifests: whatever is taken as one stays one when lines are added, and the lines are found again.
#include "cli/batch/inputs/manifest.h"

#include "fuzz/memory_file.h"
#include "fuzz/target.h"

namespace convtool::fuzz {
namespace manifest {

bool run(std::span<const std::byte> input) {
  const MemoryFile memory(input);
  return accepts({ErrorKind::usage}, [&] {
    const ManifestEntry entry = {.input = {.path = "new input", .size = 1, .mtime = "m", .ctime = "c", .digest = "d"},
                                 .output = {.path = "new output", .size = 2, .mtime = "n", .ctime = "e", .digest = "f"},
                                 .options = {{"--kernel", {"a", "b"}}}};
    Manifest manifest(memory.path(), Manifest::Access::read_and_add);
    manifest.add(entry);
    const bool is_read = accepts({ErrorKind::usage}, [&] {
      const Manifest again(memory.path(), Manifest::Access::read);
      const ManifestEntry* found = again.find(entry.input.path, entry.output.path);
      check(
          found != nullptr && found->input.size == 1 && found->output.digest == "f" && found->options == entry.options,
          "an entry that was added is not found");
    });
    check(is_read, "adding a line made it another file");
  });
}

}  // namespace manifest

Target manifest_target() {
  const std::string line =
      R"({"version":1,"input":"a.png","input_size":5,"input_mtime":"2026-01-01T00:00:00.000000001Z",)"
      R"("input_ctime":"2026-01-01T00:00:00.000000002Z","input_digest":"xxh128:1","output":"a.out.png","output_size":7,)"
      R"("output_mtime":"2026-01-01T00:00:00.000000003Z","output_ctime":"","output_digest":"xxh128:2",)"
      R"("options":{"--kernel":["sobel"],"command":["apply"]}})";
  return {"manifest", manifest::run,
          seeds_of({"", line + "\n", line + "\n" + line + "\n", line + "\n" + line.substr(0, 90), line.substr(0, 15),
                    std::string(64, '\0') + line + "\n", "not a manifest\n"})};
}

}  // namespace convtool::fuzz
