// Follows a durable stream as a program would that uses the public client, and says each batch as a line of JSON.
import { stream } from '@durable-streams/client';

const AGAIN_MS = 50;
const TURNS_MAX = 1000;
const { url, token, live, offset, text } = JSON.parse(process.argv[2]);
const say = (line) => console.log(JSON.stringify(line));
const pause = (ms) => new Promise((resolve) => setTimeout(resolve, ms));
let at = offset;
let over = false;

function take(batch) {
  at = batch.offset;
  over = batch.streamClosed || (!live && batch.upToDate);
  say({ items: batch.items ?? batch.text, offset: at, upToDate: batch.upToDate, closed: batch.streamClosed });
}

while (!over) {
  try {
    const headers = { Authorization: `Bearer ${token}` };
    const found = await stream({ url, offset: at, live, headers, warnOnHttp: false });
    if (text) found.subscribeText(take);
    else found.subscribeJson(take);
    await found.closed;
    // The client has read all, and may not have given it yet.
    for (let turn = 0; at !== found.offset && turn < TURNS_MAX; turn += 1) await pause(1);
  } catch (error) {
    over = error.status >= 400 && error.status < 500;
    say(over ? { refused: error.status } : { again: String(error) });
    await pause(AGAIN_MS);
  }
}
