"""Apache Kafka: one node that is broker and controller (KRaft). Topics are made on first use.

A restart in the same folder keeps port and log, as a broker that comes back does.
"""
import java
import running

# Small internal topics and no waiting for more members: one node, one test.
PROPERTIES = """\
process.roles=broker,controller
node.id=1
controller.quorum.voters=1@127.0.0.1:{controller}
listeners=PLAINTEXT://127.0.0.1:{broker},CONTROLLER://127.0.0.1:{controller}
advertised.listeners=PLAINTEXT://127.0.0.1:{broker}
controller.listener.names=CONTROLLER
inter.broker.listener.name=PLAINTEXT
log.dirs={dir}/log
num.partitions=1
auto.create.topics.enable=true
group.initial.rebalance.delay.ms=0
offsets.topic.num.partitions=1
offsets.topic.replication.factor=1
transaction.state.log.num.partitions=1
transaction.state.log.replication.factor=1
transaction.state.log.min.isr=1
share.coordinator.state.topic.num.partitions=1
share.coordinator.state.topic.replication.factor=1
share.coordinator.state.topic.min.isr=1
"""
LOGGING = """\
status=warn
appender.console.type=Console
appender.console.name=console
appender.console.layout.type=PatternLayout
appender.console.layout.pattern=%d %p %m (%c)%n
rootLogger.level=warn
rootLogger.appenderRef.console.ref=console
logger.ready.name=kafka.server.KafkaRaftServer
logger.ready.level=info
"""
CLUSTER = "headrace-tests-000000w"  # 22 characters of base64url, as Kafka's own ids are.


class Kafka:
    name = "kafka"
    what = "Kafka, one node"
    is_quick = True
    ports = ("broker", "controller")
    options = ()

    def pins(self):
        return java.pins(self.name)

    def install(self, folder):
        java.install(self.name, folder)

    def missing(self):
        return java.missing()

    def launch(self, run):
        properties = run.dir / "server.properties"
        properties.write_text(PROPERTIES.format(dir=run.dir, **run.ports))
        logging = run.dir / "log4j2.properties"
        logging.write_text(LOGGING)
        start = java.command(self.name, 256, f"-Dlog4j2.configurationFile={logging}")
        if not (run.dir / "log" / "meta.properties").exists():
            run.command([*start, "kafka.tools.StorageTool", "format", "-t", CLUSTER, "-c",
                         properties])
        server = run.start("kafka", [*start, "kafka.Kafka", properties], run.options.env)
        broker = run.ports["broker"]
        run.wait_until(server, broker, lambda: b"Kafka Server started" in run.words("kafka"))
        return {"endpoint": f"127.0.0.1:{broker}"}
