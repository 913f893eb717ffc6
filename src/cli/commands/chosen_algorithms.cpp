#include "cli/commands/chosen_algorithms.h"

#include <set>
#include <string_view>

namespace convtool {

std::string chosen_algorithms(const BankPlan& bank) {
  if (bank.plans().empty()) return std::string(bank.algorithm());  // a max pool
  std::set<std::string_view> seen;
  std::string text;
  for (const ConvPlan& plan : bank.plans())
    if (seen.insert(plan.algorithm()).second) text += (text.empty() ? "" : "+") + std::string(plan.algorithm());
  return text;
}

}  // namespace convtool
