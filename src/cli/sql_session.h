#pragma once

#include <cstdint>
#include <filesystem>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "app/resolver.h"
#include "cli/cli.h"
#include "query/query.h"

namespace headrace {

/// What the flags of `headrace sql` say; what is not given comes from the stack, else from
/// SqlLimits.
struct SqlFlags {
  std::optional<std::uint64_t> memory;
  std::optional<int> threads;
  std::optional<std::filesystem::path> temp;
  std::optional<std::uint64_t> temp_size;
  bool no_prune = false;
  bool report = false;  ///< Say on stderr which part of each table was read.
  bool write = false;
};

/// How a session shows rows.
struct SqlView {
  OutputFormat format = OutputFormat::kTable;
  std::size_t box_rows = 40;  ///< Of a box: the first and last of a longer result; 0 is all.
  std::size_t most_rows = 0;  ///< Of the other formats; 0 is all.
};

/// One engine and the stack's names, for the statements of one command or prompt.
class SqlSession {
 public:
  SqlSession(Cli& cli, SqlFlags flags);
  ~SqlSession();

  /// Runs statements one after the other and writes their rows to stdout, with a bar on stderr
  /// while one takes long.
  void show(const std::vector<std::string>& statements, const SqlView& view);
  /// Runs one statement into an object or file.
  void save(const std::string& statement, SaveTarget target);
  /// The rows of a statement of ours, as text.
  std::vector<std::vector<std::string>> rows(const std::string& statement);
  /// Tables and datasets of the stack.
  std::vector<std::string> names();
  /// Query::crawl, with a bar.
  Crawl crawl(const std::string& dataset, bool anew);

 private:
  Task<> run_all(std::vector<std::string> statements, SqlView view);
  Task<std::vector<SourceReport>> run(std::string statement, SqlView view);
  Task<Saved> run_saving(std::string statement, SaveTarget target);
  Task<Crawl> run_crawling(std::string dataset, bool anew);
  void report(const std::vector<SourceReport>& sources) const;

  Cli& cli_;
  SqlFlags flags_;
  std::unique_ptr<StackResolver> resolver_;
  std::unique_ptr<Query> query_;
};

}  // namespace headrace
