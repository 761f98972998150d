#include "source/listing/listing_source.h"

#include <deque>
#include <utility>

#include "core/error.h"
#include "source/given_objects.h"
#include "source/together.h"
#include "source/wake.h"

namespace headrace {
namespace {

/// A store gives as many as it likes up to this; few large pages suit flat folders.
constexpr std::size_t kPageSize = 10'000;
/// Folders to learn of with one request, for each request that may be under way. More would cost a
/// request for each of many small folders, which a flat listing passes by the thousand.
constexpr std::size_t kFoldersPerRequest = 4;

class ListingSource final : public Source {
 public:
  ListingSource(ListingOptions options, Store& store, KeyMatcher matcher, SourceMemory& memory,
                Clock& clock, Random& random, const Log& log)
      : options_(std::move(options)),
        origin_{options_.name, options_.store, "listing"},
        store_(store),
        matcher_(std::move(matcher)),
        clock_(clock),
        random_(random),
        log_(log),
        given_(memory, options_.name, options_.remember) {}

  Task<std::optional<EventBatch>> next() override {
    if (!loaded_) co_await given_.load();
    loaded_ = true;
    while (!finished_) {
      if (!in_pass_) {
        co_await wait_for_pass();
        begin_pass();
      }
      // No wait between taking objects off the page and giving them: a cancelled call loses none.
      while (!found_.empty()) {
        EventBatch batch = take_batch();
        if (!batch.events.empty()) co_return batch;
      }
      if (!parts_.empty()) {
        co_await fetch_pages();
      } else {
        co_await end_pass();
      }
    }
    co_return std::nullopt;
  }

  Task<> ack(Receipt receipt) override { co_await given_.settle(receipt); }

  void drain() override {
    draining_ = true;
    wake_.ring();
  }

 private:
  Task<> wait_for_pass() {
    while (next_pass_ && !draining_ && clock_.now() < *next_pass_) {
      co_await wake_.wait(clock_, next_pass_);
    }
  }

  void begin_pass() {
    const Time now = clock_.now();
    if (options_.every) next_pass_ = now + *options_.every;
    in_pass_ = true;
    last_pass_ = draining_ || !options_.every;
    parts_.assign(1, Part{options_.prefix, ""});
    listed_ = unmatched_ = new_ = 0;
    given_.begin_pass();
  }

  Task<> end_pass() {
    co_await given_.end_pass();
    log_.debug(
        "listing ended",
        {{"source", options_.name}, {"listed", listed_}, {"new", new_}, {"unmatched", unmatched_}});
    in_pass_ = false;
    finished_ = last_pass_;
  }

  /// A stretch of keys that is still to be listed.
  struct Part {
    std::string prefix;
    std::string start_after;
  };

  /// Lists several parts at a time. While there are fewer than could be, a part is listed by its
  /// folders, each of which is a part then. A part that failed is listed again.
  Task<> fetch_pages() {
    const std::size_t count = std::min(parts_.size(), options_.parallel);
    const std::vector<Part> parts(parts_.end() - static_cast<std::ptrdiff_t>(count), parts_.end());
    const bool by_folders = parts_.size() < options_.parallel;
    std::vector<ListPage> pages(count);
    std::vector<Task<>> requests;
    for (std::size_t i = 0; i < count; ++i) {
      requests.push_back(fetch(parts[i], by_folders, pages[i]));
    }
    co_await together(std::move(requests));
    parts_.resize(parts_.size() - count);
    for (std::size_t i = 0; i < count; ++i) {
      ListPage& page = pages[i];
      if (page.next) {
        // What follows is listed flat. It begins with the last folder if the page ended with it.
        if (!page.prefixes.empty() && page.prefixes.back() == *page.next) page.prefixes.pop_back();
        parts_.push_back({parts[i].prefix, *page.next});
      }
      for (std::string& folder : page.prefixes) parts_.push_back({std::move(folder), ""});
      if (!page.objects.empty()) found_.push_back(std::move(page.objects));
    }
  }

  Task<> fetch(const Part& part, bool by_folders, ListPage& page) {
    ListOptions options;
    options.prefix = part.prefix;
    options.start_after = part.start_after;
    options.limit = kPageSize;
    if (by_folders && part.start_after.empty()) {
      options.delimiter = '/';
      options.limit = kFoldersPerRequest * options_.parallel;
    }
    page = co_await store_.list(options_.bucket, std::move(options));
  }

  EventBatch take_batch() {
    EventBatch batch;
    std::vector<GivenObjects::Given> given;
    std::vector<ObjectInfo>& objects = found_.front();
    for (; at_ < objects.size() && batch.events.size() < kMostEvents; ++at_) {
      ObjectInfo& object = objects[at_];
      ++listed_;
      std::optional<KeyFields> fields = match_key(matcher_, object.key.path);
      if (!fields) {
        ++unmatched_;
        log_.debug("key does not fit the template",
                   {{"source", options_.name}, {"key", object.key.path}});
        continue;
      }
      if (!given_.is_new(object.key.path, object.etag)) continue;
      given.push_back(GivenObjects::given(object.key.path, object.etag));
      batch.events.push_back(
          created_event(origin_, std::move(object), std::move(*fields), random_));
    }
    if (at_ == objects.size()) {
      found_.pop_front();
      at_ = 0;
    }
    new_ += batch.events.size();
    if (!given.empty()) batch.receipt = given_.give(std::move(given));
    return batch;
  }

  const ListingOptions options_;
  const EventOrigin origin_;
  Store& store_;
  const KeyMatcher matcher_;
  Clock& clock_;
  Random& random_;
  const Log& log_;
  GivenObjects given_;
  Wake wake_;
  bool loaded_ = false;
  bool draining_ = false;
  bool finished_ = false;

  // The pass under way.
  bool in_pass_ = false;
  bool last_pass_ = false;
  std::optional<Time> next_pass_;
  std::vector<Part> parts_;                    // The next ones last.
  std::deque<std::vector<ObjectInfo>> found_;  // Pages to be given.
  std::size_t at_ = 0;                         // Into the first of them.
  std::uint64_t listed_ = 0;
  std::uint64_t new_ = 0;
  std::uint64_t unmatched_ = 0;
};

}  // namespace

std::unique_ptr<Source> make_listing_source(ListingOptions options, Store& store,
                                            KeyMatcher matcher, SourceMemory& memory, Clock& clock,
                                            Random& random, const Log& log) {
  return std::make_unique<ListingSource>(std::move(options), store, std::move(matcher), memory,
                                         clock, random, log);
}

}  // namespace headrace
