// convtool shape: what layers make of a shape, and what they cost. Convolves nothing.

#include <CLI/CLI.hpp>
#include <memory>

#include "cli/app.h"
#include "cli/command.h"
#include "cli/layer_options.h"
#include "cli/option_value.h"
#include "cli/print.h"
#include "cli/source.h"
#include "io/shape_report.h"
#include "network/network_plan.h"

namespace convtool {
namespace {

struct ShapeOptions {
  std::string input;
  LayerOptions layer;
  std::optional<std::string> kernel_size;
  std::optional<std::string> out_channels;
  std::string repeat = "1";
  bool json = false;
};

struct Input {
  Shape shape;
  int rank = 3;
};

constexpr const char* kFooter = R"(Examples:
  convtool shape 1x8x8 --kernel-size 3x5 --padding 0x1 --stride 3x4     1x2x2
  convtool shape 3x480x640 -k sobel
  convtool shape photo.jpg -k edge.json --json)";

/// A shape given in numbers, or that of a file as apply would filter it, its alpha set aside.
Input read_input(const std::string& text) {
  if (text.find_first_not_of("0123456789x") != std::string::npos) {
    try {
      const Source source = decode_source(read_file(text), text, std::int64_t{1} << 30);
      return {source.filtered_part(AlphaRule::keep).shape, source.rank()};
    } catch (const Error& error) {
      throw Error(error.kind(), error.where().empty() ? text : "", error.what());
    }
  }
  std::vector<std::int64_t> sizes = parse_shape("SHAPE", text);
  const int rank = sizes.size() == 4 ? 4 : 3;
  sizes.insert(sizes.begin(), 4 - sizes.size(), 1);
  return {{.n = sizes[0], .c = sizes[1], .h = sizes[2], .w = sizes[3]}, rank};
}

/// The layer that --kernel-size and --out-channels describe, for an input of `c_i` channels. It has no weights.
Layer layer_of_size(const ShapeOptions& options, std::int64_t c_i) {
  const Extent size = parse_extent("--kernel-size", *options.kernel_size, 1);
  Layer layer{.name = options.kernel_size->find('x') == std::string::npos
                          ? *options.kernel_size + "x" + *options.kernel_size
                          : *options.kernel_size,
              .rank = 4};
  layer.shape = {
      .c_o = options.out_channels ? parse_integer("--out-channels", *options.out_channels, 1, kLargestParameter) : 1,
      .c_i_per_group = c_i,
      .kh = size.h,
      .kw = size.w};
  override_layer(options.layer, layer);
  if (c_i % layer.params.groups != 0) {
    throw Error(
        ErrorKind::usage, "--groups",
        std::to_string(layer.params.groups) + " groups do not divide the " + std::to_string(c_i) + " input channels");
  }
  layer.shape.c_i_per_group = c_i / layer.params.groups;
  return layer;
}

Bank bank_of_size(const ShapeOptions& options, std::int64_t c_i) {
  Layer layer = layer_of_size(options, c_i);
  return {.name = layer.name, .layers = {layer}};
}

/// The bank's sizes on `input`; `field` is what the banks before it see, and grows by this one.
BankShape shape_of(const Bank& bank, const Shape& input, ReceptiveField& field) {
  const BankGeometry geometry = bank_geometry(bank, DType::f32, input);
  BankShape result{.name = bank.name, .problem = geometry.problems.front(), .output = geometry.output};
  if (bank.layers.front().pooling == Pooling::none) {  // pools have neither
    for (const ConvProblem& problem : geometry.problems) result.macs += mac_count(problem);
    for (const Layer& layer : bank.layers) {
      result.parameters += layer.shape.count() + static_cast<std::int64_t>(layer.bias.size());
    }
  }
  field.append(geometry.problems);
  result.receptive_field = field;
  return result;
}

int run_shape(const ShapeOptions& options) {
  if (options.kernel_size.has_value() == !options.layer.kernels.empty()) {
    throw Error(ErrorKind::usage, "--kernel", "a layer is given by --kernel or by --kernel-size: one of them");
  }
  if (options.out_channels && !options.kernel_size) {
    throw Error(ErrorKind::usage, "--out-channels", "goes with --kernel-size; a kernel has its own output channels");
  }
  if (options.layer.combine && options.kernel_size) {
    throw Error(ErrorKind::usage, "--combine", "joins the kernels of a bank; --kernel-size is one layer");
  }
  const std::int64_t repeat = parse_integer("--repeat", options.repeat, 1, 10000);
  const Network network = options.kernel_size ? Network{} : load_network(options.layer);
  const Input input = read_input(options.input);

  ShapeReport report{.rank = input.rank};
  Shape shape = input.shape;
  ReceptiveField field;
  const auto append = [&](const Bank& bank) {
    report.banks.push_back(shape_of(bank, shape, field));
    shape = report.banks.back().output;
  };
  const auto tell = [&] { print(options.json ? to_json(report) + "\n" : to_text(report)); };
  for (std::int64_t i = 0; i < repeat; ++i) {
    try {
      if (options.kernel_size) append(bank_of_size(options, shape.c));
      for (const Bank& bank : network.banks) append(bank);
    } catch (const Error& error) {
      if (error.kind() != ErrorKind::shape) throw;
      if (!report.banks.empty()) tell();  // what there is before the layer that cannot run
      throw Error(ErrorKind::shape, "layer " + std::to_string(report.banks.size() + 1) + " on " + to_string(shape),
                  error.what());
    }
  }
  tell();
  return kExitDone;
}

}  // namespace

void add_shape(CLI::App& command, Action& action) {
  auto options = std::make_shared<ShapeOptions>();
  command.footer(kFooter);
  command.add_option("SHAPE", options->input, "HxW, CxHxW or NxCxHxW, or a picture's or tensor's file name")
      ->required();
  add_layer_options(command, options->layer);
  command.add_option("--kernel-size", options->kernel_size, "instead of a kernel: 5, or HxW")->type_name("K");
  command.add_option("--out-channels", options->out_channels, "with --kernel-size: output channels (1)")
      ->type_name("C");
  command.add_option("--repeat", options->repeat, "apply the layers so many times, one after another")
      ->type_name("N")
      ->capture_default_str();
  command.add_flag("--json", options->json, "as a JSON object");
  command.callback([options, &action] { action = [options] { return run_shape(*options); }; });
}

}  // namespace convtool
