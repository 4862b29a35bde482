"""What becomes of readings in a central platform, when what the drill breaks is broken there.

The platform is the usual one: devices publish by MQTT (QoS 1) to mosquitto as Debian sets it up, a
collector (mosquitto_sub with a session that lasts) writes to PostgreSQL. Each experiment is what
`althing conformance drill` does to a peer, and prints one line of JSON.

    sudo apt-get install --yes mosquitto mosquitto-clients postgresql
    python3 bench/baseline.py
"""

import contextlib
import json
import os
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path

PATIENCE_S = 30
POLL_S = 0.05
READINGS = 200
TOPIC = "plant/boiler/temperature"


def free_port() -> int:
    with socket.socket() as sock:
        sock.bind(("127.0.0.1", 0))
        return int(sock.getsockname()[1])


def until(is_so: Callable[[], bool], what: str) -> float:
    """Waits, and says how long it took, seconds."""
    started = time.monotonic()
    while not is_so():
        if time.monotonic() - started > PATIENCE_S:
            raise TimeoutError(what)
        time.sleep(POLL_S)
    return time.monotonic() - started


def listens(port: int) -> bool:
    with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", port), timeout=1):
        return True
    return False


class Central:
    """A broker, a database and a collector between them, in a folder of their own."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.broker_port, self.database_port = free_port(), free_port()
        self.postgres = next(iter(sorted(Path("/usr/lib/postgresql").glob("*/bin"))), None)
        if self.postgres is None or shutil.which("mosquitto") is None:
            sys.exit("please run: sudo apt-get install --yes mosquitto mosquitto-clients postgresql")
        # PostgreSQL refuses to run as root.
        self.user = ["runuser", "-u", "postgres", "--"] if os.geteuid() == 0 else []
        self.data = folder / "database"
        self.broker: subprocess.Popen[bytes] | None = None
        self.collector: subprocess.Popen[bytes] | None = None
        if self.user:
            folder.chmod(0o755)
            self.data.mkdir()
            shutil.chown(self.data, "postgres")
            shutil.chown(self.data.parent, "postgres")

    def found(self) -> None:
        """Makes the database and starts all three."""
        self.tool("initdb", "--auth=trust", "--username=platform", "-D", str(self.data))
        self.start_database()
        self.sql("create table readings (id serial primary key, at timestamptz default now(),"
                 " topic text, value text)")
        # As Debian's package: what is acknowledged is written to disk every half hour.
        (self.folder / "mosquitto.conf").write_text(
            f"listener {self.broker_port} 127.0.0.1\nallow_anonymous true\npersistence true\n"
            f"persistence_location {self.folder}/\nuser root\n")
        self.start_broker()
        self.start_collector()

    def tool(self, name: str, *arguments: str) -> None:
        assert self.postgres is not None
        subprocess.run([*self.user, str(self.postgres / name), *arguments], check=True,
                       stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, cwd=self.folder)

    def start_database(self) -> None:
        """Starts it; not before the workers of one that was killed are gone."""
        until(self.database_starts, "the database does not start")

    def database_starts(self) -> bool:
        with contextlib.suppress(subprocess.CalledProcessError):
            self.start_database_once()
            return True
        return False

    def start_database_once(self) -> None:
        self.tool("pg_ctl", "-D", str(self.data), "-w", "-l", str(self.data / "log"),
                  "-o", f"-p {self.database_port} -k {self.data}", "start")

    def start_broker(self) -> None:
        self.broker = subprocess.Popen(["mosquitto", "-c", str(self.folder / "mosquitto.conf")],
                                       stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        until(lambda: listens(self.broker_port), "the broker does not start")

    def start_collector(self) -> None:
        """Writes each message into the database; what it cannot write, it tries again."""
        insert = (f"psql -q -h {self.data} -p {self.database_port} -U platform -d postgres"
                  " -c \"insert into readings (topic, value) values ('$topic', '$value')\"")
        script = (f"mosquitto_sub -p {self.broker_port} -q 1 -c -i collector -t '#' -F '%t %p' |"
                  f" while read -r topic value; do until {insert}; do sleep 0.2; done; done")
        self.collector = subprocess.Popen(["bash", "-c", script], start_new_session=True,
                                          stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        time.sleep(0.5)

    def sql(self, statement: str) -> str:
        done = subprocess.run(
            ["psql", "-qtA", "-h", str(self.data), "-p", str(self.database_port), "-U", "platform",
             "-d", "postgres", "-c", statement],
            check=True, capture_output=True, text=True)
        return done.stdout.strip()

    def count(self) -> int:
        return int(self.sql("select count(*) from readings"))

    def publish(self, first: int, count: int) -> int:
        """Publishes readings one after the other; how many the broker acknowledged."""
        lines = "".join(f"{number}\n" for number in range(first, first + count))
        done = subprocess.run(
            ["mosquitto_pub", "-p", str(self.broker_port), "-q", "1", "-t", TOPIC, "-l"],
            input=lines, text=True, capture_output=True)
        return count if done.returncode == 0 else 0

    def kill(self, process: subprocess.Popen[bytes] | None) -> None:
        if process is not None:
            process.kill()
            process.wait()

    def kill_database(self) -> None:
        pid = int((self.data / "postmaster.pid").read_text().splitlines()[0])
        os.kill(pid, signal.SIGKILL)
        # Its workers end by themselves once they see that it is gone.
        until(lambda: not listens(self.database_port), "the database does not end")

    def stop_collector(self) -> None:
        if self.collector is not None:
            os.killpg(self.collector.pid, signal.SIGKILL)
            self.collector.wait()

    def resident_mb(self) -> float:
        """Memory of broker, database and collector, of what each shares its part, MB."""
        pids = subprocess.run(["pgrep", "-f", str(self.folder)], capture_output=True, text=True)
        pids_collector = subprocess.run(["pgrep", "-f", f"-p {self.broker_port}"],
                                        capture_output=True, text=True)
        total = 0
        for pid in {*pids.stdout.split(), *pids_collector.stdout.split(), *self.children()}:
            with contextlib.suppress(OSError):
                lines = Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines()
                total += sum(int(line.split()[1]) for line in lines if line.startswith("Pss:"))
        return round(total / 1000, 1)

    def children(self) -> list[str]:
        leader = (self.data / "postmaster.pid").read_text().splitlines()[0]
        found = subprocess.run(["pgrep", "-P", leader], capture_output=True, text=True)
        return [leader, *found.stdout.split()]

    def end(self) -> None:
        self.stop_collector()
        self.kill(self.broker)
        with contextlib.suppress(subprocess.CalledProcessError):
            self.tool("pg_ctl", "-D", str(self.data), "-m", "immediate", "stop")


@contextlib.contextmanager
def central() -> Iterator[Central]:
    with tempfile.TemporaryDirectory(prefix="baseline-") as folder:
        platform = Central(Path(folder))
        try:
            platform.found()
            yield platform
        finally:
            platform.end()


def say(experiment: str, **figures: object) -> None:
    print(json.dumps({"experiment": experiment, **figures}), flush=True)


def start() -> None:
    """From nothing to the first reading in the database, and what the programs take."""
    started = time.monotonic()
    with central() as platform:
        ready = time.monotonic() - started
        platform.publish(1, 1)
        until(lambda: platform.count() == 1, "the reading does not arrive")
        say("start", programs=3, ready_s=round(ready, 2),
            first_reading_s=round(time.monotonic() - started, 2), pss_mb=platform.resident_mb())


def altered() -> None:
    """Who administers the database changes a value, and drops a reading."""
    with central() as platform:
        platform.publish(1, READINGS)
        until(lambda: platform.count() == READINGS, "readings are missing")
        platform.sql("update readings set value = '999' where id = 7")
        platform.sql("delete from readings where id = 8")
        read = platform.sql("select value from readings order by id").splitlines()
        say("altered", read=len(read), false_value_read=read[6] == "999",
            reading_missing=str(8) not in read, told_to_reader=False)


def database_killed() -> None:
    """The one database dies; it is started again by hand."""
    with central() as platform:
        platform.publish(1, READINGS)
        until(lambda: platform.count() == READINGS, "readings are missing")
        platform.kill_database()
        try:
            platform.sql("select 1")
            answers = True
        except subprocess.CalledProcessError:
            answers = False
        acknowledged = platform.publish(READINGS + 1, READINGS)
        started = time.monotonic()
        (platform.data / "postmaster.pid").unlink(missing_ok=True)
        platform.start_database()
        back = time.monotonic() - started
        with contextlib.suppress(TimeoutError):
            until(lambda: platform.count() >= 2 * READINGS, "")
        say("database_killed", reads_meanwhile=answers, acknowledged_meanwhile=acknowledged,
            back_s=round(back, 2), lost=2 * READINGS - platform.count(), started_by="hand")


def broker_killed() -> None:
    """The broker dies with readings that it has acknowledged and not handed on."""
    with central() as platform:
        platform.publish(1, READINGS)
        until(lambda: platform.count() == READINGS, "readings are missing")
        platform.stop_collector()
        acknowledged = platform.publish(READINGS + 1, READINGS)
        platform.kill(platform.broker)
        platform.start_broker()
        platform.start_collector()
        time.sleep(3)
        say("broker_killed", acknowledged=acknowledged,
            lost=READINGS + acknowledged - platform.count(), told_to_device=False)


def folder_lost() -> None:
    """The database's folder is gone; there is no backup unless somebody made one."""
    with central() as platform:
        platform.publish(1, READINGS)
        until(lambda: platform.count() == READINGS, "readings are missing")
        platform.kill_database()
        for entry in platform.data.iterdir():
            shutil.rmtree(entry) if entry.is_dir() else entry.unlink()
        platform.tool("initdb", "--auth=trust", "--username=platform", "-D", str(platform.data))
        platform.start_database()
        platform.sql("create table readings (id serial primary key, at timestamptz default now(),"
                     " topic text, value text)")
        say("folder_lost", before=READINGS, after=platform.count())


if __name__ == "__main__":
    for experiment in (start, altered, database_killed, broker_killed, folder_lost):
        experiment()
