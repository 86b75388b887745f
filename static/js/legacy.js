// The whole page for browsers without modules, and for whoever asks for it by ?transport=poll: long poll over XMLHttpRequest.
// Nothing newer than Internet Explorer 11 has: tests/js/legacy.test.js holds the list of what is used.
// In order: other pages · numbers · words · requests · rooms · messages · events · receiving · outbox · view · actions.

(function () {
  'use strict';

  /** @typedef {import('./net/shapes.js').User} User */
  /** @typedef {import('./net/shapes.js').Message} Message */
  /** @typedef {import('./net/shapes.js').RoomInfo} RoomInfo */
  /** @typedef {import('./net/shapes.js').ChatEvent} ChatEvent */
  /** What went wrong. @typedef {{code: string, status: number, retryable: boolean, retryAfterMs: number, detail: string, errors: any}}
   * Problem */
  /** @typedef {(problem: Problem | null, content: any) => void} Done */
  /** A message on this page; `row` is what shows it. @typedef {Record<string, any>} Entry */
  /** A message that the server has not accepted yet. @typedef {Record<string, any>} Item */
  /** @typedef {Record<string, any> & {info: RoomInfo, entries: Entry[]}} Room */

  var page = /** @type {any} */ (window);
  if (page.__chat) return;
  page.__chat = true;
  if (!document.getElementById('legacy')) return leadHere();

  // ---- Other pages: an old browser on the page of the new ones ----

  function leadHere() {
    var rest = location.search.replace(/^\?/, '').split('&').filter(function (part) { return part && !/^transport=/.test(part); });
    if (/[?&]transport=poll(&|$)/.test(location.search)) return; // asked for already: else it would go round in circles
    location.replace(location.pathname + '?' + rest.concat('transport=poll').join('&') + location.hash);
  }

  // ---- Numbers, each with its reason ----

  var ANSWER_WITHIN_MS = 12000; // the server answers every send within 10 s
  var HOLD_S = 25; // below the 30 s at which some proxies cut a silent request
  var HOLD_LEAST_S = 5; // shorter ones would cost as much as polling without any
  var CUTS_BEFORE_HALVING = 2; // one may be chance
  var POLL_GRACE_MS = 10000; // on top of the time the server holds a poll
  var BACKOFF_LEAST_MS = 1000;
  var BACKOFF_MOST_MS = 30000; // nobody who watches the countdown should wait longer
  var STEADY_MS = 5000; // a connection that lived this long was a success
  var QUIET_MS = 1000; // nobody needs to know of shorter interruptions
  var COUNTDOWN_AFTER_MS = 5000;
  var BACK_SHOWN_MS = 2500;
  var UNANSWERED_MS = 5000; // whatever the connection says: a send that waits so long is told of
  var TYPING_SHOWN_MS = 6000; // the contract's
  var TYPING_APART_MS = 3000; // the server passes on no more
  var TOAST_MS = 6000;
  var READ_SPREAD_MS = 1000; // not at the same instant as everyone else in the room,
  var READ_SPREAD_EACH_MS = 20; // the less so the more there are,
  var READ_SPREAD_MOST_MS = 30000;
  var LISTS_APART_MS = 30000; // no event tells of new public rooms
  var PAGE = 50;
  var ROWS_MOST = 200; // more make old browsers slow
  var ENTRIES_MOST = 1000; // of one room; a page may stay open for weeks
  var BODY_MOST = 4000; // code points, as the server counts
  var GROUP_MS = 300000; // messages this close read as one
  var BOTTOM_PX = 80;
  var HOME = 'general';

  var root = attributeOf(document.querySelector('meta[name=chat-root]'), 'content');
  var user = /** @type {User | null} */ (null);
  var rooms = /** @type {Record<string, Room>} */ (Object.create(null));
  var current = /** @type {Room | null} */ (null);
  var era = 0; // goes up with every sign-out: what was begun before it is forgotten

  function now() {
    return window.performance && performance.now ? performance.now() : new Date().getTime();
  }

  /** @param {() => void} run @param {number} delayMs */
  function later(run, delayMs) {
    var begun = era;
    return window.setTimeout(function () { if (begun === era) run(); }, delayMs);
  }

  /** @param {number} attempt */
  function backoffMs(attempt) {
    var ceilingMs = Math.min(BACKOFF_MOST_MS, 2 * BACKOFF_LEAST_MS * Math.pow(2, Math.min(attempt, 8)));
    return BACKOFF_LEAST_MS + Math.random() * (ceilingMs - BACKOFF_LEAST_MS);
  }

  /** Numerals of any length: as numbers they would be rounded above 2^53. @param {string} a @param {string} b */
  function compareNumerals(a, b) {
    if (a.length !== b.length) return a.length - b.length;
    return a === b ? 0 : a < b ? -1 : 1;
  }

  /** @param {string} a @param {string} b */
  function compareCursors(a, b) {
    var left = a.split('-'), right = b.split('-');
    return compareNumerals(left[0], right[0]) || compareNumerals(left[1] || '0', right[1] || '0');
  }

  // ---- Words ----

  /** @type {Record<string, string>} */
  var REASONS = {
    forbidden: 'you are not a member of this room',
    not_found: 'this room is gone, or you may not read it',
    too_large: 'the message is too large',
    local_id_reused: 'another message was sent under its id',
    bad_origin: 'this page may not send from its address',
    method_not_allowed: 'the server does not allow it',
    network: 'the server does not answer',
    timeout: 'the server does not answer',
    foreign_answer: 'something between you and the server answered instead of it',
    unavailable: 'the server cannot do it right now',
    rate_limited: 'too many requests',
    internal: 'the server has a fault'
  };
  /** @type {Record<string, string>} */
  var KINDS = { public: 'Public', private: 'Private', direct: 'Direct' };
  /** @type {Record<string, string[]>} mark and text: neither alone */
  var STATES = { sending: ['…', 'Sending'], sent: ['✓', 'Sent'], delivered: ['✓✓', 'Delivered'], failed: ['!', 'Failed'] };
  /** @type {Record<string, number>} a state never goes back */
  var PROGRESS = { failed: 0, sending: 0, sent: 1, delivered: 2 };
  var FIRST_NAMES = ['Amber', 'Brisk', 'Calm', 'Clever', 'Gentle', 'Merry', 'Quiet', 'Swift'];
  var LAST_NAMES = ['Badger', 'Finch', 'Heron', 'Lynx', 'Otter', 'Raven', 'Seal', 'Wren'];
  var KEEPS_NOTHING = 'This browser keeps nothing just now: messages that are not sent are lost when the page closes.';
  // Terminals colour by these, and nobody who pastes them sees them.
  var TERMINAL_CODES = /\u001b\[[0-9;?]*[ -\/]*[@-~]/g;
  var LINE_BREAKS = /\r\n|[\r\u000b\u000c\u0085\u2028\u2029]/g;
  var REFUSED = /[\u0000-\u0008\u000e-\u001f\u007f-\u009f]|[\ud800-\udbff](?![\udc00-\udfff])/g;
  var HALF_PAIR = /(^|[^\ud800-\udbff])[\udc00-\udfff]+/g;
  var LINK = /https?:\/\/[^\s<>"`\u0000-\u001f\u007f-\u009f\u200b-\u200f\u202a-\u202e\u2066-\u2069]+/gi;
  var AFTER_LINK = /[.,:;!?'’"”»)\]}…*_~|\-]+$/; // the sentence's, not the address's

  /** @param {Problem} problem to stand inside a sentence */
  function reasonOf(problem) {
    var byField = Object.keys(problem.errors).map(function (field) { return [].concat(problem.errors[field]).join('; '); }).join('; ');
    var text = (byField || REASONS[problem.code] || problem.detail || problem.code).replace(/\.\s*$/, '');
    return /^[A-Z][a-z]/.test(text) ? text.charAt(0).toLowerCase() + text.slice(1) : text;
  }

  /** @param {string[]} texts */
  function anyOf(texts) {
    return texts[Math.floor(Math.random() * texts.length)];
  }

  /** @param {number} count @param {string} one */
  function counted(count, one) {
    return count + ' ' + one + (count === 1 ? '' : 's');
  }

  /** The code points of a text: a pair of surrogates is one. @param {string} text */
  function pointsOf(text) {
    return text.match(/[\ud800-\udbff][\udc00-\udfff]|[\s\S]/g) || [];
  }

  /** Without what the server refuses and nobody sees, and without empty lines around it. @param {string} text */
  function sendableText(text) {
    var clean = text.replace(TERMINAL_CODES, '').replace(LINE_BREAKS, '\n').replace(REFUSED, '').replace(HALF_PAIR, '$1');
    return clean.replace(/^(?:[^\S\n]*\n)+/, '').replace(/\s+$/, '');
  }

  /** @param {string[]} names */
  function typingText(names) {
    if (names.length > 2) return 'Several people are typing…';
    return names.length ? names.join(' and ') + (names.length === 1 ? ' is typing…' : ' are typing…') : '';
  }

  /** @param {Date} time */
  function dayNumber(time) {
    return Math.round(Date.UTC(time.getFullYear(), time.getMonth(), time.getDate()) / 86400000);
  }

  /** @param {string} iso */
  function dayText(iso) {
    var time = new Date(iso), age = dayNumber(new Date()) - dayNumber(time);
    if (age === 0 || age === 1) return age ? 'Yesterday' : 'Today';
    return time.toLocaleDateString();
  }

  /** @param {string} iso */
  function timeText(iso) {
    // Some ignore options, and Internet Explorer puts marks of direction between the digits.
    return new Date(iso).toLocaleTimeString().replace(/[\u200e\u200f]/g, '').replace(/(\d+[:.]\d\d)[:.]\d\d/, '$1');
  }

  // ---- Requests: one for receiving, one for all else. Browsers hold few connections to a host. ----

  var jobs = /** @type {{method: string, path: string, body: any, done: Done}[]} */ ([]);
  var busy = /** @type {XMLHttpRequest | null} */ (null);
  var asked = new Date().getTime(); // each address is new: Internet Explorer answers a known one from its cache

  /** @param {string} code @param {number} [status] @returns {Problem} */
  function problemOf(code, status) {
    return { code: code, status: status || 0, retryable: true, retryAfterMs: 0, detail: '', errors: {} };
  }

  /** @param {string} method @param {string} path @param {any} body @param {number} withinMs @param {Done} done */
  function request(method, path, body, withinMs, done) {
    var xhr = new XMLHttpRequest();
    xhr.open(method, root + '/api/v1' + path + (method === 'GET' ? (path.indexOf('?') < 0 ? '?_=' : '&_=') + (asked += 1) : ''), true);
    xhr.timeout = withinMs; // Internet Explorer takes it only after open
    setHeaders(xhr, method, path);
    xhr.onload = function () { takeAnswer(xhr, method, done); };
    xhr.onerror = function () { done(problemOf('network'), null); };
    xhr.ontimeout = function () { done(problemOf('timeout'), null); };
    xhr.send(body ? JSON.stringify(body) : null);
    return xhr;
  }

  /** @param {XMLHttpRequest} xhr @param {string} method @param {string} path */
  function setHeaders(xhr, method, path) {
    // The server requires this type on every changing request, because a plain HTML form cannot send it.
    if (method !== 'GET') xhr.setRequestHeader('Content-Type', 'application/json');
    // The cookie may become another user's unnoticed; requests meant for this one are then refused.
    if (user && (path !== '/session' || method === 'DELETE')) xhr.setRequestHeader('Chat-User', encodeURIComponent(user.id));
  }

  /** @param {XMLHttpRequest} xhr @param {string} method @param {Done} done */
  function takeAnswer(xhr, method, done) {
    var content = parsed(xhr.responseText), well = xhr.status >= 200 && xhr.status < 300;
    if (well && (content || (xhr.status === 204 && method !== 'GET'))) return done(null, content);
    done(well ? problemOf('foreign_answer') : refusalOf(xhr.status, content, xhr.getResponseHeader('Retry-After')), null);
  }

  /** @param {number} status @param {any} content @param {string | null} retryAfter in seconds */
  function refusalOf(status, content, retryAfter) {
    // A refusal that is no problem document comes from something in between, and says nothing about the request.
    var ours = Boolean(content && typeof content.code === 'string');
    var problem = problemOf(ours ? content.code : 'foreign_answer', ours || status >= 500 || status === 413 ? status : 0);
    problem.retryable = status >= 500 || status === 408 || status === 425 || status === 429 || (!ours && status !== 413);
    problem.retryAfterMs = Number(ours && content.retryAfterMs) || Number(retryAfter) * 1000 || 0;
    problem.detail = ours ? String(content.detail || content.title || '') : '';
    problem.errors = (ours && content.errors) || {};
    return problem;
  }

  /** @param {string} text @returns {any} null when it is not JSON */
  function parsed(text) {
    try {
      return JSON.parse(text);
    } catch (error) {
      return null;
    }
  }

  /** @param {string} method @param {string} path @param {any} body @param {Done} [done] */
  function call(method, path, body, done) {
    jobs.push({ method: method, path: path, body: body, done: done || function () {} });
    nextCall();
  }

  function nextCall() {
    var job = jobs[0], begun = era;
    if (busy || !job) return;
    jobs.shift();
    busy = request(job.method, job.path, job.body, ANSWER_WITHIN_MS, function (problem, content) {
      if (begun !== era) return;
      busy = null;
      if (!problem || problem.status) serverAnswers();
      try { job.done(problem, content); } finally { nextCall(); }
    });
  }

  /** @param {string} name */
  function roomPath(name) {
    return '/rooms/' + encodeURIComponent(name);
  }

  // ---- Rooms ----

  var listedAt = 0;
  var waiting = /** @type {Record<string, ChatEvent[]>} */ (Object.create(null)); // events of rooms that are being looked up

  /** @param {RoomInfo} info @returns {Room} */
  function putRoom(info) {
    var known = rooms[info.name];
    if (known) known.info = info;
    else rooms[info.name] = known = {
      info: info, entries: [], unread: (info.member && info.unread) || 0, unreadBefore: 0, firstUnread: null, history: 'none',
      before: null, hasMore: false, hidden: 0, below: 0, typists: Object.create(null), draft: '', readTo: null, readTimer: 0
    };
    return known;
  }

  /** @param {Room} room */
  function titleOf(room) {
    return room.info.title || room.info.name;
  }

  /** @returns {Room[]} */
  function allRooms() {
    return Object.keys(rooms).map(function (name) { return rooms[name]; });
  }

  /** All pages; `done` gets the cursor from which nothing is missed. @param {Done} done */
  function loadRooms(done) {
    listedAt = now();
    loadRoomsAfter('', [], '', done);
  }

  /** @param {string} after @param {RoomInfo[]} infos @param {string} cursor @param {Done} done */
  function loadRoomsAfter(after, infos, cursor, done) {
    call('GET', '/rooms' + (after ? '?after=' + encodeURIComponent(after) : ''), null, function (problem, content) {
      if (problem) return done(problem, null);
      var all = infos.concat(content.rooms), from = cursor || content.cursor;
      if (content.after) return loadRoomsAfter(content.after, all, from, done);
      replaceRooms(all);
      done(null, from);
    });
  }

  /** @param {RoomInfo[]} infos those that are not among them are gone; the open one's own events tell when it is */
  function replaceRooms(infos) {
    var names = infos.map(function (info) { return info.name; });
    Object.keys(rooms).forEach(function (name) {
      if (names.indexOf(name) < 0 && rooms[name] !== current) delete rooms[name];
    });
    infos.forEach(putRoom);
    changed();
  }

  function refreshRooms() {
    if (now() - listedAt >= LISTS_APART_MS) loadRooms(function () {});
  }

  /** @param {string} name @param {(room: Room | null, problem: Problem | null) => void} done */
  function lookUp(name, done) {
    call('GET', roomPath(name), null, function (problem, info) {
      done(problem ? null : putRoom(info), problem);
      changed();
    });
  }

  /** @param {Room} room */
  function loadNewest(room) {
    if (room.history !== 'ready') room.history = 'loading';
    call('GET', roomPath(room.info.name) + '/messages?limit=' + PAGE, null, function (problem, content) {
      if (problem) room.history = room.history === 'ready' ? 'ready' : 'error'; // what is shown stays useful
      else takeNewest(room, content);
      changed();
    });
    changed();
  }

  /** @param {Room} room @param {any} content */
  function takeNewest(room, content) {
    content.messages.forEach(function (/** @type {Message} */ message) { merge(room, message); });
    var oldest = content.messages.length ? content.messages[0].cursor : null;
    // There may be a gap before this page: what is older is loaded again when it is asked for.
    if (content.hasMore && oldest) room.entries = room.entries.filter(function (entry) {
      return !entry.cursor || compareCursors(entry.cursor, oldest) >= 0;
    });
    room.before = content.before;
    room.hasMore = content.hasMore;
    room.hidden = 0;
    room.history = 'ready';
    drawLine(room);
    markRead(room);
  }

  /** The line for new messages stands before the first one behind what was read. @param {Room} room */
  function drawLine(room) {
    var count = room.unreadBefore;
    room.unreadBefore = 0;
    for (var index = room.entries.length - 1; count > 0 && index >= 0; index -= 1) {
      var entry = room.entries[index];
      if (isOwn(entry) || entry.deletedAt) continue;
      count -= 1;
      room.firstUnread = entry.id;
    }
  }

  /** @param {Room} room */
  function loadOlder(room) {
    if (room.history === 'error') return loadNewest(room);
    var start = firstShown(room);
    if (start > 0) return showFrom(room, Math.max(0, start - PAGE));
    if (room.history !== 'ready' || !room.hasMore || !room.before) return;
    room.history = 'loading';
    var path = roomPath(room.info.name) + '/messages?limit=' + PAGE + '&before=' + encodeURIComponent(room.before);
    call('GET', path, null, function (problem, content) {
      room.history = 'ready';
      if (!problem) takeOlder(room, content);
      changed();
    });
    changed();
  }

  /** @param {Room} room @param {any} content */
  function takeOlder(room, content) {
    content.messages.forEach(function (/** @type {Message} */ message) { merge(room, message); });
    room.before = content.before;
    room.hasMore = content.hasMore;
    showFrom(room, 0);
  }

  /** @param {Room} room @param {number} start the newest rows make place for older ones */
  function showFrom(room, start) {
    room.hidden = Math.max(0, room.entries.length - start - ROWS_MOST);
    changed();
  }

  /** @param {Room} room */
  function firstShown(room) {
    return Math.max(0, room.entries.length - room.hidden - ROWS_MOST);
  }

  /** @param {Room} room */
  function trim(room) {
    var surplus = room.entries.length - ROWS_MOST;
    if (room.entries.length <= ENTRIES_MOST || room.hidden || !room.entries[surplus].cursor) return;
    room.entries.splice(0, surplus);
    room.before = room.entries[0].cursor;
    room.hasMore = true;
  }

  // ---- Messages: in order and without repeats ----

  /** @param {Entry} entry */
  function isOwn(entry) {
    return Boolean(user && entry.sender.id === user.id);
  }

  /** By cursor, then what has none yet, then what is not sent. @param {Entry} a @param {Entry} b */
  function compareEntries(a, b) {
    if (a.cursor && b.cursor) return compareCursors(a.cursor, b.cursor);
    return (a.cursor ? 0 : a.id ? 1 : 2) - (b.cursor ? 0 : b.id ? 1 : 2);
  }

  /** @param {Room} room @param {Entry} entry */
  function insert(room, entry) {
    var index = room.entries.length;
    while (index > 0 && compareEntries(room.entries[index - 1], entry) > 0) index -= 1;
    if (room.hidden && index >= room.entries.length - room.hidden) room.hidden += 1;
    room.entries.splice(index, 0, entry);
    return entry;
  }

  /** @param {Room} room @param {Entry} entry */
  function takeOut(room, entry) {
    var index = room.entries.indexOf(entry);
    if (index < 0) return;
    if (index >= room.entries.length - room.hidden) room.hidden -= 1;
    room.entries.splice(index, 1);
  }

  /** Own ones by their localId, which is unique for each sender. @param {Room} room @param {string} id @param {string} localId */
  function find(room, id, localId) {
    for (var index = room.entries.length - 1; index >= 0; index -= 1) {
      var entry = room.entries[index];
      if ((id && entry.id === id) || (localId && entry.localId === localId && isOwn(entry))) return entry;
    }
    return null;
  }

  /** @param {Room} room @param {Item} item */
  function addOwn(room, item) {
    return find(room, '', item.localId) || insert(room, {
      id: null, localId: item.localId, sender: user, body: item.body, createdAt: item.createdAt, cursor: null, editedAt: null,
      deletedAt: null, growing: false, status: item.refusal ? 'failed' : 'sending', refusal: item.refusal
    });
  }

  /** A message from an answer, a page or an event. @param {Room} room @param {Message} message @returns {Entry} */
  function merge(room, message) {
    var entry = find(room, message.id, user && message.sender.id === user.id ? message.localId : '');
    if (!entry) return insert(room, fieldsOf(message));
    var moves = !entry.id || (!entry.cursor && message.cursor);
    if (!entry.id) adopt(entry, message);
    takeNews(entry, message);
    if (moves) {
      takeOut(room, entry);
      entry.cursor = entry.cursor || message.cursor || null;
      insert(room, entry);
    }
    return entry;
  }

  /** @param {Message} message @returns {Entry} */
  function fieldsOf(message) {
    return {
      id: message.id, localId: message.localId, sender: message.sender, body: message.body, createdAt: message.createdAt,
      cursor: message.cursor || null, editedAt: message.editedAt || null, deletedAt: message.deletedAt || null,
      growing: Boolean(message.growing), status: message.status, refusal: null
    };
  }

  /** The server's copy of what was only here until now. @param {Entry} entry @param {Message} message */
  function adopt(entry, message) {
    entry.id = message.id;
    entry.createdAt = message.createdAt;
    entry.body = message.body;
    entry.refusal = null;
  }

  /** Times are RFC 3339 in UTC with milliseconds, so they compare as texts. @param {Entry} entry @param {Message} message */
  function takeNews(entry, message) {
    // Of two pictures of a message the one that grows no more is later, and of two that grow the longer one.
    var grown = entry.growing && (!message.growing || message.body.length > entry.body.length);
    var edited = !entry.deletedAt && (message.editedAt || '') > (entry.editedAt || '');
    var deleted = (message.deletedAt || '') > (entry.deletedAt || '');
    if (grown) entry.growing = Boolean(message.growing);
    if (edited) entry.editedAt = message.editedAt;
    if (deleted) entry.deletedAt = message.deletedAt;
    if (grown || edited || deleted) entry.body = message.body;
    advance(entry, message.status);
  }

  /** @param {Entry} entry @param {string} status */
  function advance(entry, status) {
    if (!(PROGRESS[status] > PROGRESS[entry.status])) return;
    entry.status = status;
    entry.refusal = null;
  }

  // ---- Events, by the words of the contract. Signals have no cursor: the page is right without them. ----

  /** @type {Record<string, (room: any, event: any) => void>} */
  var ON = {
    'message.created': messageCreated,
    'message.updated': messageChanged,
    'message.deleted': messageChanged,
    'message.status': function (room, event) {
      var entry = find(room, event.messageId, event.localId);
      if (entry) advance(entry, event.status);
    },
    'message.grew': messageGrew,
    'room.updated': function (room, event) {
      room.info.title = event.title;
      room.info.owner = event.owner;
    },
    'room.deleted': function (room) { roomGone(room, titleOf(room) + ' was deleted.'); },
    'member.joined': function (room, event) { room.info.memberCount += event.user.id === me() ? 0 : 1; },
    'member.left': memberLeft,
    presence: function (room, event) { room.info.onlineCount = event.onlineCount; },
    read: function (room, event) { if (!isWatched(room)) room.unread = Math.min(room.unread, event.unread); },
    typing: function (room, event) { heardTyping(room, event.user, event.typing); }
  };

  function me() {
    return user ? user.id : '';
  }

  /** @param {ChatEvent} event */
  function apply(event) {
    if (!event.room || !ON[event.type]) return; // of a newer server
    if (event.type === 'member.joined' && event.user && event.user.id === me()) return joined(event.room);
    var room = rooms[event.room];
    if (room) ON[event.type](room, event);
    else if (event.cursor && event.type.indexOf('message.') === 0) applyLater(event, event.room);
  }

  /** Of a room that the list did not have yet. @param {ChatEvent} event @param {string} name */
  function applyLater(event, name) {
    if (waiting[name]) {
      waiting[name].push(event);
      return;
    }
    waiting[name] = [event];
    lookUp(name, function (room) {
      var events = waiting[name];
      delete waiting[name];
      if (room) events.forEach(apply);
    });
  }

  /** @param {Room} room @param {any} event */
  function messageCreated(room, event) {
    var message = event.message;
    // What has no cursor yet comes again with one: where nothing is kept, only that one counts.
    var isNew = room.history === 'none' ? Boolean(event.cursor) : !find(room, message.id, '');
    if (covers(room, message)) merge(room, message);
    delete room.typists[message.sender.id];
    if (message.sender.id === me()) forgetItem(message.localId);
    else if (isNew) someoneWrote(room, message);
    trim(room);
  }

  /** @param {Room} room @param {any} event */
  function messageChanged(room, event) {
    if (covers(room, event.message)) merge(room, event.message);
  }

  /** What is older than all that is here comes with its page, in its present state. @param {Room} room @param {Message} message */
  function covers(room, message) {
    var oldest = room.entries.length ? room.entries[0].cursor : null;
    if (room.history === 'none') return Boolean(find(room, message.id, message.sender.id === me() ? message.localId : ''));
    return !room.hasMore || !oldest || !message.cursor || compareCursors(message.cursor, oldest) >= 0;
  }

  /** @param {Room} room @param {Message} message */
  function someoneWrote(room, message) {
    if (isWatched(room)) {
      setText(byId('announcer'), message.sender.name + ': ' + message.body);
      if (!isAtBottom() || room.hidden) room.below += 1;
      return markRead(room);
    }
    if (!room.unread) room.firstUnread = message.id;
    room.unread += 1;
  }

  /** @param {Room} room @param {any} event */
  function messageGrew(room, event) {
    var entry = find(room, event.messageId, '');
    if (!entry || !entry.growing) return;
    var known = pointsOf(entry.body), end = event.at + pointsOf(event.text).length;
    if (event.at > known.length) return loadMessage(room, event.messageId);
    if (end > known.length) entry.body = known.slice(0, event.at).join('') + event.text;
  }

  /** Something before was missed. @param {Room} room @param {string} id */
  function loadMessage(room, id) {
    if (room.loading === id) return;
    room.loading = id;
    call('GET', '/messages/' + encodeURIComponent(id), null, function (problem, message) {
      room.loading = '';
      if (!problem) merge(room, message);
      changed();
    });
  }

  /** @param {Room} room @param {any} event */
  function memberLeft(room, event) {
    if (event.user.id !== me() || !room.info.member) {
      room.info.memberCount -= event.user.id === me() ? 0 : 1;
      return;
    }
    if (room.info.visibility !== 'public') return roomGone(room, 'You are no longer in ' + titleOf(room) + '.');
    room.info.member = false;
    room.info.memberCount -= 1;
    room.unread = 0;
  }

  /** @param {Room} room @param {string} text */
  function roomGone(room, text) {
    delete rooms[room.info.name];
    notice(text);
    if (room === current) open(HOME);
  }

  /** The events follow the room only from here on: what came before is loaded after it. @param {string} name */
  function joined(name) {
    lookUp(name, function (room) {
      if (!room) return;
      if (room === current || room.history !== 'none') loadNewest(room);
      if (!current && wanted === name) open(name); // invited while its address was open
    });
  }

  /** @param {Room} room @param {User} who @param {boolean} typing */
  function heardTyping(room, who, typing) {
    delete room.typists[who.id];
    if (!typing) return;
    room.typists[who.id] = { name: who.name, until: now() + TYPING_SHOWN_MS };
    later(changed, TYPING_SHOWN_MS + 1);
  }

  /** @param {Room} room */
  function isWatched(room) {
    return room === current && !document.hidden;
  }

  /** The user has seen all that is here. @param {Room} room */
  function markRead(room) {
    if (!isWatched(room) || !room.info.member || room.history !== 'ready') return;
    room.unread = 0;
    var last = room.entries.filter(function (entry) { return entry.cursor; }).pop();
    if (!last || (room.readTo && compareCursors(last.cursor, room.readTo) <= 0)) return;
    room.readTo = last.cursor;
    var spreadMs = Math.min(READ_SPREAD_MS + room.info.memberCount * READ_SPREAD_EACH_MS, READ_SPREAD_MOST_MS);
    if (!room.readTimer) room.readTimer = later(function () { tellRead(room); }, Math.random() * spreadMs);
  }

  /** @param {Room} room */
  function tellRead(room) {
    if (!room.readTimer) return;
    clearTimeout(room.readTimer);
    room.readTimer = 0;
    call('POST', roomPath(room.info.name) + '/read', { cursor: room.readTo }, function (problem) {
      if (problem) room.readTo = null; // made good by the next one
    });
  }

  // ---- Receiving: a chain of polls from one cursor. The cursor of the next one acknowledges what the last one brought. ----

  var link = {
    phase: 'stopped', cursor: '', turn: 0, xhr: /** @type {XMLHttpRequest | null} */ (null), timer: 0, attempt: 0, hold: HOLD_S, cuts: 0,
    stale: false, waitAsked: false, liveAt: 0, lostAt: 0, retryAt: 0, backUntil: 0, heardAt: 0, heardDate: 0
  };

  /** @param {number} waitSeconds after a failure 0: the answer comes at once, and the page knows that it is connected */
  function poll(waitSeconds) {
    var begunAt = now();
    stopPolling();
    var turn = link.turn;
    var path = '/events/poll?since=' + encodeURIComponent(link.cursor) + '&wait=' + waitSeconds;
    link.xhr = request('GET', path, null, waitSeconds * 1000 + POLL_GRACE_MS, function (problem, answer) {
      if (turn !== link.turn) return;
      link.xhr = null;
      if (!problem && !isPollAnswer(answer)) problem = problemOf('foreign_answer'); // a gateway's own JSON
      if (problem) pollFailed(problem, now() - begunAt);
      else pollAnswered(answer, waitSeconds);
    });
  }

  /** @param {any} answer */
  function isPollAnswer(answer) {
    return Array.isArray(answer.events) && typeof answer.cursor === 'string';
  }

  function stopPolling() {
    link.turn += 1; // whatever the older one still says is ignored
    clearTimeout(link.timer);
    if (link.xhr) link.xhr.abort();
    link.xhr = null;
    link.retryAt = 0;
  }

  /** @param {any} answer @param {number} waitedSeconds */
  function pollAnswered(answer, waitedSeconds) {
    link.heardAt = now();
    link.heardDate = new Date().getTime();
    if (!answer.events.length && waitedSeconds) link.cuts = 0; // a full hold went through
    link.cursor = answer.cursor;
    if (answer.reset) link.stale = true;
    else answer.events.forEach(applySafely);
    if (link.stale) reload();
    markLive();
    poll(answer.more ? 0 : link.hold);
    changed();
  }

  /** One event that this page cannot apply must not stop the rest. @param {ChatEvent} event */
  function applySafely(event) {
    try {
      apply(event);
    } catch (error) {
      if (window.console) console.error('event not applied', event.type, error);
    }
  }

  /** Rooms and histories anew; the cursor goes on from what the server gave. */
  function reload() {
    link.stale = false;
    notice('Some older messages are loading…');
    allRooms().forEach(function (room) { if (room !== current) delete rooms[room.info.name]; });
    loadRooms(function (problem) {
      if (problem) link.stale = true; // again with the next answer
      else showUnsent();
      if (!problem && current) reloadRoom(current);
    });
  }

  /** It may be gone, too. @param {Room} room */
  function reloadRoom(room) {
    lookUp(room.info.name, function (found, problem) {
      if (problem && problem.status === 404) roomGone(room, 'You are no longer in ' + titleOf(room) + '.');
      else loadNewest(room);
    });
  }

  /** @param {Problem} problem @param {number} heldMs */
  function pollFailed(problem, heldMs) {
    if (problem.status === 401) return sessionOver();
    if (problem.code === 'invalid_cursor') return startOver();
    noteCut(heldMs / 1000);
    tryLater(problem.retryAfterMs);
  }

  /** Requests that are cut again and again are held for a shorter time. @param {number} heldSeconds */
  function noteCut(heldSeconds) {
    if (heldSeconds < HOLD_LEAST_S) return; // a refusal, not a cut
    link.cuts += 1;
    if (link.cuts < CUTS_BEFORE_HALVING) return;
    link.cuts = 0;
    link.hold = Math.max(HOLD_LEAST_S, Math.floor(link.hold / 2));
  }

  /** The server cannot go on from this cursor. */
  function startOver() {
    markLost();
    loadRooms(function (problem, cursor) {
      if (!problem) link.cursor = cursor;
      link.stale = !problem;
      tryLater(problem ? problem.retryAfterMs : 0);
    });
  }

  /** @param {number} leastMs what the server asked for */
  function tryLater(leastMs) {
    stopPolling();
    markLost();
    var delayMs = Math.max(backoffMs(link.attempt), leastMs);
    link.attempt += 1;
    link.waitAsked = leastMs > 0;
    link.retryAt = now() + delayMs;
    link.timer = later(function () { poll(0); }, delayMs);
  }

  function markLost() {
    if (link.phase === 'lost') return;
    if (link.phase === 'live' && now() - link.liveAt >= STEADY_MS) link.attempt = 0;
    link.phase = 'lost';
    link.lostAt = now();
    drawBanner();
    changed();
  }

  function markLive() {
    if (link.phase === 'live') return;
    if (!byId('banner').hidden) link.backUntil = now() + BACK_SHOWN_MS;
    link.phase = 'live';
    link.liveAt = now();
    drawBanner();
    wakeOutbox();
    refreshRooms();
    if (!current && wanted) open(wanted);
    else if (current && current.history === 'error') loadNewest(current);
    else if (current) markRead(current);
  }

  function tryNow() {
    if (link.phase !== 'lost') return;
    link.attempt = 0;
    poll(0);
  }

  /** Another request was answered: no need to wait, unless the server asked for it. */
  function serverAnswers() {
    if (link.retryAt && !link.waitAsked) tryNow();
  }

  /** The page is seen again or the network is back, perhaps after hours of sleep, in which some clocks stand still. */
  function wake() {
    if (!user || link.phase === 'stopped') return;
    var silentMs = Math.max(now() - link.heardAt, new Date().getTime() - link.heardDate);
    if (link.phase === 'lost') tryNow();
    else if (silentMs > link.hold * 1000 + POLL_GRACE_MS) poll(0);
    wakeOutbox();
  }

  // ---- Outbox: first in, first out for each room. Stored before it is sent, removed only after the answer. ----

  var items = /** @type {Item[]} */ ([]);
  var lines = /** @type {Record<string, {busy: boolean, timer: number, attempt: number}>} */ (Object.create(null));
  var pausedUntil = 0;
  var order = 0;
  var STORED_AS = 'chat-outbox ' + root + ' '; // then the user's id and the localId, one key a message: tabs do not overwrite each other

  var STORED_FIELDS = ['localId', 'userId', 'userName', 'room', 'body', 'createdAt', 'order', 'refusal'];

  /** @param {(storage: Storage) => any} use @returns {any} undefined where the browser forbids it or it is full */
  function withStorage(use) {
    try {
      return use(page.localStorage);
    } catch (error) {
      return undefined;
    }
  }

  /** @param {string} key @returns {string} */
  function recall(key) {
    return withStorage(function (storage) { return storage.getItem(key); }) || '';
  }

  /** @param {string} key @param {string} text */
  function remember(key, text) {
    return Boolean(withStorage(function (storage) {
      storage.setItem(key, text);
      return true;
    }));
  }

  /** @param {Item} item */
  function keyOf(item) {
    return STORED_AS + item.userId + ' ' + item.localId;
  }

  /** @param {Item} item */
  function store(item) {
    if (!remember(keyOf(item), JSON.stringify(item, STORED_FIELDS))) notice(KEEPS_NOTHING);
  }

  /** @returns {Item[]} of all users of this browser, in order */
  function storedItems() {
    var found = /** @type {Item[]} */ ([]);
    withStorage(function (storage) {
      for (var index = 0; index < storage.length; index += 1) {
        var key = storage.key(index) || '', item = key.indexOf(STORED_AS) === 0 ? parsed(storage.getItem(key) || '') : null;
        if (item && keyOf(item) === key) found.push(item);
      }
    });
    return found.sort(function (a, b) { return a.order - b.order; });
  }

  /** What an earlier page left. */
  function loadOutbox() {
    if (recall(STORED_AS) !== 'yes' && !remember(STORED_AS, 'yes')) notice(KEEPS_NOTHING);
    var stored = storedItems(), keys = stored.map(keyOf);
    // Where nothing can be stored, those of before a new sign-in are here still.
    stored = stored.concat(items.filter(function (item) { return keys.indexOf(keyOf(item)) < 0; }));
    items = stored.filter(function (item) { return item.userId === me(); });
    items.forEach(function (item) {
      item.tried = true; // how far the earlier page got is unknown
      item.since = now();
    });
    showUnsent();
  }

  function showUnsent() {
    items.forEach(function (item) { if (rooms[item.room]) addOwn(rooms[item.room], item); });
  }

  /** 32 hexadecimal digits, never used twice. */
  function newLocalId() {
    var source = page.crypto || page.msCrypto, bytes = new Uint8Array(16), digits = '';
    source.getRandomValues(bytes);
    for (var index = 0; index < bytes.length; index += 1) digits += (bytes[index] + 256).toString(16).slice(1);
    return digits;
  }

  /** @param {Room} room @param {string} body */
  function addItem(room, body) {
    // After everything from an earlier page, even if the clock was set back in between.
    order = Math.max(order, items.length ? items[items.length - 1].order : 0, new Date().getTime()) + 1;
    var item = {
      localId: newLocalId(), userId: me(), userName: user && user.name, room: room.info.name, body: body,
      createdAt: new Date().toISOString(), order: order, refusal: null, tried: false, since: now()
    };
    items.push(item);
    addOwn(room, item);
    store(item);
    sendNext(item.room);
    changed();
  }

  /** @param {string} localId @returns {Item | undefined} */
  function itemOf(localId) {
    return items.filter(function (item) { return item.localId === localId; })[0];
  }

  /** @param {boolean} failed @returns {Item[]} */
  function itemsThat(failed) {
    return items.filter(function (item) { return Boolean(item.refusal) === failed; });
  }

  /** Its answer is here, or its event, which was quicker. @param {string} localId */
  function forgetItem(localId) {
    var item = itemOf(localId);
    if (!item) return;
    var key = keyOf(item);
    items.splice(items.indexOf(item), 1);
    withStorage(function (storage) { storage.removeItem(key); });
    changed();
  }

  /** @param {string} name of a room */
  function lineOf(name) {
    return lines[name] || (lines[name] = { busy: false, timer: 0, attempt: 0 });
  }

  /** @param {string} name of a room */
  function sendNext(name) {
    var line = lineOf(name), item = itemsThat(false).filter(function (one) { return one.room === name; })[0];
    if (line.busy || line.timer || !item || !user) return;
    if (pausedUntil > now()) return sendAfter(name, pausedUntil - now());
    line.busy = item.tried = true;
    call('POST', roomPath(name) + '/messages', { localId: item.localId, body: item.body }, function (problem, message) {
      line.busy = false;
      if (!problem && !(message && message.id)) problem = problemOf('foreign_answer');
      if (problem) notSent(item, line, problem);
      else sent(item, line, message);
      sendNext(name);
    });
  }

  /** @param {string} name @param {number} delayMs */
  function sendAfter(name, delayMs) {
    lineOf(name).timer = later(function () {
      lineOf(name).timer = 0;
      sendNext(name);
      changed();
    }, delayMs);
  }

  /** @param {Item} item @param {{attempt: number}} line @param {Message} message */
  function sent(item, line, message) {
    line.attempt = 0;
    if (rooms[item.room]) merge(rooms[item.room], message);
    forgetItem(item.localId);
  }

  /** @param {Item} item @param {{attempt: number}} line @param {Problem} problem */
  function notSent(item, line, problem) {
    if (problem.status === 401) return sessionOver();
    if (!problem.retryable) return refused(item, reasonOf(problem));
    // The limit is for the user, so every room waits.
    if (problem.status === 429) pausedUntil = now() + Math.max(problem.retryAfterMs, 500);
    var delayMs = problem.status === 429 ? 0 : Math.max(backoffMs(line.attempt), problem.retryAfterMs);
    if (delayMs) line.attempt += 1;
    if (delayMs) sendAfter(item.room, delayMs);
    changed();
  }

  /** @param {Item} item @param {string} reason */
  function refused(item, reason) {
    if (items.indexOf(item) < 0) return;
    item.refusal = reason;
    store(item);
    setState(item);
  }

  /** @param {Item} item */
  function setState(item) {
    var entry = rooms[item.room] && find(rooms[item.room], '', item.localId);
    if (entry && !entry.id) entry.status = item.refusal ? 'failed' : 'sending';
    if (entry) entry.refusal = item.refusal;
    changed();
  }

  /** @param {string} localId */
  function retry(localId) {
    var item = itemOf(localId);
    if (!item || !item.refusal) return;
    item.refusal = null;
    item.since = now();
    lineOf(item.room).attempt = 0;
    store(item);
    setState(item);
    sendNext(item.room);
  }

  /** @param {string} localId */
  function discard(localId) {
    var item = itemOf(localId);
    if (!item) return;
    if (item.tried && !item.refusal) notice('Deleted here. It may have been sent already; if so, it will appear again.');
    removeUnsent(item);
  }

  /** @param {Item} item */
  function removeUnsent(item) {
    var room = rooms[item.room], entry = room && find(room, '', item.localId);
    forgetItem(item.localId);
    if (entry && !entry.id) takeOut(room, entry);
    changed();
  }

  /** All at once, but not before a pause that the server asked for is over. */
  function wakeOutbox() {
    Object.keys(lines).forEach(function (name) {
      clearTimeout(lines[name].timer);
      lines[name].timer = lines[name].attempt = 0;
    });
    items.forEach(function (item) { sendNext(item.room); });
  }

  /** What another user of this browser left: never sent as this one without being asked. */
  function leftBehind() {
    return storedItems().filter(function (item) { return item.userId !== me(); });
  }

  /** @param {boolean} send */
  function settleLeftBehind(send) {
    leftBehind().forEach(function (item) {
      var room = rooms[item.room];
      if (send && !(room && room.info.member)) return; // it stays, to be sent or discarded
      if (send) addItem(room, item.body);
      withStorage(function (storage) { storage.removeItem(keyOf(item)); });
    });
    drawLeftBehind();
  }

  // ---- View: everything is drawn from the above, once after each change. Text only as text. ----

  var queueTimer = 0;
  var bannerTimer = 0;
  var toastTimer = 0;
  var drawPlanned = false;
  var shown = /** @type {Entry[]} */ ([]); // what stands in the log
  var shownRoom = /** @type {Room | null} */ (null);
  var jump = ''; // where the log goes next: 'bottom', 'line' or nowhere
  var roomsDrawn = '';
  var editing = /** @type {Entry | null} */ (null);
  var draftBefore = ''; // what stood in the box before the edit
  var missing = ''; // why there is no room,
  var unreached = ''; // or why nobody knows

  /** @param {string} id @returns {any} */
  function byId(id) {
    return document.getElementById(id);
  }

  /** @param {Element | null} node @param {string} name */
  function attributeOf(node, name) {
    return (node && node.getAttribute(name)) || '';
  }

  /** @param {string} tag @param {string} className @param {string} [text] @returns {any} */
  function element(tag, className, text) {
    var node = document.createElement(tag);
    node.className = className;
    if (text) node.appendChild(document.createTextNode(text));
    return node;
  }

  /** @param {any} parent @param {string} tag @param {string} className @param {string} [text] @returns {any} */
  function add(parent, tag, className, text) {
    return parent.appendChild(element(tag, className, text));
  }

  /** @param {any} node @param {string} text */
  function setText(node, text) {
    if (node.textContent !== text) node.textContent = text;
  }

  /** @param {string} id @param {boolean} visible */
  function show(id, visible) {
    if (byId(id).hidden === visible) byId(id).hidden = !visible;
  }

  /** @param {any} node */
  function empty(node) {
    while (node.firstChild) node.removeChild(node.firstChild);
  }

  /** @param {string} text @param {() => void} run */
  function button(text, run) {
    var node = element('button', 'button button--small', text);
    node.type = 'button';
    node.addEventListener('click', run);
    return node;
  }

  function changed() {
    if (drawPlanned) return;
    drawPlanned = true;
    later(draw, 0);
  }

  function draw() {
    drawPlanned = false;
    drawRooms();
    drawHead();
    drawLog();
    drawQueue();
    drawTyping();
  }

  function drawRooms() {
    var all = allRooms().sort(function (a, b) { return titleOf(a).localeCompare(titleOf(b)); });
    var state = JSON.stringify(all.map(function (room) {
      return [room.info.name, titleOf(room), room.info.member, room.unread, isThere(room), room === current];
    }));
    var unread = all.reduce(function (sum, room) { return sum + room.unread; }, 0);
    document.title = (unread ? '(' + unread + ') ' : '') + (current ? titleOf(current) : 'Chat');
    if (state === roomsDrawn) return;
    roomsDrawn = state;
    var focused = attributeOf(document.activeElement, 'data-room');
    empty(byId('rooms'));
    drawSection('Your rooms', all.filter(function (room) { return room.info.member && room.info.visibility !== 'direct'; }));
    drawSection('Direct messages', all.filter(function (room) { return room.info.member && room.info.visibility === 'direct'; }));
    drawSection('Public rooms', all.filter(function (room) { return !room.info.member; }));
    var link = focused && document.querySelector('a[data-room="' + focused + '"]');
    if (link) /** @type {HTMLElement} */ (link).focus();
  }

  /** @param {string} heading @param {Room[]} some */
  function drawSection(heading, some) {
    if (!some.length) return;
    var list = element('ul', 'rooms__list');
    some.forEach(function (room) { list.appendChild(element('li', '')).appendChild(roomLink(room)); });
    byId('rooms').appendChild(element('h2', 'rooms__heading', heading));
    byId('rooms').appendChild(list);
  }

  /** @param {Room} room */
  function roomLink(room) {
    var direct = room.info.visibility === 'direct', link = element('a', 'rooms__item' + (room === current ? ' rooms__item--current' : ''));
    link.appendChild(element('span', 'rooms__sign', direct ? '@' : '#')).setAttribute('aria-hidden', 'true');
    link.appendChild(element('span', 'rooms__title', titleOf(room))).setAttribute('dir', 'auto');
    if (room.info.member && direct) link.appendChild(presenceDot(isThere(room)));
    if (room.unread) link.appendChild(badge(room.unread));
    link.setAttribute('href', addressOf(room.info.name));
    link.setAttribute('data-room', room.info.name);
    if (room === current) link.setAttribute('aria-current', 'page');
    link.addEventListener('click', function (/** @type {MouseEvent} */ event) {
      if (event.ctrlKey || event.metaKey || event.shiftKey) return;
      event.preventDefault();
      showRooms(false);
      open(room.info.name);
    });
    return link;
  }

  /** The other one of a direct room. @param {Room} room */
  function isThere(room) {
    return room.info.visibility === 'direct' && (room.info.onlineCount || 0) > 1;
  }

  /** @param {number} unread */
  function badge(unread) {
    var node = element('span', 'badge', unread > 99 ? '99+' : String(unread));
    node.setAttribute('aria-label', unread + ' unread');
    return node;
  }

  /** @param {boolean} there */
  function presenceDot(there) {
    var dot = element('span', there ? 'presence presence--online' : 'presence', there ? '●' : '○');
    dot.setAttribute('role', 'img');
    dot.setAttribute('aria-label', there ? 'Online' : 'Offline');
    return dot;
  }

  function drawHead() {
    var info = current && current.info, member = Boolean(info && info.member), title = current ? titleOf(current) : '';
    setText(byId('room-title'), current ? title : missing ? 'No such room' : unreached ? 'Not loaded' : '');
    setText(byId('room-about'), info ? aboutText(info) : missing || unreached);
    setText(byId('join-text'), 'You are reading ' + title + '. Join to write and to see new messages as they come.');
    show('leave-room', Boolean(info && info.member && info.visibility !== 'direct'));
    show('join-bar', Boolean(info) && !member);
    if (byId('composer').hidden === member) showComposer(member);
    // Internet Explorer takes a new placeholder for something typed.
    if (byId('composer-input').placeholder !== 'Message ' + title) byId('composer-input').placeholder = 'Message ' + title;
  }

  /** @param {RoomInfo} info */
  function aboutText(info) {
    return [KINDS[info.visibility], counted(info.memberCount, 'member'), (info.onlineCount || 0) + ' online'].join(' · ');
  }

  /** @param {boolean} member */
  function showComposer(member) {
    show('composer', member);
    sizeBox();
    if (member && !isTouched()) byId('composer-input').focus(); // elsewhere the on-screen keyboard would pop up
  }

  function drawLog() {
    var log = byId('log'), scroller = byId('scroller'), entries = current ? shownOf(current) : [];
    var sticks = jump === 'bottom' || (isAtBottom() && !jump);
    if (shownRoom !== current) removeRows(log, []);
    removeRows(log, entries);
    var mark = shown[0], markedAt = mark ? mark.row.offsetTop : 0;
    entries.forEach(function (entry, index) { placeRow(log, entry, entries[index - 1], index); });
    shown = entries;
    shownRoom = current;
    drawHistory();
    if (sticks) scroller.scrollTop = scroller.scrollHeight;
    else if (mark) scroller.scrollTop += mark.row.offsetTop - markedAt; // what is read does not move
    jumpToLine(scroller);
    drawLatest();
  }

  /** @param {Room} room */
  function shownOf(room) {
    return room.entries.slice(firstShown(room), room.entries.length - room.hidden);
  }

  /** @param {any} log @param {Entry[]} kept */
  function removeRows(log, kept) {
    shown = shown.filter(function (entry) {
      var stays = kept.indexOf(entry) >= 0;
      if (!stays) log.removeChild(entry.row);
      return stays;
    });
  }

  /** @param {any} log @param {Entry} entry @param {Entry | undefined} previous @param {number} index */
  function placeRow(log, entry, previous, index) {
    if (!entry.row) makeRow(entry);
    var day = dayText(entry.createdAt), newDay = !previous || dayText(previous.createdAt) !== day;
    var line = Boolean(current && entry.id && current.firstUnread === entry.id);
    var head = newDay || line || !previous || previous.sender.id !== entry.sender.id || previous.status === 'failed' ||
      Math.abs(Date.parse(entry.createdAt) - Date.parse(previous.createdAt)) > GROUP_MS;
    var state = [entry.id, entry.status, entry.refusal, entry.createdAt, entry.editedAt, entry.deletedAt, entry.growing].concat(
      [head, line, newDay && day]).join();
    if (entry.drawn !== state) drawRow(entry, newDay ? day : '', line, head);
    entry.drawn = state;
    drawBody(entry);
    if (log.childNodes[index] !== entry.row) log.insertBefore(entry.row, log.childNodes[index] || null);
  }

  /** Made once and then only changed, so that nothing jumps. @param {Entry} entry */
  function makeRow(entry) {
    var row = element('div', 'row'), above = add(row, 'div', 'row__above'), message = add(row, 'div', 'message');
    var main = add(message, 'div', 'message__main'), head = add(main, 'div', 'message__head'), text = add(main, 'div', 'message__text');
    text.setAttribute('dir', 'auto');
    row.setAttribute('data-local-id', entry.localId);
    entry.row = row;
    entry.parts = {
      above: above, head: head, body: add(text, 'span', 'message__body'), edited: add(text, 'span', 'message__edited'),
      failure: add(main, 'div', 'message__failure'), side: add(message, 'div', 'message__side')
    };
  }

  /** @param {Entry} entry @param {string} day @param {boolean} line @param {boolean} head */
  function drawRow(entry, day, line, head) {
    var kinds = [entry.growing && ' row--growing', entry.deletedAt && ' row--withdrawn', head && ' row--head'];
    entry.row.className = 'row' + kinds.filter(Boolean).join('');
    entry.row.setAttribute('data-status', entry.status);
    if (entry.id) entry.row.setAttribute('data-id', entry.id);
    empty(entry.parts.above);
    if (day) entry.parts.above.appendChild(element('div', 'divider', day));
    if (line) entry.parts.above.appendChild(element('div', 'divider divider--unread', 'New messages'));
    empty(entry.parts.head);
    if (head) drawRowHead(entry);
    setText(entry.parts.edited, entry.editedAt && !entry.deletedAt ? ' edited' : '');
    drawSide(entry);
    drawFailure(entry);
  }

  /** @param {Entry} entry */
  function drawRowHead(entry) {
    var time = element('time', 'message__time', timeText(entry.createdAt));
    time.setAttribute('datetime', entry.createdAt);
    time.setAttribute('title', new Date(entry.createdAt).toLocaleString());
    entry.parts.head.appendChild(element('span', 'message__name', entry.sender.name)).setAttribute('dir', 'auto');
    entry.parts.head.appendChild(time);
  }

  /** The tools and the state of one's own. @param {Entry} entry */
  function drawSide(entry) {
    empty(entry.parts.side);
    if (!isOwn(entry) || entry.deletedAt) return;
    if (entry.id) entry.parts.side.appendChild(tool('Edit', function () { startEditing(entry); }));
    if (entry.id) entry.parts.side.appendChild(tool('Delete', function () { withdraw(entry); }));
    if (entry.status === 'sending') entry.parts.side.appendChild(tool('Delete', function () { leaveTo(discard, entry.localId); }));
    var state = STATES[entry.status], status = element('span', 'message__status message__status--' + entry.status);
    status.appendChild(element('span', 'message__mark', state[0]));
    status.appendChild(document.createTextNode(' ' + state[1]));
    status.setAttribute('role', 'img');
    status.setAttribute('aria-label', state[1]);
    entry.parts.side.appendChild(status);
  }

  /** @param {string} text @param {() => void} run */
  function tool(text, run) {
    var node = button(text, run);
    node.className = 'message__tool';
    return node;
  }

  /** @param {Entry} entry */
  function drawFailure(entry) {
    empty(entry.parts.failure);
    if (!entry.refusal) return;
    entry.parts.failure.appendChild(element('span', 'message__reason', 'Not sent – ' + entry.refusal)).setAttribute('role', 'alert');
    entry.parts.failure.appendChild(button('Retry', function () { leaveTo(retry, entry.localId); }));
    entry.parts.failure.appendChild(button('Delete', function () { leaveTo(discard, entry.localId); }));
  }

  /** The button goes away: the focus must not fall to the page. @param {(localId: string) => void} run @param {string} localId */
  function leaveTo(run, localId) {
    byId('composer-input').focus();
    run(localId);
  }

  /** @param {Entry} entry */
  function drawBody(entry) {
    var body = entry.deletedAt ? 'message deleted' : entry.body;
    if (entry.shownBody === body) return;
    entry.shownBody = body;
    empty(entry.parts.body);
    if (entry.deletedAt) entry.parts.body.appendChild(document.createTextNode(body));
    else appendLinked(entry.parts.body, body);
  }

  /** @param {any} node @param {string} text addresses of the web become links, nothing else does */
  function appendLinked(node, text) {
    var done = 0;
    text.replace(LINK, function (found, at) {
      var address = found.replace(AFTER_LINK, ''), link = element('a', '', address);
      link.setAttribute('href', address);
      link.setAttribute('target', '_blank');
      link.setAttribute('rel', 'noopener noreferrer nofollow');
      node.appendChild(document.createTextNode(text.slice(done, at)));
      node.appendChild(link);
      done = at + address.length;
      return found;
    });
    node.appendChild(document.createTextNode(text.slice(done)));
  }

  function drawHistory() {
    var state = current ? current.history : 'none';
    var more = Boolean(current && (firstShown(current) > 0 || (current.hasMore && state === 'ready')));
    var text = current && state === 'ready' && !more ? 'This is the beginning of ' + titleOf(current) + '.' : '';
    setText(byId('history-note'), state === 'loading' ? 'Loading…' : state === 'error' ? 'The messages could not be loaded.' : text);
    setText(byId('load-older'), state === 'error' ? 'Try again' : 'Load older messages');
    show('load-older', more || state === 'error');
  }

  function isAtBottom() {
    var scroller = byId('scroller');
    return scroller.scrollHeight - scroller.scrollTop - scroller.clientHeight < BOTTOM_PX;
  }

  /** A room opens at what is new, once that is here. @param {any} scroller */
  function jumpToLine(scroller) {
    var line = jump === 'line' && document.querySelector('.divider--unread');
    if (jump === 'line' && current && current.history !== 'ready') return;
    if (line) scroller.scrollTop += line.getBoundingClientRect().top - scroller.getBoundingClientRect().top;
    else if (jump === 'line') scroller.scrollTop = scroller.scrollHeight;
    jump = '';
  }

  function drawLatest() {
    var away = Boolean(current && (current.hidden || !isAtBottom()));
    if (current && !away) current.below = 0;
    show('to-latest', away);
    setText(byId('to-latest'), current && current.below ? '↓ ' + current.below + ' new' : '↓ Latest');
  }

  function drawQueue() {
    var pending = itemsThat(false), failed = itemsThat(true).length, pauseMs = pausedUntil - now();
    var waitingMs = pending.length ? now() - pending[0].since : 0, well = link.phase === 'live' && waitingMs < UNANSWERED_MS;
    setText(byId('queue'), queueText(pending.length, pauseMs, well));
    show('failed-bar', failed > 2);
    setText(byId('failed-text'), failed > 2 ? failed + ' messages not sent' : '');
    clearTimeout(queueTimer);
    if (pending.length && (pauseMs > 0 || waitingMs < UNANSWERED_MS + 1000)) queueTimer = later(drawQueue, 500);
  }

  /** @param {number} count @param {number} pauseMs @param {boolean} well whether nothing says otherwise */
  function queueText(count, pauseMs, well) {
    if (!count || (well && count < 3 && pauseMs <= 0)) return ''; // one or two on their way are normal
    return pauseMs > 0 ? 'You’re sending too fast – resuming in ' + Math.ceil(pauseMs / 1000) + ' s' : count + ' waiting to be sent';
  }

  function drawTyping() {
    var writing = current ? current.typists : {};
    var names = Object.keys(writing).filter(function (id) { return writing[id].until > now(); });
    setText(byId('typing'), typingText(names.map(function (id) { return writing[id].name; })));
  }

  function drawLeftBehind() {
    var left = leftBehind(), first = left[0] || {}, whose = first.userName || 'the guest before';
    show('left-bar', left.length > 0);
    setText(byId('left-text'), left.length
      ? counted(left.length, 'unsent message') + ' of ' + whose + ' in this browser, the first: “' + first.body.slice(0, 80) + '”'
      : '');
    setText(byId('left-send'), 'Send as ' + (user ? user.name : ''));
  }

  function drawBanner() {
    var lostMs = link.phase === 'lost' ? now() - link.lostAt : 0, back = link.phase === 'live' && now() < link.backUntil;
    var offline = lostMs >= COUNTDOWN_AFTER_MS, text = '';
    if (offline) text = 'You’re offline. Messages will be sent when you reconnect.';
    else if (lostMs >= QUIET_MS) text = 'Connection lost. Reconnecting…';
    else if (back) text = 'Back online';
    show('banner', Boolean(text));
    show('banner-try', offline);
    setText(byId('banner-text'), text);
    setText(byId('banner-count'), offline ? countdown() : '');
    setText(byId('status-text'), statusText(lostMs));
    byId('status').setAttribute('data-phase', lostMs >= QUIET_MS ? 'lost' : link.phase);
    clearTimeout(bannerTimer);
    if (link.phase === 'lost' || back) bannerTimer = later(drawBanner, 250);
  }

  function countdown() {
    var seconds = link.retryAt ? Math.ceil((link.retryAt - now()) / 1000) : 0;
    return seconds > 0 ? 'Retrying in ' + seconds + ' s' : 'Retrying now…';
  }

  /** @param {number} lostMs */
  function statusText(lostMs) {
    if (link.phase === 'connecting') return 'Connecting…';
    if (link.phase === 'stopped') return 'Not connected';
    return lostMs >= QUIET_MS ? 'Reconnecting…' : 'Live (polling)';
  }

  /** @param {string} text */
  function notice(text) {
    setText(byId('toast'), text);
    show('toast', true);
    clearTimeout(toastTimer);
    toastTimer = window.setTimeout(function () { show('toast', false); }, TOAST_MS);
  }

  /** Narrow screens show the rooms or one of them. @param {boolean} visible */
  function showRooms(visible) {
    byId('chat').className = visible ? 'chat chat--rooms' : 'chat';
    byId(visible ? 'close-rooms' : 'open-rooms').focus();
  }

  // ---- Actions: what the user does, and how the page begins and ends ----

  var wanted = ''; // the room in the address, whether it exists or not
  var askYes = function () {};
  var typingRoom = /** @type {Room | null} */ (null); // which was told that the user writes
  var typingAt = 0;
  var enters = false;
  var attempt = 0;

  /** The query stays: ?transport=poll leads here again. @param {string} name of a room */
  function addressOf(name) {
    return root + '/rooms/' + encodeURIComponent(name) + location.search;
  }

  function roomInAddress() {
    var match = /^\/rooms\/([^\/]+)\/?$/.exec(location.pathname.slice(root.length));
    try {
      return match ? decodeURIComponent(match[1]) : '';
    } catch (error) {
      return match ? match[1] : ''; // a bare %, or letters of another encoding
    }
  }

  /** @param {string} name of a room */
  function open(name) {
    wanted = name;
    if (rooms[name]) return enterRoom(rooms[name]);
    lookUp(name, function (room, problem) {
      if (wanted !== name) return; // gone elsewhere meanwhile
      missing = problem && !problem.retryable ? 'It does not exist, or you may not read it.' : '';
      unreached = problem && problem.retryable ? 'It is loaded as soon as the server answers.' : '';
      enterRoom(room);
    });
  }

  /** @param {Room | null} room */
  function enterRoom(room) {
    leaveRoom();
    current = room;
    if (!room) return changed();
    if (roomInAddress() !== room.info.name) history.pushState(null, '', addressOf(room.info.name));
    if (room.unread && !room.firstUnread) room.unreadBefore = room.unread;
    jump = 'line';
    byId('composer-input').value = room.draft;
    if (!isTouched()) byId('composer-input').focus();
    // A room the user only reads gets no events, so what is here may be out of date.
    if (room.history !== 'ready' || !room.info.member) loadNewest(room);
    else markRead(room);
    sizeBox();
    changed();
  }

  function leaveRoom() {
    if (!current) return;
    stopEditing();
    current.draft = byId('composer-input').value;
    tellRead(current);
    current.firstUnread = null;
    current.hidden = 0;
  }

  /** Old engines know no such query and say no: then Enter sends. */
  function isTouched() {
    return matchMedia('(hover: none) and (pointer: coarse)').matches;
  }

  function submit() {
    var body = sendableText(byId('composer-input').value);
    if (!body || pointsOf(body).length > BODY_MOST || !current) return;
    if (editing) return submitEdit(editing, body);
    setBox(''); // at once: a second Enter finds nothing to send
    typingRoom = null; // the message itself says that the user has stopped
    current.firstUnread = null;
    toLatest();
    addItem(current, body);
  }

  function toLatest() {
    if (current) current.hidden = current.below = 0;
    jump = 'bottom';
    changed();
    byId('composer-input').focus();
  }

  /** @param {Entry} entry */
  function startEditing(entry) {
    if (!editing) draftBefore = byId('composer-input').value;
    editing = entry;
    show('editing', true);
    setBox(entry.body);
    byId('composer-input').focus();
  }

  function stopEditing() {
    if (!editing) return;
    editing = null;
    show('editing', false);
    setBox(draftBefore);
    byId('composer-input').focus();
  }

  /** @param {Entry} entry @param {string} body */
  function submitEdit(entry, body) {
    stopEditing();
    change('PATCH', entry, { body: body }, function () {
      if (editing || byId('composer-input').value) return;
      startEditing(entry);
      setBox(body); // what was typed is not lost
    });
  }

  /** @param {Entry} entry */
  function withdraw(entry) {
    ask('Delete this message for everyone?', 'Delete for everyone', function () { change('DELETE', entry, null, function () {}); });
  }

  /** @param {string} method @param {Entry} entry @param {any} body @param {() => void} failed */
  function change(method, entry, body, failed) {
    var room = current;
    call(method, '/messages/' + encodeURIComponent(entry.id), body, function (problem, message) {
      if (problem) failed();
      if (problem) return didNotWork(problem);
      if (room) merge(room, message);
      changed();
    });
  }

  /** @param {Problem} problem */
  function didNotWork(problem) {
    if (problem.status === 401) return sessionOver();
    notice('That did not work: ' + reasonOf(problem) + '.');
  }

  function editLast() {
    var own = current ? current.entries.filter(function (entry) { return isOwn(entry) && entry.id && !entry.deletedAt; }) : [];
    if (own.length) startEditing(own[own.length - 1]);
    return own.length > 0;
  }

  /** @param {KeyboardEvent} event by codes: the names of keys differ between browsers */
  function pressed(event) {
    if (event.keyCode === 13 && !event.shiftKey && !event.altKey && !isTouched()) { // 229 instead while an input method is open
      event.preventDefault();
      if (!event.repeat) submit();
    } else if (event.keyCode === 38 && !byId('composer-input').value) {
      if (editLast()) event.preventDefault();
    } else if (event.keyCode === 27) {
      if (editing) stopEditing();
      else toLatest();
    }
  }

  /** @param {string} text */
  function setBox(text) {
    byId('composer-input').value = text;
    sizeBox();
  }

  function sizeBox() {
    var box = byId('composer-input'), body = sendableText(box.value), left = BODY_MOST - pointsOf(body).length;
    box.style.height = 'auto';
    box.style.height = box.scrollHeight + 2 + 'px'; // with its border; the style sheet bounds it
    byId('send').disabled = !body || left < 0;
    byId('composer-hint').className = left < 0 ? 'foot__hint foot__hint--over' : 'foot__hint';
    setText(byId('composer-hint'), left > BODY_MOST / 10 ? '' : left < 0 ? left + ' – too long to send' : String(left));
  }

  function typed() {
    sizeBox();
    if (editing || !current) return;
    var writes = /\S/.test(byId('composer-input').value);
    if (!writes && typingRoom === current) tellTyping(current, false);
    if (writes && (typingRoom !== current || now() - typingAt >= TYPING_APART_MS)) tellTyping(current, true);
  }

  /** The page is right without it: nothing waits behind it. @param {Room} room @param {boolean} typing */
  function tellTyping(room, typing) {
    if (busy || link.phase !== 'live') return;
    typingRoom = typing ? room : null;
    typingAt = now();
    call('POST', roomPath(room.info.name) + '/typing', { typing: typing });
  }

  /** Some webviews answer confirm() by themselves. @param {string} text @param {string} yes @param {() => void} run */
  function ask(text, yes, run) {
    askYes = run;
    showRooms(false); // on narrow screens the question stands in the room
    setText(byId('ask-text'), text);
    setText(byId('ask-yes'), yes);
    show('ask', true);
    byId('ask-no').focus();
  }

  /** @param {boolean} yes */
  function answer(yes) {
    show('ask', false);
    byId('composer-input').focus();
    if (yes) askYes();
  }

  function join() {
    var room = current;
    if (!room) return;
    call('PUT', roomPath(room.info.name) + '/members/me', {}, function (problem) {
      if (problem) didNotWork(problem);
      else if (room) joined(room.info.name);
    });
  }

  function leave() {
    var room = /** @type {Room} */ (current);
    var back = room.info.visibility === 'public' ? '' : ' Someone must invite you to come back.';
    ask('Leave ' + titleOf(room) + '?' + back, 'Leave', function () {
      call('DELETE', roomPath(room.info.name) + '/members/me', null, function (problem) {
        if (problem) return didNotWork(problem);
        if (rooms[room.info.name] === room && room.info.member) memberLeft(room, { user: user });
        changed();
      });
    });
  }

  function askToSignOut() {
    var count = itemsThat(false).length;
    var rest = count ? ' ' + counted(count, 'message') + (count === 1 ? ' is' : ' are') + ' not sent yet.' : '';
    ask('Sign out?' + (/^u_/.test(me()) ? ' A guest cannot come back as the same person.' : '') + rest, 'Sign out', signOut);
  }

  function signOut() {
    stopPolling(); // it would be told that the session is over
    call('DELETE', '/session', null, function (problem) {
      if (!problem || problem.status === 401) return end('You are signed out.');
      notice('You are still signed in: the server does not answer.');
      poll(0);
    });
  }

  /** The session is over, or the cookie became another user's: this page must not send anything as that one. */
  function sessionOver() {
    var count = itemsThat(false).length;
    end(count ? 'Signed out – sign in to send ' + counted(count, 'pending message') + '.' : 'Your session has ended. Sign in again.');
    call('GET', '/session', null, function (problem) { if (!problem) location.reload(); });
  }

  /** @param {string} note */
  function end(note) {
    era += 1;
    stopPolling();
    if (busy) busy.abort();
    busy = current = user = null;
    jobs = [];
    rooms = Object.create(null);
    lines = Object.create(null);
    waiting = Object.create(null);
    link.phase = 'stopped';
    drawPlanned = false;
    document.title = 'Chat';
    show('chat', false);
    showSignIn(note);
  }

  /** @param {string} note */
  function showSignIn(note) {
    var name = byId('sign-in-name');
    name.value = recall('chat-name') || anyOf(FIRST_NAMES) + ' ' + anyOf(LAST_NAMES);
    if (note) setText(byId('sign-in-note'), note);
    enters = false;
    show('boot', false);
    show('sign-in', true);
    name.focus();
    name.select();
  }

  /** Another tab may have signed in meanwhile, and the tabs share the cookie. */
  function signIn() {
    var name = byId('sign-in-name').value.trim();
    if (enters || !name) return;
    enters = true;
    setText(byId('sign-in-error'), '');
    call('GET', '/session', null, function (_, session) {
      if (session) return signedIn(null, session);
      call('POST', '/session', { name: name }, signedIn);
    });
  }

  /** @param {Problem | null} problem @param {any} session */
  function signedIn(problem, session) {
    enters = !problem;
    if (!problem) remember('chat-name', byId('sign-in-name').value.trim());
    if (!problem) return begin(session.user);
    var reason = reasonOf(problem);
    setText(byId('sign-in-error'), reason.charAt(0).toUpperCase() + reason.slice(1) + '.');
  }

  /** Rooms first: polling starts from their cursor, so that nothing is missed in between. @param {User} who */
  function begin(who) {
    user = who;
    remember('chat-user' + root, who.id); // other tabs hear of it
    loadRooms(function (problem, cursor) {
      if (problem && problem.status === 401) return end('');
      if (problem) return again(function () { begin(who); }, problem);
      link.cursor = cursor;
      link.phase = 'connecting';
      showChat(who);
      poll(0);
      wakeOutbox();
    });
  }

  /** @param {User} who */
  function showChat(who) {
    show('boot', false);
    show('sign-in', false);
    show('chat', true);
    show('ask', false);
    setText(byId('user-name'), who.name);
    shownRoom = null;
    roomsDrawn = '';
    loadOutbox();
    drawBanner();
    drawLeftBehind();
    open(roomInAddress() || HOME);
  }

  function boot() {
    call('GET', '/session', null, function (problem, session) {
      if (session) return begin(session.user);
      if (problem && problem.status === 401) return showSignIn('');
      again(boot, /** @type {Problem} */ (problem));
    });
  }

  /** Without an answer there is nothing to show. @param {() => void} run @param {Problem} problem */
  function again(run, problem) {
    setText(byId('boot'), 'The server does not answer. Trying again…');
    show('boot', true);
    later(run, Math.max(backoffMs(attempt), problem.retryAfterMs));
    attempt += 1;
  }

  /** @param {StorageEvent} event another tab signed in, or settled what waits here too */
  function storageChanged(event) {
    if (event.key === 'chat-user' + root && user && event.newValue && event.newValue !== user.id) return location.reload();
    items.forEach(function (item) { if (event.key === keyOf(item) && !event.newValue) removeUnsent(item); });
  }

  /** @param {string} id @param {() => void} run */
  function onSubmit(id, run) {
    byId(id).addEventListener('submit', function (/** @type {Event} */ event) {
      event.preventDefault();
      run();
    });
  }

  /** @param {(localId: string) => void} run */
  function forFailed(run) {
    itemsThat(true).forEach(function (item) { leaveTo(run, item.localId); });
  }

  /** What a click on each button does. @type {Record<string, () => void>} */
  var CLICKED = {
    'sign-out': askToSignOut,
    'join-room': join,
    'leave-room': leave,
    'load-older': function () { if (current) loadOlder(current); },
    'to-latest': toLatest,
    'cancel-edit': stopEditing,
    'banner-try': wake,
    'retry-all': function () { forFailed(retry); },
    'delete-all': function () { ask('Delete these messages, which were not sent?', 'Delete', function () { forFailed(discard); }); },
    'left-send': function () { settleLeftBehind(true); },
    'left-discard': function () { settleLeftBehind(false); },
    'ask-yes': function () { answer(true); },
    'ask-no': function () { answer(false); },
    'open-rooms': function () { showRooms(true); },
    'close-rooms': function () { showRooms(false); }
  };

  function listen() {
    Object.keys(CLICKED).forEach(function (id) { byId(id).addEventListener('click', CLICKED[id]); });
    onSubmit('sign-in-form', signIn);
    onSubmit('composer', submit);
    byId('ask').addEventListener('keydown', function (/** @type {KeyboardEvent} */ event) { if (event.keyCode === 27) answer(false); });
    byId('composer-input').addEventListener('keydown', pressed);
    byId('composer-input').addEventListener('input', typed);
    byId('scroller').addEventListener('scroll', drawLatest);
    window.addEventListener('online', wake);
    window.addEventListener('storage', storageChanged);
    window.addEventListener('popstate', function () { if (user) open(roomInAddress() || HOME); });
    window.addEventListener('pagehide', stopPolling);
    window.addEventListener('pageshow', function (event) { if (event.persisted && user) poll(0); });
    document.addEventListener('visibilitychange', seen);
  }

  function seen() {
    if (document.hidden || !user) return current && tellRead(current);
    wake();
    refreshRooms();
    if (current) markRead(current);
    changed();
  }

  listen();
  boot();
})();
