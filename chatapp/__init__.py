"""Real-time messaging over plain HTTP: Server-Sent Events and long poll over one cursor."""
