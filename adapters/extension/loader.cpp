#include "adapters/extension/loader.h"

#include <algorithm>
#include <map>
#include <memory>
#include <set>
#include <string_view>

#include <Poco/ClassLoader.h>
#include <Poco/SharedLibrary.h>

#include "adapters/extension/bridges.h"
#include "adapters/extension/settings_view.h"
#include "adapters/kept_text.h"
#include "adapters/registry.h"
#include "base/file.h"
#include "base/sync.h"
#include "base/text.h"
#include "base/trusted_path.h"

namespace postern::adapters {

namespace {

namespace sdk = postern::adapter;

// Never destroyed: adapters of these kinds may live until the last moment.
struct Loaded {
    Mutex mutex;
    std::map<std::string, std::string> seen GUARDED_BY(mutex);  // path: why it was refused, or nothing
    Poco::ClassLoader<sdk::Kind> loader GUARDED_BY(mutex);
    // Handles that keep libraries loaded, and the kinds they made.
    std::vector<std::unique_ptr<Poco::SharedLibrary>> libraries GUARDED_BY(mutex);
    std::vector<std::unique_ptr<sdk::Kind>> kinds GUARDED_BY(mutex);
};

Loaded& loaded() {
    static auto* all = new Loaded();
    return *all;
}

// Before one object of the library is touched: whether it speaks our language at all. Its names stay its own:
// what the compiler made there of templates that we share must serve no other library, least of all when the
// layout is another.
Result<void> checkStamp(const std::string& path, Loaded& all) REQUIRES(all.mutex) {
    Poco::SharedLibrary* library = all.libraries.emplace_back(std::make_unique<Poco::SharedLibrary>()).get();
    library->load(path, Poco::SharedLibrary::SHLIB_LOCAL);
    if (!library->hasSymbol("postern_adapter"))
        return fail(Errc::Invalid, "is no adapter library: POSTERN_ADAPTERS(...) is missing in it");
    using Stamp = const char* (*)();
    const std::string_view stamp = reinterpret_cast<Stamp>(library->getSymbol("postern_adapter"))();
    if (stamp == POSTERN_ADAPTER_STAMP) return {};
    return fail(Errc::Invalid, "was built for \"" + escapeLine(stamp, 80) + "\", and this is \"" +
                                   POSTERN_ADAPTER_STAMP + "\": build it again with this version's header");
}

bool isKindName(std::string_view name) {
    return !name.empty() && name.size() <= 40 &&
           name.find_first_not_of("abcdefghijklmnopqrstuvwxyz0123456789_-") == std::string_view::npos;
}

// Among those that are really there: one that only had a stand-in may come now.
bool isTaken(std::string_view name, const std::vector<Kind>& ofThisLibrary) {
    const auto isOne = [&](const auto& kind) { return name == kind.name; };
    const auto all = kinds();
    return std::any_of(all.begin(), all.end(), [&](const Kind* kind) { return isOne(*kind); }) ||
           std::any_of(ofThisLibrary.begin(), ofThisLibrary.end(), isOne);
}

// `kind` lives for ever.
using Keys = std::vector<std::string_view>;

Result<Kind> describeKind(const sdk::Kind& kind, const std::vector<Kind>& before, const Keys& reserved) {
    const std::string name = kind.name();
    if (!isKindName(name))
        return fail(Errc::Invalid, "names a kind \"" + escapeLine(name, 60) + "\": only a-z, 0-9, _ and -");
    if (isTaken(name, before)) return fail(Errc::Exists, "brings a kind \"" + name + "\" that exists");
    POSTERN_LET(settings, extension::settingsOf(kind));
    std::set<std::string_view> taken(reserved.begin(), reserved.end());
    for (const Setting& setting : settings)
        if (!taken.insert(setting.key).second)
            return fail(Errc::Exists, "gives the kind \"" + name + "\" a setting \"" + setting.key +
                                          "\", which it has already: give it another key");
    return Kind{keptText(name), keptText(kind.summary()), std::move(settings),
                [&kind](const AdapterContext& context, const Settings& given) {
                    return kind.isTransport() ? extension::makeTransportAdapter(kind, context, given)
                                              : extension::makeFormatAdapter(kind, context, given);
                }};
}

Result<void> load(const std::string& path, Loaded& all, const Keys& reserved) REQUIRES(all.mutex) {
    POSTERN_TRY(checkStamp(path, all));
    all.loader.loadLibrary(path);
    const auto* manifest = all.loader.findManifest(path);
    if (manifest == nullptr || manifest->size() == 0)
        return fail(Errc::Invalid, "holds no kind: name its classes in POSTERN_ADAPTERS(...)");
    std::vector<Kind> kinds;
    for (auto each = manifest->begin(); each != manifest->end(); ++each) {
        const sdk::Kind& kind = *all.kinds.emplace_back(each->create());
        POSTERN_LET(described, describeKind(kind, kinds, reserved));
        kinds.push_back(std::move(described));
    }
    for (Kind& kind : kinds) addKind(std::move(kind));
    return {};
}

Result<void> tryLoad(const std::string& path, Loaded& all, const Keys& reserved) REQUIRES(all.mutex) {
    try {
        return load(path, all, reserved);
    } catch (const Poco::Exception& thrown) {
        return fail(Errc::Invalid, "can not be loaded: " + escapeLine(thrown.displayText(), 300));
    } catch (const std::exception& thrown) {
        return fail(Errc::Invalid, "gave up with \"" + escapeLine(thrown.what(), 300) + "\"");
    } catch (...) {
        return fail(Errc::Invalid, "gave up without a reason");
    }
}

// Whatever is loaded runs with our rights, and its constructors before anything of it can be asked.
Result<void> checkWriters(const std::string& folder, const std::string& path) {
    const Result<void> both[] = {onlyOursToWrite(folder), onlyOursToWrite(path)};
    for (const Result<void>& each : both)
        if (!each.ok()) return fail(each.error().code, "is not loaded: " + each.error().text);
    return {};
}

std::vector<std::string> librariesIn(const std::string& folder, std::vector<Refused>& refused) {
    std::vector<std::string> found;
    if (folder.empty() || !pathExists(folder)) return found;
    const auto opened = Folder::open(folder);
    const Result<void> listed = opened.ok() ? opened->list([&](std::string_view name) {
        if (name.ends_with(Poco::SharedLibrary::suffix()) && name.front() != '.')
            found.push_back(joinPath(folder, name));
        return true;
    })
                                            : Result<void>(opened.error());
    if (!listed.ok()) refused.push_back({folder, "can not be read: " + listed.error().text});
    std::sort(found.begin(), found.end());
    return found;
}

}  // namespace

std::vector<Refused> loadExtensions(const std::string& folder,
                                    const std::vector<std::string_view>& reserved) {
    std::vector<Refused> refused;
    Loaded& all = loaded();
    for (const std::string& path : librariesIn(folder, refused)) {
        if (const auto trusted = checkWriters(folder, path); !trusted.ok()) {
            refused.push_back({path, trusted.error().text});
            continue;
        }
        const MutexLock lock(all.mutex);
        auto seen = all.seen.find(path);
        if (seen == all.seen.end()) {
            const Result<void> result = tryLoad(path, all, reserved);
            seen = all.seen.emplace(path, result.ok() ? "" : result.error().text).first;
        }
        if (!seen->second.empty()) refused.push_back({path, seen->second});
    }
    return refused;
}

}  // namespace postern::adapters
