#include "pictures/metadata/directory.h"

#include <algorithm>
#include <iterator>

#include "files/byte_reader.h"

namespace convtool {
namespace {

constexpr std::uint32_t kShortType = 3, kLongType = 4, kLong8Type = 16;

/// The bytes of a value of a type, and of the numbers that it consists of: two in a rational.
struct ValueSize {
  std::uint64_t value, number;
};

ValueSize size_of_value(std::uint32_t type) {
  constexpr ValueSize kSizes[] = {{0, 0}, {1, 1}, {1, 1}, {2, 2}, {4, 4}, {8, 4}, {1, 1}, {1, 1}, {2, 2}, {4, 4},
                                  {8, 4}, {4, 4}, {8, 8}, {4, 4}, {0, 0}, {0, 0}, {8, 8}, {8, 8}, {8, 8}};
  return type < std::size(kSizes) ? kSizes[type] : ValueSize{0, 0};
}

void append_number(Bytes& bytes, std::uint64_t number, int size, std::endian order) {
  for (int i = 0; i < size; ++i)
    bytes.push_back(static_cast<std::byte>(number >> 8 * (order == std::endian::big ? size - 1 - i : i)));
}

}  // namespace

const DirectoryEntry* Directory::find(std::uint32_t tag) const {
  const auto found =
      std::find_if(entries.begin(), entries.end(), [tag](const auto& entry) { return entry.tag == tag; });
  return found == entries.end() ? nullptr : &*found;
}

TiffStructure::TiffStructure(std::span<const std::byte> bytes)
    : bytes_(bytes), order_(!bytes.empty() && bytes[0] == std::byte{'M'} ? std::endian::big : std::endian::little) {
  ByteReader reader("TIFF", bytes, order_ == std::endian::big ? ByteReader::Order::big : ByteReader::Order::little);
  if (reader.text(2) != (order_ == std::endian::big ? "MM" : "II")) throw_damaged("TIFF", "no byte order");
  const std::uint32_t version = reader.u16();
  if (version != 42 && version != 43) throw_damaged("TIFF", "an unknown version");
  is_big_ = version == 43;
  if (is_big_) reader.skip(4);  // the size of an offset, always 8, and a zero
  first_ = reader.number(offset_size());
}

Directory TiffStructure::directory(std::uint64_t at) const {
  ByteReader reader("TIFF", bytes_, order_ == std::endian::big ? ByteReader::Order::big : ByteReader::Order::little,
                    at);
  constexpr std::uint64_t kMostEntries = 4096;  // libtiff's limit
  const std::uint64_t count = reader.number(is_big_ ? 8 : 2);
  if (count > kMostEntries) throw_damaged("TIFF", "too many tags");
  Directory result{.begin = at};
  for (std::uint64_t i = 0; i < count; ++i) {
    DirectoryEntry entry{.at = reader.position()};
    entry.tag = reader.u16();
    entry.type = reader.u16();
    entry.count = reader.number(offset_size());
    ByteReader value = reader;  // values that fit into the space of the offset are stored in its place
    reader.skip(static_cast<std::uint64_t>(offset_size()));
    const std::uint64_t size = size_of_value(entry.type).value;
    const std::uint64_t bytes = size * std::min<std::uint64_t>(entry.count, bytes_.size() + 1);
    const std::uint64_t begin =
        bytes > static_cast<std::uint64_t>(offset_size()) ? value.number(offset_size()) : value.position();
    entry.is_sound = begin <= bytes_.size() && bytes <= bytes_.size() - begin;
    if (entry.is_sound) entry.value = bytes_.subspan(begin, bytes);
    result.entries.push_back(entry);
  }
  result.end = reader.position();
  return result;
}

Directory TiffStructure::directory(const DirectoryEntry& entry) const { return directory(number(entry)); }

std::uint64_t TiffStructure::next(const Directory& directory) const {
  const auto size = static_cast<std::uint64_t>(offset_size());
  if (bytes_.size() - directory.end < size) return 0;  // some writers leave the link out
  const auto order = order_ == std::endian::big ? ByteReader::Order::big : ByteReader::Order::little;
  return ByteReader("TIFF", bytes_, order, directory.end).number(offset_size());
}

std::uint64_t TiffStructure::number(const DirectoryEntry& entry, std::uint64_t index) const {
  const ValueSize size = size_of_value(entry.type);
  if (size.number == 0) throw_damaged("TIFF", "a value of an unknown type");
  ByteReader reader("TIFF", entry.value,
                    order_ == std::endian::big ? ByteReader::Order::big : ByteReader::Order::little);
  reader.skip(index * size.number);
  return reader.number(static_cast<int>(size.number));
}

NewEntry copy_entry(const DirectoryEntry& entry, std::endian from, std::endian order) {
  NewEntry result{.tag = entry.tag, .type = entry.type, .count = entry.count};
  result.value.assign(entry.value.begin(), entry.value.end());
  const auto size = static_cast<std::ptrdiff_t>(size_of_value(entry.type).number);
  if (from != order && size > 1)
    for (auto at = result.value.begin(); at != result.value.end(); at += size) std::reverse(at, at + size);
  return result;
}

NewEntry short_entry(std::uint32_t tag, std::uint16_t value, std::endian order) {
  NewEntry result{.tag = tag, .type = kShortType, .count = 1};
  append_number(result.value, value, 2, order);
  return result;
}

std::uint64_t append_directory(Bytes& file, std::vector<NewEntry> entries, std::endian order, bool is_big,
                               std::uint64_t next) {
  std::stable_sort(entries.begin(), entries.end(), [](const auto& a, const auto& b) { return a.tag < b.tag; });
  const int offset_size = is_big ? 8 : 4;
  const auto align = [&] { file.resize(file.size() + file.size() % 2); };  // offsets are even
  for (NewEntry& entry : entries) {
    if (!entry.directory.empty()) {
      const std::uint64_t at = append_directory(file, std::move(entry.directory), order, is_big);
      entry.type = is_big ? kLong8Type : kLongType;
      entry.count = 1;
      entry.value.clear();
      append_number(entry.value, at, offset_size, order);
    } else if (entry.value.size() > static_cast<std::size_t>(offset_size)) {
      align();
      const std::uint64_t at = file.size();
      file.insert(file.end(), entry.value.begin(), entry.value.end());
      entry.value.clear();
      append_number(entry.value, at, offset_size, order);
    }
    entry.value.resize(static_cast<std::size_t>(offset_size));
  }
  align();
  const std::uint64_t begin = file.size();
  append_number(file, entries.size(), is_big ? 8 : 2, order);
  for (const NewEntry& entry : entries) {
    append_number(file, entry.tag, 2, order);
    append_number(file, entry.type, 2, order);
    append_number(file, entry.count, offset_size, order);
    file.insert(file.end(), entry.value.begin(), entry.value.end());
  }
  append_number(file, next, offset_size, order);
  return begin;
}

}  // namespace convtool
