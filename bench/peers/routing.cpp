// What bench/peers/routing asks of our side: it writes the inputs that all programs read, runs the
// matcher over them, and makes up event x rule-set pairs with our answers.
//
//   bench_routing inputs DIR LOTS      writes DIR/*.events and DIR/*.rules, a line each; LOTS are
//                                      the city lots as one GeoJSON text
//   bench_routing run RULES EVENTS json|decoded CHECKED SECONDS
//   bench_routing pairs SEED COUNT     to stdout: per set its rules ("R"), then events ("E") with
//                                      the ids that match
//   bench_routing ask < ASKED          for each line of a rule, a tab and an event: true or false
#include <fmt/format.h>
#include <malloc.h>

#include <cstdlib>
#include <ctime>
#include <fstream>
#include <iostream>
#include <set>

#include "core/error.h"
#include "route/bench_inputs.h"
#include "route/generate.h"
#include "route/matcher.h"

namespace headrace {
namespace {

/// CPU time of this thread: on a core that nobody else uses, the time it takes.
double cpu_seconds() {
  timespec now{};
  ::clock_gettime(CLOCK_THREAD_CPUTIME_ID, &now);
  return static_cast<double>(now.tv_sec) + static_cast<double>(now.tv_nsec) * 1e-9;
}

std::vector<std::string> read_lines(const std::string& path) {
  std::ifstream in(path);
  if (!in) throw Error(ErrorKind::kInvalid, fmt::format("cannot read {}", path));
  std::vector<std::string> out;
  for (std::string line; std::getline(in, line);) out.push_back(line);
  return out;
}

void write_lines(const std::string& path, const std::vector<std::string>& lines) {
  std::ofstream out(path);
  for (const std::string& line : lines) out << line << '\n';
  if (!out.flush()) throw Error(ErrorKind::kInvalid, fmt::format("cannot write {}", path));
}

/// A lot without the spaces between its tokens, which are a third of the file.
std::string compact(const std::string& lot) {
  std::string out;
  bool inside = false;  // A string; none in the file has an escape.
  for (const char c : lot) {
    if (c == '"') inside = !inside;
    if (c != ' ' || inside) out.push_back(c);
  }
  return out;
}

/// The text of a field of a city lot.
std::string text_of(const std::string& lot, const std::string& name) {
  const std::string start = fmt::format(R"("{}":")", name);
  const std::size_t at = lot.find(start);
  if (at == std::string::npos) return "";
  return lot.substr(at + start.size(), lot.find('"', at + start.size()) - at - start.size());
}

std::string on(const std::string& field, const std::string& condition) {
  return fmt::format(R"({{"properties":{{"{}":[{}]}}}})", field, condition);
}

/// Five rules of one kind, each on another lot's value.
std::vector<std::string> of_kind(const std::string& kind, const std::vector<std::string>& lots) {
  std::vector<std::string> out;
  for (std::size_t i = 0; i < 5; ++i) {
    const std::string& lot = lots[i * lots.size() / 5];
    const std::string block = text_of(lot, "MAPBLKLOT");
    const std::string street = text_of(lot, "STREET");
    if (kind == "exact") {
      out.push_back(on("MAPBLKLOT", fmt::format("\"{}\"", block)));
    } else if (kind == "prefix") {
      out.push_back(on("STREET", fmt::format(R"({{"prefix":"{}"}})", street.substr(0, 2))));
    } else if (kind == "suffix") {
      out.push_back(on("STREET", fmt::format(R"({{"suffix":"{}"}})", street.substr(1))));
    } else if (kind == "anything-but") {
      out.push_back(on("STREET", fmt::format(R"({{"anything-but":["{}"]}})", street)));
    } else if (kind == "ignore-case") {
      out.push_back(on("STREET", fmt::format(R"({{"equals-ignore-case":"{}"}})", street)));
    } else if (kind == "wildcard") {
      out.push_back(on("MAPBLKLOT", fmt::format(R"({{"wildcard":"*{}*{}"}})", block.substr(1, 2),
                                                block.substr(5))));
    } else {
      const double low = -122.5 + 0.02 * static_cast<double>(i);
      out.push_back(fmt::format(
          R"({{"geometry":{{"coordinates":[{{"numeric":[">",{},"<",{}]}}]}}}})", low, low + 0.01));
    }
  }
  return out;
}

std::string mixed_rule(std::size_t i, Random& random, const std::vector<std::string>& lots) {
  std::size_t which = random.below(lots.size());
  while (text_of(lots[which], "STREET") == "UNKNOWN") which = random.below(lots.size());
  const std::string& lot = lots[which];
  const auto get = [&](const char* name) { return text_of(lot, name); };
  const std::string block = get("MAPBLKLOT");
  switch (i % 8) {
    case 0:
      return on("MAPBLKLOT", fmt::format("\"{}\"", block));
    case 1:
      return fmt::format(R"({{"properties":{{"STREET":["{}"],"LOT_NUM":["{}"]}}}})", get("STREET"),
                         get("LOT_NUM"));
    case 2:
      return fmt::format(R"({{"properties":{{"BLKLOT":[{{"prefix":"{}"}}],"ODD_EVEN":["{}"]}}}})",
                         block.substr(0, 6), get("ODD_EVEN"));
    case 3:
      return fmt::format(R"({{"properties":{{"BLKLOT":[{{"suffix":"{}"}}],"STREET":["{}"]}}}})",
                         block.substr(3), get("STREET"));
    case 4:
      return fmt::format(R"({{"properties":{{"MAPBLKLOT":[{{"wildcard":"{}*{}"}}]}}}})",
                         block.substr(0, 4), block.substr(6));
    case 5:
      return fmt::format(
          R"({{"properties":{{"BLOCK_NUM":["{}"],"LOT_NUM":[{{"anything-but":"{}"}}],)"
          R"("TO_ST":["{}"]}}}})",
          get("BLOCK_NUM"), get("LOT_NUM"), get("TO_ST"));
    case 6:
      return fmt::format(
          R"({{"properties":{{"STREET":[{{"equals-ignore-case":"{}"}}],"LOT_NUM":["{}"],)"
          R"("ST_TYPE":[{{"exists":true}}]}}}})",
          get("STREET"), get("LOT_NUM"));
    default:
      return fmt::format(R"({{"properties":{{"$or":[{{"BLKLOT":["{}"]}},{{"LOT_NUM":["{}"],)"
                         R"("BLOCK_NUM":["{}"]}}]}},"type":["Feature"]}})",
                         get("BLKLOT"), get("LOT_NUM"), get("BLOCK_NUM"));
  }
}

std::vector<std::string> city_lots(const std::string& path) {
  std::vector<std::string> out;
  for (std::string& line : read_lines(path)) {
    if (line.starts_with("{ \"type\": \"Feature\"")) out.push_back(compact(line));
  }
  return out;
}

void write_inputs(const std::string& folder, const std::string& lots_path) {
  std::vector<std::string> events;
  for (const Event& event : bench::events(20'000)) events.push_back(to_json(event));
  write_lines(folder + "/s3.events", events);
  for (const std::uint64_t count : {5, 1000, 10'000, 100'000}) {
    write_lines(fmt::format("{}/s3-{}.rules", folder, count), bench::patterns(count));
  }
  std::vector<std::string> lots = city_lots(lots_path);
  SeededRandom random(3);
  lots.resize(std::min<std::size_t>(lots.size(), 30'000));  // 567 bytes each on average.
  for (const std::size_t count : {1000UL, 10'000UL, 100'000UL}) {
    std::vector<std::string> rules;
    for (std::size_t i = 0; i < count; ++i) rules.push_back(mixed_rule(i, random, lots));
    write_lines(fmt::format("{}/lots-{}.rules", folder, count), rules);
  }
  for (const char* kind :
       {"exact", "prefix", "suffix", "anything-but", "ignore-case", "wildcard", "numeric"}) {
    write_lines(fmt::format("{}/lots-{}.rules", folder, kind), of_kind(kind, lots));
  }
  write_lines(folder + "/lots.events", lots);
}

/// FNV-1a over the ids that match each event: two programs with the same hash agree on all.
class MatchHash {
 public:
  void add(const std::vector<std::uint32_t>& ids) {
    for (const std::uint32_t id : ids) {
      for (const char c : fmt::format("{},", id)) byte(c);
    }
    byte('\n');
    matches_ += ids.size();
  }
  std::string text() const {
    return fmt::format(R"("matches":{},"hash":"{:016x}")", matches_, hash_);
  }

 private:
  void byte(char c) { hash_ = (hash_ ^ static_cast<unsigned char>(c)) * 0x100000001B3U; }
  std::uint64_t hash_ = 0xCBF29CE484222325U;
  std::size_t matches_ = 0;
};

template <class Input>
Input arrive(const std::string& text) {
  if constexpr (std::is_same_v<Input, Event>) {
    return event_from_json(text);
  } else {
    return text;
  }
}

template <class Input>
std::string answers(const Matcher& matcher, std::span<const std::string> texts) {
  std::vector<std::uint32_t> matched;
  MatchHash hash;
  for (const std::string& text : texts) {
    matcher.match(arrive<Input>(text), matched);
    hash.add(matched);
  }
  return hash.text();
}

/// Events per second. Only matching is timed: a decoded event is matched soon after it was decoded,
/// as it would be, and not when it has left the caches.
template <class Input>
double rate(const Matcher& matcher, const std::vector<std::string>& texts, double seconds) {
  // Few enough to stay in the cache where they are made; the clock costs as much as an event.
  constexpr std::size_t kAtATime = std::is_same_v<Input, Event> ? 200 : 2000;
  std::vector<std::uint32_t> matched;
  std::vector<Input> events;
  std::size_t next = 0;
  double best = 0;
  for (int round = 0; round < 3; ++round) {
    double used = 0;
    std::size_t count = 0;
    while (used < seconds / 3) {
      events.clear();
      for (std::size_t i = 0; i < kAtATime; ++i) {
        events.push_back(arrive<Input>(texts[next]));
        if (++next == texts.size()) next = 0;
      }
      const double start = cpu_seconds();
      for (const Input& event : events) matcher.match(event, matched);
      used += cpu_seconds() - start;
      count += kAtATime;
    }
    best = std::max(best, static_cast<double>(count) / used);
  }
  return best;
}

template <class Input>
void measure(const std::string& rules_path, const std::string& events_path, std::size_t checked,
             double seconds) {
  const auto lines = read_lines(rules_path);
  const auto texts = read_lines(events_path);
  const std::size_t before = ::mallinfo2().uordblks + ::mallinfo2().hblkhd;
  const double start = cpu_seconds();
  std::vector<Rule> rules;
  for (std::uint32_t i = 0; i < lines.size(); ++i) rules.push_back({i, Pattern::parse(lines[i])});
  const double parsed = cpu_seconds();
  const Matcher matcher(std::move(rules));
  const double compiled = cpu_seconds();
  const std::size_t after = ::mallinfo2().uordblks + ::mallinfo2().hblkhd;
  const auto first = std::span(texts).first(std::min(checked, texts.size()));
  const std::string told = answers<Input>(matcher, first);
  fmt::print(R"({{"rate":{:.0f},{},"parse_s":{:.3f},"compile_s":{:.3f},"mib":{:.1f}}})"
             "\n",
             rate<Input>(matcher, texts, seconds), told, parsed - start, compiled - parsed,
             static_cast<double>(after - before) / 1048576);
}

void pairs(std::uint64_t seed, std::uint64_t count) {
  constexpr std::uint32_t kRules = 12;
  constexpr std::uint64_t kEvents = 12;
  SeededRandom random(seed);
  for (std::uint64_t done = 0; done < count;) {
    std::vector<Rule> rules;
    for (std::uint32_t id = 0; id < kRules; ++id) {
      const std::string pattern = generate::pattern(random);
      fmt::print("R{}\n", pattern);
      rules.push_back({id, Pattern::parse(pattern)});
    }
    const Matcher matcher(std::move(rules));
    std::vector<std::uint32_t> matched;
    for (std::uint64_t i = 0; i < kEvents && done < count; ++i, ++done) {
      const std::string event = generate::event(random);
      matcher.match(event, matched);
      fmt::print("E{}\t{}\n", fmt::join(matched, ","), event);
    }
  }
}

void ask() {
  std::vector<std::uint32_t> matched;
  for (std::string line; std::getline(std::cin, line);) {
    const std::size_t tab = line.find('\t');
    const Matcher matcher({{0, Pattern::parse(line.substr(0, tab))}});
    matcher.match(line.substr(tab + 1), matched);
    fmt::print("{}\n", !matched.empty());
  }
}

}  // namespace
}  // namespace headrace

int main(int argc, char** argv) {
  const std::vector<std::string> args(argv + 1, argv + argc);
  try {
    if (args.size() == 3 && args[0] == "inputs") {
      headrace::write_inputs(args[1], args[2]);
    } else if (args.size() == 6 && args[0] == "run") {
      const auto measure = args[3] == "json" ? headrace::measure<std::string_view>
                                             : headrace::measure<headrace::Event>;
      measure(args[1], args[2], std::stoul(args[4]), std::stod(args[5]));
    } else if (args.size() == 3 && args[0] == "pairs") {
      headrace::pairs(std::stoull(args[1]), std::stoull(args[2]));
    } else if (args.size() == 1 && args[0] == "ask") {
      headrace::ask();
    } else {
      std::cerr << "bench_routing inputs|run|pairs|ask ...: see the head of its source\n";
      return 2;
    }
    return 0;
  } catch (const std::exception& error) {
    std::cerr << "bench_routing: " << error.what() << "\n";
    return 1;
  }
}
