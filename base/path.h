#pragma once
// The parts of a path. joinPath(), parentPath() and isAbsolutePath() are in base/file.h. Thread rule: any.

#include <string>
#include <string_view>

#include "base/result.h"

namespace postern {

// What stands behind the last separator: "c" of "/a/b/c", the whole of a name without one. On Windows "/" and
// "\" both part names.
std::string_view lastName(std::string_view path);

// Whether a file in a Folder may have that name here. Invalid: it is empty, "." or "..", or has a separator
// or a zero; on Windows also when it is too long, is a device's (CON, COM1.txt), ends with a dot or a blank,
// or has one of <>:"/\|?* or a control character.
Result<void> usableFileName(std::string_view name);

// Invalid: a name in the path is none that a file may have here; says which. Looks at no file.
Result<void> usablePath(const std::string& path);

// The same text for paths that differ in "//", "/./", "x/.." and a separator at the end only; on Windows also
// in capitals and in which separator they have. Looks at no file.
std::string plainPath(std::string_view path);

// For libraries that give a path to the system as it is: on Windows in the form that no limit of 260
// characters holds for (\\?\C:\...). REQUIRES: absolute.
std::string unlimitedPath(const std::string& path);

}  // namespace postern
