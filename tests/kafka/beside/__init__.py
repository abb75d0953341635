"""What these stories need beyond the harness of the clients: Kafka on Ottla's directory, its tools, raw requests."""
