"""Sentry, where SENTRY_DSN is set: defects, with where they happened and nothing of what people said."""

from typing import Any

from chatapp.config import Config

LIBRARY, EXTRA = "sentry_sdk", "sentry"


def start(config: Config) -> None:
    """What the log has as an error, with its traceback, goes there too."""
    import sentry_sdk

    sentry_sdk.init(
        dsn=config.sentry_dsn,
        environment="production" if config.production else "development",
        # A body, a name or a token may stand in each of these.
        send_default_pii=False,
        include_local_variables=False,
        max_request_body_size="never",
        max_breadcrumbs=0,
        before_send=_without_request,
        # No request goes through Flask alone, and the others would look for what is not there.
        auto_enabling_integrations=False,
    )


def _without_request(event: Any, _hint: Any) -> Any:
    event.pop("request", None)
    event.pop("user", None)
    return event
