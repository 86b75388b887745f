"""sse-starlette: each stream subscribes to a Redis channel."""

import os
from collections.abc import AsyncIterator

from redis.asyncio import Redis
from sse_starlette import EventSourceResponse
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse
from starlette.responses import Response
from starlette.routing import Route

redis = Redis.from_url(os.environ["REDIS_URL"], decode_responses=True)


async def events() -> AsyncIterator[dict[str, str]]:
    async with redis.pubsub() as pubsub:
        await pubsub.subscribe("bench")
        async for message in pubsub.listen():
            if message["type"] == "message":
                yield {"event": "message.created", "data": message["data"]}


async def stream(request: Request) -> Response:
    return EventSourceResponse(events())


async def send(request: Request) -> Response:
    await redis.publish("bench", (await request.body()).decode())
    return JSONResponse({"status": "ok"})


app = Starlette(routes=[Route("/stream", stream), Route("/send", send, methods=["POST"])])
