#include "kernels/files/weight_file.h"

#include <algorithm>
#include <cmath>
#include <filesystem>
#include <string_view>
#include <utility>

#include "core/error.h"
#include "core/printable.h"
#include "core/suggest.h"
#include "core/text.h"
#include "files/file.h"
#include "files/regular_file.h"
#include "tensors/npz.h"
#include "tensors/safetensors.h"
#include "tensors/tensor_io.h"

namespace convtool {
namespace {

constexpr std::string_view kNpz = ".npz";

std::string path_from(const std::string& folder, std::string_view path) {
  return (std::filesystem::path(folder) / path).string();
}

void check_count(const std::string& where, std::int64_t count, std::int64_t most) {
  if (count < 1) refuse_kernel(where, "is empty");
  if (count > most)
    refuse_kernel(where, "has " + std::to_string(count) + " numbers (at most " + std::to_string(most) +
                             " more; a kernel file may refer to " + std::to_string(kMostReferredWeights) + " in all)");
}

/// Reads `path`, an .npy file, or an array of an .npz file.
WeightFile read_npy(const std::string& path, std::int64_t most) {
  const auto [name, array] = split_array_path(path);
  const bool is_archive = has_extension(name, kNpz) || !array.empty();
  const RandomAccessFile file_on_disk(name, ErrorKind::kernel);
  constexpr std::uint64_t kHeader = 1 << 16, kLargestElement = sizeof(double);
  const std::uint64_t largest = static_cast<std::uint64_t>(most) * kLargestElement + kHeader;
  if (file_on_disk.size() > (is_archive ? kLargestStream : largest))
    refuse_kernel(path, "is larger than the limit of " + std::to_string(most) + " weights");
  Buffer bytes(file_on_disk.size());
  file_on_disk.read(0, bytes);
  RankedTensor block;
  try {
    if (is_archive) bytes = extract_npy(bytes, array, largest);
    const Shape claimed = read_npy_shape(bytes, 1).shape;
    check_count(path, claimed.count(), most);
    block = parse_npy(bytes, 1);
  } catch (const Error& error) {
    refuse_kernel(path, error.what());
  }
  const Shape& shape = block.tensor.shape();
  WeightFile file{.path = name, .dimensions = {shape.n, shape.c, shape.h, shape.w}, .values = {}};
  file.dimensions.erase(file.dimensions.begin(), file.dimensions.end() - block.rank);
  const float* data = block.tensor.data<float>();
  file.values.assign(data, data + shape.count());
  return file;
}

WeightFile read_array(const std::string& path, std::string_view name, std::int64_t most) {
  const SafetensorsFile file(path);
  const StoredArray* array = file.find(name);
  if (array == nullptr) {
    std::vector<std::string_view> names;
    for (const StoredArray& each : file.arrays()) names.push_back(each.name);
    const std::string hint = suggestion(name, names);
    refuse_kernel(path, "has no array '" + std::string(name) + "'" +
                            (hint.empty() ? "; 'convtool kernels import' lists its arrays" : hint));
  }
  if (is_readable_dtype(array->dtype)) check_count(path + "#" + array->name, array->count(), most);
  return {.path = path, .dimensions = array->shape, .values = file.read(*array)};
}

}  // namespace

WeightFile read_weight_file(const std::string& reference, const std::string& folder, std::int64_t most) {
  if (reference.find('\0') != std::string::npos)
    refuse_kernel("", "'" + printable(reference) + "' contains a zero byte, which the name of a file cannot have");
  constexpr std::string_view kInside = ".safetensors#";
  const std::size_t inside = in_small_letters(reference).find(kInside);
  const bool is_numpy = has_extension(reference, ".npy") || has_extension(reference, kNpz) ||
                        !split_array_path(path_from(folder, reference)).array.empty();
  if (inside == std::string::npos) refuse_checkpoint("", reference);
  if (inside == std::string::npos && !is_numpy)
    refuse_kernel("", "'" + reference +
                          "' is not a file of weights (expected FILE.npy, or FILE.npz#NAME or FILE.safetensors#NAME "
                          "for one of its arrays)");
  const std::string_view text = reference;
  const std::size_t end = inside == std::string::npos ? text.size() : inside + kInside.size() - 1;
  const std::string path = path_from(folder, text.substr(0, end));
  WeightFile file = inside == std::string::npos ? read_npy(path, most) : read_array(path, text.substr(end + 1), most);
  const auto finite = [](float value) { return std::isfinite(value); };
  const auto bad = std::find_if_not(file.values.begin(), file.values.end(), finite);
  if (bad != file.values.end())
    refuse_kernel(path, "number " + std::to_string(bad - file.values.begin()) +
                            " in its order is NaN or infinite; weights must be finite");
  return file;
}

void refuse_checkpoint(const std::string& where, const std::string& path) {
  for (const char* extension : {".pt", ".pth", ".ckpt", ".pkl"}) {
    if (!has_extension(path, extension)) continue;
    const std::filesystem::path name = std::filesystem::path(path).filename();
    refuse_kernel(where, "'" + path +
                             "' is a PyTorch checkpoint by its name, a pickle, which only Python can run; write its "
                             "weights as safetensors (those of a whole model are its state_dict(), and of TorchScript "
                             "torch.jit.load('" +
                             name.string() +
                             "').state_dict(), in place of torch.load): import torch, safetensors.torch; "
                             "safetensors.torch.save_file(torch.load('" +
                             name.string() + "', weights_only=True), '" + name.stem().string() + ".safetensors')");
  }
}

WeightReader weight_files_in(std::string folder) {
  return [folder = std::move(folder)](const std::string& reference, std::int64_t most) {
    return read_weight_file(reference, folder, most);
  };
}

}  // namespace convtool
