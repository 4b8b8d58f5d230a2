#include "adapters/extension/settings_view.h"

#include "adapters/extension/bridges.h"
#include "adapters/kept_text.h"
#include "adapters/profile.h"
#include "adapters/spool/spool.h"
#include "base/text.h"

namespace postern::adapters::extension {

namespace {

SettingType typeOf(sdk::SettingType type) {
    switch (type) {
        case sdk::SettingType::Text: return SettingType::Text;
        case sdk::SettingType::Path: return SettingType::Path;
        case sdk::SettingType::Boolean: return SettingType::Boolean;
        case sdk::SettingType::Integer: return SettingType::Integer;
        case sdk::SettingType::Size: return SettingType::Size;
        case sdk::SettingType::Duration: return SettingType::Duration;
        case sdk::SettingType::Choice: return SettingType::Choice;
        case sdk::SettingType::List: break;
    }
    return SettingType::List;
}

// Lower case words, so that a configuration can hold it unquoted.
bool isKey(std::string_view text) {
    return !text.empty() && text.size() <= 40 &&
           text.find_first_not_of("abcdefghijklmnopqrstuvwxyz0123456789_") == std::string_view::npos;
}

Result<Setting> settingOf(const sdk::Setting& from) {
    if (!isKey(from.key))
        return fail(Errc::Invalid, "the setting \"" + escapeLine(from.key, 60) +
                                       "\" has a key of other than a-z, 0-9 and _");
    if (from.type == sdk::SettingType::Choice && from.choices.empty())
        return fail(Errc::Invalid, "the setting " + from.key + " has no choices");
    if (from.least > from.most)
        return fail(Errc::Invalid, "the setting " + from.key + " has a least value over its most");
    Setting setting{keptText(from.key), typeOf(from.type), from.fallback ? keptText(*from.fallback) : nullptr,
                    keptText(from.help)};
    for (const std::string& choice : from.choices) setting.choices.push_back(keptText(choice));
    setting.least = from.least;
    setting.most = from.most;
    return setting;
}

}  // namespace

Result<std::vector<Setting>> ownSettings(const sdk::Kind& kind) {
    std::vector<Setting> own;
    for (const sdk::Setting& each : kind.settings()) {
        POSTERN_LET(setting, settingOf(each));
        own.push_back(std::move(setting));
    }
    return own;
}

mail::Profile profileFor(const sdk::Kind& kind) {
    const sdk::Profile from = kind.profile();
    mail::Profile profile;
    profile.charset = from.charset;
    profile.crlf = from.crlf;
    profile.columns = from.columns;
    profile.textLimit = from.textLimit;
    profile.subjectLimit = from.subjectLimit;
    profile.fileNames = from.dosNames ? mail::FileNames::Dos : mail::FileNames::Long;
    profile.attachments = from.uuencode ? mail::AttachmentMode::Uuencode : mail::AttachmentMode::Native;
    return profile;
}

Result<std::vector<Setting>> settingsOf(const sdk::Kind& kind) {
    POSTERN_LET(own, ownSettings(kind));
    std::vector<Setting> all = profileSettings(profileFor(kind), std::move(own), {"attachments=mime"});
    return kind.isTransport() ? std::move(all) : spoolSettings(std::move(all));
}

sdk::Place placeOf(const AdapterContext& context) {
    return {context.name, context.hostname, context.storeId};
}

Result<void> madeOrWhy(bool made, const std::string& problem) {
    if (!problem.empty()) return fail(Errc::Invalid, escapeLine(problem, 500));
    if (!made) return fail(Errc::Invalid, "the adapter's library made nothing and does not say why");
    return {};
}

}  // namespace postern::adapters::extension
