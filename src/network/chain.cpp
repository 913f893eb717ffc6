#include "network/chain.h"

#include <algorithm>
#include <cstddef>
#include <optional>
#include <string>
#include <utility>

#include "core/error.h"
#include "core/text.h"
#include "network/residual.h"

namespace convtool {
namespace {

/// The channels that `bank` gives for `input` channels; nothing where that depends on a number that is unknown.
std::optional<std::int64_t> output_channels(const Bank& bank, const std::optional<std::int64_t>& input) {
  std::int64_t sum = 0;
  for (const Layer& layer : bank.layers) {
    const bool keeps_number = layer.rank == 2 || (layer.outline != Outline::none && layer.output_channels() == 0);
    const std::optional<std::int64_t> own = keeps_number ? input : std::optional(layer.output_channels());
    if (!own) return std::nullopt;
    if (bank.combine != Combine::none) return own;
    sum += *own;
  }
  return sum;
}

/// Whether a bank of `network` has this name.
bool has_bank(const Network& network, const std::string& name) {
  return std::any_of(network.banks.begin(), network.banks.end(), [&](const Bank& bank) { return bank.name == name; });
}

/// Renames the banks of `next` that its layers add or read, where a bank of `all` has the name too. The input of `next`
/// is not that of the chain, and gets another name as well.
void make_names_differ(const Network& all, Network& next) {
  for (Bank& bank : next.banks) {
    const std::string name = bank.name;
    std::vector<std::string*> uses;
    for (Bank& user : next.banks)
      for (std::string* const use : {&user.layers.front().add, &user.layers.front().from})
        if (!name.empty() && *use == name) uses.push_back(use);
    if (uses.empty() || (name != kInputName && !has_bank(all, name))) continue;
    std::string other;
    for (int copy = 2; other.empty() || has_bank(all, other) || has_bank(next, other); ++copy)
      other = name + "-" + std::to_string(copy);
    bank.name = other;
    for (std::string* const use : uses) *use = other;
  }
}

}  // namespace

Network chain(std::vector<Network> stages) {
  Network all = std::move(stages.front());
  for (std::size_t i = 1; i < stages.size(); ++i) {
    Network& next = stages[i];
    if (next.input)
      refuse_kernel(next.name,
                    "scales its input, which only the first kernel of a chain can; name it with -k, or remove "
                    "\"input\" from its file");
    all.name += " then " + next.name;
    all.description.clear();
    all.banks.back().map.reset();
    make_names_differ(all, next);
    for (Bank& bank : next.banks) all.banks.push_back(std::move(bank));
    all.files.insert(all.files.end(), next.files.begin(), next.files.end());
  }
  return all;
}

void check_channels(const Network& network) {
  const std::vector<std::optional<std::size_t>> sources = sources_of(network);
  std::vector<std::optional<std::int64_t>> given;  // by each bank
  for (std::size_t i = 0; i < network.banks.size(); ++i) {
    const Bank& bank = network.banks[i];
    const std::size_t before = i == 0 ? 0 : sources[i].value_or(i - 1);
    const std::optional<std::int64_t> channels = i == 0 ? std::nullopt : given[before];
    for (const Layer& layer : bank.layers) {
      if (layer.outline != Outline::none) continue;  // it takes any number
      const std::int64_t expected = layer.input_channels();
      if (layer.rank == 2 || !channels || expected == *channels) continue;
      refuse_kernel(network.name, "layer " + std::to_string(i + 1) + ", '" + layer.name + "', takes " +
                                      counted(expected, "channel") + ", but layer " + std::to_string(before + 1) +
                                      ", '" + network.banks[before].name + "', gives " + std::to_string(*channels) +
                                      "; change one of them, or their order");
    }
    given.push_back(output_channels(bank, channels));
  }
}

}  // namespace convtool
