// Layers as text. tests/cli/commands/test_shape.cpp has whole networks.
#include <doctest/doctest.h>

#include <string>

#include "core/error.h"
#include "kernels/files/layer_text.h"

namespace convtool {
namespace {

std::vector<Layer> layers_of(const std::string& text) {
  std::vector<Layer> layers;
  for (const Bank& bank : parse_layer_text(text, "--layers", "net").banks) {
    REQUIRE(bank.layers.size() == 1);
    CHECK(bank.name == bank.layers.front().name);
    layers.push_back(bank.layers.front());
  }
  return layers;
}

Layer layer_of(const std::string& text) {
  const std::vector<Layer> layers = layers_of(text);
  REQUIRE(layers.size() == 1);
  return layers.front();
}

std::string text_refusal(const std::string& text) {
  try {
    parse_layer_text(text, "--layers", "net");
  } catch (const Error& error) {
    CHECK(error.kind() == ErrorKind::kernel);
    return error.what();
  }
  return "";
}

const std::string kAllWords =
    "conv, dwconv, tconv, maxpool, avgpool, upsample, bn, linear, add, relu, relu6, leaky_relu, sigmoid, tanh, silu, "
    "hardswish";

}  // namespace

TEST_CASE("every word is a layer with torch's defaults") {
  const Layer conv = layer_of("conv 3x5 64");
  CHECK(conv.name == "conv");
  CHECK(conv.outline == Outline::kernel);
  CHECK(conv.shape == KernelShape{64, 0, 3, 5});
  CHECK(conv.params == ConvParams{});
  CHECK(conv.bias.size() == 1);
  CHECK(layer_of("dwconv 3").shape == KernelShape{0, 0, 3, 3});
  CHECK(layer_of("dwconv 3").params.groups == 0);
  CHECK(layer_of("linear 10").shape == KernelShape{10, 0, 0, 0});
  CHECK(layer_of("bn").outline == Outline::batch_norm);
  CHECK(layer_of("relu").outline == Outline::activation);
  CHECK(layer_of("relu").activation == Activation::relu);
  const Layer pool = layer_of("maxpool 3x2");
  CHECK(pool.pooling == Pooling::max);
  CHECK(pool.name == "max 3x2");
  CHECK(pool.params.stride == Extent{3, 2});
  CHECK(layer_of("avgpool 2 s1").pooling == Pooling::mean);
  CHECK(layer_of("avgpool 2 s1").params.stride == Extent{});
}

TEST_CASE("transposed convolutions, upsampling, global pools and activations") {
  const Layer transposed = layer_of("tconv 4x3 8 s2 p1 o1x0 g2");
  CHECK(transposed.enlarging == Enlarging::transposed);
  CHECK(transposed.shape == KernelShape{0, 4, 4, 3});
  CHECK(transposed.output_padding == Extent{1, 0});
  CHECK(transposed.outline == Outline::kernel);
  CHECK(layer_of("upsample 2x3").params.stride == Extent{2, 3});
  CHECK(layer_of("upsample 2").enlarging == Enlarging::nearest);
  CHECK(layer_of("upsample 2 bilinear").enlarging == Enlarging::bilinear);
  CHECK(layer_of("avgpool global").pool.is_global);
  CHECK(layer_of("avgpool global").name == "mean global");
  CHECK(layer_of("maxpool 3 s2 ceil").pool.ceil_mode);
  CHECK(layer_of("relu6").name == "relu6");
  CHECK(layer_of("relu6").activation == Activation::clip);
  for (const char* word : {"leaky_relu", "sigmoid", "tanh", "silu", "hardswish"}) {
    CHECK(layer_of(word).name == word);
    CHECK(kActivations[static_cast<int>(layer_of(word).activation)] == word);
    CHECK(layer_of(word).outline == Outline::activation);
  }
}

TEST_CASE("layers have names, which sums add and other layers read") {
  const Network network = parse_layer_text(
      "conv 3 8 p1 as Stem, relu, conv 1 8 from stem s1 as cut, add stem as s, add cut from s", "", "");
  const std::vector<Bank>& banks = network.banks;
  REQUIRE(banks.size() == 5);
  CHECK(banks[0].name == "stem");  // words are read in any case
  CHECK(banks[0].layers.front().name == "stem");
  CHECK(banks[1].name == "relu");
  CHECK(banks[2].layers.front().from == "stem");
  CHECK(banks[3].layers.front().add == "stem");
  CHECK(banks[3].layers.front().outline == Outline::none);
  CHECK(banks[4].layers.front().add == "cut");
  CHECK(banks[4].layers.front().from == "s");
  CHECK(parse_layer_text("relu, add input", "", "").banks[1].layers.front().add == "input");
  CHECK(parse_layer_text("add stem", "", "", {"Stem"}).banks[0].layers.front().add == "Stem");
}

TEST_CASE("options of layers, in any order and any case") {
  const Layer layer = layer_of("CONV 3 8 d2x1 S1x2 NoBias g4 p1,0,2,3");
  CHECK(layer.params.dilation == Extent{2, 1});
  CHECK(layer.params.stride == Extent{1, 2});
  CHECK(layer.params.groups == 4);
  CHECK(layer.params.padding.pads == Pads{1, 0, 2, 3});
  CHECK(layer.bias.empty());
  CHECK(layer_of("conv 3 8 p2").params.padding.pads == Pads{2, 2, 2, 2});
  CHECK(layer_of("conv 3 8 p0x1").params.padding.pads == Pads{0, 1, 0, 1});
  CHECK(layer_of("conv 3 8 same").params.padding.rule == Padding::Rule::same);
  CHECK(layer_of("conv 3 8 same_lower").params.padding.rule == Padding::Rule::same_lower);
  CHECK(layer_of("linear 3 nobias").bias.empty());
}

TEST_CASE("layers are separated by commas and lines; # begins a comment; xN repeats a layer") {
  const std::vector<Layer> layers =
      layers_of("# a net, of\n conv 3 4 p1,1,1,1,relu, \r\n\n\tbn x3 # conv 1 1\nlinear 2");
  REQUIRE(layers.size() == 6);
  CHECK(layers[0].name == "conv");
  CHECK(layers[1].name == "relu");
  for (const std::size_t i : {2U, 3U, 4U}) CHECK(layers[i].name == "bn");
  CHECK(layers[5].name == "linear");
  CHECK(parse_layer_text("relu", "--layers", "net").name == "net");
}

TEST_CASE("errors name the layer, the line, the column and the word") {
  CHECK(text_refusal("conv 3 64,\n# comment\n  cnov 3 4") ==
        "--layers: layer 2 (line 3, column 3): 'cnov' is not a layer (expected " + kAllWords +
            "); did you mean 'conv'?");
  const auto says = [](const std::string& text, const std::string& end) {
    CAPTURE(text_refusal(text));
    CHECK(text_refusal(text).ends_with(end));
  };
  says("relu, fc 10",
       "layer 2 (line 1, column 7): 'fc' is not a layer (expected " + kAllWords + "); did you mean linear?");
  says("conv", "'conv' needs a size (expected conv K C such as conv 3 64 s2 p1)");
  says("conv s3 64", "'conv' needs a size (expected conv K C such as conv 3 64 s2 p1)");
  says("conv 3", "'conv' needs a number of output channels (expected conv K C such as conv 3 64 s2 p1)");
  says("linear", "'linear' needs a number of outputs (expected linear N such as linear 10)");
  says("conv 3x3x3 4", "column 6): '3x3x3' is not valid (expected N or HxW, each from 1 to 1073741824)");
  says("conv 3 0", "column 8): '0' is not valid (expected a whole number from 1 to 1073741824)");
  says("conv 3 4 s0", "'s0' is not valid (expected N or HxW, each from 1 to 1073741824, after s)");
  says("conv 3 4 p1,2", "'p1,2' is not valid (expected pN, pHxW or pT,L,B,R: top, left, bottom, right)");
  says("conv 3 4 x0", "'x0' is not valid (expected a whole number from 1 to 10000 after x)");
  says("conv 3 4 q2", "column 10): 'q2' is not an option (expected sN, pN, dN, gN, nobias, xN, from NAME, as NAME)");
  says("conv 3 4 relu",
       "'relu' is not an option (expected sN, pN, dN, gN, nobias, xN, from NAME, as NAME); put a comma before the next "
       "layer");
  says("conv 3 4 2",
       "'2' is not an option (expected sN, pN, dN, gN, nobias, xN, from NAME, as NAME); the form is conv K C such as "
       "conv 3 64 "
       "s2 p1");
  says("maxpool 2 g2",
       "'g2' does not apply to maxpool (expected sN, pN, dN, ceil, xN, from NAME, as NAME); leave it out");
  says("conv 3 4 s2 s2", "column 13): 's2' is given twice; keep one");
  says("conv 3 4 p1 same", "'same' is a second padding; keep one");
  says("conv 3 4 g3", "'g3' does not divide the 4 output channels; choose groups that do");
  says("maxpool 3 p2",
       "'maxpool' is padded by more than half of its size: a window could lie entirely in the padding (at "
       "most 1x1)");
  says("maxpool global s2", "column 16): 's2' has no effect on a window of the whole input; leave it out");
  says("tconv 3 8 same",
       "'same' is not a padding of tconv, which takes numbers (expected pN such as p1, pHxW or pT,L,B,R)");
  says("tconv 3 8 s2 o2", "'tconv' has an output padding of 2x2 (expected less than its stride or its dilation)");
  says("upsample 65", "'upsample' enlarges by 65x65 (at most 4096 in height times width)");
  says("relu as stem, add y",
       "column 19): 'y' is not the name of an earlier layer; name one with 'as', such as relu as y");
  says("relu as block, add blok", "such as relu as blok; did you mean 'block'?");
  says("add", "'add' needs a name (expected add NAME such as add block1)");
  says("relu as", "'as' needs a name (expected as NAME)");
  says("relu from x", "'x' is not the name of an earlier layer; name one with 'as', such as relu as x");
  says("relu as x, relu as x", "'x' is the name of an earlier layer; choose another");
  says("relu as input", "'input' is the name of the input; choose another");
  says("relu as 3x", "'3x' is not a name (expected a letter first)");
  says("relu as x x3", "'relu' is repeated, so it cannot have 'from' or 'as'; write the first or the last one out");
  says("relu as x as y", "'as' is given twice; keep one");
  says("relu, sum x", "(expected " + kAllWords + "); did you mean add?");
  says("relu x9999, relu x2", "--layers: more than 10000 layers; repeat fewer times");
  says("conv -3 6",
       "column 6): '-3' is not a size (expected a whole number from 1, as in conv K C such as conv 3 64 s2 p1)");
  says("conv 3 -6",
       "column 8): '-6' is not a number of output channels (expected a whole number from 1, as in conv K C "
       "such as conv 3 64 s2 p1)");
  says("linear +5",
       "'+5' is not a number of outputs (expected a whole number from 1, as in linear N such as linear 10)");
  says("maxpool .5", "'.5' is not a size (expected a whole number from 1, as in maxpool K such as maxpool 3 s2 p1)");
  for (const char* word : {"gelu", "prelu", "elu", "mish", "GELU"})
    says(word, "(expected " + kAllWords + "); convtool does not compute it");
  says("lrelu", "(expected " + kAllWords + "); did you mean 'leaky_relu'?");
  says("Swish", "(expected " + kAllWords + "); did you mean 'silu'?");
  says("relu,,relu", "--layers: line 1, column 6: no layer before this comma; write one, or remove the comma");
  says("relu,\n # none\n, relu",
       "--layers: line 3, column 1: no layer before this comma; write one, or remove the comma");
  says(", relu", "--layers: line 1, column 1: no layer before this comma; write one, or remove the comma");
  CHECK(layers_of("relu\n, relu,").size() == 2);
  for (const char* nothing : {"", " \n ", "# conv 3 4"})
    says(nothing, "--layers: no layers; write them as in 'conv 3 64 p1, relu, maxpool 2'");
  says("\x1b[2J", "(expected " + kAllWords + ")");
  CHECK(text_refusal("\x1b[2J").find("'\\x1b[2j'") != std::string::npos);
}

}  // namespace convtool
