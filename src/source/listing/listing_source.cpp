#include "source/listing/listing_source.h"

#include <algorithm>
#include <deque>
#include <functional>
#include <memory>
#include <numeric>
#include <utility>

#include "core/error.h"
#include "source/given_objects.h"
#include "source/listing/key_range.h"
#include "source/together.h"
#include "source/wake.h"

namespace headrace {
namespace {

/// A store gives as many as it likes up to this; few large pages suit flat folders of files. More
/// than one request gives is not asked for beside others, whose turn waits for the slowest.
constexpr std::size_t kPageSize = 10'000;
constexpr std::size_t kPageBesideOthers = 1'000;
/// Folders to learn of with one request, for each request that may be under way. More would cost a
/// request for each of many small folders, which a flat listing passes by the thousand.
constexpr std::size_t kFoldersPerRequest = 4;
/// Pages, by estimate; cutting less saves no time.
constexpr double kWorthCutting = 1;

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
    parts_.assign(1, part_of(options_.prefix));
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
    KeyRange range;
    std::shared_ptr<KeyShape> shape;  // Of the keys of its prefix.
    double pages_left = 0;            // An estimate, once a page of it was listed flat.
  };
  static Part part_of(std::string prefix) {
    return {{std::move(prefix), "", ""}, std::make_shared<KeyShape>()};
  }

  /// Lists several parts at a time. While there are fewer than could be, a part is listed by its
  /// folders, each of which is a part then, and what is left of a flat one is cut into pieces. A
  /// part that failed is listed again.
  Task<> fetch_pages() {
    if (parts_.size() < options_.parallel) cut_parts();
    const std::size_t count = std::min(parts_.size(), options_.parallel);
    const std::vector<Part> parts(parts_.end() - static_cast<std::ptrdiff_t>(count), parts_.end());
    const bool by_folders = parts_.size() < options_.parallel;
    std::vector<ListPage> pages(count);
    std::vector<Task<>> requests;
    for (std::size_t i = 0; i < count; ++i) {
      requests.push_back(fetch(parts[i].range, by_folders, pages[i]));
    }
    co_await together(std::move(requests));
    parts_.resize(parts_.size() - count);
    for (std::size_t i = 0; i < count; ++i) take_page(parts[i], std::move(pages[i]));
  }

  Task<> fetch(const KeyRange& range, bool by_folders, ListPage& page) {
    ListOptions options;
    options.prefix = range.prefix;
    options.start_after = range.after;
    options.limit = options_.parallel > 1 ? kPageBesideOthers : kPageSize;
    if (by_folders && range.after.empty() && range.until.empty()) {
      options.delimiter = '/';
      options.limit = kFoldersPerRequest * options_.parallel;
    }
    page = co_await store_.list(options_.bucket, std::move(options));
    if (range.until.empty()) co_return;
    // The next part's keys are not this one's, or they would be given twice.
    const auto end = std::ranges::upper_bound(page.objects, range.until, {}, path_of);
    if (end != page.objects.end() || page.next >= range.until) page.next.reset();
    page.objects.erase(end, page.objects.end());
  }

  static const std::string& path_of(const ObjectInfo& info) { return info.key.path; }

  void take_page(const Part& part, ListPage page) {
    if (options_.parallel > 1) {
      for (const ObjectInfo& object : page.objects) {
        part.shape->learn(std::string_view(object.key.path).substr(part.range.prefix.size()));
      }
      part.shape->end_page();
    }
    if (page.next) {
      // What follows is listed flat. It begins with the last folder if the page ended with it.
      if (!page.prefixes.empty() && page.prefixes.back() == *page.next) page.prefixes.pop_back();
      Part rest{{part.range.prefix, *page.next, part.range.until}, part.shape};
      if (!page.objects.empty() && page.prefixes.empty()) {
        rest.pages_left = part.shape->pages_left(rest.range, path_of(page.objects.front()));
      }
      parts_.push_back(std::move(rest));
    }
    for (std::string& folder : page.prefixes) parts_.push_back(part_of(std::move(folder)));
    if (!page.objects.empty()) found_.push_back(std::move(page.objects));
  }

  /// Cuts what is left of flat parts into as many pieces as there is room for, the longest first.
  /// Pieces where a guess went wrong end with their first request.
  void cut_parts() {
    std::vector<std::size_t> longest(parts_.size());
    std::iota(longest.begin(), longest.end(), 0);
    std::erase_if(longest, [&](std::size_t i) { return parts_[i].pages_left <= kWorthCutting; });
    std::ranges::sort(longest, std::greater(), [&](std::size_t i) { return parts_[i].pages_left; });
    std::size_t room = options_.parallel - parts_.size();
    for (std::size_t n = 0; n < longest.size() && room > 0; ++n) {
      Part& part = parts_[longest[n]];
      const std::size_t share = (room + longest.size() - n - 1) / (longest.size() - n);
      const double most = std::min(part.pages_left, static_cast<double>(share));
      std::vector<std::string> cuts =
          part.shape->cuts(part.range, 1 + static_cast<std::size_t>(most));
      part.pages_left = 0;
      if (cuts.empty()) continue;
      room -= cuts.size();
      const Part whole = part;
      cuts.push_back(whole.range.until);
      part.range.until = cuts.front();
      for (std::size_t i = 1; i < cuts.size(); ++i) {
        parts_.push_back({{whole.range.prefix, cuts[i - 1], cuts[i]}, whole.shape});
      }
    }
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
