"""Certificates for a server that is to speak TLS: an authority of its own and a certificate for
127.0.0.1, made anew in the server's folder. No system trusts them; clients get `ca_file`."""
import shutil

import running

DAYS = "30"


class Certificates:
    """ca.pem for clients, server.pem and server.key for the server, both.pem for who wants one."""

    def __init__(self, run):
        self.folder = run.dir / "tls"
        self.ca = self.folder / "ca.pem"
        self.cert, self.key = self.folder / "server.pem", self.folder / "server.key"
        self.both = self.folder / "both.pem"
        if not self.both.exists():  # A restart keeps what its clients know.
            self.make(run)

    def make(self, run):
        self.folder.mkdir(exist_ok=True)
        ca_key, request = self.folder / "ca.key", self.folder / "server.csr"
        extensions = self.folder / "extensions"
        extensions.write_text("subjectAltName = IP:127.0.0.1\nbasicConstraints = CA:FALSE\n")
        new_key = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes"]
        run.command(["openssl", "req", "-x509", *new_key, "-keyout", ca_key, "-out", self.ca,
                     "-days", DAYS, "-subj", "/CN=test authority"])
        run.command(["openssl", "req", *new_key, "-keyout", self.key, "-out", request, "-subj",
                     "/CN=test server"])
        run.command(["openssl", "x509", "-req", "-in", request, "-CA", self.ca, "-CAkey", ca_key,
                     "-CAcreateserial", "-out", self.cert, "-days", DAYS, "-extfile", extensions])
        self.both.write_text(self.cert.read_text() + self.key.read_text())

    def facts(self, port):
        return {"endpoint": f"https://127.0.0.1:{port}", "ca_file": str(self.ca)}


def wanted(run):
    """The certificates if `start --tls` was asked for, else None."""
    if not run.options.tls:
        return None
    if not shutil.which("openssl"):
        raise running.Unavailable(f"{run.name} with TLS: there is no openssl here")
    return Certificates(run)
