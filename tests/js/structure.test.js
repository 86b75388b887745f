import assert from 'node:assert/strict';
import { readFileSync, readdirSync } from 'node:fs';
import { posix } from 'node:path';
import { test } from 'node:test';

const ROOT = new URL('../../static/js/', import.meta.url);

/** What each folder may import besides itself. @type {Record<string, string[]>} */
const MAY_IMPORT = {
  net: [],
  rooms: ['net'],
  outbox: ['net', 'rooms'],
  view: ['net', 'rooms', 'outbox'],
  page: ['net', 'rooms', 'outbox', 'view'],
};

/** The page for old browsers: one script, which takes nothing from the modules but the shapes of what the server says. */
const ALONE = 'legacy.js';
/** The demonstration around the page, which it only frames. */
const DEMO = 'demo.js';
const WORKER = 'service_worker.js'; // a script of its own, which imports nothing

/** Views are handed what the page is made of, and may know its type. */
const TYPES_BESIDES = ['view/chat_view.js → page/chat.js', 'view/rooms_view.js → page/chat.js'];

/** @typedef {{path: string, values: string[], types: string[]}} Module */

const BLOCK_COMMENT = /\/\*[\s\S]*?\*\//g;
const STATIC_IMPORT = /^\s*(?:import|export)\b(?:[^'"();]*\bfrom)?\s*['"]([^'"]+)['"]/gm;
const IMPORT_CALL = /\bimport\(\s*['"]([^'"]+)['"]\s*\)/g;
const IMPORT_TAG = /@import\b[^'"]*['"]([^'"]+)['"]/g;

/**
 * @param {string} path
 * @param {string} text
 * @returns {Module}
 */
function read(path, text) {
  const comments = (text.match(BLOCK_COMMENT) ?? []).join('\n');
  const code = text.replace(BLOCK_COMMENT, '');
  const resolve = (/** @type {string} */ name) => (name.startsWith('.') ? posix.join(posix.dirname(path), name) : name);
  const targets = (/** @type {string} */ within, /** @type {RegExp[]} */ ...kinds) =>
    kinds.flatMap((kind) => [...within.matchAll(kind)]).map(([, name]) => resolve(name));
  return { path, values: targets(code, STATIC_IMPORT, IMPORT_CALL), types: targets(comments, IMPORT_CALL, IMPORT_TAG) };
}

/** @returns {Generator<string>} */
function* files(folder = '') {
  for (const entry of readdirSync(new URL(folder, ROOT), { withFileTypes: true })) {
    if (entry.isDirectory()) yield* files(`${folder}${entry.name}/`);
    else yield folder + entry.name;
  }
}

/** @param {string} path */
const folderOf = (path) => path.split('/')[0];

/** @param {Module} from @param {string} to */
const allowed = ({ path }, to) => folderOf(to) === folderOf(path) || MAY_IMPORT[folderOf(path)]?.includes(folderOf(to));

/** @param {Module[]} modules */
const wrongValues = (modules) => modules.flatMap((from) =>
  from.values.filter((to) => !allowed(from, to)).map((to) => `${from.path} → ${to}`));

/** @param {Module[]} modules */
const wrongTypes = (modules) => modules.flatMap((from) =>
  from.types.filter((to) => !allowed(from, to)).map((to) => `${from.path} → ${to}`));

/**
 * @param {Module[]} modules
 * @returns {string[]} the first circle of value imports, its beginning again at its end
 */
function circleIn(modules) {
  const valuesOf = new Map(modules.map(({ path, values }) => [path, values]));
  const clear = new Set();
  /** @type {(path: string, trail: string[]) => string[]} */
  const follow = (path, trail) => {
    if (trail.includes(path)) return [...trail.slice(trail.indexOf(path)), path];
    if (clear.has(path)) return [];
    for (const next of valuesOf.get(path) ?? []) {
      const circle = follow(next, [...trail, path]);
      if (circle.length) return circle;
    }
    clear.add(path);
    return [];
  };
  return modules.map(({ path }) => follow(path, [])).find((circle) => circle.length) ?? [];
}

const FILES = [...files()].map((path) => read(path, readFileSync(new URL(path, ROOT), 'utf8')));
const MODULES = FILES.filter(({ path }) => ![ALONE, DEMO, WORKER].includes(path));

test('every module stands in one of the folders', () => {
  const places = Object.keys(MAY_IMPORT).join('|');
  assert.deepEqual(MODULES.map(({ path }) => path).filter((path) => !new RegExp(`^(${places})/\\w+\\.js$`).test(path)), []);
  assert.deepEqual([...new Set(MODULES.map(({ path }) => folderOf(path)))].sort(), Object.keys(MAY_IMPORT).sort());
});

test('every import names a module of the page', () => {
  const paths = new Set(MODULES.map(({ path }) => path));
  assert.deepEqual(MODULES.flatMap(({ values, types }) => [...values, ...types]).filter((target) => !paths.has(target)), []);
});

test('the page for old browsers stands alone', () => {
  const { values, types } = FILES.find(({ path }) => path === ALONE) ?? assert.fail(ALONE);
  assert.deepEqual([...values, ...new Set(types)], ['net/shapes.js']);
});

test('values are imported one way', () => assert.deepEqual(wrongValues(MODULES), []));

test('no modules import values of each other in a circle', () => assert.deepEqual(circleIn(MODULES), []));

test('types are imported the same way, but for what views know of the page', () => {
  assert.deepEqual([...new Set(wrongTypes(MODULES))], TYPES_BESIDES);
});

test('a wrong import would be found', () => {
  const api = read('net/api.js', "import { Room } from '../rooms/room.js';\n/** @type {import('../view/toast.js').Toast} */\n");
  const room = read('rooms/room.js', "import {\n  Api,\n} from '../net/api.js';\nexport * from './entry.js';\nimport './cursor.js';\n");
  const later = read('outbox/outbox.js', "const { App } = await import('../page/app.js');\n");
  assert.deepEqual(wrongValues([api, room, later]), ['net/api.js → rooms/room.js', 'outbox/outbox.js → page/app.js']);
  assert.deepEqual(wrongTypes([api, room, later]), ['net/api.js → view/toast.js']);
  assert.deepEqual(circleIn([api, room, later]), ['net/api.js', 'rooms/room.js', 'net/api.js']);
  assert.deepEqual(room.values, ['net/api.js', 'rooms/entry.js', 'rooms/cursor.js']);
});
