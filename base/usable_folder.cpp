#include "base/usable_folder.h"

#include "base/file.h"

namespace postern {

std::string nearestThere(const std::string& path) {
    std::string there = path;
    while (!pathExists(there) && parentPath(there) != there) there = parentPath(there);
    return there;
}

}  // namespace postern
