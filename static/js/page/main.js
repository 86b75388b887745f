// Wiring only: hands the browser's own objects to the modules.

import { Api, query } from '../net/api.js';
import { browserClock } from '../net/clock.js';
import { pollTransport } from '../net/poll.js';
import { streamTransport } from '../net/stream.js';
import { browserTabs } from '../net/tabs.js';
import { LastingStorage } from '../outbox/lasting_storage.js';
import { openOutboxDb } from '../outbox/outbox_db.js';
import { ChatView } from '../view/chat_view.js';
import { byId } from '../view/dom.js';
import { Drafts } from '../view/drafts.js';
import { setUpKeyboard } from '../view/keyboard.js';
import { SignIn } from '../view/sign_in.js';
import { setUpTheme } from '../view/theme.js';
import { makeToast } from '../view/toast.js';
import { Address } from './address.js';
import { App } from './app.js';
import { oneUser } from './one_user.js';

const root = document.querySelector('meta[name=chat-root]')?.getAttribute('content') ?? '';
const clock = browserClock;
const address = new Address(root, window);
const api = new Api({ root, clock, fetch: (...call) => fetch(...call) });
const notice = makeToast(clock);
const bootNote = byId('boot', HTMLParagraphElement);

const view = new ChatView({
  clock, api,
  roomPath: (name) => address.pathOf(name),
  openRoom: (name) => app.goTo(name),
  signOut: () => app.signOut(),
  drafts: (userId) => new Drafts(storageOrNull(), userId),
});

/** @type {App} */
const app = new App({
  api, address, clock, view,
  random: Math.random,
  tabs: (userId) => browserTabs(`chat ${root} ${userId}`, navigator, globalThis.BroadcastChannel),
  storage: new LastingStorage({
    clock,
    open: (closed) => openOutboxDb(globalThis.indexedDB, `chat-outbox ${root}`, closed),
    lost: () => notice('This browser keeps nothing just now: messages that are not sent are lost when the page closes.'),
  }),
  transports: {
    stream: streamTransport({ EventSource, url: (since) => api.url(`/events/stream${query({ since })}`) }),
    poll: pollTransport({ clock, poll: (since, wait, signal) => api.poll(since, wait, signal) }),
  },
  notice,
  bootText: (text) => {
    bootNote.hidden = !text;
    bootNote.textContent = text;
  },
  signIn: new SignIn((name) => app.signIn(name)),
  oneUser: oneUser(storageOrNull(), window),
  reload: () => location.reload(),
});

setUpTheme();
setUpKeyboard();
window.addEventListener('popstate', () => app.follow());
window.addEventListener('online', () => app.online());
document.addEventListener('visibilitychange', () => app.visibilityChanged(!document.hidden));
app.boot();

function storageOrNull() {
  try {
    return localStorage;
  } catch {
    return null; // cookies and storage blocked
  }
}
