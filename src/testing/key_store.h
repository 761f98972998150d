#pragma once

#include <algorithm>
#include <boost/asio/post.hpp>
#include <boost/asio/this_coro.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <cstdint>
#include <functional>
#include <string>
#include <string_view>
#include <utility>

#include "core/error.h"
#include "store/store.h"

namespace headrace {

/// A store that only lists: keys made by a function of their number, ascending, so that there may
/// be millions of them. Counts what it is asked.
class KeyStore final : public Store {
 public:
  std::uint64_t count = 0;
  std::function<std::string(std::uint64_t)> key_at;
  std::size_t page = 1000;            ///< Most keys of one request, as S3 has it.
  std::function<void()> before_list;  /// May change count and key_at.

  std::uint64_t requests = 0;
  std::uint64_t rounds = 0;  ///< Times that requests began while none was under way.
  std::size_t at_once = 0;   ///< Most requests under way together.

  Task<ListPage> list(std::string bucket, ListOptions options) override {
    ++requests;
    if (under_way_++ == 0) ++rounds;
    at_once = std::max(at_once, under_way_);
    co_await boost::asio::post(co_await boost::asio::this_coro::executor,
                               boost::asio::use_awaitable);
    --under_way_;
    if (before_list) before_list();
    co_return page_of(std::move(bucket), options);
  }

  Task<std::optional<Object>> get(ObjectKey, GetOptions) override { return none(); }
  Task<std::optional<ObjectInfo>> head(ObjectKey) override { return none(); }
  Task<std::vector<std::string>> list_buckets() override { return none(); }
  Task<std::optional<Etag>> put_stream(ObjectKey, ByteSource&, PutOptions) override {
    return none();
  }
  Task<bool> remove(ObjectKey, std::optional<Etag>) override { return none(); }
  Task<std::optional<Etag>> copy(ObjectKey, ObjectKey, PutOptions) override { return none(); }
  Task<std::optional<Tags>> tags(ObjectKey) override { return none(); }
  Task<bool> set_tags(ObjectKey, Tags) override { return none(); }

 private:
  struct Nothing {
    template <class T>
    operator Task<T>() const {  // NOLINT: whatever the call returns.
      throw Error(ErrorKind::kBug, "a KeyStore only lists");
    }
  };
  static Nothing none() { return {}; }

  ListPage page_of(std::string bucket, const ListOptions& options) const {
    const std::size_t most = std::min(options.limit, page);
    ListPage page;
    std::string last;
    for (std::uint64_t i = first_after(options); i < count; ++i) {
      std::string key = key_at(i);
      if (!key.starts_with(options.prefix)) break;
      const std::size_t slash =
          options.delimiter ? key.find(*options.delimiter, options.prefix.size()) : key.npos;
      const bool folds = slash != key.npos;
      if (folds && !page.prefixes.empty() && key.starts_with(page.prefixes.back())) continue;
      if (page.objects.size() + page.prefixes.size() == most) {
        page.next = std::move(last);
        break;
      }
      if (folds) {
        page.prefixes.push_back(key.substr(0, slash + 1));
        last = page.prefixes.back() + '\xff';
      } else {
        last = key;
        page.objects.push_back({{bucket, std::move(key)}, 1, {"e"}, {}, {}});
      }
    }
    return page;
  }

  std::uint64_t first_after(const ListOptions& options) const {
    std::uint64_t low = 0;
    std::uint64_t high = count;
    while (low < high) {
      const std::uint64_t middle = low + (high - low) / 2;
      const std::string key = key_at(middle);
      const bool before =
          key < options.prefix || (!options.start_after.empty() && key <= options.start_after);
      (before ? low : high) = before ? middle + 1 : middle;
    }
    return low;
  }

  std::size_t under_way_ = 0;
};

}  // namespace headrace
