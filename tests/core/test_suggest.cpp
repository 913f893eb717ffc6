// suggestion() offers a similar word, but not a dissimilar one.
#include <doctest/doctest.h>

#include <string>

#include "core/suggest.h"

namespace convtool {
namespace {

const std::vector<std::string_view> kWords = {"sobel-x", "sobel-y", "gaussian", "box", "reflect", "replicate"};

std::string offer(const std::string& word) { return "; did you mean '" + word + "'?"; }

TEST_CASE("one typing error of each kind is corrected") {
  CHECK(suggestion("guassian", kWords) == offer("gaussian"));   // swapped neighbours
  CHECK(suggestion("gausian", kWords) == offer("gaussian"));    // missing
  CHECK(suggestion("gaussiann", kWords) == offer("gaussian"));  // extra
  CHECK(suggestion("gauzsian", kWords) == offer("gaussian"));   // replaced
  CHECK(suggestion("gaussian", kWords) == offer("gaussian"));
}

TEST_CASE("the allowed distance is a third of the word's length, and at least 1") {
  CHECK(suggestion("bo", kWords) == offer("box"));
  CHECK(suggestion("bax", kWords) == offer("box"));
  CHECK(suggestion("bay", kWords) == "");                               // 2 of 3 letters
  CHECK(suggestion("reflxyt", kWords) == offer("reflect"));             // 2 edits, 7 / 3 = 2
  CHECK(suggestion("rxyzect", kWords) == "");                           // 3 edits
  CHECK(suggestion("gauXYZan", kWords) == "");                          // 3 edits, 8 / 3 = 2
  CHECK(suggestion("gauXYZanZ", {"gaussianZ"}) == offer("gaussianZ"));  // 3 edits, 9 / 3 = 3
}

TEST_CASE("a swap counts as one edit, not two") {
  CHECK(suggestion("xob", {"xbo"}) == offer("xbo"));
  CHECK(suggestion("obx", kWords) == offer("box"));
}

TEST_CASE("the most similar word is offered, and the first of equally similar ones") {
  CHECK(suggestion("sobel-y", kWords) == offer("sobel-y"));
  CHECK(suggestion("sobel", kWords) == "");  // two letters missing, 5 / 3 = 1
  CHECK(suggestion("sobel-z", kWords) == offer("sobel-x"));
}

TEST_CASE("cases without a suggestion") {
  CHECK(suggestion("gaussian", {}) == "");
  CHECK(suggestion("", kWords) == "");
  CHECK(suggestion("entirely different", kWords) == "");
  CHECK(suggestion(std::string(65, 'a'), {std::string_view("a")}) == "");
  const std::string longest(64, 'a');
  CHECK(suggestion(longest, {longest}) == offer(longest));
}

}  // namespace
}  // namespace convtool
