// Wiring only: hands the browser's own objects to the modules.

import { Api } from '../net/api.js';
import { browserClock } from '../net/clock.js';
import { Http, query } from '../net/http.js';
import { pollTransport } from '../net/poll.js';
import { streamTransport } from '../net/stream.js';
import { browserTabs } from '../net/tabs.js';
import { LastingStorage } from '../outbox/lasting_storage.js';
import { openOutboxDb } from '../outbox/outbox_db.js';
import { KeptRooms } from '../rooms/kept_rooms.js';
import { RoomChoices } from '../rooms/room_choices.js';
import { ChatView } from '../view/chat_view.js';
import { byId } from '../view/dom.js';
import { Drafts } from '../view/drafts.js';
import { Notifications } from '../view/notifications.js';
import { SignIn } from '../view/sign_in.js';
import { makeToast } from '../view/toast.js';
import { Address } from './address.js';
import { App } from './app.js';
import { seenSomewhere } from './seen_somewhere.js';
import { keepShell, leaveShell } from './shell_update.js';
import { tabWord } from './tab_word.js';

Object.assign(window, { __chat: 'page' }); // page/early.js and js/legacy.js look whether this browser runs it

const root = document.querySelector('meta[name=chat-root]')?.getAttribute('content') ?? '';
const clock = browserClock;
const address = new Address(root, window);
const http = new Http({ root, clock, fetch: (...call) => fetch(...call) });
const api = new Api(http);
const oneUser = tabWord(storageOrNull(), window, `chat-user${root}`); // page/early.js looks for it, too
if (oneUser.known) http.ahead(['/session', '/rooms']);
const notice = makeToast(clock);
const bootNote = byId('boot', HTMLParagraphElement);
const isSeen = seenSomewhere(`chat seen ${root}`, navigator.locks, document);
const notifications = new Notifications({
  Notification: globalThis.Notification,
  workers: navigator.serviceWorker,
  open: (name) => app.goTo(name),
  notice,
});

const view = new ChatView({
  clock, api, notice, notifications,
  pathOf: (room, message) => address.pathOf(room, message),
  openRoom: (name) => app.goTo(name),
  signOut: () => app.signOut(),
  drafts: (userId) => new Drafts(storageOrNull(), userId),
});

/** @type {App} */
const app = new App({
  http, api, address, clock, view,
  random: Math.random,
  tabs: (userId) => browserTabs(`chat ${root} ${userId}`, navigator, globalThis.BroadcastChannel),
  choices: (userId) => new RoomChoices(storageOrNull(), userId),
  storage: new LastingStorage({
    clock,
    open: (closed) => openOutboxDb(globalThis.indexedDB, `chat-outbox ${root}`, closed),
    lost: () => notice('This browser keeps nothing just now: messages that are not sent are lost when the page closes.'),
  }),
  transports: {
    stream: streamTransport({ EventSource, url: (since) => http.url(`/events/stream${query({ since })}`) }),
    poll: pollTransport({ clock, poll: (since, wait, signal) => api.poll(since, wait, signal) }),
  },
  notice,
  unseen: async (room, message) => { if (!(await isSeen())) notifications.tell(room, message); },
  bootText: (text) => {
    bootNote.hidden = !text;
    bootNote.textContent = text;
  },
  signIn: new SignIn((name) => app.signIn(name)),
  oneUser,
  discarded: tabWord(storageOrNull(), window, `chat-discarded${root}`),
  keptRooms: new KeptRooms(globalThis.indexedDB, `chat-kept ${root}`, clock),
  reload: () => location.reload(),
  leaveShell: () => leaveShell(navigator.serviceWorker, () => location.reload()),
});

window.addEventListener('popstate', () => app.follow());
window.addEventListener('hashchange', () => app.follow());
window.addEventListener('online', () => app.online());
document.addEventListener('visibilitychange', () => app.visibilityChanged(!document.hidden));
window.addEventListener('pagehide', () => app.keepNow());
app.boot();
keepShell({ workers: navigator.serviceWorker, root, ask: offerUpdate, reload: () => location.reload() });

/** @param {() => void} reload */
function offerUpdate(reload) {
  byId('update-bar', HTMLDivElement).hidden = false;
  byId('update-now', HTMLButtonElement).addEventListener('click', reload, { once: true });
}

function storageOrNull() {
  try {
    return localStorage;
  } catch {
    return null; // cookies and storage blocked
  }
}
