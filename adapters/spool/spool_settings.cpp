// The settings that every spool kind shares.

#include "adapters/spool/spool.h"

namespace postern::adapters {

std::vector<Setting> spoolSettings(std::vector<Setting> own) {
    std::vector<Setting> all = {
        {"folder", SettingType::Path, nullptr, "The folder from which the legacy side takes the files."},
        {"stage", SettingType::Path, "",
         "A folder on the same volume for files being written; needed when the consumer reads dot folders "
         "too. "
         "Empty: .postern-<adapter> inside the folder."},
        {"create", SettingType::Boolean, "true",
         "Make the folder when it is missing; false for a volume that may not be mounted."},
        {"file_mode", SettingType::Text, "0640", "Permission bits of the files, in octal."},
        {"folder_mode", SettingType::Text, "0770", "Permission bits of the folders that it makes, in octal."},
        {"synchronous_renames", SettingType::Boolean, "true",
         "Ask the file system to make each file durable before the consumer can see it (ext4)."},
    };
    for (Setting& setting : own) all.push_back(std::move(setting));
    return all;
}

Result<unsigned> octalMode(const Settings& settings, const char* key) {
    const std::string& mode = settings.text(key);
    if (mode.size() < 3 || mode.size() > 4 || mode.find_first_not_of("01234567") != std::string::npos)
        return fail(Errc::Invalid, std::string(key) + ": '" + mode + "' is not octal, like 0640");
    return static_cast<unsigned>(std::stoul(mode, nullptr, 8));
}

Result<SpoolPlan> spoolPlan(const Settings& settings) {
    SpoolPlan plan;
    plan.folder = settings.text("folder");
    plan.stage = settings.text("stage");
    plan.create = settings.boolean("create");
    plan.synchronousRenames = settings.boolean("synchronous_renames");
    if (!isAbsolutePath(plan.folder)) return fail(Errc::Invalid, "folder: must be an absolute path");
    if (!plan.stage.empty() && !isAbsolutePath(plan.stage))
        return fail(Errc::Invalid, "stage: must be an absolute path");
    if (plan.stage == plan.folder) return fail(Errc::Invalid, "stage: must be another folder than folder");
    POSTERN_LET(fileMode, octalMode(settings, "file_mode"));
    plan.fileMode = fileMode & 0777;
    POSTERN_LET(folderMode, octalMode(settings, "folder_mode"));
    plan.folderMode = folderMode;
    return plan;
}

}  // namespace postern::adapters
