#pragma once
// What an adapter of the kind "ccmail" makes of a mail, read back by the strict reader.

#include <string>
#include <utility>
#include <vector>

#include <gtest/gtest.h>

#include "tests/adapter_rig.h"
#include "tests/ccmail_reader.h"

namespace postern::tests {

// Exports `job` and reads the file that came of it.
inline CcmailMessage exportedCcmail(AdapterRig& rig, const adapters::Job& ready) {
    const auto before = rig.visible();
    const adapters::Job job = rig.exportJob(ready);
    EXPECT_TRUE(job.outcome && job.outcome->verdict == adapters::Verdict::Exported) << outcomeText(job);
    std::string fresh;
    for (const std::string& file : rig.visible())
        if (std::find(before.begin(), before.end(), file) == before.end()) fresh = file;
    auto read = readCcmail(fresh.empty() ? std::string() : rig.content(fresh));
    EXPECT_TRUE(read.ok()) << (read.ok() ? "" : read.error().text);
    return read.ok() ? *read : CcmailMessage();
}

// One mail on a fresh adapter.
inline CcmailMessage ccmailOf(const std::string& message, const SettingMap& settings = {}) {
    AdapterRig rig("ccmail", settings);
    return exportedCcmail(rig, rig.job(1, 1, message));
}

// The job for `people`, each an Internet address and its legacy name.
inline adapters::Job jobFor(AdapterRig& rig, const std::vector<std::pair<std::string, std::string>>& people,
                            const std::string& message, std::int64_t item = 1) {
    adapters::Job job = rig.job(item, 1, message);
    job.delivery.recipients.clear();
    for (const auto& [address, legacy] : people) {
        const int ordinal = static_cast<int>(job.delivery.recipients.size()) + 1;
        job.delivery.recipients.push_back({ordinal, address, legacy});
    }
    return job;
}

}  // namespace postern::tests
