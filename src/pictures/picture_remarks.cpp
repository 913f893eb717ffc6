#include "pictures/picture_remarks.h"

#include "pictures/image_header.h"

namespace convtool {

std::vector<Remark> remarks_on(std::span<const std::byte> bytes) {
  const PictureHeader header = read_picture_header(bytes);
  std::vector<Remark> remarks;
  if (header.pages > 1) remarks.push_back({"only the first of its " + std::to_string(header.pages) + " pages is read"});
  if (header.has_profile)
    remarks.push_back({"its ICC profile is not kept: values stay as they are, to be taken for sRGB", true});
  if (header.has_gamma)
    remarks.push_back({"its gamma is not kept: values stay as they are, to be taken for sRGB", true});
  return remarks;
}

}  // namespace convtool
