#pragma once
// iconv behind a class, for names of our own allow-list only. Internal to this room; included by .cpp files.

#include <string>
#include <string_view>

namespace postern::mail {

// One conversion from one charset to another. Thread rule: one thread each; opening and closing take a lock,
// because the C library loads and unloads its conversion modules there.
class Converter {
  public:
    Converter(std::string_view to, std::string_view from);
    ~Converter();
    Converter(const Converter&) = delete;
    Converter& operator=(const Converter&) = delete;

    bool usable() const { return handle_ != nullptr; }

    // Converts the front of `in`, appends to `out`, and leaves in `in` what it could not convert. False when
    // it stopped at something illegal or incomplete. REQUIRES: usable().
    bool run(std::string_view& in, std::string& out);
    // Back to the initial shift state; what that takes is appended. REQUIRES: usable().
    void reset(std::string& out);

  private:
    bool step(char** from, std::size_t* left, std::string& out);

    void* handle_ = nullptr;
};

}  // namespace postern::mail
