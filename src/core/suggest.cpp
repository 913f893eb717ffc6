#include "core/suggest.h"

#include <algorithm>
#include <cstddef>

namespace convtool {
namespace {

/// Insertions, deletions, replacements and swaps of neighbours that turn `a` into `b`, no part edited twice ("optimal
/// string alignment"; Damerau, "A technique for computer detection and correction of spelling errors", 1964).
std::size_t edit_distance(std::string_view a, std::string_view b) {
  std::vector<std::vector<std::size_t>> d(a.size() + 1, std::vector<std::size_t>(b.size() + 1));
  for (std::size_t i = 0; i <= a.size(); ++i) d[i][0] = i;
  for (std::size_t j = 0; j <= b.size(); ++j) d[0][j] = j;
  for (std::size_t i = 1; i <= a.size(); ++i) {
    for (std::size_t j = 1; j <= b.size(); ++j) {
      d[i][j] = std::min({d[i - 1][j] + 1, d[i][j - 1] + 1, d[i - 1][j - 1] + (a[i - 1] == b[j - 1] ? 0 : 1)});
      if (i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1])
        d[i][j] = std::min(d[i][j], d[i - 2][j - 2] + 1);
    }
  }
  return d[a.size()][b.size()];
}

}  // namespace

std::string suggestion(std::string_view word, const std::vector<std::string_view>& known) {
  constexpr std::size_t kLongestWord = 64;  // no known word is longer, and the table grows with the square
  if (word.size() > kLongestWord) return "";
  const std::size_t allowed = std::max<std::size_t>(1, word.size() / 3);
  std::size_t best_distance = allowed + 1;
  std::string_view best;
  for (const std::string_view candidate : known) {
    if (candidate.size() > word.size() + allowed) continue;  // too far away
    const std::size_t distance = edit_distance(word, candidate);
    if (distance < best_distance) {
      best_distance = distance;
      best = candidate;
    }
  }
  return best.empty() ? "" : "; did you mean '" + std::string(best) + "'?";
}

}  // namespace convtool
