#include "pictures/headers/tiff_directory.h"

#include <string>

namespace convtool {
namespace {

/// The size in bytes of an integer type or of untyped bytes. No tag of TiffTag has another type.
int size_of_type(std::uint32_t type) {
  switch (type) {
    case 1:
    case 7: return 1;
    case 3: return 2;
    case 4:
    case 13: return 4;
    case 16:
    case 18: return 8;
    default: throw_damaged("TIFF", "a value of type " + std::to_string(type) + " where an integer is expected");
  }
}

}  // namespace

TiffDirectory::TiffDirectory(std::span<const std::byte> bytes)
    : file_("TIFF", bytes, bytes[0] == std::byte{'M'} ? ByteReader::Order::big : ByteReader::Order::little, 2) {
  big_ = file_.u16() == 43;
  if (big_) file_.skip(4);  // the size of an offset, always 8, and a zero
  file_.seek(file_.number(offset_size()));
  entries_at_ = skip_entries();
}

std::int64_t TiffDirectory::count_pages() {
  constexpr std::int64_t kMost = 65536;  // a chain may point back to itself
  std::int64_t pages = 1;
  try {
    file_.seek(entries_at_ + entry_count_ * entry_size());
    std::uint64_t next = file_.number(offset_size());
    for (; next != 0 && pages < kMost; ++pages) {
      file_.seek(next);
      const std::uint64_t count = file_.number(big_ ? 8 : 2);
      if (count > file_.size() / entry_size()) return pages;
      file_.skip(count * entry_size());
      next = file_.number(offset_size());
    }
  } catch (const Error&) {
  }
  return pages;
}

std::string_view TiffDirectory::text(TiffTag tag) {
  try {
    const std::optional<Entry> entry = find(tag);
    if (!entry) return {};
    file_.seek(entry->values_at);
    return file_.text(entry->count * static_cast<std::uint64_t>(entry->value_size));
  } catch (const Error&) {
    return {};
  }
}

std::vector<std::uint64_t> TiffDirectory::values(TiffTag tag) {
  const std::optional<Entry> entry = find(tag);
  if (!entry) return {};
  file_.seek(entry->values_at);
  std::vector<std::uint64_t> values(entry->count);
  for (std::uint64_t& value : values) value = file_.number(entry->value_size);
  return values;
}

std::uint64_t TiffDirectory::value(TiffTag tag, std::uint64_t otherwise) {
  const std::vector<std::uint64_t> all = values(tag);
  return all.empty() ? otherwise : all.front();
}

std::uint64_t TiffDirectory::value_if_sound(TiffTag tag, std::uint64_t otherwise) {
  try {
    return value(tag, otherwise);
  } catch (const Error&) {
    return otherwise;
  }
}

std::uint64_t TiffDirectory::required(TiffTag tag, const char* name) {
  const std::vector<std::uint64_t> all = values(tag);
  if (all.empty()) throw_damaged("TIFF", std::string("no ") + name);
  return all.front();
}

std::optional<std::size_t> TiffDirectory::position_of_u16(TiffTag tag) {
  const std::optional<Entry> entry = find(tag);
  if (!entry || entry->count == 0 || entry->value_size != 2) return std::nullopt;
  return entry->values_at;
}

std::uint64_t TiffDirectory::skip_entries() {
  entry_count_ = file_.number(big_ ? 8 : 2);
  const std::uint64_t first = file_.position();
  if (entry_count_ > file_.size() / entry_size()) throw_damaged("TIFF", "its directory does not fit into the file");
  file_.skip(entry_count_ * entry_size());
  return first;
}

std::optional<TiffDirectory::Entry> TiffDirectory::find(TiffTag tag) {
  for (std::uint64_t i = 0; i < entry_count_; ++i) {
    file_.seek(entries_at_ + i * entry_size());
    if (file_.u16() != tag) continue;
    const int value_size = size_of_type(file_.u16());
    const std::uint64_t count = file_.number(offset_size());
    const auto size = static_cast<std::uint64_t>(value_size);
    if (count > file_.size() / size) throw_damaged("TIFF", "a table does not fit into the file");
    // Values that fit into the space of the offset are stored in its place.
    if (count * size > static_cast<std::uint64_t>(offset_size())) file_.seek(file_.number(offset_size()));
    const std::uint64_t values_at = file_.position();
    file_.skip(count * size);
    return Entry{value_size, count, values_at};
  }
  return std::nullopt;
}

}  // namespace convtool
