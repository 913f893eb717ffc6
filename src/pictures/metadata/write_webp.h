// Internal to pictures/: adding metadata to WebP files.
#pragma once

#include "pictures/metadata/picture_metadata.h"

namespace convtool {

/// Adds chunks with the metadata, if there are any parts that WebP stores, to a `file` of one simple chunk, which thus
/// becomes one of the extended format (RFC 9649, section 2.7).
void add_webp_metadata(Bytes& file, const PictureMetadata& metadata);

}  // namespace convtool
