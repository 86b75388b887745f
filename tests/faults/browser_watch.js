// Runs in the page before the page's own modules: tells the test what the page received and what it shows.
// Changes nothing: every event and answer goes on to the page as it came.
(() => {
  if (window !== window.top || !location.protocol.startsWith('http')) return;

  const EVENTS = ['ready', 'heartbeat', 'closing', 'reset', 'member.joined', 'member.left',
    'message.created', 'message.updated', 'message.deleted', 'message.status'];
  const facts = new Map(); // message id → what no row carries: the sender and the place in the log
  const shown = new Set();
  const unsent = new Map(); // localId → status
  const doubled = new Set();
  let began = false;

  const tell = (...news) => news.length && window.labTell(news);
  const confirm = (cursor, room) => cursor && tell({ what: 'confirms', cursor, room });

  const learn = (message) => {
    if (!message?.id) return;
    facts.set(message.id, { user: message.sender.id, seq: message.cursor ?? facts.get(message.id)?.seq ?? null });
  };

  window.EventSource = class extends window.EventSource {
    constructor(url, options) {
      super(url, options);
      let last = new URL(url, location.href).searchParams.get('since');
      confirm(last);
      for (const type of EVENTS) {
        this.addEventListener(type, (event) => {
          last = event.lastEventId || last;
          learn(JSON.parse(event.data).message);
        });
      }
      // The browser comes back by itself, with this as its Last-Event-ID.
      this.addEventListener('error', () => confirm(last));
    }
  };

  const ask = window.fetch;
  window.fetch = async (address, options) => {
    const url = new URL(address, location.href);
    if (url.pathname.endsWith('/events/poll')) confirm(url.searchParams.get('since'));
    const answer = await ask(address, options);
    // Before the page has it, so that nothing is shown that is not known here.
    if (answer.ok) await note(url, options, answer.clone()).catch(() => {});
    return answer;
  };

  // The page for old browsers asks this way. Whoever listens first hears first.
  window.XMLHttpRequest = class extends window.XMLHttpRequest {
    constructor() {
      super();
      this.addEventListener('load', () => {
        try {
          if (this.status >= 200 && this.status < 300) learnAll(this.url, this.options, () => JSON.parse(this.responseText));
        } catch {
          // Not JSON: that is for the page to say.
        }
      });
    }

    open(method, address, ...rest) {
      this.url = new URL(address, location.href);
      this.options = { method };
      if (this.url.pathname.endsWith('/events/poll')) confirm(this.url.searchParams.get('since'));
      super.open(method, address, ...rest);
    }

    send(body) {
      this.options.body = body;
      super.send(body);
    }
  };

  async function note(url, options, answer) {
    const text = await answer.text();
    learnAll(url, options, () => JSON.parse(text));
  }

  function learnAll(url, options, parsed) {
    if (url.pathname.endsWith('/events/ack')) return confirm(JSON.parse(options.body).cursor);
    // What was read was received.
    const read = /\/rooms\/([^/]+)\/read$/.exec(url.pathname);
    if (read) return confirm(JSON.parse(options.body).cursor, decodeURIComponent(read[1]));
    const content = parsed();
    if (url.pathname.endsWith('/session')) return tell({ what: 'user', user: content.user.id });
    if (url.pathname.endsWith('/api/v1/rooms') && options.method === 'GET' && !began) {
      began = true;
      tell({ what: 'began', cursor: content.cursor });
    }
    for (const one of content.events ?? []) learn(one.message);
    for (const one of content.messages ?? []) learn(one);
    if (content.localId) learn(content);
  }

  const room = () => decodeURIComponent(location.pathname.split('/').at(-1));
  const body = (row) => row.querySelector('.message__body').textContent;
  const describe = (row) => {
    const { id = null, localId, status } = row.dataset;
    return { id, localId, status, body: body(row), room: room(), user: null, seq: null, ...facts.get(id) };
  };

  const look = (log) => {
    const news = [];
    const here = new Map();
    for (const row of log.querySelectorAll('.row')) {
      const { id, localId, status } = row.dataset;
      const twin = here.get(localId) ?? (id && here.get(id));
      here.set(localId, row);
      if (id) here.set(id, row);
      if (twin && !doubled.has(localId)) {
        doubled.add(localId);
        news.push({ ...describe(id ? row : twin), what: 'twice' });
      }
      if (id && !shown.has(id)) {
        shown.add(id);
        news.push({ ...describe(row), what: 'shown' });
      } else if (!id && unsent.get(localId) !== status) {
        unsent.set(localId, status);
        news.push({ ...describe(row), what: 'unsent' });
      }
    }
    tell(...news);
  };

  new MutationObserver((changes) => {
    const log = document.getElementById('log');
    if (log && changes.some(({ target }) => log.contains(target))) look(log);
  }).observe(document, { subtree: true, childList: true, attributeFilter: ['data-id', 'data-status'] });

  const frames = () => new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(done)));

  // What a person does who reads everything: up to the beginning, then down, screen by screen.
  window.labReader = {
    async up() {
      const more = document.getElementById('load-older');
      document.getElementById('scroller').scrollTop = 0;
      if (!more.hidden) more.click();
      await frames();
      return more.parentElement.innerText.includes('This is the beginning');
    },
    read() {
      return [...document.querySelectorAll('#log .row')].map(describe);
    },
    async down() {
      const scroller = document.getElementById('scroller');
      scroller.scrollTop = scroller.scrollHeight;
      await frames();
      return document.getElementById('to-latest').hidden;
    },
  };

  tell({ what: 'loaded' });
})();
