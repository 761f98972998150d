#include "source/listing/listing_source.h"

#include <utility>

#include "core/error.h"
#include "source/given_objects.h"
#include "source/wake.h"

namespace headrace {
namespace {

constexpr std::size_t kMostEvents = 256;
/// A store gives as many as it likes up to this; few large pages suit flat folders.
constexpr std::size_t kPageSize = 10'000;

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
      while (at_ < page_.objects.size()) {
        EventBatch batch = take_batch();
        if (!batch.events.empty()) co_return batch;
      }
      if (more_) {
        co_await fetch_page();
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
    more_ = true;
    start_after_.clear();
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

  Task<> fetch_page() {
    ListOptions page;
    page.prefix = options_.prefix;
    page.start_after = start_after_;
    page.limit = kPageSize;
    page_ = co_await store_.list(options_.bucket, std::move(page));
    at_ = 0;
    more_ = page_.next.has_value();
    if (more_) start_after_ = *page_.next;
  }

  EventBatch take_batch() {
    EventBatch batch;
    std::vector<GivenObjects::Given> given;
    for (; at_ < page_.objects.size() && batch.events.size() < kMostEvents; ++at_) {
      ObjectInfo& object = page_.objects[at_];
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
  std::string start_after_;
  bool more_ = false;
  ListPage page_;
  std::size_t at_ = 0;  // Into page_.objects.
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
