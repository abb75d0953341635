"""Members of groups: those of the client stories, and the Java consumer."""

import pathlib

from beside.java import SILENT
from harness.broker import Kafka
from harness.group import Members

SOURCE = pathlib.Path(__file__).parents[1] / "GroupMember.java"


class MembersBesideJava(Members):
    """Starts the Java consumer as well."""

    def start_java(self, bootstrap, group, topic, protocol="classic", **settings):
        """`settings` are the consumer's, with `_` for `.`."""
        given = [f"{name.replace('_', '.')}={value}" for name, value in settings.items()]
        return self.start_command(Kafka.java(SILENT, str(SOURCE), bootstrap, group, topic, protocol, *given))
