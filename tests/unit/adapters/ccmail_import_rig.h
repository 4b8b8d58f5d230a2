#pragma once
// The adapter "ccmail" with a shell as its import program.

#include <string>
#include <vector>

#include <gtest/gtest.h>

#include "adapters/ccmail/ccmail_run.h"
#include "base/file.h"
#include "base/log.h"
#include "tests/adapter_rig.h"

namespace postern::tests {

using adapters::Job;
using adapters::Recipient;
using adapters::Returned;

inline constexpr const char* kTakeAll = "rm -f *.ccm";
inline constexpr const char* kOne = "m0000001.ccm";      // before the program
inline constexpr const char* kFirst = "m0000001-1.ccm";  // everywhere else: the first attempt's

inline SettingMap withProgram(const std::string& script, SettingMap more = {}) {
    more.emplace("post_office", "PO1");
    more.emplace("import_program", "/bin/sh\n-c\necho \"$(echo *.ccm)\" >> ../runs; " + script);
    more.emplace("import_interval", "0s");
    return more;
}

class ImportRig : public AdapterRig {
  public:
    explicit ImportRig(const std::string& script, const SettingMap& more = {})
        : AdapterRig("ccmail", withProgram(script, more)) {
        EXPECT_TRUE(probed().ok()) << probed().error().text;
    }
    void submit(std::int64_t item, const std::vector<Recipient>& recipients = {{1, "bob@x.example", "Bob"}}) {
        Job job = this->job(item, 1);
        job.delivery.recipients = recipients;
        job = exportJob(std::move(job));
        EXPECT_EQ(job.outcome->verdict, adapters::Verdict::Exported) << outcomeText(job);
    }
    Result<std::vector<Returned>> tryAttend() {
        return adapter().attend([] { return false; });
    }
    std::vector<Returned> attend() {
        auto result = tryAttend();
        EXPECT_TRUE(result.ok()) << (result.ok() ? "" : result.error().text);
        return result.ok() ? std::move(*result) : std::vector<Returned>{};
    }
    void settle(const std::vector<Returned>& all) {
        for (const Returned& each : all) EXPECT_TRUE(adapter().settle(each.token).ok());
    }
    std::vector<std::string> in(const std::string& name) { return visibleFiles(folder() + "/" + name); }
    std::string runs() const { return slurp(folder() + "/runs"); }
    std::string state(const std::string& name) const { return folder() + "/.postern-legacy/import/" + name; }
    void put(const std::string& name, const std::string& bytes = "x") const {
        spill(folder() + "/" + name, bytes);
    }
};

struct LogOf {
    LogOf() {
        setLogSink([this](Severity, std::string_view line) { text.append(line) += "\n"; });
    }
    ~LogOf() { setLogSink({}); }
    std::string text;
};

}  // namespace postern::tests
