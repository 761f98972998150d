#include "setup/wanted.h"

#include <fmt/format.h>

#include <algorithm>
#include <cctype>
#include <iterator>
#include <map>

#include "core/error.h"
#include "net/http.h"

namespace headrace::setup {
namespace {

bool is_url(std::string_view text) {
  return text.starts_with("http://") || text.starts_with("https://");
}

/// The field number `index` of an ARN.
std::string arn_part(std::string_view arn, int index) {
  for (; index > 0; --index) {
    const std::size_t colon = arn.find(':');
    if (colon == std::string_view::npos) return "";
    arn.remove_prefix(colon + 1);
  }
  return std::string(arn.substr(0, arn.find(':')));
}

/// The region in "sqs.eu-central-1.amazonaws.com".
std::string region_of_host(std::string_view host) {
  if (!host.starts_with("sqs.")) return "";
  host.remove_prefix(4);
  return std::string(host.substr(0, host.find('.')));
}

/// Names of topics, statements and rules hold letters, digits, '-' and '_'.
std::string plain(std::string text) {
  std::ranges::replace_if(
      text, [](unsigned char c) { return !std::isalnum(c) && c != '_' && c != '-'; }, '-');
  return text;
}

class Worker {
 public:
  explicit Worker(const Needs& needs) : needs_(needs) {}

  Wanted run() {
    wanted_.state = needs_.setup.state;
    if (wanted_.state) add_bucket(wanted_.state->store, wanted_.state->bucket);
    for (const auto& [store, bucket] : needs_.buckets) add_bucket(store, bucket);
    for (const SetupBucketStanza& bucket : needs_.setup.buckets) {
      Resource& resource = add_bucket(bucket.store, bucket.name);
      if (bucket.versioning) resource.settings["versioning"] = "on";
    }
    for (const Needs::Source& source : needs_.sources) {
      if (source.from == Needs::Source::From::kQueue) {
        add_queue_source(source);
      } else {
        add_pushed_source(source);
      }
    }
    put_in_order();
    if (!wanted_.state && !wanted_.resources.empty()) {
      throw Error(ErrorKind::kInvalid,
                  "the stack names no bucket on a store of kind s3 where apply could keep what it "
                  "made: give setup.state");
    }
    return std::move(wanted_);
  }

 private:
  /// By kind, and of one kind as they were added.
  void put_in_order() {
    std::map<Kind, std::vector<Resource>> by_kind;
    for (Resource& resource : wanted_.resources) {
      by_kind[resource.kind].push_back(std::move(resource));
    }
    wanted_.resources.clear();
    for (auto& [kind, resources] : by_kind) {
      std::ranges::move(resources, std::back_inserter(wanted_.resources));
    }
  }

  Resource& add(Resource resource) {
    const auto same = std::ranges::find(wanted_.resources, resource.key(), &Resource::key);
    if (same != wanted_.resources.end()) return *same;
    return wanted_.resources.emplace_back(std::move(resource));
  }

  Resource& add_bucket(const std::string& store, const std::string& bucket) {
    if (!wanted_.state) wanted_.state = SetupStateStanza{store, bucket};
    return add({Kind::kBucket, store, bucket});
  }

  std::string id_of(const Needs::Source& source) const {
    return plain(fmt::format("headrace-{}-{}", needs_.stack, source.name));
  }

  void add_rule(const Needs::Source& source, std::string to, std::string via) {
    const KeyEnds ends = key_ends(source.fields);
    const bool removals = source.setup.removals.value_or(source.removals);
    add({Kind::kRule,
         source.fields.store,
         source.fields.bucket,
         id_of(source),
         {{"events", removals ? "created, removed" : "created"},
          {"prefix", ends.prefix},
          {"suffix", ends.suffix},
          {"to", std::move(to)}},
         std::move(via)});
  }

  void allow(const Needs::Source& source, const std::string& home, const std::string& what,
             const std::string& sender) {
    add({Kind::kPermission, home, what, id_of(source), {{"sender", sender}}});
  }

  /// False, and a note, if the store can't be told to send the source's events.
  bool can_have_rule(const Needs::Source& source) {
    if (!source.on_s3) {
      wanted_.notes.push_back(fmt::format(
          "source {}: store {} is not of kind s3, so nothing is set up to send its events",
          source.name, source.fields.store));
      return false;
    }
    if (source.fields.bucket.empty()) {
      wanted_.notes.push_back(
          fmt::format("source {}: it names no bucket, so its notifications are not set up; give "
                      "`bucket`, or set them up yourself",
                      source.name));
      return false;
    }
    return true;
  }

  void add_queue(const SetupSourceStanza& setup, const QueuePlace& place) {
    Settings settings;
    if (setup.visibility) settings["visibility"] = format_duration(*setup.visibility);
    if (setup.keep) settings["keep"] = format_duration(*setup.keep);
    if (setup.dead_letters) {
      add({Kind::kQueue, place.home(), setup.dead_letters->queue});
      settings["dead_letters"] =
          fmt::format("{} after {}", setup.dead_letters->queue, setup.dead_letters->receives);
    }
    add({Kind::kQueue, place.home(), place.queue, "", std::move(settings)});
  }

  void add_queue_source(const Needs::Source& source) {
    const QueuePlace place = place_of(*source.sqs);
    const std::string home = place.home();
    add_queue(source.setup, place);
    if (!can_have_rule(source)) return;
    const std::string queue = "queue " + place.queue;
    const std::string bucket = "bucket " + source.fields.bucket;
    if (source.setup.topic.empty()) {
      allow(source, home, queue, bucket);
      add_rule(source, queue, home);
      return;
    }
    const std::string topic = "topic " + source.setup.topic;
    add({Kind::kTopic, home, source.setup.topic});
    allow(source, home, topic, bucket);
    allow(source, home, queue, topic);
    add({Kind::kSubscription, home, source.setup.topic, place.queue});
    add_rule(source, topic, home);
  }

  void add_pushed_source(const Needs::Source& source) {
    const SetupSourceStanza& setup = source.setup;
    if (setup.arn.empty() && setup.push_to.empty()) {
      wanted_.notes.push_back(
          fmt::format("source {0}: the stack does not say how store {1} reaches it; give "
                      "setup.sources.{0}.push_to (Ceph) or .arn (MinIO), or set it up at the store",
                      source.name, source.fields.store));
      return;
    }
    if (!can_have_rule(source)) return;
    if (!setup.arn.empty()) {
      add_rule(source, "arn " + setup.arn, "");
      return;
    }
    std::string push_to = setup.push_to;
    if (!source.token.empty() && is_url(push_to) && !push_to.contains("token=")) {
      push_to += (push_to.contains('?') ? "&token=" : "?token=") + uri_encode(source.token);
    }
    const std::string name = setup.topic.empty() ? id_of(source) : setup.topic;
    const std::string home = "store " + source.fields.store;
    add({Kind::kTopic, home, name, "", {{"push_to", std::move(push_to)}}});
    add_rule(source, "topic " + name, home);
  }

  const Needs& needs_;
  Wanted wanted_;
};

}  // namespace

QueuePlace place_of(const SqsStanza& stanza) {
  QueuePlace place{stanza.endpoint, stanza.region, stanza.queue};
  if (is_url(stanza.queue)) {
    const Url url = parse_url(stanza.queue);
    place.queue = url.path.substr(url.path.rfind('/') + 1);
    if (place.region.empty()) place.region = region_of_host(url.host);
    if (place.endpoint.empty()) {
      place.endpoint = fmt::format("{}://{}", url.scheme, url.authority());
    }
  } else if (stanza.queue.starts_with("arn:")) {
    place.queue = arn_part(stanza.queue, 5);
    if (place.region.empty()) place.region = arn_part(stanza.queue, 3);
  }
  if (place.region.empty() && !place.endpoint.empty()) place.region = "us-east-1";
  if (place.region.empty()) {
    throw Error(ErrorKind::kInvalid,
                fmt::format("queue {}: its region is not known; give `region`, or the queue's URL "
                            "or ARN",
                            stanza.queue));
  }
  if (place.endpoint.empty()) {
    place.endpoint = fmt::format("https://sqs.{}.amazonaws.com{}", place.region,
                                 place.region.starts_with("cn-") ? ".cn" : "");
  }
  while (place.endpoint.ends_with('/')) place.endpoint.pop_back();
  return place;
}

KeyEnds key_ends(const SourceFields& fields) {
  KeyEnds ends{fields.prefix, ""};
  if (!fields.key) return ends;
  const std::string& text = fields.key->text();
  std::string head = text.substr(0, text.find('{'));
  // A prefix that goes on where the template has a field already is the narrower one.
  if (head.starts_with(ends.prefix)) ends.prefix = std::move(head);
  ends.suffix = text.substr(text.rfind('}') + 1);  // npos + 1 is 0: no field at all.
  return ends;
}

Wanted work_out(const Needs& needs) { return Worker(needs).run(); }

}  // namespace headrace::setup
