# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#
# Compiles a .spk file as part of a build:
#
#   sparkle_add_kernel(conv3x3 SOURCE conv3x3.spk
#     [TARGETS cpu ...]        what to compile for; default: cpu
#     [CPU native]             processor of the CPU code; default: the machine's
#     [GPUS small ...]         processors of the GPU code; default: all
#     [DEFINES K=128 N=? ...]  sizes, as -D takes them
#     [PATTERN tuned.spk]      patterns that win over those of SOURCE
#     [WITH_REFERENCE])        adds NAME_reference for every kernel
#
# The result is a static library target `conv3x3` that holds every kernel of
# SOURCE. What links it finds the header as "conv3x3.h" and gets libomp.

# LLVM's OpenMP runtime, which kernels that run in parallel call.
find_library(SPARKLE_OPENMP_LIBRARY omp HINTS ${SPARKLE_LLVM_LIBRARY_DIR})
mark_as_advanced(SPARKLE_OPENMP_LIBRARY)

function(sparkle_add_kernel name)
  cmake_parse_arguments(PARSE_ARGV 1 arg
    "WITH_REFERENCE" "SOURCE;CPU;PATTERN" "TARGETS;GPUS;DEFINES")
  if(arg_UNPARSED_ARGUMENTS OR NOT arg_SOURCE)
    message(FATAL_ERROR "sparkle_add_kernel(${name}): expected SOURCE and known "
      "arguments, but got '${ARGN}'")
  endif()
  if(NOT SPARKLE_OPENMP_LIBRARY)
    message(FATAL_ERROR "sparkle_add_kernel(${name}): expected libomp, but found "
      "none - install libomp-22-dev or set SPARKLE_OPENMP_LIBRARY")
  endif()
  get_filename_component(source "${arg_SOURCE}" ABSOLUTE)
  set(depends "${source}")
  set(flags)
  if(arg_TARGETS)
    list(JOIN arg_TARGETS "," targets)
    list(APPEND flags "--target=${targets}")
  endif()
  if(arg_GPUS)
    list(JOIN arg_GPUS "," gpus)
    list(APPEND flags "--gpu=${gpus}")
  endif()
  if(arg_CPU)
    list(APPEND flags "--cpu=${arg_CPU}")
  endif()
  foreach(define IN LISTS arg_DEFINES)
    list(APPEND flags -D "${define}")
  endforeach()
  if(arg_PATTERN)
    get_filename_component(pattern "${arg_PATTERN}" ABSOLUTE)
    list(APPEND flags "--pattern=${pattern}")
    list(APPEND depends "${pattern}")
  endif()
  if(arg_WITH_REFERENCE)
    list(APPEND flags --with-reference)
  endif()

  set(folder "${CMAKE_CURRENT_BINARY_DIR}/${name}.kernel")
  file(MAKE_DIRECTORY "${folder}")
  set(object "${folder}/${name}.o")
  set(header "${folder}/${name}.h")
  add_custom_command(OUTPUT "${object}" "${header}"
    COMMAND Sparkle::sparkle-opt "${source}" ${flags} -o "${object}"
    DEPENDS Sparkle::sparkle-opt ${depends}
    COMMENT "Compiling kernel ${name}"
    VERBATIM)
  set_source_files_properties("${object}" PROPERTIES
    EXTERNAL_OBJECT ON GENERATED ON)

  add_library(${name} STATIC "${object}" "${header}")
  # Whatever language archives it: there is nothing but an object.
  set(language C)
  if(NOT CMAKE_C_COMPILER_LOADED)
    set(language CXX)
  endif()
  set_target_properties(${name} PROPERTIES LINKER_LANGUAGE ${language})
  target_include_directories(${name} INTERFACE "${folder}")
  target_link_libraries(${name} INTERFACE
    Sparkle::headers "${SPARKLE_OPENMP_LIBRARY}" m) # m: a reference's functions
endfunction()
