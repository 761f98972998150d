"""Getting servers: each from the package manager that carries it, at the version and with the
hashes that tools/servers.lock and tools/servers-python.lock pin."""
import contextlib
import fcntl
import hashlib
import os
import pathlib
import shutil
import subprocess
import sys
import tempfile

from running import INSTALLED, ROOT, Unavailable

LOCK = ROOT / "tools" / "servers.lock"
PYTHON_LOCK = ROOT / "tools" / "servers-python.lock"


def pins(kind, name):
    """The lock's rows `kind name ...`, each without these two words."""
    rows = (line.split() for line in LOCK.read_text().splitlines() if not line.startswith("#"))
    return [row[2:] for row in rows if row[:2] == [kind, name]]


def run(what, argv, **options):
    """Runs one step of an installation; its failure means that the server can't be had."""
    try:
        return subprocess.run(list(map(str, argv)), stdin=subprocess.DEVNULL, check=True, text=True,
                              capture_output=True, **options).stdout
    except FileNotFoundError:
        raise Unavailable(f"{what}: there is no {argv[0]} here") from None
    except subprocess.CalledProcessError as error:
        said = [line for line in (error.stderr + error.stdout).splitlines() if line.strip()]
        raise Unavailable(f"{what}: {said[-1].strip() if said else error}") from None


@contextlib.contextmanager
def one_at_a_time(name):
    INSTALLED.mkdir(parents=True, exist_ok=True)
    with open(INSTALLED / f".{name}.lock", "w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield


def why_path(name):
    return INSTALLED / f"{name}.why"


def is_installed(server):
    with contextlib.suppress(OSError):
        return (INSTALLED / server.name / ".stamp").read_text() == stamp(server)
    return False


def stamp(server):
    return hashlib.sha256(server.pins().encode()).hexdigest() + "\n"


def why_not(server):
    """One line that says why the server is not here, or None if it is."""
    if not is_installed(server):
        with contextlib.suppress(OSError):
            return why_path(server.name).read_text().strip()
        return f"{server.name} is not installed: tools/servers install {server.name}"
    return server.missing()


def install(server):
    """Does nothing, quickly, if the server is there. A failure is kept, so that tests that need
    the server can say why they are skipped."""
    with one_at_a_time(server.name):
        if is_installed(server) and not server.missing():
            return False
        folder = INSTALLED / server.name
        shutil.rmtree(folder, ignore_errors=True)
        folder.mkdir(parents=True)
        try:
            server.install(folder)
        except Unavailable as reason:
            shutil.rmtree(folder, ignore_errors=True)
            why_path(server.name).write_text(f"{server.name} can't be had: {reason}\n")
            raise Unavailable(f"{server.name} can't be had: {reason}") from None
        why_path(server.name).unlink(missing_ok=True)
        (folder / ".stamp").write_text(stamp(server))
        return True


def from_pip(folder):
    """A venv of its own in `folder`, with what tools/servers-python.lock lists."""
    python = shutil.which("python3.11") or sys.executable
    version = run("venv", [python, "-c", "import sys; print(*sys.version_info[:2])"]).strip()
    if version != "3 11":
        raise Unavailable("the pinned packages are for Python 3.11, which is not here")
    run("venv", [python, "-m", "venv", folder])
    run("pip", [folder / "bin/pip", "install", "-q", "--disable-pip-version-check", "--no-deps",
                "--no-compile", "--require-hashes", "--only-binary=:all:", "-r", PYTHON_LOCK])
