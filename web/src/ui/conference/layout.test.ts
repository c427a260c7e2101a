import { describe, expect, test } from "vitest";
import { type Box, layout } from "./layout";

const FIELDS: [number, number][] = [
  [1280, 700],
  [900, 620],
  [344, 560],
  [320, 300],
  [700, 701],
];

function overlap(one: Box, other: Box): boolean {
  return (
    one.left < other.left + other.width &&
    other.left < one.left + one.width &&
    one.top < other.top + other.height &&
    other.top < one.top + one.height
  );
}

describe.each(FIELDS)("a field of %d by %d", (width, height) => {
  for (let count = 1; count <= 12; count++) {
    for (const large of [null, 0, count - 1]) {
      test(`${count} tiles, large: ${large}, lie inside and beside each other`, () => {
        const boxes = layout(count, width, height, large);
        expect(boxes).toHaveLength(count);
        for (const [index, one] of boxes.entries()) {
          expect(Math.min(one.width, one.height)).toBeGreaterThan(0);
          expect(Math.min(one.left, one.top)).toBeGreaterThanOrEqual(0);
          expect(one.left + one.width).toBeLessThanOrEqual(width);
          expect(one.top + one.height).toBeLessThanOrEqual(height);
          for (const other of boxes.slice(index + 1)) expect(overlap(one, other)).toBe(false);
        }
        if (large === null || count < 2) return;
        const area = ({ width, height }: Box) => width * height;
        const main = boxes[large]!;
        expect(boxes.every((one) => one === main || area(one) < area(main))).toBe(true);
        expect(area(main)).toBeGreaterThan(width * height * 0.5);
      });
    }
  }
});

test("four people on a phone stand in two columns, on a desk too", () => {
  for (const [width, height] of FIELDS.slice(0, 3)) {
    const lefts = new Set(layout(4, width, height, null).map((one) => one.left));
    expect(lefts.size).toBe(2);
  }
});

test("before the field is measured nothing breaks", () => {
  expect(layout(3, 0, 0, null)).toHaveLength(3);
  expect(layout(3, 0, 0, 1)).toHaveLength(3);
});
