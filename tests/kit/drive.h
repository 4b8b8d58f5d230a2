#pragma once
// Configurations of tests are written as for a Unix system; on Windows their absolute paths get a drive.

#include <string>

#include "tests/kit/platform.h"

namespace postern::tests {

inline std::string replaced(std::string text, const std::string& what, const std::string& with) {
    for (auto at = text.find(what); at != std::string::npos; at = text.find(what, at + with.size()))
        text.replace(at, what.size(), with);
    return text;
}

// "/srv/x" in quotes becomes "C:/srv/x", and so does a path that is all of the text.
inline std::string onDrive(const std::string& text) {
    if (!kOnWindows) return text;
    const std::string quoted = replaced(text, "\"/", "\"C:/");
    return quoted.starts_with("/") ? "C:" + quoted : quoted;
}

// The other way round, for texts to be compared.
inline std::string offDrive(const std::string& text) {
    return kOnWindows ? replaced(text, "C:/", "/") : text;
}

}  // namespace postern::tests
