"""The table of faults."""

from tests.faults import chaos
from tests.faults import crowd_faults
from tests.faults import database_faults
from tests.faults import host_faults
from tests.faults import network_faults
from tests.faults import process_faults
from tests.faults import redis_faults
from tests.faults.lab import Case

SQLITE = ("sqlite",)
POSTGRES = ("postgres",)
# The laboratory's own pace would be thousands of heartbeats a second.
CALM = {"CHATAPP_STREAM_SECONDS": "180", "CHATAPP_HEARTBEAT_SECONDS": "3"}
SMALL_WINDOW = {"CHATAPP_WINDOW": "50"}

CASES = [
    Case("worker killed", "kill -9 of a random worker, 5 times", process_faults.kill_workers, short=POSTGRES),
    Case("master killed", "kill -9 of the master, twice", process_faults.kill_master, short=SQLITE),
    Case("both masters killed", "with the embedded Redis", process_faults.kill_master, SQLITE, redis="embedded"),
    Case("restart", "SIGTERM, then started again", process_faults.restart),
    Case("reload", "SIGHUP", process_faults.hang_up, short=POSTGRES),
    Case("worker stopped", "SIGSTOP of a worker for 6 s", process_faults.stop_a_worker),
    Case("redis killed", "kill -9, empty after 5 s", redis_faults.kill, short=POSTGRES),
    Case("redis killed often", "kill -9 and an empty start, 5 times", redis_faults.kill_again_and_again),
    Case("redis long away", "kill -9, empty after 2,500 messages", redis_faults.stay_away_for_long),
    Case("redis flushed", "FLUSHALL, 3 times", redis_faults.flush, short=POSTGRES),
    Case("redis stalled", "SIGSTOP for 20 s", redis_faults.stall),
    Case("redis clock ahead", "1 h ahead, FLUSHALL, right again", redis_faults.flush_with_clock_ahead, redis="clocked"),
    Case("redis clock back", "1 h back, FLUSHALL, right again", redis_faults.flush_with_clock_back, redis="clocked"),
    Case("log trimmed", "XTRIM to 10 entries, 10 times", redis_faults.trim, settings=SMALL_WINDOW),
    Case("log deleted", "DEL of the log, then of what was published", redis_faults.lose_the_log),
    Case("redis read-only", "a replica for 5 s", redis_faults.refuse_writes),
    Case("redis full", "maxmemory reached for 5 s", redis_faults.out_of_memory),
    Case("published, not recorded", "kill -9 between the two", database_faults.kill_unrecorded),
    Case("sqlite locked 3 s", "by another process", database_faults.lock_sqlite_shortly, SQLITE, short=SQLITE),
    Case("sqlite locked 30 s", "by another process", database_faults.lock_sqlite_for_long, SQLITE),
    Case("postgres stopped", "for 5 s", database_faults.stop_postgres, POSTGRES, short=POSTGRES),
    Case("postgres killed", "kill -9, recovers after 2 s", database_faults.kill_postgres, POSTGRES),
    Case("postgres frozen", "SIGSTOP for 8 s", database_faults.freeze_postgres, POSTGRES),
    Case("backends terminated", "all of them, 30 times", database_faults.terminate_backends, POSTGRES),
    Case("slow commits", "up to 0.8 s between insert and commit", database_faults.commit_slowly, POSTGRES),
    Case("disk full", "until refused, and 5 s longer", database_faults.fill_the_disk, SQLITE, disk_mib=32),
    Case("disk full", "until refused, and 5 s longer", database_faults.fill_the_disk, POSTGRES, disk_mib=200),
    Case("thousands return", "5,000 within a second, 50 behind", crowd_faults.come_back_at_once, settings=CALM),
    Case("readers stop reading", "100 of them, 4 MB behind", crowd_faults.stop_reading, settings=CALM),
    Case("stop with 500 streams", "SIGTERM, then started again", crowd_faults.stop_with_many_streams),
    Case(
        "all places taken",
        "150 streams for 50 places, 150 idle connections, 256 files",
        crowd_faults.take_all_places,
        settings={"CHATAPP_MAX_CONNECTIONS": "50"},
        files=256,
    ),
    Case("service clock", "1 h ahead, right, 1 h back, right", process_faults.step_clock, service_clock=True),
    Case("connections cut", "all of them, 10 times", network_faults.cut, proxied=True),
    Case("connections refused", "for 8 s", network_faults.refuse, proxied=True),
    Case("streams held back", "for 8 s", network_faults.hold_streams_back, proxied=True),
    Case("replies swallowed", "of all sends, for 8 s", network_faults.swallow_replies, proxied=True, short=SQLITE),
    Case("silence", "no byte for 8 s", network_faults.silence, proxied=True),
    Case("broken gateway", "502, 503, a page, 204: 3 s each", network_faults.answer_like_a_gateway, proxied=True),
    Case(
        "long away", "1,200 messages, window 50, log cut to 10", redis_faults.say_much_and_trim, settings=SMALL_WINDOW
    ),
    Case(
        "crowd, workers killed",
        "50 senders, 200 readers, kill -9 of a worker, 5 times",
        process_faults.kill_workers,
        senders=50,
        readers=200,
        pause_s=2.5,
    ),
    Case("host killed", "one of three, kill -9, twice", host_faults.kill_a_host, POSTGRES, hosts=3),
    Case("host cut from redis", "one of two, for 8 s", host_faults.cut_from_redis, POSTGRES, hosts=2),
    Case("host cut from postgres", "one of two, for 8 s", host_faults.cut_from_database, POSTGRES, hosts=2),
    Case("host far away", "one of two, 50 ms, then 200 ms, 15 s each", host_faults.far_away, POSTGRES, hosts=2),
    Case("host loses packets", "one of two, one in fifty, for 20 s", host_faults.lose_packets, POSTGRES, hosts=2),
    Case(
        "clocks apart",
        "one of two hosts 10 min ahead; Redis killed, 300 messages meanwhile",
        redis_faults.stay_away,
        POSTGRES,
        hosts=2,
        apart="+10m",
    ),
    Case(
        "redis failover",
        "two hosts; the primary killed, Sentinels",
        host_faults.fail_over_redis,
        POSTGRES,
        redis="sentinels",
        hosts=2,
        short=POSTGRES,
    ),
    Case(
        "postgres failover",
        "two hosts; the primary killed, a synchronous standby promoted",
        host_faults.fail_over_database,
        POSTGRES,
        hosts=2,
        standby=True,
    ),
    Case("chaos", "30 faults by chance within half a minute", chaos.chaos, proxied=True),
    Case(
        "browsers, worker killed",
        "two browsers, kill -9 of a worker 5 times",
        process_faults.kill_workers,
        senders=2,
        readers=3,
        browsers=2,
    ),
    Case(
        "browsers, redis killed",
        "two browsers, Redis away for 5 s",
        redis_faults.kill,
        senders=2,
        readers=3,
        browsers=2,
    ),
    Case(
        "browsers, replies gone",
        "two browsers, replies swallowed for 8 s",
        network_faults.swallow_replies,
        senders=2,
        readers=3,
        browsers=2,
        proxied=True,
    ),
    Case(
        "every page",
        "five pages write: answers swallowed, a worker killed, connections refused and cut, twice",
        network_faults.cut_and_kill,
        senders=2,
        readers=3,
        browsers=1,
        every_page=True,
        proxied=True,
    ),
]
