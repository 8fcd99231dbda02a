"""Fixtures of the integration tests: one instance of the service a pytest process, watched after each test."""

import contextlib

import pytest

from daemon import Daemon
from identity import Remote
from service import Service


@pytest.fixture(scope="session")
def service():
    instance = Service()
    yield instance
    instance.close()


@pytest.fixture(scope="session")
def crowded():
    """An instance whose many workers serve many requests at the same time."""
    instance = Service(workers=8)
    yield instance
    instance.close()


@pytest.fixture
def own_service():
    """Starts instances that a test may configure, stop and break: own_service(config="...", workers=N)."""
    with contextlib.ExitStack() as instances:

        def start(**options):
            instance = Service(**options)
            instances.callback(instance.close)  # also when another one's close finds a fault
            return instance

        yield start


@pytest.fixture
def daemon(service):
    """The same for what needs no MariaDB of its own, and quicker: daemon(config="...", workers=N)."""
    with contextlib.ExitStack() as instances:

        def start(**options):
            instance = Daemon(service, **options)
            instances.callback(instance.close)
            return instance

        yield start


@pytest.fixture
def remote():
    """The service of an identity provider, which nobody has been told of yet."""
    server = Remote()
    yield server
    server.close()


@pytest.fixture(autouse=True)
def watch(request):
    """A test fails when the service logged an error, crashed or leaked while it ran."""
    yield
    if "service" in request.fixturenames:
        request.getfixturevalue("service").check_log()


@pytest.fixture(scope="session")
def staff(service):
    return service.staff


@pytest.fixture(scope="session")
def nobody(service):
    return service.nobody


@pytest.fixture(scope="session")
def support(service):
    return service.account(is_support=True, agreed=True)


@pytest.fixture
def regular(service):
    """A regular account of the test's own."""
    return service.account(first_name="Regular", last_name="User")
