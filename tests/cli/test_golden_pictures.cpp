// Compares the output with pictures of every kind that a person has looked at.
//
// Tolerances. Other instruction sets may round float sums differently, so a value halfway between two levels may be
// stored as either: a difference of one level of 8 bits. For 16 bits the difference is less than one level too: 2^-20
// of the largest response, 1442, times 257 levels. Where the program decides, such a rounding may turn an edge pixel on
// or off, and all pixels connected to it; there one pixel in a thousand may differ by any amount.
#include <doctest/doctest.h>

#include <fstream>
#include <opencv2/imgcodecs.hpp>
#include <set>
#include <sstream>

#include "support/program.h"

TEST_CASE("every kind of picture is equal to the one that was looked at") {
  const std::set<std::string> decided = {"thin", "hysteresis", "canny", "zero-crossings", "overlay", "threshold"};
  const std::string golden = std::string(TEST_DATA_DIR) + "/pictures/";
  const TempFolder folder;
  std::ifstream commands(golden + "commands.txt");
  int compared = 0;
  for (std::string line; std::getline(commands, line);) {
    std::istringstream words(line);
    std::string name, command;
    words >> name >> command;
    std::vector<std::string> arguments = {command, golden + "input.png", "-o", "seen.png"};
    for (std::string word; words >> word;) arguments.push_back(word);
    CAPTURE(line);
    REQUIRE(run_convtool(arguments, folder).code == 0);
    const cv::Mat wanted = cv::imread(golden + name + ".png", cv::IMREAD_UNCHANGED);
    const cv::Mat seen = cv::imread(folder.file("seen.png"), cv::IMREAD_UNCHANGED);
    REQUIRE(!wanted.empty());
    REQUIRE(seen.size() == wanted.size());
    REQUIRE(seen.type() == wanted.type());
    cv::Mat difference;
    cv::absdiff(seen.reshape(1), wanted.reshape(1), difference);
    const int differing = cv::countNonZero(difference > 1);
    CHECK(differing <= (decided.contains(name) ? difference.total() / 1000 : 0));
    ++compared;
  }
  CHECK(compared == 22);
}
