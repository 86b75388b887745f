"""The WSGI entry: patch first, then build."""

from gevent import monkey

monkey.patch_all()

import sys

from chatapp import create_app
from chatapp.config import ConfigError

try:
    app = create_app()
except ConfigError as error:
    sys.exit(f"chatapp: {error}")
