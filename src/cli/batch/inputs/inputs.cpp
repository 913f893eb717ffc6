#include "cli/batch/inputs/inputs.h"

#include <fnmatch.h>
#include <unistd.h>

#include <algorithm>
#include <filesystem>

#include "cli/batch/folders.h"
#include "cli/job/source.h"
#include "core/error.h"
#include "core/text.h"
#include "files/file.h"
#include "tensors/file_format.h"
#include "tensors/npz.h"
#include "tensors/printout.h"

namespace convtool {
namespace {

namespace fs = std::filesystem;

/// `folder` if it is relative and stays inside the folder that it is put in, else "".
std::string mirrored(const fs::path& folder) {
  const fs::path normal = folder.lexically_normal();
  const bool leads_out = normal.is_absolute() || (!normal.empty() && *normal.begin() == "..");
  return leads_out || normal == "." ? "" : normal.string();
}

void add_list(const std::string& list, bool nul_separated, std::vector<Input>& inputs) {
  Buffer bytes;
  try {
    bytes = read_file(list);
  } catch (const Error& error) {
    refuse_usage("--files-from", error.what());
  }
  std::string_view text(reinterpret_cast<const char*>(bytes.data()), bytes.size());
  if (!nul_separated && text.starts_with(kByteOrderMark)) text.remove_prefix(kByteOrderMark.size());
  if (!nul_separated && text.find('\0') != std::string_view::npos)
    refuse_usage("--files-from", "'" + list + "' has NUL-terminated names; add -0");
  const char end = nul_separated ? '\0' : '\n';
  while (!text.empty()) {
    const std::size_t length = std::min(text.find(end), text.size());
    std::string_view name = text.substr(0, length);
    if (!nul_separated && name.ends_with('\r')) name.remove_suffix(1);
    if (!name.empty())
      inputs.push_back({.path = std::string(name),
                        .folder = mirrored(fs::path(split_array_path(std::string(name)).file).parent_path())});
    text.remove_prefix(std::min(length + 1, text.size()));
  }
}

bool is_wanted(const std::string& name, const std::vector<std::string>& include) {
  if (name.starts_with('.')) return false;
  if (include.empty())
    return has_extension(name, ".npz") || find_file_format(fs::path(name).extension().string()).has_value();
  return std::any_of(include.begin(), include.end(),
                     [&](const std::string& glob) { return fnmatch(glob.c_str(), name.c_str(), 0) == 0; });
}

void add_folder(const std::string& folder, const InputOptions& options, const fs::path& out_dir,
                const ReadFiles& others, Folders& folders, std::vector<Input>& inputs) {
  std::vector<Input> found;
  std::error_code failed;
  fs::recursive_directory_iterator at(folder, failed);
  for (; !failed && at != fs::recursive_directory_iterator(); at.increment(failed)) {
    std::error_code ignored;
    const std::string name = at->path().filename().string();
    if (at->is_directory(ignored) && at->is_symlink(ignored)) continue;  // may point back
    if (at->is_directory(ignored)) {
      const bool is_output = !out_dir.empty() && fs::equivalent(at->path(), out_dir, ignored);
      if (is_output || name.starts_with('.'))
        at.disable_recursion_pending();
      else if (::access(at->path().c_str(), R_OK | X_OK) != 0)
        refuse_usage(at->path().string(), "the folder cannot be read; leave it out, or change its permissions");
    } else if (at->is_regular_file(ignored) && is_wanted(name, options.include) &&
               others.find(at->path(), folders.settle(at->path())).empty()) {
      found.push_back(
          {.path = at->path().string(), .folder = mirrored(at->path().parent_path().lexically_relative(folder))});
    }
  }
  if (failed) refuse_usage(folder, "the folder cannot be read (" + failed.message() + ")");
  std::sort(found.begin(), found.end(), [](const Input& a, const Input& b) { return a.path < b.path; });
  inputs.insert(inputs.end(), found.begin(), found.end());
}

/// Refuses options that give no input.
[[noreturn]] void refuse_none(const InputOptions& options) {
  if (!options.named.empty())
    refuse_usage(
        "INPUT",
        "no pictures or tensors" + std::string(options.include.empty() ? "" : " that match --include") + " found in " +
            (options.named.size() == 1 ? "'" + options.named.front() + "'" : std::string("the folders given")));
  if (options.files_from) refuse_usage("--files-from", "the list '" + *options.files_from + "' names no file");
  refuse_usage("INPUT", "no input given; name a picture or tensor, - for standard input, or a list with --files-from");
}

}  // namespace

std::vector<Input> find_inputs(const InputOptions& options, const std::optional<std::string>& out_dir,
                               const ReadFiles& others) {
  if (options.nul_separated && !options.files_from) refuse_usage("-0", "needs --files-from; add it, or leave -0 out");
  if (!options.include.empty() && !options.recursive)
    refuse_usage("--include", "needs --recursive; add it, or leave --include out");
  std::vector<Input> inputs;
  Folders folders;
  for (const std::string& name : options.named) {
    std::error_code ignored;
    if (options.recursive && name != "-" && fs::is_directory(name, ignored))
      add_folder(name, options, out_dir ? fs::path(*out_dir) : fs::path(), others, folders, inputs);
    else if (is_inline_tensor(name))
      inputs.push_back({.path = "inline", .folder = "", .text = name});
    else
      inputs.push_back({.path = name, .folder = ""});
  }
  if (options.files_from) add_list(*options.files_from, options.nul_separated, inputs);
  if (std::any_of(inputs.begin(), inputs.end(), [](const Input& input) { return input.path.empty(); }))
    refuse_usage("INPUT", "is an empty name; leave it out");
  const auto stdins = std::count_if(inputs.begin(), inputs.end(), [](const Input& input) { return input.path == "-"; });
  if (stdins + (options.files_from == "-" ? 1 : 0) > 1) refuse_usage("-", "standard input can be read only once");
  if (std::count_if(inputs.begin(), inputs.end(), [](const Input& input) { return input.text.has_value(); }) > 1)
    refuse_usage("INPUT", "one tensor can be given as text; write the others to files");
  if (inputs.empty()) refuse_none(options);
  return inputs;
}

ListedFolders::ListedFolders(const InputOptions& options, const std::optional<std::string>& out_dir)
    : options_(options), out_dir_(out_dir ? settled_path(*out_dir) : "") {
  std::error_code ignored;
  for (const std::string& name : options.named)
    if (options.recursive && fs::is_directory(name, ignored)) folders_.emplace(settled_path(name), name);
}

void ListedFolders::refuse_output(const std::string& output, const std::string& settled) const {
  const auto lies_in = [](const std::string& path, const std::string& folder) {
    return path.starts_with(folder + "/");
  };
  for (const auto& [folder, name] : folders_) {
    if (!lies_in(settled, folder)) continue;
    if (lies_in(out_dir_, folder) && lies_in(settled, out_dir_)) continue;  // the listing leaves it out
    const fs::path below = fs::path(settled).lexically_relative(folder);
    const bool is_hidden =
        std::any_of(below.begin(), below.end(), [](const fs::path& part) { return part.native().starts_with('.'); });
    if (!is_hidden && is_wanted(below.filename().string(), options_.include))
      refuse_usage("--recursive", "the output '" + output +
                                      "' would be an input of the next run; write to a folder outside '" + name +
                                      "', or with --out-dir to one inside it");
  }
}

}  // namespace convtool
