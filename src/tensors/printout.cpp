#include "tensors/printout.h"

#include "core/error.h"
#include "files/json_text.h"

namespace convtool {
namespace {

constexpr std::string_view kSpace = " \t\r\n";
constexpr std::string_view kWords[] = {"Parameter containing:", "tensor(", "array("};

bool is_space(char c) { return kSpace.find(c) != std::string_view::npos; }

bool is_in_number(char c) {
  return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '.' || c == '-' || c == '+';
}

/// Turns a printout into JSON, from the left to the right. The copy is made at the first change: most texts are JSON.
class Printout {
 public:
  Printout(std::string_view text, const std::string& source) : text_(text), source_(source) {}

  std::optional<std::string> to_json() {
    if (text_.starts_with(kByteOrderMark)) {
      for (; at_ < kByteOrderMark.size(); ++at_) put(at_, ' ');
    }
    skip_words();
    bool needs_comma = false;
    for (int depth = 0; at_ < text_.size(); ++at_) {
      const char c = text_[at_];
      if (is_space(c)) continue;
      if (c == ',' || c == ']') {
        needs_comma = c == ']';
        if (c == ']' && --depth == 0) break;
        continue;
      }
      if (c != '[' && (depth == 0 || !is_in_number(c))) return std::nullopt;
      if (needs_comma) add_comma();
      needs_comma = c != '[';
      if (c == '[')
        ++depth;
      else
        take_number();
    }
    if (is_call_) skip_arguments();
    if (!is_printout_) return std::nullopt;
    json_->append(text_.substr(copied_));
    return std::move(json_);
  }

 private:
  void skip_words() {
    skip_space();
    for (const std::string_view word : kWords) {
      if (!text_.substr(at_).starts_with(word)) continue;
      for (const std::size_t end = at_ + word.size(); at_ < end; ++at_) put(at_, ' ');
      is_printout_ = true;
      is_call_ = word.ends_with('(');
      skip_space();
    }
  }

  /// What follows the values: ", dtype=torch.float64)". Other text stays, and is an error in JSON.
  void skip_arguments() {
    const std::size_t begin = text_.find_first_not_of(kSpace, at_ + 1), end = text_.find_last_not_of(kSpace);
    if (begin == std::string_view::npos || text_[end] != ')' || (text_[begin] != ',' && begin != end)) return;
    for (std::size_t i = begin; i <= end; ++i) put(i, ' ');
  }

  void take_number() {
    const std::size_t begin = at_;
    while (at_ + 1 < text_.size() && is_in_number(text_[at_ + 1])) ++at_;
    const std::string_view number = text_.substr(begin, at_ + 1 - begin);
    if (number == "...") {
      throw Error(
          ErrorKind::input, source_,
          position_text(text_, begin + 1) +
              ": '...' stands for values that the printout leaves out; save the tensor as .npy, or print all of "
              "it: np.set_printoptions(threshold=np.inf), torch.set_printoptions(profile='full')");
    }
    if (number.front() == '+') {
      put(begin, ' ');
      is_printout_ = true;
    }
    const std::size_t point = number.find('.');
    if (point == std::string_view::npos) return;
    const bool has_fraction = point + 1 < number.size() && number[point + 1] >= '0' && number[point + 1] <= '9';
    const bool has_whole = point > 0 && number[point - 1] >= '0' && number[point - 1] <= '9';
    if (!has_fraction && has_whole) {  // "1." and "1.e-05"
      for (std::size_t i = point; i + 1 < number.size(); ++i) put(begin + i, number[i + 1]);
      put(at_, ' ');
      is_printout_ = true;
    } else if (has_fraction && !has_whole) {  // ".5", in JSON a mistake
      insert(begin + point, '0');
    }
  }

  /// In place of the space before the next element.
  void add_comma() {
    is_printout_ = true;
    if (is_space(text_[at_ - 1]))
      put(at_ - 1, ',');
    else
      insert(at_, ',');
  }

  void skip_space() {
    while (at_ < text_.size() && is_space(text_[at_])) ++at_;
  }

  /// In place of the character at `at`. Changes are made from the left to the right.
  void put(std::size_t at, char c) {
    insert(at, c);
    copied_ = at + 1;
  }

  void insert(std::size_t at, char c) {
    if (!json_) json_.emplace();
    json_->append(text_.substr(copied_, at - copied_)) += c;
    copied_ = at;
  }

  const std::string_view text_;
  const std::string& source_;
  std::optional<std::string> json_;  // of the first `copied_` characters; nothing as long as it would be the text
  std::size_t at_ = 0, copied_ = 0;
  bool is_printout_ = false;
  bool is_call_ = false;  // in the brackets of tensor() or array()
};

}  // namespace

bool begins_like_printout(std::string_view text) {
  for (const std::string_view word : kWords)
    if (text.starts_with(word)) return true;
  return false;
}

std::optional<std::string> json_of_printout(std::string_view text, const std::string& source) {
  return Printout(text, source).to_json();
}

}  // namespace convtool
