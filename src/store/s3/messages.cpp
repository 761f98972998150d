#include "store/s3/messages.h"

#include <fmt/format.h>

#include <pugixml.hpp>
#include <sstream>

#include "core/error.h"
#include "net/http.h"
#include "store/s3/checksum.h"
#include "store/s3/fields.h"

namespace headrace::s3 {
namespace {

constexpr const char* kNamespace = "http://s3.amazonaws.com/doc/2006-03-01/";
constexpr unsigned kParse = pugi::parse_default | pugi::parse_ws_pcdata_single;

pugi::xml_document parse(std::string_view xml) {
  pugi::xml_document document;
  const auto parsed = document.load_buffer(xml.data(), xml.size(), kParse, pugi::encoding_utf8);
  if (!parsed) {
    throw Error(ErrorKind::kTransient, fmt::format("the answer is no XML: {} at byte {}",
                                                   parsed.description(), parsed.offset));
  }
  return document;
}

pugi::xml_node root_of(const pugi::xml_document& document, const char* name) {
  const pugi::xml_node root = document.document_element();
  if (std::string_view(root.name()) == name) return root;
  throw Error(ErrorKind::kTransient,
              fmt::format("the answer is <{}> instead of <{}>", root.name(), name));
}

std::uint64_t number_of(const pugi::xml_node& node) {
  return parse_number(node.child_value()).value_or(0);
}

/// Listings tell milliseconds, header fields seconds: one object has one time.
Time time_of(const pugi::xml_node& node) {
  const auto time = parse_time(node.child_value());
  return time ? Time(std::chrono::floor<std::chrono::seconds>(*time)) : Time{};
}

/// Keys as they are in the answer: percent-encoded only if the answer says so.
class KeyText {
 public:
  explicit KeyText(const pugi::xml_node& root)
      : encoded_(std::string_view(root.child_value("EncodingType")) == "url") {}
  std::string operator()(const char* text) const {
    return encoded_ ? uri_decode(text, true) : std::string(text);
  }

 private:
  bool encoded_;
};

class Writer {
 public:
  explicit Writer(const char* root) : root_(document_.append_child(root)) {
    root_.append_attribute("xmlns") = kNamespace;
  }
  pugi::xml_node& root() { return root_; }
  std::string text() const {
    std::ostringstream out;
    document_.save(out, "", pugi::format_raw | pugi::format_no_declaration, pugi::encoding_utf8);
    return std::move(out).str();
  }
  static void add(pugi::xml_node parent, const char* name, std::string_view value) {
    parent.append_child(name).append_child(pugi::node_pcdata).set_value(std::string(value).c_str());
  }

 private:
  pugi::xml_document document_;
  pugi::xml_node root_;
};

}  // namespace

std::optional<ErrorMessage> parse_error(std::string_view xml) {
  // Most answers are objects and listings: only what can be an error is parsed.
  if (xml.substr(0, 1024).find("<Error") == std::string_view::npos) return std::nullopt;
  pugi::xml_document document;
  if (!document.load_buffer(xml.data(), xml.size(), kParse, pugi::encoding_utf8)) {
    return std::nullopt;
  }
  pugi::xml_node error = document.document_element();
  if (std::string_view(error.name()) == "ErrorResponse") error = error.child("Error");
  if (std::string_view(error.name()) != "Error") return std::nullopt;
  return ErrorMessage{error.child_value("Code"), error.child_value("Message"),
                      error.child_value("Region"), error.child_value("Condition")};
}

ListAnswer parse_list(std::string_view xml, const std::string& bucket) {
  const auto document = parse(xml);
  const pugi::xml_node root = root_of(document, "ListBucketResult");
  const KeyText key_text(root);
  ListAnswer answer;
  for (const pugi::xml_node node : root.children("Contents")) {
    answer.objects.push_back({ObjectKey{bucket, key_text(node.child_value("Key"))},
                              number_of(node.child("Size")),
                              unquoted(node.child_value("ETag")),
                              time_of(node.child("LastModified")),
                              {}});
  }
  for (const pugi::xml_node node : root.children("CommonPrefixes")) {
    answer.prefixes.push_back(key_text(node.child_value("Prefix")));
  }
  answer.truncated = std::string_view(root.child_value("IsTruncated")) == "true";
  answer.next_token = root.child_value("NextContinuationToken");
  return answer;
}

std::vector<std::string> parse_buckets(std::string_view xml) {
  const auto document = parse(xml);
  std::vector<std::string> names;
  for (const pugi::xml_node node :
       root_of(document, "ListAllMyBucketsResult").child("Buckets").children("Bucket")) {
    names.emplace_back(node.child_value("Name"));
  }
  return names;
}

Tags parse_tagging(std::string_view xml) {
  if (xml.empty()) return {};  // radosgw 16 of an object without tags.
  const auto document = parse(xml);
  Tags tags;
  for (const pugi::xml_node node : root_of(document, "Tagging").child("TagSet").children("Tag")) {
    tags.insert_or_assign(node.child_value("Key"), node.child_value("Value"));
  }
  return tags;
}

std::string tagging_xml(const Tags& tags) {
  Writer writer("Tagging");
  pugi::xml_node set = writer.root().append_child("TagSet");
  for (const auto& [name, value] : tags) {
    pugi::xml_node tag = set.append_child("Tag");
    Writer::add(tag, "Key", name);
    Writer::add(tag, "Value", value);
  }
  return writer.text();
}

std::string find_element(std::string_view xml, const char* name) {
  const auto document = parse(xml);
  const pugi::xml_node root = document.document_element();
  if (std::string_view(root.name()) == name) return root.child_value();
  return root
      .find_node(
          [name](const pugi::xml_node& node) { return std::string_view(node.name()) == name; })
      .child_value();
}

std::string complete_xml(const std::vector<UploadedPart>& parts) {
  Writer writer("CompleteMultipartUpload");
  for (const UploadedPart& part : parts) {
    pugi::xml_node node = writer.root().append_child("Part");
    if (part.crc32) Writer::add(node, "ChecksumCRC32", checksum_text(*part.crc32));
    Writer::add(node, "ETag", quoted(part.etag));
    Writer::add(node, "PartNumber", std::to_string(part.number));
  }
  return writer.text();
}

VersionsAnswer parse_versions(std::string_view xml, const std::string& bucket) {
  const auto document = parse(xml);
  const pugi::xml_node root = root_of(document, "ListVersionsResult");
  const KeyText key_text(root);
  VersionsAnswer answer;
  for (const pugi::xml_node node : root.children()) {
    const std::string_view name = node.name();
    const bool marker = name == "DeleteMarker";
    if (!marker && name != "Version") continue;
    answer.versions.push_back({ObjectKey{bucket, key_text(node.child_value("Key"))},
                               node.child_value("VersionId"), number_of(node.child("Size")),
                               unquoted(node.child_value("ETag")),
                               time_of(node.child("LastModified")),
                               std::string_view(node.child_value("IsLatest")) == "true", marker});
  }
  answer.truncated = std::string_view(root.child_value("IsTruncated")) == "true";
  answer.next_key = key_text(root.child_value("NextKeyMarker"));
  answer.next_version = root.child_value("NextVersionIdMarker");
  return answer;
}

std::string delete_xml(const std::vector<Deletion>& deletions) {
  Writer writer("Delete");
  Writer::add(writer.root(), "Quiet", "true");
  for (const Deletion& deletion : deletions) {
    pugi::xml_node node = writer.root().append_child("Object");
    Writer::add(node, "Key", deletion.path);
    if (!deletion.version.empty()) Writer::add(node, "VersionId", deletion.version);
  }
  return writer.text();
}

std::vector<RefusedDeletion> parse_delete_result(std::string_view xml) {
  const auto document = parse(xml);
  std::vector<RefusedDeletion> refused;
  for (const pugi::xml_node node : root_of(document, "DeleteResult").children("Error")) {
    const std::string_view code = node.child_value("Code");
    if (code == "NoSuchKey" || code == "NoSuchVersion") continue;
    refused.push_back({node.child_value("Key"), std::string(code), node.child_value("Message")});
  }
  return refused;
}

std::string create_bucket_xml(std::string_view region) {
  Writer writer("CreateBucketConfiguration");
  Writer::add(writer.root(), "LocationConstraint", region);
  return writer.text();
}

std::vector<std::pair<std::string, std::string>> parse_uploads(std::string_view xml) {
  const auto document = parse(xml);
  const pugi::xml_node root = root_of(document, "ListMultipartUploadsResult");
  const KeyText key_text(root);
  std::vector<std::pair<std::string, std::string>> uploads;
  for (const pugi::xml_node node : root.children("Upload")) {
    uploads.emplace_back(key_text(node.child_value("Key")), node.child_value("UploadId"));
  }
  return uploads;
}

}  // namespace headrace::s3
