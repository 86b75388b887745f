"""A short selection of the faults in every run of the tests; all of them in the long one."""

import pytest

from tests.faults.cases import CASES
from tests.faults.lab import Case
from tests.faults.lab import run
from tests.support.open_folder import open_folder

RUNS = [
    pytest.param(
        case,
        database,
        id=f"{case.name}-{database}",
        marks=[] if database in case.short else [pytest.mark.long],
    )
    for case in CASES
    for database in case.databases
]


@pytest.mark.parametrize(("case", "database"), RUNS)
def test_a_fault_breaks_no_promise(case: Case, database: str) -> None:
    with open_folder() as folder:
        result = run(case, database, folder / "world")
        print(result)
        assert result.good, str(result)
        assert result.report.acknowledged > 0
        assert result.report.shown >= result.report.acknowledged
