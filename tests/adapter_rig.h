#pragma once
// One adapter on a temporary folder, and deliveries for it. What the legacy side can see is read from the
// folder, as its consumer would.

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <functional>
#include <map>
#include <memory>
#include <sstream>
#include <string>
#include <vector>

#include "adapters/registry.h"
#include "tests/fbb_reader.h"
#include "tests/mbox_reader.h"
#include "tests/temp_folder.h"

namespace postern::tests {

inline std::string slurp(const std::string& path) {
    std::ifstream in(path, std::ios::binary);
    std::ostringstream out;
    out << in.rdbuf();
    return out.str();
}

inline void spill(const std::string& path, const std::string& bytes) {
    std::ofstream(path, std::ios::binary) << bytes;
}

// Regular files that a consumer sees as mail: everything but dot files, what lies in dot folders, and a
// mailer's lists of files; relative, sorted.
inline std::vector<std::string> visibleFiles(const std::string& folder) {
    namespace fs = std::filesystem;
    std::vector<std::string> found;
    if (!fs::is_directory(folder)) return found;
    for (auto it = fs::recursive_directory_iterator(folder); it != fs::recursive_directory_iterator(); ++it) {
        if (it->path().filename().string().front() == '.') {
            if (it->is_directory()) it.disable_recursion_pending();
            continue;
        }
        if (it->is_regular_file() && it->path().extension() != ".flo")
            found.push_back(fs::relative(it->path(), folder).generic_string());
    }
    std::sort(found.begin(), found.end());
    return found;
}

using SettingMap = std::map<std::string, std::string>;

// The kind's fallbacks, then `given`.
inline adapters::Settings filledSettings(const adapters::Kind& kind, const SettingMap& given) {
    adapters::Settings settings;
    for (const adapters::Setting& setting : kind.settings)
        settings.set(setting.key, setting.fallback ? setting.fallback : "");
    for (const auto& [key, value] : given) settings.set(key, value);
    return settings;
}

inline Result<std::unique_ptr<adapters::Adapter>> makeKind(const std::string& kindName,
                                                           const SettingMap& given,
                                                           adapters::AdapterContext context) {
    const adapters::Kind* kind = adapters::kindNamed(kindName);
    if (kind == nullptr) return fail(Errc::NotFound, "no kind " + kindName);
    return kind->make(context, filledSettings(*kind, given));
}

inline const adapters::AdapterContext kRigContext{"legacy", "mx.example", "abcdefgh12345678", {}};

// Makes deliveries to bob, as a rig's adapter names him, and keeps their bytes alive.
class JobMaker {
  public:
    adapters::Job make(std::int64_t item, std::int64_t epoch, const std::string& legacy,
                       std::string message) {
        sources_.push_back(std::make_unique<StringSource>(std::move(message)));
        adapters::Job made;
        made.delivery.key = {ItemId{item}, Epoch{epoch}};
        made.delivery.sender = "alice@example.org";
        made.delivery.recipients = {{1, "bob@legacy.example", legacy}};
        made.delivery.received = fromMillis(1'700'000'000'000);
        made.delivery.message = sources_.back().get();
        return made;
    }

  private:
    std::vector<std::unique_ptr<ByteSource>> sources_;
};

class AdapterRig {
  public:
    AdapterRig(const std::string& kind, SettingMap settings, adapters::AdapterContext context = kRigContext)
        : kind_(kind), settings_(std::move(settings)), context_(std::move(context)) {
        settings_.emplace("folder", temp_ / "live");
        restart();
    }

    // As after a crash: nothing is remembered but what is on the disk.
    void restart() {
        adapter_ = makeKind(kind_, settings_, context_).value();
        probed_ = adapter_->probe();
    }

    adapters::Adapter& adapter() { return *adapter_; }
    const Result<void>& probed() const { return probed_; }
    std::string folder() const { return settings_.at("folder"); }
    std::string temp() const { return temp_.path(); }
    std::string stage() const { return folder() + "/.postern-" + context_.name + "/stage"; }
    // How many mails a file holds, for kinds that put several into one.
    using Count = std::function<std::size_t(const std::string& bytes)>;
    void setCount(Count count) { count_ = std::move(count); }

    // The artifacts there: files, or, as "inbox#2", the messages of mailbox files.
    std::vector<std::string> visible() const {
        std::vector<std::string> files = visibleFiles(folder());
        std::erase_if(files, [](const std::string& file) { return isCompanion(file); });
        if (count_) return counted(files);
        if (!isShared()) return files;
        std::vector<std::string> found;
        for (const std::string& file : files) {
            const auto [parts, fault] = parsed(slurp(folder() + "/" + file));
            for (std::size_t i = 1; i <= parts.size(); ++i) found.push_back(file + "#" + std::to_string(i));
            if (!fault.empty()) found.push_back(file + ": " + fault);
        }
        return found;
    }
    std::string content(const std::string& artifact) const {
        const auto [file, number] = inBox(artifact);
        std::string bytes = slurp(folder() + "/" + file);
        if (number > 0) return parsed(bytes).first.at(number - 1).content;
        for (const std::string& beside : companions(bytes)) bytes += slurp(folder() + "/" + beside);
        return bytes;
    }
    // As a consumer does that takes one artifact away.
    void take(const std::string& artifact) const {
        const auto [file, number] = inBox(artifact);
        const std::string path = folder() + "/" + file;
        if (number == 0) {
            std::filesystem::remove(path);
            return;
        }
        std::string bytes = slurp(path);
        const Part part = parsed(bytes).first.at(number - 1);
        spill(path, bytes.erase(part.begin, part.end - part.begin));
    }

    // A delivery of `message` to bob. The rig keeps the bytes alive.
    adapters::Job job(std::int64_t item, std::int64_t epoch, std::string message = kPlain) {
        return jobs_.make(item, epoch, bob(), std::move(message));
    }
    void stageJob(adapters::Job& job) {
        adapter_->stage({&job, 1}, [] {});
    }
    void publishJob(adapters::Job& job) {
        adapter_->publish({&job, 1}, [] {});
    }
    adapters::Job exportJob(adapters::Job job) {
        stageJob(job);
        if (!job.outcome) publishJob(job);
        return job;
    }

    static inline const std::string kPlain =
        "From: Alice Example <alice@example.org>\r\nTo: bob@legacy.example\r\nSubject: Hello\r\n"
        "Date: Tue, 14 Nov 2023 22:13:20 +0000\r\n\r\nHello from the gateway.\r\nLine two.\r\n";

    // Files that go with others, as the kinds name their folders.
    static bool isCompanion(const std::string& file) {
        for (const char* folder : {"PARCEL/", "IPARCEL/", "ATT_IN/"})
            if (file.starts_with(folder)) return true;
        return false;
    }
    // All that are there, with their folders.
    std::vector<std::string> companions() const {
        std::vector<std::string> files = visibleFiles(folder());
        std::erase_if(files, [](const std::string& file) { return !isCompanion(file); });
        return files;
    }
    // Those that this artifact names.
    std::vector<std::string> companions(const std::string& artifact) const {
        std::vector<std::string> files = companions();
        std::erase_if(files, [&](const std::string& file) {
            return artifact.find(file.substr(file.find('/') + 1)) == std::string::npos;
        });
        return files;
    }
    // How this kind names him.
    std::string bob() const {
        static const std::map<std::string, std::string> kNames = {{"pickup", "bob@corp.example"},
                                                                  {"bsmtp", "bob@corp.example"},
                                                                  {"b2f", "N0BBB"},
                                                                  {"fbb", "N0USR@N0BBS.TST.NOAM"},
                                                                  {"mhs", "bob@HUB"},
                                                                  {"mmff", "NET/PO/BOB"},
                                                                  {"gwapi", "DOM.PO.bob"}};
        if (const auto channels = settings_.find("channels"); channels != settings_.end())
            return channels->second;
        const auto found = kNames.find(kind_);
        return found == kNames.end() ? "bob" : found->second;
    }

  private:
    // A file of several mails stands there so many times.
    std::vector<std::string> counted(const std::vector<std::string>& files) const {
        std::vector<std::string> found;
        for (const std::string& file : files)
            found.insert(found.end(), count_(slurp(folder() + "/" + file)), file);
        return found;
    }
    struct Part {
        std::string content;
        std::size_t begin, end;
    };
    bool isShared() const { return kind_ == "mbox" || kind_ == "fbb"; }
    // The messages of a file that holds many, and what is wrong with it.
    std::pair<std::vector<Part>, std::string> parsed(const std::string& bytes) const {
        std::vector<Part> parts;
        const auto take = [&](const auto& file) {
            for (const auto& each : file.messages) parts.push_back({each.content, each.begin, each.end});
            return std::pair(std::move(parts), file.fault);
        };
        return kind_ == "mbox" ? take(readMbox(bytes)) : take(readFbb(bytes));
    }
    // "inbox#2" as its file and the message's number; 0 for an artifact that is a file.
    static std::pair<std::string, std::size_t> inBox(const std::string& artifact) {
        const auto mark = artifact.find('#');
        if (mark == std::string::npos) return {artifact, 0};
        return {artifact.substr(0, mark), std::stoul(artifact.substr(mark + 1))};
    }

    TempFolder temp_;
    std::string kind_;
    SettingMap settings_;
    adapters::AdapterContext context_;
    std::unique_ptr<adapters::Adapter> adapter_;
    Result<void> probed_;
    Count count_;
    JobMaker jobs_;
};

inline std::string outcomeText(const adapters::Job& job) {
    if (!job.outcome) return "no outcome, evidence '" + job.evidence + "'";
    static constexpr const char* kNames[] = {"exported", "deferred", "rejected", "unknown"};
    return std::string(kNames[static_cast<int>(job.outcome->verdict)]) +
           (job.outcome->adapterUnusable ? " (unusable): " : ": ") + job.outcome->reason +
           job.outcome->target;
}

}  // namespace postern::tests
