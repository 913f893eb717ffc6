#include "kernels/files/layer_text.h"

#include <algorithm>
#include <iterator>
#include <utility>

#include "core/error.h"
#include "core/printable.h"
#include "core/suggest.h"
#include "core/text.h"
#include "files/json_text.h"
#include "kernels/files/layer_words.h"
#include "network/enlarging.h"
#include "network/pools/pool_windows.h"
#include "network/residual.h"

namespace convtool {
namespace {

constexpr std::string_view kNameFollows = " NAME";

struct Word {
  std::string text;  ///< in small letters
  std::size_t at;    ///< in the whole text
};

bool is_blank(char c) { return c == ' ' || c == '\t' || c == '\r'; }

/// Splits the text into layers, and these into words. A comma between two digits belongs to a list of numbers, since a
/// layer begins with a letter.
std::vector<std::vector<Word>> split(std::string_view text, const std::string& source) {
  std::vector<std::vector<Word>> layers(1);
  bool is_in_word = false, needs_layer = true;  // before the next comma
  const auto end_layer = [&] {
    is_in_word = false;
    if (!layers.back().empty()) layers.emplace_back();
  };
  for (std::size_t i = 0; i < text.size(); ++i) {
    const char c = text[i];
    const bool joins_digits =
        c == ',' && i > 0 && i + 1 < text.size() && is_digit(text[i - 1]) && is_digit(text[i + 1]);
    if (c == '#') {
      i = std::min(text.find('\n', i), text.size()) - 1;
      is_in_word = false;
    } else if (c == ',' && !joins_digits) {
      if (needs_layer)
        refuse_kernel(source,
                      position_text(text, i + 1) + ": no layer before this comma; write one, or remove the comma");
      needs_layer = true;
      end_layer();
    } else if (c == '\n') {
      end_layer();
    } else if (is_blank(c)) {
      is_in_word = false;
    } else {
      if (!is_in_word) layers.back().push_back({"", i});
      is_in_word = true;
      needs_layer = false;
      layers.back().back().text += in_small_letters({&c, 1});
    }
  }
  if (layers.back().empty()) layers.pop_back();
  return layers;
}

/// Reads the text of one layer.
class LayerReader {
 public:
  /// `names` are those of the layers before, in the text, and `earlier` those before the text.
  LayerReader(std::string_view text, const std::string& source, std::size_t number,
              const std::vector<std::string_view>& names, const std::vector<std::string>& earlier)
      : text_(text), source_(source), number_(number), names_(names), earlier_(earlier) {}

  /// The layer, and how often it is repeated.
  std::pair<Layer, std::int64_t> read(const std::vector<Word>& words) const {
    const LayerWord& row = find_row(words.front());
    LayerFields fields;
    std::size_t next = 1;
    const auto number_word = [&](const char* what) -> const Word& {
      const bool is_there = next < words.size();
      if (is_there && std::string_view("+-.").find(words[next].text.front()) != std::string_view::npos)
        fail(words[next],
             "is not " + std::string(what) + " (expected a whole number from 1, as in " + std::string(row.form) + ")");
      if (!is_there || !is_digit(words[next].text.front()))
        fail(words.front(), "needs " + std::string(what) + " (expected " + std::string(row.form) + ")");
      return words[next++];
    };
    fields.is_global = row.size == LayerSize::window_or_global && next < words.size() && words[next].text == "global";
    if (fields.is_global)
      ++next;
    else if (row.size == LayerSize::name)
      fields.add = earlier(words, next++, row.form);
    else if (row.size != LayerSize::none)
      fields.size = extent(number_word("a size"), 0, 1);
    if (row.has_count)
      fields.outputs =
          integer(number_word(row.size == LayerSize::none ? "a number of outputs" : "a number of output channels"), 0,
                  1, kLargestParameter);
    std::string seen;
    for (; next < words.size(); ++next) {
      const char letter = read_option(row, words[next], fields);
      if (seen.find(letter) != std::string::npos)
        fail(words[next], letter == 'p' ? "is a second padding; keep one" : "is given twice; keep one");
      seen += letter;
      if (letter == 'f') fields.from = earlier(words, ++next, "from NAME");
      if (letter == 'n') fields.name = new_name(words, ++next);
    }
    if (fields.is_global && seen.find_first_not_of("xfn") != std::string::npos)
      fail(words[2], "has no effect on a window of the whole input; leave it out");
    if (fields.repeat > 1 && seen.find_first_of("fn") != std::string::npos)
      fail(words.front(), "is repeated, so it cannot have 'from' or 'as'; write the first or the last one out");
    Layer layer = row.make(fields);
    if (layer.outline == Outline::activation) layer.name = row.word;
    if (layer.pooling != Pooling::none) check_padding(words, layer, fields.padding);
    if (!fields.name.empty()) layer.name = fields.name;
    layer.from = fields.from;
    if (layer.enlarging != Enlarging::none) check_enlarging(words, layer);
    return {std::move(layer), fields.repeat};
  }

 private:
  [[noreturn]] void fail(const Word& word, const std::string& message) const {
    refuse_kernel(source_, "layer " + std::to_string(number_) + " (" + position_text(text_, word.at + 1) + "): '" +
                               printable_start(word.text, 40) + "' " + message);
  }

  /// words[i], a name that follows a word.
  const Word& name_at(const std::vector<Word>& words, std::size_t i, std::string_view form) const {
    if (i >= words.size()) fail(words.back(), "needs a name (expected " + std::string(form) + ")");
    return words[i];
  }

  /// The names of all layers before, and of the input.
  std::vector<std::string_view> all_names() const {
    std::vector<std::string_view> all = names_;
    all.insert(all.end(), earlier_.begin(), earlier_.end());
    return all;
  }

  /// The name at words[i], of a layer before: as it is written, or in another case.
  std::string earlier(const std::vector<Word>& words, std::size_t i, std::string_view form) const {
    const Word& word = name_at(words, i, form);
    const std::vector<std::string_view> names = all_names();
    const auto is_written = [&](std::string_view name) { return name == text_.substr(word.at, word.text.size()); };
    const auto is_alike = [&](std::string_view name) {
      return name.size() == word.text.size() && in_small_letters(name) == word.text;
    };
    auto found = std::find_if(names.begin(), names.end(), is_written);
    if (found == names.end()) found = std::find_if(names.begin(), names.end(), is_alike);
    if (found != names.end()) return std::string(*found);
    fail(word, "is not the name of an earlier layer; name one with 'as', such as relu as " + word.text +
                   suggestion(word.text, names));
  }

  /// The name at words[i], which no layer before has. It begins with a letter, as layers do.
  std::string new_name(const std::vector<Word>& words, std::size_t i) const {
    const Word& word = name_at(words, i, "as NAME");
    const std::vector<std::string_view> names = all_names();
    if (std::find(names.begin(), names.end(), word.text) != names.end())
      fail(word, word.text == kInputName ? "is the name of the input; choose another"
                                         : "is the name of an earlier layer; choose another");
    if (word.text.front() < 'a' || word.text.front() > 'z') fail(word, "is not a name (expected a letter first)");
    return word.text;
  }

  const LayerWord& find_row(const Word& word) const {
    for (const LayerWord& known : layer_word_table())
      if (known.word == word.text) return known;
    fail(word, "is not a layer" + advice_on_layer(word.text));
  }

  /// Reads one option, and returns its letter.
  char read_option(const LayerWord& row, const Word& word, LayerFields& fields) const {
    const auto* const rule = std::find(std::begin(kPaddingRules), std::end(kPaddingRules), word.text);
    const bool is_rule = rule != std::end(kPaddingRules);
    const char letter = is_rule ? 'p' : letter_of(word);
    if (letter == '?') fail(word, "is not an option (expected " + options_of(row) + ")" + hint_at(row, word));
    if (row.options.find(letter) == std::string_view::npos)
      fail(word, "does not apply to " + std::string(row.word) + " (expected " + options_of(row) + "); leave it out");
    if (is_rule && row.word == "tconv")
      fail(word, "is not a padding of tconv, which takes numbers (expected pN such as p1, pHxW or pT,L,B,R)");
    switch (letter) {
      case 's':
        fields.params.stride = extent(word, 1, 1);
        fields.has_stride = true;
        break;
      case 'p':
        if (is_rule)
          fields.params.padding.rule = static_cast<Padding::Rule>(rule - std::begin(kPaddingRules));
        else
          fields.params.padding.pads = pads(word);
        if (word.text.find(',') != std::string::npos) fields.padding = PoolPadding::sides;
        break;
      case 'd': fields.params.dilation = extent(word, 1, 1); break;
      case 'g':
        fields.params.groups = integer(word, 1, 1, kLargestParameter);
        if (fields.outputs % fields.params.groups != 0)
          fail(word, "does not divide the " + counted(fields.outputs, "output channel") + "; choose groups that do");
        break;
      case 'x': fields.repeat = integer(word, 1, 1, kMostLayers); break;
      case 'o': fields.output_padding = extent(word, 1, 0); break;
      case 'c': fields.has_ceil = true; break;
      case 'l': fields.is_bilinear = true; break;
      case 'f':
      case 'n': break;  // the name is the next word
      default: fields.has_bias = false;
    }
    return letter;
  }

  /// The letter of the option that `word` is, but for rules of padding; ? where it is none.
  static char letter_of(const Word& word) {
    for (const LayerOption& option : layer_options()) {
      const bool has_number = option.form.ends_with('N');
      if (option.form.ends_with(kNameFollows)) {
        if (option.form.starts_with(word.text + " ")) return option.letter;
        continue;
      }
      if (has_number ? word.text.size() > 1 && word.text.front() == option.letter && is_digit(word.text[1])
                     : word.text == option.form)
        return option.letter;
    }
    return '?';
  }

  static std::string options_of(const LayerWord& row) {
    std::string list;
    for (const char letter : row.options)
      for (const LayerOption& option : layer_options())
        if (option.letter == letter) list += (list.empty() ? "" : ", ") + std::string(option.form);
    return list;
  }

  /// What may be meant by a word where an option belongs: a layer after a forgotten comma, or a number without letter.
  std::string hint_at(const LayerWord& row, const Word& word) const {
    const std::vector<std::string_view> words = layer_words();
    if (std::find(words.begin(), words.end(), word.text) != words.end()) return "; put a comma before the next layer";
    if (is_digit(word.text.front()) && (row.size != LayerSize::none || row.has_count))
      return "; the form is " + std::string(row.form);
    return suggestion(word.text, {"nobias", "ceil", "bilinear", "same", "same_lower", "valid", "full"});
  }

  std::int64_t integer(const Word& word, std::size_t skip, std::int64_t least, std::int64_t most) const {
    const auto number = parse_number<std::int64_t>(std::string_view(word.text).substr(skip));
    if (!number || *number < least || *number > most)
      fail(word, "is not valid (expected a whole number from " + std::to_string(least) + " to " + std::to_string(most) +
                     (skip > 0 ? " after " + word.text.substr(0, skip) : "") + ")");
    return *number;
  }

  /// The numbers of `word` after `skip` characters, separated by `separator`; empty where one is not valid.
  static std::vector<std::int64_t> numbers(const Word& word, std::size_t skip, char separator, std::int64_t least) {
    std::vector<std::int64_t> all;
    std::string_view rest = std::string_view(word.text).substr(skip);
    for (bool is_last = false; !is_last;) {
      const std::size_t end = rest.find(separator);
      is_last = end == std::string_view::npos;
      const auto number = parse_number<std::int64_t>(rest.substr(0, end));
      if (!number || *number < least || *number > kLargestParameter) return {};
      all.push_back(*number);
      if (!is_last) rest.remove_prefix(end + 1);
    }
    return all;
  }

  Extent extent(const Word& word, std::size_t skip, std::int64_t least) const {
    const std::vector<std::int64_t> sizes = numbers(word, skip, 'x', least);
    if (sizes.size() != 1 && sizes.size() != 2)
      fail(word, "is not valid (expected N or HxW, each from " + std::to_string(least) + " to " +
                     std::to_string(kLargestParameter) + (skip > 0 ? ", after " + word.text.substr(0, skip) : "") +
                     ")");
    return {sizes.front(), sizes.back()};
  }

  Pads pads(const Word& word) const {
    if (const auto sides = numbers(word, 1, ',', 0); sides.size() == 4) return {sides[0], sides[1], sides[2], sides[3]};
    const std::vector<std::int64_t> sizes = numbers(word, 1, 'x', 0);
    if (sizes.size() != 1 && sizes.size() != 2)
      fail(word, "is not valid (expected pN, pHxW or pT,L,B,R: top, left, bottom, right)");
    return {sizes.front(), sizes.back(), sizes.front(), sizes.back()};
  }

  void check_padding(const std::vector<Word>& words, const Layer& layer, PoolPadding given) const {
    if (const std::string flaw = pool_padding_flaw(layer, given); !flaw.empty())
      fail(words.front(), "is padded by " + flaw);
    if (layer.pool.ceil_mode && layer.params.padding.rule != Padding::Rule::fixed)
      fail(words.front(), "has 'ceil', but its padding by rule sets the size of the output; keep one of them");
  }

  void check_enlarging(const std::vector<Word>& words, const Layer& layer) const {
    const Extent &stride = layer.params.stride, &dilation = layer.params.dilation, &added = layer.output_padding;
    if (!can_enlarge_by(stride))
      fail(words.front(), "enlarges by " + join_sizes({stride.h, stride.w}) + " (at most " +
                              std::to_string(kMostPhases) + " in height times width)");
    if (!is_output_padding(added, stride, dilation))
      fail(words.front(), "has an output padding of " + join_sizes({added.h, added.w}) +
                              " (expected less than its stride or its dilation)");
  }

  std::string_view text_;
  const std::string& source_;
  std::size_t number_;
  const std::vector<std::string_view>& names_;
  const std::vector<std::string>& earlier_;
};

}  // namespace

Network parse_layer_text(std::string_view text, const std::string& source, const std::string& name,
                         const std::vector<std::string>& earlier) {
  Network network{.name = name};
  const std::vector<std::vector<Word>> layers = split(text, source);
  if (layers.empty()) refuse_kernel(source, "no layers; write them as in 'conv 3 64 p1, relu, maxpool 2'");
  std::vector<std::string_view> names = {kInputName};  // and those that the text gives
  for (std::size_t i = 0; i < layers.size(); ++i) {
    const auto [layer, repeat] = LayerReader(text, source, i + 1, names, earlier).read(layers[i]);
    for (std::size_t k = 1; k < layers[i].size(); ++k)
      if (layers[i][k - 1].text == "as") names.push_back(layers[i][k].text);
    if (std::ssize(network.banks) + repeat > kMostLayers)
      refuse_kernel(source, "more than " + std::to_string(kMostLayers) + " layers; repeat fewer times");
    network.banks.insert(network.banks.end(), static_cast<std::size_t>(repeat),
                         Bank{.name = layer.name, .layers = {layer}});
  }
  return network;
}

}  // namespace convtool
