#pragma once
// One pickup folder. Each *.eml in it (ASCII case ignored) is one mail: it is taken when it has not changed
// for `settle` between two looks of ours (KB Q279320: a half-written file was judged by its first size), its
// mail is stored for all its recipients or for none, and then it is removed. A file that can never be taken
// is set aside with its reason; what may work later waits and is told once.
//
// Exactly once: a file is first renamed to ".taken-NAME", which only we touch: whoever puts another file in
// its place loses nothing. Its mail carries a digest of what makes this file itself and no other: folder,
// number on its volume, time of its last write, content. After a crash between the commit and the removal
// the same file comes to the door again and is known there (Door::confirm); two files of the same content are
// two mails.
//
// Only regular files are ever opened; links, folders, pipes are left alone and told once.
// Thread rule: one thread at a time.

#include <functional>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "base/clock.h"
#include "base/file.h"
#include "connector/config/config.h"
#include "connector/intake/door.h"

namespace postern::pickup {

class Pickup {
  public:
    // REQUIRES: `door` and `clock` outlive it.
    Pickup(config::Pickup settings, std::string hostname, intake::Door& door, Clock& clock);
    ~Pickup();

    // Looks at the folder once and takes what is ready, a few at a time, until `stopping` says true.
    // Result: mails stored. Trouble is logged here.
    int look(const std::function<bool()>& stopping = {});

    const config::Pickup& settings() const { return settings_; }
    const std::optional<Error>& trouble() const { return trouble_; }  // the folder's, at the last look

  private:
    struct Watched;
    struct Taken;

    Result<void> openFolders();
    Result<void> scan();
    void notice(const std::string& name);
    std::vector<std::string> ready();
    int takeBatch(const std::vector<std::string>& names);
    std::optional<Taken> claim(const std::string& name);
    Result<void> read(Taken& file);
    Result<intake::IncomingMail> mailOf(Taken& file);
    void judge(Taken& file, const Error& error);
    void giveBack(Taken& file, const std::string& why);
    void putAside(Taken& file, const std::string& reason);
    int settleBatch(std::vector<Taken>& files);
    void told(const std::string& name, const std::string& text);
    void folderTrouble(const std::optional<Error>& error);

    const config::Pickup settings_;
    const std::string hostname_;
    intake::Door& door_;
    Clock& clock_;
    std::optional<Folder> folder_, aside_;
    std::map<std::string, Watched> watched_;  // what the last look found, by name
    std::optional<Error> trouble_;
};

}  // namespace postern::pickup
