#!/usr/bin/env python3
"""tools/servers itself: what it promises about ports, processes, folders and exit codes. No server
of another maker is needed but for the last test, which takes moto."""
import importlib.machinery
import importlib.util
import json
import os
import pathlib
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import unittest
from unittest import mock

HERE = pathlib.Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parent / "e2e"))
import harness  # noqa: E402
from servers import COMMAND, ROOT, server  # noqa: E402

LISTENER = """
import http.server, sys
http.server.HTTPServer(("127.0.0.1", int(sys.argv[1])),
                       http.server.SimpleHTTPRequestHandler).serve_forever()
"""


class Listener:
    """Stands for a server: a process that answers on its port."""
    name, what = "listener", "a test's own"
    ports = ("http",)
    options = ()

    def pins(self):
        return ""

    def missing(self):
        return None

    def launch(self, run):
        port = run.ports["http"]
        process = run.start("listener", [sys.executable, "-c", LISTENER, port])
        run.wait_until(process, port, run.answers(port, "/server.json"))
        return {"endpoint": f"http://127.0.0.1:{port}"}


class CommandTest(unittest.TestCase):
    """Works on a copy of the command in a folder of its own, so that nothing is installed there and
    nothing else runs there."""

    def setUp(self):
        self.root = pathlib.Path(tempfile.mkdtemp(prefix="headrace-servers-")).resolve()
        self.addCleanup(shutil.rmtree, self.root, ignore_errors=True)
        (self.root / "tools").mkdir()
        for name in ("servers", "servers.lock", "servers-python.lock"):
            shutil.copy(ROOT / "tools" / name, self.root / "tools" / name)
        shutil.copytree(ROOT / "tools/servers.d", self.root / "tools/servers.d")

    def command(self, *args):
        return subprocess.run([self.root / "tools/servers", *map(str, args)], capture_output=True,
                              text=True, timeout=300)

    def module(self):
        """The command as a module, with `Listener` as a server that is installed."""
        names = [path.stem for path in (self.root / "tools/servers.d").glob("*.py")]
        for name in names:
            sys.modules.pop(name, None)
        loader = importlib.machinery.SourceFileLoader("servers_command",
                                                      str(self.root / "tools/servers"))
        module = importlib.util.module_from_spec(
            importlib.util.spec_from_loader(loader.name, loader))
        path = list(sys.path)
        self.addCleanup(lambda: sys.path.__setitem__(slice(None), path))
        loader.exec_module(module)
        module.SERVERS["listener"] = Listener()
        folder = module.running.INSTALLED / "listener"
        folder.mkdir(parents=True)
        (folder / ".stamp").write_text(module.installing.stamp(Listener()))
        self.addCleanup(lambda: [module.running.stop(r) for r in module.running.running()])
        return module

    def call(self, module, *args):
        """Runs the command in this process: (exit code, what it printed)."""
        with mock.patch.object(sys, "argv", ["servers", *map(str, args)]), \
                mock.patch("builtins.print") as printed:
            code = module.main()
        return code, "\n".join(str(call.args[0]) for call in printed.call_args_list)

    def test_a_server_that_is_not_installed_exits_77_and_says_how_to_get_it(self):
        done = self.command("start", "moto")
        self.assertEqual(done.returncode, 77)
        self.assertEqual(done.stderr,
                         "servers: moto is not installed: tools/servers install moto\n")
        self.assertEqual(done.stdout, "")

    def test_a_failed_installation_is_the_reason_that_start_gives(self):
        lock = self.root / "tools/servers-python.lock"
        lock.write_text("moto==0.0.0 --hash=sha256:" + "0" * 64 + "\n")
        offline = {"PIP_NO_INDEX": "1", "PIP_FIND_LINKS": ""}
        with mock.patch.dict(os.environ, offline):
            installed = self.command("install", "moto")
        self.assertEqual(installed.returncode, 77, installed.stderr)
        self.assertIn("moto can't be had: pip: ERROR: No matching distribution", installed.stderr)
        self.assertEqual(self.command("start", "moto").stderr, installed.stderr)

    def test_an_option_of_another_server_is_wrong_usage(self):
        done = self.command("start", "kafka", "--webhook", "http://127.0.0.1:1/")
        self.assertEqual(done.returncode, 2)
        self.assertEqual(done.stderr, "servers: kafka has no --webhook\n")

    def test_stop_without_a_running_server_fails(self):
        self.assertEqual(self.command("stop", "moto").returncode, 1)

    def test_start_tries_other_ports_when_another_server_was_quicker(self):
        module = self.module()
        with socket.socket() as taken:
            taken.bind(("127.0.0.1", 0))
            taken.listen()
            free = module.running.processes.free_port
            occupied = taken.getsockname()[1]
            ports = iter([occupied])
            with mock.patch.object(module.running.processes, "free_port",
                                   lambda: next(ports, None) or free()):
                code, printed = self.call(module, "start", "listener")
        self.assertEqual(code, 0)
        facts = json.loads(printed)
        self.assertNotEqual(facts["endpoint"], f"http://127.0.0.1:{occupied}")
        self.assertEqual(self.call(module, "stop", "listener")[0], 0)
        self.assertFalse(pathlib.Path(facts["dir"]).exists(), "stop removes a folder of its own")
        self.assertIsNone(module.running.processes.born(facts["pid"]))

    def test_stop_ends_the_named_one_of_two_and_a_given_folder_has_its_port_again(self):
        module = self.module()
        one, two = (json.loads(self.call(module, "start", "listener", "--dir",
                                         self.root / folder)[1]) for folder in ("one", "two"))
        code, printed = self.call(module, "stop", "listener")
        self.assertEqual(code, 2)
        self.assertIn("2 of listener run", printed)
        self.assertEqual(self.call(module, "stop", "listener", "--dir", one["dir"])[0], 0)
        status = self.call(module, "status")[1]
        self.assertNotIn(one["dir"], status)
        self.assertIn(f"listener   runs {two['endpoint']} listener={two['pid']}", status)
        again = json.loads(self.call(module, "start", "listener", "--dir", one["dir"])[1])
        self.assertEqual(again["endpoint"], one["endpoint"])
        self.assertNotEqual(again["pid"], one["pid"])
        for facts in (again, two):
            self.assertEqual(self.call(module, "stop", "listener", "--dir", facts["dir"])[0], 0)

    def test_a_server_that_ended_by_itself_is_shown_as_such_and_cleared_away_by_stop(self):
        module = self.module()
        facts = json.loads(self.call(module, "start", "listener")[1])
        os.kill(facts["pid"], signal.SIGKILL)
        os.waitpid(facts["pid"], 0)
        self.assertIn("listener   ended by itself", self.call(module, "status")[1])
        self.assertEqual(self.call(module, "stop", "listener")[0], 1)
        self.assertEqual(module.running.running(), [])
        self.assertFalse(pathlib.Path(facts["dir"]).exists())

    def test_a_process_that_has_the_pid_of_an_ended_one_is_left_alone(self):
        module = self.module()
        bystander = subprocess.Popen(["sleep", "600"])
        self.addCleanup(bystander.wait)
        self.addCleanup(bystander.kill)
        born = module.running.processes.born(bystander.pid)
        module.running.processes.end({"pid": bystander.pid, "born": born - 1})
        self.assertIsNone(bystander.poll())

    def test_a_process_that_ignores_being_asked_is_ended_all_the_same(self):
        module = self.module()
        stubborn = subprocess.Popen(["sh", "-c", "trap '' TERM; echo ready; exec sleep 600"],
                                    stdout=subprocess.PIPE)
        self.assertEqual(stubborn.stdout.readline(), b"ready\n")
        stubborn.stdout.close()
        processes = module.running.processes
        processes.end({"pid": stubborn.pid, "born": processes.born(stubborn.pid)}, seconds=0)
        self.assertIsNone(processes.born(stubborn.pid))
        stubborn.wait()

    def test_a_server_ends_with_the_process_it_was_started_for_even_if_that_is_killed(self):
        with server("moto"):
            pass  # Skips if moto can't be had.
        owner = subprocess.Popen(["sleep", "600"])
        facts = json.loads(subprocess.run(
            [COMMAND, "start", "moto", "--while-pid", str(owner.pid)], capture_output=True,
            check=True).stdout)
        owner.send_signal(signal.SIGKILL)
        owner.wait()
        harness.wait_until(lambda: not pathlib.Path(facts["dir"]).exists(), "the end of moto")
        self.assertIsNone(self.module().running.processes.born(facts["pid"]))


if __name__ == "__main__":
    harness.main()
