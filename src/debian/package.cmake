# The Debian package: `cpack --config build/release/CPackConfig.cmake` builds it, tests/package.sh checks it. DEBFULLNAME and
# DEBEMAIL, as other Debian tools take them, name the maintainer.
include(GNUInstallDirs)
set(debian ${CMAKE_CURRENT_LIST_DIR})

file(STRINGS ${debian}/changelog changes LIMIT_COUNT 1)
if(NOT changes MATCHES "^convtool \\(${PROJECT_VERSION}-([0-9]+)\\)")
  message(FATAL_ERROR "src/debian/changelog begins with: ${changes} (expected version ${PROJECT_VERSION})")
endif()
set(CPACK_DEBIAN_PACKAGE_RELEASE ${CMAKE_MATCH_1})

# -n leaves out the time, so that the same sources give the same file.
set(changelog ${PROJECT_BINARY_DIR}/changelog.Debian.gz)
add_custom_command(OUTPUT ${changelog} COMMAND gzip -9nc ${debian}/changelog > ${changelog}
                   DEPENDS ${debian}/changelog VERBATIM)
add_custom_target(changelog ALL DEPENDS ${changelog})
install(FILES ${changelog} ${debian}/copyright DESTINATION ${CMAKE_INSTALL_DOCDIR})
install(FILES ${debian}/lintian-overrides RENAME convtool DESTINATION ${CMAKE_INSTALL_DATADIR}/lintian/overrides)

find_program(DPKG_QUERY dpkg-query)
if(DPKG_QUERY)
  get_target_property(libraries opencv INTERFACE_LINK_LIBRARIES)
  list(APPEND libraries ${LIBDEFLATE} ${ISAL} ${GIF})
  list(FILTER libraries INCLUDE REGEX "\\.a$")
  foreach(header CLI/CLI.hpp eigen3/Eigen/Core hwy/highway.h nlohmann/json.hpp xxhash.h)
    list(APPEND libraries /usr/include/${header})
  endforeach()
  set(notices ${PROJECT_BINARY_DIR}/notices)
  add_custom_command(OUTPUT ${notices}.gz COMMAND ${debian}/notices.sh ${libraries} > ${notices} COMMAND gzip -9nf ${notices}
                     DEPENDS ${debian}/notices.sh VERBATIM)
  add_custom_target(notices ALL DEPENDS ${notices}.gz)
  install(FILES ${notices}.gz DESTINATION ${CMAKE_INSTALL_DOCDIR})
endif()

set(CPACK_GENERATOR DEB)
set(CPACK_PACKAGING_INSTALL_PREFIX /usr)
set(CPACK_STRIP_FILES ON)
set(CPACK_PRE_BUILD_SCRIPTS ${debian}/permissions.cmake)
set(CPACK_DEBIAN_PACKAGE_CONTROL_STRICT_PERMISSION ON)
set(CPACK_DEBIAN_PACKAGE_SHLIBDEPS ON)
set(CPACK_DEBIAN_FILE_NAME DEB-DEFAULT)
set(CPACK_DEBIAN_PACKAGE_SECTION graphics)
set(CPACK_DEBIAN_COMPRESSION_TYPE xz)

set(CPACK_PACKAGE_CONTACT "The authors of convtool <convtool@convtool.invalid>")
if(DEFINED ENV{DEBFULLNAME} AND DEFINED ENV{DEBEMAIL})
  set(CPACK_PACKAGE_CONTACT "$ENV{DEBFULLNAME} <$ENV{DEBEMAIL}>")
endif()
set(CPACK_PACKAGE_DESCRIPTION_SUMMARY "filter pictures by cross-correlation, as nn.Conv2d does")
set(CPACK_DEBIAN_PACKAGE_DESCRIPTION
"convtool filters PNG, JPEG, TIFF, BMP, WebP, PNM, PFM and OpenEXR pictures, and
tensors, with kernels that are written as JSON: with padding, stride, dilation,
groups and bias, for any number of channels. Its sums are exact for integers,
and the error of all others is bounded.

It also writes edge maps, reports output shapes, fits kernels to pictures, and
filters folders of any size on all cores.")
include(CPack)
