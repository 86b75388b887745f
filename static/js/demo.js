// The demonstration around two pages: passes the switches on, and shows what the networks say. It sees nothing of the
// pages in its frames, which have origins of their own.
(() => {
  /** @typedef {{side: string, switches: Record<string, boolean>}} SideState */
  /** @typedef {{number: number, side: string, text: string}} Line */
  /** @typedef {{sides: SideState[], lines: Line[], worker: number}} State */

  const LOOK_EVERY_MS = 1000;
  const ANSWER_WITHIN_MS = 8000;
  const SHOWN_LINES = 60;

  const root = document.querySelector('meta[name="demo-root"]')?.getAttribute('content') ?? '';
  const note = /** @type {HTMLElement} */ (document.getElementById('note'));
  const worker = /** @type {HTMLElement} */ (document.getElementById('worker'));
  let newest = 0;
  let underWay = 0; // changes that the server has not answered: what it says meanwhile is older

  /**
   * @param {string} path
   * @param {object} [change]
   * @returns {Promise<State>}
   */
  async function ask(path, change) {
    const signal = AbortSignal.timeout(ANSWER_WITHIN_MS);
    const sent = change && { method: 'POST', headers: { 'Content-Type': 'application/json' }, body: JSON.stringify(change) };
    const answer = await fetch(root + path, { ...sent, signal, cache: 'no-store' });
    if (!answer.ok) throw new Error(`HTTP ${answer.status}`);
    return answer.json();
  }

  async function look() {
    try {
      show(await ask(`/log?after=${newest}`));
      note.textContent = '';
    } catch {
      note.textContent = 'The server does not answer right now. The pages below wait for it, too.';
    }
    setTimeout(look, LOOK_EVERY_MS);
  }

  /** @param {State} state */
  function show({ sides, lines, worker: pid }) {
    worker.textContent = `number ${pid}`;
    for (const line of lines) {
      if (line.number > newest) append(line);
    }
    newest = Math.max(newest, ...lines.map(({ number }) => number));
    if (underWay) return;
    for (const { side, switches } of sides) {
      for (const [name, on] of Object.entries(switches)) box(side, name).checked = on;
    }
  }

  /** @param {Line} line */
  function append({ side, text }) {
    const log = /** @type {HTMLElement} */ (document.querySelector(`[data-side="${side}"] [data-log]`));
    const atEnd = log.scrollTop + log.clientHeight >= log.scrollHeight - 4;
    const last = /** @type {HTMLElement | null} */ (log.lastElementChild);
    if (last?.dataset.text === text) {
      const times = Number(last.dataset.times) + 1;
      last.dataset.times = String(times);
      last.textContent = `${text} (${times} times)`;
    } else {
      log.append(row(text));
    }
    while (log.children.length > SHOWN_LINES) log.firstElementChild?.remove();
    if (atEnd) log.scrollTop = log.scrollHeight;
  }

  /** @param {string} text */
  function row(text) {
    const item = document.createElement('li');
    item.dataset.text = item.textContent = text;
    item.dataset.times = '1';
    return item;
  }

  /**
   * @param {string} side
   * @param {string} name
   */
  function box(side, name) {
    return /** @type {HTMLInputElement} */ (document.getElementById(`${side}-${name}`));
  }

  /**
   * @param {string} path
   * @param {object} wish
   * @returns {Promise<boolean>}
   */
  async function change(path, wish) {
    underWay += 1;
    try {
      await ask(path, wish);
      return true;
    } catch {
      note.textContent = 'That did not reach the server. Try again.';
      return false;
    } finally {
      underWay -= 1;
    }
  }

  /** @param {HTMLElement} section */
  function prepare(section) {
    const side = section.dataset.side;
    section.querySelectorAll('input').forEach((input) => input.addEventListener('change', async () => {
      const done = await change('/switches', { side, switch: input.dataset.switch, on: input.checked });
      if (!done) input.checked = !input.checked;
    }));
    const frame = /** @type {HTMLIFrameElement} */ (section.querySelector('iframe'));
    section.querySelector('[data-reload]')?.addEventListener('click', () => {
      frame.src = frame.src;
    });
  }

  document.querySelectorAll('[data-side]').forEach((section) => prepare(/** @type {HTMLElement} */ (section)));
  document.getElementById('kill')?.addEventListener('click', () => change('/kill', {}));
  look();
})();
