"""What Testcontainers is told here: it may pull nothing, and it runs beside the engine."""

SETTINGS = {
    # Its reaper and its checks are images of their own.
    "TESTCONTAINERS_RYUK_DISABLED": "true",
    "TESTCONTAINERS_CHECKS_DISABLE": "true",
    # Inside a container it would look for the engine's address with one more image.
    "TESTCONTAINERS_HOST_OVERRIDE": "localhost",
}
