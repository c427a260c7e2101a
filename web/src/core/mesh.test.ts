/** The rule of who calls whom, held to protocol/vectors/mesh.json.  Rows: V05-V11 (partly), X10 (partly). */
import { readFileSync } from "node:fs";
import { expect, test } from "vitest";
import type { Leg } from "../protocol";
import { byCodePoints, calls, isCaller, pairEpoch, sessionList } from "./mesh";

interface Lists {
  initiator: string;
  participants: string[];
  lists: Record<string, string[]>;
}
interface PairCase {
  legs: [Leg, Leg];
  epoch: number;
  caller: string;
}

const CASES = JSON.parse(readFileSync(new URL("../../../protocol/vectors/mesh.json", import.meta.url), "ascii")) as (
  Lists | PairCase
)[];

const LISTS = CASES.filter((one): one is Lists => "lists" in one);
const PAIRS = CASES.filter((one): one is PairCase => "legs" in one);

test.each(LISTS)("the session list of $initiator and others", ({ initiator, participants, lists }) => {
  for (const [me, list] of Object.entries(lists)) {
    expect(sessionList(me, initiator, participants)).toEqual(list);
    for (const other of Object.keys(lists)) {
      if (other !== me) expect(calls(me, other, initiator), `${me} ${other}`).toBe(list.includes(other));
    }
  }
});

test.each(PAIRS)("the caller of a pair is $caller", ({ legs: [one, other], epoch, caller }) => {
  expect(pairEpoch(one, other)).toBe(epoch);
  expect(isCaller(one, other)).toBe(one.id === caller);
  expect(isCaller(other, one)).toBe(other.id === caller);
});

test("code points, not UTF-16 units", () => {
  const texts = ["a", "b", "é", "\ue000", "\uffff", "\u{10000}", "\u{10ffff}", "aa", ""];
  const sorted = [...texts].sort((one, other) => {
    const [left, right] = [one, other].map((text) => [...text].map((char) => char.codePointAt(0)!));
    const at = left!.findIndex((point, index) => point !== right![index]);
    return at < 0 ? left!.length - right!.length : left![at]! - (right![at] ?? -1);
  });
  expect([...texts].sort(byCodePoints)).toEqual(sorted);
  expect(LISTS.length * PAIRS.length).toBeGreaterThan(0);
});
