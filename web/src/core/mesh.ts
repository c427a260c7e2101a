/**
 * Which of two legs calls the other, so that every pair has exactly one caller and nobody has to ask.
 *
 * The rule of document 004 over the epoch of the pair, the later one of its two legs: `sessionList` says it of a whole
 * list, `calls` of two legs, for which the others in the list do not matter.
 *
 * The twin of src/veche/core/mesh.py; protocol/vectors/mesh.json holds them together.
 * Source: document 004, "Choix des clients à appeler"; rows V05-V11, V20, X10.
 */
import type { Leg } from "../protocol";

/** Below 0 when `one` comes first: by code points, as the server sorts; `<` would compare UTF-16 units. */
export function byCodePoints(one: string, other: string): number {
  const length = Math.min(one.length, other.length);
  for (let index = 0; index < length; index++) {
    if (one.charCodeAt(index) === other.charCodeAt(index)) continue;
    // where they part inside of a surrogate pair, its first half is the same and does not matter
    return wide(one, index) - wide(other, index);
  }
  return one.length - other.length;
}

/** A unit by which code points are in order: surrogates stand above all the others. */
function wide(text: string, index: number): number {
  const unit = text.charCodeAt(index);
  const isPair = unit >= 0xd800 && unit <= 0xdfff;
  return isPair && !isAlone(text, index) ? 0x10000 + unit : unit;
}

function isAlone(text: string, index: number): boolean {
  const unit = text.charCodeAt(index);
  const isFirst = unit < 0xdc00;
  const partner = text.charCodeAt(isFirst ? index + 1 : index - 1);
  return isFirst ? !(partner >= 0xdc00 && partner <= 0xdfff) : !(partner >= 0xd800 && partner < 0xdc00);
}

/**
 * Whom `me` has to call, in the order of the doubled list.
 *
 * participants: everybody but the initiator (row V20), no one twice.
 */
export function sessionList(me: string, initiator: string, participants: readonly string[]): string[] {
  const everybody = [initiator, ...participants].sort(byCodePoints);
  const doubled = [...everybody, ...everybody];
  const first = doubled.indexOf(me);
  return doubled.slice(first + 1, doubled.indexOf(initiator, first + 1));
}

/** Whether `me` calls `other` in an epoch of this initiator, which need be neither of the two. */
export function calls(me: string, other: string, initiator: string): boolean {
  const isBefore = byCodePoints(me, initiator) < 0;
  if (isBefore !== byCodePoints(other, initiator) < 0) return !isBefore;
  return byCodePoints(me, other) < 0;
}

/** The epoch of two legs, which SIGNAL names. */
export function pairEpoch(me: Leg, other: Leg): number {
  return Math.max(me.epoch, other.epoch);
}

/** Whether `me` calls `other`, and so offers first and is the impolite peer. */
export function isCaller(me: Leg, other: Leg): boolean {
  return calls(me.id, other.id, (me.epoch > other.epoch ? me : other).initiator);
}
