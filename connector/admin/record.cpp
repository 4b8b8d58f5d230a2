#include "connector/admin/record.h"

namespace postern::admin {

const Value* Record::find(std::string_view name) const {
    for (const auto& [fieldName, value] : fields)
        if (fieldName == name) return &value;
    return nullptr;
}

std::string_view Record::text(std::string_view name) const {
    const Value* value = find(name);
    return value != nullptr && value->kind == Value::Kind::Text ? std::string_view(value->text) : "";
}

}  // namespace postern::admin
