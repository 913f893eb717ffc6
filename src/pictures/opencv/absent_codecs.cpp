// Stand-ins for the functions of GDAL, GDCM and GLX that OpenCV's static imgcodecs refers to, for a program without
// those libraries (opencv.cmake). Names and parameters are the libraries' own, which the linker matches; every function
// reports failure. None is ever called: OpenCV only gets pictures with the signature of a format that convtool reads
// (picture_type.h), and OpenGL is not used. Methods of GDAL that are const in some of its versions only are defined
// both ways.
#include <cstdlib>

enum GDALAccess : int {};
enum GDALDataType : int {};
enum GDALPaletteInterp : int {};
enum GDALRWFlag : int {};
struct GDALColorEntry;
struct GDALRasterIOExtraArg;

extern "C" {
void GDALAllRegister() {}
void* GDALOpen(const char*, GDALAccess) { return nullptr; }
void GDALClose(void*) {}
const char* GDALGetDataTypeName(GDALDataType) { return ""; }

void* glXGetCurrentContext() { return nullptr; }
void* glXGetCurrentDisplay() { return nullptr; }
void (*glXGetProcAddressARB(const unsigned char*))() { return nullptr; }
}

class GDALRasterBand {
 public:
  GDALDataType GetRasterDataType();
  GDALDataType GetRasterDataType() const;
  int GetXSize();
  int GetXSize() const;
  int GetYSize();
  int GetYSize() const;
  int RasterIO(GDALRWFlag, int, int, int, int, void*, int, int, GDALDataType, long long, long long,
               GDALRasterIOExtraArg*);
};
GDALDataType GDALRasterBand::GetRasterDataType() { return {}; }
GDALDataType GDALRasterBand::GetRasterDataType() const { return {}; }
int GDALRasterBand::GetXSize() { return 0; }
int GDALRasterBand::GetXSize() const { return 0; }
int GDALRasterBand::GetYSize() { return 0; }
int GDALRasterBand::GetYSize() const { return 0; }
int GDALRasterBand::RasterIO(GDALRWFlag, int, int, int, int, void*, int, int, GDALDataType, long long, long long,
                             GDALRasterIOExtraArg*) {
  constexpr int kFailure = 3;  // CE_Failure
  return kFailure;
}

class GDALDataset {
 public:
  GDALRasterBand* GetRasterBand(int);
  int GetRasterCount();
  int GetRasterCount() const;
  int GetRasterXSize();
  int GetRasterXSize() const;
  int GetRasterYSize();
  int GetRasterYSize() const;
};
GDALRasterBand* GDALDataset::GetRasterBand(int) { return nullptr; }
int GDALDataset::GetRasterCount() { return 0; }
int GDALDataset::GetRasterCount() const { return 0; }
int GDALDataset::GetRasterXSize() { return 0; }
int GDALDataset::GetRasterXSize() const { return 0; }
int GDALDataset::GetRasterYSize() { return 0; }
int GDALDataset::GetRasterYSize() const { return 0; }

class GDALColorTable {
 public:
  const GDALColorEntry* GetColorEntry(int) const;
  GDALPaletteInterp GetPaletteInterpretation() const;
};
const GDALColorEntry* GDALColorTable::GetColorEntry(int) const { return nullptr; }
GDALPaletteInterp GDALColorTable::GetPaletteInterpretation() const { return {}; }

namespace gdcm {

class Image;
class PhotometricInterpretation;

class PixelFormat {
 public:
  enum ScalarType : int {};
  ScalarType GetScalarType() const;
};
PixelFormat::ScalarType PixelFormat::GetScalarType() const { return {}; }

class Bitmap {
 public:
  bool GetBuffer(char*) const;
  unsigned long GetBufferLength() const;
  const unsigned* GetDimensions() const;
  unsigned GetNumberOfDimensions() const;
  const PhotometricInterpretation& GetPhotometricInterpretation() const;
};
bool Bitmap::GetBuffer(char*) const { return false; }
unsigned long Bitmap::GetBufferLength() const { return 0; }
const unsigned* Bitmap::GetDimensions() const { return nullptr; }
unsigned Bitmap::GetNumberOfDimensions() const { return 0; }
const PhotometricInterpretation& Bitmap::GetPhotometricInterpretation() const {
  std::abort();
}  // called only after Read() succeeds

class Reader {
 public:
  void SetFileName(const char*);
};
void Reader::SetFileName(const char*) {}

class ImageReader {
 public:
  ImageReader();
  virtual ~ImageReader();
  virtual bool Read();
  Image& GetImage();
};
ImageReader::ImageReader() {}
ImageReader::~ImageReader() {}
bool ImageReader::Read() { return false; }
Image& ImageReader::GetImage() { std::abort(); }  // called only after Read() succeeds

}  // namespace gdcm
