#pragma once
// What would keep a program from writing files into a folder, as far as a look tells that changes nothing.

#include <string>

namespace postern {

struct FolderWanted {
    std::string path;
    bool made = true;   // by the program, when it is missing
    bool byUs = false;  // by this process's effective user: his rights are looked at
};
// "" when nothing is found: "/srv/in is no folder", "there is no folder /srv/in: make it", "/proc/x stands on
// a file system that keeps no files". May wait for a share whose server is gone.
std::string folderObstacle(const FolderWanted& wanted);

// The folder itself or, where it is missing, the nearest one above it that is there.
std::string nearestThere(const std::string& path);

}  // namespace postern
