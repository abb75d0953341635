"""Apache Kafka with the configuration that `ottla graduate` prints for a directory."""

import subprocess

from harness.broker import HOST, Kafka, Ottla, free_port


class Graduated(Kafka):
    """Goes on with what Ottla has left, and with the settings given here."""

    def write_properties(self):
        if self.port == 0:
            self.port = free_port()
            self._controller_port = free_port()
            self.directory.mkdir(parents=True, exist_ok=True)
        command = [Ottla.binary(), "graduate", "--data-dir", self.data_dir, "--listen", self.address]
        # A killed broker must not be waited for.
        settings = {"controller.quorum.voters": f"1@{HOST}:{self._controller_port}", "broker.session.timeout.ms": 6000}
        for key, value in {**settings, **self.settings}.items():
            command += ["--set", f"{key}={value}"]
        done = subprocess.run([str(word) for word in command], capture_output=True, text=True, timeout=60)
        assert done.returncode == 0, done.stderr
        properties = self.directory / "server.properties"
        properties.write_text(done.stdout)
        return properties
