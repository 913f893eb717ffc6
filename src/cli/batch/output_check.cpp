#include "cli/batch/output_check.h"

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

std::string without_extension(const std::string& path) { return fs::path(path).replace_extension().string(); }

/// Whether a derived name may come to have the extension of `path` because its result is floats.
bool may_become(const Destination& destination, const std::string& path) {
  const std::optional<FileFormat> format = find_file_format(fs::path(path).extension().string());
  if (!format || !format->holds_floats() || format->kind == FileFormat::Kind::json) return false;
  return format->is_tensor() || !destination.format->holds_floats();
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
    case State::no_folder:
      if (!destination.make_folder) {
        if (state_of(folder) == State::no_folder) refuse(path, "'" + folder + "' is not a folder");
        refuse(path, "the folder '" + folder + "' does not exist; create it, or use --out-dir");
      }
      if (!can_be_made_.contains(folder)) check_can_make(folder);
      can_be_made_.insert(folder);
      return;
    case State::read_only:
      if (fs::exists(status) && !fs::is_regular_file(status)) return;  // a device is written straight
      refuse(path, "the folder '" + folder + "' is not writable");
    case State::writable: return;
  }
}

void ReadFiles::add(const std::vector<std::string>& paths) {
  Folders folders;
  for (const std::string& path : paths) {
    struct stat status;
    const bool is_stdin = path == "-";
    if (is_stdin && (::fstat(STDIN_FILENO, &status) != 0 || !S_ISREG(status.st_mode))) continue;
    if (!is_stdin) paths_.insert(folders.settle(path));
    if (is_stdin || ::stat(path.c_str(), &status) == 0)
      names_.emplace(std::pair(status.st_dev, status.st_ino), is_stdin ? "standard input" : path);
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
                           Folders& folders)
    : inputs_(inputs), destinations_(destinations) {
  for (std::size_t i = 0; i < destinations.size(); ++i) {
    std::vector<std::string> paths = destinations[i].layers;
    if (destinations[i].path != "-") paths.push_back(destinations[i].path);
    for (const std::string& path : paths) {
      const std::string settled = folders.settle(path);
      const auto [at, fresh] = planned_.emplace(settled, i);
      if (fresh) continue;
      const std::string& owner = inputs[at->second].path;
      if (at->second == i)
        refuse("--dump-layers",
               "'" + settled + "' would be both the result and what a layer makes; choose another folder");
      if (inputs[i].path == owner) refuse(owner, "named twice as an input; name it once");
      refuse(inputs[i].path, "would write the same output as '" + owner + "' ('" + settled +
                                 "'); filter them in separate runs, or into separate folders");
    }
    if (destinations[i].derived) derived_[without_extension(folders.settle(destinations[i].path))].push_back(i);
  }
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
                "is a link to '" + settled + "', where other inputs' links may lead too; remove it, or filter '" +
                    input + "' in a run of its own");
  } else {
    return;
  }
  if (inputs_[owner].path != input)
    throw Error(ErrorKind::output, path,
                "may be the output of '" + inputs_[owner].path + "' too, since the content of '" + input +
                    "' asks for another format than its name; filter them in separate runs");
}

void check_writable(const Destination& destination, const ReadFiles& read) {
  Folders().check(destination);
  read.refuse_overwriting(destination.path);
}

void check_output(const std::string& path, const ReadFiles& read) {
  check_writable({.path = path, .format = {}, .make_folder = true}, read);
}

}  // namespace convtool
