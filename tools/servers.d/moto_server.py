"""moto: S3, SQS, SNS, EventBridge, IAM and STS in one process, all in memory.

It accepts any signature unless INITIAL_NO_AUTH_ACTION_COUNT says otherwise (`--env`), and its
conditional PUT checks before it writes, without a lock: no proof of atomicity.
"""
import installing
import running
import tls


class Moto:
    name = "moto"
    what = "S3, SQS, SNS, EventBridge, IAM, STS"
    is_quick = True
    ports = ("http",)
    options = ("tls",)

    def pins(self):
        return installing.PYTHON_LOCK.read_text()

    def install(self, folder):
        installing.from_pip(folder)

    def missing(self):
        return None

    def launch(self, run):
        python = running.INSTALLED / self.name / "bin" / "python"
        port = run.ports["http"]
        certificates = tls.wanted(run)
        secure = ["--ssl-cert", certificates.cert, "--ssl-key", certificates.key] \
            if certificates else []
        server = run.start("moto", [python, "-m", "moto.server", "-H", "127.0.0.1", "-p", port,
                                    *secure], run.options.env)
        run.wait_until(server, port, run.answers(port, "/moto-api/", secure=bool(secure)))
        facts = certificates.facts(port) if certificates else \
            {"endpoint": f"http://127.0.0.1:{port}"}
        return {**facts, "account": "123456789012"}
