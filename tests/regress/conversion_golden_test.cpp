// The corpus converted for every kind of target, compared with what a person has read and found right
// (tests/golden/convert/README.md), and real mails as an 80-column reader of CP437 sees them.
// POSTERN_UPDATE_GOLDEN=1 writes the files anew, to be read again before they are committed.

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <map>
#include <sstream>

#include <gtest/gtest.h>

#include "base/digest.h"
#include "base/text.h"
#include "mail/charset.h"
#include "mail/convert.h"
#include "tests/kit/drive.h"

namespace postern::mail {
namespace {

namespace fs = std::filesystem;

constexpr std::size_t kShownLines = 14, kShownBytes = 200;

std::string bytesOf(const fs::path& path) {
    std::ifstream in(path, std::ios::binary);
    std::ostringstream out;
    out << in.rdbuf();
    return out.str();
}

std::string shortDigest(const std::string& bytes) {
    std::ostringstream out;
    out << std::hex;
    for (const char c : sha256(bytes).substr(0, 4)) out << (static_cast<unsigned>(c) >> 4 & 15U) << (c & 15);
    return out.str();
}

// One line for reading: escape sequences of stateful charsets are gone already, what is too long is
// abbreviated.
std::string shownLine(std::string_view line) {
    if (line.size() <= kShownBytes) return std::string(line);
    const std::string_view head = cutUtf8(line, kShownBytes);
    return std::string(head) + " (and " + std::to_string(line.size() - head.size()) + " bytes more)";
}

// The first lines of a text, and a digest of the rest; all of them when `whole`.
std::string shownText(const std::string& utf8, bool whole) {
    auto lines = split(utf8, '\n');
    if (lines.back().empty()) lines.pop_back();
    std::string out, rest;
    for (std::size_t i = 0; i < lines.size(); ++i) {
        const std::string_view line =
            lines[i].ends_with('\r') ? lines[i].substr(0, lines[i].size() - 1) : lines[i];
        if (whole)
            out.append(line).append("\n");
        else if (i < kShownLines)
            out.append("| ").append(shownLine(line)).append("\n");
        else
            rest.append(line).append("\n");
    }
    if (!rest.empty())
        out +=
            "| (" + std::to_string(lines.size() - kShownLines) + " lines more, " + shortDigest(rest) + ")\n";
    return out;
}

std::string shownFile(const ConvertedFile& file, const std::string& charset) {
    std::string bytes;
    EXPECT_TRUE(file.writeTo([&](std::string_view piece) -> Result<void> {
                        bytes += piece;
                        return {};
                    })
                    .ok());
    const std::string name = toUtf8(file.name, charset);
    return "file " + name + (name == file.shown ? "" : " (" + escapeLine(file.shown, 80) + ")") + ", " +
           std::to_string(bytes.size()) + " bytes, " + shortDigest(bytes) + "\n";
}

std::string textsOf(const Converted& converted, std::vector<std::string>& texts) {
    const auto done = converted.writeTexts(
        [&](std::string_view piece) -> Result<void> {
            texts.back() += piece;
            return {};
        },
        [&](std::int64_t) -> Result<void> {
            texts.emplace_back();
            return {};
        });
    return done.ok() ? "" : "error: " + done.error().text + "\n";
}

std::string headerOf(const Converted& converted, const Readable& message, const std::string& charset) {
    const std::string name = toUtf8(converted.fromName.bytes, charset);
    std::string out = "From: " + name + (name.empty() ? "<" : " <") + converted.fromAddress + ">\n";
    if (const std::string to = message.to.empty() ? "" : shownRecipients(message.to, 70); !to.empty())
        out += "To: " + to + "\n";
    out += "Date: " + formatUtc(converted.date) + "\n";
    return out + "Subject: " + shownLine(toUtf8(converted.subject.bytes, charset)) + "\n";
}

std::string view(const std::string& bytes, const Profile& profile, bool whole) {
    StringSource source(bytes);
    const auto message = readMessage(source, readingFor(profile));
    if (!message.ok()) return "error: " + message.error().text + "\n";
    const auto converted = convert(*message, {"sender@example.org", fromMillis(1'700'000'000'000)}, profile);
    if (!converted.ok()) return "refused: " + converted.error().text + "\n";
    std::string out = headerOf(*converted, *message, profile.charset);
    std::vector<std::string> texts;
    out += textsOf(*converted, texts);
    for (std::size_t i = 0; i < texts.size(); ++i) {
        EXPECT_TRUE(profile.textLimit == 0 ||
                    static_cast<std::int64_t>(texts[i].size()) <= profile.textLimit);
        if (whole) out += "\n";
        if (i > 0) out += "(text " + std::to_string(i + 1) + ")\n";
        out += shownText(toUtf8(texts[i], profile.charset), whole);
    }
    if (whole) out += "\n";
    for (const ConvertedFile& file : converted->files) out += shownFile(file, profile.charset);
    for (const std::string& note : converted->notes) out += "note " + shownLine(note) + "\n";
    if (converted->lost + converted->changed > 0)
        out += "lost " + std::to_string(converted->lost) + ", changed " + std::to_string(converted->changed) +
               "\n";
    return out;
}

Profile profileFor(const char* charset, int columns) {
    Profile profile;
    profile.charset = charset;
    profile.columns = columns;
    return profile;
}

// The kinds of target there are.
std::map<std::string, Profile> profiles() {
    std::map<std::string, Profile> made;
    Profile& dos = made["cp437-80-columns"] = profileFor("cp437", 80);
    dos.attachments = AttachmentMode::Uuencode;
    dos.fileNames = FileNames::Dos;
    dos.expandTabs = true;
    Profile& ccmail = made["cp850-ccmail"] = profileFor("cp850", 0);
    ccmail.crlf = true;
    ccmail.textLimit = 20000;
    ccmail.subjectLimit = 60;
    ccmail.fileNames = FileNames::Dos;
    Profile& fido = made["cp866-split"] = profileFor("cp866", 78);
    fido.textLimit = 8000;
    fido.longText = LongText::Split;
    fido.subjectLimit = 71;
    fido.nameLimit = 35;
    fido.fileNames = FileNames::Dos;
    Profile& latin = made["iso-8859-1-mail"] = profileFor("iso-8859-1", 76);
    latin.attachments = AttachmentMode::Mime;
    made["koi8-r-native"] = profileFor("koi8-r", 78);
    made["shift_jis-native"] = profileFor("shift_jis", 78);
    made["utf-8-native"] = profileFor("utf-8", 0);
    Profile& radio = made["us-ascii-radio"] = profileFor("us-ascii", 72);
    radio.textLimit = 2000;
    radio.longText = LongText::Split;
    radio.subjectLimit = 40;
    radio.nameLimit = 24;
    radio.attachments = AttachmentMode::Drop;
    radio.expandTabs = true;
    return made;
}

struct Script {
    Profile profile;
    std::vector<std::string> mails;  // "polish-*": all whose names begin so
};

// Mails that are made to look wrong: raw bytes, broken words, odd names, controls, turned letters.
constexpr const char* kHostile[] = {"shape-raw-8bit-subject", "shape-broken-words", "shape-odd-names",
                                    "shape-controls",         "shape-bidi",         "shape-wrong-charset",
                                    "shape-latin1-is-1252",   "shape-long-subject"};

// A charset for one script each, over the mails of that script, its neighbours and the hostile ones.
std::map<std::string, Script> scripts() {
    std::map<std::string, Script> made;
    Script& central = made["cp852-central-europe"] = {
        profileFor("cp852", 80),
        {"polish-*", "czech-mixed", "czech-html", "hungarian-mixed", "hungarian-cp852", "romanian-mixed",
         "romanian-utf-8", "french-utf-8", "russian-mixed"}};
    central.profile.attachments = AttachmentMode::Uuencode;
    central.profile.fileNames = FileNames::Dos;
    central.profile.expandTabs = true;
    Script& windows =
        made["cp1252-mail"] = {profileFor("windows-1252", 76),
                               {"german-*", "french-mixed", "french-utf-8", "spanish-html", "icelandic-mixed",
                                "icelandic-cp861", "finnish-mixed", "polish-mixed", "emoji-mixed"}};
    windows.profile.crlf = true;
    windows.profile.attachments = AttachmentMode::Mime;
    Script& japan = made["iso-2022-jp-split"] = {
        profileFor("iso-2022-jp", 60),
        {"japanese-*", "chinese-mixed", "korean-mixed", "german-mixed", "emoji-mixed", "russian-utf-8"}};
    japan.profile.textLimit = 300;
    japan.profile.longText = LongText::Split;
    japan.profile.subjectLimit = 40;
    Script& korea = made["euc-kr-dos"] = {
        profileFor("euc-kr", 78),
        {"korean-*", "japanese-mixed", "chinese-mixed", "russian-utf-8", "german-mixed", "emoji-mixed"}};
    korea.profile.fileNames = FileNames::Dos;
    korea.profile.subjectLimit = 60;
    made["gb18030-native"] = {profileFor("gb18030", 0),
                              {"chinese-*", "taiwanese-mixed", "taiwanese-big5", "japanese-mixed",
                               "korean-mixed", "german-mixed", "arabic-mixed", "emoji-*"}};
    for (auto& [name, script] : made)
        script.mails.insert(script.mails.end(), std::begin(kHostile), std::end(kHostile));
    return made;
}

bool isCalled(const std::string& pattern, const std::string& name) {
    return pattern.ends_with('*') ? name.starts_with(pattern.substr(0, pattern.size() - 1)) : name == pattern;
}

bool isOf(const std::vector<std::string>& mails, const std::string& name) {
    return std::any_of(mails.begin(), mails.end(),
                       [&](const std::string& each) { return isCalled(each, name); });
}

// Path by name, of the mails in some folders.
std::map<std::string, fs::path> mails(const std::vector<std::string>& folders) {
    std::map<std::string, fs::path> found;
    for (const std::string& folder : folders)
        for (const auto& entry : fs::directory_iterator(folder))
            if (entry.path().extension() == ".eml") found[entry.path().stem().string()] = entry.path();
    return found;
}

std::string withCrlf(const std::string& text) {
    return text.find("\r\n") == std::string::npos && text.find('\r') == std::string::npos
               ? [&] {
                     std::string out;
                     for (const char c : text) out += c == '\n' ? "\r\n" : std::string(1, c);
                     return out;
                 }()
               : text;
}

void compare(const std::string& file, const std::string& got) {
    const fs::path path = fs::path(POSTERN_TESTS_FOLDER) / "golden" / file;
    if (std::getenv("POSTERN_UPDATE_GOLDEN") != nullptr) {
        fs::create_directories(path.parent_path());
        std::ofstream(path, std::ios::binary) << got;
    }
    std::string want = bytesOf(path);
    // libiconv reads the same bytes as narrow signs.
    if (tests::kOnWindows && file.find("shift_jis") != std::string::npos)
        for (const auto& [wide, narrow] : {std::pair{"￠", "¢"}, {"￡", "£"}, {"￢", "¬"}})
            want = tests::replaced(want, wide, narrow);
    if (got == want) return;
    const auto differs = static_cast<std::size_t>(
        std::mismatch(got.begin(), got.end(), want.begin(), want.end()).first - got.begin());
    const auto entry = got.rfind("\n=== ", differs);
    const auto from = entry == std::string::npos ? 0 : entry;
    ADD_FAILURE() << file << " differs; POSTERN_UPDATE_GOLDEN=1 writes it anew. The first difference is in\n"
                  << got.substr(from, differs - from + 200) << "\n----- and should be\n"
                  << want.substr(std::min(from, want.size()), differs - from + 200);
}

TEST(ConversionGolden, EveryMailForEveryTarget) {
    const auto corpus = mails({std::string(POSTERN_TESTS_FOLDER) + "/corpus", POSTERN_GENERATED_CORPUS});
    EXPECT_GE(corpus.size(), 300U);
    for (const auto& [name, profile] : profiles()) {
        std::string all;
        for (const auto& [mail, path] : corpus)
            all += "=== " + mail + "\n" + view(withCrlf(bytesOf(path)), profile, false) + "\n";
        compare("convert/" + name + ".txt", all);
    }
}

TEST(ConversionGolden, MailsOfAScriptForItsCharset) {
    const auto corpus = mails({POSTERN_GENERATED_CORPUS});
    for (const auto& [name, script] : scripts()) {
        std::string all;
        for (const std::string& each : script.mails)
            EXPECT_TRUE(std::any_of(corpus.begin(), corpus.end(),
                                    [&](const auto& mail) { return isCalled(each, mail.first); }))
                << name << ": " << each << " is not there";
        for (const auto& [mail, path] : corpus) {
            if (!isOf(script.mails, mail)) continue;
            all += "=== " + mail + "\n" + view(withCrlf(bytesOf(path)), script.profile, false) + "\n";
        }
        compare("convert/" + name + ".txt", all);
    }
}

TEST(ConversionGolden, RealMailsAreReadableOnAnOldScreen) {
    const auto corpus = mails({std::string(POSTERN_TESTS_FOLDER) + "/corpus/reallife"});
    EXPECT_GE(corpus.size(), 10U);
    const Profile screen = [] {
        Profile profile = profileFor("cp437", 80);
        profile.fileNames = FileNames::Dos;
        return profile;
    }();
    for (const auto& [mail, path] : corpus)
        compare("reallife/" + mail + ".txt", view(bytesOf(path), screen, true));
}

}  // namespace
}  // namespace postern::mail
