# The three OpenCV modules as the target `opencv`, and how they are linked as OPENCV_LINK: static or shared.
#
# Debian's shared imgcodecs pulls GDAL, GDCM and some 140 shared objects that they need: 57 ms and 61 MB before main(),
# for formats that convtool does not read. Its static archives do without when somebody else has the entry points of
# those two, which absent_codecs.cpp does. A link test decides; where it fails, the shared libraries serve.

# OpenCVConfig.cmake comes only with all of OpenCV, hundreds of packages more.
find_path(OPENCV_INCLUDE_DIR opencv2/imgcodecs.hpp PATH_SUFFIXES opencv4 REQUIRED)
add_library(opencv INTERFACE)
target_include_directories(opencv SYSTEM INTERFACE ${OPENCV_INCLUDE_DIR})

set(archives)
foreach(module imgcodecs imgproc core)  # each needs those after it
  find_library(OPENCV_STATIC_${module} libopencv_${module}.a)
  list(APPEND archives ${OPENCV_STATIC_${module}})
endforeach()
set(codecs)
foreach(names IN ITEMS png jpeg tiff webp openjp2 "OpenEXR-3_1 OpenEXR" "Imath-3_1 Imath" "Iex-3_1 Iex"
                       "IlmThread-3_1 IlmThread" tbb lapack blas z)
  separate_arguments(names)
  list(GET names 0 name)
  find_library(OPENCV_NEEDS_${name} NAMES ${names})
  list(APPEND codecs ${OPENCV_NEEDS_${name}})
endforeach()

if(NOT "${archives};${codecs}" MATCHES "NOTFOUND" AND NOT DEFINED OPENCV_TEST_RUN)
  file(WRITE ${CMAKE_BINARY_DIR}/opencv_link_test.cpp
    "#include <opencv2/imgcodecs.hpp>\n#include <opencv2/imgproc.hpp>\n"
    "int main() { cv::Mat m(2, 2, CV_8UC3); cv::cvtColor(m, m, cv::COLOR_BGR2GRAY); std::vector<unsigned char> b;\n"
    "  return cv::imencode(\".png\", m, b) && !cv::imdecode(b, cv::IMREAD_UNCHANGED).empty() ? 0 : 1; }\n")
  try_run(OPENCV_TEST_RUN OPENCV_TEST_LINKS ${CMAKE_BINARY_DIR}/opencv_link_test
          SOURCES ${CMAKE_BINARY_DIR}/opencv_link_test.cpp ${CMAKE_CURRENT_LIST_DIR}/absent_codecs.cpp
          CMAKE_FLAGS -DINCLUDE_DIRECTORIES=${OPENCV_INCLUDE_DIR}
          LINK_LIBRARIES ${archives} ${codecs} Threads::Threads ${CMAKE_DL_LIBS}
          CXX_STANDARD 20)
endif()

if(OPENCV_TEST_LINKS AND OPENCV_TEST_RUN EQUAL 0)
  set(OPENCV_LINK static)
  add_library(absent_codecs STATIC ${CMAKE_CURRENT_LIST_DIR}/absent_codecs.cpp)
  target_link_options(opencv INTERFACE LINKER:--as-needed)  # LAPACK is for what convtool never calls
  target_link_libraries(opencv INTERFACE ${archives} absent_codecs ${codecs} Threads::Threads ${CMAKE_DL_LIBS})
else()
  set(OPENCV_LINK shared)
  foreach(module core imgproc imgcodecs)
    find_library(OPENCV_${module} opencv_${module} REQUIRED)
    target_link_libraries(opencv INTERFACE ${OPENCV_${module}})
  endforeach()
endif()
message(STATUS "OpenCV is linked ${OPENCV_LINK}")
