#include "cli/commands/kernels/then.h"

#include <utility>

#include "cli/options/option_words.h"
#include "kernels/kernel_source.h"
#include "network/chain.h"

namespace convtool {

Option then_option(std::vector<std::string>& then) {
  return {.names = "--then",
          .value = "K",
          .target = &then,
          .brief = "a kernel that runs on the result; may be repeated",
          .text =
              "A kernel that runs on the result of those before it, as in 'convtool apply'. May be repeated; the "
              "chain is a network.",
          .words = {kernel_words},
          .takes_files = true};
}

Network chain_after(Network first, const std::vector<std::string>& then) {
  std::vector<Network> stages = {std::move(first)};
  for (const std::string& kernel : then) stages.push_back(load_kernel_of("--then", kernel));
  Network all = chain(std::move(stages));
  check_channels(all);
  return all;
}

}  // namespace convtool
