#pragma once
// A folder that lives as long as a test.

#include <filesystem>
#include <string>

#include "base/random.h"

namespace postern::tests {

class TempFolder {
  public:
    TempFolder()
        : path_((std::filesystem::temp_directory_path() / ("postern-test-" + randomName(12)))
                    .generic_string()) {
        std::filesystem::create_directories(path_);
    }
    ~TempFolder() {
        std::error_code ignored;  // a folder left behind must not fail a test that passed
        std::filesystem::remove_all(path_, ignored);
    }
    TempFolder(const TempFolder&) = delete;
    TempFolder& operator=(const TempFolder&) = delete;

    const std::string& path() const { return path_; }
    std::string operator/(const std::string& name) const { return path_ + "/" + name; }

  private:
    std::string path_;
};

}  // namespace postern::tests
