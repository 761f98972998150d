"""ElasticMQ: SQS alone, in memory, with SQS's own limits on sizes and waits."""
import installing
import java
import running

CONFIGURATION = """\
include classpath("application.conf")
node-address {{ protocol = http, host = "127.0.0.1", port = {port}, context-path = "" }}
rest-sqs {{ enabled = true, bind-hostname = "127.0.0.1", bind-port = {port}, sqs-limits = strict }}
rest-stats {{ enabled = false }}
"""


class ElasticMq:
    name = "elasticmq"
    what = "SQS"
    is_quick = True
    ports = ("http",)
    options = ()

    def pins(self):
        return java.pins(self.name)

    def install(self, folder):
        java.install(self.name, folder)

    def missing(self):
        return java.missing()

    def launch(self, run):
        port = run.ports["http"]
        configuration = run.dir / "elasticmq.conf"
        configuration.write_text(CONFIGURATION.format(port=port))
        server = run.start("elasticmq", java.command(
            self.name, 512, f"-Dconfig.file={configuration}") + ["org.elasticmq.server.Main"],
            run.options.env)
        run.wait_until(server, port, run.answers(port, "/?Action=ListQueues"))
        return {"endpoint": f"http://127.0.0.1:{port}", "account": "000000000000"}
