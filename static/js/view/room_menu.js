// What can be done with the open room.

/** @typedef {import('../rooms/room.js').Room} Room */
/** @typedef {import('./menu.js').Item} Item */

/**
 * @typedef {object} RoomActions
 * @property {() => void} people
 * @property {() => void} copyLink
 * @property {() => void} settings
 * @property {() => void} leave
 * @property {(muted: boolean) => void} mute
 * @property {(told: boolean) => void} tell
 */

/**
 * @param {Room} room
 * @param {string} myId
 * @param {import('../rooms/room_choices.js').RoomChoices} choices
 * @param {RoomActions} on
 * @returns {Item[]}
 */
export function roomMenu({ name, info }, myId, choices, on) {
  const { member, visibility, owner } = info;
  const muted = choices.isMuted(name);
  const told = choices.isTold({ name, info });
  /** @type {(Item | false)[]} */
  const items = [
    { label: visibility === 'private' && member ? 'Invite people' : 'People', symbol: 'people', run: on.people },
    visibility === 'public' && { label: 'Copy invite link', symbol: 'link', run: on.copyLink },
    member && 'rule',
    member && { label: 'Mute', checked: muted, run: () => on.mute(!muted) },
    member && visibility !== 'direct' && !muted && { label: 'Notify me of messages', checked: told, run: () => on.tell(!told) },
    member && owner === myId && visibility !== 'direct' && { label: 'Rename or delete', symbol: 'edit', run: on.settings },
    member && visibility !== 'direct' && 'rule',
    member && visibility !== 'direct' && { label: 'Leave', danger: true, run: on.leave },
  ];
  return items.filter((item) => item !== false);
}
