#include "adapters/profile.h"

#include <algorithm>

#include "adapters/kept_text.h"
#include "base/text.h"
#include "mail/charset.h"

namespace postern::adapters {

namespace {

using mail::AttachmentMode;
using mail::FileNames;
using mail::LongText;
using mail::Lossy;
using mail::Profile;

// A value and its word in the configuration.
template <class Value>
struct Word {
    Value value;
    const char* word;
};
constexpr Word<LongText> kLongTexts[] = {{LongText::Attach, "attach"}, {LongText::Split, "split"}};
constexpr Word<FileNames> kFileNames[] = {{FileNames::Long, "long"}, {FileNames::Dos, "dos"}};
constexpr Word<AttachmentMode> kAttachments[] = {{AttachmentMode::Native, "native"},
                                                 {AttachmentMode::Uuencode, "uuencode"},
                                                 {AttachmentMode::Mime, "mime"},
                                                 {AttachmentMode::Drop, "drop"}};
constexpr Word<Lossy> kLossy[] = {{Lossy::Allow, "allow"}, {Lossy::Note, "note"}, {Lossy::Bounce, "bounce"}};

template <class Value, std::size_t N>
const char* wordOf(Value value, const Word<Value> (&words)[N]) {
    for (const auto& each : words)
        if (each.value == value) return each.word;
    return words[0].word;
}

template <class Value, std::size_t N>
void take(const Settings& settings, std::string_view key, const Word<Value> (&words)[N], Value& into) {
    for (const auto& each : words)
        if (settings.text(key) == each.word) into = each.value;
}

template <class Value, std::size_t N>
std::vector<const char*> wordsOf(const Word<Value> (&words)[N]) {
    std::vector<const char*> all;
    for (const auto& each : words) all.push_back(each.word);
    return all;
}

const char* yesNo(bool value) {
    return value ? "true" : "false";
}

std::vector<Setting> textSettings(const Profile& fallback) {
    return {
        {"charset", SettingType::Text, keptText(fallback.charset),
         "The character set of the legacy side: cp437, cp850, windows-1252, koi8-r, shift_jis, utf-8, ..."},
        {"on_loss", SettingType::Choice, wordOf(fallback.lossy, kLossy),
         "What becomes of mail with characters that the set lacks, which turn into '?': allow lets it go, "
         "note "
         "says so in the text, bounce rejects it.",
         wordsOf(kLossy)},
        {"wrap",
         SettingType::Integer,
         keptText(std::to_string(fallback.columns)),
         "Break lines at this column; 0 leaves them.",
         {},
         0,
         1000},
        {"expand_tabs", SettingType::Boolean, yesNo(fallback.expandTabs),
         "Write tabs as blanks, to stops of 8."},
        {"text_limit",
         SettingType::Size,
         keptText(std::to_string(fallback.textLimit)),
         "Bytes of one text; 0 is no limit, otherwise at least 256.",
         {},
         0,
         1 << 30},
        {"long_text", SettingType::Choice, wordOf(fallback.longText, kLongTexts),
         "What becomes of a longer text: a file, or several texts.", wordsOf(kLongTexts)},
        {"subject_limit",
         SettingType::Integer,
         keptText(std::to_string(fallback.subjectLimit)),
         "Characters of the subject; the whole of a longer one leads the text. 0 is no limit, otherwise at "
         "least 20.",
         {},
         0,
         998},
        {"notes_in_text", SettingType::Boolean, yesNo(fallback.notesInText),
         "Say at the end of the text what was lost."},
        {"date_zone", SettingType::Text, keptText(fallback.zone.name()),
         "The zone of the dates written: a name such as Europe/Berlin, or a POSIX rule such as "
         "CET-1CEST,M3.5.0,M10.5.0/3."},
    };
}

std::vector<Setting> fileSettings(const Profile& fallback) {
    return {
        {"attachments", SettingType::Choice, wordOf(fallback.attachments, kAttachments),
         "How files are given: native as the format has them, uuencode inside the text, mime as MIME parts, "
         "drop leaves them out with a note.",
         wordsOf(kAttachments)},
        {"attachment_limit",
         SettingType::Size,
         keptText(std::to_string(fallback.attachmentLimit)),
         "A larger file is left out with a note; 0 is no limit.",
         {},
         0,
         std::int64_t{1} << 40},
        {"file_names", SettingType::Choice, wordOf(fallback.fileNames, kFileNames),
         "Names of files: long, or dos for eight and three characters.", wordsOf(kFileNames)},
    };
}

bool isFixed(const char* key, const char* choice, const std::vector<std::string_view>& fixed) {
    const std::string whole = choice == nullptr ? key : std::string(key) + "=" + choice;
    return std::find(fixed.begin(), fixed.end(), whole) != fixed.end();
}

void add(std::vector<Setting>& all, std::vector<Setting> some, const std::vector<std::string_view>& fixed) {
    for (Setting& setting : some) {
        if (isFixed(setting.key, nullptr, fixed)) continue;
        std::erase_if(setting.choices,
                      [&](const char* choice) { return isFixed(setting.key, choice, fixed); });
        all.push_back(std::move(setting));
    }
}

// A rule has an offset in it, a name of a zone never begins like one: "CET-1CEST", "<+03>-3".
Result<TimeZone> zoneOf(const std::string& text) {
    auto named = TimeZone::load(text);
    if (named.ok()) return named;
    auto ruled = TimeZone::fromRule(text, text);
    if (ruled.ok()) return ruled;
    const bool looksRuled = text.find_first_of(",<") != std::string::npos;
    return fail(Errc::Invalid, "date_zone: '" + escapeLine(text, 60) +
                                   "': " + (looksRuled ? ruled.error() : named.error()).text);
}

Result<void> takeNumbers(const Settings& settings, Profile& profile) {
    const auto number = [&](const char* key, auto& into) {
        if (!settings.text(key).empty())
            into = static_cast<std::remove_reference_t<decltype(into)>>(settings.integer(key));
    };
    number("wrap", profile.columns);
    number("text_limit", profile.textLimit);
    number("subject_limit", profile.subjectLimit);
    number("attachment_limit", profile.attachmentLimit);
    if (profile.textLimit != 0 && profile.textLimit < 256)
        return fail(Errc::Invalid, "text_limit: 0, or at least 256");
    if (profile.subjectLimit != 0 && profile.subjectLimit < 20)
        return fail(Errc::Invalid, "subject_limit: 0, or at least 20");
    if (profile.columns != 0 && profile.columns < 20) return fail(Errc::Invalid, "wrap: 0, or at least 20");
    return {};
}

}  // namespace

std::vector<Setting> profileSettings(const Profile& fallback, std::vector<Setting> own,
                                     const std::vector<std::string_view>& fixed) {
    std::vector<Setting> all;
    add(all, textSettings(fallback), fixed);
    add(all, fileSettings(fallback), fixed);
    for (Setting& setting : own) all.push_back(std::move(setting));
    return all;
}

Result<Profile> profileOf(const Settings& settings, const Profile& fallback) {
    Profile profile = fallback;
    if (!settings.text("charset").empty()) profile.charset = settings.text("charset");
    if (!mail::knownCodePage(profile.charset))
        return fail(Errc::Invalid, "charset: '" + escapeLine(profile.charset, 60) + "' is not known");
    POSTERN_TRY(takeNumbers(settings, profile));
    take(settings, "long_text", kLongTexts, profile.longText);
    take(settings, "file_names", kFileNames, profile.fileNames);
    take(settings, "attachments", kAttachments, profile.attachments);
    take(settings, "on_loss", kLossy, profile.lossy);
    if (!settings.text("notes_in_text").empty()) profile.notesInText = settings.boolean("notes_in_text");
    if (!settings.text("expand_tabs").empty()) profile.expandTabs = settings.boolean("expand_tabs");
    if (!settings.text("date_zone").empty()) {
        POSTERN_LET(zone, zoneOf(settings.text("date_zone")));
        profile.zone = std::move(zone);
    }
    return profile;
}

}  // namespace postern::adapters
