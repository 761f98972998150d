#include "cli/api_client.h"

#include <fmt/format.h>
#include <simdjson.h>

#include "app/parts.h"
#include "core/random.h"
#include "core/retry.h"
#include "serve/control_socket.h"

namespace headrace {
namespace {

/// A hundred pauses of 50 ms on average.
constexpr RetryPolicy kEngineBegins{
    .attempts = 101,
    .backoff = {.base = std::chrono::milliseconds(100), .cap = std::chrono::milliseconds(100)}};

Cell cell_of(simdjson::dom::element value) {
  if (value.is_null()) return Cell::null();
  if (value.is_string()) return Cell::of_text(std::string(std::string_view(value)));
  return Cell::literal(simdjson::minify(value));
}

std::string message_of(const std::string& body) {
  simdjson::dom::parser parser;
  std::string_view message;
  if (parser.parse(body)["error"]["message"].get(message)) return body;
  return std::string(message);
}

}  // namespace

std::string call_api(Cli& cli, const ApiRequest& request) {
  const StackFile& stack = cli.stack();
  // An engine that has just begun, or is about to end, has the ledger while nobody hears its
  // socket.
  auto ask = [&]() -> Task<ApiResponse> {
    if (auto answer = ask_engine(stack.state / "control.sock", request)) co_return *answer;
    std::unique_ptr<Ledger> ledger;
    std::optional<std::string> in_use;
    try {
      ledger = open_ledger(stack, real_clock(), cli.log());
    } catch (const Error& error) {
      if (error.kind() != ErrorKind::kConflict) throw;
      in_use = error.what();
    }
    if (in_use) throw Error(ErrorKind::kTransient, *in_use);
    Api api(*ledger, real_clock());
    ApiResponse answer = co_await api.handle(request);
    ledger->close();
    co_return answer;
  };
  const ApiResponse answer = cli.run(with_retry(kEngineBegins, real_clock(), real_random(), ask));
  if (answer.status == 200) return answer.body;
  throw Exit(answer.status == 400 ? kUsage : kFailed, message_of(answer.body));
}

std::size_t print_items(Cli& cli, ApiRequest request, std::size_t limit,
                        const std::vector<Column>& columns) {
  auto rows = cli.rows(columns);
  std::size_t given = 0;
  simdjson::dom::parser parser;
  while (given < limit) {
    request.query["limit"] = std::to_string(std::min<std::size_t>(limit - given, 1'000));
    const std::string body = call_api(cli, request);
    const simdjson::dom::element page = parser.parse(body);
    for (const auto item : page["items"].get_array()) {
      std::vector<Cell> cells;
      for (const Column& column : columns) {
        simdjson::dom::element value;
        const bool there = item[column.name].get(value) == simdjson::SUCCESS;
        cells.push_back(there ? cell_of(value) : Cell::null());
      }
      rows->row(cells);
      ++given;
    }
    simdjson::dom::element next;
    if (page["next"].get(next) != simdjson::SUCCESS) break;
    request.query["after"] =
        next.is_string() ? std::string(std::string_view(next)) : simdjson::minify(next);
  }
  rows->finish();
  return given;
}

void print_object(Cli& cli, const std::string& json) {
  if (cli.format() != OutputFormat::kTable) {
    write_out(json + "\n");
    return;
  }
  auto rows = cli.rows({{"field"}, {"value"}});
  simdjson::dom::parser parser;
  for (const auto [key, value] : parser.parse(json).get_object()) {
    const std::array cells{Cell::of_text(std::string(key)), cell_of(value)};
    rows->row(cells);
  }
  rows->finish();
}

}  // namespace headrace
