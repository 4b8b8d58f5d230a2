#pragma once
// Calls into code that is not ours: what it throws is an error like any other.

#include <exception>
#include <string>
#include <utility>

#include "base/result.h"
#include "base/text.h"

namespace postern::adapters::extension {

template <class Call>
auto guarded(Call&& call) -> Result<decltype(call())> {
    try {
        if constexpr (std::is_void_v<decltype(call())>) {
            call();
            return {};
        } else {
            return call();
        }
    } catch (const std::exception& thrown) {
        return fail(Errc::Internal,
                    "the adapter's library gave up with \"" + escapeLine(thrown.what(), 300) + "\"");
    } catch (...) {
        return fail(Errc::Internal, "the adapter's library gave up without a reason");
    }
}

}  // namespace postern::adapters::extension
