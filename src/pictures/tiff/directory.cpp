#include "pictures/tiff/directory.h"

#include <algorithm>
#include <iterator>
#include <string>

namespace convtool {
namespace {

/// The size in bytes of a value of each type (TIFF 6.0, section 2; BigTIFF); 0 where the number is not a type.
constexpr int kValueSizes[] = {0, 1, 1, 2, 4, 8, 1, 1, 2, 4, 8, 4, 8, 4, 0, 0, 8, 8, 8};

int size_of_type(std::uint32_t type) { return type < std::size(kValueSizes) ? kValueSizes[type] : 0; }

/// Whether the type is an unsigned integer or untyped bytes, as all tags of TiffTag are.
bool is_integer_type(std::uint32_t type) {
  constexpr std::uint32_t kTypes[] = {1, 3, 4, 7, 13, 16, 18};
  return std::find(std::begin(kTypes), std::end(kTypes), type) != std::end(kTypes);
}

}  // namespace

TiffDirectory::TiffDirectory(std::span<const std::byte> bytes, std::uint64_t at)
    : file_("TIFF", bytes, bytes[0] == std::byte{'M'} ? ByteReader::Order::big : ByteReader::Order::little, 2) {
  big_ = file_.u16() == 43;
  if (big_) file_.skip(4);  // the size of an offset, always 8, and a zero
  file_.seek(at == 0 ? file_.number(offset_size()) : at);
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

std::vector<std::uint64_t> TiffDirectory::chain() {
  constexpr std::size_t kMost = 65536;
  std::vector<std::uint64_t> places = {entries_at_ - (big_ ? 8 : 2)};
  file_.seek(entries_at_ + entry_count_ * entry_size());
  if (file_.at_end()) return places;  // some writers leave the last link out
  while (const std::uint64_t next = file_.number(offset_size())) {
    if (places.size() == kMost)
      throw_damaged("TIFF", "more than " + std::to_string(kMost) + " pages, or a chain of pages without an end");
    places.push_back(next);
    file_.seek(next);
    const std::uint64_t count = file_.number(big_ ? 8 : 2);
    if (count > file_.size() / entry_size()) throw_damaged("TIFF", "a directory does not fit into the file");
    file_.skip(count * entry_size());
    if (file_.at_end()) break;
  }
  return places;
}

std::uint64_t TiffDirectory::Table::operator[](std::uint64_t index) {
  file_.seek(values_at_ + index * static_cast<std::uint64_t>(value_size_));
  return file_.number(value_size_);
}

TiffDirectory::Table TiffDirectory::table(TiffTag tag) {
  const std::optional<Entry> entry = find(tag);
  return entry ? Table(file_, entry->value_size, entry->count, entry->values_at) : Table(file_, 1, 0, 0);
}

std::uint64_t TiffDirectory::count(TiffTag tag) { return table(tag).count(); }

std::vector<std::uint64_t> TiffDirectory::values(TiffTag tag, std::uint64_t most) {
  Table all = table(tag);
  std::vector<std::uint64_t> values(std::min(most, all.count()));
  for (std::size_t i = 0; i < values.size(); ++i) values[i] = all[i];
  return values;
}

std::uint64_t TiffDirectory::value(TiffTag tag, std::uint64_t otherwise) {
  Table all = table(tag);
  return all.count() == 0 ? otherwise : all[0];
}

std::uint64_t TiffDirectory::value_if_sound(TiffTag tag, std::uint64_t otherwise) {
  try {
    return value(tag, otherwise);
  } catch (const Error&) {
    return otherwise;
  }
}

std::uint64_t TiffDirectory::required(TiffTag tag, const char* name) {
  Table all = table(tag);
  if (all.count() == 0) throw_damaged("TIFF", std::string("no ") + name);
  return all[0];
}

double TiffDirectory::bytes_of_values() {
  constexpr std::uint32_t kOfBlocks[] = {kStripOffsets, kStripByteCounts, kTileOffsets, kTileByteCounts};
  double bytes = static_cast<double>(entry_count_ * entry_size());
  for (std::uint64_t i = 0; i < entry_count_; ++i) {
    file_.seek(entries_at_ + i * entry_size());
    if (std::find(std::begin(kOfBlocks), std::end(kOfBlocks), file_.u16()) != std::end(kOfBlocks)) continue;
    const int size = size_of_type(file_.u16());
    const double count = static_cast<double>(file_.number(offset_size()));
    bytes += std::min(count * size, static_cast<double>(file_.size()));  // values that the file lacks are not read
  }
  return bytes;
}

std::uint64_t TiffDirectory::skip_entries() {
  entry_count_ = file_.number(big_ ? 8 : 2);
  const std::uint64_t first = file_.position();
  if (entry_count_ > file_.size() / entry_size()) throw_damaged("TIFF", "its directory does not fit into the file");
  constexpr std::uint64_t kMostEntries = 4096;  // libtiff's limit
  if (entry_count_ > kMostEntries)
    throw Error(ErrorKind::input, "",
                "a TIFF with " + std::to_string(entry_count_) + " tags cannot be read (at most " +
                    std::to_string(kMostEntries) + " can); convert it");
  file_.skip(entry_count_ * entry_size());
  return first;
}

std::optional<TiffDirectory::Entry> TiffDirectory::find(TiffTag tag) {
  for (std::uint64_t i = 0; i < entry_count_; ++i) {
    file_.seek(entries_at_ + i * entry_size());
    if (file_.u16() != tag) continue;
    const std::uint32_t type = file_.u16();
    if (!is_integer_type(type))
      throw_damaged("TIFF", "a value of type " + std::to_string(type) + " where an integer is expected");
    const int value_size = size_of_type(type);
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
