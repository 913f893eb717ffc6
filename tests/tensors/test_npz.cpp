// .npz files: every way in which ZIP stores an array, names, and damage.
#include <doctest/doctest.h>

#include <filesystem>
#include <fstream>

#include "support/error_text.h"
#include "support/program.h"
#include "support/zip_file.h"
#include "tensors/npz.h"

namespace convtool {
namespace {

using testing::zip_file;
using testing::ZipPart;

std::string text_of(const Buffer& npy) { return {reinterpret_cast<const char*>(npy.data()), npy.size()}; }

std::string extracted(const Bytes& archive, const std::string& array, std::size_t most = 1 << 20) {
  return text_of(extract_npy(archive, array, most));
}

std::string refusal(const Bytes& archive, const std::string& array = "", std::size_t most = 1 << 20) {
  return testing::error_text(ErrorKind::input, [&] { extracted(archive, array, most); });
}

/// Text that Deflate makes smaller, and that has pieces which it does not.
std::string some_text() {
  std::string text(5000, 'x');
  for (std::size_t i = 0; i < 1000; ++i) text[3 * i] = static_cast<char>(i * i % 251);
  return text;
}

}  // namespace

TEST_CASE("an array, stored or compressed, with and without ZIP64 and a comment") {
  const std::string text = some_text();
  for (const bool is_deflated : {false, true})
    for (const bool in_64 : {false, true})
      for (const bool ends_in_64 : {false, true})
        for (const std::size_t comment : {0u, 1u, 0xffffu}) {
          CAPTURE(is_deflated);
          CAPTURE(in_64);
          CAPTURE(ends_in_64);
          CAPTURE(comment);
          const Bytes archive = zip_file({{"a.npy", "other", !is_deflated}, {"b.npy", text, is_deflated, in_64}},
                                         ends_in_64, std::string(comment, '#'));
          CHECK(looks_like_npz(archive));
          CHECK(extracted(archive, "b") == text);
          CHECK(extracted(archive, "a") == "other");
          CHECK(refusal(archive, "b", text.size() - 1) == "this .npz has 'b' with 5000 bytes (at most 4999)");

          const TempFolder folder;
          folder.write("a.npz", {reinterpret_cast<const char*>(archive.data()), archive.size()});
          const NpzFile file(folder.file("a.npz"), ErrorKind::kernel);
          CHECK(text_of(file.extract_npy("b", text.size())) == text);
          CHECK(text_of(file.extract_npy("a", text.size())) == "other");
          CHECK(testing::error_text(ErrorKind::input, [&] {
                  file.extract_npy("c", 100);
                }).starts_with("this .npz has no array 'c'"));
        }
}

TEST_CASE("of a file only the directory and the array asked for are read") {
  // 64 GiB that take no room on the disk, most of them before the archive.
  constexpr std::uint64_t kStart = std::uint64_t{64} << 30;
  const TempFolder folder;
  const std::string path = folder.file("large.npz"), text = some_text();
  const Bytes archive = zip_file({{"a.npy", "other", false, true}, {"b.npy", text, true, true}}, true, "", kStart);
  std::ofstream(path, std::ios::binary)
      .seekp(static_cast<std::streamoff>(kStart))
      .write(reinterpret_cast<const char*>(archive.data()), std::ssize(archive));
  CHECK(text_of(NpzFile(path, ErrorKind::kernel).extract_npy("b", text.size())) == text);
}

TEST_CASE("the array is named, or the only one") {
  const Bytes one = zip_file({{"README", "text"}, {"x.npy", "1"}});
  CHECK(extracted(one, "") == "1");
  CHECK(extracted(one, "x") == "1");
  CHECK(refusal(one, "y") == "this .npz has no array 'y'; did you mean 'x'?");
  const Bytes several = zip_file({{"conv1/w.npy", "1"}, {"conv1/b.npy", "2"}, {"conv1/b.npy", "3"}});
  CHECK(extracted(several, "conv1/b") == "3");  // as Python reads it
  CHECK(refusal(several) ==
        "this .npz contains 3 arrays (conv1/w, conv1/b, conv1/b); name one, such as FILE.npz#conv1/w");
  CHECK(refusal(several, "quite another").find("(it contains conv1/w, ") != std::string::npos);
  CHECK(refusal(zip_file({{"README", "text"}})) == "this .npz contains no arrays (files that end in .npy)");
  CHECK(refusal(zip_file({{"net/data.pkl", "pickle"}, {"net/data/0", "1"}})).starts_with("this is a PyTorch file"));
  CHECK(refusal(zip_file({})) == "this .npz contains no arrays (files that end in .npy)");
  CHECK(looks_like_npz(zip_file({})));
  Bytes two = several;  // which Python would read as the second
  two.insert(two.end(), one.begin(), one.end());
  CHECK(refusal(two, "x").starts_with("damaged or truncated .npz (its directory is not where its last record says"));
  std::vector<ZipPart> many;
  for (int i = 0; i < 20; ++i) many.push_back({"a" + std::to_string(i) + ".npy", ""});
  CHECK(refusal(zip_file(many)).find("a8, a9, ...)") != std::string::npos);
}

TEST_CASE("damage of any byte and at any length is found, or changes nothing") {
  const std::string text = some_text().substr(0, 600);
  for (const bool is_deflated : {false, true}) {
    const Bytes archive = zip_file({{"b.npy", text, is_deflated, is_deflated}}, is_deflated);
    const auto is_sound = [&](const Bytes& bytes) {
      try {
        return extracted(bytes, "") == text;
      } catch (const Error& error) {
        return error.kind() == ErrorKind::input;
      }
    };
    for (std::size_t size = 0; size < archive.size(); ++size) {
      CAPTURE(size);
      CHECK(is_sound(Bytes(archive.begin(), archive.begin() + static_cast<std::ptrdiff_t>(size))));
    }
    for (std::size_t at = 0; at < archive.size(); ++at)
      for (const unsigned flip : {0x01u, 0x80u, 0xffu}) {
        CAPTURE(at);
        CAPTURE(flip);
        Bytes damaged = archive;
        damaged[at] ^= static_cast<std::byte>(flip);
        CHECK(is_sound(damaged));
      }
  }
}

TEST_CASE("archives that are not read") {
  constexpr std::size_t kMethodInEntry = 10, kFlagsInEntry = 8, kSizeInEntry = 24;
  const Bytes archive = zip_file({{"b.npy", some_text(), true}});
  const auto with = [&](std::size_t place, std::uint8_t value) {
    Bytes changed = archive;
    const auto directory = testing::zip_file({{"b.npy", some_text(), true}}).size() - 22 - 46 - 5;
    changed[directory + place] = static_cast<std::byte>(value);
    return refusal(changed);
  };
  CHECK(with(kMethodInEntry, 12) ==
        "this .npz has 'b' compressed by method 12 (expected 8, Deflate); save it with numpy.savez_compressed");
  CHECK(with(kFlagsInEntry, 1) == "this .npz has 'b' encrypted; save it with numpy.savez");
  CHECK(with(kSizeInEntry + 2, 1).starts_with("damaged or truncated .npz"));
  CHECK(with(0, 0).starts_with("damaged or truncated .npz"));
  CHECK(with(16, 0).find("'b' has another checksum") != std::string::npos);
  CHECK(refusal({}).starts_with("damaged or truncated .npz"));
}

TEST_CASE("paths of arrays") {
  const auto is = [](const std::string& path, const std::string& file, const std::string& array) {
    const ArrayPath parts = split_array_path(path);
    CAPTURE(path);
    CHECK(parts.file == file);
    CHECK(parts.array == array);
  };
  is("a/b.npz#c", "a/b.npz", "c");
  is("a/B.NPZ#c/d#e", "a/B.NPZ", "c/d#e");
  is("b.npz", "b.npz", "");
  is("b.npz#", "b.npz", "");
  is("b.npy#c", "b.npy#c", "");
  is("-", "-", "");
  const std::string long_name(2'000'000, '#');  // at once: names of files are short
  is(long_name, long_name, "");
  const TempFolder folder;
  const std::string whole = folder.write("b.npz#c", "a file");
  is(whole, whole, "");
}

TEST_CASE("an archive ends with its record and the comment, whatever follows") {
  const auto with = [](Bytes a, std::span<const std::byte> b) {
    a.insert(a.end(), b.begin(), b.end());
    return a;
  };
  for (const bool ends_in_64 : {false, true})
    for (const std::size_t comment : {0u, 1u, 300u}) {
      CAPTURE(ends_in_64);
      CAPTURE(comment);
      const Bytes archive = zip_file({{"a.npy", "text"}}, ends_in_64, std::string(comment, '#'));
      CHECK(find_npz_end(archive) == archive.size());
      CHECK(find_npz_end(with(archive, Bytes(7))) == archive.size());
      if (!ends_in_64) CHECK(find_npz_end(with(archive, archive)) == archive.size());
    }
  CHECK_FALSE(find_npz_end(Bytes(100)));
  CHECK_FALSE(find_npz_end(Bytes(21)));
}

}  // namespace convtool
