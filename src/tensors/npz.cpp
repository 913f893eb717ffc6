// ZIP (PKWARE, "APPNOTE.TXT - .ZIP File Format Specification", version 6.3): the files one after another, each after a
// local header; then a directory of them; then a record of the directory's place, which a comment may follow. Numbers
// are little-endian. A field of 32 bits that is all ones has its value in an extra field of the entry (ZIP64), and
// that of the record in a second, larger record. Names and sizes are those of the directory: local headers may leave
// sizes out.
#include "tensors/npz.h"

#include <algorithm>
#include <climits>
#include <filesystem>
#include <fstream>
#include <limits>
#include <optional>
#include <utility>
#include <vector>

#include "core/printable.h"
#include "core/suggest.h"
#include "core/text.h"
#include "files/byte_reader.h"
#include "files/regular_file.h"
#include "pictures/compression.h"

namespace convtool {
namespace {

constexpr std::string_view kNpz = ".npz", kNpy = ".npy";

// Signatures, and the sizes of the parts up to their names.
constexpr std::uint32_t kLocalHeader = 0x04034b50, kEntry = 0x02014b50, kEnd = 0x06054b50, kEnd64 = 0x06064b50,
                        kLocator64 = 0x07064b50;
constexpr std::uint64_t kLocalHeaderSize = 30, kEndSize = 22, kEnd64Size = 56, kLocator64Size = 20,
                        kLongestComment = 0xffff;
constexpr std::uint64_t kLargestDirectory = 100'000'000;  // as safetensors allows; a million arrays take as much
constexpr std::uint32_t kIn64 = 0xffffffff;

[[noreturn]] void refuse_npz(const std::string& message) { throw Error(ErrorKind::input, "", "this .npz " + message); }

struct Entry {
  std::string_view name;
  bool is_encrypted = false;
  std::uint32_t method = 0, crc = 0;
  std::uint64_t stored_size = 0, size = 0, offset = 0;

  /// The name of the array; "" for files of other kinds.
  std::string_view array() const { return name.ends_with(kNpy) ? name.substr(0, name.size() - kNpy.size()) : ""; }
};

/// The position of the last record of a directory's place.
std::uint64_t find_last_record(std::span<const std::byte> bytes) {
  if (bytes.size() < kEndSize) throw_damaged(kNpz);
  const std::uint64_t last = bytes.size() - kEndSize;
  for (std::uint64_t at = last + 1; at-- > last - std::min(last, kLongestComment);)
    if (ByteReader(kNpz, bytes, ByteReader::Order::little, at).u32() == kEnd) return at;
  throw_damaged(kNpz, "it has no directory");
}

/// The bytes of an archive, in memory or in a file.
class Source {
 public:
  explicit Source(std::span<const std::byte> bytes) : bytes_(bytes) {}
  explicit Source(RandomAccessFile file) : file_(std::move(file)) {}

  std::uint64_t size() const { return file_ ? file_->size() : bytes_.size(); }

  /// Copies the bytes from `begin` on. Throws as damaged if the archive ends too early.
  void read(std::uint64_t begin, std::span<std::byte> to) const {
    check_end(begin, to.size());
    if (file_)
      file_->read(begin, to);
    else
      std::copy_n(bytes_.begin() + static_cast<std::ptrdiff_t>(begin), to.size(), to.begin());
  }

  /// These bytes, which lie in the archive's memory or are read into `room`. Throws likewise.
  std::span<const std::byte> bytes(std::uint64_t begin, std::uint64_t size, Buffer& room) const {
    check_end(begin, size);
    if (!file_) return bytes_.subspan(begin, size);
    room = Buffer(size);
    file_->read(begin, room);
    return room;
  }

 private:
  void check_end(std::uint64_t begin, std::uint64_t size) const {
    if (begin > this->size() || size > this->size() - begin) throw_damaged(kNpz, "it ends too early");
  }

  std::span<const std::byte> bytes_;
  std::optional<RandomAccessFile> file_;
};

ByteReader reader(std::span<const std::byte> bytes, std::uint64_t position = 0) {
  return {kNpz, bytes, ByteReader::Order::little, position};
}

/// "a, b, c", of many arrays only the first.
std::string names_text(const std::vector<std::string_view>& names) {
  constexpr std::size_t kMost = 10;
  std::string text;
  for (std::size_t i = 0; i < std::min(names.size(), kMost); ++i) text += (i == 0 ? "" : ", ") + printable(names[i]);
  return names.size() > kMost ? text + ", ..." : text;
}

/// Whether `path` is a file that begins like an .npz file.
bool is_npz_file(const std::string& path) {
  std::error_code ignored;
  if (!std::filesystem::is_regular_file(path, ignored)) return false;
  std::byte begin[4] = {};
  std::ifstream(path, std::ios::binary).read(reinterpret_cast<char*>(begin), sizeof begin);
  return looks_like_npz(begin);
}

}  // namespace

class NpzFile::Archive {
 public:
  explicit Archive(Source source) : source_(std::move(source)) { read_directory(); }

  const std::vector<Entry>& entries() const { return entries_; }

  Buffer extract(const Entry& entry, std::size_t most) const {
    const std::string name = "'" + printable(entry.array()) + "' ";
    if (entry.is_encrypted) refuse_npz("has " + name + "encrypted; save it with numpy.savez");
    if (entry.size > most)
      refuse_npz("has " + name + "with " + std::to_string(entry.size) + " bytes (at most " + std::to_string(most) +
                 ")");
    const std::uint64_t begin = find_data(entry);
    constexpr std::uint32_t kStored = 0, kDeflate = 8;
    constexpr std::uint64_t kLargestRatio = 1032;  // of Deflate: 258 bytes take two bits
    if (entry.size / kLargestRatio > entry.stored_size) throw_damaged(kNpz);
    Buffer text(entry.size);
    if (entry.method == kStored) {
      if (entry.stored_size != entry.size) throw_damaged(kNpz);
      source_.read(begin, text);
    } else if (entry.method == kDeflate) {
      Buffer room;
      // Encoders do not double a text, unless it is short.
      constexpr std::uint64_t kShort = 1 << 16;
      if (entry.stored_size / 2 > entry.size + kShort ||
          !inflate_raw(source_.bytes(begin, entry.stored_size, room), text))
        throw_damaged(kNpz, name + "does not decompress");
    } else {
      refuse_npz("has " + name + "compressed by method " + std::to_string(entry.method) +
                 " (expected 8, Deflate); save it with numpy.savez_compressed");
    }
    if (crc32_of(text) != entry.crc) throw_damaged(kNpz, name + "has another checksum");
    return text;
  }

 private:
  /// The position of an entry's data, after its local header.
  std::uint64_t find_data(const Entry& entry) const {
    Buffer room;
    ByteReader header = reader(source_.bytes(entry.offset, kLocalHeaderSize, room));
    if (header.u32() != kLocalHeader) throw_damaged(kNpz);
    header.skip(kLocalHeaderSize - 4 - 4);
    const std::uint64_t name_size = header.u16(), extra_size = header.u16();
    return entry.offset + kLocalHeaderSize + name_size + extra_size;
  }

  void read_directory() {
    const std::uint64_t tail_size = std::min(source_.size(), kLongestComment + kEndSize + kLocator64Size);
    Buffer room;
    const std::span<const std::byte> tail = source_.bytes(source_.size() - tail_size, tail_size, room);
    const std::uint64_t end = find_last_record(tail);
    ByteReader record = reader(tail, end + 10);
    std::uint64_t count = record.u16(), size = record.u32(), offset = record.u32();
    std::uint64_t directory_end = source_.size() - tail_size + end;
    if (end >= kLocator64Size) {
      ByteReader locator = reader(tail, end - kLocator64Size);
      if (locator.u32() == kLocator64) {
        locator.skip(4);
        directory_end = locator.number(8);
        Buffer room64;
        ByteReader large = reader(source_.bytes(directory_end, kEnd64Size, room64));
        if (large.u32() != kEnd64) throw_damaged(kNpz);
        large.skip(28);
        count = large.number(8);
        size = large.number(8);
        offset = large.number(8);
      }
    }
    if (size > kLargestDirectory)
      refuse_npz("has a directory of " + std::to_string(size) + " bytes (at most " + std::to_string(kLargestDirectory) +
                 ")");
    if (offset > directory_end || size != directory_end - offset)
      throw_damaged(kNpz, "its directory is not where its last record says; are these several files?");
    ByteReader at = reader(source_.bytes(offset, size, directory_));
    for (; count > 0; --count) entries_.push_back(read_entry(at));  // each takes bytes, so that a large count ends
  }

  static Entry read_entry(ByteReader& at) {
    if (at.u32() != kEntry) throw_damaged(kNpz);
    at.skip(4);
    Entry entry;
    entry.is_encrypted = (at.u16() & 1) != 0;
    entry.method = at.u16();
    at.skip(4);
    entry.crc = at.u32();
    entry.stored_size = at.u32();
    entry.size = at.u32();
    const std::uint64_t name_size = at.u16(), extra_size = at.u16(), comment_size = at.u16();
    at.skip(8);
    entry.offset = at.u32();
    entry.name = at.text(name_size);
    read_extra(at.text(extra_size), entry);
    at.skip(comment_size);
    return entry;
  }

  /// Fills in the numbers of the extra field of ZIP64, which has those that the entry leaves out, in this order.
  static void read_extra(std::string_view extra, Entry& entry) {
    constexpr std::uint32_t kZip64 = 1;
    ByteReader at = reader(std::as_bytes(std::span(extra)));
    while (at.size() - at.position() >= 4) {
      const std::uint32_t kind = at.u16();
      const std::uint64_t size = at.u16();
      if (kind != kZip64) {
        at.skip(size);
        continue;
      }
      for (std::uint64_t* number : {&entry.size, &entry.stored_size, &entry.offset})
        if (*number == kIn64) *number = at.number(8);
      return;
    }
  }

  Source source_;
  Buffer directory_;  // which the names of the entries are part of, if the source is a file
  std::vector<Entry> entries_;
};

ArrayPath split_array_path(const std::string& path) {
  std::error_code ignored;
  if (path.find('#') == std::string::npos || (path.size() < PATH_MAX && std::filesystem::exists(path, ignored)))
    return {path, ""};
  const std::size_t named = in_small_letters(path).find(std::string(kNpz) + "#");
  std::size_t at = named == std::string::npos ? path.find('#') : named + kNpz.size();
  while (named == std::string::npos && at < PATH_MAX && !is_npz_file(path.substr(0, at))) at = path.find('#', at + 1);
  if (at >= PATH_MAX) return {path, ""};  // no file has such a name
  return {path.substr(0, at), path.substr(at + 1)};
}

bool looks_like_npz(std::span<const std::byte> bytes) {
  if (bytes.size() < 4) return false;
  const auto signature = load_number<std::uint32_t>(bytes.data(), std::endian::little);
  return signature == kLocalHeader || signature == kEnd;  // the latter: without files
}

std::optional<std::size_t> find_npz_end(std::span<const std::byte> bytes) {
  const auto reader = [&](std::uint64_t at) { return ByteReader(kNpz, bytes, ByteReader::Order::little, at); };
  try {
    std::uint64_t record = find_last_record(bytes);
    // The last record may be that of another archive, which has the same places as the first.
    ByteReader place = reader(record + 12);
    const std::uint64_t directory_bytes = place.u32(), directory_end = place.u32() + directory_bytes;
    if (directory_end < record && reader(directory_end).u32() == kEnd) record = directory_end;
    const std::uint64_t end = record + kEndSize + reader(record + kEndSize - 2).u16();
    if (end <= bytes.size()) return end;
  } catch (const Error&) {
  }
  return std::nullopt;
}

NpzFile::NpzFile(std::span<const std::byte> archive) : archive_(std::make_unique<Archive>(Source(archive))) {}
NpzFile::NpzFile(const std::string& path, ErrorKind kind)
    : archive_(std::make_unique<Archive>(Source(RandomAccessFile(path, kind)))) {}
NpzFile::~NpzFile() = default;

Buffer NpzFile::extract_npy(std::string_view array, std::size_t most) const {
  const Entry* found = nullptr;
  std::vector<std::string_view> names;
  for (const Entry& entry : archive_->entries()) {
    if (entry.array().empty()) continue;
    names.push_back(entry.array());
    if (array.empty() || entry.array() == array) found = &entry;  // of several with one name the last, as in Python
  }
  const auto is_pickle = [](const Entry& entry) { return entry.name.ends_with("/data.pkl"); };
  if (names.empty() && std::any_of(archive_->entries().begin(), archive_->entries().end(), is_pickle))
    throw Error(
        ErrorKind::input, "",
        "this is a PyTorch file, a pickle, which only Python can run; to filter one of its tensors, write it as "
        ".npy with numpy.save; to use its weights, write them with safetensors.torch.save_file");
  if (names.empty()) refuse_npz("contains no arrays (files that end in .npy)");
  if (array.empty() && names.size() > 1)
    refuse_npz("contains " + std::to_string(names.size()) + " arrays (" + names_text(names) +
               "); name one, such as FILE.npz#" + printable(names.front()));
  if (found == nullptr) {
    const std::string hint = suggestion(std::string(array), names);
    refuse_npz("has no array '" + printable(array) + "'" +
               (hint.empty() ? " (it contains " + names_text(names) + ")" : hint));
  }
  return archive_->extract(*found, most);
}

Buffer extract_npy(std::span<const std::byte> archive, std::string_view array, std::size_t most) {
  return NpzFile(archive).extract_npy(array, most);
}

}  // namespace convtool
