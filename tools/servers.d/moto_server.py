"""moto: S3, SQS, SNS, EventBridge, IAM and STS in one process, all in memory.

It accepts any signature unless INITIAL_NO_AUTH_ACTION_COUNT says otherwise (`--env`), and its
conditional PUT checks before it writes, without a lock: no proof of atomicity.
"""
import installing
import running


class Moto:
    name = "moto"
    what = "S3, SQS, SNS, EventBridge, IAM, STS"
    is_quick = True
    ports = ("http",)
    options = ()

    def pins(self):
        return installing.PYTHON_LOCK.read_text()

    def install(self, folder):
        installing.from_pip(folder)

    def missing(self):
        return None

    def launch(self, run):
        python = running.INSTALLED / self.name / "bin" / "python"
        port = run.ports["http"]
        server = run.start("moto", [python, "-m", "moto.server", "-H", "127.0.0.1", "-p", port],
                           run.options.env)
        run.wait_until(server, port, run.answers(port, "/moto-api/"))
        return {"endpoint": f"http://127.0.0.1:{port}", "account": "123456789012"}
