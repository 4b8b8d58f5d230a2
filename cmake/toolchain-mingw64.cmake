# Debian's g++-mingw-w64-x86-64-posix makes programs for 64-bit Windows 10 and later; Wine runs the tests.
# POSTERN_WINDOWS_PREFIX (environment, or the preset's cache) is the folder that packaging/windows/build-deps.sh filled.
set(CMAKE_SYSTEM_NAME Windows)
set(CMAKE_SYSTEM_VERSION 10.0)
set(CMAKE_SYSTEM_PROCESSOR x86_64)
set(triplet x86_64-w64-mingw32)
set(CMAKE_C_COMPILER ${triplet}-gcc-posix)  # "-posix": with std::thread and std::mutex
set(CMAKE_CXX_COMPILER ${triplet}-g++-posix)
set(CMAKE_RC_COMPILER ${triplet}-windres)
find_program(CMAKE_MC_COMPILER ${triplet}-windmc NO_CMAKE_FIND_ROOT_PATH)  # message files of the event log

# A variable of the command line is not known to the small projects that CMake tries the compiler with; the environment is.
if(NOT POSTERN_WINDOWS_PREFIX)
    set(POSTERN_WINDOWS_PREFIX "$ENV{POSTERN_WINDOWS_PREFIX}")
endif()
list(APPEND CMAKE_TRY_COMPILE_PLATFORM_VARIABLES POSTERN_WINDOWS_PREFIX)
set(CMAKE_FIND_ROOT_PATH "${POSTERN_WINDOWS_PREFIX}" /usr/${triplet})
set(CMAKE_FIND_ROOT_PATH_MODE_PROGRAM NEVER)
set(CMAKE_FIND_ROOT_PATH_MODE_LIBRARY ONLY)
set(CMAKE_FIND_ROOT_PATH_MODE_INCLUDE ONLY)
set(CMAKE_FIND_ROOT_PATH_MODE_PACKAGE ONLY)
# pkg-config knows the libraries of the prefix and no others.
set(ENV{PKG_CONFIG_LIBDIR} "${POSTERN_WINDOWS_PREFIX}/lib/pkgconfig")
set(ENV{PKG_CONFIG_PATH} "")

# Poco includes <Winsock2.h> and <Iphlpapi.h>: this file system tells capitals apart.
set(shim "-isystem ${CMAKE_CURRENT_LIST_DIR}/../packaging/windows/case-shim")
set(windows_10 "-D_WIN32_WINNT=0x0A00 -DWINVER=0x0A00")
set(CMAKE_C_FLAGS_INIT "${shim} ${windows_10}")
set(CMAKE_CXX_FLAGS_INIT "${shim} ${windows_10}")
set(CMAKE_EXE_LINKER_FLAGS_INIT "-static")  # nothing of the compiler's own has to be installed

set(CMAKE_CROSSCOMPILING_EMULATOR "${CMAKE_CURRENT_LIST_DIR}/../packaging/windows/wine-run.sh")
