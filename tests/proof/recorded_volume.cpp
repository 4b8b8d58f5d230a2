// A block device that keeps a record: one file, seen through FUSE, for a loop device to stand on. Each write
// and each flush that reaches the device is appended to a log, from which power_cuts.py makes the disk as it
// was, or may have been, at any moment. It fails where it is told to (failed_syncs.py).
//
//     recorded_volume IMAGE LOG MOUNT_FOLDER ORDERS      serves MOUNT_FOLDER/disk, the bytes of IMAGE, until
//     it is unmounted or ended
//
// The log: for each step three 64-bit numbers in the machine's order, what (1 write, 2 flush, 3 a write that
// failed), offset and size, then a write's bytes. Its length is the moment: who has heard of something and
// then looks at the length knows what had been written before.

#define FUSE_USE_VERSION 31

#include <array>
#include <cerrno>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <fcntl.h>
#include <fstream>
#include <fuse3/fuse.h>
#include <map>
#include <string>
#include <string_view>
#include <sys/stat.h>
#include <unistd.h>
#include <vector>

namespace {

constexpr char kName[] = "/disk";
constexpr std::uint64_t kWrite = 1, kFlush = 2, kFailed = 3;

int image = -1;
int record = -1;
const char* orders = nullptr;

// All of it: a log with a hole would prove nothing.
void append(std::uint64_t what, std::uint64_t offset, const char* bytes, std::uint64_t size) {
    const std::array<std::uint64_t, 3> head = {what, offset, size};
    std::vector<char> step(sizeof head + size);
    std::memcpy(step.data(), head.data(), sizeof head);
    if (size > 0) std::memcpy(step.data() + sizeof head, bytes, size);
    for (std::size_t done = 0; done < step.size();) {
        const ssize_t some = write(record, step.data() + done, step.size() - done);
        if (some < 0) {
            std::perror("recorded_volume: the log");
            std::abort();
        }
        done += static_cast<std::size_t>(some);
    }
}

// While the file of orders stands there, with "SKIP COUNT WORD" in it: of the writes that hold the word the
// first SKIP are made, and the next COUNT fail. A word is one order's: it is not used twice.
bool fails(std::string_view bytes) {
    static std::map<std::string, long> met;
    std::ifstream file(orders);
    long skip = 0, count = 0;
    std::string word;
    if (!(file >> skip >> count >> word) || bytes.find(word) == std::string_view::npos) return false;
    const long number = met[word]++;
    return number >= skip && number < skip + count;
}

int attributes(const char* path, struct stat* found, fuse_file_info*) {
    if (std::strcmp(path, "/") == 0) {
        found->st_mode = S_IFDIR | 0755;
        found->st_nlink = 2;
        return 0;
    }
    if (std::strcmp(path, kName) != 0) return -ENOENT;
    struct stat real;
    if (fstat(image, &real) != 0) return -errno;
    found->st_mode = S_IFREG | 0600;
    found->st_nlink = 1;
    found->st_size = real.st_size;
    return 0;
}

int list(const char*, void* into, fuse_fill_dir_t add, off_t, fuse_file_info*, fuse_readdir_flags) {
    add(into, kName + 1, nullptr, 0, fuse_fill_dir_flags(0));
    return 0;
}

int openFile(const char* path, fuse_file_info* file) {
    file->direct_io = 1;
    return std::strcmp(path, kName) == 0 ? 0 : -ENOENT;
}

// What the loop device writes at once comes here at once: of a write in two pieces, of which the second
// fails, it sees a short one, and takes that for success.
void* begin(fuse_conn_info* connection, fuse_config*) {
    connection->max_write = 1 << 20;
    return nullptr;
}

int readFile(const char*, char* into, std::size_t size, off_t offset, fuse_file_info*) {
    const ssize_t got = pread(image, into, size, offset);
    return got < 0 ? -errno : static_cast<int>(got);
}

int writeFile(const char*, const char* bytes, std::size_t size, off_t offset, fuse_file_info*) {
    if (fails({bytes, size})) {
        append(kFailed, static_cast<std::uint64_t>(offset), nullptr, 0);
        return -EIO;
    }
    const ssize_t done = pwrite(image, bytes, size, offset);
    if (done < 0) return -errno;
    append(kWrite, static_cast<std::uint64_t>(offset), bytes, static_cast<std::uint64_t>(done));
    return static_cast<int>(done);
}

int flushFile(const char*, int, fuse_file_info*) {
    append(kFlush, 0, nullptr, 0);
    return 0;
}

}  // namespace

int main(int count, char** words) {
    if (count != 5) {
        std::fputs("usage: recorded_volume IMAGE LOG MOUNT_FOLDER ORDERS\n", stderr);
        return 64;
    }
    image = open(words[1], O_RDWR | O_CLOEXEC);
    record = open(words[2], O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
    orders = words[4];
    if (image < 0 || record < 0) {
        std::perror("recorded_volume");
        return 74;
    }
    fuse_operations operations = {};
    operations.init = begin;
    operations.getattr = attributes;
    operations.readdir = list;
    operations.open = openFile;
    operations.read = readFile;
    operations.write = writeFile;
    operations.fsync = flushFile;
    // In the foreground, one request after the other: the log is the order.
    std::array<char*, 4> fuse = {words[0], const_cast<char*>("-f"), const_cast<char*>("-s"), words[3]};
    return fuse_main(static_cast<int>(fuse.size()), fuse.data(), &operations, nullptr);
}
