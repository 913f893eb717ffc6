#include "cli/options/option_words.h"

#include <algorithm>
#include <span>

#include "cli/job/source.h"
#include "cli/terminal/terminal.h"
#include "conv/epilogue.h"
#include "conv/output_map.h"
#include "conv/plan.h"
#include "edges/recipe.h"
#include "kernels/files/kernel_format.h"
#include "kernels/shipped.h"
#include "pictures/image_io.h"
#include "tensors/file_format.h"

namespace convtool {
namespace {

struct Row {
  std::string_view option;
  std::span<const std::string_view> words;
};

constexpr std::string_view kPaddings[] = {"valid", "same", "same_lower", "full"};

constexpr Row kTable[] = {{"--alpha", kAlphaRules},
                          {"--angle", kAngleUnits},
                          {"--color", kColorRules},
                          {"--combine", kCombines},
                          {"--depth", kDepths},
                          {"--from", kKernelFormats},
                          {"--init", kInits},
                          {"--map", kOutputMaps},
                          {"--method", kMethods},
                          {"--norm", kNorms},
                          {"--operator", kOperators},
                          {"--output-kind", kEdgeKinds},
                          {"--padding", kPaddings},
                          {"--padding-mode", kPaddingModes},
                          {"--png-strategy", kPngStrategies},
                          {"--progress", kProgressModes},
                          {"--to", kKernelFormats},
                          {"SHELL", kShells}};

}  // namespace

std::vector<std::string_view> words_of(std::string_view option) {
  std::vector<std::string_view> words;
  if (option == "--format") {
    for (const std::string_view word : file_format_words())  // names, and extensions that may be the same
      if (std::find(words.begin(), words.end(), word) == words.end()) words.push_back(word);
  } else if (option == "--kernel" || option == "NAME" || option == "SOURCE") {
    for (const ShippedKernel& kernel : shipped_kernels()) words.push_back(kernel.name);
  } else if (option == "--algorithm") {
    words = algorithm_names();
    words.insert(words.begin(), "auto");
  } else {
    const auto row =
        std::find_if(std::begin(kTable), std::end(kTable), [&](const Row& r) { return r.option == option; });
    if (row != std::end(kTable)) words.assign(row->words.begin(), row->words.end());
  }
  return words;
}

}  // namespace convtool
