"""The client for programs with threads, or with one."""
