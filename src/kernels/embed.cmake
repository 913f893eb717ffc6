# Writes a C++ source with the kernel files as text. Run as
#   cmake -DFOLDER=kernels -DNAMES=box;edge;... -DOUTPUT=shipped_kernels.cpp -P embed.cmake
# NAMES are file stems, in the order of the table.
set(source "// Written by src/kernels/embed.cmake from kernels/*.json.\n#include \"kernels/shipped.h\"\n\n")
string(APPEND source "namespace convtool {\nnamespace {\n\nconstexpr ShippedKernel kShipped[] = {\n")
foreach(name IN LISTS NAMES)
  file(READ "${FOLDER}/${name}.json" text)
  string(APPEND source "{\"${name}\", R\"json(${text})json\"},\n")
endforeach()
string(APPEND source "};\n\n}  // namespace\n\nstd::span<const ShippedKernel> shipped_kernels() { return kShipped; }\n\n")
string(APPEND source "}  // namespace convtool\n")
file(WRITE "${OUTPUT}" "${source}")
