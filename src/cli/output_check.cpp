#include "cli/output_check.h"

#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <filesystem>

#include "core/error.h"

namespace convtool {
namespace {

namespace fs = std::filesystem;

[[noreturn]] void refuse(const std::string& where, const std::string& message) {
  throw Error(ErrorKind::usage, where, message);
}

std::string folder_of(const std::string& path) {
  const fs::path parent = fs::path(path).parent_path();
  return parent.empty() ? "." : parent.string();
}

/// Whether a folder can be made: what exists of its path is a folder that can be written to.
void check_can_make(const std::string& folder) {
  std::error_code failed;
  fs::path existing = fs::absolute(folder, failed);
  while (!fs::exists(existing, failed) && existing.has_relative_path()) existing = existing.parent_path();
  if (!fs::is_directory(existing, failed) || ::access(existing.c_str(), W_OK) != 0) {
    refuse(folder, "the folder cannot be created ('" + existing.string() + "' is not a folder that can be written to)");
  }
}

/// Every path that the result may be written to.
std::vector<std::string> possible_paths(const Destination& destination, bool may_be_floats) {
  std::vector<std::string> paths = {destination.path};
  if (destination.derived && may_be_floats)
    for (const char* format : {"tiff", "npy"})
      paths.push_back(with_format(destination, *find_file_format(format)).path);
  std::sort(paths.begin(), paths.end());
  paths.erase(std::unique(paths.begin(), paths.end()), paths.end());
  return paths;
}

}  // namespace

std::string settled_path(const std::string& path) {
  std::error_code failed;
  fs::path settled = fs::absolute(path, failed);
  constexpr int kMostLinks = 40;  // as the kernel (path_resolution(7))
  for (int i = 0; i < kMostLinks && fs::is_symlink(fs::symlink_status(settled, failed)); ++i)
    settled = settled.parent_path() / fs::read_symlink(settled, failed);
  const fs::path canonical = fs::weakly_canonical(settled, failed);
  return failed ? settled.lexically_normal().string() : canonical.string();
}

std::string Folders::settle(const std::string& path) {
  std::error_code ignored;
  const std::string name = fs::path(path).filename().string();
  if (name.empty() || name == "." || name == ".." || fs::is_symlink(fs::symlink_status(path, ignored)))
    return settled_path(path);
  const auto [at, is_new] = settled_.try_emplace(folder_of(path));
  if (is_new) at->second = settled_path(at->first);
  return at->second + (at->second.ends_with('/') ? "" : "/") + name;
}

Folders::State Folders::state_of(const std::string& folder) {
  const auto [at, is_new] = states_.try_emplace(folder, State::missing);
  std::error_code ignored;
  const fs::file_status status = is_new ? fs::status(folder, ignored) : fs::file_status();
  if (is_new && fs::exists(status))
    at->second = !fs::is_directory(status)             ? State::no_folder
                 : ::access(folder.c_str(), W_OK) != 0 ? State::read_only
                                                       : State::writable;
  return at->second;
}

void Folders::check(const Destination& destination) {
  const std::string& path = destination.path;
  std::error_code ignored;
  const fs::file_status status = fs::status(path, ignored);
  if (fs::is_directory(status)) refuse(path, "the output is a folder; move it, or choose another name with --output");
  const std::string folder = folder_of(path);
  switch (state_of(folder)) {
    case State::missing:
      if (destination.make_folder) return check_can_make(folder);
      refuse(path, "the folder '" + folder + "' does not exist; create it, or use --out-dir");
    case State::no_folder:
      if (destination.make_folder) return check_can_make(folder);
      refuse(path, "'" + folder + "' is not a folder");
    case State::read_only:
      if (fs::exists(status) && !fs::is_regular_file(status)) return;  // a device is written straight
      refuse(path, "the folder '" + folder + "' is not writable");
    case State::writable: return;
  }
}

ReadFiles::ReadFiles(const std::vector<std::string>& paths) {
  Folders folders;
  for (const std::string& path : paths) {
    if (path != "-") paths_.insert(folders.settle(path));
    struct stat status;
    if (path != "-" && ::stat(path.c_str(), &status) == 0)
      names_.emplace(std::pair(status.st_dev, status.st_ino), path);
  }
}

std::string ReadFiles::find(const std::string& path, const std::string& settled) const {
  if (path == "-") return "";
  if (paths_.contains(settled)) return settled;
  struct stat status;
  if (::stat(settled.c_str(), &status) != 0) return "";
  const auto found = names_.find({status.st_dev, status.st_ino});
  return found == names_.end() ? "" : found->second;
}

void ReadFiles::refuse_overwriting(const std::string& path, const std::string& settled) const {
  const std::string name = find(path, settled);
  if (!name.empty()) refuse(path, "the output is '" + name + "', which this run reads; write to another file");
}

OutputOwners::OutputOwners(const std::vector<Input>& inputs, const std::vector<Destination>& destinations,
                           const std::function<bool(const std::string&)>& may_be_floats, Folders& folders) {
  for (std::size_t i = 0; i < destinations.size(); ++i) {
    std::vector<std::string> paths;
    if (destinations[i].path != "-") paths = possible_paths(destinations[i], may_be_floats(inputs[i].path));
    paths.insert(paths.end(), destinations[i].layers.begin(), destinations[i].layers.end());
    for (const std::string& path : paths) {
      const std::string settled = folders.settle(path);
      const auto [at, fresh] = owners_.emplace(settled, &inputs[i]);
      if (fresh) continue;
      const Input* owner = at->second;
      if (owner == &inputs[i])
        refuse("--dump-layers",
               "'" + settled + "' would be both the result and what a layer makes; choose another folder");
      if (inputs[i].path == owner->path) refuse(inputs[i].path, "named twice as an input; name it once");
      refuse(inputs[i].path, "would write the same output as '" + owner->path + "' ('" + settled +
                                 "'); filter them in separate runs, or into separate folders");
    }
  }
}

void OutputOwners::refuse_others(const std::string& path, const std::string& input) const {
  const auto owner = owners_.find(settled_path(path));
  if (owner != owners_.end() && owner->second->path != input)
    throw Error(
        ErrorKind::output, path,
        "is where the result of '" + owner->second->path + "' goes, and '" + input +
            "' is not what its name says; give it the extension of its content, or filter it in a run of its own");
}

void check_writable(const Destination& destination, const ReadFiles& read) {
  Folders().check(destination);
  read.refuse_overwriting(destination.path);
}

void check_output(const std::string& path, const ReadFiles& read) {
  check_writable({.path = path, .format = {}, .make_folder = true}, read);
}

}  // namespace convtool
