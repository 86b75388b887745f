"""The table of faults."""

from tests.faults import process_faults
from tests.faults import redis_faults
from tests.faults.lab import Case

CASES = [
    Case("worker killed", "kill -9 of a random worker, 5 times", process_faults.kill_workers, short=True),
    Case("master killed", "kill -9 of the master, twice", process_faults.kill_master),
    Case("restart", "SIGTERM, then started again", process_faults.restart),
    Case("reload", "SIGHUP", process_faults.hang_up),
    Case("worker stopped", "SIGSTOP of a worker for 6 s", process_faults.stop_a_worker),
    Case("redis killed", "kill -9, empty after 5 s", redis_faults.kill, short=True),
    Case("redis killed often", "kill -9 and an empty start, 5 times", redis_faults.kill_again_and_again),
    Case("redis flushed", "FLUSHALL, 3 times", redis_faults.flush, short=True),
    Case("redis stalled", "SIGSTOP for 20 s", redis_faults.stall),
    Case("redis clock ahead", "1 h ahead, FLUSHALL, right again", redis_faults.flush_with_clock_ahead, redis="clocked"),
    Case("redis clock back", "1 h back, FLUSHALL, right again", redis_faults.flush_with_clock_back, redis="clocked"),
    Case("log trimmed", "XTRIM to 10 entries, 10 times", redis_faults.trim, settings={"CHATAPP_WINDOW": "20"}),
    Case("log deleted", "DEL of the log, then of what was published", redis_faults.lose_the_log),
    Case("redis read-only", "a replica for 5 s", redis_faults.refuse_writes),
    Case("redis full", "maxmemory reached for 5 s", redis_faults.out_of_memory),
]
