#include "format/parquet/layout.h"

#include <algorithm>

#include "format/parquet/stats.h"
#include "format/parquet/thrift.h"

namespace headrace::parquet_file {
namespace {

// Parquet's numbers for its types and annotations.
enum Type { kBoolean, kInt32, kInt64, kInt96, kFloat, kDouble, kByteArray, kFixedBytes };
enum Repetition { kRequired, kOptional, kRepeated };
enum Converted { kUtf8 = 0, kMap = 1, kList = 3, kDecimal = 5, kDate = 6, kMicros = 10 };
enum ConvertedInt { kInt8 = 15, kInt16 = 16 };
enum Logical {
  kLogicalString = 1,
  kLogicalMap,
  kLogicalList,
  kLogicalDecimal = 5,
  kLogicalDate,
  kLogicalTimestamp = 8,
  kLogicalInteger = 10,
  kLogicalUuid = 14
};

/// Writes the elements of a schema, parents before children.
class SchemaWriter {
 public:
  explicit SchemaWriter(FileLayout& layout) : layout_(layout), thrift_(layout.schema_elements) {}

  void root(std::size_t children) {
    ++layout_.schema_size;
    thrift_.begin_top();
    thrift_.text(4, "schema");
    thrift_.i32(5, static_cast<std::int32_t>(children));
    thrift_.end();
  }

  void column(const Field& field, const jsonl::Node& node, std::string_view name,
              Repetition repetition, std::vector<std::string>& path) {
    path.emplace_back(name);
    const auto& children = node.children;
    switch (node.kind) {
      case TypeKind::kStruct:
        group(field, name, repetition, children.size(), -1, 0);
        for (std::size_t i = 0; i < children.size(); ++i) {
          column(field.type.fields[i], *children[i], children[i]->name, kOptional, path);
        }
        break;
      case TypeKind::kList:
        group(field, name, repetition, 1, kList, kLogicalList);
        repeated("list", 1, path);
        column(field.type.fields[0], *children[0], "element", kOptional, path);
        path.pop_back();
        --lists_;
        break;
      case TypeKind::kMap:
        group(field, name, repetition, 1, kMap, kLogicalMap);
        repeated("key_value", 2, path);
        column(field.type.fields[0], *children[0], "key", kRequired, path);
        column(field.type.fields[1], *children[1], "value", kOptional, path);
        path.pop_back();
        --lists_;
        break;
      default:
        leaf(field, node, name, repetition, path);
    }
    path.pop_back();
  }

 private:
  void group(const Field& field, std::string_view name, Repetition repetition, std::size_t children,
             int converted, int logical) {
    ++layout_.schema_size;
    thrift_.begin_top();
    thrift_.i32(3, repetition);
    thrift_.text(4, name);
    thrift_.i32(5, static_cast<std::int32_t>(children));
    if (converted >= 0) thrift_.i32(6, converted);
    if (field.field_id != 0) thrift_.i32(9, field.field_id);
    if (logical != 0) annotate(logical);
    thrift_.end();
  }

  void annotate(int logical) {
    thrift_.begin(10);
    thrift_.empty_struct(logical);
    thrift_.end();
  }

  void repeated(std::string_view name, int children, std::vector<std::string>& path) {
    path.emplace_back(name);
    ++lists_;
    ++layout_.schema_size;
    thrift_.begin_top();
    thrift_.i32(3, kRepeated);
    thrift_.text(4, name);
    thrift_.i32(5, children);
    thrift_.end();
  }

  void leaf(const Field& field, const jsonl::Node& node, std::string_view name,
            Repetition repetition, const std::vector<std::string>& path) {
    LeafLayout out;
    out.node = node.id;
    out.kind = node.kind;
    out.level = node.level;
    out.repetition = lists_;
    out.physical = physical_of(node);
    out.path = path;
    if (out.physical == Physical::kWide) out.wide_bytes = decimal_bytes(node.precision);
    if (out.physical == Physical::kUuid) out.wide_bytes = kUuidBytes;
    ++layout_.schema_size;
    thrift_.begin_top();
    thrift_.i32(1, type_of(out.physical));
    if (out.wide_bytes > 0) thrift_.i32(2, out.wide_bytes);
    thrift_.i32(3, repetition);
    thrift_.text(4, name);
    describe(node, field.field_id);
    thrift_.end();
    layout_.leaves.push_back(std::move(out));
  }

  static Type type_of(Physical physical) {
    switch (physical) {
      case Physical::kBool:
        return kBoolean;
      case Physical::kInt32:
        return kInt32;
      case Physical::kInt64:
        return kInt64;
      case Physical::kFloat:
        return kFloat;
      case Physical::kDouble:
        return kDouble;
      case Physical::kWide:
      case Physical::kUuid:
        return kFixedBytes;
      case Physical::kText:
      case Physical::kNone:
        break;
    }
    return kByteArray;
  }

  /// Fields 6 to 10: what the physical type stands for.
  void describe(const jsonl::Node& node, int id) {
    const auto simple = [&](int converted, int logical) {
      if (converted >= 0) thrift_.i32(6, converted);
      if (id != 0) thrift_.i32(9, id);
      if (logical != 0) annotate(logical);
    };
    switch (node.kind) {
      case TypeKind::kByte:
      case TypeKind::kShort:
        simple(node.kind == TypeKind::kByte ? kInt8 : kInt16, 0);
        thrift_.begin(10);
        thrift_.begin(kLogicalInteger);
        thrift_.byte(1, node.kind == TypeKind::kByte ? 8 : 16);
        thrift_.boolean(2, true);
        thrift_.end();
        return thrift_.end();
      case TypeKind::kDecimal:
        thrift_.i32(6, kDecimal);
        thrift_.i32(7, node.scale);
        thrift_.i32(8, node.precision);
        simple(-1, 0);
        thrift_.begin(10);
        thrift_.begin(kLogicalDecimal);
        thrift_.i32(1, node.scale);
        thrift_.i32(2, node.precision);
        thrift_.end();
        return thrift_.end();
      case TypeKind::kTimestamp:
      case TypeKind::kTimestampNtz: {
        const bool zoned = node.kind == TypeKind::kTimestamp;
        simple(zoned ? kMicros : -1, 0);
        thrift_.begin(10);
        thrift_.begin(kLogicalTimestamp);
        thrift_.boolean(1, zoned);
        thrift_.begin(2);
        thrift_.empty_struct(2);  // Microseconds.
        thrift_.end();
        thrift_.end();
        return thrift_.end();
      }
      case TypeKind::kDate:
        return simple(kDate, kLogicalDate);
      case TypeKind::kString:
        return node.uuid ? simple(-1, kLogicalUuid) : simple(kUtf8, kLogicalString);
      default:
        return simple(-1, 0);
    }
  }

  FileLayout& layout_;
  Thrift thrift_;
  std::uint8_t lists_ = 0;  // Around the column at hand.
};

}  // namespace

int decimal_bytes(int precision) {
  // The largest number of so many digits needs log2(10) bits each, and one for the sign.
  return static_cast<int>((static_cast<double>(precision) * 3.3219280948873626 + 1) / 8) + 1;
}

FileLayout::FileLayout(const jsonl::Plan& plan, const Schema& schema, const StatsColumns& stats)
    : plan_version(plan.version()) {
  const auto& children = plan.root().children;
  std::size_t stored = 0;
  for (const jsonl::Node* child : children) stored += is_stored(*child);
  SchemaWriter writer(*this);
  writer.root(stored);
  std::vector<std::string> path;
  for (std::size_t i = 0; i < children.size(); ++i) {
    if (!is_stored(*children[i])) continue;
    writer.column(schema.fields[i], *children[i], children[i]->name, kOptional, path);
  }
  indexed = indexed_columns(plan.root(), stats);
  for (std::size_t i = 0; i < indexed.size(); ++i) {
    const jsonl::Node& node = plan.node(indexed[i]);
    if (physical_of(node) == Physical::kNone) {
      lists.emplace_back(node.id, i);
      continue;
    }
    for (LeafLayout& leaf : leaves) {
      if (leaf.node == node.id) leaf.indexed = static_cast<int>(i);
    }
  }
}

bool FileLayout::extends(const FileLayout& earlier) const {
  if (leaves.size() < earlier.leaves.size()) return false;
  for (std::size_t i = 0; i < leaves.size(); ++i) {
    const bool known = i < earlier.leaves.size();
    // A member that is new within a column which was there is not null where the column is not.
    const bool same =
        known ? leaves[i].node == earlier.leaves[i].node && leaves[i].kind == earlier.leaves[i].kind
              : std::ranges::none_of(earlier.leaves, [&](const LeafLayout& leaf) {
                  return leaf.path[0] == leaves[i].path[0];
                });
    if (!same) return false;
  }
  return true;
}

}  // namespace headrace::parquet_file
