#pragma once
// Who may what, each including those before it.

#include <optional>
#include <string_view>

#include "connector/accounts/accounts.h"

namespace postern::admin {

enum class Role { Viewer, Operator, Admin };
std::string_view roleName(Role role);
std::optional<Role> roleNamed(std::string_view name);  // none: there is none of that name

// The highest that an account has; none: it may send mail, and does nothing with the queue.
std::optional<Role> roleOf(const accounts::Roles& roles);

}  // namespace postern::admin
