"""`ROOT`: where templates/, static/, wsgi.py and gunicorn.conf.py lie: at the top of the source, or within an installed
package."""

from pathlib import Path

ROOT = (Path(__file__).parent / "top" / "wsgi.py").resolve().parent
