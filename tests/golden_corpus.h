#pragma once
// Mails as a format writes them, compared byte for byte with what a person has read and found right.
// POSTERN_UPDATE_GOLDEN=1 writes the files anew, to be read again before they are committed. The target
// defines POSTERN_TESTS_FOLDER.

#include <cstdlib>
#include <filesystem>
#include <functional>
#include <string>

#include <gtest/gtest.h>

#include "tests/adapter_rig.h"

namespace postern::tests {

inline std::string withCrlf(const std::string& text) {
    std::string out;
    for (const char c : text) {
        if (c == '\r') continue;
        if (c == '\n') out += '\r';
        out += c;
    }
    return out;
}

// `got` against the file `path` under tests/golden.
inline void expectGolden(const std::string& path, const std::string& got) {
    const std::string whole = std::string(POSTERN_TESTS_FOLDER) + "/golden/" + path;
    if (std::getenv("POSTERN_UPDATE_GOLDEN") != nullptr) {
        std::filesystem::create_directories(std::filesystem::path(whole).parent_path());
        spill(whole, got);
    }
    EXPECT_EQ(got, slurp(whole)) << path;
}

// A mail of tests, by its path in there.
inline std::string mailOf(const std::string& path) {
    return withCrlf(slurp(std::string(POSTERN_TESTS_FOLDER) + "/" + path + ".eml"));
}

// Every mail of tests/corpus, as `write` gives it.
using GoldenWriter = std::function<std::string(const std::string& mail, const std::string& name)>;
inline void expectCorpus(const std::string& folder, const std::string& extension, const GoldenWriter& write) {
    int compared = 0;
    for (const auto& entry :
         std::filesystem::directory_iterator(std::string(POSTERN_TESTS_FOLDER) + "/corpus")) {
        if (entry.path().extension() != ".eml") continue;
        const std::string name = entry.path().stem().string();
        SCOPED_TRACE(name);
        expectGolden(folder + "/" + name + extension, write(mailOf("corpus/" + name), name));
        ++compared;
    }
    EXPECT_GE(compared, 12);
}

}  // namespace postern::tests
