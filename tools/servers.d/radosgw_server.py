"""Ceph's object gateway with a monitor and one OSD in memory: a second, independent S3, with HTTP
notifications (SNS CreateTopic with `push-endpoint`; sign those calls as service s3).

An If-Match with a quoted ETag is always refused, and a PUT that was refused still sends an event:
its 16.2 is no judge of conditional writes. Nothing it holds survives a stop.
"""
import shutil
import uuid

import installing
import running
import tls

# Without authentication inside the cluster, `crc` is the mode in which the monitor still answers.
# The two paxos settings take the start from 11 s to one; tcp_nodelay an answer from 45 ms to two.
CONFIGURATION = """\
[global]
fsid = {fsid}
mon_host = [v2:127.0.0.1:{mon}/0]
public_addr = 127.0.0.1
cluster_addr = 127.0.0.1
ms_bind_msgr1 = false
auth_cluster_required = none
auth_service_required = none
auth_client_required = none
ms_mon_client_mode = crc
auth_allow_insecure_global_id_reclaim = true
run_dir = {dir}/run
admin_socket = {dir}/run/$name.asok
log_file = {dir}/$type.log
log_to_stderr = false
err_to_stderr = false
crash_dir = {dir}/run
keyring = /dev/null
osd_pool_default_size = 1
osd_pool_default_min_size = 1
osd_pool_default_pg_num = 1
osd_pool_default_pgp_num = 1
osd_pool_default_pg_autoscale_mode = off
mon_allow_pool_size_one = true
osd_crush_chooseleaf_type = 0
mon_pg_warn_min_per_osd = 0
mon_data_avail_crit = 1
mon_data_avail_warn = 2
[mon]
paxos_propose_interval = 0.02
paxos_min_wait = 0.01
mon_data = {dir}/mon
[osd]
osd_data = {dir}/osd
osd_objectstore = memstore
memstore_device_bytes = 4294967296
osd_class_load_list = *
osd_class_default_list = *
osd_max_object_name_len = 2048
osd_memory_target = 939524096
[client.rgw]
log_file = {dir}/radosgw.log
rgw_data = {dir}/rgw
rgw_frontends = beast {door} tcp_nodelay=1
rgw_enable_usage_log = false
rgw_enable_ops_log = false
rgw_crypt_require_ssl = false
rgw_gc_obj_min_wait = 10
rgw_thread_pool_size = 32
rgw_dynamic_resharding = false
rgw_override_bucket_index_max_shards = 1
"""


class RadosGw:
    name = "radosgw"
    what = "S3 with HTTP notifications"
    is_quick = True
    ports = ("http", "mon")
    options = ("tls",)

    def pins(self):
        return f"{installing.pins('debian', self.name)}"

    def install(self, folder):
        installing.from_debian(self.name)

    def missing(self):
        absent = [program for program in ("ceph-mon", "ceph-osd", "radosgw", "ceph", "monmaptool")
                  if not shutil.which(program)]
        return f"radosgw: there is no {' '.join(absent)} here" if absent else None

    def launch(self, run):
        for folder in ("mon", "osd", "run", "rgw"):
            shutil.rmtree(run.dir / folder, ignore_errors=True)
            (run.dir / folder).mkdir()
        fsid, osd_id = str(uuid.uuid4()), str(uuid.uuid4())
        config = run.dir / "ceph.conf"
        port, certificates = run.ports["http"], tls.wanted(run)
        door = f"endpoint=127.0.0.1:{port}"
        if certificates:
            door = f"ssl_{door} ssl_certificate={certificates.both}"
        config.write_text(CONFIGURATION.format(fsid=fsid, dir=run.dir, door=door, **run.ports))
        with_config = ["--conf", config]

        run.command(["monmaptool", "--create", "--clobber", "--fsid", fsid, "--addv", "a",
                     f"[v2:127.0.0.1:{run.ports['mon']}/0]", run.dir / "monmap"])
        run.command(["ceph-mon", *with_config, "-i", "a", "--mkfs", "--monmap", run.dir / "monmap",
                     "--keyring", "/dev/null"])
        mon = run.start("mon", ["ceph-mon", *with_config, "-i", "a", "-f"])
        run.wait_until(mon, run.ports["mon"])
        run.command(["ceph", *with_config, "osd", "new", osd_id])
        run.command(["ceph-osd", *with_config, "-i", "0", "--mkfs", "--osd-uuid", osd_id])
        run.start("osd", ["ceph-osd", *with_config, "-i", "0", "-f"])
        rgw = run.start("radosgw", ["radosgw", *with_config, "-n", "client.rgw", "-f"])
        run.wait_until(rgw, port, run.answers(port, "/", secure=certificates is not None))
        run.command(["radosgw-admin", *with_config, "-n", "client.rgw", "user", "create", "--uid",
                     "tester", "--display-name", "tester", "--access-key", running.ACCESS_KEY,
                     "--secret-key", running.SECRET_KEY])
        return certificates.facts(port) if certificates else \
            {"endpoint": f"http://127.0.0.1:{port}"}
