#include "cli/batch/output_owners.h"

#include <algorithm>
#include <filesystem>
#include <set>

namespace convtool {
namespace {

namespace fs = std::filesystem;

std::string without_extension(const std::string& path) { return fs::path(path).replace_extension().string(); }

/// Throws Error(usage) if a file of `planned`, by settled_path(), would be a folder of another.
void refuse_folders(const std::map<std::string, std::size_t>& planned) {
  std::set<std::string> seen;
  for (const auto& [path, input] : planned)
    for (fs::path folder = fs::path(path).parent_path(); seen.insert(folder.string()).second;
         folder = folder.parent_path())
      if (planned.contains(folder.string()))
        refuse_usage("", "the outputs '" + folder.string() + "' and '" + path +
                             "' cannot both exist: one would be a folder of the other; choose another name");
}

}  // namespace

OutputOwners::OutputOwners(const std::vector<Input>& inputs, const std::vector<Destination>& destinations,
                           Folders& folders)
    : inputs_(inputs), destinations_(destinations) {
  for (std::size_t i = 0; i < destinations.size(); ++i) {
    std::vector<std::string> paths = destinations[i].other_files();
    if (destinations[i].path != "-") paths.push_back(destinations[i].path);
    for (const std::string& path : paths) {
      const std::string settled = folders.settle(path);
      const auto [at, fresh] = planned_.emplace(settled, i);
      if (fresh) continue;
      const std::string& owner = inputs[at->second].path;
      if (at->second == i && !destinations[i].sheet.empty() && folders.settle(destinations[i].sheet) == settled)
        refuse_usage("--sheet", "'" + settled + "' would be both the sheet and another output; choose another name");
      if (at->second == i)
        refuse_usage("--dump-layers",
                     "'" + settled + "' would be both the result and a layer's file; choose another folder");
      if (inputs[i].path == owner) refuse_usage(owner, "is given twice as an input; give it once");
      refuse_usage(inputs[i].path, "would write the same output as '" + owner + "' ('" + settled +
                                       "'); filter them in separate runs, or into separate folders");
    }
    if (destinations[i].derived) derived_[without_extension(folders.settle(destinations[i].path))].push_back(i);
  }
  refuse_folders(planned_);
}

void OutputOwners::refuse_others(const std::string& path, const std::string& input) const {
  const std::string settled = settled_path(path);
  const auto planned = planned_.find(settled);
  const auto rivals = derived_.find(without_extension(settled));
  std::size_t owner = 0;
  if (planned != planned_.end()) {
    owner = planned->second;
  } else if (rivals != derived_.end()) {
    const auto likely = std::find_if(rivals->second.begin(), rivals->second.end(),
                                     [&](std::size_t i) { return may_become(destinations_[i], settled); });
    owner = likely == rivals->second.end() ? rivals->second.front() : *likely;
  } else if (inputs_.size() > 1) {
    throw Error(ErrorKind::output, path,
                "is a link to '" + settled +
                    "', and the outputs of other inputs may be links to it as well; remove the link, or filter '" +
                    input + "' in a run of its own");
  } else {
    return;
  }
  if (inputs_[owner].path != input)
    throw Error(ErrorKind::output, path,
                "may also be the output of '" + inputs_[owner].path + "': the content of '" + input +
                    "' needs another format than its name suggests; filter them in separate runs");
}

void OutputOwners::claim_numbered(const std::string& path, const std::string& input) {
  const std::string settled = settled_path(path);
  std::error_code ignored;
  if (fs::is_symlink(fs::symlink_status(path, ignored)))
    throw Error(
        ErrorKind::output, path,
        "is a link to '" + settled + "', and other outputs of this run may be links to it as well; remove the link");
  if (inputs_.size() == 1) return;  // its numbers differ
  const auto planned = planned_.find(settled);
  std::string owner = planned == planned_.end() ? input : inputs_[planned->second].path;
  if (owner == input) {
    const std::lock_guard lock(mutex_);
    owner = numbered_.emplace(settled, input).first->second;
  }
  if (owner != input)
    throw Error(
        ErrorKind::output, path,
        "is also the name of an output of '" + owner + "'; separate the number from the name, as in '{stem}-{n}.png'");
}

}  // namespace convtool
