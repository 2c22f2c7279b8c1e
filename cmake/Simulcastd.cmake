# What every target of the project shares: language level, warnings as errors, sanitizers, hardening.
include(GNUInstallDirs)

set(CMAKE_CXX_STANDARD 20)
set(CMAKE_CXX_STANDARD_REQUIRED ON)
set(CMAKE_CXX_EXTENSIONS OFF)
set(CMAKE_EXPORT_COMPILE_COMMANDS ON)
set(CMAKE_RUNTIME_OUTPUT_DIRECTORY ${CMAKE_BINARY_DIR})
set(THREADS_PREFER_PTHREAD_FLAG ON)

find_package(Threads REQUIRED)
find_package(PkgConfig REQUIRED)
# Debian keeps several Boost versions side by side; the headers of 1.81 are the default ones.
find_package(Boost 1.81 REQUIRED COMPONENTS json url context)

add_library(simulcastd_options INTERFACE)
target_compile_options(simulcastd_options INTERFACE
  -Wall -Wextra -Wpedantic -Wshadow -Woverloaded-virtual -Wcast-qual -Werror
  -fno-omit-frame-pointer)
target_include_directories(simulcastd_options INTERFACE ${PROJECT_SOURCE_DIR})
# Boost.Asio: no deprecated names, and separate compilation is not worth it for header-only sources this few.
target_compile_definitions(simulcastd_options INTERFACE
  BOOST_ASIO_NO_DEPRECATED SIMULCASTD_VERSION="${PROJECT_VERSION}")
if(CMAKE_CXX_COMPILER_ID STREQUAL "GNU")
  # GCC 12 reports these from inside optimised std::string and Boost code where there is nothing to mend.
  target_compile_options(simulcastd_options INTERFACE
    -Wno-error=maybe-uninitialized -Wno-maybe-uninitialized -Wno-restrict -Wno-stringop-overflow
    -Wno-array-bounds -Wno-stringop-overread)
endif()
if(SIMULCASTD_SANITIZE)
  target_compile_options(simulcastd_options INTERFACE -fsanitize=${SIMULCASTD_SANITIZE} -fno-sanitize-recover=all)
  target_link_options(simulcastd_options INTERFACE -fsanitize=${SIMULCASTD_SANITIZE})
  if(CMAKE_CXX_COMPILER_ID MATCHES "Clang")
    # Clang marks functions for this check with data that its coroutines overwrite.
    target_compile_options(simulcastd_options INTERFACE -fno-sanitize=function)
  endif()
  if(SIMULCASTD_SANITIZE MATCHES "thread" AND CMAKE_CXX_COMPILER_ID STREQUAL "GNU")
    target_compile_options(simulcastd_options INTERFACE -Wno-tsan)  # Asio uses fences, which TSan cannot model
  endif()
elseif(CMAKE_BUILD_TYPE STREQUAL "Release")
  target_compile_options(simulcastd_options INTERFACE -fstack-protector-strong -fcf-protection)
  target_compile_definitions(simulcastd_options INTERFACE _FORTIFY_SOURCE=2)
  target_link_options(simulcastd_options INTERFACE -Wl,-z,relro,-z,now)
endif()

# simulcastd_library(<folder> SOURCES ... LINK ...): one static library per folder, linked along the arrows.
function(simulcastd_library name)
  cmake_parse_arguments(ARG "" "" "SOURCES;LINK" ${ARGN})
  add_library(simulcastd_${name} STATIC ${ARG_SOURCES})
  add_library(simulcastd::${name} ALIAS simulcastd_${name})
  target_link_libraries(simulcastd_${name} PUBLIC simulcastd_options ${ARG_LINK})
endfunction()
