#include "cli/line_editor.h"

#include <fcntl.h>
#include <histedit.h>
#include <langinfo.h>
#include <poll.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <climits>
#include <clocale>
#include <csignal>
#include <cstdio>
#include <cstring>
#include <cwchar>
#include <fstream>

#include "cli/cli.h"
#include "core/error.h"

namespace headrace {
namespace {

namespace fs = std::filesystem;

constexpr int kMostEntries = 2'000;
constexpr std::size_t kMostShown = 200;  // Of the choices that Tab finds.

// Signals that came while a line is read, and a pipe that wakes who waits for a key: the signal may
// come to any thread.
volatile std::sig_atomic_t interrupted = 0;
volatile std::sig_atomic_t ended = 0;
volatile std::sig_atomic_t continued = 0;
int wake[2] = {-1, -1};

void note_signal(int signal) {
  const int code = errno;
  if (signal == SIGINT) {
    interrupted = 1;
  } else if (signal == SIGCONT) {
    continued = 1;
  } else if (signal != SIGWINCH) {
    ended = 1;
  }
  const ssize_t written = ::write(wake[1], "", 1);  // A full pipe wakes as well.
  (void)written;
  errno = code;
}

/// Our handlers while a line is read.
class ReadingSignals {
 public:
  ReadingSignals() {
    interrupted = 0;
    ended = 0;
    continued = 0;
    if (wake[0] < 0 && ::pipe2(wake, O_CLOEXEC | O_NONBLOCK) != 0) {
      throw errno_error(errno, "make a pipe");
    }
    struct sigaction action{};
    action.sa_handler = note_signal;
    action.sa_flags = SA_RESTART;
    for (std::size_t i = 0; i < std::size(kSignals); ++i) {
      ::sigaction(kSignals[i], &action, &before_[i]);
    }
  }
  ~ReadingSignals() {
    for (std::size_t i = 0; i < std::size(kSignals); ++i) {
      ::sigaction(kSignals[i], &before_[i], nullptr);
    }
  }
  ReadingSignals(const ReadingSignals&) = delete;
  ReadingSignals& operator=(const ReadingSignals&) = delete;

 private:
  static constexpr int kSignals[] = {SIGINT, SIGTERM, SIGHUP, SIGCONT, SIGWINCH};
  struct sigaction before_[std::size(kSignals)]{};
};

std::string escaped(const std::string& entry) {
  std::string out;
  for (const char c : entry) {
    if (c == '\n') {
      out += "\\n";
    } else if (c == '\\') {
      out += "\\\\";
    } else {
      out += c;
    }
  }
  return out;
}

std::string unescaped(const std::string& line) {
  std::string out;
  for (std::size_t i = 0; i < line.size(); ++i) {
    if (line[i] == '\\' && i + 1 < line.size()) {
      out += line[++i] == 'n' ? '\n' : line[i];
    } else {
      out += line[i];
    }
  }
  return out;
}

/// Text of other than ASCII letters is edited by its characters, not its bytes.
void use_utf8() {
  std::setlocale(LC_CTYPE, "");
  if (std::strcmp(nl_langinfo(CODESET), "UTF-8") != 0) std::setlocale(LC_CTYPE, "C.UTF-8");
}

char lower_case(char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c; }

}  // namespace

class LineEditor::Impl {
 public:
  Impl(fs::path file, Complete complete) : complete_(std::move(complete)), file_(std::move(file)) {
    use_utf8();
    out_ = on_terminal(STDOUT_FILENO) ? stdout : stderr;
    editor_ = el_init("headrace", stdin, out_, stderr);
    history_ = history_init();
    HistEvent event;
    history(history_, &event, H_SETSIZE, kMostEntries);
    history(history_, &event, H_SETUNIQUE, 1);
    el_set(editor_, EL_CLIENTDATA, this);
    el_set(editor_, EL_SIGNAL, 0);
    el_set(editor_, EL_EDITOR, "emacs");
    el_set(editor_, EL_HIST, history, history_);
    el_set(editor_, EL_GETCFN, &Impl::read_character);
    el_set(editor_, EL_PROMPT, &Impl::prompt_of);
    el_set(editor_, EL_ADDFN, "headrace-complete", "Complete the word", &Impl::on_tab);
    el_set(editor_, EL_BIND, "\t", "headrace-complete", nullptr);
    el_set(editor_, EL_BIND, "^R", "em-inc-search-prev", nullptr);
    load();
  }
  ~Impl() {
    history_end(history_);
    el_end(editor_);
  }
  Impl(const Impl&) = delete;
  Impl& operator=(const Impl&) = delete;

  Outcome read(const std::string& prompt, std::string& line) {
    const ReadingSignals signals;
    prompt_ = prompt;
    // Before the prompt is there: a Ctrl-D in between would be the line discipline's, and lost.
    el_set(editor_, EL_PREP_TERM, 1);
    int count = 0;
    const char* text = el_gets(editor_, &count);
    if (interrupted != 0 || ended != 0) {
      el_set(editor_, EL_PREP_TERM, 0);
      el_reset(editor_);
      std::fputs(ended != 0 ? "\n" : "^C\n", out_);
      return ended != 0 ? Outcome::kEnd : Outcome::kInterrupted;
    }
    if (text == nullptr || count <= 0) {
      std::fputs("\n", out_);
      return Outcome::kEnd;
    }
    line.assign(text, static_cast<std::size_t>(count));
    while (line.ends_with('\n') || line.ends_with('\r')) line.pop_back();
    return Outcome::kLine;
  }

  void remember(const std::string& entry) {
    enter(entry);
    if (file_.empty()) return;
    const int file = ::open(file_.c_str(), O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC, 0600);
    if (file < 0) return;  // No history is no reason to stop.
    const std::string line = escaped(entry) + "\n";
    if (::write(file, line.data(), line.size()) < 0) file_.clear();
    ::close(file);
  }

 private:
  static Impl& of(EditLine* editor) {
    void* data = nullptr;
    el_get(editor, EL_CLIENTDATA, &data);
    return *static_cast<Impl*>(data);
  }

  static char* prompt_of(EditLine* editor) { return of(editor).prompt_.data(); }

  /// One character of the terminal's UTF-8; 0 at the end, -1 if a signal came.
  static int read_character(EditLine* editor, wchar_t* out) {
    char bytes[MB_LEN_MAX];
    std::size_t have = 0;
    for (;;) {
      const int got = read_byte(editor, bytes[have]);
      if (got <= 0) return got;
      ++have;
      std::mbstate_t state{};
      const std::size_t used = std::mbrtowc(out, bytes, have, &state);
      if (used == 0 || used <= have) return 1;
      // Bytes that make no character are left out.
      if (used == static_cast<std::size_t>(-1) || have == sizeof bytes) have = 0;
    }
  }

  static int read_byte(EditLine* editor, char& byte) {
    for (;;) {
      if (interrupted != 0 || ended != 0) return -1;
      pollfd inputs[] = {{.fd = STDIN_FILENO, .events = POLLIN, .revents = 0},
                         {.fd = wake[0], .events = POLLIN, .revents = 0}};
      if (::poll(inputs, 2, -1) < 0) continue;
      if (inputs[1].revents != 0) {
        char drained[64];
        while (::read(wake[0], drained, sizeof drained) > 0) {
        }
        el_resize(editor);
        if (continued != 0) el_set(editor, EL_PREP_TERM, 1);
        continued = 0;
        continue;
      }
      const ssize_t got = ::read(STDIN_FILENO, &byte, 1);
      if (got < 0 && errno == EINTR) continue;
      return got > 0 ? 1 : 0;
    }
  }

  static unsigned char on_tab(EditLine* editor, int) {
    Impl& self = of(editor);
    const LineInfo* info = el_line(editor);
    const std::string before(info->buffer, info->cursor);
    const Completions found =
        self.complete_(before, std::string_view(info->cursor, info->lastchar));
    if (found.choices.empty() || found.start > before.size()) return CC_REFRESH_BEEP;
    const std::string word = before.substr(found.start);
    std::string put = common_start(found.choices);
    if (found.choices.size() == 1) {
      put = found.choices[0] + " ";
    } else if (put.size() <= word.size()) {
      self.list(found.choices);
      return CC_REDISPLAY;
    }
    // Counted in characters, as the editor does.
    const auto characters = std::ranges::count_if(
        word, [](char c) { return (static_cast<unsigned char>(c) & 0xC0) != 0x80; });
    el_deletestr(editor, static_cast<int>(characters));
    return el_insertstr(editor, put.c_str()) == 0 ? CC_REFRESH : CC_ERROR;
  }

  void list(const std::vector<std::string>& choices) const {
    std::vector<std::string> shown = choices;
    const bool more = shown.size() > kMostShown;
    if (more) shown.resize(kMostShown);
    std::fprintf(out_, "\n%s%s", in_columns(shown, terminal_width()).c_str(),
                 more ? "... and more\n" : "");
  }

  void enter(const std::string& entry) {
    HistEvent event;
    history(history_, &event, H_ENTER, entry.c_str());
  }

  void load() {
    if (file_.empty()) return;
    std::error_code failed;
    fs::create_directories(file_.parent_path(), failed);
    std::ifstream in(file_);
    std::vector<std::string> entries;
    for (std::string line; std::getline(in, line);) entries.push_back(unescaped(line));
    const std::size_t skip =
        entries.size() > kMostEntries ? entries.size() - kMostEntries : std::size_t{0};
    for (std::size_t i = skip; i < entries.size(); ++i) enter(entries[i]);
    if (skip > kMostEntries)
      shorten({entries.begin() + static_cast<std::ptrdiff_t>(skip), entries.end()});
  }

  /// Leaves the newest entries, once the file has grown to twice what is used of it.
  void shorten(const std::vector<std::string>& entries) const {
    const fs::path aside = file_.string() + ".part";
    std::ofstream out(aside);
    fs::permissions(aside, fs::perms::owner_read | fs::perms::owner_write);
    for (const std::string& entry : entries) out << escaped(entry) << '\n';
    out.close();
    std::error_code ignored;
    if (out) fs::rename(aside, file_, ignored);
  }

  Complete complete_;
  fs::path file_;
  std::FILE* out_ = nullptr;
  EditLine* editor_ = nullptr;
  History* history_ = nullptr;
  std::string prompt_;
};

LineEditor::LineEditor(fs::path history, Complete complete)
    : impl_(std::make_unique<Impl>(std::move(history), std::move(complete))) {}
LineEditor::~LineEditor() = default;

LineEditor::Outcome LineEditor::read(const std::string& prompt, std::string& line) {
  return impl_->read(prompt, line);
}

void LineEditor::remember(const std::string& entry) { impl_->remember(entry); }

std::string common_start(const std::vector<std::string>& choices) {
  if (choices.empty()) return "";
  std::string start = choices[0];
  for (const std::string& choice : choices) {
    std::size_t same = 0;
    while (same < start.size() && same < choice.size() &&
           lower_case(start[same]) == lower_case(choice[same])) {
      ++same;
    }
    start.resize(same);
  }
  return start;
}

std::string in_columns(const std::vector<std::string>& choices, std::size_t width) {
  std::size_t widest = 1;
  for (const std::string& choice : choices) widest = std::max(widest, choice.size());
  const std::size_t columns = std::max<std::size_t>(1, (width == 0 ? 80 : width) / (widest + 2));
  const std::size_t rows = (choices.size() + columns - 1) / columns;
  std::string out;
  for (std::size_t row = 0; row < rows; ++row) {
    for (std::size_t i = row; i < choices.size(); i += rows) {
      out += choices[i];
      if (i + rows < choices.size()) out.append(widest + 2 - choices[i].size(), ' ');
    }
    out += '\n';
  }
  return out;
}

}  // namespace headrace
