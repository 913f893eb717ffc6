#include "cli/options/option_words.h"

#include <algorithm>

#include "conv/plan.h"
#include "kernels/shipped.h"
#include "tensors/file_format.h"

namespace convtool {

Words::List kernel_words() {
  Words::List words;
  for (const ShippedKernel& kernel : shipped_kernels()) words.push_back(kernel.name);
  return words;
}

Words::List algorithm_words() {
  Words::List words = algorithm_names();
  words.insert(words.begin(), "auto");
  return words;
}

Words::List format_words() {
  Words::List words = {"same"};
  for (const std::string_view word : file_format_words())  // a name may be an extension as well
    if (std::find(words.begin(), words.end(), word) == words.end()) words.push_back(word);
  return words;
}

}  // namespace convtool
