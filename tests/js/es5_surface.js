// What a script of the old language touches: which names it takes from the browser, and which members of anything.

import { parse } from 'acorn';

/** @typedef {any} Node a node of the syntax tree */

// Their own functions are newer or older than the language itself: Object.keys is in it, Object.assign is not.
const BUILT_IN = ['Array', 'Date', 'JSON', 'Math', 'Number', 'Object', 'String'];
// A field of an old object and a method of a newer one: here, what a media query says and what an element is asked.
const NEWER_AS_METHODS = ['matches'];
// Names that are no values: a member's, a label's, a key's.
const NOT_VALUES = /** @type {Record<string, string>} */ ({ MemberExpression: 'property', Property: 'key', LabeledStatement: 'label' });

/**
 * @param {string} source
 * @returns {{globals: string[], members: string[]}} in the order of the alphabet; members that are computed are not seen
 */
export function surfaceOf(source) {
  const found = { globals: /** @type {Set<string>} */ (new Set()), members: /** @type {Set<string>} */ (new Set()) };
  visit(parse(source, { ecmaVersion: 5 }), null, '', new Set(['arguments']), found);
  return { globals: [...found.globals].sort(), members: [...found.members].sort() };
}

/**
 * @param {Node} node
 * @param {Node} parent
 * @param {string} role what the node is to its parent
 * @param {Set<string>} known the names that the functions around it declare
 * @param {{globals: Set<string>, members: Set<string>}} found
 */
function visit(node, parent, role, known, found) {
  const isFunction = /^Function/.test(node.type);
  const scope = isFunction ? new Set([...known, ...declaredIn(node)]) : new Set([...known, ...(node.type === 'CatchClause' ? [node.param.name] : [])]);
  if (node.type === 'Identifier' && !known.has(node.name) && !isNoValue(parent, role)) found.globals.add(node.name);
  if (node.type === 'MemberExpression') noteMember(node, role === 'callee', found.members);
  for (const [name, child] of childrenOf(node)) visit(child, node, name, scope, found);
}

/**
 * @param {Node} parent
 * @param {string} role
 */
function isNoValue(parent, role) {
  return Boolean(parent) && NOT_VALUES[parent.type] === role && !parent.computed;
}

/**
 * @param {Node} node
 * @param {boolean} called
 * @param {Set<string>} members
 */
function noteMember({ object, property, computed }, called, members) {
  const name = computed ? (typeof property.value === 'string' ? property.value : null) : property.name;
  if (name === null) return;
  if (called && NEWER_AS_METHODS.includes(name)) members.add(`${name}()`);
  else members.add(BUILT_IN.includes(object.name) ? `${object.name}.${name}` : name);
}

/**
 * @param {Node} node
 * @returns {[string, Node][]}
 */
function childrenOf(node) {
  return Object.entries(node).flatMap(([name, value]) =>
    [value].flat().filter((child) => child && typeof child.type === 'string').map((child) => /** @type {[string, Node]} */ ([name, child])));
}

/**
 * Its own name, its parameters, and every var and function within it but not within another function.
 * @param {Node} node a function
 */
function declaredIn(node) {
  const names = [...node.params.map((/** @type {Node} */ param) => param.name), ...(node.id ? [node.id.name] : [])];
  /** @param {Node} inner */
  const gather = (inner) => {
    if (inner.type === 'VariableDeclarator' || inner.type === 'FunctionDeclaration') names.push(inner.id.name);
    if (!/^Function/.test(inner.type)) for (const [, child] of childrenOf(inner)) gather(child);
  };
  gather(node.body);
  return names;
}
