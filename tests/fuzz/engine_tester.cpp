#include "fuzz/engine_tester.h"

#include "fuzz/target.h"

namespace convtool::fuzz {

void check_engine(const ConvCase& conv_case, std::uint64_t seed) {
  static ConvTester* const tester = [] {  // never destroyed: there is no summary to print
    std::vector<Tested> all;
    for (const std::string_view name : algorithm_names())
      if (name != "reference") all.push_back({name, 0});
    return new ConvTester("fuzz", 0, all, Sets::in_turn, fail);
  }();
  tester->set_seed(seed);
  tester->check(conv_case);
}

}  // namespace convtool::fuzz
