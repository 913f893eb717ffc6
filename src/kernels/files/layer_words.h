// The words of layer texts (layer_text.h), and the layers that they make. Internal to kernels/.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "network/layer.h"
#include "network/pools/pool_windows.h"

namespace convtool {

/// The numbers and options of one layer, as they are written.
struct LayerFields {
  Extent size;               ///< K
  std::int64_t outputs = 0;  ///< C or N
  ConvParams params;
  PoolPadding padding = PoolPadding::even;
  Extent output_padding{0, 0};
  bool has_stride = false, has_bias = true, is_global = false, is_bilinear = false, has_ceil = false;
  std::int64_t repeat = 1;
  std::string add, from;  ///< the names of earlier layers
  std::string name;       ///< its own
};

/// What follows a word: nothing, K, K or "global", or the name of an earlier layer.
enum class LayerSize { none, window, window_or_global, name };

/// A word that begins a layer.
struct LayerWord {
  std::string_view word;
  std::string_view form;  ///< for messages
  LayerSize size;
  bool has_count;            ///< whether C or N follows
  std::string_view options;  ///< that it takes, by their letters in layer_options()
  Layer (*make)(const LayerFields& fields);
};

/// An option, by the letter that stands for it in a LayerWord.
struct LayerOption {
  char letter;
  std::string_view form;
};

/// All words that begin a layer, and all options but the rules of padding, in the order of layer_text.h.
std::span<const LayerWord> layer_word_table();
std::span<const LayerOption> layer_options();

/// The words that begin a layer.
std::vector<std::string_view> layer_words();

/// What a message says of a word that is not a layer: the words that are, and the one that may be meant.
std::string advice_on_layer(std::string_view word);

}  // namespace convtool
