# Defines the target `opencv` with the three OpenCV modules and the libtiff that convtool uses, and sets OPENCV_LINK to the
# way they are linked: "static", "static with shared codecs" or "shared".
#
# Debian's shared imgcodecs pulls in GDAL, GDCM and some 140 shared objects: 57 ms and 61 MB before main(), for formats that
# convtool does not read. The static archives need only the entry points of those two libraries, for which absent_codecs.cpp
# has stand-ins. Linking the codecs statically as well saves another 1.2 of 5 ms, in which the dynamic loader would map and
# relocate ten more objects; Debian has no static OpenEXR and TBB. A link test decides. Where both ways fail, the shared
# libraries are used.

# Not find_package(): OpenCVConfig.cmake comes only with all of OpenCV, hundreds of packages more.
find_path(OPENCV_INCLUDE_DIR opencv2/imgcodecs.hpp PATH_SUFFIXES opencv4 REQUIRED)
add_library(opencv INTERFACE)
target_include_directories(opencv SYSTEM INTERFACE ${OPENCV_INCLUDE_DIR})
# libtiff, which OpenCV uses too, is also called directly (tiff/). TIFFOpenOptions came with 4.5.
find_path(TIFF_INCLUDE_DIR tiffio.h REQUIRED)
target_include_directories(opencv SYSTEM INTERFACE ${TIFF_INCLUDE_DIR})

# find_libraries(LIST NAMES...): appends the path of a library for each argument, which lists alternative names.
function(find_libraries list)
  set(found ${${list}})
  foreach(names IN LISTS ARGN)
    separate_arguments(names)
    list(GET names 0 name)
    find_library(OPENCV_NEEDS_${name} NAMES ${names})
    list(APPEND found ${OPENCV_NEEDS_${name}})
  endforeach()
  set(${list} ${found} PARENT_SCOPE)
endfunction()

# A library comes before the ones that it needs. liblzma and the other codecs of TIFF come with its -dev package.
set(archives)
find_libraries(archives libopencv_imgcodecs.a libopencv_imgproc.a libopencv_core.a)
set(shared_codecs)
find_libraries(shared_codecs png jpeg tiff webp openjp2)
set(static_codecs)
find_libraries(static_codecs libpng.a libtiff.a libwebp.a libLerc.a libjbig.a libdeflate.a libzstd.a liblzma.a libjpeg.a
               libopenjp2.a)
find_library(OPENCV_NEEDS_libsharpyuv.a libsharpyuv.a)  # a part of libwebp.a before libwebp 1.3
if(OPENCV_NEEDS_libsharpyuv.a)
  list(APPEND static_codecs ${OPENCV_NEEDS_libsharpyuv.a})
endif()
set(others)
find_libraries(others "OpenEXR-3_1 OpenEXR" "Imath-3_1 Imath" "Iex-3_1 Iex" "IlmThread-3_1 IlmThread" tbb lapack blas z)
list(APPEND others Threads::Threads ${CMAKE_DL_LIBS})

file(WRITE ${CMAKE_BINARY_DIR}/opencv_link_test.cpp
  "#include <opencv2/imgcodecs.hpp>\n#include <opencv2/imgproc.hpp>\n"
  "int main() { cv::Mat m(2, 2, CV_8UC3); cv::cvtColor(m, m, cv::COLOR_BGR2GRAY); std::vector<unsigned char> b;\n"
  "  for (const char* type : {\".png\", \".jpg\", \".tiff\", \".webp\"})\n"
  "    if (!cv::imencode(type, m, b) || cv::imdecode(b, cv::IMREAD_UNCHANGED).empty()) return 1;\n"
  "  return 0; }\n")

set(OPENCV_LINK shared)
foreach(codecs static shared)
  set(libraries ${archives} ${${codecs}_codecs} ${others})
  if("${libraries}" MATCHES "NOTFOUND")
    continue()
  endif()
  if(NOT DEFINED OPENCV_${codecs}_TEST_RUN)
    try_run(OPENCV_${codecs}_TEST_RUN OPENCV_${codecs}_TEST_LINKS ${CMAKE_BINARY_DIR}/opencv_link_test
            SOURCES ${CMAKE_BINARY_DIR}/opencv_link_test.cpp ${CMAKE_CURRENT_LIST_DIR}/absent_codecs.cpp
            CMAKE_FLAGS -DINCLUDE_DIRECTORIES=${OPENCV_INCLUDE_DIR}
            LINK_LIBRARIES ${libraries}
            CXX_STANDARD 20)
  endif()
  if(OPENCV_${codecs}_TEST_LINKS AND OPENCV_${codecs}_TEST_RUN EQUAL 0)
    set(OPENCV_LINK static)
    if(codecs STREQUAL shared)
      set(OPENCV_LINK "static with shared codecs")
    endif()
    break()
  endif()
endforeach()

if(OPENCV_LINK STREQUAL shared)
  foreach(module core imgproc imgcodecs)
    find_library(OPENCV_${module} opencv_${module} REQUIRED)
    target_link_libraries(opencv INTERFACE ${OPENCV_${module}})
  endforeach()
  # Libraries that convtool calls itself; above they are among the codecs.
  set(own_codecs)
  find_libraries(own_codecs jpeg tiff webp "OpenEXR-3_1 OpenEXR" "Imath-3_1 Imath" "Iex-3_1 Iex")
  target_link_libraries(opencv INTERFACE ${own_codecs})
else()
  add_library(absent_codecs STATIC ${CMAKE_CURRENT_LIST_DIR}/absent_codecs.cpp)
  target_link_options(opencv INTERFACE LINKER:--as-needed)  # LAPACK serves functions that convtool never calls
  # absent_codecs comes after the archives that refer to it.
  list(REMOVE_ITEM libraries ${archives})
  target_link_libraries(opencv INTERFACE ${archives} absent_codecs ${libraries})
endif()
message(STATUS "OpenCV is linked ${OPENCV_LINK}")
