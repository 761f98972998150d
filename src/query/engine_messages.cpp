#include "query/engine_messages.h"

#include <algorithm>
#include <array>
#include <utility>

namespace headrace {
namespace {

struct Advice {
  std::string_view start;  // How the message starts.
  std::string_view holds;  // What it holds, if anything.
  std::string_view
      before;  // Where the engine's own advice begins; the first of them that is there.
  std::string_view ours;
};

constexpr std::string_view kTypes =
    "The type was taken from the rows seen first. `headrace dataset crawl` keeps types that fit "
    "all "
    "rows of a dataset; `columns:` of the dataset, or read_json(..., columns = {...}), states "
    "them.";

constexpr std::array kAdvice = {
    Advice{"Out of Memory Error", "", "\n",
           "The query needs more than it may hold. Allow more (--memory, or sql: memory: in the "
           "stack), or more room to spill (--temp, --temp-size), or ask for less at once."},
    Advice{"", "JSON transform error", "\nTry ", kTypes},
    Advice{"", "CSV Error on Line", "\nPossible solutions", kTypes},
    Advice{"", "failed to cast column", "\nThis can happen", kTypes},
};

}  // namespace

std::string with_our_advice(std::string_view message) {
  for (const Advice& advice : kAdvice) {
    if (!message.starts_with(advice.start) || !message.contains(advice.holds)) continue;
    const std::size_t end = message.find(advice.before);
    std::string out(message.substr(0, end));
    while (out.ends_with('\n')) out.pop_back();
    // What the reader of CSV says behind its advice is where it was.
    const std::size_t file = message.find("\n  file = ");
    if (end != std::string_view::npos && file != std::string_view::npos && file > end) {
      const std::size_t line_end = message.find('\n', file + 1);
      out += message.substr(file, line_end == std::string_view::npos ? line_end : line_end - file);
    }
    return out + "\n" + std::string(advice.ours);
  }
  return std::string(message);
}

std::string with_object_names(
    std::string_view message,
    const std::function<std::optional<std::string>(std::string_view)>& name_of) {
  std::string out;
  std::size_t copied = 0;
  for (std::size_t at = 0; at < message.size(); ++at) {
    const char quote = message[at];
    if (quote != '"' && quote != '\'') continue;
    const std::size_t end = message.find(quote, at + 1);
    if (end == std::string_view::npos) break;
    const auto name = name_of(message.substr(at + 1, end - at - 1));
    if (!name) continue;
    out += message.substr(copied, at + 1 - copied);
    out += *name;
    copied = end;
    at = end;
  }
  constexpr std::string_view kFile = "\n  file = ";
  const std::size_t file = message.find(kFile, copied);
  if (file != std::string_view::npos) {
    const std::size_t from = file + kFile.size();
    const std::size_t end = std::min(message.find('\n', from), message.size());
    if (const auto name = name_of(message.substr(from, end - from))) {
      out += message.substr(copied, from - copied);
      out += *name;
      copied = end;
    }
  }
  return out + std::string(message.substr(copied));
}

}  // namespace headrace
