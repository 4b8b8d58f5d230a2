#pragma once
// A whole outbound side for tests: a real store in a temporary folder, a queue, and real adapters, without
// sockets. What the legacy consumer finds is counted by the serial number in each mail, so that a mail
// exported twice or never is seen whatever its files are called.

#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "adapters/registry.h"
#include "connector/config/config.h"
#include "connector/export/exporter.h"
#include "queue/inspect.h"
#include "queue/queue.h"
#include "store/messages.h"
#include "store/store.h"
#include "tests/temp_folder.h"

namespace postern::tests {

// The setting's fallbacks, then `given`. Aborts the test program when the kind refuses them.
std::shared_ptr<adapters::Adapter> makeAdapter(const std::string& kind, const std::string& name,
                                               const std::map<std::string, std::string>& given,
                                               Guards guards = {});

class PostOffice {
  public:
    explicit PostOffice(Clock& clock = Clock::system());  // in a folder that goes with it
    // In a folder that is there and stays. Errors: those of store::Store::open.
    static Result<std::unique_ptr<PostOffice>> at(const std::string& folder);

    // Stores `count` small mails with serial numbers from `first`, one item each for `adapter`, in groups of
    // commits.
    void post(const std::string& adapter, int first, int count);

    store::Store& store() { return *store_; }
    Clock& clock() { return clock_; }
    std::string folder(const std::string& name) const { return folder_ + "/" + name; }
    // How many items of each state there are.
    std::map<queue::State, int> states();

  private:
    PostOffice(const std::string& folder, std::unique_ptr<store::Store> store);

    std::optional<TempFolder> own_;
    std::string folder_;
    Clock& clock_;
    std::unique_ptr<store::Store> store_;
};

// Takes every file out of `folder` (deleting it, as a real consumer does) and counts the serial numbers
// found.
class Consumer {
  public:
    explicit Consumer(std::string folder) : folder_(std::move(folder)) {}
    int take();  // how many files this time
    const std::map<int, int>& seen() const { return seen_; }
    // "" when each serial from 1 to `count` was seen exactly once; otherwise what is wrong.
    std::string verdict(int count) const;

  private:
    std::string folder_;
    std::map<int, int> seen_;
};

}  // namespace postern::tests
