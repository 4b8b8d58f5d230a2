#pragma once
// The one header of an adapter that is built outside Postern's tree. docs/ADAPTERS.md leads from nothing to a
// working one.
//
// A shared library holds one or more kinds of adapter. Postern finds it in `adapter_folder`, asks for its
// version, and lists its kinds beside its own: they are configured, checked, watched and tested the same way.
//
//   class Slips final : public postern::adapter::Kind { ... };
//   POSTERN_ADAPTERS(POCO_EXPORT_CLASS(Slips))
//
// A kind is one of two things:
//
//   FileFormat   says what a file is called and what is in it. Postern writes it aside, publishes it by one
//                rename, and proves after a crash whether that happened. Choose this one if the legacy side
//                reads a folder.
//   Transport    hands mail over in a way of its own (a line, a program's interface, a database) and keeps
//                the promises T1 to T4 itself.
//
// Texts are UTF-8 unless something else is said. Thread rule: objects of Kind are called by one thread; a
// FileFormat and a Transport by several at once. An exception that leaves your code defers the one mail it
// was about, with its text as the reason; one that leaves publish() leaves it in doubt. The library is never
// unloaded.

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <Poco/ClassLibrary.h>
#include <Poco/Version.h>

// Counts the incompatible changes of this header. Postern refuses a library of another version.
#define POSTERN_ADAPTER_VERSION 1

namespace postern::adapter {
inline namespace v1 {

// What a kind is set by.
enum class SettingType { Text, Path, Boolean, Integer, Size, Duration, Choice, List };

struct Setting {
    std::string key;  // lower case, words joined by "_"
    SettingType type = SettingType::Text;
    std::optional<std::string> fallback = {};  // as it would be written, without quotes; none: must be given
    std::string help = {};                     // one sentence
    std::vector<std::string> choices = {};     // Choice only
    std::int64_t least = 0, most = INT64_MAX;  // Integer; Size in bytes; Duration in milliseconds
};

// Checked values, fallbacks filled in.
class Settings {
  public:
    virtual ~Settings() = default;
    virtual std::string text(std::string_view key) const = 0;
    virtual bool boolean(std::string_view key) const = 0;
    virtual std::int64_t integer(std::string_view key) const = 0;       // Integer, and Size in bytes
    virtual std::int64_t milliseconds(std::string_view key) const = 0;  // Duration
    virtual std::vector<std::string> list(std::string_view key) const = 0;
};

// What the target can hold; administrators may change what is listed here by settings of the same meaning
// (`charset`, `wrap`, `text_limit`, `subject_limit`, `file_names`, `attachments`, ...). Zero: no limit.
struct Profile {
    std::string charset = "utf-8";  // "us-ascii", "utf-8", "cp437", "cp850", "iso-8859-1", ...
    bool crlf = true;               // lines of texts end with CRLF; otherwise with LF
    int columns = 0;                // texts are wrapped at this column
    std::int64_t textLimit = 0;     // bytes of the text; at least 256
    int subjectLimit = 0;           // characters
    bool dosNames = false;          // file names of attachments are 8.3
    bool uuencode = false;          // attachments stand in the text; otherwise they are in Mail::files()
};

// What is handed in.
struct Recipient {
    int ordinal = 0;
    std::string address;  // Internet address of the envelope
    std::string legacy;   // the name on the legacy side, from the route; may be empty
};

// Where bytes go. A full disk is not your business: write on, what follows is dropped and Postern defers the
// mail.
class Output {
  public:
    virtual ~Output() = default;
    virtual void write(std::string_view bytes) = 0;
};

class File {
  public:
    virtual ~File() = default;
    virtual std::string name() const = 0;  // in the profile's charset, unique within the mail, no path
    virtual std::int64_t size() const = 0;
    virtual void writeTo(Output& out) const = 0;  // exactly size() bytes
};

struct Date {
    int year = 1970, month = 1, day = 1;  // month and day count from 1
    int hour = 0, minute = 0, second = 0;
    int weekday = 4;        // 0 is Sunday
    int offsetMinutes = 0;  // east of UTC
};

// One mail, already made fit for the profile: converted, wrapped, cut, with a note in the text for each loss.
class Mail {
  public:
    virtual ~Mail() = default;
    virtual std::string fromName() const = 0;     // in the profile's charset, one line; may be empty
    virtual std::string fromAddress() const = 0;  // empty: the null sender
    virtual std::string subject() const = 0;      // in the profile's charset, one line
    virtual Date date() const = 0;  // of the header, else of the receipt; in the zone of `date_zone`
    virtual std::int64_t textSize() const = 0;      // bytes that writeText() writes
    virtual void writeText(Output& out) const = 0;  // in the profile's charset
    virtual const std::vector<const File*>& files() const = 0;
    virtual void writeOriginal(Output& out) const = 0;  // RFC 5322 bytes as they came, with CRLF
    // `utf8` in the profile's charset, on one line of at most `limit` characters (0: all).
    virtual std::string line(std::string_view utf8, int limit) const = 0;
    virtual void note(const std::string& text) = 0;  // something else was lost: for the item's history
};

struct Delivery {
    std::int64_t item = 0;   // never used again for another; names derive from it
    std::int64_t epoch = 0;  // counts the attempts
    std::string sender;      // envelope; empty is the null reverse path
    std::vector<Recipient> recipients;
    std::int64_t receivedMillis = 0;  // since 1970
};

// Files in a folder.
class FileFormat {
  public:
    virtual ~FileFormat() = default;
    // Recipients of one file; 0: no limit.
    virtual int mostRecipients() const { return 0; }
    // Why this recipient can never be written here, or nothing. Must be quick.
    virtual std::string refuses(const Recipient& recipient) const {
        (void)recipient;
        return {};
    }
    // The file's name: from delivery.item alone, never from an address or the time. No folder in it. One that
    // is no plain name rejects the mail.
    virtual std::string fileName(const Delivery& delivery) const = 0;
    // Writes the file. Nothing: it is written. A text: why this mail can never be.
    virtual std::string write(const Delivery& delivery, Mail& mail, Output& out) const = 0;
};

// Another way.
enum class Verdict {
    Exported,  // the legacy side has it
    Deferred,  // it has not; try again later
    Rejected,  // it has not and never will
    Unknown,   // it may or may not have it: the item becomes in_doubt
};

struct RecipientAnswer {
    int ordinal = 0;
    Verdict verdict = Verdict::Deferred;  // not Unknown
    std::string reason;
};

struct Answer {
    Verdict verdict = Verdict::Deferred;
    std::string text;       // why; Exported: where it went
    bool unusable = false;  // Deferred because of the target as a whole: the adapter is suspended for a while
    std::vector<RecipientAnswer> others = {};  // recipients whose verdict differs
};

enum class Found { Published, NotPublished, CannotTell };

// T1  stage() leaves nothing behind that the legacy side can see.
// T2  publish() of one staged mail takes effect at most once, however often it is called, and never after
//     recover() said NotPublished for it.
// T3  recover() says Published only on evidence, NotPublished only if no late publish() can succeed any more,
//     and CannotTell otherwise.
// T4  What is made is named after the store and delivery.item (and the epoch), nothing else: itemMark(). An
//     item's number alone names another mail once the store was made anew, and "do you have 42?" would be
//     answered for that one.
//
// Time: stage() and publish() may take minutes; the mail's claim is kept for 15 minutes of one call. One that
// takes longer is believed to be stuck: another worker asks recover(), while this one may still run. The
// other calls take seconds. A stop of the service calls hasten() and waits for every call that runs: end
// within a minute then. Who does not is killed by the service manager, and recover() is asked after the next
// start.
class Transport {
  public:
    virtual ~Transport() = default;
    virtual int mostRecipients() const { return 0; }
    virtual std::string refuses(const Recipient& recipient) const {
        (void)recipient;
        return {};
    }
    // Nothing: usable now. A text: why not.
    virtual std::string probe() = 0;
    // Gets the mail ready and sets `evidence` (up to 1,000 bytes): what recover() will be given. An answer
    // ends the attempt here.
    virtual std::optional<Answer> stage(const Delivery& delivery, Mail& mail, std::string& evidence) = 0;
    // The commit: durable before it returns.
    virtual Answer publish(const Delivery& delivery, const std::string& evidence) = 0;
    // A staged mail that will not be published by us: drop what is surely ours.
    virtual void abandon(const Delivery& delivery, const std::string& evidence) = 0;
    // After a crash, or when a worker stalled.
    virtual Found recover(std::int64_t item, std::int64_t epoch, const std::string& evidence,
                          std::string& text) = 0;
    virtual std::string describe() const = 0;  // one line: where it delivers, how strong its promise is
    // The service ends, or another adapter takes the place of this one: probe() and stage() wait for nobody
    // any more (Deferred and `unusable`), publish() ends what it began. Called while others work here.
    virtual void hasten() {}
};

// Where an adapter is at work.
struct Place {
    std::string adapter;   // the instance's name
    std::string hostname;  // ours
    // 20 lower case letters and digits that no other store has. Items count from 1 again in a store that was
    // made anew, and another Postern counts its own. A check of the configuration makes adapters too and
    // gives a word here; those hand nothing over.
    std::string store;
};

// "k3f9x2m4q7w8r5t1a6b0-42": names an item for ever and for everybody. What a Transport asks the other side
// for.
inline std::string itemMark(const Place& place, std::int64_t item) {
    return place.store + "-" + std::to_string(item);
}

class Kind {
  public:
    virtual ~Kind() = default;
    virtual std::string name() const = 0;     // as in `kind = "..."`: lower case letters, digits, "_"
    virtual std::string summary() const = 0;  // a few words
    virtual Profile profile() const { return {}; }
    virtual std::vector<Setting> settings() const { return {}; }
    // One of the two makes an adapter; the other stays. A wrong setting: `problem`, beginning with its key.
    // Touches no disk and no network.
    virtual bool isTransport() const { return false; }
    virtual std::unique_ptr<FileFormat> makeFormat(const Place& place, const Settings& settings,
                                                   std::string& problem) const {
        (void)place, (void)settings, (void)problem;
        return nullptr;
    }
    virtual std::unique_ptr<Transport> makeTransport(const Place& place, const Settings& settings,
                                                     std::string& problem) const {
        (void)place, (void)settings, (void)problem;
        return nullptr;
    }
};

}  // namespace v1
}  // namespace postern::adapter

// What must be the same on both sides of the library's edge, as a text that can be compared and shown.
#define POSTERN_ADAPTER_TEXT2(x) #x
#define POSTERN_ADAPTER_TEXT(x) POSTERN_ADAPTER_TEXT2(x)
#if defined(_GLIBCXX_USE_CXX11_ABI) && defined(_GLIBCXX_DEBUG)  // every container has another layout then
#define POSTERN_ADAPTER_LIBRARY "libstdc++-" POSTERN_ADAPTER_TEXT(_GLIBCXX_USE_CXX11_ABI) "-debug"
#elif defined(_GLIBCXX_USE_CXX11_ABI)
#define POSTERN_ADAPTER_LIBRARY "libstdc++-" POSTERN_ADAPTER_TEXT(_GLIBCXX_USE_CXX11_ABI)
#elif defined(_LIBCPP_ABI_VERSION)
#define POSTERN_ADAPTER_LIBRARY "libc++-" POSTERN_ADAPTER_TEXT(_LIBCPP_ABI_VERSION)
#else
#define POSTERN_ADAPTER_LIBRARY "other"
#endif
#define POSTERN_ADAPTER_POCO "poco-" POSTERN_ADAPTER_TEXT(POCO_VERSION)
#define POSTERN_ADAPTER_HEADER "postern-adapter " POSTERN_ADAPTER_TEXT(POSTERN_ADAPTER_VERSION)
#define POSTERN_ADAPTER_STAMP POSTERN_ADAPTER_HEADER " " POSTERN_ADAPTER_LIBRARY " " POSTERN_ADAPTER_POCO

// Once in a library, at file level: POSTERN_ADAPTERS(POCO_EXPORT_CLASS(Slips) POCO_EXPORT_CLASS(Labels))
#define POSTERN_ADAPTERS(classes)                               \
    extern "C" POCO_LIBRARY_API const char* postern_adapter() { \
        return POSTERN_ADAPTER_STAMP;                           \
    }                                                           \
    POCO_BEGIN_MANIFEST(postern::adapter::Kind)                 \
    classes POCO_END_MANIFEST
