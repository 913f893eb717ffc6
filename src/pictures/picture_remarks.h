// What a picture file holds that its pixels alone do not tell, and that is lost when they are filtered.
#pragma once

#include <cstddef>
#include <span>
#include <string>
#include <vector>

namespace convtool {

/// A sentence for the user.
struct Remark {
  std::string text;
  bool once = false;  ///< enough to be told of one file of many
};

/// Of the picture that `bytes` hold: further pages, a colour profile, a gamma. Throws as read_picture_header() does.
std::vector<Remark> remarks_on(std::span<const std::byte> bytes);

}  // namespace convtool
