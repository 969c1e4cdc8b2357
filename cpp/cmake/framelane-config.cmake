# find_package(framelane CONFIG): the target framelane::framelane, for C++17 and, as the archive
# holds the C ABI too, for C. Nothing in here names the prefix, which may be moved.
include(CMakeFindDependencyMacro)
find_dependency(Threads)

if(NOT TARGET framelane::framelane)
  get_filename_component(framelane_prefix "${CMAKE_CURRENT_LIST_DIR}/../../.." ABSOLUTE)
  add_library(framelane::framelane STATIC IMPORTED)
  set_target_properties(framelane::framelane PROPERTIES
    IMPORTED_LOCATION "${framelane_prefix}/lib/libframelane_cpp.a"
    IMPORTED_LINK_INTERFACE_LANGUAGES CXX
    INTERFACE_INCLUDE_DIRECTORIES "${framelane_prefix}/include"
    INTERFACE_COMPILE_FEATURES cxx_std_17
    INTERFACE_LINK_LIBRARIES "Threads::Threads;${CMAKE_DL_LIBS};m")
  unset(framelane_prefix)
endif()
