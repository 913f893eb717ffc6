// Where the results of a run go, checked before any work.
#pragma once

#include <string>
#include <vector>

#include "cli/batch/folders.h"
#include "cli/batch/read_files.h"
#include "cli/job/output_name.h"

namespace convtool {

/// name_outputs() for `inputs`. Throws Error(usage) as that does, and for an output that is in `read`, is a folder, or
/// lies in a folder that is missing or not writable (a missing one is created for --out-dir, names with {} and
/// --dump-layers).
std::vector<Destination> plan_destinations(const std::vector<Input>& inputs, const ReadFiles& read,
                                           const DestinationOptions& options, const Network& network, Folders& folders);

/// Takes those of `inputs` out that an earlier run of the same command has left, such as a.sobel.png beside a.png:
/// files that other inputs write, and whose names continue those of these inputs. Returns a sentence on them, or "".
/// Throws Error(usage) for such a file whose size, channels or depth are not those of the output: it is not from a run.
std::string take_earlier_outputs(std::vector<Input>& inputs, const DestinationOptions& options, const FilterSpec& spec);

/// Throws Error(usage) if the one file `path` cannot be written to, or is in `read`. A missing folder is an error
/// unless `creates_folder`.
void check_output(const std::string& path, bool creates_folder, const ReadFiles& read);

}  // namespace convtool
