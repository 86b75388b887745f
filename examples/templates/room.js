// A room and one's notifications by long poll: history, then what comes, from one cursor. Each message is shown once.
const {chat, room, mine} = document.getElementById('script').dataset;
const api = `${chat}/api/v1`;
const pause = (ms) => new Promise((done) => setTimeout(done, ms));
let token = null;

// One call: with a new token when the old one is over, and again while the chat is away. Repeating is safe.
async function call(method, path, body) {
  for (;;) {
    try {
      token ??= (await (await fetch('/chat-token', {method: 'POST', headers: {'Content-Type': 'application/json'}})).json()).token;
      const headers = {Authorization: `Bearer ${token}`, 'Content-Type': 'application/json'};
      const answer = await fetch(api + path, {method, headers, body: body && JSON.stringify(body)});
      if (answer.status === 401) token = null;
      else if (answer.status !== 429 && answer.status < 500) return await answer.json();
    } catch { /* no network: again in a moment */ }
    await pause(1000);
  }
}

function show(message) {
  const id = `m-${message.id}`;
  const list = document.getElementById(message.room === mine ? 'notices' : 'messages');
  const item = document.getElementById(id) ?? list.appendChild(Object.assign(document.createElement('li'), {id}));
  item.textContent = message.deletedAt ? '(withdrawn)' : `${message.sender.name}: ${message.body}`;
}

document.getElementById('send').addEventListener('submit', async (event) => {
  event.preventDefault();
  const text = document.getElementById('text');
  const body = text.value.trim();
  text.value = '';
  // The localId makes every repetition the same message.
  if (body) show(await call('POST', `/rooms/${room}/messages`, {localId: crypto.randomUUID(), body}));
});

// The cursor of the first page is the earlier one: what comes after it is missed by neither.
const pages = [await call('GET', `/rooms/${room}/messages`), await call('GET', `/rooms/${mine}/messages`)];
for (const {messages} of pages) messages.forEach(show);
for (let cursor = pages[0].cursor; ;) {
  const news = await call('GET', `/events/poll?rooms=${room},${mine}&since=${cursor}`);
  for (const {type, message} of news.events) if (type === 'message.created' || type === 'message.updated') show(message);
  cursor = news.cursor;
}
