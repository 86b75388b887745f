import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Timeline } from '../../static/js/rooms/timeline.js';
import { ADA, draft, message } from './samples.js';

const filled = (/** @type {import('../../static/js/net/shapes.js').Message[]} */ ...messages) => {
  const timeline = new Timeline(ADA.id);
  for (const each of messages) timeline.merge(each);
  return timeline;
};
const ids = (/** @type {Timeline} */ timeline) => timeline.entries.map((entry) => entry.id ?? entry.localId);

test('messages stand in the order of their cursors, read as two integers', () => {
  const timeline = filled(
    message({ id: 'c', cursor: '10-0' }), message({ id: 'a', cursor: '9-9' }), message({ id: 'b', cursor: '9-10' }));
  assert.deepEqual(ids(timeline), ['a', 'b', 'c']);
});

test('without a cursor after those with one, own unsent last', () => {
  const timeline = new Timeline(ADA.id);
  timeline.addOwn(draft({ localId: 'unsent-01' }));
  timeline.merge(message({ id: 'x', localId: 'other-x', cursor: null }));
  timeline.merge(message({ id: 'a', localId: 'other-a', cursor: '5-0' }));
  assert.deepEqual(ids(timeline), ['a', 'x', 'unsent-01']);
});

test('the same message twice is one entry', () => {
  const timeline = filled(message(), message());
  assert.equal(timeline.entries.length, 1);
});

test('answer, then event: one entry, the same object', () => {
  const timeline = new Timeline(ADA.id);
  const entry = timeline.addOwn(draft());
  timeline.merge(message({ sender: ADA, cursor: null }));
  timeline.created(message({ sender: ADA, cursor: '7-0' }));
  assert.deepEqual(timeline.entries, [entry]);
  assert.equal(entry.cursor, '7-0');
  assert.equal(entry.status, 'sent');
});

test('event, then answer: one entry, the same object', () => {
  const timeline = new Timeline(ADA.id);
  const entry = timeline.addOwn(draft());
  timeline.created(message({ sender: ADA, cursor: '7-0' }));
  timeline.merge(message({ sender: ADA, cursor: null }));
  assert.deepEqual(timeline.entries, [entry]);
  assert.equal(entry.cursor, '7-0');
});

test('29 an own message takes its place in the log without moving others', () => {
  const timeline = new Timeline(ADA.id);
  timeline.addOwn(draft({ localId: 'first-001' }));
  timeline.addOwn(draft({ localId: 'second-01' }));
  timeline.merge(message({ id: 'b', localId: 'bobs-0001', cursor: '8-0' }));
  timeline.merge(message({ id: 'a', localId: 'first-001', sender: ADA, cursor: '7-0' }));
  assert.deepEqual(ids(timeline), ['a', 'b', 'second-01']);
});

test("another sender's localId is not one's own", () => {
  const timeline = new Timeline(ADA.id);
  timeline.addOwn(draft());
  timeline.merge(message({ id: 'b' }));
  assert.equal(timeline.entries.length, 2);
});

test('a created event for a known id with a cursor is ignored, its cursor too', () => {
  const timeline = filled(message({ cursor: '5-0' }));
  timeline.created(message({ cursor: '9-0', body: 'changed', editedAt: '2026-11-22T11:00:00.000Z' }));
  assert.equal(timeline.entries[0].cursor, '5-0');
  assert.equal(timeline.entries[0].body, 'hello');
});

test('a cursor replaces null and is never replaced', () => {
  const timeline = filled(message({ cursor: null }), message({ cursor: '5-0' }), message({ cursor: '9-0' }), message({ cursor: null }));
  assert.equal(timeline.entries[0].cursor, '5-0');
});

test('the later edit wins in either order', () => {
  const early = message({ body: 'first edit', editedAt: '2026-11-22T10:01:00.000Z' });
  const late = message({ body: 'second edit', editedAt: '2026-11-22T10:02:00.000Z' });
  for (const order of [[early, late], [late, early]]) {
    assert.equal(filled(message(), ...order).entries[0].body, 'second edit');
  }
});

test('a withdrawal wins over an edit in either order', () => {
  const edited = message({ body: 'edited', editedAt: '2026-11-22T10:05:00.000Z' });
  const withdrawn = message({ body: '', deletedAt: '2026-11-22T10:02:00.000Z' });
  for (const order of [[edited, withdrawn], [withdrawn, edited]]) {
    const [entry] = filled(message(), ...order).entries;
    assert.equal(entry.deletedAt, withdrawn.deletedAt);
    assert.equal(entry.body, '');
  }
});

test('a status never goes backwards', () => {
  const timeline = filled(message({ sender: ADA }));
  timeline.advance({ messageId: 'm1', status: 'delivered' });
  timeline.advance({ messageId: 'm1', status: 'sent' });
  timeline.merge(message({ sender: ADA, status: 'sent' }));
  assert.equal(timeline.entries[0].status, 'delivered');
});

test('delivered may come before the answer: it is known by localId', () => {
  const timeline = new Timeline(ADA.id);
  timeline.addOwn(draft());
  timeline.advance({ messageId: 'm1', localId: 'local-0001', status: 'delivered' });
  assert.equal(timeline.entries[0].status, 'delivered');
});

test('a failed message can be sent again and removed', () => {
  const timeline = new Timeline(ADA.id);
  timeline.addOwn(draft());
  timeline.fail('local-0001', { code: 'forbidden', text: 'no' });
  assert.equal(timeline.entries[0].status, 'failed');
  timeline.sendAgain('local-0001');
  assert.equal(timeline.entries[0].status, 'sending');
  timeline.removeUnsent('local-0001');
  assert.deepEqual(timeline.entries, []);
});

test('what the server has is neither failed nor removed', () => {
  const timeline = filled(message({ sender: ADA }));
  timeline.fail('local-0001', { code: 'forbidden', text: 'no' });
  timeline.removeUnsent('local-0001');
  assert.equal(timeline.entries[0].status, 'sent');
});

test('dropping what is old forgets it, so that it can be loaded again', () => {
  const timeline = filled(message({ id: 'a', cursor: '1-0' }), message({ id: 'b', localId: 'b-0000001', cursor: '2-0' }));
  timeline.dropBefore('2-0');
  assert.deepEqual(ids(timeline), ['b']);
  timeline.merge(message({ id: 'a', cursor: '1-0' }));
  assert.deepEqual(ids(timeline), ['a', 'b']);
});

test('keeping the newest leaves own unsent messages alone', () => {
  const timeline = filled(message({ id: 'a', cursor: '1-0' }), message({ id: 'b', cursor: '2-0' }));
  timeline.addOwn(draft({ localId: 'unsent-01' }));
  assert.ok(timeline.keepNewest(2));
  assert.deepEqual(ids(timeline), ['b', 'unsent-01']);
  assert.ok(!timeline.keepNewest(1));
});
