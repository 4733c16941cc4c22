"""The stage: two instances made from the zip alone, behind a load balancer, on DynamoDB Local."""

import uuid
import zipfile
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path

import pytest

from beanstalk import bundle_check, bundle_config
from dynamodb.client import warm_up
from tests.rehearsal.bundles import Repository
from tests.rehearsal.instances import Instance
from tests.rehearsal.proxies import Balancer
from tests.support.engines import dynamodb_local
from tictactoe_site import config, table

CONFIGURATION = "[dynamodb]\nregion = us-west-2\nendpoint = dynamodb.us-west-2.amazonaws.com\n"


@dataclass(frozen=True)
class Stage:
    """``address`` is the balancer's. ``secret`` is both instances' secret key unless a test changes it."""

    bundle: Path
    instances: list[Instance]
    balancer: Balancer
    secret: str

    @property
    def address(self) -> str:
        return self.balancer.address

    @property
    def properties(self) -> dict[str, str]:
        """The environment properties, as in docs/deploy.md."""
        return {"CONFIG_FILE": "beanstalk.config", "SECRET_KEY": self.secret}

    def set_properties(self, **properties: str) -> None:
        """Set the properties on one instance after the other, like a rolling update."""
        for instance in self.instances:
            with self.balancer.without(instance.name):
                instance.set_properties(**properties)


@pytest.fixture(scope="session")
def repository(tmp_path_factory: pytest.TempPathFactory) -> Repository:
    return Repository(tmp_path_factory.mktemp("versions") / "repository")


@pytest.fixture(scope="session")
def bundle(repository: Repository, pytestconfig: pytest.Config) -> Path:
    """Return the zip given by --bundle, or make one of this repository."""
    given = pytestconfig.getoption("--bundle")
    if not given:
        return repository.bundle("first", CONFIGURATION)
    path = Path(given).resolve()
    problems = bundle_check.problems(path.read_bytes()) if path.is_file() else ["there is no such file."]
    if problems:
        pytest.exit(f"{given}: {problems[0]}", returncode=2)
    return path


@pytest.fixture(scope="session")
def configuration(bundle: Path) -> str:
    """Return the operator's configuration from the zip."""
    with zipfile.ZipFile(bundle) as archive:
        return archive.read("beanstalk.config").decode()


@pytest.fixture(scope="session")
def stage(bundle: Path, configuration: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stage]:
    """Deploy the stage without configuring it, as the seed does."""
    folder = tmp_path_factory.mktemp("stage")
    chosen = bundle_config.read(configuration.encode(), "beanstalk.config")
    with ExitStack() as running:
        endpoint = running.enter_context(dynamodb_local())
        table.bind(config.for_endpoint(endpoint, base=chosen, environ={}), patient=True)
        warm_up()
        instances = [Instance(name, folder / name, endpoint) for name in ("one", "two")]
        for instance in instances:
            running.callback(instance.stop)
        with ThreadPoolExecutor() as at_once:
            list(at_once.map(lambda instance: instance.deploy(bundle), instances))
        balancer_folder = folder / "balancer"
        balancer_folder.mkdir()
        balancer = Balancer(balancer_folder, {instance.name: instance.nginx.port for instance in instances})
        running.callback(balancer.stop)
        yield Stage(bundle, instances, balancer, str(uuid.uuid4()))


@pytest.fixture
def site(stage: Stage) -> Stage:
    """Return the stage, configured."""
    if any(instance.properties != stage.properties for instance in stage.instances):
        stage.set_properties(**stage.properties)
    return stage
