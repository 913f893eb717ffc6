# Writes a C++ source with the files of a folder as text. Run as
#   cmake -DFOLDER=pages -DNAMES=base.css;base.js;... -DOUTPUT=page_files.cpp -P embed.cmake
set(source "// Written by src/show/embed.cmake from src/show/pages.\n#include \"show/page_files.h\"\n\n")
string(APPEND source "namespace convtool {\nnamespace {\n\nconstexpr PageFile kPageFiles[] = {\n")
foreach(name IN LISTS NAMES)
  file(READ "${FOLDER}/${name}" text)
  string(APPEND source "{\"${name}\", R\"embedded(${text})embedded\"},\n")
endforeach()
string(APPEND source "};\n\n}  // namespace\n\nstd::span<const PageFile> page_files() { return kPageFiles; }\n\n")
string(APPEND source "}  // namespace convtool\n")
file(WRITE "${OUTPUT}" "${source}")
