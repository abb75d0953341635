"""What these stories need beyond the harness of the clients: containers, and clients that run in one."""
