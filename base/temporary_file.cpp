#include "base/temporary_file.h"

#include "base/library_error.h"
#include "base/random.h"

namespace postern {

Result<File> temporaryFile() {
    std::error_code failed;
    const auto path = std::filesystem::temp_directory_path(failed);
    if (failed) return libraryError(failed, "the folder for temporary files");
    POSTERN_LET(folder, Folder::open(textOf(path)));
    const std::string name = "postern-" + randomName(16);
    POSTERN_LET(file, folder.create(name, 0600));
    POSTERN_TRY(folder.remove(name));
    return file;
}

}  // namespace postern
