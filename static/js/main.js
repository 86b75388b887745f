// Wiring only: the browser's own things are handed to the modules here and nowhere else.

import { Api, query } from './api.js';
import { App } from './app.js';
import { browserClock } from './clock.js';
import { Drafts } from './drafts.js';
import { openOutboxStorage } from './outbox_db.js';
import { oneUser } from './one_user.js';
import { Place } from './place.js';
import { pollTransport } from './poll.js';
import { streamTransport } from './stream.js';
import { ChatView } from './view/chat_view.js';
import { byId } from './view/dom.js';
import { setUpKeyboard } from './view/keyboard.js';
import { SignIn } from './view/sign_in.js';
import { setUpTheme } from './view/theme.js';
import { makeToast } from './view/toast.js';

const root = document.querySelector('meta[name=chat-root]')?.getAttribute('content') ?? '';
const clock = browserClock;
const place = new Place(root, window);
const api = new Api({ root, clock, fetch: (...call) => fetch(...call) });
const bootNote = byId('boot', HTMLParagraphElement);

const view = new ChatView({
  clock, api,
  roomPath: (name) => place.pathOf(name),
  openRoom: (name) => app.goTo(name),
  signOut: () => app.signOut(),
  drafts: (userId) => new Drafts(storageOrNull(), userId),
});

/** @type {App} */
const app = new App({
  api, place, clock, view,
  random: Math.random,
  storage: openOutboxStorage(globalThis.indexedDB, `chat-outbox ${root}`),
  transports: {
    stream: streamTransport({ EventSource, url: (since) => api.url(`/events/stream${query({ since })}`) }),
    poll: pollTransport({ clock, poll: (since, wait, signal) => api.poll(since, wait, signal) }),
  },
  notice: makeToast(clock),
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
