#include "setup/state.h"

#include <fmt/format.h>
#include <simdjson.h>

#include <algorithm>
#include <fstream>

#include "core/error.h"
#include "core/json.h"

namespace headrace::setup {
namespace {

constexpr int kVersion = 1;
constexpr std::uint64_t kLargestState = 4u << 20;

std::optional<Kind> kind_of(std::string_view text) {
  for (const Kind kind : {Kind::kBucket, Kind::kQueue, Kind::kTopic, Kind::kPermission,
                          Kind::kSubscription, Kind::kRule}) {
    if (to_string(kind) == text) return kind;
  }
  return std::nullopt;
}

std::string text_at(const simdjson::dom::element& object, std::string_view name) {
  std::string_view text;
  return object[name].get(text) == simdjson::SUCCESS ? std::string(text) : std::string();
}

}  // namespace

std::string write_state(const std::string& stack, const std::vector<Made>& made) {
  JsonWriter json;
  json.begin_object().key("version").number(kVersion).key("stack").string(stack);
  json.key("made").begin_array();
  for (const Made& one : made) {
    json.begin_object().key("kind").string(to_string(one.resource.kind));
    json.key("home").string(one.resource.home).key("name").string(one.resource.name);
    if (!one.resource.id.empty()) json.key("id").string(one.resource.id);
    if (!one.resource.via.empty()) json.key("via").string(one.resource.via);
    json.key("sure").boolean(one.sure).end_object();
  }
  json.end_array().end_object();
  return std::move(json).text() + "\n";
}

std::vector<Made> read_state(std::string_view text) {
  simdjson::dom::parser parser;
  simdjson::dom::element root;
  simdjson::dom::array list;
  std::int64_t version = 0;
  if (parser.parse(text.data(), text.size()).get(root) != simdjson::SUCCESS ||
      root["version"].get(version) != simdjson::SUCCESS ||
      root["made"].get(list) != simdjson::SUCCESS) {
    throw Error(ErrorKind::kCorrupt, "the state of what apply made can't be read");
  }
  if (version > kVersion) {
    throw Error(ErrorKind::kInvalid, "the state of what apply made is of a newer headrace");
  }
  std::vector<Made> made;
  for (const auto& one : list) {
    const auto kind = kind_of(text_at(one, "kind"));
    if (!kind) throw Error(ErrorKind::kCorrupt, "the state of what apply made has unknown things");
    bool sure = false;
    if (one["sure"].get(sure) != simdjson::SUCCESS) sure = false;
    Resource resource{*kind, text_at(one, "home"), text_at(one, "name"), text_at(one, "id")};
    resource.via = text_at(one, "via");
    made.push_back({std::move(resource), sure});
  }
  return made;
}

State::State(S3Store& store, SetupStateStanza place, std::string stack,
             std::filesystem::path folder)
    : store_(store),
      place_(std::move(place)),
      stack_(std::move(stack)),
      marker_(folder / "setup-bucket") {}

Task<> State::load() {
  made_.clear();
  etag_.reset();
  changed_ = false;
  std::string marked;
  std::ifstream file(marker_);
  std::getline(file, marked);
  marked_ = marked == place_.store + "://" + place_.bucket;
  const auto object = co_await store_.get(key());
  if (!object) co_return;
  etag_ = object->info.etag;
  const Bytes text = co_await read_all(*object->body, kLargestState);
  try {
    made_ = read_state(text);
  } catch (const Error& error) {
    throw error.during(place_.store + "://" + key().text());
  }
}

const Made* State::find(const Resource& resource) const {
  const auto found = std::ranges::find(made_, resource.key(),
                                       [](const Made& made) { return made.resource.key(); });
  return found == made_.end() ? nullptr : &*found;
}

void State::note(const Resource& resource, bool sure) {
  changed_ = true;
  for (Made& made : made_) {
    if (made.resource.key() != resource.key()) continue;
    made.sure = sure;
    return;
  }
  made_.push_back({resource, sure});
  made_.back().resource.settings.clear();
}

void State::forget(const Resource& resource) {
  changed_ |= std::erase_if(made_, [&](const Made& made) {
                return made.resource.key() == resource.key();
              }) > 0;
}

Task<> State::save() {
  if (!changed_) co_return;
  Bytes text = write_state(stack_, made_);
  const auto written = etag_ ? co_await store_.put_if_match(key(), std::move(text), *etag_)
                             : co_await store_.put_if_absent(key(), std::move(text));
  if (!written) {
    throw Error(ErrorKind::kConflict,
                fmt::format("{}://{}: another apply or destroy of this stack wrote it meanwhile; "
                            "look at `headrace plan` and try again",
                            place_.store, key().text()));
  }
  etag_ = *written;
  changed_ = false;
}

void State::mark() {
  std::error_code ignored;
  std::filesystem::create_directories(marker_.parent_path(), ignored);
  std::ofstream file(marker_);
  file << place_.store << "://" << place_.bucket << "\n";
  if (!file.flush()) throw errno_error(errno, "write " + marker_.string());
  marked_ = true;
}

void State::unmark() {
  std::error_code ignored;
  std::filesystem::remove(marker_, ignored);
  marked_ = false;
}

bool State::is_home(const Resource& bucket) const {
  return bucket.kind == Kind::kBucket && bucket.home == place_.store &&
         bucket.name == place_.bucket;
}

}  // namespace headrace::setup
