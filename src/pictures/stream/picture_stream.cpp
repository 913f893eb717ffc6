#include "pictures/stream/picture_stream.h"

#include <string>
#include <utility>

#include "core/error.h"
#include "files/file.h"
#include "pictures/headers/netpbm_text.h"
#include "pictures/stream/picture_end.h"

namespace convtool {
namespace {

bool is_text(std::span<const std::byte> pnm) { return pnm[1] <= std::byte{'3'}; }

}  // namespace

bool PictureStream::can_follow(std::span<const std::byte> bytes) {
  const std::optional<PictureType> type = sniff_picture_type(bytes);
  return type == PictureType::png || type == PictureType::jpeg || type == PictureType::pnm;
}

/// Skips the white space that may follow the last number of a PNM in text.
void PictureStream::skip_space() {
  while (const std::size_t spaces = count_spaces(stream_.look(1))) stream_.take(spaces);
}

bool PictureStream::at_end() {
  if (after_text_) skip_space();
  return stream_.look(1).empty();
}

std::optional<StreamedPicture> PictureStream::next() {
  if (has_failed_ || at_end()) return std::nullopt;
  ++count_;
  const std::uint64_t offset = stream_.position();
  try {
    return read();
  } catch (const Error& error) {
    has_failed_ = true;
    if (!error.where().empty()) throw;
    throw Error(error.kind(), "", "at byte " + std::to_string(offset) + ": " + error.what());
  }
}

std::optional<StreamedPicture> PictureStream::read() {
  StreamedPicture picture{.number = count_, .offset = stream_.position(), .bytes = {}};
  const std::span<const std::byte> start = stream_.look(3);  // the shortest signatures
  std::optional<PictureType> type = sniff_picture_type(start);
  if (!type) type = sniff_picture_type(stream_.look(kSignature));
  if (!type || !can_follow(stream_.ahead()))
    throw Error(ErrorKind::input, "",
                "the bytes after picture " + std::to_string(count_ - 1) +
                    " are not a PNG, JPEG or PNM; if they belong to that picture, give it as a file of its own");
  picture.type = *type;
  std::optional<std::size_t> size;
  try {
    size = find_picture_end(stream_, *type, limits_);
  } catch (const Error& error) {
    if (count_ > 1 && !error.where().empty()) throw;
    if (count_ > 1) throw Error(error.kind(), "", std::string(error.what()) + "; the pictures after it are not read");
  }
  if (!size && count_ == 1) {
    picture.bytes = stream_.take_rest(limits_);
    return picture;
  }
  if (size) picture.bytes = stream_.take(*size);
  if (!size || (picture.bytes.size() < *size && count_ > 1))
    throw Error(ErrorKind::input, "", "the stream ends in the middle of it");
  after_text_ = *type == PictureType::pnm && is_text({picture.bytes.data(), picture.bytes.size()});
  return picture;
}

}  // namespace convtool
