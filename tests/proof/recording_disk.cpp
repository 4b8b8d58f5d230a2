#include "tests/proof/recording_disk.h"

#include <algorithm>
#include <filesystem>
#include <utility>

namespace postern::tests {

namespace {

constexpr std::size_t kSector = 512;
constexpr unsigned kTornInPercent = 5;

bool oneOfTwo(std::mt19937_64& chance) {
    return (chance() & 1) != 0;
}

void put(std::string& file, std::size_t offset, std::string_view bytes) {
    if (file.size() < offset + bytes.size()) file.resize(offset + bytes.size(), '\0');
    std::copy(bytes.begin(), bytes.end(), file.begin() + static_cast<std::ptrdiff_t>(offset));
}

// Sector by sector, for the borders of the disk are the borders of what may be torn.
void putSome(std::string& file, const DiskStep& step, std::mt19937_64& chance) {
    const auto begin = static_cast<std::size_t>(step.offset);
    for (std::size_t at = 0; at < step.bytes.size();) {
        const std::size_t size = std::min(kSector - (begin + at) % kSector, step.bytes.size() - at);
        if (oneOfTwo(chance)) {
            std::string sector = step.bytes.substr(at, size);
            if (chance() % 100 < kTornInPercent)
                for (char& c : sector) c = static_cast<char>(chance());
            put(file, begin + at, sector);
        }
        at += size;
    }
}

}  // namespace

void RecordingDisk::begin() {
    MutexLock lock(mutex_);
    steps_.clear();
    recording_ = true;
}

std::vector<DiskStep> RecordingDisk::end() {
    MutexLock lock(mutex_);
    recording_ = false;
    return std::exchange(steps_, {});
}

void RecordingDisk::mark(std::int64_t what) {
    record({DiskStep::Marked, {}, what, {}});
}

void RecordingDisk::record(DiskStep step) {
    MutexLock lock(mutex_);
    if (recording_) steps_.push_back(std::move(step));
}

void RecordingDisk::opened(const File& file) {
    std::error_code none;  // a file that can not be asked for its size was not made by this
    if (!file.name.empty() && std::filesystem::file_size(file.name, none) == 0)
        record({DiskStep::Made, file.name, 0, {}});
}

int RecordingDisk::remove(const char* name, bool syncFolder) {
    const int result = VfsShim::remove(name, false);
    if (result == SQLITE_OK) record({DiskStep::Removed, name, 0, {}});
    if (syncFolder) record({DiskStep::FolderSynced, {}, 0, {}});
    return result;
}

int RecordingDisk::write(const File& file, const void* bytes, int size, sqlite3_int64 offset) {
    const int result = VfsShim::write(file, bytes, size, offset);
    if (result == SQLITE_OK)
        record({DiskStep::Written,
                file.name,
                offset,
                {static_cast<const char*>(bytes), static_cast<std::size_t>(size)}});
    return result;
}

int RecordingDisk::truncate(const File& file, sqlite3_int64 size) {
    const int result = VfsShim::truncate(file, size);
    if (result == SQLITE_OK) record({DiskStep::Cut, file.name, size, {}});
    return result;
}

int RecordingDisk::sync(const File& file, int) {
    record({DiskStep::Synced, file.name, 0, {}});
    return SQLITE_OK;
}

Platter::Platter(Files durable, Flushes flushes) : flushes_(flushes) {
    for (auto& [path, content] : durable) copies_[path].push_back({std::move(content), {}, true, false});
}

void Platter::live(const DiskStep& step) {
    std::vector<Copy>& copies = copies_[step.path];
    switch (step.kind) {
        case DiskStep::Made:
            // An empty file that was there is no new one.
            if (copies.empty() || copies.back().removed) copies.push_back({});
            break;
        case DiskStep::Removed:
            if (!copies.empty()) copies.back().removed = true;
            break;
        case DiskStep::Written:
        case DiskStep::Cut: copies.back().pending.push_back(step); break;
        case DiskStep::Synced: {
            if (flushes_ == Flushes::Ignored) break;
            Copy& copy = copies.back();
            std::mt19937_64 unused;
            copy.durable = contentOf(copy, Left::Everything, unused);
            copy.pending.clear();
            // SQLite's way with a log that it made; the database itself is there from the beginning.
            if (!copy.entryDurable) live({DiskStep::FolderSynced, {}, 0, {}});
            break;
        }
        case DiskStep::FolderSynced:
            for (auto& [path, all] : copies_) {
                std::erase_if(all, [](const Copy& each) { return each.removed; });
                for (Copy& each : all) each.entryDurable = true;
            }
            break;
        case DiskStep::Marked: break;
    }
}

std::string Platter::contentOf(const Copy& copy, Left left, std::mt19937_64& chance) const {
    std::string content = copy.durable;
    if (left == Left::OnlyTheSynced) return content;
    for (const DiskStep& step : copy.pending) {
        const bool whole = left == Left::Everything;
        if (step.kind == DiskStep::Cut) {
            if (whole || oneOfTwo(chance)) content.resize(static_cast<std::size_t>(step.offset), '\0');
        } else if (whole) {
            put(content, static_cast<std::size_t>(step.offset), step.bytes);
        } else {
            putSome(content, step, chance);
        }
    }
    return content;
}

Files Platter::afterPowerCut(Left left, std::mt19937_64& chance) const {
    Files files;
    for (const auto& [path, copies] : copies_) {
        // Later copies took the name from earlier ones.
        const Copy* found = nullptr;
        for (const Copy& each : copies) {
            const bool made =
                each.entryDurable || left == Left::Everything || (left == Left::Some && oneOfTwo(chance));
            const bool gone =
                each.removed && (left == Left::Everything || (left == Left::Some && oneOfTwo(chance)));
            if (made) found = gone ? nullptr : &each;
        }
        if (found != nullptr) files[path] = contentOf(*found, left, chance);
    }
    return files;
}

}  // namespace postern::tests
