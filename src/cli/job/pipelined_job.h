// A job on a picture whose rows are decoded, filtered and encoded side by side, so that all cores are busy from the
// first row on, although a compressed file can only be decoded from its first byte to its last.
#pragma once

#include <cstdint>
#include <optional>

#include "cli/job/job.h"
#include "cli/job/run_job.h"
#include "cli/job/source.h"
#include "pictures/picture_rows.h"

namespace convtool {

/// Whether run_pipelined() may do what `spec` asks for, as far as this is known before a job is planned: that is, from
/// a picture without alpha to a picture, without anything that needs all pixels of the input.
bool suits_pipeline(const SourceHeader& header, const Destination& destination, const FilterSpec& spec);

/// The order of colours in which run_pipelined() takes rows: that of Image where it converts them to luma.
ColourOrder pipeline_order(const FilterSpec& spec);

/// Runs `job` on the picture `rows`, which has the header `header`. Results are those of run_job(), bit for bit. The
/// timings are shares of the time that passes, in proportion to what the threads spent on each step. Takes at most
/// `memory` bytes beside the file, what `rows` takes included. Returns nothing, with no row read, if that is not enough
/// or the job needs the whole picture. Returns nothing, too, if the file is damaged: `rows` cannot be used afterwards.
/// Throws as run_job() does.
std::optional<Outcome> run_pipelined(const Job& job, const SourceHeader& header, PictureRows& rows, std::int64_t memory,
                                     const FilterSpec& spec);

}  // namespace convtool
