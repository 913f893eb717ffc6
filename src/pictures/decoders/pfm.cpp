// PFM: rows of floats, from the bottom.
#include "files/raster_values.h"
#include "pictures/decoders/decoders.h"
#include "pictures/headers/netpbm_text.h"

namespace convtool {

Image decode_pfm(std::span<const std::byte> bytes) {
  const RasterLayout raster = read_pfm_layout(bytes, bytes.size()).raster();
  // Checked before memory is taken for a size that the file may not have.
  if (!raster.fits(bytes.size())) throw_damaged("PFM", "it ends too early");
  Image image(raster.dtype, raster.shape.c == 3 ? PixelFormat::rgb : PixelFormat::grey, raster.shape.h, raster.shape.w);
  load_raster(bytes, raster, image.all());
  return image;
}

}  // namespace convtool
