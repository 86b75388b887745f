"""The WSGI entry: patch first, then build."""

from gevent import monkey

monkey.patch_all()

import sys

from chatapp.config import ConfigError
from chatapp.root import ROOT
from chatapp.server import master
from chatapp.web import create_app

master.check_configured(ROOT)

try:
    app = create_app()
except ConfigError as error:
    sys.exit(f"chatapp: {error}")
