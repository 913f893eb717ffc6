#include "cli/batch/folders.h"

#include <unistd.h>

#include <filesystem>

namespace convtool {
namespace {

namespace fs = std::filesystem;

std::string folder_of(const std::string& path) {
  const fs::path parent = fs::path(path).parent_path();
  return parent.empty() ? "." : parent.string();
}

/// Throws Error(usage) unless `folder` can be created: the part of its path that exists must be a writable folder.
void check_can_create(const std::string& folder) {
  std::error_code failed;
  fs::path existing = fs::absolute(folder, failed);
  while (!fs::exists(existing, failed) && existing.has_relative_path()) existing = existing.parent_path();
  if (!fs::is_directory(existing, failed) || ::access(existing.c_str(), W_OK) != 0) {
    refuse_usage(folder, "the folder cannot be created ('" + existing.string() + "' is not a writable folder)");
  }
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
  if (fs::is_directory(status))
    refuse_usage(path, "the output is a folder; move it, or choose another name with --output");
  const std::string folder = folder_of(path);
  switch (state_of(folder)) {
    case State::missing:
    case State::no_folder:
      if (!destination.create_folder) {
        if (state_of(folder) == State::no_folder) refuse_usage(path, "'" + folder + "' is not a folder");
        refuse_usage(path, "the folder '" + folder + "' does not exist; create it, or use --out-dir");
      }
      if (!can_be_created_.contains(folder)) check_can_create(folder);
      can_be_created_.insert(folder);
      return;
    case State::read_only:
      if (fs::exists(status) && !fs::is_regular_file(status)) return;  // a device is written directly
      refuse_usage(path, "the folder '" + folder + "' is not writable");
    case State::writable: return;
  }
}

}  // namespace convtool
