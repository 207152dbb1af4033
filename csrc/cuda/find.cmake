# Whether the CUDA engine is built. AUTO: where a working nvcc is found, else the state says why not; ON: it must be; OFF: not.
set(hyperband_has_cuda OFF)

# The state that `hyperband info` shows; with HYPERBAND_CUDA=ON an error.
macro(hyperband_without_cuda reason)
  if(hyperband_cuda_required)
    message(FATAL_ERROR "HYPERBAND_CUDA=ON, but ${reason}. Install the CUDA toolkit (12.8 or newer), put nvcc on the PATH or "
                        "point CUDACXX to it; or set HYPERBAND_CUDA=OFF.")
  endif()
  set(hyperband_cuda_state "not built: ${reason}")
  return()
endmacro()

string(TOUPPER "${HYPERBAND_CUDA}" hyperband_cuda)
set(hyperband_cuda_required OFF)
if(hyperband_cuda MATCHES "^(OFF|0|FALSE|NO)$")
  set(hyperband_cuda_state "not built: HYPERBAND_CUDA=OFF")
  return()
elseif(hyperband_cuda MATCHES "^(ON|1|TRUE|YES)$")
  set(hyperband_cuda_required ON)
elseif(NOT hyperband_cuda MATCHES "^(AUTO)?$")
  message(FATAL_ERROR "HYPERBAND_CUDA must be AUTO, ON or OFF; got '${HYPERBAND_CUDA}'.")
endif()

include(CheckLanguage)
# Before CUDA is enabled: CMake's default is one old architecture alone. AUTO: the GPU that is here, else two, which also
# carry PTX that newer GPUs compile for themselves. Each takes minutes.
string(TOUPPER "${HYPERBAND_CUDA_ARCHITECTURES}" hyperband_cuda_names)
if(NOT hyperband_cuda_names MATCHES "^(AUTO)?$")
  string(REPLACE " " ";" CMAKE_CUDA_ARCHITECTURES "${HYPERBAND_CUDA_ARCHITECTURES}")
elseif(EXISTS /proc/driver/nvidia/version)
  set(CMAKE_CUDA_ARCHITECTURES native)
else()
  set(CMAKE_CUDA_ARCHITECTURES 80 90)
endif()
check_language(CUDA)
if(NOT CMAKE_CUDA_COMPILER)
  hyperband_without_cuda("no working nvcc was found")
endif()
execute_process(COMMAND "${CMAKE_CUDA_COMPILER}" --version OUTPUT_VARIABLE hyperband_nvcc ERROR_QUIET)
string(REGEX MATCH "release ([0-9.]+)" hyperband_nvcc "${hyperband_nvcc}")
if(NOT CMAKE_MATCH_1 OR CMAKE_MATCH_1 VERSION_LESS 12.8)
  hyperband_without_cuda("${CMAKE_CUDA_COMPILER} is older than 12.8")
endif()
# A host compiler that this nvcc does not know shows here, not in the middle of the build.
set(hyperband_probe "${CMAKE_CURRENT_BINARY_DIR}/cuda_probe")
file(WRITE "${hyperband_probe}.cu" "#include <cmath>\ntemplate <class T> __global__ void probe(T *x) { *x = std::sqrt(*x); }\n"
                                   "void start(float *x) { probe<<<1, 1>>>(x); }\n")
execute_process(
  COMMAND "${CMAKE_CUDA_COMPILER}" -std=c++20 -c "${hyperband_probe}.cu" -o "${hyperband_probe}.o"
  RESULT_VARIABLE hyperband_probed
  OUTPUT_QUIET ERROR_QUIET)
if(NOT hyperband_probed EQUAL 0)
  hyperband_without_cuda("nvcc ${CMAKE_MATCH_1} cannot compile a small file for this machine's C++ compiler (see CUDAHOSTCXX)")
endif()
enable_language(CUDA)
if(NOT CMAKE_CUDA20_STANDARD_COMPILE_OPTION)
  hyperband_without_cuda("CMake ${CMAKE_VERSION} does not know nvcc ${CMAKE_CUDA_COMPILER_VERSION}, a newer CMake does")
endif()
list(JOIN CMAKE_CUDA_ARCHITECTURES " " hyperband_cuda_names)
set(hyperband_cuda_state "${CMAKE_CUDA_COMPILER_VERSION} for ${hyperband_cuda_names}")
set(hyperband_has_cuda ON)
