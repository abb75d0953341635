"""Apache Kafka's applications as processes, and what they did as librdkafka sees it."""
