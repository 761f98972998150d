// ls cat cp mv rm tags stat: objects in any store.

#include <fmt/format.h>
#include <unistd.h>

#include <CLI/CLI.hpp>
#include <cstdio>

#include "cli/cli.h"
#include "cli/urls.h"
#include "core/json.h"
#include "core/size.h"

namespace headrace {
namespace {

constexpr std::size_t kPage = 1'000;

/// Calls `each` for all objects below a prefix, page by page.
template <class Each>
Task<> for_each_object(Store& store, ObjectKey prefix, Each each) {
  ListOptions options{.prefix = prefix.path, .limit = kPage};
  while (true) {
    const ListPage page = co_await store.list(prefix.bucket, options);
    for (const ObjectInfo& info : page.objects) co_await each(info);
    if (!page.next) co_return;
    options.start_after = *page.next;
  }
}

[[noreturn]] void no_such(const StoreUrl& url) {
  throw Exit(kFailed, fmt::format("no such object: {}", to_text(url)));
}

Task<> list_one(Cli& cli, StoreUrl url, bool recursive, RowWriter& rows) {
  Store& store = cli.stores().at(url.store);
  const auto row = [&](std::string name, std::optional<ObjectInfo> info) {
    const std::array cells{
        Cell::of_text(std::move(name)),
        info ? Cell::number(static_cast<std::int64_t>(info->size)) : Cell::null(),
        info ? Cell::of_text(format_time(info->modified)) : Cell::null(),
        info ? Cell::of_text(info->etag.value) : Cell::null()};
    rows.row(cells);
  };
  if (url.object.bucket.empty()) {
    for (const std::string& bucket : co_await store.list_buckets()) row(bucket + "/", {});
    co_return;
  }
  ListOptions options{.prefix = url.object.path, .limit = kPage};
  if (!recursive) options.delimiter = '/';
  bool any = false;
  while (true) {
    const ListPage page = co_await store.list(url.object.bucket, options);
    for (const std::string& prefix : page.prefixes) row(prefix, {});
    for (const ObjectInfo& info : page.objects) row(info.key.path, info);
    any = any || !page.objects.empty() || !page.prefixes.empty();
    if (!page.next) break;
    options.start_after = *page.next;
  }
  // "ls lake://b/folder" means the folder, as everybody expects of ls.
  const bool only_folder = !url.object.path.empty() && !url.object.path.ends_with('/');
  if (!any && !only_folder) co_return;
  if (!any) no_such(url);
}

void add_ls(CLI::App& app, Cli& cli) {
  auto* verb = app.add_subcommand("ls", "List buckets, or objects under a prefix");
  auto urls = std::make_shared<std::vector<std::string>>();
  auto recursive = std::make_shared<bool>(false);
  verb->add_option("url", *urls, "STORE://[BUCKET/[PREFIX]] or a local path");
  verb->add_flag("-r,--recursive", *recursive, "All objects below, not one level");
  verb->callback([&cli, urls, recursive] {
    cli.action = [&cli, urls, recursive] {
      auto rows = cli.rows({{"name"}, {"size", "", Align::kRight}, {"modified"}, {"etag"}});
      if (urls->empty()) {
        for (const std::string& name : cli.stores().names()) {
          const std::array cells{Cell::of_text(name + "://"), Cell::null(), Cell::null(),
                                 Cell::null()};
          rows->row(cells);
        }
      }
      for (const std::string& url : *urls) {
        cli.run(list_one(cli, read_url(url), *recursive, *rows));
      }
      rows->finish();
      return kOk;
    };
  });
}

Task<> cat_one(Cli& cli, StoreUrl url) {
  auto object = co_await cli.stores().at(url.store).get(url.object);
  if (!object) no_such(url);
  while (true) {
    const Bytes piece = co_await object->body->read();
    if (piece.empty()) co_return;
    write_out(piece);
  }
}

void add_cat(CLI::App& app, Cli& cli) {
  auto* verb = app.add_subcommand("cat", "Write objects to stdout, as they are stored");
  auto urls = std::make_shared<std::vector<std::string>>();
  verb->add_option("url", *urls)->required();
  verb->callback([&cli, urls] {
    cli.action = [&cli, urls] {
      for (const std::string& url : *urls) cli.run(cat_one(cli, read_url(url)));
      return kOk;
    };
  });
}

/// stdin as a body. Blocking reads are fine: nothing else runs in a verb.
class StdinSource final : public ByteSource {
 public:
  Task<Bytes> read() override {
    Bytes piece(1 << 20, '\0');
    piece.resize(std::fread(piece.data(), 1, piece.size(), stdin));
    if (std::ferror(stdin)) throw errno_error(errno, "read stdin");
    co_return piece;
  }
};

Task<bool> copy_one(Cli& cli, StoreUrl from, StoreUrl to) {
  Store& source = cli.stores().at(from.store);
  Store& target = cli.stores().at(to.store);
  if (from.store == to.store) {
    co_return (co_await source.copy(from.object, to.object, {})).has_value();
  }
  auto object = co_await source.get(from.object);
  if (!object) co_return false;
  PutOptions options{.metadata = object->info.metadata,
                     .tags = (co_await source.tags(from.object)).value_or(Tags{})};
  co_await target.put_stream(to.object, *object->body, std::move(options));
  co_return true;
}

struct CopyOptions {
  std::string from;
  std::string to;
  bool recursive = false;
  bool dry_run = false;
};

std::string file_name(const std::string& key) { return key.substr(key.rfind('/') + 1); }

/// Where one object goes: into the target if that is a folder, else to the target itself.
StoreUrl target_of(const StoreUrl& to, const std::string& name) {
  StoreUrl target = to;
  if (target.object.path.empty() || target.object.path.ends_with('/')) target.object.path += name;
  return target;
}

Task<std::size_t> copy_all(Cli& cli, const CopyOptions& options, bool move) {
  const StoreUrl from = read_url(options.from);
  const StoreUrl to = read_url(options.to);
  std::size_t count = 0;
  const auto one = [&](StoreUrl source, StoreUrl target) -> Task<> {
    ++count;
    if (source.store == target.store && source.object == target.object) {
      throw Exit(kUsage, fmt::format("{} onto itself", to_text(source)));
    }
    if (options.dry_run) {
      std::fprintf(stderr, "would %s %s -> %s\n", move ? "move" : "copy", to_text(source).c_str(),
                   to_text(target).c_str());
      co_return;
    }
    if (!co_await copy_one(cli, source, target)) no_such(source);
    if (move) co_await cli.stores().at(source.store).remove(source.object);
  };
  if (!options.recursive) {
    co_await one(from, target_of(to, file_name(from.object.path)));
    co_return count;
  }
  StoreUrl base = to;
  if (!base.object.path.empty() && !base.object.path.ends_with('/')) base.object.path += '/';
  const std::size_t cut = from.object.path.rfind('/') + 1;  // npos + 1 is 0.
  co_await for_each_object(cli.stores().at(from.store), from.object,
                           [&](const ObjectInfo& info) -> Task<> {
                             StoreUrl target = base;
                             target.object.path += info.key.path.substr(cut);
                             co_await one({from.store, info.key}, target);
                           });
  co_return count;
}

Task<> copy_stdin(Cli& cli, StoreUrl to) {
  StdinSource body;
  co_await cli.stores().at(to.store).put_stream(to.object, body, {});
}

void add_copy(CLI::App& app, Cli& cli, bool move) {
  auto* verb = app.add_subcommand(move ? "mv" : "cp", move ? "Move objects" : "Copy objects");
  auto options = std::make_shared<CopyOptions>();
  verb->add_option("from", options->from, move ? "" : "An object, a prefix with -r, or - for stdin")
      ->required();
  verb->add_option("to", options->to,
                   move ? "" : "An object, a folder (ends in /), or - for stdout")
      ->required();
  verb->add_flag("-r,--recursive", options->recursive, "Everything under the prefix");
  verb->add_flag("--dry-run", options->dry_run, "Say what would be done, change nothing");
  verb->callback([&cli, options, move] {
    cli.action = [&cli, options, move] {
      if (!move && options->from == "-") {
        cli.run(copy_stdin(cli, read_url(options->to)));
      } else if (!move && options->to == "-") {
        cli.run(cat_one(cli, read_url(options->from)));
      } else {
        const std::size_t count = cli.run(copy_all(cli, *options, move));
        if (options->recursive) {
          cli.log().info(move ? "objects moved" : "objects copied", {{"count", count}});
        }
        if (count == 0) throw Exit(kFailed, "nothing under " + options->from);
      }
      return kOk;
    };
  });
}

struct RemoveOptions {
  std::vector<std::string> urls;
  bool recursive = false;
  bool dry_run = false;
  bool yes = false;
};

Task<> remove_prefix(Cli& cli, StoreUrl url, const RemoveOptions& options, bool count_only,
                     std::size_t& objects, std::uint64_t& bytes) {
  Store& store = cli.stores().at(url.store);
  std::vector<std::string> paths;
  co_await for_each_object(store, url.object, [&](const ObjectInfo& info) -> Task<> {
    ++objects;
    bytes += info.size;
    if (count_only) co_return;
    if (options.dry_run) {
      std::fprintf(stderr, "would remove %s\n", to_text({url.store, info.key}).c_str());
      co_return;
    }
    paths.push_back(info.key.path);
    if (paths.size() < kPage) co_return;
    co_await store.remove_many(url.object.bucket, std::exchange(paths, {}));
  });
  if (!paths.empty()) co_await store.remove_many(url.object.bucket, std::move(paths));
}

int remove_all(Cli& cli, const RemoveOptions& options) {
  for (const std::string& text : options.urls) {
    const StoreUrl url = read_url(text);
    if (!options.recursive) {
      if (options.dry_run) {
        std::fprintf(stderr, "would remove %s\n", to_text(url).c_str());
      } else if (!cli.run(cli.stores().at(url.store).remove(url.object))) {
        no_such(url);
      }
      continue;
    }
    std::size_t objects = 0;
    std::uint64_t bytes = 0;
    if (!options.yes && !options.dry_run) {
      cli.run(remove_prefix(cli, url, options, true, objects, bytes));
      throw Exit(kUsage, fmt::format("{} objects ({}) under {} would be removed for good; say "
                                     "--yes to do it",
                                     objects, format_size(bytes), to_text(url)));
    }
    cli.run(remove_prefix(cli, url, options, false, objects, bytes));
    cli.log().info(options.dry_run ? "would remove" : "removed",
                   {{"objects", objects}, {"bytes", bytes}});
  }
  return kOk;
}

void add_rm(CLI::App& app, Cli& cli) {
  auto* verb = app.add_subcommand("rm", "Remove objects");
  auto options = std::make_shared<RemoveOptions>();
  verb->add_option("url", options->urls)->required();
  verb->add_flag("-r,--recursive", options->recursive, "Everything under the prefix; needs --yes");
  verb->add_flag("--dry-run", options->dry_run, "Say what would be done, change nothing");
  verb->add_flag("--yes", options->yes, "Do it without asking");
  verb->callback(
      [&cli, options] { cli.action = [&cli, options] { return remove_all(cli, *options); }; });
}

Task<Tags> change_tags(Cli& cli, StoreUrl url, Tags set, std::vector<std::string> unset) {
  Store& store = cli.stores().at(url.store);
  auto tags = co_await store.tags(url.object);
  if (!tags) no_such(url);
  if (set.empty() && unset.empty()) co_return *tags;
  for (auto& [name, value] : set) (*tags)[name] = value;
  for (const std::string& name : unset) tags->erase(name);
  if (!co_await store.set_tags(url.object, *tags)) no_such(url);
  co_return *tags;
}

void add_tags(CLI::App& app, Cli& cli) {
  auto* verb = app.add_subcommand("tags", "Show or change an object's tags");
  auto url = std::make_shared<std::string>();
  auto set = std::make_shared<std::vector<std::string>>();
  auto unset = std::make_shared<std::vector<std::string>>();
  verb->add_option("url", *url)->required();
  verb->add_option("--set", *set, "NAME=VALUE, may be repeated");
  verb->add_option("--unset", *unset, "NAME, may be repeated");
  verb->callback([&cli, url, set, unset] {
    cli.action = [&cli, url, set, unset] {
      Tags wanted;
      for (const std::string& pair : *set) {
        const std::size_t equals = pair.find('=');
        if (equals == std::string::npos || equals == 0) {
          throw Exit(kUsage, fmt::format("--set {}: expected NAME=VALUE", pair));
        }
        wanted[pair.substr(0, equals)] = pair.substr(equals + 1);
      }
      auto rows = cli.rows({{"name"}, {"value"}});
      for (const auto& [name, value] :
           cli.run(change_tags(cli, read_url(*url), std::move(wanted), *unset))) {
        const std::array cells{Cell::of_text(name), Cell::of_text(value)};
        rows->row(cells);
      }
      rows->finish();
      return kOk;
    };
  });
}

void add_stat(CLI::App& app, Cli& cli) {
  auto* verb = app.add_subcommand("stat", "Show what a store knows of objects");
  auto urls = std::make_shared<std::vector<std::string>>();
  verb->add_option("url", *urls)->required();
  verb->callback([&cli, urls] {
    cli.action = [&cli, urls] {
      auto rows = cli.rows(
          {{"name"}, {"size", "", Align::kRight}, {"modified"}, {"etag"}, {"metadata"}, {"tags"}});
      const auto object = [](const auto& map) {
        JsonWriter json;
        json.begin_object();
        for (const auto& [name, value] : map) json.key(name).string(value);
        json.end_object();
        return Cell::literal(std::move(json).text());
      };
      for (const std::string& text : *urls) {
        const StoreUrl url = read_url(text);
        Store& store = cli.stores().at(url.store);
        const auto info = cli.run(store.head(url.object));
        if (!info) no_such(url);
        const auto tags = cli.run(store.tags(url.object));
        const std::array cells{Cell::of_text(to_text(url)),
                               Cell::number(static_cast<std::int64_t>(info->size)),
                               Cell::of_text(format_time(info->modified)),
                               Cell::of_text(info->etag.value),
                               object(info->metadata),
                               object(tags.value_or(Tags{}))};
        rows->row(cells);
      }
      rows->finish();
      return kOk;
    };
  });
}

}  // namespace

void add_object_verbs(CLI::App& app, Cli& cli) {
  add_ls(app, cli);
  add_cat(app, cli);
  add_copy(app, cli, false);
  add_copy(app, cli, true);
  add_rm(app, cli);
  add_tags(app, cli);
  add_stat(app, cli);
}

}  // namespace headrace
