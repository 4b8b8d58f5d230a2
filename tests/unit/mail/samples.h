#pragma once
// The sample mails of tests/corpus, and mails made up in a test.

#include <algorithm>
#include <filesystem>
#include <string>
#include <vector>

#include <gtest/gtest.h>

#include "base/file.h"
#include "mail/mime.h"

namespace postern::mail::tests {

inline std::vector<std::string> corpusNames() {
    std::vector<std::string> names;
    for (const auto& entry : std::filesystem::directory_iterator(POSTERN_CORPUS))
        if (entry.path().extension() == ".eml") names.push_back(entry.path().filename().string());
    std::sort(names.begin(), names.end());
    return names;
}

inline std::string corpusMail(const std::string& name) {
    auto bytes = readFile(std::string(POSTERN_CORPUS) + "/" + name, 1 << 20);
    EXPECT_TRUE(bytes.ok()) << name;
    return bytes.ok() ? *bytes : std::string();
}

// "\n" to CRLF.
inline std::string wire(std::string_view text) {
    std::string out;
    for (const char c : text) out += c == '\n' ? "\r\n" : std::string(1, c);
    return out;
}

// A source that is never in memory and gives a few bytes at a time: every border of the reading is crossed.
class DripSource final : public ByteSource {
  public:
    explicit DripSource(std::string bytes, std::size_t most = 7) : bytes_(std::move(bytes)), most_(most) {}
    std::int64_t size() const override { return static_cast<std::int64_t>(bytes_.size()); }
    Result<std::size_t> readAt(std::int64_t offset, char* into, std::size_t size) override {
        const std::string_view rest = std::string_view(bytes_).substr(static_cast<std::size_t>(offset));
        return rest.copy(into, std::min(size, most_));
    }

  private:
    std::string bytes_;
    std::size_t most_;
};

// A readable message as text, to compare whole ones.
inline std::string describe(const Readable& message) {
    std::string out = message.from.name + " <" + message.from.address + ">\n";
    for (const auto& box : message.to) out += "to " + box.name + " <" + box.address + ">\n";
    for (const auto& box : message.cc) out += "cc " + box.name + " <" + box.address + ">\n";
    out += "subject " + message.subject + "\n" +
           (message.date ? formatUtc(*message.date) : message.dateText) + "\n";
    out += message.text;
    for (const auto& attachment : message.attachments) {
        const auto bytes = attachment.read(1 << 24);
        EXPECT_TRUE(bytes.ok());
        EXPECT_EQ(bytes.ok() ? bytes->size() : 0U, static_cast<std::size_t>(attachment.size))
            << attachment.name;
        out += "[" + attachment.name + " " + attachment.type + " " + (attachment.damaged ? "damaged " : "") +
               (bytes.ok() ? *bytes : "") + "]\n";
    }
    for (const auto& note : message.notes) out += "note " + note + "\n";
    return out;
}

inline Readable readText(const std::string& bytes, const ReadOptions& options = {}) {
    StringSource source(bytes);
    auto message = readMessage(source, options);
    EXPECT_TRUE(message.ok());
    Readable read = message.ok() ? std::move(*message) : Readable();
    read.attachments.clear();  // they refer to the source, which ends here
    return read;
}

inline bool hasNote(const Readable& message, std::string_view part) {
    return std::any_of(message.notes.begin(), message.notes.end(),
                       [&](const std::string& note) { return note.find(part) != std::string::npos; });
}

// Keeps the source for as long as its message.
struct Read {
    explicit Read(std::string bytes, const ReadOptions& options = {}) : source(std::move(bytes)) {
        auto read = readMessage(source, options);
        EXPECT_TRUE(read.ok()) << (read.ok() ? "" : read.error().text);
        if (read.ok()) message = std::move(*read);
    }
    std::string bytes(std::size_t index) const {
        if (index >= message.attachments.size()) return "no such attachment";
        return message.attachments[index].read(1 << 24).valueOr("error");
    }
    StringSource source;
    Readable message;
};

inline std::string parts(std::string_view type, std::initializer_list<std::string> each) {
    std::string text =
        "From: a@b\nMIME-Version: 1.0\nContent-Type: " + std::string(type) + "; boundary=BB\n\n";
    for (const std::string& part : each) text += "--BB\n" + part + "\n";
    return wire(text + "--BB--\n");
}

}  // namespace postern::mail::tests
