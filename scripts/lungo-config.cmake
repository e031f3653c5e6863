# find_package(lungo): the imported targets lungo::lungo (shared) and lungo::static.
get_filename_component(_lungo_prefix "${CMAKE_CURRENT_LIST_DIR}/../../.." ABSOLUTE)
find_package(Threads REQUIRED)
if(NOT TARGET lungo::lungo)
  add_library(lungo::lungo SHARED IMPORTED)
  set_target_properties(lungo::lungo PROPERTIES
    IMPORTED_LOCATION "${_lungo_prefix}/lib/liblungo.so"
    INTERFACE_INCLUDE_DIRECTORIES "${_lungo_prefix}/include/lungo")
  add_library(lungo::static STATIC IMPORTED)
  set_target_properties(lungo::static PROPERTIES
    IMPORTED_LOCATION "${_lungo_prefix}/lib/liblungo.a"
    INTERFACE_INCLUDE_DIRECTORIES "${_lungo_prefix}/include/lungo"
    INTERFACE_LINK_LIBRARIES "m;${CMAKE_DL_LIBS};Threads::Threads")
endif()
unset(_lungo_prefix)
