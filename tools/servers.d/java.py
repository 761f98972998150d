"""What the servers that run on Java share."""
import shutil

import installing
import running


def pins(name):
    return f"{installing.pins('maven', name)} {installing.pins('jar', name)}"


def install(name, folder):
    if not shutil.which("java") or not shutil.which("mvn"):
        installing.from_debian("java")
    installing.from_maven(name, folder)


def missing():
    return None if shutil.which("java") else "there is no java here"


def command(name, megabytes, *settings):
    """A small Java that starts quickly: one collector thread, no second compiler."""
    return ["java", f"-Xmx{megabytes}m", "-XX:+UseSerialGC", "-XX:TieredStopAtLevel=1", *settings,
            "-cp", f"{running.INSTALLED / name / 'lib'}/*"]
