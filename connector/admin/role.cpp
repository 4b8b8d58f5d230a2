#include "connector/admin/role.h"

namespace postern::admin {

std::string_view roleName(Role role) {
    switch (role) {
        case Role::Viewer: return "viewer";
        case Role::Operator: return "operator";
        case Role::Admin: break;
    }
    return "admin";
}

std::optional<Role> roleNamed(std::string_view name) {
    for (const Role role : {Role::Viewer, Role::Operator, Role::Admin})
        if (roleName(role) == name) return role;
    return std::nullopt;
}

std::optional<Role> roleOf(const accounts::Roles& roles) {
    if (roles.admin) return Role::Admin;
    if (roles.operates) return Role::Operator;
    if (roles.viewer) return Role::Viewer;
    return std::nullopt;
}

}  // namespace postern::admin
