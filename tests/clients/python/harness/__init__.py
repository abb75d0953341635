"""What the stories stand on: a broker to start and kill, a proxy that loses answers, readers and writers."""
