#include "kernels/files/weight_file.h"

#include <algorithm>
#include <cmath>
#include <filesystem>
#include <memory>
#include <optional>
#include <string_view>
#include <utility>

#include "core/error.h"
#include "core/printable.h"
#include "core/suggest.h"
#include "core/text.h"
#include "files/regular_file.h"
#include "tensors/npz.h"
#include "tensors/safetensors.h"
#include "tensors/tensor_io.h"

namespace convtool {
namespace {

constexpr std::string_view kNpz = ".npz";

void check_count(const std::string& where, std::int64_t count, std::int64_t most) {
  if (count < 1) refuse_kernel(where, "is empty");
  if (count > most)
    refuse_kernel(where, "has " + std::to_string(count) + " numbers (at most " + std::to_string(most) +
                             " more; a kernel file may refer to " + std::to_string(kMostReferredWeights) + " in all)");
}

/// Calls `function`. Its Error(input) becomes an Error(kernel) that names `path`.
template <class Function>
auto as_kernel(const std::string& path, const Function& function) {
  try {
    return function();
  } catch (const Error& error) {
    if (error.kind() != ErrorKind::input) throw;
    refuse_kernel(path, error.what());
  }
}

/// The bytes of an .npy file of at most `most` numbers.
std::uint64_t largest_npy(std::int64_t most) {
  constexpr std::uint64_t kHeader = 1 << 16, kLargestElement = sizeof(double);
  return static_cast<std::uint64_t>(most) * kLargestElement + kHeader;
}

Buffer read_npy(const std::string& path, std::int64_t most) {
  const RandomAccessFile file(path, ErrorKind::kernel);
  if (file.size() > largest_npy(most))
    refuse_kernel(path, "is larger than the limit of " + std::to_string(most) + " weights");
  Buffer bytes(file.size());
  file.read(0, bytes);
  return bytes;
}

/// The block in the .npy file `bytes`. Errors name `reference`.
WeightFile parse_block(const Buffer& bytes, const std::string& path, const std::string& reference, std::int64_t most) {
  const RankedTensor block = as_kernel(reference, [&] {
    check_count(reference, read_npy_shape(bytes, 1).shape.count(), most);
    return parse_npy(bytes, 1);
  });
  const Shape& shape = block.tensor.shape();
  WeightFile file{.path = path, .dimensions = {shape.n, shape.c, shape.h, shape.w}, .values = {}};
  file.dimensions.erase(file.dimensions.begin(), file.dimensions.end() - block.rank);
  const float* data = block.tensor.data<float>();
  file.values.assign(data, data + shape.count());
  return file;
}

WeightFile read_array(const SafetensorsFile& file, const std::string& path, std::string_view name, std::int64_t most) {
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

/// The weights of a kernel file. The last file with several arrays stays open: most kernels refer to one.
class WeightFolder {
 public:
  explicit WeightFolder(std::string folder) : folder_(std::move(folder)) {}

  WeightFile read(const std::string& reference, std::int64_t most) {
    WeightFile file = read_block(reference, most);
    const auto finite = [](float value) { return std::isfinite(value); };
    const auto bad = std::find_if_not(file.values.begin(), file.values.end(), finite);
    if (bad != file.values.end())
      refuse_kernel(file.path, "number " + std::to_string(bad - file.values.begin()) +
                                   " in its order is NaN or infinite; weights must be finite");
    return file;
  }

 private:
  template <class File>
  struct Opened {
    template <class... Arguments>
    explicit Opened(const std::string& at, Arguments... arguments) : path(at), file(at, arguments...) {}

    std::string path;
    File file;
  };

  WeightFile read_block(const std::string& reference, std::int64_t most) {
    if (reference.find('\0') != std::string::npos)
      refuse_kernel("", "'" + printable(reference) + "' contains a zero byte, which the name of a file cannot have");
    constexpr std::string_view kInside = ".safetensors#";
    const std::size_t inside = in_small_letters(reference).find(kInside);
    if (inside != std::string::npos) {
      const std::size_t end = inside + kInside.size() - 1;
      const std::string path = path_in_folder(reference.substr(0, end));
      return read_array(opened(safetensors_, path), path, reference.substr(end + 1), most);
    }
    refuse_checkpoint("", reference);
    const std::string path = path_in_folder(reference);
    const auto [name, array] = split_array_path(path);
    if (has_extension(name, kNpz) || !array.empty())
      return parse_block(extract(name, path, array, largest_npy(most)), name, path, most);
    if (!has_extension(reference, ".npy"))
      refuse_kernel("", "'" + reference +
                            "' is not a file of weights (expected FILE.npy, or FILE.npz#NAME or FILE.safetensors#NAME "
                            "for one of its arrays)");
    return parse_block(read_npy(path, most), path, path, most);
  }

  std::string path_in_folder(const std::string& path) const { return (std::filesystem::path(folder_) / path).string(); }

  Buffer extract(const std::string& path, const std::string& reference, const std::string& array, std::uint64_t most) {
    return as_kernel(reference, [&] { return opened(npz_, path, ErrorKind::kernel).extract_npy(array, most); });
  }

  /// The file at `path`, opened unless it is that of the last call.
  template <class File, class... Arguments>
  static const File& opened(std::optional<Opened<File>>& last, const std::string& path, Arguments... arguments) {
    if (!last || last->path != path) last.emplace(path, arguments...);
    return last->file;
  }

  std::string folder_;
  std::optional<Opened<SafetensorsFile>> safetensors_;
  std::optional<Opened<NpzFile>> npz_;
};

}  // namespace

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

WeightReader weight_files_in(const std::string& folder) {
  return [files = std::make_shared<WeightFolder>(folder)](const std::string& reference, std::int64_t most) {
    return files->read(reference, most);
  };
}

}  // namespace convtool
