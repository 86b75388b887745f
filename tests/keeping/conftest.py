"""A service of one's own on each database, and the operator beside it."""

from collections.abc import Iterator

import pytest

from tests.conftest import Start
from tests.support.operator import Operator
from tests.support.service import Service


@pytest.fixture(scope="module", params=["postgres", "sqlite"])
def own(request: pytest.FixtureRequest, start_service: Start) -> Iterator[Service]:
    # So small a window that what is older comes from the database.
    service = start_service(request.param, CHATAPP_WINDOW="1")
    yield service
    service.stop()


@pytest.fixture
def operator(own: Service) -> Operator:
    return Operator(own)


@pytest.fixture
def service(own: Service) -> Service:
    """Whose people `ada` and `bob` are."""
    return own
