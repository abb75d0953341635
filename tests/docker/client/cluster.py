"""Prints the id of the cluster. cluster.py BOOTSTRAP"""

import sys

from confluent_kafka.admin import AdminClient

admin = AdminClient({"bootstrap.servers": sys.argv[1]})
print(admin.describe_cluster().result(60).cluster_id)
