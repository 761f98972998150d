"""The prompt of `headrace sql`, typed at through a terminal."""
import os
import pathlib
import pty
import re
import select
import signal
import subprocess
import struct
import fcntl
import termios
import time

import harness

STACK = """\
version: 1
name: lake
stores: { lake: { kind: file, path: ./buckets } }
datasets:
  people: { store: lake, bucket: people }
  Places: { store: lake, bucket: places }
"""
PROMPT = "headrace> "
MORE = "...> "
ENDLESS = "select count(*) from range(100000000000) a, range(1000000) b where hash(a.range) = 1;"


class Terminal:
    """The program on a terminal of 24 lines and 100 columns."""

    def __init__(self, lake, *args, stdout=None):
        self.main, side = pty.openpty()
        fcntl.ioctl(side, termios.TIOCSWINSZ, struct.pack("HHHH", 24, 100, 0, 0))
        env = {**os.environ, "HOME": str(lake.folder), "TERM": "xterm", "LC_ALL": "C.UTF-8"}
        env.pop("XDG_STATE_HOME", None)
        self.process = subprocess.Popen(
            [harness.PROGRAM, "sql", *args], cwd=lake.folder, stdin=side, stdout=stdout or side,
            stderr=side, env=env, start_new_session=True,
            preexec_fn=lambda: fcntl.ioctl(0, termios.TIOCSCTTY, 0))
        os.close(side)
        self.seen = ""

    def close(self):
        if self.process.poll() is None:
            self.process.kill()
        self.process.wait()
        os.close(self.main)

    def type(self, text):
        os.write(self.main, text.encode())

    def until(self, what, seconds=60):
        """Reads until `what` came; gives all up to it, without the terminal's own codes."""
        end = time.monotonic() + seconds
        while True:
            plain = re.sub(r"\x1b\[[0-9;?]*[A-Za-z]|\x1b[>=]|\r", "", self.seen)
            at = plain.find(what)
            if at >= 0:
                self.seen = plain[at + len(what):]
                return plain[:at]
            ready, _, _ = select.select([self.main], [], [], 0.2)
            try:
                data = os.read(self.main, 65536) if ready else b""
            except OSError:
                raise AssertionError(f"the terminal closed before {what!r}: {plain[-2000:]}")
            self.seen += data.decode(errors="replace")
            if time.monotonic() > end:
                raise AssertionError(f"still waiting for {what!r}: {plain[-2000:]}")

    def ask(self, statement):
        """Types a line at a fresh prompt; gives what came before the next prompt."""
        self.type(statement + "\n")
        self.until(statement[-5:] + "\n")
        # What is typed ahead is shown by the terminal, and once more by the editor.
        return self.until(PROMPT).rpartition(statement + "\n")[2]

    def ended(self, again=""):
        """Reads to the end; gives the exit code. `again` is typed once a second until it is
        heard: a key that comes while the terminal changes its mode is lost."""
        end = time.monotonic() + 60
        while time.monotonic() < end:
            ready, _, _ = select.select([self.main], [], [], 1)
            try:
                if ready and not os.read(self.main, 65536):
                    break
                if not ready and again:
                    self.type(again)
            except OSError:
                break
        return self.process.wait(60)


class Prompt(harness.LakeTest):
    def terminal(self, lake, *args, **options):
        terminal = Terminal(lake, *args, **options)
        self.addCleanup(terminal.close)
        terminal.until(PROMPT)
        return terminal

    def people(self):
        lake = self.lake(STACK)
        lake.put("people/a.jsonl", '{"id":1,"name":"Ann","birth date":"2001-02-03"}\n'
                                   '{"id":2,"name":"Bo"}\n')
        lake.put("places/a.csv", "city,area\nOslo,480\n")
        return lake

    def test_a_statement_over_many_lines_up_to_its_semicolon(self):
        at = self.terminal(self.people())
        at.type("select name\n")
        at.until(MORE)
        at.type("from people -- not yet;\n")
        at.until(MORE)
        at.type("where id = 2;\n")
        shown = at.until(PROMPT)
        self.assertIn("Bo", shown)
        self.assertIn("1 row", shown)
        self.assertRegex(shown, r"\d\.\d{3} s")

    def test_an_error_has_a_caret_and_the_prompt_goes_on(self):
        at = self.terminal(self.people())
        shown = at.ask("select nme from people;")
        self.assertIn("nme", shown)
        self.assertIn("^", shown)
        self.assertIn("42", at.ask("select 40 + 2 as sum;"))

    def test_tab_completes_words_tables_and_columns(self):
        at = self.terminal(self.people())
        at.type("SEL\t")
        at.until("SELECT")
        at.type(" count(*) FROM peo\t")
        at.until("people")
        at.type(" where na\t")
        at.until("name")
        at.type(" = 'Bo';\n")
        self.assertIn("1", at.until(PROMPT))
        at.type("select avg(area) from pla\t")
        at.until("Places")
        at.type(";\n")
        self.assertIn("480", at.until(PROMPT))
        at.type("select * from people where bir\t")
        at.until('"birth date"')
        at.type(" = '2001-02-03';\n")
        self.assertIn("Ann", at.until(PROMPT))

    def test_tab_lists_what_is_possible(self):
        at = self.terminal(self.people())
        at.type(".t\t\t")
        at.until(".timing")
        at.type("\x15")

    def test_ctrl_c_stops_the_query_and_not_the_prompt(self):
        at = self.terminal(self.people())
        at.type(ENDLESS + "\n")
        at.until("\n")
        at.until(" s")  # The bar is drawn: the query runs.
        at.type("\x03")
        self.assertIn("stopped", at.until(PROMPT))
        self.assertIn("42", at.ask("select 40 + 2 as sum;"))

    def test_ctrl_c_drops_what_is_typed(self):
        at = self.terminal(self.people())
        at.type("select 'no',\n")
        at.until(MORE)
        at.type("half a li\x03")
        at.until("^C")
        at.until(PROMPT)
        shown = at.ask("select 40 + 2 as sum;")
        self.assertIn("42", shown)
        self.assertNotIn("no", shown)

    def test_ctrl_d_leaves(self):
        at = self.terminal(self.people())
        at.type("\x04")
        self.assertEqual(at.ended("\x04"), 0)

    def test_sigterm_leaves_at_the_prompt(self):
        at = self.terminal(self.people())
        at.process.send_signal(signal.SIGTERM)
        self.assertEqual(at.ended(), 0)

    def test_history_goes_from_session_to_session(self):
        lake = self.people()
        at = self.terminal(lake)
        at.ask("select 'first\tone';")
        at.type("select 'two',\n")
        at.until(MORE)
        at.type("'lines: ä \\ n';\n")
        at.until(PROMPT)
        at.process.kill()
        at.process.wait()
        history = lake.folder / ".local/state/headrace/sql_history"
        self.assertEqual(history.stat().st_mode & 0o777, 0o600)
        at = self.terminal(lake)
        at.type("\x1b[A")
        at.until("lines: ä \\ n")
        at.type("\n")
        self.assertIn("lines: ä \\ n", at.until(PROMPT))
        self.assertEqual(len(history.read_text().splitlines()), 3)

    def test_text_of_any_language_is_edited(self):
        at = self.terminal(self.people())
        at.type("select 'naïve 日本x\x7f語' as w;\n")
        at.until("\n")
        self.assertIn("naïve 日本語", at.until(PROMPT))

    def test_commands(self):
        at = self.terminal(self.people())
        at.ask("create temp table mine (a integer);")
        self.assertEqual(at.ask(".tables").split(), ["Places", "mine", "people"])
        schema = at.ask(".schema people")
        for word in ("id", "BIGINT", "birth date", "VARCHAR"):
            self.assertIn(word, schema)
        self.assertIn("area", at.ask(".schema 'lake://places/a.csv'"))
        at.ask(".mode csv")
        at.ask(".timing off")
        self.assertEqual(at.ask("select 1 as a, 'x,y' as b;"), 'a,b\n1,"x,y"\n')
        self.assertIn("no command .nope", at.ask(".nope"))
        self.assertIn(".schema NAME", at.ask(".help"))
        self.assertIn("takes table", at.ask(".mode xml"))
        at.type(".quit\n")
        self.assertEqual(at.ended(), 0)

    def test_long_results_are_limited_with_a_note(self):
        at = self.terminal(self.people())
        box = at.ask("from range(100000);")
        self.assertLess(len(box.splitlines()), 60)
        self.assertIn("100000 rows", box.replace(",", ""))
        at.ask(".mode csv")
        text = at.ask("from range(100000);")
        self.assertIn("only the first 1000 rows", text)
        at.ask(".rows 3")
        self.assertIn("0\n1\n2\nonly the first 3 rows", at.ask("from range(100000);"))

    def test_a_box_fits_the_terminal(self):
        at = self.terminal(self.people())
        shown = at.ask("select repeat('wide ', 100) as a, repeat('x', 200) as b;")
        self.assertLessEqual(max(len(line) for line in shown.splitlines()), 100)


def catches(pid, sig):
    """Has the process got to the point where it handles the signal?"""
    caught = re.search(r"^SigCgt:\s*(\w+)", pathlib.Path(f"/proc/{pid}/status").read_text(), re.M)
    return bool(int(caught[1], 16) >> (sig - 1) & 1)


class Bar(harness.LakeTest):
    def test_a_bar_only_where_stderr_is_a_terminal(self):
        lake = self.lake()
        silent = lake.start("sql", ENDLESS)
        at = Terminal(lake, ENDLESS, "-o", "json", stdout=subprocess.PIPE)
        self.addCleanup(at.close)
        self.addCleanup(at.process.stdout.close)
        at.until(" s")  # Begun later, and long enough ago for a bar.
        harness.wait_until(lambda: catches(silent.pid, signal.SIGTERM), "the silent query")
        at.type("\x03")
        at.until("headrace: stopped")
        self.assertEqual(at.process.wait(60), 130)
        self.assertEqual(at.process.stdout.read(), b"")
        self.assertEqual(harness.stop(silent, signal.SIGTERM), (130, "", "headrace: stopped\n"))


if __name__ == "__main__":
    harness.main()
